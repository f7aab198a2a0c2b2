//! One step: what a record becomes by an event, and what to do next.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{
    Attempt, Check, Failures, HoldOff, Kind, Latest, Lost, Need, Now, Reason, Record, Rules, Sent, Token, Verdict,
};
use crate::error::{Error, Status};

/// A token that replaced a rejected one, and is rejected itself before it is so old, is not replaced at once.
const FRESH: Duration = Duration::from_secs(30);

/// What has happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The record was read.
    Looked,
    /// The lock was had, and the record read after that.
    Locked,
    /// The server was probed.
    Probed(Result<(), Failure>),
    /// The login was answered, or not.
    Answered(Answer),
    /// The reported token was checked: when the server was asked, and what it said.
    Checked(Timestamp, Verdict),
    /// The token with this fingerprint was revoked by its owner.
    GivenBack(String),
}

/// What a login came to.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A token.
    Token(Token),
    /// A clear refusal: no token was made.
    Refused(Failure),
    /// A token may have been made.
    Lost(Failure),
}

/// Why a request did not give what was asked.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What refused.
    pub kind: Kind,
    /// `retry_after`: the wait that the server asks for; zero where it asks for none.
    pub error: Error,
    /// Any number, drawn anew each time.
    pub random: u64,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// This token is valid.
    Use(Arc<Token>, Origin),
    /// Take the lock, read the record again, and come back with [`Event::Locked`].
    Lock,
    /// Ask the server, without the lock, whether it still accepts this token: [`Event::Checked`].
    Check(Arc<Token>),
    /// Send a request that makes nothing: [`Event::Probed`].
    Probe,
    /// Send the login that is now in the record: [`Event::Answered`].
    Send(Reason),
    /// Nothing may be sent. The error says for how long.
    Fail(Error),
    /// There is nothing more to do.
    Done,
}

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A login of this process, and why.
    Login(Reason),
    /// The store.
    Store,
    /// The option `token`.
    Owner,
    /// It was reported as rejected, and stands all the same.
    FalseAlarm,
}

impl Record {
    /// The record after `event`, to be kept before the action is carried out, and the action.
    pub fn step(&self, event: Event, need: &Need, rules: &Rules, now: &Now) -> (Self, Action) {
        let mut record = self.clone();
        let wall = whole_milliseconds(now.wall);
        let action = match event {
            Event::Looked => record.look(need, rules, now).unwrap_or(Action::Lock),
            Event::Locked => {
                record.settle(wall);
                record.next(need, rules, now)
            }
            Event::Probed(Ok(())) => record.send(rules, now),
            Event::Probed(Err(failure)) => {
                let hold_off = record.hold_off(failure, rules, wall);
                let error = hold_off.error.clone();
                record.attempt = Attempt::Lost(Lost { at: wall, hold_off: Some(hold_off) });
                Action::Fail(error)
            }
            Event::Answered(answer) => record.answered(answer, rules, wall),
            Event::Checked(at, verdict) => {
                record.settle(wall);
                record.checked(need, at, verdict, wall);
                record.next(need, rules, now)
            }
            Event::GivenBack(fingerprint) => {
                if record.has(&fingerprint) {
                    record.replaced_at = None;
                }
                record.bury(&fingerprint, false);
                Action::Done
            }
        };
        (record, action)
    }

    /// What can be said without the lock; `None`: it is needed.
    fn look(&mut self, need: &Need, rules: &Rules, now: &Now) -> Option<Action> {
        let renew = |token: &Token| need.renewing && token.due(now.moment, rules.refresh_ahead, rules.spread);
        let serves = |token: &Token| !renew(token) && !need.knows_expired(token);
        if let Some(token) = self.valid_token(now).filter(|token| serves(token)).cloned() {
            let fingerprint = token.fingerprint();
            let Some((_, reported)) = need.rejected.as_ref().filter(|(rejected, _)| *rejected == fingerprint) else {
                return Some(Action::Use(token, Origin::Store));
            };
            if let Some(check) = &self.check {
                if check.clears(&fingerprint, *reported, now.wall) {
                    return Some(Action::Use(token, Origin::FalseAlarm));
                }
                if let Some(error) = check.held_off(&fingerprint, now.wall) {
                    return Some(Action::Fail(error));
                }
            }
            return Some(self.held_off(rules.proxy.as_deref(), now.wall).map_or(Action::Check(token), Action::Fail));
        }
        if self.may_take_own(rules) {
            return None;
        }
        self.held_off(rules.proxy.as_deref(), now.wall).map(Action::Fail)
    }

    /// What to do with the lock.
    fn next(&mut self, need: &Need, rules: &Rules, now: &Now) -> Action {
        if let Some(action) = self.look(need, rules, now) {
            return action;
        }
        if let Some(own) = rules.own_token.clone().filter(|_| self.may_take_own(rules)) {
            let token = Arc::new(Token::own(own, now));
            self.token = Some(token.clone());
            return Action::Use(token, Origin::Owner);
        }
        let wall = whole_milliseconds(now.wall);
        if let Some(error) = self.beyond_budget(rules, wall, now) {
            return Action::Fail(error);
        }
        match self.attempt {
            Attempt::Lost(_) => Action::Probe,
            _ => self.send(rules, now),
        }
    }

    /// Writes down the login that is about to be sent.
    fn send(&mut self, rules: &Rules, now: &Now) -> Action {
        let at = whole_milliseconds(now.wall);
        let reason = self.reason(now);
        let free = self.free(reason, at);
        self.budget.draw(at);
        self.renewal_lost |= free;
        self.attempt = Attempt::Sent(Sent { at, by: rules.process, reason, free });
        Action::Send(reason)
    }

