//! What the server's answers mean.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::Value;

use super::{Again, Refusal};
use crate::clock::{Clock, Reading};
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::http::{Answer, Failure, FailureKind};
use crate::options::Options;
use crate::redact::redact;
use crate::secret::Secret;
use crate::token::{Token, fault};

/// The most of the server's own text that a message carries.
const LONGEST_QUOTE: usize = 200;

/// The token in a successful answer to a login.
pub fn token(answer: &Answer, clock: &dyn Clock) -> Result<Token, Error> {
    let clocks = Reading::of(clock);
    let unexpected = |what: &str| {
        Error::new(Status::UnexpectedResponse, format!("the server's answer to the login {what}; check base_url"))
            .answered(answer.status)
    };
    if answer.too_large {
        return Err(unexpected("is larger than 64 KiB"));
    }
    let mut body = json_of(&answer.body).ok_or_else(|| unexpected("is not JSON"))?;
    // Moved out, not copied: no second copy stays in freed memory.
    let value = match body.get_mut("token").map(Value::take) {
        Some(Value::String(value)) => Secret::new(value),
        Some(_) => return Err(unexpected("has a token that is no string")),
        None => return Err(unexpected("has no token")),
    };
    if let Some(fault) = fault(value.expose()) {
        return Err(unexpected(&format!("has a token that {fault}")));
    }
    let server_time = answer.date.as_deref().and_then(http_date).unwrap_or(clocks.wall);
    let expires_at = body.get("expiry").and_then(Value::as_str).and_then(expiry);
    let clock_ahead = server_time.duration_since(clocks.wall);
    Ok(Token::new(value, server_time, expires_at, clock_ahead, None, &clocks))
}

/// What an answer to a login that is no success means: by its status, and by whether it is the JSON that an application writes and
/// not the page of something in between. `limit`: its text speaks of a limit.
fn meaning(status: u16, json: bool, limit: bool) -> Status {
    match (status, json, limit) {
        (300..=399, _, _) => Status::UnexpectedResponse,
        (400 | 403 | 409, true, true) => Status::TokenLimit,
        // Wrong password, not a member, a field missing, unknown organization, inactive user, no permission.
        (400 | 401 | 403 | 404, true, false) => Status::Credentials,
        (401 | 404, true, true) => Status::Credentials,
        (429, _, _) => Status::Throttled,
        // Something in between gave up waiting; the login may be done all the same.
        (504, _, _) => Status::OutcomeUnknown,
        (500..=599, _, _) => Status::Server,
        _ => Status::UnexpectedResponse,
    }
}

/// A login that was answered, but not by a token.
pub fn login_refused(answer: &Answer, credentials: &Credentials, options: &Options) -> Refusal {
    let said = said(answer, &[&credentials.password, &credentials.username]);
    // The organization's name stands in the text, and is not what it speaks of.
    let text = said.replace(&credentials.organization_id, "").to_lowercase();
    let limit = ["max", "limit", "exceed"].iter().any(|word| text.contains(word));
    explained(answer, meaning(answer.status, json_of(&answer.body).is_some(), limit), &said, options)
}

/// Another request, which makes nothing, that was answered otherwise than it should.
pub fn refused(answer: &Answer, secrets: &[&Secret], options: &Options) -> Refusal {
    let status = match meaning(answer.status, false, false) {
        Status::OutcomeUnknown => Status::Server,
        status => status,
    };
    explained(answer, status, &said(answer, secrets), options)
}

/// Whether the answer leaves the token standing that came with the request.
pub fn lets_in(answer: &Answer) -> bool {
    match answer.status {
        200 => true,
        // Something in between strips the header, which no other token would mend; or it was let in, but not here.
        401 | 403 => ["not provided", "token header", "permission"].iter().any(|words| detail(answer).contains(words)),
        _ => false,
    }
}

