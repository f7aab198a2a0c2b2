//! Readings of clocks, as values.

use std::time::Duration;

use jiff::Timestamp;

/// A moment of the clock that counts from the machine's start, also while it sleeps, and that nobody can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
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

/// All clocks of a machine at one moment.
#[derive(Debug, Clone)]
pub struct Now {
    /// The clock that does not jump.
    pub moment: Moment,
    /// The date and time, which may be wrong and may be set.
    pub wall: Timestamp,
    /// Another text after each start of the machine: moments mean something only to the same start. `None`: unknown.
    pub boot: Option<String>,
}

/// Clocks that were read so long ago are read again. No operation of a store takes longer.
const OUTDATED: Duration = Duration::from_millis(2500);

impl Now {
    /// Whether this process was stopped since it read its clocks: what it has read from a store since is put into the wrong
    /// time.
    pub fn is_outdated(&self, moment: Moment) -> bool {
        moment > self.moment.after(OUTDATED)
    }
}
