//! The rules, one by one, as steps of a record.

use jiff::SignedDuration;

use super::*;
use crate::error::Status;

mod courses;

const START: i64 = 500_000 * 3600;

fn now(seconds: i64) -> Now {
    Now {
        moment: Moment::at(Duration::from_secs(10_000 + seconds as u64)),
        wall: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(START + seconds),
        boot: None,
    }
}

fn token(name: &str, life: Option<i64>, at: i64) -> Token {
    let (made, now) = (now(at).wall, now(at));
    let expiry = life.map(|life| made + SignedDuration::from_secs(life));
    Token::new(Secret::new(name.to_owned()), made, expiry, SignedDuration::ZERO, None, &now)
}

fn rules() -> Rules {
    Rules { logins_per_day: 10, own_token: None, proxy: None, refresh_ahead: None, spread: 1.0, process: 7 }
}

fn failure(kind: Kind, status: Status) -> Failure {
    Failure { kind, error: Error::new(status, "no"), random: 0 }
}

fn lost() -> Event {
    Event::Answered(Answer::Lost(failure(Kind::Unavailable, Status::OutcomeUnknown)))
}

fn refused(kind: Kind) -> Event {
    Event::Answered(Answer::Refused(failure(kind, Status::Credentials)))
}

fn gives(name: &str, life: Option<i64>, at: i64) -> Event {
    Event::Answered(Answer::Token(token(name, life, at)))
}

/// A record, by the steps that lead to it. It is asked for nothing special.
struct Course {
    record: Record,
    need: Need,
    rules: Rules,
    at: i64,
}

impl Course {
    fn new() -> Self {
        Self { record: Record::default(), need: Need::default(), rules: rules(), at: 0 }
    }

    fn step(&mut self, event: Event) -> Action {
        let (record, action) = self.record.step(event, &self.need, &self.rules, &now(self.at));
        self.record = record;
        action
    }

    /// A login, from the lock to its end.
    fn log_in(&mut self, event: Event) -> Action {
        let action = self.step(Event::Locked);
        let action = if action == Action::Probe { self.step(Event::Probed(Ok(()))) } else { action };
        assert!(matches!(action, Action::Send(_)), "{action:?}");
        self.step(event)
    }

    fn reported(&mut self, name: &str) {
        self.need.rejected = Some((token(name, None, 0).fingerprint(), now(self.at).wall));
    }

    fn left(&self) -> u32 {
        self.record.budget.left(now(self.at).wall, self.rules.logins_per_day)
    }
}

fn status(action: &Action) -> Option<(Status, u64)> {
    match action {
        Action::Fail(error) => Some((error.status, error.retry_after.as_secs())),
        _ => None,
    }
}

fn used(action: &Action) -> Option<(&str, Origin)> {
    match action {
        Action::Use(token, origin) => Some((token.value.expose(), *origin)),
        _ => None,
    }
}

#[test]
fn a_login_is_written_down_and_drawn_before_it_is_sent() {
    let mut course = Course::new();
    assert_eq!(course.step(Event::Looked), Action::Lock);
    assert_eq!(course.step(Event::Locked), Action::Send(Reason::First));
    let Attempt::Sent(sent) = &course.record.attempt else { panic!("{:?}", course.record.attempt) };
    assert_eq!((sent.at, sent.by, sent.reason, sent.free), (now(0).wall, 7, Reason::First, false));
    assert_eq!(course.record.budget.drawn(), [now(0).wall]);
    assert_eq!(used(&course.step(gives("a", None, 0))), Some(("a", Origin::Login(Reason::First))));
    assert_eq!((course.left(), &course.record.attempt), (2, &Attempt::None));
    assert_eq!(used(&course.step(Event::Looked)), Some(("a", Origin::Store)));
}

#[test]
fn who_made_the_latest_token_and_why_is_kept_whatever_comes_after() {
    let mut course = Course::new();
    let latest = |course: &Course| course.record.latest.map(|latest| (latest.number, latest.login));
    let login = |by, reason| Some(Login { by, reason });
    course.log_in(gives("a", Some(100), 0));
    assert_eq!(latest(&course), Some((1, login(7, Reason::First))));
    (course.at, course.rules.process) = (100, 8);
    course.log_in(gives("b", None, 100));
    assert_eq!(latest(&course), Some((2, login(8, Reason::Expired))));
    course.reported("b");
    course.step(Event::Checked(now(100).wall, Verdict::Dead));
    course.step(refused(Kind::Throttled));
    assert_eq!(latest(&course), Some((2, login(8, Reason::Expired))), "a login that gave none");
    course.at = 161;
    course.log_in(gives("c", None, 161));
    assert_eq!(latest(&course), Some((3, login(8, Reason::Rejection))));
}

