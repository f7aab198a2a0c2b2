//! When this process renews its token ahead of the end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::process::random;
use crate::record::hold_off::SHORTEST;
use crate::record::{Moment, Token};

/// Only a process that has been asking for so long renews ahead: the login of a script that ends sooner would be lost.
const STAYING: Duration = Duration::from_secs(10);

/// After a renewal that failed, the next one is tried within this time, whatever the failure says: another process may
/// have renewed.
const LOOKS: Duration = Duration::from_secs(5);

/// Since when a process asks, and from when on it may renew. Milliseconds of the clock that does not jump.
#[derive(Debug, Default)]
pub struct RenewalTimes {
    /// First call, 0: none yet.
    asking_since: AtomicU64,
    /// The earliest time of a renewal.
    from: AtomicU64,
    /// From 0 to 1: when this process renews, so that not all come at once.
    pub spread: f64,
}

impl RenewalTimes {
    /// Of a process that nobody has asked yet.
    pub fn new() -> Self {
        let spread = random::random().map_or(u32::MAX, u32::from_ne_bytes);
        Self::with(f64::from(spread) / f64::from(u32::MAX))
    }

    /// The same by this `spread`.
    pub fn with(spread: f64) -> Self {
        Self { spread, ..Self::default() }
    }

    /// Somebody asks: from the first time on it counts how long this process stays.
    pub fn asked(&self, now: Moment) {
        if self.asking_since.load(Ordering::Relaxed) == 0 {
            self.asking_since.store(milliseconds(now).max(1), Ordering::Relaxed);
        }
    }

    /// Whether `token` is to be renewed by this process now.
    pub fn is_due(&self, token: &Token, now: Moment, ahead: Option<Duration>) -> bool {
        let asking_since = self.asking_since.load(Ordering::Relaxed);
        token.due(now, ahead, self.spread)
            && asking_since != 0
            && now >= at(asking_since).after(STAYING)
            && now >= at(self.from.load(Ordering::Acquire))
    }

    /// A renewal is under way: no other one until it ends.
    pub fn begin(&self) {
        self.from.store(u64::MAX, Ordering::Release);
    }

    /// It has ended; where it failed, as it did for `hold_off`.
    pub fn end(&self, now: Moment, hold_off: Option<Duration>) {
        let wait = hold_off.map_or(Duration::ZERO, |time| time.clamp(SHORTEST, LOOKS));
        self.from.store(milliseconds(now.after(wait)), Ordering::Release);
    }
}

fn milliseconds(moment: Moment) -> u64 {
    u64::try_from(moment.since_start().as_millis()).unwrap_or(u64::MAX)
}

fn at(milliseconds: u64) -> Moment {
    Moment::at(Duration::from_millis(milliseconds))
}
