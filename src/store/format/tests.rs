//! What is kept is read again, by this version and by its neighbours.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::error::{Error, Status};
use crate::record::{Check, Login, Reason, Sent};

/// In whole milliseconds, as times are kept.
fn now() -> Now {
    let wall = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
    Now { moment: Moment::at(Duration::from_secs(5_000)), wall, boot: Some("a boot".to_owned()) }
}

fn hold_off(now: &Now) -> HoldOff {
    let error = Error::new(Status::Server, "a fault").answered(502);
    HoldOff::after(Kind::Unavailable, error, 3, 700_000, None, now.wall)
}

fn record(now: &Now, attempt: Attempt) -> Record {
    let expiry = now.wall.saturating_add(SignedDuration::from_hours(10)).ok();
    let token = Token::new(Secret::new("a\\b\"c".into()), now.wall, expiry, SignedDuration::from_secs(3), None, now);
    let mut budget = Budget::default();
    budget.draw(now.wall);
    budget.renewed(now.wall);
    Record {
        token: Some(Arc::new(token)),
        latest: Some(Latest {
            number: 7,
            obtained_at: now.wall,
            login: Some(Login { by: 77, reason: Reason::Expired }),
        }),
        dead: Dead::new(vec!["0123456789ab".to_owned(), "ba9876543210".to_owned()], true),
        replaced_at: Some(now.wall),
        budget,
        attempt,
        failures: Some(Failures { kind: Kind::Throttled, in_a_row: 2 }),
        renewal_lost: true,
        check: Some(Check {
            token: "0123456789ab".to_owned(),
            at: now.wall,
            undecided: Some(Error::new(Status::Network, "no")),
        }),
    }
}

fn attempts(now: &Now) -> Vec<Attempt> {
    let proxy = HoldOff { proxy: Some("abc".to_owned()), kind: Kind::Proxy, ..hold_off(now) };
    vec![
        Attempt::None,
        Attempt::Sent(Sent { at: now.wall, by: 77, reason: Reason::Renewal, free: true }),
        Attempt::Lost(Lost { at: now.wall, hold_off: None }),
        Attempt::Lost(Lost { at: now.wall, hold_off: Some(hold_off(now)) }),
        Attempt::Refused(proxy),
    ]
}

#[test]
fn what_is_kept_is_read_again() {
    let now = now();
    for attempt in attempts(&now) {
        let record = record(&now, attempt);
        for ahead in [SignedDuration::ZERO, SignedDuration::from_hours(-3)] {
            let read = decode(&encode(&record, ahead, &now), Some(ahead), &now);
            assert_eq!(read.as_ref(), Some(&record), "{ahead}");
        }
    }
    let empty = Record::default();
    assert_eq!(decode(&encode(&empty, SignedDuration::ZERO, &now), None, &now), Some(empty));
}

/// As version 0.1.0 wrote it.
fn of_0_1_0(now: &Now) -> Value {
    json!({
        "token": "a token",
        "replaced": true,
        "gone": "0123456789ab",
        "hold_off": {"status": 8, "http_status": 502, "message": "a fault", "for_ms": 4000,
                     "until_ms": now.wall.as_millisecond() + 4000},
        "failures": 3,
        "unsure": false,
        "lost": false,
        "budget": [now.wall.as_millisecond() - 1000, now.wall.as_millisecond()],
        "life": {"obtained_at": now.wall.to_string(), "expires_at": null, "clock_ahead_ms": 0, "boot": "a boot",
                 "ends_ms": null},
    })
}

#[test]
fn an_entry_of_0_1_0_is_read() {
    let now = now();
    let mut kept = of_0_1_0(&now);
    kept["token"] = json!("abc");
    let read = |kept: &Value| decode(kept.to_string().as_bytes(), None, &now).unwrap();
    let record = read(&kept);
    assert_eq!(record.token.as_ref().map(|token| token.value.expose()), Some("abc"));
    assert_eq!((record.dead.fingerprints().len(), record.budget.drawn().len()), (1, 2));
    assert_eq!((record.replaced_at, record.failures.map(|it| it.in_a_row)), (Some(now.wall), Some(3)));
    assert!(matches!(&record.attempt, Attempt::Refused(hold_off) if hold_off.kind == Kind::Unavailable));
    kept["unsure"] = json!(true);
    assert!(matches!(read(&kept).attempt, Attempt::Lost(_)), "a probe goes first");
}

#[test]
fn version_0_1_0_finds_what_it_needs() {
    let now = now();
    let kept = |attempt| -> Value {
        let text = encode(&record(&now, attempt), SignedDuration::ZERO, &now);
        serde_json::from_slice(&text).unwrap()
    };
    for attempt in attempts(&now) {
        let unsure = matches!(attempt, Attempt::Sent(_) | Attempt::Lost(_));
        let kept = kept(attempt);
        assert_eq!((&kept["token"], &kept["gone"]), (&json!("a\\b\"c"), &json!("ba9876543210")));
        assert_eq!((kept["unsure"].as_bool(), kept["failures"].as_u64()), (Some(unsure), Some(2)));
        assert!(kept["budget"].is_array() && kept["life"]["obtained_at"].is_string());
        if !kept["hold_off"].is_null() {
            assert!(kept["hold_off"]["until_ms"].is_i64() && kept["hold_off"]["status"].is_u64());
        }
    }
}

