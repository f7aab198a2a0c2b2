//! What happened to a client, for logs: the last events of this process.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::error::{Error, Status};
use crate::record::{Origin, Reason};

/// So many are kept.
const MOST: usize = 32;

/// What kind of event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A login gave a token.
    Login,
    /// A token was taken from the store.
    Adopted,
    /// A login gave a token before the last one expired.
    Renewal,
    /// The server is said to have rejected the token.
    Rejected,
    /// The server still accepts it.
    FalseAlarm,
    /// A lookup failed. Nothing is sent for a while.
    HoldOff,
    /// The login budget is used up.
    Budget,
    /// The store cannot be used as it should.
    Degraded,
    /// It can be used again.
    Recovered,
    /// The token was revoked by its owner.
    Logout,
}

/// One event, without secrets.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// Counts up from 1.
    pub number: u64,
    /// When, by this machine's date and time.
    #[serde(serialize_with = "as_text")]
    pub time: Timestamp,
    /// What.
    pub kind: Kind,
    /// Why a login was sent: `first`, `ended`, `renewed`, `rejected`.
    pub reason: Option<&'static str>,
    /// How long it took, in milliseconds.
    pub duration: Option<u64>,
    /// Of a failure: one of the `TPS_` constants.
    pub status: Option<i32>,
    /// One line for people.
    pub message: Option<String>,
}

impl Event {
    /// An event of which nothing more is known.
    pub fn new(kind: Kind) -> Self {
        Self { number: 0, time: Timestamp::UNIX_EPOCH, kind, reason: None, duration: None, status: None, message: None }
    }

    /// A lookup that found a token; `None`: one that its owner gave.
    pub fn found(origin: Origin) -> Option<Self> {
        match origin {
            Origin::Login(Reason::Renewal) => Some(Self::new(Kind::Renewal)),
            Origin::Login(reason) => Some(Self::new(Kind::Login).because(reason.name())),
            Origin::Store => Some(Self::new(Kind::Adopted)),
            Origin::FalseAlarm => Some(Self::new(Kind::FalseAlarm)),
            Origin::Owner => None,
        }
    }

    /// A lookup that failed.
    pub fn failure(error: &Error) -> Self {
        let kind = if error.status == Status::LoginBudget { Kind::Budget } else { Kind::HoldOff };
        Self::new(kind).with_error(error)
    }

    /// Why a login was sent.
    pub fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// How long it took.
    pub fn lasting(mut self, time: Duration) -> Self {
        self.duration = Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// With a line for people.
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// With the status and the message of a failure.
    pub fn with_error(mut self, error: &Error) -> Self {
        self.status = Some(error.status as i32);
        self.saying(error.message.clone())
    }

    /// Whether it tells the same as `other`: a failure that goes on is one event.
    fn repeats(&self, other: &Self) -> bool {
        self.status.is_some() && (self.kind, self.status, &self.message) == (other.kind, other.status, &other.message)
    }
}

fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

/// The last events.
#[derive(Debug, Default)]
pub struct Events(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    number: u64,
    events: VecDeque<Event>,
}

impl Events {
    /// Adds one, unless it repeats the last one.
    pub fn add(&self, event: Event, wall: Timestamp) {
        let mut kept = self.kept();
        if kept.events.back().is_some_and(|last| event.repeats(last)) {
            return;
        }
        kept.number += 1;
        let event = Event { number: kept.number, time: wall, ..event };
        if kept.events.len() >= MOST {
            kept.events.pop_front();
        }
        if kept.events.is_empty() {
            // Most clients have one event, their login.
            kept.events.reserve_exact(1);
        }
        kept.events.push_back(event);
    }

    /// The last ones, the latest last.
    pub fn last(&self) -> Vec<Event> {
        self.kept().events.iter().cloned().collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_last_thirty_two_are_kept_under_their_numbers() {
        let events = Events::default();
        for _ in 0..40 {
            events.add(Event::new(Kind::Login), Timestamp::UNIX_EPOCH);
        }
        let last = events.last();
        assert_eq!((last.len(), last[0].number, last[31].number), (32, 9, 40));
    }

    #[test]
    fn a_failure_that_goes_on_is_one_event() {
        let events = Events::default();
        let failure = |message: &str| Event::failure(&Error::new(Status::Server, message));
        for message in ["one", "one", "other", "one"] {
            events.add(failure(message), Timestamp::UNIX_EPOCH);
        }
        assert_eq!(events.last().len(), 3);
    }
}
