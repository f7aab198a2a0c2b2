//! Counts since the process began, for one entry.

use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Tokens that were handed out. Threads count on different cache lines, so that they do not slow each other down.
#[derive(Debug, Default)]
pub struct Hits([Line; LINES]);

const LINES: usize = 4;

#[derive(Debug, Default)]
#[repr(align(64))]
struct Line(AtomicU64);

impl Hits {
    /// One more.
    pub fn add(&self) {
        if let Some(line) = self.0.get(own_line()) {
            line.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.iter().map(|line| line.0.load(Ordering::Relaxed)).sum()
    }
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
        let hits = Hits::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..10_000).for_each(|_| hits.add()));
            }
        });
        assert_eq!(hits.get(), 80_000);
    }
}
