//! The server's requests and what their answers mean.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::Value;
use ureq::http::Method;
use zeroize::Zeroizing;

use crate::clock::Moment;
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::http::{self, Answer, Failure, FailureKind};
use crate::options::Options;
use crate::secret::Secret;
use crate::token::{self, Token};

/// The most of the server's own text that a message carries.
const LONGEST_QUOTE: usize = 200;

/// Asks for a token. At most one request is sent.
pub fn login(credentials: &Credentials, options: &Options, timeout: Duration) -> Result<Token, Error> {
    let body = form(credentials)?;
    let answer = http::send(options, Method::POST, "/api/auth/login/", None, &body, timeout)
        .map_err(|failure| unanswered(&failure, options, "login"))?;
    let now = Moment::now();
    if answer.status == 200 || answer.status == 201 {
        made(&answer, now)
    } else {
        Err(refused(&answer, &[&credentials.password, &credentials.username], options))
    }
}

/// The login's body, written without a copy of the password beside it.
fn form(credentials: &Credentials) -> Result<Zeroizing<Vec<u8>>, Error> {
    let fields = BTreeMap::from([
        ("username", credentials.username.expose()),
        ("password", credentials.password.expose()),
        ("organization_id", credentials.organization_id.as_str()),
    ]);
    // A character takes up to six bytes in JSON: with room for all, the text never moves.
    let room = fields.iter().map(|(key, value)| key.len() + 6 * value.len() + 6).sum::<usize>() + 2;
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    serde_json::to_writer(&mut *body, &fields)
        .map_err(|_| Error::new(Status::Internal, "the login could not be written as JSON; please report this"))?;
    Ok(body)
}

/// Revokes a token; a token that was gone already is a success.
pub fn logout(token: &Token, options: &Options, timeout: Duration) -> Result<(), Error> {
    let authorization = Zeroizing::new(format!("Token {}", token.value.expose()));
    let answer = http::send(options, Method::POST, "/api/auth/logout/", Some(&authorization), &[], timeout)
        .map_err(|failure| unanswered(&failure, options, "logout"))?;
    match answer.status {
        200..=204 | 401 => Ok(()),
        _ => Err(refused(&answer, &[&token.value], options)),
    }
}

/// The token in a successful answer.
fn made(answer: &Answer, now: Moment) -> Result<Token, Error> {
    let unexpected = |what: &str| {
        Error::new(Status::UnexpectedResponse, format!("the server's answer to the login {what}; check base_url"))
            .answered(answer.status)
    };
    let mut body = json_of(&answer.body).ok_or_else(|| unexpected("is not JSON"))?;
    // Moved out, not copied: no second copy stays in freed memory.
    let value = match body.get_mut("token").map(Value::take) {
        Some(Value::String(value)) => Secret::new(value),
        Some(_) => return Err(unexpected("has a token that is no string")),
        None => return Err(unexpected("has no token")),
    };
    if let Some(fault) = token::fault(value.expose()) {
        return Err(unexpected(&format!("has a token that {fault}")));
    }
    let wall = Timestamp::now();
    let server_time = answer.date.as_deref().and_then(http_date).unwrap_or(wall);
    let expires_at = body.get("expiry").and_then(Value::as_str).and_then(expiry);
    Ok(Token::new(value, server_time, expires_at, server_time.duration_since(wall), wall, now))
}

/// What an answer that is no success means.
fn refused(answer: &Answer, secrets: &[&Secret], options: &Options) -> Error {
    let body = json_of(&answer.body);
    let said = body.as_ref().map(|body| quote(body, secrets)).filter(|said| !said.is_empty());
    let said = said.map_or(String::new(), |said| format!(": {said}"));
    let lower = said.to_lowercase();
    let limit = ["max", "limit", "exceed"].iter().any(|word| lower.contains(word));
    let (status, message) = match answer.status {
        300..=399 => {
            let target = answer.location.as_deref().and_then(|location| location.parse::<ureq::http::Uri>().ok());
            let host = target.as_ref().and_then(|uri| uri.host()).unwrap_or("another place").to_owned();
            (
                Status::UnexpectedResponse,
                format!("the server redirects to {host}, which is not followed; check base_url {}", options.base_url),
            )
        }
        429 => (Status::Throttled, format!("the server asks to wait{said}")),
        400 | 403 | 409 if body.is_some() && limit => (
            Status::TokenLimit,
            format!("the organization holds as many tokens as it may; log out where one is no longer needed{said}"),
        ),
        400 | 401 | 403 | 404 if body.is_some() => {
            (Status::Credentials, format!("the server refuses user name, password or organization_id{said}"))
        }
        504 => (
            Status::OutcomeUnknown,
            "a gateway gave up on the login (504): a token may have been made all the same".to_owned(),
        ),
        500..=599 => (Status::Server, format!("the server has a fault of its own ({}){said}", answer.status)),
        other => (
            Status::UnexpectedResponse,
            format!("the server answered {other}, which is no answer to a login; check base_url{said}"),
        ),
    };
    let error = Error::new(status, message).answered(answer.status);
    match (status, answer.status) {
        (Status::Throttled, _) | (_, 503) => {
            match answer.retry_after.as_deref().and_then(|text| retry_after(text, answer)) {
                Some(wait) => error.silent_for(wait),
                None => error,
            }
        }
        _ => error,
    }
}

/// What it means that there was no answer to `what`.
fn unanswered(failure: &Failure, options: &Options, what: &str) -> Error {
    let base = &options.base_url;
    match failure.kind {
        FailureKind::Tls => Error::new(
            Status::Tls,
            format!("no trusted connection to {base}: {}; check the certificate or set ca_file", failure.reason),
        ),
        FailureKind::Malformed => Error::new(
            Status::UnexpectedResponse,
            format!("{base} did not answer the {what} as promised: {}", failure.reason),
        ),
        FailureKind::Network | FailureKind::Timeout if failure.sent && what == "login" => Error::new(
            Status::OutcomeUnknown,
            format!(
                "the login was sent to {base}, but its answer was lost ({}): a token may have been made",
                failure.reason
            ),
        ),
        FailureKind::Network => Error::new(Status::Network, format!("{base} cannot be reached: {}", failure.reason)),
        FailureKind::Timeout => Error::new(Status::Timeout, format!("{base} cannot be reached: {}", failure.reason)),
    }
}

/// The JSON object in a body, which may begin with a byte order mark.
fn json_of(body: &[u8]) -> Option<Value> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).ok().filter(Value::is_object)
}

/// The server's text for people: its first sentences, without secrets and control characters.
fn quote(body: &Value, secrets: &[&Secret]) -> String {
    fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    texts(body, &mut found);
    let clean = secrets.iter().fold(found.join(" "), |text, secret| text.replace(secret.expose(), "[redacted]"));
    clean.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_QUOTE).collect()
}

/// `expiry`: ISO 8601; without offset it is taken as UTC. Unreadable: not known.
fn expiry(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| jiff::tz::TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
}

/// The form of dates in HTTP headers.
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// `Retry-After`: seconds or a date, from 1 s to 1 h; 60 s where it is neither.
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
