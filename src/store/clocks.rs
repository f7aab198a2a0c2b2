//! How a machine's date was set when something was kept, so that one that is set later does no harm.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::record::Now;

/// Clocks whose difference is this small are the same.
const CLOSE: SignedDuration = SignedDuration::from_secs(1);

/// What tells later how the date was set when something was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// The machine's start, by its date and time.
    started_ms: i64,
    /// Which start it was.
    boot: Option<String>,
}

impl Clocks {
    /// As they are now.
    pub fn of(now: &Now) -> Self {
        let up = SignedDuration::try_from(now.moment.since_start()).unwrap_or(SignedDuration::MAX);
        let started = now.wall.saturating_sub(up).unwrap_or(Timestamp::MIN);
        Self { started_ms: started.as_millisecond(), boot: now.boot.clone() }
    }

    /// How far the date of then is ahead of today's: it was set since. Zero where the machine was started anew.
    pub fn ahead_of(&self, now: &Now) -> SignedDuration {
        let present = Self::of(now);
        let ahead = SignedDuration::from_millis(self.started_ms.saturating_sub(present.started_ms));
        let same = self.boot.is_some() && self.boot == present.boot;
        if same && ahead.abs() > CLOSE { ahead } else { SignedDuration::ZERO }
    }
}
