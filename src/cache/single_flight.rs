//! Single flight: one piece of work for all callers who want its outcome.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use parking_lot::ArcMutexGuard;

use crate::error::Error;
use crate::process::clock::Clock;
use crate::record::Moment;
use crate::record::hold_off::SHORTEST;

/// The right to do the work. It ends when it is dropped.
pub type Lead = ArcMutexGuard<parking_lot::RawMutex, ()>;

/// What work comes to. All who wait for it get the same.
pub type Outcome<T> = Result<T, Box<Error>>;

/// Work of which there is one at a time.
#[derive(Debug)]
pub struct SingleFlight<T> {
    state: Mutex<State<T>>,
    finished: Condvar,
    /// Taken by `try_lock` alone, where nothing parks: see process/fork.rs.
    lead: Arc<parking_lot::Mutex<()>>,
}

#[derive(Debug)]
struct State<T> {
    /// How many flights have finished, and what the last one came to.
    finishes: u64,
    outcome: Option<Outcome<T>>,
    failure: Option<LastFailure>,
}

/// The failure of the last flight. For a moment it is everybody's, so that a caller who waits in slices meets it.
#[derive(Debug)]
struct LastFailure {
    error: Error,
    at: Moment,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        let state = State { finishes: 0, outcome: None, failure: None };
        Self { state: Mutex::new(state), finished: Condvar::new(), lead: Arc::default() }
    }
}

impl LastFailure {
    /// The error with the time that is left of its hold-off; `None`: that is over.
    fn error(&self, now: Moment) -> Option<Error> {
        let left = self.at.after(self.error.retry_after).left(now);
        (!left.is_zero()).then(|| self.error.clone().held_off_for(left))
    }
}

impl<T: Clone> SingleFlight<T> {
    /// The right to start, unless a flight is under way.
    pub fn lead(&self) -> Option<Lead> {
        parking_lot::Mutex::try_lock_arc(&self.lead)
    }

    /// Waits until `deadline` for the flight under way, or for one that `start` sets off, unless `ready` has what is wanted.
    /// `None`: the time ran out. `joining` is called by who has to wait.
    pub fn wait(
        &self,
        deadline: Instant,
        clock: &dyn Clock,
        ready: impl Fn() -> Option<T>,
        joining: impl FnOnce(),
        start: impl FnOnce(Lead),
    ) -> Option<Outcome<T>> {
        let mut state = self.state();
        let now = clock.now();
        if let Some(ready) = ready() {
            return Some(Ok(ready));
        }
        if let Some(error) = state.fresh_failure(now) {
            return Some(Err(Box::new(error)));
        }
        joining();
        let seen = state.finishes;
        // Whoever does not get the lead is sure of an outcome still to come: a flight lets go of it under this lock.
        if let Some(lead) = self.lead() {
            // Not under the lock: where no thread can be started, the work is done here and now.
            drop(state);
            start(lead);
            state = self.state();
        }
        while state.finishes == seen {
            let left = deadline.saturating_duration_since(clock.instant());
            if left.is_zero() {
                return None;
            }
            state = self.finished.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.outcome.clone()
    }

    /// Ends the flight: everybody who waits gets `outcome`.
    pub fn finish(&self, lead: Lead, outcome: Result<T, Error>, now: Moment) {
        let mut state = self.state();
        state.finishes += 1;
        state.failure = None;
        state.outcome = Some(outcome.map_err(|error| {
            let time = error.retry_after.max(SHORTEST);
            let error = error.held_off_for(time);
            state.failure = Some(LastFailure { error: error.clone(), at: now });
            Box::new(error)
        }));
        drop(lead);
        drop(state);
        self.finished.notify_all();
    }

    /// The failure of the last flight, while its hold-off lasts.
    pub fn failure(&self, now: Moment) -> Option<Error> {
        self.state().failure.as_ref()?.error(now)
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// The last failure, if it has only just happened: then there is no other flight yet.
    fn fresh_failure(&self, now: Moment) -> Option<Error> {
        let failure = self.failure.as_ref()?;
        let fresh = !failure.at.after(SHORTEST).left(now).is_zero();
        failure.error(now).filter(|_| fresh)
    }
}
