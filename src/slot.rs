//! A credential's place in memory: its token, the login under way, and the silence after a failure.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};

use arc_swap::ArcSwapOption;
use parking_lot::ArcMutexGuard;
use ring::digest::{Context, SHA256};

use crate::clock::Moment;
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::fork::{Inherit, PerProcess};
use crate::holdoff;
use crate::options::Options;
use crate::secret::Secret;
use crate::stats::{Counters, StoreReport};
use crate::store::seal::{Seal, random};
use crate::token::Token;

/// What a login came to. All who waited for it get the same.
pub type Outcome = Result<Arc<Token>, Error>;

/// The right to log in for a slot. It is let go of when it is dropped, wherever the flight ends.
type Lead = ArcMutexGuard<parking_lot::RawMutex, ()>;

/// One for each credential, store and server, for as long as the process lives: PHP makes and drops a client per page.
#[derive(Default)]
pub struct Slot {
    /// The present token, which may have ended. Written under the state's lock.
    token: ArcSwapOption<Token>,
    logins: PerProcess<Logins>,
}

/// All that has to do with finding another token.
#[derive(Default)]
struct Logins {
    state: Mutex<State>,
    landed: Condvar,
    /// Taken by `try_lock` alone; see fork.rs.
    lead: Arc<parking_lot::Mutex<()>>,
    counters: Counters,
}

/// What the lock guards. It is never held while anything is sent or read.
#[derive(Default)]
struct State {
    /// How many flights have ended, and what the last one came to.
    landings: u64,
    outcome: Option<Outcome>,
    known: Known,
}

/// What one flight leaves for the next.
#[derive(Default, Clone)]
pub struct Known {
    hold_off: Option<(Error, Moment)>,
    failures: u32,
    /// The token that the server rejected last; nothing takes it any more.
    pub rejected: Option<Secret>,
    /// What the store's entry is sealed by.
    pub seal: Option<Arc<Seal>>,
    /// How the store was when it was last used.
    pub store: StoreReport,
}

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A login of this process's.
    Login,
    /// The store.
    Store,
    /// The option `token`.
    Owner,
}

/// A login under way. Dropped without `land`, it lands as a bug of ours, so that nobody waits for it in vain.
pub struct Flight {
    slot: Arc<Slot>,
    lead: Option<Lead>,
}

impl Inherit for Logins {
    /// A child begins without logins under way and without counts.
    fn inherit(parent: Option<&Self>) -> Self {
        let known = parent.and_then(|parent| match parent.state.try_lock() {
            Ok(state) => Some(state.known.clone()),
            Err(TryLockError::Poisoned(state)) => Some(state.into_inner().known.clone()),
            Err(TryLockError::WouldBlock) => None,
        });
        Self { state: Mutex::new(State { known: known.unwrap_or_default(), ..State::default() }), ..Self::default() }
    }
}

/// All slots of the process, by a hash of what they belong to.
#[derive(Default)]
struct Slots(Mutex<BTreeMap<[u8; 32], Arc<Slot>>>);

static SLOTS: PerProcess<Slots> = PerProcess::new();

impl Inherit for Slots {
    fn inherit(parent: Option<&Self>) -> Self {
        Self(Mutex::new(parent.and_then(|parent| parent.0.try_lock().ok()?.clone().into()).unwrap_or_default()))
    }
}

impl Slot {
    /// The slot of these credentials in this process.
    pub fn of(credentials: &Credentials, options: &Options) -> Arc<Self> {
        let cache = format!("{:?}", options.cache);
        let key = hash(&[
            options.base_url.as_str(),
            credentials.username.expose(),
            &credentials.organization_id,
            &cache,
            credentials.password.expose(),
        ]);
        SLOTS.get().0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }

    /// The number of the token at hand; 0 when there is none.
    pub fn generation(&self) -> u64 {
        self.token.load().as_ref().filter(|token| token.usable(Moment::now())).map_or(0, |token| token.number)
    }

    /// The token at hand.
    pub fn token(&self) -> Option<Arc<Token>> {
        self.token.load_full().filter(|token| token.usable(Moment::now()))
    }

