//! Every course of events up to some length, from every state that it leads to.

use std::collections::HashSet;

use super::*;

/// Every course of so many events, whatever came before. What holds for each step:
#[test]
fn no_course_of_events_breaks_a_rule() {
    let start = Course::new();
    let mut seen = HashSet::new();
    let mut open = vec![(start.record, 0_i64, 0_u32, Vec::<String>::new())];
    for _ in 0..9 {
        let mut next = Vec::new();
        for (record, at, made, story) in open {
            for (what, event, need, pass) in alphabet(&record, at, made) {
                let at = at + pass;
                let (after, action) = record.step(event, &need, &rules(), &now(at));
                let story = [story.as_slice(), &[format!("{what} at {at}: {action:?}")]].concat();
                holds(&record, &after, &action, at, &story);
                let made = made + u32::from(what == "gives");
                if seen.insert(format!("{after:?} {}", at / 10)) {
                    next.push((after, at, made, story));
                }
            }
        }
        open = next;
    }
    assert!(seen.len() > 10_000, "{}", seen.len());
}

/// What may happen next.
fn alphabet(record: &Record, at: i64, made: u32) -> Vec<(&'static str, Event, Need, i64)> {
    let need = Need::default();
    if matches!(record.attempt, Attempt::Sent(_)) {
        return vec![
            ("gives", gives(&format!("t{made}"), Some(100), at), need.clone(), 0),
            ("loses", lost(), need.clone(), 0),
            ("refuses", refused(Kind::Credentials), need.clone(), 0),
            ("dies", Event::Locked, need, 1),
        ];
    }
    let mut events = vec![
        ("asks", Event::Locked, need.clone(), 0),
        ("asks later", Event::Locked, need.clone(), 61),
        ("asks much later", Event::Locked, need.clone(), 700),
    ];
    if matches!(record.attempt, Attempt::Lost(_)) {
        let no = Event::Probed(Err(failure(Kind::Unavailable, Status::Server)));
        events.push(("probe fails", no, need.clone(), 61));
    }
    if let Some(token) = &record.token {
        let reported = Need { rejected: Some((token.fingerprint(), now(at).wall)), ..Need::default() };
        events.push(("dead", Event::Checked(now(at).wall, Verdict::Dead), reported.clone(), 0));
        events.push(("stands", Event::Checked(now(at).wall, Verdict::Stands), reported, 0));
        events.push(("given back", Event::GivenBack(token.fingerprint()), need.clone(), 0));
        events.push(("renews", Event::Locked, Need { renewing: true, ..need }, 0));
    }
    events
}

fn holds(before: &Record, after: &Record, action: &Action, at: i64, story: &[String]) {
    let wall = now(at).wall;
    match action {
        Action::Use(token, origin) => {
            assert!(token.usable(now(at).moment) && !after.dead.has(&token.fingerprint()), "{story:#?}");
            if let (Attempt::Sent(sent), Origin::Login(_)) = (&before.attempt, origin) {
                assert_eq!(after.latest.and_then(|latest| latest.login), Some(sent.login()), "{story:#?}");
            }
        }
        Action::Send(reason) => {
            let Attempt::Sent(sent) = &after.attempt else { panic!("{story:#?}") };
            assert_eq!((sent.at, sent.reason), (wall, *reason), "{story:#?}");
            assert!(after.budget.drawn().contains(&wall), "{story:#?}");
            assert!(sent.free || before.budget.wait(wall, 10).is_zero(), "{story:#?}");
            assert!(before.held_off(None, wall).is_none() || before.attempt.hold_off().is_none(), "{story:#?}");
            assert!(!sent.free || !before.renewal_lost, "{story:#?}");
        }
        Action::Probe => assert!(matches!(after.attempt, Attempt::Lost(_)), "{story:#?}"),
        Action::Fail(error) => {
            assert!(!error.retry_after.is_zero() && error.retry_after <= Duration::from_secs(86_400), "{story:#?}");
        }
        Action::Lock => panic!("the lock is had: {story:#?}"),
        Action::Check(_) | Action::Done => {}
    }
    let dead = before.dead.fingerprints().iter();
    assert!(before.dead.fingerprints().len() >= 8 || dead.clone().all(|dead| after.dead.has(dead)), "{story:#?}");
    // A draw is given back by a refusal, or by the success of a free renewal, and by nothing else.
    let given_back = after.budget.drawn().len() < before.budget.drawn().len();
    let sent = matches!(before.attempt, Attempt::Sent(_));
    let settled = before.budget.drawn().iter().any(|then| wall.duration_since(*then) >= SignedDuration::from_hours(24));
    assert!(!given_back || settled || sent && !matches!(after.attempt, Attempt::Lost(_)), "{story:#?}");
}
