//! Two records of one credential, kept in different stores, made one.
//!
//! Each field is decided for itself. Where one record knows more, it wins; where both know something, the stricter or the
//! later does.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Attempt, Record, Token};

/// Times of two stores come by two clocks, which differ by so much at most.
const CLOSE: Duration = Duration::from_secs(1);

impl Record {
    /// What both know. The order of the two makes no difference, but for ties.
    pub fn merged(&self, other: &Self) -> Self {
        // By what either one knows: together they may know more than are remembered.
        let is_dead = |token: &Token| [self, other].iter().any(|record| record.dead.has(&token.fingerprint()));
        let alive = |record: &Self, other: &Self| {
            record.token.clone().filter(|token| !is_dead(token) && !record.is_outlived_by(other, token))
        };
        let (mine, theirs) = (alive(self, other), alive(other, self));
        // The server's own clock tells which one is newer: all others may have been set.
        let age = |token: Option<&Arc<Token>>| token.map(|token| (token.obtained_at, token.made_at()));
        let from_other = age(theirs.as_ref()) > age(mine.as_ref());
        let (token, from) = if from_other { (theirs, other) } else { (mine, self) };
        // An attempt that is older than the token had come to its end before that.
        let since = made_at(token.as_ref());
        let attempt = later(self, other, |record| record.attempt.at());
        let (attempt, failures) = match attempt.attempt.at() {
            at if at.is_some()
                && (since.is_none_or(|since| at > since.checked_add(CLOSE).ok())
                    || attempt.has_token_of(token.as_ref())) =>
            {
                (attempt.attempt.clone(), attempt.failures)
            }
            _ => (Attempt::None, None),
        };
        Self {
            renewal_lost: from.renewal_lost || (self.same_token(other) && (self.renewal_lost || other.renewal_lost)),
            token,
            latest: self.latest.max(other.latest),
            dead: self.dead.merged(&other.dead),
            replaced_at: self.replaced_at.max(other.replaced_at),
            budget: self.budget.merged(&other.budget),
            attempt,
            failures,
            check: later(self, other, |record| record.check.as_ref().map(|check| check.at)).check.clone(),
        }
    }

    /// Whether this knows something that `other` does not: then this is to be kept there too. Times are not compared: those of
    /// another store come by another clock.
    pub fn teaches(&self, other: &Self) -> bool {
        let fingerprint = |record: &Self| record.token.as_ref().map(|token| token.fingerprint());
        let attempt = |record: &Self| std::mem::discriminant(&record.attempt);
        fingerprint(self) != fingerprint(other)
            || self.dead.fingerprints().iter().any(|dead| !other.dead.has(dead))
            || self.budget.drawn().len() > other.budget.drawn().len()
            || self.budget.has_settled(&other.budget)
            || attempt(self) != attempt(other)
            || self.renewal_lost && !other.renewal_lost
            || self.check.is_some() && other.check.is_none()
    }

    /// Whether `other` knows of a later token, which may be dead by now: `token` of this record must not come back then.
    fn is_outlived_by(&self, other: &Self, token: &Token) -> bool {
        let number = |record: &Self| record.latest.map(|latest| latest.number);
        other.latest.is_some_and(|latest| number(other) >= number(self) && latest.obtained_at > token.obtained_at)
    }

    fn same_token(&self, other: &Self) -> bool {
        matches!((&self.token, &other.token), (Some(one), Some(other)) if one.value == other.value)
    }

    fn has_token_of(&self, token: Option<&Arc<Token>>) -> bool {
        matches!((&self.token, token), (Some(one), Some(other)) if one.value == other.value)
    }
}

fn made_at(token: Option<&Arc<Token>>) -> Option<Timestamp> {
    token.map(|token| token.made_at())
}

