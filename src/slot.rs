//! A credential's place in memory: its token, the login under way, and the silence after a failure.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use parking_lot::ArcMutexGuard;

use crate::clock::{Clock, Moment, System};
use crate::credentials::Credentials;
use crate::digest::hash;
use crate::error::{Error, Status};
use crate::fork::{Inherit, PerProcess};
use crate::holdoff::LEAST;
use crate::obtain::Origin;
use crate::options::Options;
use crate::present::MoreHits;
use crate::secret::Secret;
use crate::stats::{Counters, StoreReport};
use crate::store::Record;
use crate::store::seal::{Seal, random};
use crate::token::Token;

const NONE: u64 = u64::MAX;

/// What a login came to. All who waited for it get the same.
pub type Outcome = Result<Arc<Token>, Box<Error>>;

/// The right to log in for a slot. It is let go of when it is dropped, wherever the flight ends.
type Lead = ArcMutexGuard<parking_lot::RawMutex, ()>;

/// One for each credential, store and server, for as long as the process lives: PHP makes and drops a client per page.
///
/// What every call reads stands together, and apart from what every call writes.
#[derive(Default)]
#[repr(C)]
pub struct Slot {
    /// The present token, which may have ended. Written under the state's lock, see present.rs.
    pub token: ArcSwapOption<Token>,
    /// Its number, while it serves whatever the time: it has no known end, and nobody doubts it. Else 0.
    pub timeless: AtomicU64,
    pub more_hits: PerProcess<MoreHits>,
    logins: PerProcess<Logins>,
    _apart: [u64; 4],
    /// Of the first place: mostly there is one thread.
    pub hits: AtomicU64,
}

/// All that has to do with finding another token.
#[derive(Default)]
struct Logins {
    state: Mutex<State>,
    landed: Condvar,
    /// Taken by `try_lock` alone; see fork.rs.
    lead: Arc<parking_lot::Mutex<()>>,
    /// The number of the token that the server is said to have rejected; it is not at hand until that is cleared up.
    suspect: AtomicU64,
    /// Milliseconds of the clock that does not jump: no renewal begins before.
    renew_from: AtomicU64,
    /// The hits when the process began; `NONE`: it has not looked yet.
    hits_before: AtomicU64,
    /// From 0 to 1: when this process renews, so that not all come at once.
    spread: f64,
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
    silence: Option<Box<(Error, Moment)>>,
    /// The token that the server rejected last, or that was given back; nothing takes it any more.
    pub rejected: Option<Secret>,
    /// What the stores' entries are sealed by.
    pub seals: Vec<Arc<Seal>>,
    /// How the store was when it was last used.
    pub store: StoreReport,
    /// What the store's entry said, or, where there is no store, stands here in its place.
    pub record: Record,
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
        Self {
            state: Mutex::new(State { known: known.unwrap_or_default(), ..State::default() }),
            suspect: AtomicU64::new(parent.map_or(0, |parent| parent.suspect.load(Ordering::Acquire))),
            hits_before: AtomicU64::new(NONE),
            spread: f64::from(random().map_or(u32::MAX, u32::from_ne_bytes)) / f64::from(u32::MAX),
            ..Self::default()
        }
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

    /// The number of the token at hand; 0 when there is none, or when somebody should come and have it renewed.
    pub fn generation(&self, now: Moment, ahead: Option<Duration>) -> u64 {
        let at_hand = |token: &Token| self.serves(token, now) && !self.renewable(token, now, ahead);
        self.token.load().as_ref().filter(|token| at_hand(token)).map_or(0, |token| token.number)
    }

    /// The token at hand.
    pub fn token(&self, now: Moment) -> Option<Arc<Token>> {
        self.token.load_full().filter(|token| self.serves(token, now))
    }

    /// Whether `token` is to be renewed, and nobody is about to.
    pub fn renewable(&self, token: &Token, now: Moment, ahead: Option<Duration>) -> bool {
        self.due(token, now, ahead)
            && now >= Moment::at(Duration::from_millis(self.renew_from().load(Ordering::Acquire)))
    }

    /// Whether `token` is to be renewed.
    pub fn due(&self, token: &Token, now: Moment, ahead: Option<Duration>) -> bool {
        token.due(now, ahead, self.logins().spread)
    }

    fn serves(&self, token: &Token, now: Moment) -> bool {
        token.usable(now) && self.logins().suspect.load(Ordering::Acquire) != token.number
    }

    fn renew_from(&self) -> &AtomicU64 {
        &self.logins().renew_from
    }

    /// The token that was had last, which may have ended.
    pub fn last_token(&self) -> Option<Arc<Token>> {
        self.token.load_full()
    }