    fn answered(&mut self, answer: Answer, rules: &Rules, wall: Timestamp) -> Action {
        let Attempt::Sent(sent) = std::mem::take(&mut self.attempt) else {
            return Action::Fail(Error::new(Status::Internal, "an answer without a login; please report this"));
        };
        match answer {
            Answer::Token(token) => {
                if sent.free {
                    self.budget.give_back(sent.at);
                    self.budget.renewed(wall);
                }
                let token = Arc::new(token);
                let number = self.latest.map_or(0, |latest| latest.number) + 1;
                self.latest = Some(Latest { number, obtained_at: token.obtained_at, login: Some(sent.login()) });
                self.token = Some(token.clone());
                self.replaced_at = (sent.reason == Reason::Rejection).then_some(wall);
                (self.failures, self.renewal_lost, self.check) = (None, false, None);
                Action::Use(token, Origin::Login(sent.reason))
            }
            Answer::Refused(failure) => {
                self.budget.give_back(sent.at);
                self.renewal_lost &= !sent.free;
                let hold_off = self.hold_off(failure, rules, wall);
                let error = hold_off.error.clone();
                self.attempt = Attempt::Refused(hold_off);
                Action::Fail(error)
            }
            Answer::Lost(failure) => {
                let hold_off = self.hold_off(failure, rules, wall);
                let error = hold_off.error.clone();
                self.attempt = Attempt::Lost(Lost { at: wall, hold_off: Some(hold_off) });
                Action::Fail(error)
            }
        }
    }

    fn checked(&mut self, need: &Need, at: Timestamp, verdict: Verdict, wall: Timestamp) {
        let Some((token, _)) = &need.rejected else { return };
        let doubted_before = self.check.as_ref().is_some_and(|check| check.is_the_first_doubt(token, wall));
        match verdict {
            Verdict::Stands => self.check = Some(Check { token: token.clone(), at, undecided: None }),
            Verdict::Undecided(error) if !doubted_before => {
                self.check = Some(Check { token: token.clone(), at: wall, undecided: Some(error) });
            }
            Verdict::Dead | Verdict::Undecided(_) => self.bury(token, true),
        }
    }

    /// The token is dead: nobody may use it any more.
    fn bury(&mut self, fingerprint: &str, rejected: bool) {
        self.dead.add(fingerprint.to_owned(), rejected);
        if self.has(fingerprint) {
            self.token = None;
        }
        if self.check.as_ref().is_some_and(|check| check.token == fingerprint) {
            self.check = None;
        }
    }

    /// What a process knows that has the lock. What was noted by a clock that was set back since, or by another one that is ahead,
    /// counts as of now. The writer of a login that was sent died: the answer is lost.
    fn settle(&mut self, wall: Timestamp) {
        self.budget.settle(wall);
        self.replaced_at = self.replaced_at.map(|at| at.min(wall));
        if matches!(self.attempt, Attempt::Sent(_)) {
            self.attempt = Attempt::Lost(Lost { at: wall, hold_off: None });
        }
    }

    fn hold_off(&mut self, failure: Failure, rules: &Rules, wall: Timestamp) -> HoldOff {
        let Failure { kind, error, random } = failure;
        let before = self.failures.filter(|failures| failures.kind == kind).map_or(0, |failures| failures.in_a_row);
        let in_a_row = before.saturating_add(1);
        self.failures = Some(Failures { kind, in_a_row });
        HoldOff::after(kind, error, in_a_row, random, rules.proxy.as_deref(), wall)
    }

    /// Why there is to be a login. A token that is still valid is replaced only where it is to be renewed.
    fn reason(&self, now: &Now) -> Reason {
        match &self.token {
            Some(token) if !token.usable(now.moment) => Reason::Expired,
            Some(_) => Reason::Renewal,
            None if self.dead.rejected() => Reason::Rejection,
            None => Reason::First,
        }
    }

    /// The renewal of a token that expires makes no additional token. One that was lost did.
    fn free(&self, reason: Reason, wall: Timestamp) -> bool {
        matches!(reason, Reason::Expired | Reason::Renewal) && !self.renewal_lost && self.budget.renewal_is_free(wall)
    }

    /// The option `token` serves where there is no token and never was one.
    fn may_take_own(&self, rules: &Rules) -> bool {
        rules.own_token.is_some() && self.token.is_none() && self.dead.is_empty()
    }

    fn beyond_budget(&self, rules: &Rules, wall: Timestamp, now: &Now) -> Option<Error> {
        let reason = self.reason(now);
        let replaced = self.replaced_at.filter(|_| reason == Reason::Rejection);
        let fresh = replaced.map_or(Duration::ZERO, |at| {
            FRESH.saturating_sub(Duration::try_from(wall.duration_since(at)).unwrap_or_default())
        });
        let (wait, message) = if self.free(reason, wall) {
            (Duration::ZERO, "")
        } else {
            let wait = self.budget.wait(wall, rules.logins_per_day);
            match fresh > wait {
                true => (
                    fresh,
                    "the token that replaced a rejected one was rejected too. Check why the server rejects tokens",
                ),
                false => (wait, BUDGET_USED_UP),
            }
        };
        (!wait.is_zero()).then(|| Error::new(Status::LoginBudget, message).held_off_for(wait))
    }
}

const BUDGET_USED_UP: &str = "login budget used up: 3 logins at once, one more in 10 minutes, at most logins_per_day in 24 hours. \
     Check what ends the tokens or the processes, or raise logins_per_day";

/// As times are kept in stores.
fn whole_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}
