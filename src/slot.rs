//! A credential's place in memory: its token, the login under way, and the silence after a failure.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

use parking_lot::ArcMutexGuard;
use sha2::{Digest, Sha256};

use crate::clock::Moment;
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::holdoff;
use crate::options::Options;
use crate::stats::Counters;
use crate::token::Token;

/// What a login came to. All who waited for it get the same.
pub type Outcome = Result<Arc<Token>, Error>;

/// The right to log in for a slot. It is let go of when it is dropped, wherever the flight ends.
type Lead = ArcMutexGuard<parking_lot::RawMutex, ()>;

/// One for each credential, store and server, for as long as the process lives: PHP makes and drops a client per page.
#[derive(Default)]
pub struct Slot {
    state: Mutex<State>,
    landed: Condvar,
    /// Taken by `try_lock` alone: parking_lot's waiting uses a table that does not survive a fork.
    lead: Arc<parking_lot::Mutex<()>>,
    /// The present token's number and end, so that `generation` needs no lock; written under the state's.
    number: AtomicU64,
    usable_until: AtomicU64,
    /// What happened here since the process began.
    pub counters: Counters,
}

/// What the lock guards. It is never held while anything is sent.
#[derive(Default)]
pub struct State {
    token: Option<Arc<Token>>,
    /// How many flights have ended, and what the last one came to.
    landings: u64,
    outcome: Option<Outcome>,
    hold_off: Option<(Error, Moment)>,
    failures: u32,
}

/// A login under way. Dropped without `land`, it lands as a bug of ours, so that nobody waits for it in vain.
pub struct Flight {
    slot: Arc<Slot>,
    lead: Option<Lead>,
}

impl Slot {
    /// The slot of these credentials in this process.
    pub fn of(credentials: &Credentials, options: &Options) -> Arc<Self> {
        static SLOTS: LazyLock<Mutex<HashMap<[u8; 32], Arc<Slot>>>> = LazyLock::new(Mutex::default);
        let mut key = Sha256::new();
        let cache = format!("{:?}", options.cache);
        let parts = [
            options.base_url.as_str(),
            credentials.username.expose(),
            &credentials.organization_id,
            &cache,
            credentials.password.expose(),
        ];
        for part in parts {
            key.update((part.len() as u64).to_le_bytes());
            key.update(part);
        }
        SLOTS.lock().unwrap_or_else(PoisonError::into_inner).entry(key.finalize().into()).or_default().clone()
    }

    /// The number of the token at hand; 0 when there is none.
    pub fn generation(&self) -> u64 {
        let number = self.number.load(Ordering::Acquire);
        let until = self.usable_until.load(Ordering::Acquire);
        let alive = until == u64::MAX || until > Moment::now().nanoseconds();
        if alive && number == self.number.load(Ordering::Acquire) { number } else { 0 }
    }

    /// The token at hand.
    pub fn token(&self, now: Moment) -> Option<Arc<Token>> {
        self.state().token.as_ref().filter(|token| token.usable(now)).cloned()
    }

    /// The present token, usable or not, and the failure that keeps logins back.
    pub fn present(&self, now: Moment) -> (Option<Arc<Token>>, Option<Error>) {
        let state = self.state();
        (state.token.clone(), state.held_off(now))
    }

    /// Waits until `deadline` for a token, by the login under way or by one that `depart` sends off. `None`: the time ran out.
    pub fn wait(self: &Arc<Self>, deadline: Moment, depart: impl FnOnce(Flight)) -> Option<Outcome> {
        let mut depart = Some(depart);
        let mut joined = None;
        let mut state = self.state();
        loop {
            let now = Moment::now();
            match joined {
                None => {
                    if let Some(token) = state.token.as_ref().filter(|token| token.usable(now)) {
                        return Some(Ok(token.clone()));
                    }
                    if let Some(error) = state.held_off(now) {
                        return Some(Err(error));
                    }
                    joined = Some(state.landings);
                    self.counters.waits.add();
                    // Whoever does not get the lead is sure of a landing still to come: a flight lets go of it under this lock.
                    if let Some(lead) = parking_lot::Mutex::try_lock_arc(&self.lead)
                        && let Some(depart) = depart.take()
                    {
                        // Not under the lock: a flight that cannot depart lands here and now.
                        drop(state);
                        depart(Flight { slot: self.clone(), lead: Some(lead) });
                        state = self.state();
                        continue;
                    }
                }
                Some(seen) if state.landings > seen => return state.outcome.clone(),
                Some(_) => {}
            }
            let left = deadline.left(now);
            if left.is_zero() {
                return None;
            }
            state = self.landed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes `token` where there is none; the present one stays.
    pub fn adopt(&self, token: Token) {
        let mut state = self.state();
        if state.token.is_none() {
            self.put(&mut state, Some(Arc::new(token)));
        }
    }

    /// Forgets the token with this text; false when another one, or none, is present.
    pub fn forget(&self, text: &str) -> bool {
        let mut state = self.state();
        let present = state.token.as_ref().is_some_and(|token| token.value.expose() == text);
        if present {
            self.put(&mut state, None);
        }
        present
    }

    fn put(&self, state: &mut State, token: Option<Arc<Token>>) {
        // No number while the end changes: a reader never pairs one token's number with another's end.
        self.number.store(0, Ordering::Release);
        self.usable_until.store(token.as_ref().map_or(0, |token| token.usable_until()), Ordering::Release);
        self.number.store(token.as_ref().map_or(0, |token| token.number), Ordering::Release);
        state.token = token;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn held_off(&self, now: Moment) -> Option<Error> {
        let (error, until) = self.hold_off.as_ref()?;
        let left = until.left(now);
        (!left.is_zero()).then(|| error.clone().silent_for(left))
    }
}

impl Flight {
    /// Publishes what the login came to and wakes everybody who waits for it.
    pub fn land(mut self, outcome: Result<Token, Error>) {
        self.finish(outcome);
    }

    fn finish(&mut self, outcome: Result<Token, Error>) {
        let Some(lead) = self.lead.take() else { return };
        let mut state = self.slot.state();
        let outcome = match outcome {
            Ok(token) => {
                let token = Arc::new(token);
                self.slot.counters.logins.add();
                self.slot.put(&mut state, Some(token.clone()));
                state.failures = 0;
                state.hold_off = None;
                Ok(token)
            }
            Err(error) => {
                self.slot.counters.logins_failed.add();
                state.failures = state.failures.saturating_add(1);
                let random = getrandom::u64().unwrap_or(u64::MAX);
                let silence = holdoff::silence(&error, state.failures, random);
                let error = error.silent_for(silence);
                state.hold_off = Some((error.clone(), Moment::now().after(silence)));
                Err(error)
            }
        };
        state.outcome = Some(outcome);
        state.landings += 1;
        drop(lead);
        drop(state);
        self.slot.landed.notify_all();
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.finish(Err(Error::new(Status::Internal, "the login ended without an outcome; please report this")));
    }
}