#[test]
fn a_dead_writer_costs_what_a_lost_answer_costs_and_is_probed_at_once() {
    let mut course = Course::new();
    for left in [2, 1, 0] {
        let action = course.step(Event::Locked);
        let action = if action == Action::Probe { course.step(Event::Probed(Ok(()))) } else { action };
        assert_eq!((action, course.left()), (Action::Send(Reason::First), left));
        // A lookup without the lock cannot know whether the writer lives.
        assert_eq!(course.step(Event::Looked), Action::Lock);
    }
    assert_eq!(status(&course.step(Event::Locked)), Some((Status::LoginBudget, 600)));
    course.at = 600;
    assert_eq!(course.step(Event::Locked), Action::Probe);
    assert_eq!(course.step(Event::Probed(Ok(()))), Action::Send(Reason::First));
    course.step(gives("a", None, 600));
    assert_eq!(used(&course.step(Event::Locked)), Some(("a", Origin::Store)));
}

#[test]
fn a_refusal_costs_nothing_and_holds_off_by_its_kind() {
    for (kind, waits) in [
        (Kind::Credentials, [60, 60, 300, 300]),
        (Kind::Proxy, [60, 60, 300, 300]),
        (Kind::TokenLimit, [300; 4]),
        (Kind::Throttled, [60; 4]),
    ] {
        let mut course = Course::new();
        for wait in waits {
            assert_eq!(status(&course.log_in(refused(kind))), Some((Status::Credentials, wait)), "{kind:?}");
            assert_eq!(course.left(), 3);
            assert_eq!(status(&course.step(Event::Looked)), Some((Status::Credentials, wait)));
            assert_eq!(status(&course.step(Event::Locked)), Some((Status::Credentials, wait)));
            course.at += wait as i64;
            assert_eq!(course.step(Event::Looked), Action::Lock, "it is over");
        }
    }
}

#[test]
fn another_kind_begins_to_count_anew() {
    let mut course = Course::new();
    for kind in [Kind::Unavailable, Kind::Unavailable, Kind::Credentials] {
        course.log_in(refused(kind));
        course.at += 61;
    }
    assert_eq!(course.record.failures, Some(Failures { kind: Kind::Credentials, in_a_row: 1 }));
    course.log_in(refused(Kind::Credentials));
    assert_eq!(course.record.failures, Some(Failures { kind: Kind::Credentials, in_a_row: 2 }));
    course.at += 61;
    course.log_in(gives("a", None, course.at));
    assert_eq!(course.record.failures, None);
}

#[test]
fn another_proxy_goes_ahead_at_once() {
    let mut course = Course::new();
    course.rules.proxy = Some("one".into());
    course.log_in(refused(Kind::Proxy));
    assert!(status(&course.step(Event::Looked)).is_some());
    course.rules.proxy = Some("other".into());
    assert_eq!(course.step(Event::Looked), Action::Lock);
}

#[test]
fn a_lost_answer_costs_one_login_and_then_probes() {
    let mut course = Course::new();
    assert_eq!(status(&course.log_in(lost())).map(|it| it.0), Some(Status::OutcomeUnknown));
    assert_eq!(course.left(), 2);
    for _ in 0..20 {
        course.at += 60;
        assert_eq!(course.step(Event::Looked), Action::Lock);
        assert_eq!(course.step(Event::Locked), Action::Probe);
        let failed = course.step(Event::Probed(Err(failure(Kind::Unavailable, Status::Server))));
        assert_eq!(status(&failed).map(|it| it.0), Some(Status::Server));
        assert!(matches!(course.record.attempt, Attempt::Lost(_)));
    }
    assert!(course.record.budget.drawn().len() == 1, "probes cost nothing");
    course.at += 60;
    assert_eq!(used(&course.log_in(gives("a", None, course.at))), Some(("a", Origin::Login(Reason::First))));
}

