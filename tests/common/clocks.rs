//! Clocks of the tests' own.

#![allow(dead_code, clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tps::process::clock::{Clock, System};
use tps::record::Moment;

/// A clock that does not move until it is set forward, and whose date can be wrong.
pub struct Hands(Mutex<(Duration, Timestamp)>);

impl Hands {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new((System.now().since_start(), System.wall()))))
    }

    /// So much later.
    pub fn pass(&self, time: Duration) {
        let mut hands = self.0.lock().unwrap();
        hands.0 += time;
        hands.1 += time;
    }

    /// Somebody sets the date.
    pub fn set(&self, by: SignedDuration) {
        self.0.lock().unwrap().1 += by;
    }
}

impl Clock for Hands {
    fn now(&self) -> Moment {
        Moment::at(self.0.lock().unwrap().0)
    }

    fn wall(&self) -> Timestamp {
        self.0.lock().unwrap().1
    }

    fn boot(&self) -> Option<String> {
        Some("a boot of the test's".to_owned())
    }
}

/// The real clocks, so far ahead.
pub struct Ahead(pub Duration);

impl Clock for Ahead {
    fn now(&self) -> Moment {
        System.now().after(self.0)
    }

    fn wall(&self) -> Timestamp {
        System.wall() + self.0
    }

    fn boot(&self) -> Option<String> {
        System.boot()
    }
}
