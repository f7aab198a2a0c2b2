//! Dates and waits as the server writes them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

use super::http::Reply;

/// `expiry`: ISO 8601 with a time; without offset it is taken as UTC. Anything else: not known.
pub fn expiry(text: &str) -> Option<Timestamp> {
    // A date alone is not an expiry: some formats leave out the time.
    if !text.contains(['T', 't', ' ']) {
        return None;
    }
    text.parse().ok().or_else(|| TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
}

/// The form of dates in HTTP headers.
pub fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

/// The wait that `Retry-After` states, in seconds or as a date, from 1 s to 1 h. `None`: there is none, or it is neither.
///
/// A date is compared with the server's own `Date`; `wall` is taken where there is none.
pub fn retry_after(reply: &Reply, wall: Timestamp) -> Option<Duration> {
    let text = reply.retry_after.as_deref()?.trim();
    let seconds = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().unwrap_or(u64::MAX)
    } else {
        let now = reply.date.as_deref().and_then(http_date).unwrap_or(wall);
        u64::try_from(http_date(text)?.duration_since(now).as_secs()).unwrap_or(0)
    };
    Some(Duration::from_secs(seconds.clamp(1, 3600)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wait(retry_after_text: &str, date: Option<&str>) -> Option<u64> {
        let text = |text: &str| Some(text.to_owned());
        let reply = Reply { retry_after: text(retry_after_text), date: date.and_then(text), ..Reply::with(429, b"") };
        retry_after(&reply, Timestamp::UNIX_EPOCH).map(|wait| wait.as_secs())
    }

    #[test]
    fn waits_are_seconds_or_dates_within_bounds() {
        let date = Some("Wed, 21 Oct 2026 07:28:00 GMT");
        for (text, date, seconds) in [
            ("7", None, Some(7)),
            (" 60 ", None, Some(60)),
            ("0", None, Some(1)),
            ("99999999999999999999999999", None, Some(3600)),
            ("Wed, 21 Oct 2026 07:29:00 GMT", date, Some(60)),
            ("Wed, 21 Oct 2026 07:27:00 GMT", date, Some(1)),
            ("Thu, 01 Jan 1970 00:02:00 GMT", None, Some(120)),
            ("-5", None, None),
            ("soon", date, None),
            ("", None, None),
        ] {
            assert_eq!(wait(text, date), seconds, "{text:?}");
        }
    }

    #[test]
    fn an_expiry_is_a_moment_or_not_known() {
        let moment: Timestamp = "2026-11-25T11:49:11Z".parse().unwrap();
        for text in ["2026-11-25T11:49:11Z", "2026-11-25T17:19:11+05:30", "2026-11-25T11:49:11", "2026-11-25 11:49:11"]
        {
            assert_eq!(expiry(text), Some(moment), "{text}");
        }
        for text in ["", "2026-11-25", "25/11/2026 11:49", "Wednesday at 11 AM", "1764071351"] {
            assert_eq!(expiry(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_wait_is_between_a_second_and_an_hour(text in "[ 0-9a-zA-Z:,+-]{0,40}", number: u64) {
            for text in [text, number.to_string()] {
                if let Some(seconds) = wait(&text, None) {
                    prop_assert!((1..=3600).contains(&seconds));
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
