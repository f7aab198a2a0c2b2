//! One credential's place in memory: the published token, and all that has to do with finding another one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::counters::{Counters, Hits};
use super::published::{Publication, Published};
use super::renewal_times::RenewalTimes;
use super::report::StoreReport;
use super::single_flight::{Outcome, SingleFlight, Started};
use crate::error::{Error, Status};
use crate::events::{Event, Events, Kind};
use crate::process::clock::Clock;
use crate::process::fork::{Inherit, PerProcess};
use crate::record::{Moment, Need, Now, Origin, Token};
use crate::store::Seals;
use crate::store::memory::Memory;

/// A credential's place in memory.
///
/// What handing out a token takes stands on one cache line, and the token's text on those behind it: a process may have thousands
/// of entries.
#[derive(Default)]
#[repr(C, align(64))]
pub struct Entry {
    hits: Hits,
    published: Publication,
    own: PerProcess<Own>,
}

/// What each process has for itself. A forked child begins with what its parent knew, and without what its parent had
/// under way.
#[derive(Default)]
struct Own {
    lookups: SingleFlight<Arc<Published>>,
    logouts: SingleFlight<()>,
    /// The number of the published token that was reported as rejected, until a lookup has decided.
    rejected: AtomicU64,
    renewal_times: RenewalTimes,
    state: Mutex<State>,
    counters: Counters,
    events: Events,
    memory: Memory,
    seals: Seals,
}

/// What the lock guards. It is never held while anything is sent or read.
#[derive(Default)]
struct State {
    /// When the rejected token was reported.
    reported_at: Timestamp,
    store: StoreReport,
}

impl Inherit for Own {
    fn inherit(parent: Option<&Self>) -> Self {
        Self {
            rejected: AtomicU64::new(parent.map_or(0, |parent| parent.rejected.load(Ordering::Acquire))),
            renewal_times: RenewalTimes::new(),
            memory: parent.map(|parent| parent.memory.inherited()).unwrap_or_default(),
            seals: parent.map(|parent| parent.seals.inherited()).unwrap_or_default(),
            ..Self::default()
        }
    }
}

impl Entry {
    /// A process's entry, or that of a child of `parent`'s process, which renews by this `spread`: a simulation leaves
    /// nothing to chance.
    #[doc(hidden)]
    pub fn simulated(parent: Option<&Self>, spread: f64) -> Self {
        let own = Own { renewal_times: RenewalTimes::with(spread), ..Own::inherit(parent.map(Self::own)) };
        let entry = Self { own: PerProcess::holding(own), ..Self::default() };
        entry.published.replace(parent.and_then(|parent| parent.published.token()));
        entry
    }

    /// The number of the token that is valid whatever the time, as a word that changes with it; 0: look closer, by
    /// [`Entry::generation`].
    pub fn lasting(&self) -> &AtomicU64 {
        self.published.lasting()
    }

    /// The number of the token whose end, and whose renewal, are far for one who asks no later than `latest`; 0: look closer.
    pub fn sure(&self, latest: impl FnOnce() -> Moment, ahead: Option<Duration>) -> u64 {
        self.published.sure(latest, ahead)
    }

    /// Copies the text of the token of that number into `room(bytes)`, as a hit; `None`: look closer, by [`Entry::token`].
    pub fn copy<R: AsMut<[u64]>>(&self, number: u64, room: impl FnOnce(usize) -> R) -> Option<R> {
        let copied = self.published.copy(number, room)?;
        self.hits.add();
        Some(copied)
    }

    /// The number of the valid token; 0 when there is none, or when somebody should come and have it renewed.
    pub fn generation(&self, now: Moment, ahead: Option<Duration>) -> u64 {
        self.published.number_if(|token| self.is_valid(token, now) && !self.renewable(token, now, ahead))
    }

    /// The valid token.
    pub fn token(&self, now: Moment) -> Option<Arc<Published>> {
        self.published.token().filter(|token| self.is_valid(token, now))
    }

    /// The token that was had last. It may have expired, or be reported as rejected.
    pub fn last_token(&self) -> Option<Arc<Published>> {
        self.published.token()
    }

    /// Counts a token that was handed out.
    pub fn hit(&self) {
        self.hits.add();
    }

    /// How many tokens were handed out since the process began.
    pub fn hits(&self) -> u64 {
        self.hits.get()
    }

    /// What else happened since the process began.
    pub fn counters(&self) -> &Counters {
        &self.own().counters
    }

    /// The last events.
    pub fn events(&self) -> &Events {
        &self.own().events
    }

    /// This process's own store, behind all others.
    pub fn memory(&self) -> &Memory {
        &self.own().memory
    }

    /// The keys of the stores.
    pub fn seals(&self) -> &Seals {
        &self.own().seals
    }

    /// How the store was when it was last used.
    pub fn store(&self) -> StoreReport {
        self.state().store.clone()
    }

    /// From 0 to 1: when this process renews.
    pub fn spread(&self) -> f64 {
        self.own().renewal_times.spread
    }

    /// The failure that holds calls off.
    pub fn failure(&self, now: Moment) -> Option<Error> {
        self.own().lookups.failure(now)
    }

    /// Somebody asks: from the first time on it counts how long this process stays.
    pub fn asked(&self, now: Moment) {
        self.own().renewal_times.asked(now);
    }

