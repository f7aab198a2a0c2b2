//! The tables against the rules said in another way: every status with every kind of body.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::credentials::Credentials;
use crate::process::clock::{Clock, System};

/// What an answer came to, without its words.
#[derive(Debug, PartialEq, Eq)]
enum Class {
    Token,
    Refused(Status, Kind, Again),
    Lost(Status),
}

/// The kinds of body that answers come with.
const BODIES: [(Says, &str); 16] = [
    (Says::Page, "<!doctype html><html><body>Sorry</body></html>"),
    (Says::Page, ""),
    (Says::Page, r#"{"token": "1e14"#),
    (Says::Page, r#""Invalid token.""#),
    (Says::Page, "[]"),
    (Says::TooLarge, r#"{"token": "1e14238b"}"#),
    (Says::Token, r#"{"expiry": null, "token": "1e14238b"}"#),
    (Says::Limit, r#"{"error": "Maximum amount of tokens allowed per user exceeded."}"#),
    (Says::Limit, r#"{"non_field_errors": ["An organization can have at most (max) 20 tokens."]}"#),
    (Says::ErrorAlone, r#"{"error": "Nombre maximal de jetons dépassé."}"#),
    (Says::Rate, r#"{"detail": "API rate limit exceeded"}"#),
    (Says::InvalidToken, r#"{"detail": "Invalid token."}"#),
    (Says::NotArrived, r#"{"detail": "Authentication credentials were not provided."}"#),
    (Says::NoPermission, r#"{"detail": "You do not have permission to perform this action."}"#),
    (Says::Array, r#"["Unable to log in with provided credentials."]"#),
    (Says::Results, r#"{"count": 0, "results": []}"#),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Page,
    TooLarge,
    Token,
    Limit,
    ErrorAlone,
    Rate,
    InvalidToken,
    NotArrived,
    NoPermission,
    Array,
    Results,
}

pub fn credentials() -> Credentials {
    Credentials::new("hari@example.com".into(), "p\"ss wörd".into(), "max".into()).unwrap()
}

pub fn given_token() -> Token {
    Token::new(Secret::new("0123456789".into()), System.wall(), None, SignedDuration::ZERO, None, &System.read())
}

/// Calls `look` with each answer: all statuses, all bodies, errors with and without a stated wait of 7 s.
fn each_answer(look: impl Fn(u16, Says, bool, &dyn Fn() -> Reply)) {
    for status in 100..=999 {
        for (says, body) in BODIES {
            // What is too large was cut.
            let body = if says == Says::TooLarge { "{\"a\": \"" } else { body };
            // Elsewhere a stated wait is not looked at.
            for wait in if (400..600).contains(&status) { vec![false, true] } else { vec![false] } {
                look(status, says, wait, &|| Reply {
                    retry_after: wait.then(|| "7".to_owned()),
                    too_large: says == Says::TooLarge,
                    ..Reply::with(status, body.as_bytes())
                });
            }
        }
    }
}

fn is_clean(error: &Error, status: u16, wait: Option<u64>) {
    let message = error.to_string();
    assert!(message.len() < 400 && !message.contains(char::is_control) && !message.contains("hari@"), "{message}");
    assert_eq!(error.http_status, Some(status));
    assert_eq!(error.retry_after, Duration::from_secs(wait.unwrap_or(0)), "{status}: {message}");
}

/// The rules for a login, said in another way than the table.
fn login_rule(status: u16, says: Says, wait: bool) -> Class {
    let refused = |status, kind| Class::Refused(status, kind, Again::No);
    let json = !matches!(says, Says::Page | Says::TooLarge);
    if (status == 200 || status == 201) && says == Says::Token {
        return Class::Token;
    }
    if status == 429 || [400, 403].contains(&status) && says == Says::Rate {
        return refused(Status::Throttled, Kind::Throttled);
    }
    if [400, 403, 409].contains(&status) && says == Says::Limit || status == 403 && says == Says::ErrorAlone {
        return refused(Status::TokenLimit, Kind::TokenLimit);
    }
    if json && [400, 401, 403, 404].contains(&status) {
        return refused(Status::Credentials, Kind::Credentials);
    }
    match status / 100 {
        3 | 4 => refused(Status::UnexpectedResponse, Kind::Unavailable),
        5 if status == 503 && wait => {
            Class::Refused(Status::Server, Kind::Unavailable, Again::After(Duration::from_secs(7)))
        }
        5 if status == 504 => Class::Lost(Status::OutcomeUnknown),
        5 => Class::Lost(Status::Server),
        _ => Class::Lost(Status::UnexpectedResponse),
    }
}

#[test]
fn each_answer_to_a_login_has_its_class_and_status() {
    let (credentials, now) = (credentials(), System.read());
    let context = Context { base_url: "https://a.example", credentials: &credentials, token: None, wall: now.wall };
    each_answer(|status, says, wait, reply| {
        let class = match login(Ok(reply()), &context, &now) {
            Answer::Token(token) => {
                assert_eq!((token.value.expose(), token.expires_at), ("1e14238b", None));
                Class::Token
            }
            Answer::Refused(Refusal { error, kind, again }) => {
                let stated = error.status == Status::Throttled || status == 503;
                is_clean(&error, status, (wait && stated).then_some(7));
                Class::Refused(error.status, kind, again)
            }
            Answer::Lost(error) => {
                is_clean(&error, status, None);
                Class::Lost(error.status)
            }
        };
        assert_eq!(class, login_rule(status, says, wait), "{status} {says:?} wait: {wait}");
    });
}

/// Requests that make nothing.
fn harmless_rule(status: u16) -> Status {
    if status == 429 {
        Status::Throttled
    } else if status / 100 == 5 {
        Status::Server
    } else {
        Status::UnexpectedResponse
    }
}

fn is_object(says: Says) -> bool {
    !matches!(says, Says::Page | Says::TooLarge | Says::Array)
}

#[test]
fn each_answer_to_a_probe_is_the_apis_own_or_not() {
    let credentials = credentials();
    let context =
        Context { base_url: "https://a.example", credentials: &credentials, token: None, wall: System.wall() };
    each_answer(|status, says, wait, reply| {
        let own = [401, 403].contains(&status) && is_object(says) || status == 200 && says == Says::Results;
        match probe(Ok(reply()), &context) {
            Ok(()) => assert!(own, "{status} {says:?}"),
            Err(Refusal { error, kind, again }) => {
                assert!(!own, "{status} {says:?}");
                is_clean(&error, status, (wait && [429, 503].contains(&status)).then_some(7));
                let wanted = if status == 429 { Kind::Throttled } else { Kind::Unavailable };
                assert_eq!((error.status, kind, again), (harmless_rule(status), wanted, Again::No));
            }
        }
    });
}

#[test]
fn each_answer_to_a_check_lets_a_token_stand_or_not() {
    let (credentials, token) = (credentials(), given_token());
    let context =
        Context { base_url: "https://a.example", credentials: &credentials, token: Some(&token), wall: System.wall() };
    each_answer(|status, says, wait, reply| {
        let checked = check(Ok(reply()), &context);
        let not_about_it = matches!(says, Says::NotArrived | Says::NoPermission);
        let dead = status == 401 && is_object(says) && !not_about_it || status == 403 && says == Says::InvalidToken;
        let stands = [200, 429].contains(&status) || status == 403 && !dead || status == 401 && not_about_it;
        match checked {
            Checked::Stands => assert!(stands, "{status} {says:?}"),
            Checked::Dead => assert!(dead, "{status} {says:?}"),
            Checked::Undecided(error) => {
                assert!(!stands && !dead, "{status} {says:?}");
                is_clean(&error, status, (wait && status == 503).then_some(7));
                assert_eq!(error.status, harmless_rule(status));
            }
        }
    });
}

#[test]
fn each_answer_to_a_logout_says_whether_the_token_is_gone() {
    let (credentials, token) = (credentials(), given_token());
    let context =
        Context { base_url: "https://a.example", credentials: &credentials, token: Some(&token), wall: System.wall() };
    each_answer(|status, says, wait, reply| {
        let denied = [401, 403].contains(&status);
        let gone = (200..=204).contains(&status) || denied && says == Says::InvalidToken;
        match logout(Ok(reply()), &context) {
            Ok(()) => assert!(gone, "{status} {says:?}"),
            Err(error) => {
                assert!(!gone, "{status} {says:?}");
                is_clean(&error, status, (wait && [429, 503].contains(&status)).then_some(7));
                let credentials = denied && is_object(says) && says != Says::NotArrived;
                let wanted = if credentials { Status::Credentials } else { harmless_rule(status) };
                assert_eq!(error.status, wanted, "{status} {says:?}");
                assert_eq!(error.message.contains("CGIPassAuth"), denied && says == Says::NotArrived);
            }
        }
    });
}

#[test]
fn no_answer_means_what_was_sent_and_what_for() {
    use FailureKind::{Malformed, Network, Proxy, Timeout, Tls};
    let (credentials, now, token) = (credentials(), System.read(), given_token());
    let context =
        Context { base_url: "https://a.example", credentials: &credentials, token: Some(&token), wall: now.wall };
    for (failed, harmless, lost, kind, again) in [
        (Network, Status::Network, Status::OutcomeUnknown, Kind::Unavailable, Again::NothingSent),
        (Timeout, Status::Timeout, Status::OutcomeUnknown, Kind::Unavailable, Again::NothingSent),
        (Proxy, Status::Network, Status::OutcomeUnknown, Kind::Proxy, Again::No),
        (Tls, Status::Tls, Status::OutcomeUnknown, Kind::Unavailable, Again::No),
        (Malformed, Status::UnexpectedResponse, Status::UnexpectedResponse, Kind::Unavailable, Again::No),
    ] {
        for sent in [false, true] {
            let failure = || Err(Failure { kind: failed, sent, reason: "why".to_owned() });
            match login(failure(), &context, &now) {
                Answer::Refused(refusal) => {
                    assert!(!sent && refusal.error.message.contains("why"));
                    assert_eq!((refusal.error.status, &refusal.kind, refusal.again), (harmless, &kind, again));
                }
                Answer::Lost(error) => assert!(sent && error.status == lost && error.message.contains("why")),
                Answer::Token(_) => panic!("a token of nothing"),
            }
            let refusal = probe(failure(), &context).unwrap_err();
            assert_eq!((refusal.error.status, &refusal.kind, refusal.again), (harmless, &kind, Again::No));
            assert!(matches!(check(failure(), &context), Checked::Undecided(error) if error.status == harmless));
            assert_eq!(logout(failure(), &context).unwrap_err().status, harmless);
        }
    }
}

#[test]
fn a_token_that_cannot_be_one_is_a_lost_answer() {
    let (credentials, now) = (credentials(), System.read());
    let context = Context { base_url: "https://a.example", credentials: &credentials, token: None, wall: now.wall };
    for token in [json!(null), json!(5), json!([]), json!({}), json!(""), json!("null"), json!("a b"), json!("é")] {
        let body = json!({ "token": token }).to_string();
        let answer = login(Ok(Reply::with(200, body.as_bytes())), &context, &now);
        assert!(matches!(answer, Answer::Lost(error) if error.status == Status::UnexpectedResponse), "{body}");
    }
}

#[test]
fn an_expiry_is_counted_by_the_servers_own_date() {
    let (credentials, now) = (credentials(), System.read());
    let context = Context { base_url: "https://a.example", credentials: &credentials, token: None, wall: now.wall };
    let body = br#"{"expiry":"2026-10-21T17:28:00Z","token":"1e14"}"#;
    let reply = Reply { date: Some("Wed, 21 Oct 2026 07:28:00 GMT".to_owned()), ..Reply::with(200, body) };
    let Answer::Token(token) = login(Ok(reply), &context, &now) else { panic!("no token") };
    let left = token.expires.unwrap().left(now.moment).as_secs();
    assert!((35_990..=36_000).contains(&left), "{left}");
}