#[test]
fn an_entry_that_does_not_tell_of_the_login_is_read() {
    let now = now();
    let text = encode(&record(&now, Attempt::None), SignedDuration::ZERO, &now);
    let read = |change: &dyn Fn(&mut Value)| {
        let mut kept: Value = serde_json::from_slice(&text).unwrap();
        change(&mut kept);
        decode(kept.to_string().as_bytes(), None, &now).unwrap().latest.unwrap()
    };
    let without = Latest { number: 7, obtained_at: now.wall, login: None };
    assert_eq!(read(&|kept| drop(kept.as_object_mut().unwrap().remove("latest_login"))), without);
    assert_eq!(read(&|kept| kept["latest_login"]["reason"] = json!("of a later version")), without);
    assert_eq!(read(&|_| ()).login, Some(Login { by: 77, reason: Reason::Expired }));
}

#[test]
fn an_entry_of_a_later_version_is_a_hit() {
    let now = now();
    let text = encode(&record(&now, Attempt::None), SignedDuration::ZERO, &now);
    let mut kept: Value = serde_json::from_slice(&text).unwrap();
    kept["something"] = json!({"new": [1, 2, 3]});
    kept["life"]["something"] = json!("new");
    let read = decode(kept.to_string().as_bytes(), None, &now).unwrap();
    assert!(read.token.is_some_and(|token| token.value.expose() == "a\\b\"c"));
}

#[test]
fn after_a_restart_of_the_machine_the_date_counts() {
    let mut now = now();
    let text = encode(&record(&now, Attempt::None), SignedDuration::ZERO, &now);
    let left = |now: &Now| {
        let token = decode(&text, None, now).and_then(|record| record.token);
        token.and_then(|token| token.expires).map(|expiry| expiry.left(now.moment).as_secs())
    };
    // The date was set wrong; then the machine was started anew.
    now.wall += SignedDuration::from_hours(4);
    let right = left(&now);
    now.boot = Some("another".to_owned());
    let wrong = left(&now);
    assert!(right > Some(9 * 3600) && wrong < Some(6 * 3600 + 10), "{right:?} {wrong:?}");
}

#[test]
fn a_date_that_is_set_moves_all_times_with_it() {
    let before = now();
    for attempt in attempts(&before) {
        let record = record(&before, attempt);
        let text = encode(&record, SignedDuration::ZERO, &before);
        for hours in [-5, 5] {
            let after = Now { wall: before.wall + SignedDuration::from_hours(hours), ..before.clone() };
            let read = decode(&text, None, &after).unwrap();
            assert_eq!(read, record.shifted(SignedDuration::from_hours(hours)));
            assert_eq!(read.budget.wait(after.wall, 10), record.budget.wait(before.wall, 10));
            // Another start of the machine: nobody knows how the date was set.
            let later = Now { boot: Some("another".to_owned()), ..after };
            assert_eq!(decode(&text, None, &later).unwrap().replaced_at, record.replaced_at);
        }
    }
}

proptest! {
    #[test]
    fn whatever_was_kept_is_read_or_not(
        junk in prop::collection::vec(any::<u8>(), 0..300),
        (place, byte) in (any::<prop::sample::Index>(), any::<u8>()),
        numbers in prop::collection::vec(any::<i64>(), 6),
    ) {
        let now = now();
        let _ = decode(&junk, None, &now);
        let lost = Attempt::Lost(Lost { at: now.wall, hold_off: Some(hold_off(&now)) });
        let text = encode(&record(&now, lost), SignedDuration::ZERO, &now);
        let mut spoilt = text.to_vec();
        spoilt[place.index(text.len())] = byte;
        let mut kept: Value = serde_json::from_slice(&text).unwrap();
        kept["life"]["clock_ahead_ms"] = json!(numbers[0]);
        kept["life"]["ends_ms"] = json!(numbers[1] as u64);
        kept["hold_off"]["until_ms"] = json!(numbers[2]);
        kept["hold_off"]["for_ms"] = json!(numbers[3] as u64);
        kept["lost_at_ms"] = json!(numbers[4]);
        kept["clocks"]["started_ms"] = json!(numbers[5]);
        for text in [spoilt, kept.to_string().into_bytes()] {
            let Some(record) = decode(&text, None, &now) else { continue };
            // Whatever it is, it can be used.
            if let Some(token) = &record.token {
                prop_assert!(fault(token.value.expose()).is_none());
                let _ = (token.usable(now.moment), token.due(now.moment, None, 0.5), token.made_at());
            }
            let _ = record.attempt.hold_off().map(|it| it.error(None, now.wall).map(|error| error.to_string()));
            let _ = record.budget.wait(now.wall, 10);
            let _ = record.merged(&Record::default());
        }
    }
}