fn explained(answer: &Answer, status: Status, said: &str, options: &Options) -> Refusal {
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    let number = answer.status;
    let wait = answer
        .retry_after
        .as_deref()
        .and_then(|text| retry_after(text, answer))
        .filter(|_| matches!(number, 429 | 503));
    let message = match status {
        Status::TokenLimit => {
            format!("the organization holds as many tokens as it may; log out where one is no longer needed{said}")
        }
        Status::Credentials => format!("the server refuses user name, password or organization_id{said}"),
        Status::Throttled => format!("the server asks to wait{said}"),
        Status::OutcomeUnknown => format!("a gateway gave up on the login ({number}): a token may have been made"),
        Status::Server => format!("the server has a fault of its own ({number}){said}"),
        _ => match &answer.location {
            Some(location) if (300..400).contains(&number) => {
                let target = location.parse::<ureq::http::Uri>().ok();
                let host = target.as_ref().and_then(|uri| uri.host()).unwrap_or("another place of the same host");
                let host = redact(host, &[], LONGEST_QUOTE);
                format!("the server redirects to {host}, which is not followed; check base_url {}", options.base_url)
            }
            _ => format!(
                "the server answered {number}, which it never should; check base_url {}{said}",
                options.base_url
            ),
        },
    };
    Refusal {
        error: Error::new(status, message).answered(number).silent_for(wait.unwrap_or_default()),
        may_exist: status == Status::OutcomeUnknown,
        again: wait.filter(|_| number == 503).map_or(Again::No, Again::After),
    }
}

/// What it means that there is no answer. `making`: the request makes something.
pub fn missing(failure: &Failure, options: &Options, making: bool) -> Refusal {
    let (base, reason) = (&options.base_url, &failure.reason);
    let sent = failure.sent && making;
    let (status, message) = match failure.kind {
        FailureKind::Malformed => (Status::UnexpectedResponse, format!("{base} did not answer as promised: {reason}")),
        _ if sent => (
            Status::OutcomeUnknown,
            format!("the login was sent to {base}, but its answer was lost ({reason}): a token may have been made"),
        ),
        FailureKind::Tls => (Status::Tls, format!("no trusted connection to {base}: {reason}")),
        FailureKind::Network => (Status::Network, format!("{base} cannot be reached: {reason}")),
        FailureKind::Timeout => (Status::Timeout, format!("{base} cannot be reached: {reason}")),
    };
    let again = match failure.kind {
        FailureKind::Network | FailureKind::Timeout if !failure.sent => Again::NothingSent,
        _ => Again::No,
    };
    Refusal { error: Error::new(status, message), may_exist: sent, again }
}

/// What Django REST framework says of a request that it does not let through.
fn detail(answer: &Answer) -> String {
    let body = json_of(&answer.body).unwrap_or_default();
    body.get("detail").and_then(Value::as_str).unwrap_or_default().to_lowercase()
}

/// The JSON object in a body, which may begin with a byte order mark.
fn json_of(body: &[u8]) -> Option<Value> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).ok().filter(Value::is_object)
}

/// The server's text for people: its first sentences, without secrets and control characters.
fn said(answer: &Answer, secrets: &[&Secret]) -> String {
    fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
            _ => {}
        }
    }
    let body = json_of(&answer.body).unwrap_or_default();
    let mut found = Vec::new();
    texts(&body, &mut found);
    redact(&found.join(" "), secrets, LONGEST_QUOTE)
}

/// `expiry`: ISO 8601; without offset it is taken as UTC. Unreadable: not known.
fn expiry(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| jiff::tz::TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
}

