//! What a child process needs after `fork`. The one place that knows of it.
//!
//! A child has one thread, the one that called `fork`. What other threads held at that instant stays held for ever, so a
//! child never waits for what it inherited: it makes its own, taking over what it can have without waiting.
//!
//! Which primitive serves where was measured with forks under contention (500 children and more for each):
//! - a token is read through `arc_swap`, without a lock, so that a child has it at any instant;
//! - what waits is std's Mutex and Condvar, in a [`PerProcess`]: new ones work in every child;
//! - parking_lot's locks park in a table of the process that a fork can catch half changed, and then even new ones hang;
//!   so they serve by `try_lock` alone, where nothing parks;
//! - `Once`, `OnceLock` and `LazyLock` stay "running" for ever in a child that was forked while they ran: none is used.

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(1);

/// Runs in the child, before `fork` returns there; nothing but an atomic may be touched here.
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// A number that is another one in each child; never 0.
pub fn generation() -> u64 {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if !WATCHED.load(Ordering::Acquire) {
        // Two threads may both come here: a fork then counts twice, which does no harm.
        // SAFETY: the handler lives as long as the library, which is never unloaded (-z nodelete).
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        WATCHED.store(true, Ordering::Release);
    }
    GENERATION.load(Ordering::Relaxed)
}

/// What a child makes anew from what its parent had.
pub trait Inherit {
    /// The first one of a process; `parent` is what the process was forked with. Must not wait for anything of it.
    fn inherit(parent: Option<&Self>) -> Self;
}

/// A value of which each process has its own.
pub struct PerProcess<T> {
    current: AtomicPtr<Made<T>>,
}

struct Made<T> {
    generation: u64,
    value: T,
}

impl<T: Inherit> PerProcess<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { current: AtomicPtr::new(ptr::null_mut()) }
    }

    /// With the present process's value.
    pub fn holding(value: T) -> Self {
        let made = Box::into_raw(Box::new(Made { generation: generation(), value }));
        Self { current: AtomicPtr::new(made) }
    }

    /// This process's value.
    pub fn get(&self) -> &T {
        let generation = generation();
        let mut seen = self.current.load(Ordering::Acquire);
        loop {
            // SAFETY: what was published stays until `self` is dropped; a parent's value stays for good.
            let made = unsafe { seen.as_ref() };
            if let Some(made) = made.filter(|made| made.generation == generation) {
                return &made.value;
            }
            let value = T::inherit(made.map(|made| &made.value));
            let fresh = Box::into_raw(Box::new(Made { generation, value }));
            match self.current.compare_exchange(seen, fresh, Ordering::AcqRel, Ordering::Acquire) {
                // The parent's value is left where it is: its locks may be held, by threads that are not here.
                // SAFETY: just published, see above.
                Ok(_) => return unsafe { &(*fresh).value },
                Err(other) => {
                    // SAFETY: nobody else has seen it.
                    drop(unsafe { Box::from_raw(fresh) });
                    seen = other;
                }
            }
        }
    }
}

impl<T: Inherit> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let made = *self.current.get_mut();
        if !made.is_null() {
            // SAFETY: made by `get`, and nobody else can reach it any more.
            drop(unsafe { Box::from_raw(made) });
        }
    }
}