fn later<'a>(one: &'a Record, other: &'a Record, at: impl Fn(&Record) -> Option<Timestamp>) -> &'a Record {
    if at(other) > at(one) { other } else { one }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::error::{Error, Status};
    use crate::record::{Check, Failures, HoldOff, Kind, Latest, Login, Moment, Now, Reason, Sent};
    use crate::secret::Secret;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_800_000_000 + seconds)
    }

    fn with_token(name: &str, made: i64) -> Record {
        let now = Now { moment: Moment::default(), wall: at(made), boot: None };
        Record { token: Some(Arc::new(Token::own(Secret::new(name.to_owned()), &now))), ..Record::default() }
    }

    fn refused(since: i64) -> (Attempt, Option<Failures>) {
        let hold_off = HoldOff::after(Kind::Credentials, Error::new(Status::Credentials, "no"), 1, 0, None, at(since));
        (Attempt::Refused(hold_off), Some(Failures { kind: Kind::Credentials, in_a_row: 1 }))
    }

    /// In both orders.
    fn merged(one: &Record, other: &Record) -> Record {
        let both = one.merged(other);
        assert_eq!(both, other.merged(one));
        both
    }

    #[test]
    fn the_newer_token_wins_and_a_dead_one_never() {
        let (old, mut new) = (with_token("old", 0), with_token("new", 10));
        assert_eq!(merged(&old, &new).token, new.token);
        let dead = new.token.take().unwrap().fingerprint();
        new.dead.add(dead.clone(), true);
        assert_eq!(merged(&with_token("new", 10), &new).token, None);
        let both = merged(&with_token("old", 0), &new);
        assert!(both.token == old.token && both.dead.has(&dead));
    }

    #[test]
    fn a_dead_one_stays_dead_where_more_have_died_than_are_remembered() {
        let mut here = with_token("late", 0);
        (0..8).for_each(|number| here.dead.add(format!("z{number}"), true));
        let mut there = Record::default();
        (0..8).for_each(|number| there.dead.add(format!("a{number}"), true));
        there.dead.add(here.token.clone().unwrap().fingerprint(), false);
        (0..6).for_each(|number| there.dead.add(format!("b{number}"), true));
        assert_eq!(merged(&here, &there).token, None);
    }

    #[test]
    fn a_token_is_outlived_by_a_later_one_alone() {
        let latest = |number, made| Some(Latest { number, obtained_at: at(made), login: None });
        let one = Record { latest: latest(2, 0), ..with_token("a", 0) };
        for (number, made, outlived) in [(2, 0, false), (1, 10, false), (3, -10, false), (3, 10, true)] {
            let other = Record { latest: latest(number, made), ..Record::default() };
            assert_eq!(merged(&one, &other).token.is_none(), outlived, "{number} {made}");
        }
    }

    #[test]
    fn why_the_latest_token_was_made_goes_with_it() {
        let latest = |number, made, login| Record {
            latest: Some(Latest { number, obtained_at: at(made), login }),
            ..Record::default()
        };
        let [first, rejected] = [Reason::First, Reason::Rejection].map(|reason| Some(Login { by: 7, reason }));
        assert_eq!(merged(&latest(1, 0, first), &latest(2, 9, rejected)).latest, latest(2, 9, rejected).latest);
        assert_eq!(merged(&latest(2, 0, first), &latest(2, 9, rejected)).latest, latest(2, 9, rejected).latest);
        // A version that does not tell has written one of them.
        assert_eq!(merged(&latest(1, 0, first), &latest(1, 0, None)).latest, latest(1, 0, first).latest);
        assert_eq!(merged(&latest(1, 0, first), &latest(2, 9, None)).latest, latest(2, 9, None).latest);
        assert_eq!(merged(&latest(1, 0, first), &Record::default()).latest, latest(1, 0, first).latest);
    }

    #[test]
    fn an_attempt_counts_until_a_later_token() {
        let mut failed = Record::default();
        (failed.attempt, failed.failures) = refused(5);
        assert_eq!(merged(&failed, &Record::default()), failed);
        let earlier = merged(&failed, &with_token("a", 0));
        assert_eq!((&earlier.attempt, earlier.failures), (&failed.attempt, failed.failures));
        let later = merged(&failed, &with_token("a", 10));
        assert_eq!((later.attempt, later.failures), (Attempt::None, None));
        // Whatever the times: it was made with this very token.
        let mut own = with_token("a", 10);
        (own.attempt, own.failures) = refused(5);
        assert_eq!(merged(&own, &with_token("a", 10)).attempt, own.attempt);
        let mut second = Record::default();
        (second.attempt, second.failures) = refused(8);
        assert_eq!(merged(&failed, &second).attempt, second.attempt, "the later one");
    }

    #[test]
    fn a_lost_renewal_is_its_tokens() {
        let lost = Record { renewal_lost: true, ..with_token("a", 0) };
        assert!(merged(&lost, &with_token("a", 0)).renewal_lost);
        assert!(merged(&lost, &with_token("older", -5)).renewal_lost);
        assert!(!merged(&lost, &with_token("newer", 5)).renewal_lost);
    }

    #[test]
    fn the_later_check_and_replacement_count() {
        let check = |at| Some(Check { token: "a".to_owned(), at, undecided: None });
        let one = Record { check: check(at(1)), replaced_at: Some(at(9)), ..Record::default() };
        let other = Record { check: check(at(2)), replaced_at: Some(at(3)), ..Record::default() };
        let both = merged(&one, &other);
        assert_eq!((both.check, both.replaced_at), (other.check.clone(), one.replaced_at));
        assert_eq!(merged(&Record::default(), &other), other);
    }

    #[test]
    fn what_is_known_on_one_side_only_is_taught() {
        let empty = Record::default();
        assert!(!empty.teaches(&empty));
        let mut drawn = Record::default();
        drawn.budget.draw(at(0));
        let mut dead = Record::default();
        dead.dead.add("a".to_owned(), true);
        let failed = Record { attempt: refused(0).0, ..Record::default() };
        let checked =
            Record { check: Some(Check { token: "a".to_owned(), at: at(0), undecided: None }), ..Record::default() };
        let lost = Record { renewal_lost: true, ..Record::default() };
        for record in [with_token("a", 0), drawn.clone(), dead, failed, checked, lost] {
            assert!(record.teaches(&empty) && !record.teaches(&record), "{record:?}");
        }
        assert!(!empty.teaches(&drawn), "it draws less");
        assert!(with_token("a", 0).teaches(&with_token("b", 0)));
    }

    #[test]
    fn a_record_by_another_clock_is_the_same_when_it_comes_back() {
        let mut record = with_token("a", 0);
        record.budget.draw(at(0));
        record.budget.renewed(at(1));
        record.replaced_at = Some(at(2));
        record.check = Some(Check { token: "a".to_owned(), at: at(3), undecided: None });
        let (attempt, _) = refused(4);
        record.attempt = attempt;
        let hour = SignedDuration::from_hours(1);
        let ahead = record.shifted(hour);
        assert_eq!(ahead.shifted(-hour), record);
        let moved = |time: Option<Timestamp>| time.map(|time| time + hour);
        assert_eq!(ahead.budget.drawn(), [at(0) + hour]);
        assert_eq!(ahead.budget.renewals(), [at(1) + hour]);
        assert_eq!(ahead.replaced_at, moved(record.replaced_at));
        assert_eq!(ahead.check.as_ref().map(|check| check.at), Some(at(3) + hour));
        assert_eq!(ahead.attempt.at(), moved(record.attempt.at()));
        assert_eq!(made_at(ahead.token.as_ref()), moved(made_at(record.token.as_ref())));
        record.attempt = Attempt::Sent(Sent { at: at(5), by: 1, reason: Reason::First, free: false });
        assert_eq!(record.shifted(hour).attempt.at(), Some(at(5) + hour));
    }
}
