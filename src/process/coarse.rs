//! The time to within two seconds, for a fraction of what the exact clock costs.
//!
//! The system keeps two coarse clocks that are mere reads of memory. Neither can be relied on alone: one stops while the
//! machine sleeps, the other can be set, and on some machines they do not move at all. So the exact clock is read once a second,
//! and what it said holds while both coarse clocks say that hardly any time has passed since.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

use super::fork::Inherit;
use crate::record::Moment;

/// How long a reading of the exact clock serves, in nanoseconds of the coarse clock. That lags behind by a tick at most, 10 ms
/// on the slowest machines; so less than a second has passed.
const SERVES: u64 = 980_000_000;

/// By how many seconds the date may differ from that of the reading: less than two have passed then.
const SECONDS: u64 = 1;

/// What is added to the reading, which is so the latest moment that it can be.
const BOUND: Duration = Duration::from_secs(2);

/// The two coarse clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coarse {
    /// In nanoseconds: does not jump, and stands still while the machine sleeps.
    pub monotonic: u64,
    /// The date and time in seconds, which can be set.
    pub wall: u64,
}

/// The last reading of the exact clock, beside what the coarse ones said.
#[derive(Debug, Default)]
pub struct Window {
    /// Odd while one thread writes.
    sequence: AtomicU64,
    monotonic: AtomicU64,
    wall: AtomicU64,
    /// The latest moment that it can be while the window is open, in nanoseconds. 0: the coarse clock was not seen to move.
    latest: AtomicU64,
}

impl Window {
    /// The latest moment that it can be: never before the true one, and at most two seconds after it.
    pub fn latest(&self, coarse: impl Fn() -> Coarse, exact: impl FnOnce() -> Moment) -> Moment {
        let reading = coarse();
        self.known(reading).unwrap_or_else(|| {
            let exact = exact();
            self.open(reading, exact);
            exact
        })
    }

    fn known(&self, now: Coarse) -> Option<Moment> {
        let sequence = self.sequence.load(Ordering::Acquire);
        let latest = self.latest.load(Ordering::Relaxed);
        // A clock that was set back has passed almost all there is.
        let open = latest != 0
            && now.monotonic.wrapping_sub(self.monotonic.load(Ordering::Relaxed)) < SERVES
            && now.wall.wrapping_sub(self.wall.load(Ordering::Relaxed)) <= SECONDS;
        fence(Ordering::Acquire);
        let unchanged = sequence.is_multiple_of(2) && self.sequence.load(Ordering::Relaxed) == sequence;
        (open && unchanged).then(|| Moment::at(Duration::from_nanos(latest)))
    }

    /// Opens the window anew, unless another thread does.
    #[cold]
    fn open(&self, coarse: Coarse, exact: Moment) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        let odd = sequence | 1;
        if sequence == odd
            || self.sequence.compare_exchange(sequence, odd, Ordering::Acquire, Ordering::Relaxed).is_err()
        {
            return;
        }
        fence(Ordering::Release);
        // The first reading tells nothing of that.
        let before = self.monotonic.swap(coarse.monotonic, Ordering::Relaxed);
        let moved = ![0, coarse.monotonic].contains(&before);
        let latest = u64::try_from(exact.after(BOUND).since_start().as_nanos()).unwrap_or(u64::MAX);
        self.wall.store(coarse.wall, Ordering::Relaxed);
        self.latest.store(if moved { latest } else { 0 }, Ordering::Relaxed);
        self.sequence.store(odd + 1, Ordering::Release);
    }
}

/// The date and time in seconds. No other clock of the system is read so fast.
pub fn seconds() -> u64 {
    // SAFETY: without a place for the answer it touches no memory.
    unsafe { libc::time(std::ptr::null_mut()) }.cast_unsigned()
}

impl Inherit for Window {
    /// A child's is closed: its parent may have been about to open its own.
    fn inherit(_: Option<&Self>) -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const TICK: u64 = 4_000_000;

    /// A machine: how far each clock is in nanoseconds, and how often the exact one was read.
    struct Machine {
        window: Window,
        exact: Cell<u64>,
        monotonic: Cell<u64>,
        wall: Cell<u64>,
        readings: Cell<u32>,
    }

