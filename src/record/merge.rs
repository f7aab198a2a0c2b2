//! Two records of one credential, kept in different stores, made one.
//!
//! Each field is decided for itself. Where one record knows more, it wins; where both know something, the stricter or the
//! later does.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Attempt, Record, Token};

impl Record {
    /// What both know. The order of the two makes no difference, but for ties.
    pub fn merged(&self, other: &Self) -> Self {
        let dead = self.dead.merged(&other.dead);
        let alive = |record: &Self| record.token.clone().filter(|token| !dead.has(&token.fingerprint()));
        let (mine, theirs) = (alive(self), alive(other));
        let from_other = made_at(theirs.as_ref()) > made_at(mine.as_ref());
        let (token, from) = if from_other { (theirs, other) } else { (mine, self) };
        // An attempt that is older than the token had come to its end before that.
        let since = made_at(token.as_ref());
        let attempt = later(self, other, |record| record.attempt.at());
        let (attempt, failures) = match attempt.attempt.at() {
            at if at.is_some() && (at >= since || attempt.has_token_of(token.as_ref())) => {
                (attempt.attempt.clone(), attempt.failures)
            }
            _ => (Attempt::None, None),
        };
        Self {
            renewal_lost: from.renewal_lost || (self.same_token(other) && other.renewal_lost),
            token,
            dead,
            replaced_at: self.replaced_at.max(other.replaced_at),
            budget: self.budget.stricter(&other.budget),
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
            || attempt(self) != attempt(other)
            || self.check.is_some() && other.check.is_none()
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
