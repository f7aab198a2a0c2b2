//! What is known of a credential, and what may be done next: values and one pure function, [`Record::step`].
//!
//! A lookup reads the record, takes a step, does what the step says, and takes the next step with what came of it. Each
//! step gives the record as it is to be kept *before* its action is carried out. So a login is written down before it is
//! sent, and a process that dies in the middle costs what a lost answer costs, and no more.
//!
//! ```text
//! Looked ──> Use | Fail | Check | Lock
//! Locked ──> Use | Fail | Check | Probe | Send
//! Probed ──> Send | Fail
//! Answered ─> Use | Fail
//! Checked ──> whatever `Locked` would give now
//! ```
//!
//! No I/O, no clock, no lock here: times and random numbers come in as values.

pub mod attempt;
pub mod budget;
pub mod check;
pub mod dead;
pub mod hold_off;
mod merge;
mod shift;
mod step;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
pub mod time;
pub mod token;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use self::attempt::{Attempt, Failures, Login, Lost, Reason, Sent};
pub use self::budget::Budget;
pub use self::check::{Check, Verdict};
pub use self::dead::Dead;
pub use self::hold_off::{HoldOff, Kind};
pub use self::step::{Action, Answer, Event, Failure, Origin};
pub use self::time::{Moment, Now};
pub use self::token::Token;
use crate::error::Error;
use crate::secret::Secret;

/// What is known of a credential. All processes share it through the store.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Record {
    /// The current token. It may have expired.
    pub token: Option<Arc<Token>>,
    /// The latest token that a login gave, and that login. The token may be dead.
    pub latest: Option<Latest>,
    /// Tokens that nobody may use any more.
    pub dead: Dead,
    /// When the latest replacement of a rejected token was made.
    pub replaced_at: Option<Timestamp>,
    /// How many logins may cost a token.
    pub budget: Budget,
    /// What the last login came to.
    pub attempt: Attempt,
    /// How often in a row logins failed.
    pub failures: Option<Failures>,
    /// A free renewal of the current token was sent, and was not refused: the next one draws on the budget.
    pub renewal_lost: bool,
    /// What the server said last of a token that was reported as rejected.
    pub check: Option<Check>,
}

/// A token among all that there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Latest {
    /// Counts them.
    pub number: u64,
    /// When the server made it, by its own clock.
    pub obtained_at: Timestamp,
    /// The login that gave it; `None`: it was kept by a version that does not tell.
    pub login: Option<Login>,
}

/// What the asking process wants.
#[derive(Debug, Default, Clone)]
pub struct Need {
    /// The fingerprint of the token that was reported as rejected, and when.
    pub rejected: Option<(String, Timestamp)>,
    /// The fingerprint of the token that it has and that has expired. Its own count tells more than a store whose clock was
    /// set since.
    pub expired: Option<String>,
    /// It has a token that is about to expire, and wants its successor.
    pub renewing: bool,
}

impl Need {
    /// Whether the process that asks has counted this token down.
    pub(super) fn knows_expired(&self, token: &Token) -> bool {
        self.expired.as_deref() == Some(&token.fingerprint())
    }
}

/// What its options say.
#[derive(Debug, Clone)]
pub struct Rules {
    /// `logins_per_day`.
    pub logins_per_day: u32,
    /// `token`.
    pub own_token: Option<Secret>,
    /// The fingerprint of the proxy's URL.
    pub proxy: Option<String>,
    /// `refresh_ahead`; `None`: as the library thinks fit.
    pub refresh_ahead: Option<Duration>,
    /// From 0 to 1: when this process renews, so that not all come at once.
    pub spread: f64,
    /// The process.
    pub process: u32,
}

impl Record {
    /// The failure that holds everybody off who uses this proxy, with the time that is left.
    pub fn held_off(&self, proxy: Option<&str>, wall: Timestamp) -> Option<Error> {
        self.attempt.hold_off()?.error(proxy, wall)
    }

    /// The token, if it is valid and not known to be dead.
    pub fn valid_token(&self, now: &Now) -> Option<&Arc<Token>> {
        self.token.as_ref().filter(|token| token.usable(now.moment) && !self.dead.has(&token.fingerprint()))
    }

    /// Whether the token is the one with this fingerprint.
    pub fn has(&self, fingerprint: &str) -> bool {
        self.token.as_ref().is_some_and(|token| token.fingerprint() == fingerprint)
    }
}
