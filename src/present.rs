//! The present token, as every outgoing request sees it: no lock, no system call, and for a token without a known end no clock.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;

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
        self.hits.add();
    }
}

/// A count for which threads share no cache line, as long as there are not too many of them.
#[derive(Default)]
pub struct Hits {
    /// Of the first thread, mostly the only one.
    first: AtomicU64,
    others: ArcSwapOption<[Line; 3]>,
}

#[derive(Default)]
#[repr(align(64))]
struct Line(AtomicU64);

impl Hits {
    /// One more.
    pub fn add(&self) {
        let place = thread() % 4;
        if place == 0 {
            self.first.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut others = self.others.load();
        if others.is_none() {
            self.others.compare_and_swap(&*others, Some(Arc::default()));
            others = self.others.load();
        }
        if let Some(line) = others.as_ref().and_then(|others| others.get(place - 1)) {
            line.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many.
    pub fn sum(&self) -> u64 {
        let others = self.others.load();
        let counts = others.iter().flat_map(|others| others.iter()).map(|line| &line.0).chain([&self.first]);
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// A number of the calling thread's, from 0.
fn thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(1);
    thread_local! {
        static THREAD: Cell<usize> = const { Cell::new(0) };
    }
    // A thread that ends has no place of its own any more; any will do.
    let number = THREAD.try_with(|thread| {
        if thread.get() == 0 {
            thread.set(THREADS.fetch_add(1, Ordering::Relaxed));
        }
        thread.get()
    });
    number.unwrap_or(1) - 1
}