    /// The last token, if the server is said to have rejected it.
    pub fn suspect(&self) -> Option<Arc<Token>> {
        let suspect = self.logins().suspect.load(Ordering::Acquire);
        self.token.load_full().filter(|token| token.number == suspect)
    }

    /// What earlier flights left.
    pub fn known(&self) -> Known {
        self.state().known.clone()
    }

    /// Notes something for later flights.
    pub fn note(&self, note: impl FnOnce(&mut Known)) {
        note(&mut self.state().known);
    }

    /// How many tokens were handed out since the process began.
    pub fn hits(&self) -> u64 {
        let before = self.logins().hits_before.load(Ordering::Relaxed);
        self.all_hits().saturating_sub(before)
    }

    /// What else happened here since the process began.
    pub fn counters(&self) -> &Counters {
        &self.logins().counters
    }

    /// Sends a renewal off, unless somebody else is about to find a token.
    pub fn renew(self: &Arc<Self>, depart: impl FnOnce(Flight)) {
        let logins = self.logins();
        if let Some(lead) = parking_lot::Mutex::try_lock_arc(&logins.lead) {
            self.renew_from().store(u64::MAX, Ordering::Release);
            depart(Flight { slot: self.clone(), lead: Some(lead) });
        }
    }

    /// Waits until `deadline` for a token, by the login under way or by one that `depart` sends off. `None`: the time
    /// ran out.
    pub fn wait(
        self: &Arc<Self>,
        deadline: Instant,
        clock: &dyn Clock,
        depart: impl FnOnce(Flight),
    ) -> Option<Outcome> {
        let logins = self.logins();
        let mut depart = Some(depart);
        let mut joined = None;
        let mut state = self.state();
        loop {
            match joined {
                None => {
                    let now = clock.now();
                    if let Some(token) = self.token(now) {
                        return Some(Ok(token));
                    }
                    if let Some(error) = state.known.held_off(now) {
                        return Some(Err(Box::new(error)));
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
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state = logins.landed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Says that the server rejected the token with this text; false when another one, or none, is at hand.
    pub fn suspect_token(&self, text: &str) -> bool {
        let logins = self.logins();
        let _state = self.state();
        let Some(token) = self.token.load_full().filter(|token| token.value.expose() == text) else { return false };
        self.doubt();
        logins.suspect.swap(token.number, Ordering::AcqRel) != token.number
    }

    /// Forgets the token that was given back, for good.
    pub fn forget(&self, token: &Token) {
        let mut state = self.state();
        state.known.rejected = Some(token.value.clone());
        if self.token.load_full().is_some_and(|present| present.number == token.number) {
            self.replace(None);
        }
    }

    fn logins(&self) -> &Logins {
        let logins = self.logins.get();
        if logins.hits_before.load(Ordering::Relaxed) == NONE {
            // A child goes on with its parent's slots, and counts for itself.
            logins.hits_before.store(self.hits.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        logins
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.logins().state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The failure that keeps logins back.
    pub fn held_off(&self, now: Moment) -> Option<Error> {
        let (error, until) = self.silence.as_deref()?;
        let left = until.left(now);
        (!left.is_zero()).then(|| error.clone().silent_for(left))
    }
}

impl Flight {
    /// Publishes what the search for a token came to and wakes everybody who waits for it.
    pub fn land(mut self, found: Result<(Arc<Token>, Origin), Error>, now: Moment) {
        self.finish(found, now);
    }

    fn finish(&mut self, found: Result<(Arc<Token>, Origin), Error>, now: Moment) {
        let Some(lead) = self.lead.take() else { return };
        let logins = self.slot.logins();
        let mut state = self.slot.state();
        let outcome = match found {
            Ok((token, origin)) => {
                logins.counters.count(origin);
                if self.slot.suspect().is_some_and(|suspect| suspect.number != token.number) {
                    state.known.rejected = self.slot.last_token().map(|token| token.value.clone());
                }
                self.slot.replace(Some(token.clone()));
                logins.suspect.store(0, Ordering::Release);
                state.known.silence = None;
                Ok(token)
            }
            Err(error) => {
                logins.counters.logins_failed.add();
                let silence = error.retry_after.max(LEAST);
                let error = error.silent_for(silence);
                state.known.silence = Some(Box::new((error.clone(), now.after(silence))));
                Err(Box::new(error))
            }
        };
        let quiet = state.known.silence.as_ref().map_or(now, |silence| silence.1);
        let quiet = u64::try_from(quiet.since_start().as_millis()).unwrap_or(u64::MAX);
        logins.renew_from.store(quiet, Ordering::Release);
        state.outcome = Some(outcome);
        state.landings += 1;
        drop(lead);
        drop(state);
        logins.landed.notify_all();
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let bug = Error::new(Status::Internal, "the login ended without an outcome; please report this");
        self.finish(Err(bug), System.now());
    }
}