    impl Machine {
        fn new() -> Self {
            Self {
                window: Window::default(),
                exact: Cell::new(9000 * SECOND + 123),
                monotonic: Cell::new(5000 * SECOND),
                wall: Cell::new(1_790_000_000 * SECOND + SECOND / 3),
                readings: Cell::new(0),
            }
        }

        /// Time passes: so much by the exact clock and by each coarse one.
        fn pass(&self, exact: u64, monotonic: u64, wall: i64) {
            self.exact.set(self.exact.get() + exact);
            self.monotonic.set(self.monotonic.get() + monotonic);
            self.wall.set(self.wall.get().wrapping_add_signed(wall));
        }

        /// Asks, and holds the answer against the truth. Whether the exact clock was read.
        fn ask(&self) -> bool {
            let before = self.readings.get();
            let latest = self.window.latest(
                || Coarse { monotonic: self.monotonic.get(), wall: self.wall.get() / SECOND },
                || {
                    self.readings.set(self.readings.get() + 1);
                    Moment::at(Duration::from_nanos(self.exact.get()))
                },
            );
            let (latest, truth) = (latest.since_start(), Duration::from_nanos(self.exact.get()));
            assert!(latest >= truth, "{latest:?} is before {truth:?}");
            assert!(latest <= truth + BOUND, "{latest:?} is long after {truth:?}");
            self.readings.get() != before
        }

        /// One that has been running well.
        fn running() -> Self {
            let machine = Self::new();
            assert!(machine.ask());
            machine.pass(TICK, TICK, TICK as i64);
            assert!(machine.ask(), "now it is seen to move");
            assert!(!machine.ask());
            machine
        }
    }

    #[test]
    fn the_exact_clock_is_read_once_a_second() {
        let machine = Machine::running();
        let readings = (0..2500).filter(|_| {
            machine.pass(TICK, TICK, TICK as i64);
            machine.ask()
        });
        assert!((9..=12).contains(&readings.count()), "in ten seconds");
    }

    #[test]
    fn a_machine_that_slept_is_noticed() {
        for seconds in [1, 2, 3, 7200] {
            for _ in 0..3 {
                let machine = Machine::running();
                machine.pass(seconds * SECOND, 0, (seconds * SECOND) as i64);
                assert!(machine.ask() || seconds == 1, "{seconds}");
            }
        }
    }

    #[test]
    fn a_clock_that_was_set_is_noticed_or_does_no_harm() {
        for set in [-7200, -1, 2, 7200] {
            let machine = Machine::running();
            machine.pass(TICK, TICK, set * SECOND as i64);
            assert!(machine.ask(), "{set}");
        }
        let machine = Machine::running();
        // Set back by just so much as has passed.
        machine.pass(7200 * SECOND, 7200 * SECOND, 0);
        assert!(machine.ask());
    }

    #[test]
    fn a_coarse_clock_that_stands_still_is_not_relied_on() {
        let still = Machine::new();
        for wall in [0, SECOND as i64] {
            assert!((0..1000).all(|_| {
                still.pass(SECOND, 0, wall);
                still.ask()
            }));
        }
        for (monotonic, wall) in [(SECOND, 0), (0, SECOND as i64)] {
            let stops = Machine::running();
            let readings = (0..1000).filter(|_| {
                stops.pass(SECOND, monotonic, wall);
                stops.ask()
            });
            assert!(readings.count() > 400, "{monotonic} {wall}");
        }
    }

    #[test]
    fn a_child_reads_for_itself() {
        let machine = Machine::running();
        let child = Machine { window: Window::inherit(Some(&machine.window)), ..Machine::new() };
        assert!(child.ask());
    }

    #[test]
    fn threads_never_see_half_a_reading() {
        let window = Window::default();
        let ticks = AtomicU64::new(1);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100_000 {
                        // Half a second a step: each second one opens a window.
                        let now = ticks.fetch_add(1, Ordering::SeqCst) * SECOND / 2;
                        let latest = window.latest(
                            || Coarse { monotonic: now, wall: now / SECOND },
                            || Moment::at(Duration::from_nanos(now)),
                        );
                        let latest = latest.since_start().as_nanos();
                        assert!(
                            (now.into()..=u128::from(now) + BOUND.as_nanos()).contains(&latest),
                            "{latest} at {now}"
                        );
                    }
                });
            }
        });
    }
}
