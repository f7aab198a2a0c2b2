//! What happened, for whoever carries the pager.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Since the process began, for one slot.
#[derive(Default)]
pub struct Counters {
    /// Tokens handed out from memory.
    pub hits: Counter,
    /// Logins that gave a token.
    pub logins: Counter,
    /// Logins that did not.
    pub logins_failed: Counter,
    /// Calls that waited for a login.
    pub waits: Counter,
    /// Tokens that were reported as rejected while they were the present one.
    pub invalidations: Counter,
}
