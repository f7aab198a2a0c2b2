//! The clocks of the machine, and what else a simulation must decide: sleeping and chance.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::time::{ClockId, clock_gettime};

#[cfg(target_os = "linux")]
use super::coarse::{self, Coarse, Window};
#[cfg(target_os = "linux")]
use super::fork::PerProcess;
use super::random::random;
use crate::record::time::{Moment, Now};

/// The clocks, sleep and chance. The library asks for them here and nowhere else, so that a simulation decides them all.
pub trait Clock: Send + Sync {
    /// The clock that does not jump, and goes on while the machine sleeps.
    fn now(&self) -> Moment;

    /// The latest moment that it can be: never before [`Clock::now`], at most two seconds after it, and told sooner.
    fn latest(&self) -> Moment {
        self.now()
    }

    /// The date and time, which may be wrong and may be set.
    fn wall(&self) -> Timestamp;

    /// A text that changes with each start of the machine: moments of other processes mean something only when it is
    /// equal. `None`: not known.
    fn boot(&self) -> Option<String>;

    /// What deadlines of calls are measured by.
    fn instant(&self) -> Instant {
        Instant::now()
    }

    /// Sleeps so long.
    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }

    /// A random number from the kernel; the largest one where the kernel has none.
    fn random(&self) -> u64 {
        random().map_or(u64::MAX, u64::from_ne_bytes)
    }

    /// All clocks, read once.
    fn read(&self) -> Now {
        Now { moment: self.now(), wall: self.wall(), boot: self.boot() }
    }
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
        Moment::at(clock_gettime(clock).map(Duration::from).unwrap_or_default())
    }

    #[cfg(target_os = "linux")]
    fn latest(&self) -> Moment {
        static WINDOW: PerProcess<Window> = PerProcess::new();
        let coarse = || Coarse {
            monotonic: clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE)
                .map_or(0, |time| time.tv_sec().cast_unsigned() * 1_000_000_000 + time.tv_nsec().cast_unsigned()),
            wall: coarse::seconds(),
        };
        WINDOW.get().latest(coarse, || self.now())
    }

    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn boot(&self) -> Option<String> {
        fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_clocks_go_forward_and_chance_differs() {
        let before = System.read();
        System.sleep(Duration::from_millis(2));
        let after = System.read();
        assert!(after.moment > before.moment && after.wall > before.wall && after.boot == before.boot);
        assert_ne!(System.random(), System.random());
    }
}
