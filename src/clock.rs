//! What time it is. Everything that lasts longer than a call asks here, so that tests need not sleep.

use std::fs;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nix::time::{ClockId, clock_gettime};

/// A moment of the clock that counts from the machine's start, also while it sleeps, and that nobody can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// The moment so long after the clock's start.
    pub fn at(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// How long it is after the clock's start.
    pub fn since_start(self) -> Duration {
        self.0
    }

    /// The moment `wait` from this one.
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }

    /// The moment `time` before this one.
    pub fn before(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time))
    }

    /// How long it is from `now` until this moment; zero when it is past.
    pub fn left(self, now: Self) -> Duration {
        self.0.saturating_sub(now.0)
    }
}

/// The clocks of a machine.
pub trait Clock: Send + Sync {
    /// The clock that does not jump.
    fn now(&self) -> Moment;

    /// The date and time, which may be wrong and may be set.
    fn wall(&self) -> Timestamp;

    /// What is another text after each start of the machine, so that moments of other processes can be understood.
    fn boot(&self) -> Option<String>;
}

/// The real ones.
pub struct System;

impl Clock for System {
    fn now(&self) -> Moment {
        #[cfg(target_os = "linux")]
        let clock = ClockId::CLOCK_BOOTTIME;
        #[cfg(not(target_os = "linux"))]
        let clock = ClockId::CLOCK_MONOTONIC;
        // Neither clock can be missing on the systems that this compiles for.
        Moment(clock_gettime(clock).map(Duration::from).unwrap_or_default())
    }

    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn boot(&self) -> Option<String> {
        fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned())
    }
}

/// One look at all clocks.
#[derive(Debug, Clone)]
pub struct Reading {
    pub now: Moment,
    pub wall: Timestamp,
    pub boot: Option<String>,
    /// How far the clock of the store, by which it keeps times, is ahead of this machine's.
    pub store_ahead: SignedDuration,
}

impl Reading {
    pub fn of(clock: &dyn Clock) -> Self {
        Self { now: clock.now(), wall: clock.wall(), boot: clock.boot(), store_ahead: SignedDuration::ZERO }
    }
}
