//! Whatever comes, a token or a clean failure comes of it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::tests::{credentials, given_token};
use super::*;
use crate::process::clock::{Clock, System};

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
        (0..=9999_i32, 0..=14_u8, 0..=40_u8, -30..=30_i8)
            .prop_map(|(y, m, d, offset)| Value::from(format!("{y:04}-{m:02}-{d:02}T23:59:60.9999999{offset:+03}:00"))),
    ];
    let field = (prop::sample::select(vec!["token", "expiry", "detail", "error", "user", "results"]), value);
    let object = prop::collection::vec(field, 0..4).prop_map(|fields| {
        let object: serde_json::Map<_, _> = fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
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
        let (credentials, given, now) = (credentials(), given_token(), System.read());
        let base_url = "https://a.example";
        let context = Context { base_url, credentials: &credentials, token: Some(&given), wall: now.wall };
        let reply = || Ok(Reply {
            status,
            date: date.clone(),
            retry_after: retry_after.clone(),
            location: location.clone(),
            body: Zeroizing::new(body.clone()),
            too_large,
        });
        let mut errors = Vec::new();
        match login(reply(), &context, &now) {
            Answer::Token(token) => {
                prop_assert!(fault(token.value.expose()).is_none() && matches!(status, 200 | 201) && !too_large);
                prop_assert!(token.expires_at.is_none_or(|end| end > token.obtained_at));
            }
            Answer::Refused(refusal) => errors.push(refusal.error),
            Answer::Lost(error) => errors.push(error),
        }
        errors.extend(probe(reply(), &context).err().map(|refusal| refusal.error));
        errors.extend(match check(reply(), &context) {
            Checked::Undecided(error) => Some(error),
            _ => None,
        });
        errors.extend(logout(reply(), &context).err());
        for error in errors {
            prop_assert!(error.message.chars().count() < 600 && !error.message.contains(char::is_control), "{}", error);
            prop_assert!(error.retry_after <= Duration::from_secs(3600));
        }
    }
}