    /// What a lookup is to find.
    pub fn need(&self, now: Moment) -> Need {
        let rejected = self.own().rejected.load(Ordering::Acquire);
        let rejected = self.published.token().filter(|token| token.number == rejected);
        Need {
            rejected: rejected.map(|token| (token.fingerprint(), self.state().reported_at)),
            expired: self.published.token().filter(|token| !token.usable(now)).map(|token| token.fingerprint()),
            renewing: self.token(now).is_some(),
        }
    }

    /// Whether `token` is to be renewed by this process now.
    pub fn renewable(&self, token: &Token, now: Moment, ahead: Option<Duration>) -> bool {
        self.own().renewal_times.is_due(token, now, ahead)
    }

    /// Starts a renewal, unless somebody else is about to find a token.
    pub fn renew(&self, start: impl FnOnce(Started)) {
        let own = self.own();
        if let Some(started) = own.lookups.try_start() {
            own.renewal_times.begin();
            start(started);
        }
    }

    /// Waits until `deadline` for a token, by the lookup under way or by one that `start` sets off. `None`: the time ran out.
    pub fn wait(
        &self,
        deadline: Instant,
        clock: &dyn Clock,
        start: impl Fn(Started),
    ) -> Option<Outcome<Arc<Published>>> {
        let own = self.own();
        let wait =
            || own.lookups.wait(deadline, clock, |_| self.token(clock.now()), || own.counters.waits.add(), &start);
        // This process may have been stopped since the server made the token, for longer than that lives: then once more.
        let valid =
            |outcome: &Outcome<Arc<Published>>| outcome.as_ref().map_or(true, |token| token.usable(clock.now()));
        match wait()? {
            outcome if valid(&outcome) => Some(outcome),
            _ => wait().filter(valid),
        }
    }

    /// Waits until `deadline` for a logout, the one under way or one that `start` sets off. `None`: the time ran out.
    pub fn wait_for_logout(
        &self,
        deadline: Instant,
        clock: &dyn Clock,
        start: impl FnOnce(Started),
    ) -> Option<Outcome<()>> {
        // One that has only just ended is that of a caller who waits in slices. Another one would revoke a token that somebody
        // else has stored since.
        let done = |fresh: Option<&()>| fresh.filter(|()| self.last_token().is_none()).copied();
        self.own().logouts.wait(deadline, clock, done, || {}, start)
    }

    /// Notes that the server rejected the token with this text; false when another one, or none, is published.
    pub fn report(&self, text: &str, wall: Timestamp) -> bool {
        let mut state = self.state();
        let own = self.own();
        let Some(token) = self.published.token().filter(|token| token.value.expose() == text) else { return false };
        self.published.doubt();
        state.reported_at = wall;
        let new = own.rejected.swap(token.number, Ordering::AcqRel) != token.number;
        if new {
            own.counters.invalidations.add();
            own.events.add(Event::new(Kind::Rejected), wall);
        }
        new
    }

    /// Notes how the store is.
    pub fn note_store(&self, report: StoreReport, wall: Timestamp) {
        let mut state = self.state();
        if let Some(event) = report.event_after(&state.store) {
            self.own().events.add(event, wall);
        }
        state.store = report;
    }

    /// Makes `token` the published one. One that is published already keeps its number, and stays reported if it was
    /// reported while the lookup was under way.
    pub(super) fn publish(&self, token: Arc<Token>, origin: Origin, now: &Now) -> Arc<Published> {
        let _one_at_a_time = self.state();
        let present = self.published.token().filter(|present| present.value == token.value);
        let published = present.unwrap_or_else(|| Published::new(token));
        let rejected = &self.own().rejected;
        if origin == Origin::FalseAlarm || rejected.load(Ordering::Acquire) != published.number {
            rejected.store(0, Ordering::Release);
            self.published.replace(Some(published.clone()));
        }
        // It was given back while the lookup was on its way here.
        if self.memory().record(now).dead.has(&published.fingerprint()) {
            rejected.store(published.number, Ordering::Release);
            self.published.doubt();
        }
        published
    }

    /// Forgets the token that was had last: it was given back, or replaced by one that was.
    pub(super) fn forget(&self) {
        let _one_at_a_time = self.state();
        self.published.replace(None);
    }

    /// Notes what a lookup came to, for the counts, the log and the next renewal; wakes everybody who waits for it.
    pub(super) fn finish_lookup(
        &self,
        started: Started,
        found: Result<(Arc<Token>, Origin), Error>,
        sent: bool,
        clock: &dyn Clock,
        time: Duration,
    ) {
        let (own, now) = (self.own(), clock.read());
        let (outcome, event, hold_off) = match found {
            Ok((token, origin)) => {
                own.counters.found(origin);
                (Ok(self.publish(token, origin, &now)), Event::found(origin), None)
            }
            Err(error) => {
                if sent {
                    own.counters.logins_failed.add();
                }
                // A lock that was not had in time holds nobody off.
                let event = (sent || error.status != Status::Timeout).then(|| Event::failure(&error));
                let hold_off = error.retry_after;
                (Err(error), event, Some(hold_off))
            }
        };
        if let Some(event) = event {
            own.events.add(event.lasting(time), now.wall);
        }
        own.renewal_times.end(now.moment, hold_off);
        own.lookups.finish(started, outcome, now.moment);
    }

    /// Wakes everybody who waits for a logout.
    pub(super) fn finish_logout(&self, started: Started, outcome: Result<(), Error>, now: Moment) {
        self.own().logouts.finish(started, outcome, now);
    }

    fn is_valid(&self, token: &Published, now: Moment) -> bool {
        token.usable(now) && self.own().rejected.load(Ordering::Acquire) != token.number
    }

    fn own(&self) -> &Own {
        self.own.get()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.own().state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