/// The form of dates in HTTP headers.
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// `Retry-After`: seconds or a date, from 1 s to 1 h; `None`: it is neither.
fn retry_after(text: &str, answer: &Answer) -> Option<Duration> {
    let text = text.trim();
    let seconds = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().unwrap_or(u64::MAX)
    } else {
        let now = answer.date.as_deref().and_then(http_date).unwrap_or_else(Timestamp::now);
        u64::try_from(http_date(text)?.duration_since(now).as_secs()).unwrap_or(0)
    };
    Some(Duration::from_secs(seconds.clamp(1, 3600)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::fmt::rfc2822::DateTimePrinter;
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;

    fn answered(status: u16, body: &[u8]) -> Answer {
        Answer {
            status,
            date: None,
            retry_after: None,
            location: None,
            body: Zeroizing::new(body.to_owned()),
            too_large: false,
        }
    }

    /// Any header, often one that is nearly right.
    fn header() -> impl Strategy<Value = Option<String>> {
        let nearly = (any::<i64>(), 0..=99_i64).prop_map(|(seconds, percent)| {
            let moment = Timestamp::from_second(seconds % 300_000_000_000).unwrap_or_default();
            let text = DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).unwrap_or_default();
            let end = text.len() * percent as usize / 99;
            text.get(..end).unwrap_or_default().to_owned()
        });
        prop::option::of(prop_oneof![".{0,40}", "-?[0-9]{1,30}", nearly])
    }

    /// Any body, often JSON with the keys that count.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        let value = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "[!-~]{0,70}".prop_map(Value::from),
            ".{0,60}".prop_map(Value::from),
            (0..=9999_i32, 0..=14_u8, 0..=40_u8, -30..=30_i8).prop_map(|(y, m, d, offset)| Value::from(format!(
                "{y:04}-{m:02}-{d:02}T23:59:60.9999999{offset:+03}:00"
            ))),
        ];
        let field = (prop::sample::select(vec!["token", "expiry", "detail", "error", "user"]), value);
        let object = prop::collection::vec(field, 0..4).prop_map(|fields| {
            let object: serde_json::Map<_, _> =
                fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            Value::Object(object).to_string().into_bytes()
        });
        prop_oneof![prop::collection::vec(any::<u8>(), 0..200), object]
    }

    proptest! {
        #[test]
        fn any_answer_is_a_token_or_a_clean_failure(
            status in 100_u16..1000,
            (date, retry_after, location) in (header(), header(), header()),
            body in body(),
            too_large in prop::bool::weighted(0.05),
        ) {
            let answer = Answer { status, date, retry_after, location, body: Zeroizing::new(body), too_large };
            let credentials = Credentials::new("hari@example.com".into(), "p\"ss wörd".into(), "max".into()).unwrap();
            let options = Options::parse(Some("{}")).unwrap();
            match token(&answer, &crate::clock::System) {
                Ok(token) => {
                    prop_assert!(fault(token.value.expose()).is_none());
                    prop_assert!(token.expires_at.is_none_or(|end| end > token.obtained_at));
                }
                Err(error) => prop_assert_eq!(error.status, Status::UnexpectedResponse),
            }
            for refusal in [login_refused(&answer, &credentials, &options), refused(&answer, &[], &options)] {
                let message = refusal.error.message;
                prop_assert!(message.chars().count() < 600 && !message.contains(char::is_control), "{}", message);
                prop_assert!(refusal.error.retry_after <= Duration::from_secs(3600));
            }
            lets_in(&answer);
        }

        #[test]
        fn each_status_has_a_meaning(number in 100_u16..1000, json: bool, limit: bool) {
            let status = meaning(number, json, limit);
            prop_assert_eq!(status == Status::Throttled, number == 429);
            prop_assert_eq!(status == Status::OutcomeUnknown, number == 504);
            prop_assert_eq!(status == Status::Server, (500..600).contains(&number) && number != 504);
            // A page of something in between says nothing about a password.
            prop_assert!(json || !matches!(status, Status::Credentials | Status::TokenLimit));
            prop_assert!(limit || status != Status::TokenLimit);
            if status == Status::Credentials {
                prop_assert!(matches!(number, 400 | 401 | 403 | 404));
            }
        }

        #[test]
        fn a_wait_is_between_a_second_and_an_hour(text in "[ 0-9a-zA-Z:,+-]{0,40}", number: u64) {
            for text in [text, number.to_string()] {
                if let Some(wait) = retry_after(&text, &answered(429, b"")) {
                    prop_assert!((1..=3600).contains(&wait.as_secs()));
                }
            }
        }

        #[test]
        fn an_expiry_survives_its_writing(milliseconds in 0_i64..4_000_000_000_000) {
            let moment = Timestamp::from_millisecond(milliseconds).unwrap();
            prop_assert_eq!(expiry(&moment.to_string()), Some(moment));
        }
    }
}
