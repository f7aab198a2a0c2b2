//! Counts since the process began, for one entry.

use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::process::fork::{self, Inherit, PerProcess};
use crate::record::{Origin, Reason};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What happened besides hits.
#[derive(Debug, Default)]
pub struct Counters {
    /// Tokens taken from the store.
    pub adopted: Counter,
    /// Logins that gave a token, in the order of [`Reason::NAMES`].
    logins: [Counter; Reason::NAMES.len()],
    /// Lookups that sent something and gave no token.
    pub logins_failed: Counter,
    /// Calls that waited for a lookup.
    pub waits: Counter,
    /// Tokens that were reported as rejected while they were the published one.
    pub invalidations: Counter,
    /// Of these, tokens that the server still accepts.
    pub false_alarms: Counter,
}

impl Counters {
    /// Counts a token that was found.
    pub fn found(&self, origin: Origin) {
        match origin {
            Origin::Login(reason) => {
                let place = Reason::NAMES.iter().position(|(known, _)| *known == reason);
                if let Some(counter) = place.and_then(|place| self.logins.get(place)) {
                    counter.add();
                }
            }
            Origin::Store => self.adopted.add(),
            Origin::FalseAlarm => self.false_alarms.add(),
            Origin::Owner => {}
        }
    }

    /// Logins that gave a token, by the name of their reason.
    pub fn logins(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Reason::NAMES.iter().zip(&self.logins).map(|((_, name), counter)| (*name, counter.get()))
    }
}

/// Tokens that were handed out since the process began. One thread counts right here, in memory that it reads anyway. From a second
/// thread on, each counts on a cache line of its own, so that they do not slow each other down.
#[derive(Default)]
pub struct Hits {
    /// Who counts here: a process and the line of one of its threads, or [`BESIDE`]. 0: nobody has counted yet. In a child it
    /// stays the parent's, with the count.
    whose: AtomicU64,
    here: AtomicU64,
    lines: PerProcess<Lines>,
}

#[derive(Default)]
struct Lines([Line; LINES]);

const LINES: usize = 4;

#[derive(Default)]
#[repr(align(64))]
struct Line(AtomicU64);

/// In the place of the thread's line: all threads count on lines from now on.
const BESIDE: u64 = 4;
/// So many bits of the word tell the line.
const BITS: u32 = 3;

impl Hits {
    /// One more.
    pub fn add(&self) {
        self.add_by(fork::generation(), own_line());
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        let mine = self.whose.load(Ordering::Relaxed) >> BITS == fork::generation();
        let here = if mine { self.here.load(Ordering::Relaxed) } else { 0 };
        here + self.lines.get().0.iter().map(|line| line.0.load(Ordering::Relaxed)).sum::<u64>()
    }

    fn add_by(&self, process: u64, line: usize) {
        let me = whose(process, line as u64);
        let before = self.whose.load(Ordering::Relaxed);
        if before == me || before == 0 && self.becomes(before, me) {
            self.here.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let beside = whose(process, BESIDE);
        if before >> BITS == process && before != beside {
            self.becomes(before, beside);
        }
        if let Some(line) = self.lines.get().0.get(line) {
            line.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// False where another thread was faster. This one counts on its line then, which is always right.
    fn becomes(&self, before: u64, after: u64) -> bool {
        self.whose.compare_exchange(before, after, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Inherit for Lines {
    fn inherit(_: Option<&Self>) -> Self {
        Self::default()
    }
}

fn whose(process: u64, line: u64) -> u64 {
    process << BITS | line
}

/// The line of the calling thread, told by the place of its stack: asking for a thread's own variable takes longer than counting.
/// Stacks of 1, 2, 4 or 8 MiB lie side by side, so four threads that were started together have four lines.
fn own_line() -> usize {
    let local = 0_u8;
    let here = ptr::from_ref(&local).addr();
    ((here >> 20) ^ (here >> 21) ^ (here >> 23)) % LINES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_threads() {
        for threads in [1, 8] {
            let hits = Hits::default();
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| (0..10_000).for_each(|_| hits.add()));
                }
            });
            assert_eq!(hits.get(), threads * 10_000);
        }
    }

    #[test]
    fn one_thread_counts_in_one_place_until_another_one_comes() {
        let (hits, process) = (Hits::default(), fork::generation());
        let [one, other] = [0, 1];
        for _ in 0..3 {
            hits.add_by(process, one);
        }
        assert_eq!((hits.here.load(Ordering::Relaxed), hits.get()), (3, 3));
        for line in [other, one, other] {
            hits.add_by(process, line);
        }
        assert_eq!((hits.here.load(Ordering::Relaxed), hits.get()), (3, 6));
    }

    #[test]
    fn what_the_parent_process_counted_is_not_the_childs() {
        let (hits, process) = (Hits::default(), fork::generation());
        hits.whose.store(whose(process + 1, 0), Ordering::Relaxed);
        hits.here.store(5, Ordering::Relaxed);
        assert_eq!(hits.get(), 0);
        for hit in 1..4 {
            hits.add_by(process, 0);
            assert_eq!(hits.get(), hit);
        }
    }
}
