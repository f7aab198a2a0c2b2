//! The present token, as every outgoing request sees it: no lock, no system call, and for a token without a known end no clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::fork::Inherit;
use crate::slot::Slot;
use crate::token::Token;

impl Slot {
    /// The number of the token that serves whatever the time; 0: look closer.
    pub fn timeless(&self) -> u64 {
        self.timeless.load(Ordering::Acquire)
    }

    /// What `read` makes of the token that serves whatever the time; `None`: look closer.
    pub fn read<T>(&self, read: impl FnOnce(&Token) -> T) -> Option<T> {
        let timeless = self.timeless();
        if timeless == 0 {
            return None;
        }
        let token = self.token.load();
        let token = token.as_ref().filter(|token| token.number == timeless)?;
        self.hit();
        Some(read(token))
    }

    /// Puts a token, or none, in the place of the present one. Under the state's lock.
    pub fn replace(&self, token: Option<Arc<Token>>) {
        self.timeless.store(0, Ordering::Release);
        let timeless = token.as_ref().filter(|token| token.ends.is_none()).map_or(0, |token| token.number);
        self.token.store(token);
        self.timeless.store(timeless, Ordering::Release);
    }

    /// The server is said to have rejected the present token. Under the state's lock.
    pub fn doubt(&self) {
        self.timeless.store(0, Ordering::Release);
    }

    /// Counts a token that was handed out.
    pub fn hit(&self) {
        let count = match place() {
            0 => &self.hits,
            place => match self.more_hits.get().own.get(place - 1) {
                Some(line) => &line.0,
                None => {
                    self.more_hits.get().others.0.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            },
        };
        // Nobody else writes there.
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// How many were handed out; those of the first place count on through a fork.
    pub fn all_hits(&self) -> u64 {
        let more = self.more_hits.get();
        let counts = more.own.iter().chain([&more.others]).map(|line| &line.0).chain([&self.hits]);
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// Hits of all places but the first.
#[derive(Default)]
pub struct MoreHits {
    /// A cache line for each of the next ones.
    own: [Line; PLACES - 1],
    others: Line,
}

#[derive(Default)]
#[repr(align(64))]
struct Line(AtomicU64);

impl Inherit for MoreHits {
    /// A child counts for itself.
    fn inherit(_: Option<&Self>) -> Self {
        Self::default()
    }
}

/// A place that one thread at a time has for its hits: 0, or one of `MoreHits::own`, or the one behind them, which is common.
struct Place(usize);

/// How many there are that are not common.
const PLACES: usize = 4;

/// A bit for each that is taken.
static TAKEN: AtomicU8 = AtomicU8::new(0);

impl Place {
    fn take() -> Self {
        let free = |taken: u8| (0..PLACES).find(|place| taken & (1 << place) == 0);
        let before = TAKEN.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |taken| Some(taken | 1 << free(taken)?));
        Self(before.ok().and_then(free).unwrap_or(PLACES))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.0 < PLACES {
            TAKEN.fetch_and(!(1 << self.0), Ordering::AcqRel);
        }
    }
}

fn place() -> usize {
    thread_local! {
        static PLACE: Place = Place::take();
    }
    // A thread that ends has none any more.
    PLACE.try_with(|place| place.0).unwrap_or(PLACES)
}