#[test]
fn a_renewal_at_the_end_of_a_known_life_is_free_once() {
    let mut course = Course::new();
    course.log_in(gives("a", Some(100), 0));
    course.at = 90;
    assert_eq!(used(&course.step(Event::Looked)), Some(("a", Origin::Store)), "it is due, and still valid");
    course.need.renewing = true;
    assert_eq!(course.step(Event::Looked), Action::Lock);
    assert_eq!(used(&course.log_in(gives("b", Some(100), 90))), Some(("b", Origin::Login(Reason::Renewal))));
    assert_eq!(course.left(), 2);
    course.need.renewing = false;
    course.at = 190;
    course.log_in(lost());
    assert!(course.record.renewal_lost && course.left() == 1, "a lost one draws");
    course.at += 60;
    let action = course.step(Event::Locked);
    assert_eq!(action, Action::Probe);
    course.step(Event::Probed(Ok(())));
    let Attempt::Sent(sent) = &course.record.attempt else { panic!() };
    assert!(!sent.free && sent.reason == Reason::Expired && course.left() == 0);
    course.step(gives("c", Some(100), course.at));
    assert!(!course.record.renewal_lost && course.left() == 0);
}

/// By another lock, somebody else may log in meanwhile, whose attempt is the later one.
#[test]
fn a_free_renewal_counts_as_lost_until_its_end_is_known() {
    let mut course = Course::new();
    course.log_in(gives("a", Some(100), 0));
    let mut elsewhere = course.record.clone();
    course.at = 100;
    assert_eq!(course.step(Event::Locked), Action::Send(Reason::Expired));
    elsewhere.attempt = Attempt::Lost(Lost { at: now(101).wall, hold_off: None });
    assert!(course.record.merged(&elsewhere).renewal_lost);
    let mut refused_here = Course { record: course.record.clone(), ..Course::new() };
    refused_here.at = 101;
    refused_here.step(refused(Kind::Throttled));
    assert!(!refused_here.record.renewal_lost, "it made nothing");
}

#[test]
fn a_renewal_whose_writer_died_draws_and_the_next_one_too() {
    let mut course = Course::new();
    course.log_in(gives("a", Some(100), 0));
    course.at = 100;
    course.step(Event::Locked);
    assert_eq!(course.step(Event::Locked), Action::Probe);
    course.step(Event::Probed(Ok(())));
    assert_eq!(course.left(), 0);
    assert_eq!(status(&course.step(Event::Locked)).map(|it| it.0), Some(Status::LoginBudget));
}

#[test]
fn a_renewal_that_is_refused_is_still_free() {
    let mut course = Course::new();
    course.log_in(gives("a", Some(100), 0));
    course.at = 100;
    course.log_in(refused(Kind::Throttled));
    course.at = 160;
    course.log_in(gives("b", Some(100), 160));
    assert_eq!(course.left(), 2);
}

#[test]
fn at_most_ten_renewals_in_ten_minutes_are_free() {
    let mut course = Course::new();
    course.rules.logins_per_day = 1000;
    course.log_in(gives("0", Some(10), 0));
    for number in 1..=12 {
        course.at = number * 11;
        let action = course.log_in(gives(&number.to_string(), Some(10), course.at));
        assert!(used(&action).is_some(), "{number} {action:?}");
    }
    course.at += 11;
    let action = course.step(Event::Locked);
    assert_eq!(status(&action).map(|it| it.0), Some(Status::LoginBudget), "ten free, two of the budget");
}

#[test]
fn a_report_is_answered_by_the_store_first_and_by_one_check_then() {
    let mut course = Course::new();
    course.log_in(gives("a", None, 0));
    course.reported("b");
    assert_eq!(used(&course.step(Event::Looked)), Some(("a", Origin::Store)), "another process has renewed");
    course.at = 10;
    course.reported("a");
    assert!(matches!(course.step(Event::Looked), Action::Check(_)));
    let stands = Event::Checked(now(10).wall, Verdict::Stands);
    assert_eq!(used(&course.step(stands)), Some(("a", Origin::FalseAlarm)));
    course.at = 12;
    for (at, answered) in [(9, true), (10, true), (11, false)] {
        course.need.rejected = Some((token("a", None, 0).fingerprint(), now(at).wall));
        let action = course.step(Event::Looked);
        assert_eq!(used(&action).is_some(), answered, "{at}: {action:?}");
    }
    assert_eq!(course.left(), 2);
    // A token that is given back takes the verdict on it along, and no other one.
    let check = course.record.check.clone();
    course.step(Event::GivenBack(token("b", None, 0).fingerprint()));
    assert!(check.is_some() && course.record.check == check);
    course.step(Event::GivenBack(token("a", None, 0).fingerprint()));
    assert_eq!(course.record.check, None);
}

