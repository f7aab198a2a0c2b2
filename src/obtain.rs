//! A token by the server: whether the one in doubt stands, and if not, a login within the budget.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::api::{self, Refusal};
use crate::attempt::{self, left};
use crate::error::{Error, Status};
use crate::holdoff::HoldOff;
use crate::store::seal::random;
use crate::store::{Lock, Record};
use crate::token::Token;

/// A token that took the place of a rejected one, and is rejected itself before it is so old, is not replaced at once.
const FRESH: Duration = Duration::from_secs(30);

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A login of this process's, and why.
    Login(Reason),
    /// The store.
    Store,
    /// The option `token`.
    Owner,
    /// The server takes the token that it was said to have rejected.
    FalseAlarm,
}

/// Why a login is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There never was a token, or it was given back.
    First,
    /// The token's known life is over.
    Ended,
    /// It is about to be.
    Renewal,
    /// The server rejected the token.
    Rejection,
}

/// A token, and where it came from.
pub type Found = (Arc<Token>, Origin);

impl Account {
    /// A token by the server, within what the budget allows; `record` is what is known, and is brought up to date.
    pub fn obtain(
        &self,
        record: &mut Record,
        deadline: Instant,
        mut lock: Option<&mut Box<dyn Lock + '_>>,
    ) -> Result<Found, Error> {
        // One that has ended needs no look.
        let suspect = self.slot.suspect().filter(|token| token.usable(self.clock.now()));
        if let Some(token) = suspect.as_ref().filter(|token| api::stands(token, &self.options, left(deadline))) {
            return Ok((token.clone(), Origin::FalseAlarm));
        }
        let reason = self.reason(record, suspect.is_some());
        if let Some(own) = self.options.token.as_ref().filter(|_| self.never_had_one(record)) {
            let token = Arc::new(Token::own(own.clone(), &self.clocks()));
            record.token = Some(token.clone());
            self.keep(record, &mut lock);
            return Ok((token, Origin::Owner));
        }
        // A renewal at the end of a known life costs no more than the token that ends; but one of them only.
        let free = matches!(reason, Reason::Ended | Reason::Renewal) && !record.lost;
        if !free {
            self.within_budget(record, suspect.as_deref())?;
        }
        if let Some(Err(trouble)) = lock.as_mut().map(|lock| lock.prepare()) {
            self.degrade(trouble);
            lock = None;
        }
        let outcome = attempt::log_in(&self.credentials, &self.options, &*self.clock, &mut record.unsure, deadline);
        let wall = self.clock.wall();
        record.lost |= outcome.as_ref().is_err_and(|refusal| refusal.may_exist);
        if !free && outcome.as_ref().map_or_else(|refusal| refusal.may_exist, |_| true) {
            record.budget.spend(wall);
        }
        let found = match outcome {
            Ok(token) => {
                let token = Arc::new(token);
                record.token = Some(token.clone());
                record.replaced = reason == Reason::Rejection;
                record.gone = suspect.as_ref().map(|gone| gone.fingerprint()).or(record.gone.take());
                (record.hold_off, record.failures, record.lost) = (None, 0, false);
                Ok((token, Origin::Login(reason)))
            }
            Err(Refusal { error, .. }) => {
                record.failures = record.failures.saturating_add(1);
                let random = random().map_or(u64::MAX, u64::from_ne_bytes);
                let hold_off = HoldOff::after(error, record.failures, random, wall);
                let error = hold_off.error.clone();
                record.hold_off = Some(Box::new(hold_off));
                Err(error)
            }
        };
        self.keep(record, &mut lock);
        found
    }

    /// Why there is to be a login.
    fn reason(&self, record: &Record, rejected: bool) -> Reason {
        let now = self.clock.now();
        match self.slot.last_token().or_else(|| record.token.clone()) {
            _ if rejected => Reason::Rejection,
            Some(token) if token.ends.is_some() && !token.usable(now) => Reason::Ended,
            Some(token) if self.due(&token) => Reason::Renewal,
            _ => Reason::First,
        }
    }

    /// Whether neither memory nor store has, or had, a token.
    fn never_had_one(&self, record: &Record) -> bool {
        record.token.is_none() && self.slot.last_token().is_none() && self.slot.known().rejected.is_none()
    }

    fn within_budget(&self, record: &Record, suspect: Option<&Token>) -> Result<(), Error> {
        let per_day = self.options.logins_per_day;
        if per_day == 0 {
            return Ok(());
        }
        let wall = self.clock.wall();
        let fresh =
            suspect.filter(|_| record.replaced).map_or(Duration::ZERO, |token| FRESH.saturating_sub(token.age(wall)));
        let wait = match record.budget.check(wall, per_day) {
            Ok(()) => fresh,
            Err(wait) => wait.max(fresh),
        };
        if wait.is_zero() {
            return Ok(());
        }
        let message =
            "too many logins already; find out what makes the server reject its tokens, or raise logins_per_day";
        Err(Error::new(Status::LoginBudget, message).silent_for(wait))
    }

    /// In the store, where there is one.
    fn keep(&self, record: &Record, lock: &mut Option<&mut Box<dyn Lock + '_>>) {
        if let Some(Err(trouble)) = lock.as_mut().map(|lock| lock.write(record, &self.clocks())) {
            self.degrade(trouble);
        }
    }
}
