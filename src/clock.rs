//! What time it is: one clock that never jumps for life and deadlines.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// A moment of the clock that counts from the machine's start, also while it sleeps, and that nobody can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// The present moment.
    pub fn now() -> Self {
        #[cfg(target_os = "linux")]
        let clock = ClockId::CLOCK_BOOTTIME;
        #[cfg(not(target_os = "linux"))]
        let clock = ClockId::CLOCK_MONOTONIC;
        // Neither clock can be missing on the systems that this compiles for.
        Self(clock_gettime(clock).map(Duration::from).unwrap_or_default())
    }

    /// The moment `wait` from this one.
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }

    /// How long it is from `now` until this moment; zero when it is past.
    pub fn left(self, now: Self) -> Duration {
        self.0.saturating_sub(now.0)
    }
}