#[test]
fn a_dead_token_is_never_used_again() {
    let mut course = Course::new();
    course.log_in(gives("a", None, 0));
    course.at = 100;
    course.reported("a");
    let action = course.step(Event::Checked(now(100).wall, Verdict::Dead));
    assert_eq!(action, Action::Send(Reason::Rejection));
    course.step(lost());
    assert!(course.record.token.is_none() && course.record.dead.has(&token("a", None, 0).fingerprint()));
    // A process that knows nothing of it, and a store that brings it back.
    course.need = Need::default();
    let idle = Record { token: Some(Arc::new(token("a", None, 0))), ..Record::default() };
    for merged in [idle.merged(&course.record), course.record.merged(&idle)] {
        assert!(merged.valid_token(&now(100)).is_none());
        assert!(matches!(merged.attempt, Attempt::Lost(_)));
    }
}

#[test]
fn what_decides_nothing_twice_counts_as_dead() {
    let mut course = Course::new();
    course.log_in(gives("a", None, 0));
    course.at = 100;
    course.reported("a");
    let undecided = |at| Event::Checked(now(at).wall, Verdict::Undecided(Error::new(Status::Server, "no")));
    assert_eq!(status(&course.step(undecided(100))), Some((Status::Server, 5)));
    course.at = 103;
    assert_eq!(status(&course.step(Event::Looked)), Some((Status::Server, 2)), "nothing is sent for a moment");
    assert_eq!(status(&course.step(undecided(103))), Some((Status::Server, 5)), "too early to count");
    course.at = 110;
    assert!(matches!(course.step(Event::Looked), Action::Check(_)));
    assert_eq!(course.step(undecided(110)), Action::Send(Reason::Rejection));
    assert_eq!(course.record.check, None);
    assert!(course.record.dead.has(&token("a", None, 0).fingerprint()));
}

#[test]
fn a_replacement_that_is_rejected_at_once_is_not_replaced_at_once() {
    for logins_per_day in [10, 0] {
        let mut course = Course::new();
        course.rules.logins_per_day = logins_per_day;
        course.log_in(gives("a", None, 0));
        course.at = 100;
        course.reported("a");
        course.step(Event::Checked(now(100).wall, Verdict::Dead));
        course.step(gives("b", None, 100));
        course.reported("b");
        let action = course.step(Event::Checked(now(100).wall, Verdict::Dead));
        assert_eq!(status(&action), Some((Status::LoginBudget, 30)));
        // Nor by a process that comes new.
        course.need = Need::default();
        course.at = 129;
        assert_eq!(status(&course.step(Event::Locked)), Some((Status::LoginBudget, 1)));
        course.at = 130;
        assert_eq!(course.step(Event::Locked), Action::Send(Reason::Rejection));
    }
}

/// By two clocks, it is made a moment after it is reported; or the clock was set back since.
#[test]
fn a_replacement_out_of_the_future_is_not_replaced_at_once_and_not_for_long() {
    for ahead in [1, 100_000] {
        let mut course = Course::new();
        course.log_in(gives("a", None, 0));
        course.at = 100;
        course.reported("a");
        course.step(Event::Checked(now(100).wall, Verdict::Dead));
        course.step(gives("b", None, 100));
        course.record.replaced_at = Some(now(100 + ahead).wall);
        course.reported("b");
        let action = course.step(Event::Checked(now(100).wall, Verdict::Dead));
        assert_eq!(status(&action), Some((Status::LoginBudget, 30)));
        course.at = 130;
        assert_eq!(course.step(Event::Locked), Action::Send(Reason::Rejection));
    }
}