    /// The token that was had last, which may have ended.
    pub fn last_token(&self) -> Option<Arc<Token>> {
        self.token.load_full()
    }

    /// The failure that keeps logins back.
    pub fn hold_off(&self) -> Option<Error> {
        self.state().known.held_off(Moment::now())
    }

    /// What earlier flights left.
    pub fn known(&self) -> Known {
        self.state().known.clone()
    }

    /// What this flight learnt of the store.
    pub fn learn(&self, store: StoreReport, seal: Option<Arc<Seal>>) {
        let mut state = self.state();
        state.known.store = store;
        if seal.is_some() {
            state.known.seal = seal;
        }
    }

    /// What happened here since the process began.
    pub fn counters(&self) -> &Counters {
        &self.logins.get().counters
    }

    /// Waits until `deadline` for a token, by the login under way or by one that `depart` sends off. `None`: the time
    /// ran out.
    pub fn wait(self: &Arc<Self>, deadline: Moment, depart: impl FnOnce(Flight)) -> Option<Outcome> {
        let logins = self.logins.get();
        let mut depart = Some(depart);
        let mut joined = None;
        let mut state = self.state();
        loop {
            let now = Moment::now();
            match joined {
                None => {
                    if let Some(token) = self.token() {
                        return Some(Ok(token));
                    }
                    if let Some(error) = state.known.held_off(now) {
                        return Some(Err(error));
                    }
                    joined = Some(state.landings);
                    logins.counters.waits.add();
                    // Whoever does not get the lead is sure of a landing still to come: a flight lets go of it under
                    // this lock.
                    if let Some(lead) = parking_lot::Mutex::try_lock_arc(&logins.lead)
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
            state = logins.landed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Forgets the token with this text, for good; false when another one, or none, is present.
    pub fn forget(&self, text: &str) -> bool {
        let mut state = self.state();
        let present = self.token.load_full().filter(|token| token.value.expose() == text);
        if let Some(token) = &present {
            state.known.rejected = Some(token.value.clone());
            self.token.store(None);
        }
        present.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.logins.get().state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn held_off(&self, now: Moment) -> Option<Error> {
        let (error, until) = self.hold_off.as_ref()?;
        let left = until.left(now);
        (!left.is_zero()).then(|| error.clone().silent_for(left))
    }
}

impl Flight {
    /// Publishes what the search for a token came to and wakes everybody who waits for it.
    pub fn land(mut self, found: Result<(Token, Origin), Error>) {
        self.finish(found);
    }

    fn finish(&mut self, found: Result<(Token, Origin), Error>) {
        let Some(lead) = self.lead.take() else { return };
        let logins = self.slot.logins.get();
        let mut state = self.slot.state();
        let outcome = match found {
            Ok((token, origin)) => {
                let token = Arc::new(token);
                match origin {
                    Origin::Login => logins.counters.logins.add(),
                    Origin::Store => logins.counters.adopted.add(),
                    Origin::Owner => {}
                }
                self.slot.token.store(Some(token.clone()));
                state.known.failures = 0;
                state.known.hold_off = None;
                Ok(token)
            }
            Err(error) => {
                logins.counters.logins_failed.add();
                state.known.failures = state.known.failures.saturating_add(1);
                let random = random().map_or(u64::MAX, u64::from_ne_bytes);
                let silence = holdoff::silence(&error, state.known.failures, random);
                let error = error.silent_for(silence);
                state.known.hold_off = Some((error.clone(), Moment::now().after(silence)));
                Err(error)
            }
        };
        state.outcome = Some(outcome);
        state.landings += 1;
        drop(lead);
        drop(state);
        logins.landed.notify_all();
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.finish(Err(Error::new(Status::Internal, "the login ended without an outcome; please report this")));
    }
}

/// A hash of several texts, each with its length, so that ("a", "bc") and ("ab", "c") differ.
pub fn hash(parts: &[&str]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    // SHA-256 has 32 bytes.
    context.finish().as_ref().try_into().unwrap_or_default()
}
