//! Single flight: one piece of work for all callers who want its outcome.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use parking_lot::ArcMutexGuard;

use crate::error::Error;
use crate::process::clock::Clock;
use crate::record::Moment;
use crate::record::hold_off::SHORTEST;

/// Work that was started. It is under way until this is dropped.
pub type Started = ArcMutexGuard<parking_lot::RawMutex, ()>;

/// What work comes to. All who wait for it get the same.
pub type Outcome<T> = Result<T, Box<Error>>;

/// Work of which there is one at a time.
#[derive(Debug)]
pub struct SingleFlight<T> {
    state: Mutex<State<T>>,
    finished: Condvar,
    /// Taken by `try_lock` alone, where nothing parks: see process/fork.rs.
    under_way: Arc<parking_lot::Mutex<()>>,
}

#[derive(Debug)]
struct State<T> {
    /// How many flights have finished, and the end of the last one.
    finishes: u64,
    last: Option<Finish<T>>,
}

/// What a flight came to, and when. For a moment it is everybody's, so that a caller who waits in slices meets it.
#[derive(Debug)]
struct Finish<T> {
    outcome: Outcome<T>,
    at: Moment,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        let state = State { finishes: 0, last: None };
        Self { state: Mutex::new(state), finished: Condvar::new(), under_way: Arc::default() }
    }
}

impl<T> Finish<T> {
    fn is_fresh(&self, now: Moment) -> bool {
        !self.at.after(SHORTEST).left(now).is_zero()
    }

    /// The error with the time that is left of its hold-off; `None`: that is over, or there was none.
    fn failure(&self, now: Moment) -> Option<Error> {
        let error = self.outcome.as_ref().err()?;
        let left = self.at.after(error.retry_after).left(now);
        (!left.is_zero()).then(|| Error::clone(error).held_off_for(left))
    }
}

impl<T: Clone> SingleFlight<T> {
    /// Starts a flight; `None` while one is under way.
    pub fn try_start(&self) -> Option<Started> {
        parking_lot::Mutex::try_lock_arc(&self.under_way)
    }

    /// Waits until `deadline` for the flight under way, or for one that `start` sets off, unless `ready` has what is wanted:
    /// it is given what a flight came to that has only just finished. `None`: the time ran out. `joining` is called by who
    /// has to wait.
    pub fn wait(
        &self,
        deadline: Instant,
        clock: &dyn Clock,
        ready: impl FnOnce(Option<&T>) -> Option<T>,
        joining: impl FnOnce(),
        start: impl FnOnce(Started),
    ) -> Option<Outcome<T>> {
        let mut state = self.state();
        let now = clock.now();
        let fresh = state.last.as_ref().filter(|last| last.is_fresh(now));
        if let Some(ready) = ready(fresh.and_then(|last| last.outcome.as_ref().ok())) {
            return Some(Ok(ready));
        }
        if let Some(error) = fresh.and_then(|last| last.failure(now)) {
            return Some(Err(Box::new(error)));
        }
        joining();
        let seen = state.finishes;
        // A caller that may not start gets an outcome that is still to come: a flight ends under this lock.
        if let Some(started) = self.try_start() {
            // Not under the lock: where no thread can be started, the work is done here and now.
            drop(state);
            start(started);
            state = self.state();
        }
        while state.finishes == seen {
            let left = deadline.saturating_duration_since(clock.instant());
            if left.is_zero() {
                return None;
            }
            state = self.finished.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.last.as_ref().map(|last| last.outcome.clone())
    }

    /// Ends the flight: everybody who waits gets `outcome`.
    pub fn finish(&self, started: Started, outcome: Result<T, Error>, now: Moment) {
        let mut state = self.state();
        state.finishes += 1;
        let outcome = outcome.map_err(|error| {
            let time = error.retry_after.max(SHORTEST);
            Box::new(error.held_off_for(time))
        });
        state.last = Some(Finish { outcome, at: now });
        drop(started);
        drop(state);
        self.finished.notify_all();
    }

    /// The failure of the last flight, while its hold-off lasts.
    pub fn failure(&self, now: Moment) -> Option<Error> {
        self.state().last.as_ref()?.failure(now)
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