#[test]
fn a_token_that_was_given_back_is_replaced_at_once() {
    let mut course = Course::new();
    course.log_in(gives("a", None, 0));
    let dead = token("a", None, 0).fingerprint();
    assert_eq!(course.step(Event::GivenBack(dead.clone())), Action::Done);
    assert!(course.record.dead.has(&dead) && course.record.token.is_none());
    assert_eq!(course.step(Event::Looked), Action::Lock);
    assert_eq!(course.step(Event::Locked), Action::Send(Reason::First));
}

#[test]
fn an_owners_token_serves_before_any_hold_off_and_once() {
    let mut course = Course::new();
    course.log_in(refused(Kind::TokenLimit));
    course.rules.own_token = Some(Secret::new("own".to_owned()));
    assert_eq!(course.step(Event::Looked), Action::Lock);
    assert_eq!(used(&course.step(Event::Locked)), Some(("own", Origin::Owner)));
    course.step(Event::GivenBack(token("own", None, 0).fingerprint()));
    course.at = 300;
    assert_eq!(course.step(Event::Locked), Action::Send(Reason::First), "it is not taken again");
    course.step(gives("a", None, 300));
    assert_eq!(used(&course.step(Event::Looked)), Some(("a", Origin::Store)), "the store's comes first");
}

#[test]
fn a_token_serves_during_a_hold_off_and_without_budget() {
    let mut course = Course::new();
    for _ in 0..3 {
        course.log_in(lost());
        course.at += 60;
    }
    assert_eq!(status(&course.step(Event::Locked)).map(|it| it.0), Some(Status::LoginBudget));
    let elsewhere = Record { token: Some(Arc::new(token("a", None, course.at))), ..Record::default() };
    course.record = course.record.merged(&elsewhere);
    assert_eq!(used(&course.step(Event::Looked)), Some(("a", Origin::Store)));
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out() {
    let mut course = Course::new();
    course.at = 100_000;
    for _ in 0..3 {
        course.log_in(lost());
        course.at += 60;
    }
    course.at = 0;
    let wait = status(&course.step(Event::Locked)).map(|it| it.1);
    assert_eq!(wait, Some(600));
    course.at = 600;
    assert_eq!(course.step(Event::Locked), Action::Probe);
}

#[test]
fn a_process_that_has_counted_a_token_down_does_not_take_it_from_a_store_again() {
    let mut course = Course::new();
    course.log_in(gives("a", Some(100), 0));
    let fingerprint = token("a", None, 0).fingerprint();
    course.need.expired = Some(token("b", None, 0).fingerprint());
    assert_eq!(used(&course.step(Event::Looked)), Some(("a", Origin::Store)), "another one");
    course.need.expired = Some(fingerprint.clone());
    assert_eq!(course.step(Event::Looked), Action::Lock);
    assert!(course.record.has(&fingerprint) && !course.record.has("0123456789ab"));
}

#[test]
fn a_token_that_a_later_one_outlived_does_not_come_back() {
    let mut course = Course::new();
    course.log_in(gives("a", Some(100), 0));
    let idle = course.record.clone();
    course.at = 100;
    course.log_in(gives("b", Some(100), 100));
    course.step(Event::GivenBack(token("b", None, 0).fingerprint()));
    for merged in [idle.merged(&course.record), course.record.merged(&idle)] {
        assert_eq!(merged.token, None);
        assert_eq!(merged.latest.map(|latest| latest.number), Some(2));
    }
}

#[test]
fn a_check_of_the_future_says_nothing() {
    let mut course = Course::new();
    course.at = 1000;
    course.log_in(gives("a", None, 1000));
    course.reported("a");
    course.step(Event::Checked(now(1000).wall, Verdict::Stands));
    assert_eq!(used(&course.step(Event::Looked)), Some(("a", Origin::FalseAlarm)));
    // The clock was set back since.
    course.at = 900;
    course.reported("a");
    assert!(matches!(course.step(Event::Looked), Action::Check(_)));
    // And a report of the future is older than a check of today.
    course.need.rejected = Some((token("a", None, 0).fingerprint(), now(1000).wall));
    course.step(Event::Checked(now(900).wall, Verdict::Stands));
    assert_eq!(used(&course.step(Event::Looked)), Some(("a", Origin::FalseAlarm)));
}
