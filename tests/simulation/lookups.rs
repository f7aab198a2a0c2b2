//! What `client` does in the library, on simulated threads: callers ask the cache entry, flights look up.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tps::cache::{Entry, LogoutFlight, LookupFlight, Published, Started};
use tps::lookup::{Lookup, too_late};
use tps::process::clock::Clock;
use tps::record::Rules;
use tps::{Error, Secret};

use super::clock::SimClock;
use super::places::{StoreId, Summary};
use super::requests::Requests;
use super::scheduler::Sim;
use super::store;
use super::world::Password;

/// What is noted about the lookup or logout that a thread runs.
#[derive(Debug, Default, Clone)]
pub struct Notes {
    pub began: Duration,
    /// For how long its process had been stopped then, and whether it was stopped since.
    pub stopped_before: Duration,
    pub stopped: bool,
    /// A lock of its was lost.
    pub lost_lock: bool,
    /// When it read its clocks last, and when it did so for the login that it has written down, and why that is to be sent.
    pub read_at: Duration,
    pub decided: Option<(Duration, &'static str)>,
    /// It has probed, and whether the login that is written down should have been preceded by that.
    pub probed: bool,
    pub unprobed: bool,
    /// Stores that did not serve.
    pub failed: BTreeSet<StoreId>,
    /// What it read last, by store.
    pub seen: BTreeMap<StoreId, Summary>,
    /// Where the login that it sends is written down.
    pub written_down: BTreeSet<StoreId>,
    /// One of them has lost it.
    pub forgotten: bool,
    /// It has sent a login, in the ledger's count.
    pub login: Option<usize>,
}

impl Notes {
    /// A record is about to be written. `reason`: that of the login that it says is to be sent.
    pub fn decides(&mut self, reason: Option<&'static str>) {
        let at = self.decided.map_or(self.read_at, |(at, _)| at);
        self.decided = reason.map(|reason| (at, reason));
    }
}

/// A client of a process.
pub struct Client {
    pub sim: Arc<Sim>,
    pub process: usize,
    pub entry: Arc<Entry>,
    pub clock: SimClock,
    timeout: Duration,
    slice: Option<Duration>,
    refresh_ahead: Option<Duration>,
}

impl Client {
    pub fn new(sim: &Arc<Sim>, process: usize) -> Self {
        let world = sim.world();
        Self {
            sim: sim.clone(),
            process,
            entry: world.processes[process].entry.clone(),
            clock: SimClock { sim: sim.clone(), process },
            timeout: world.plan.timeout,
            slice: world.plan.slice,
            refresh_ahead: world.plan.refresh_ahead,
        }
    }

    /// The valid token, by a lookup where there is none. The caller waits in slices.
    pub fn token(&self) -> Result<Arc<Published>, Error> {
        let deadline = self.clock.instant() + self.timeout;
        loop {
            if let Some(token) = self.at_hand() {
                return Ok(token);
            }
            let outcome = self.entry.wait(self.clock.instant(), &self.clock, |started| self.start_lookup(started));
            match outcome {
                Some(outcome) => return outcome.map_err(|error| *error),
                None if self.left(deadline).is_zero() => return Err(too_late(self.timeout)),
                None => self.wait(deadline),
            }
        }
    }

    /// Revokes the token. Whether it is done.
    pub fn logout(&self) -> bool {
        let deadline = self.clock.instant() + self.timeout;
        loop {
            let outcome =
                self.entry.wait_for_logout(self.clock.instant(), &self.clock, |started| self.start_logout(started));
            match outcome {
                Some(outcome) => return outcome.is_ok(),
                None if self.left(deadline).is_zero() => return false,
                None => self.wait(deadline),
            }
        }
    }

    fn left(&self, deadline: Instant) -> Duration {
        deadline.saturating_duration_since(self.clock.instant())
    }

    fn wait(&self, deadline: Instant) {
        let left = self.left(deadline);
        match self.slice {
            Some(slice) => self.sim.pass(slice.min(left)),
            None => self.sim.wait_for_flight(left),
        }
    }

    fn at_hand(&self) -> Option<Arc<Published>> {
        let now = self.clock.now();
        self.entry.asked(now);
        let token = self.entry.token(now)?;
        if self.entry.renewable(&token, now, self.refresh_ahead) {
            self.entry.renew(|started| self.start_lookup(started));
            // Where there is no thread, it was done here and now, and took its time.
            return self.entry.token(self.clock.now());
        }
        Some(token)
    }

    fn start_lookup(&self, started: Started) {
        let flight = LookupFlight::new(&self.entry, started);
        self.start("lookup", move |client| {
            let need = client.entry.need(client.clock.now());
            let (found, sent) = client.look_up(|lookup| (lookup.find(&need), lookup.sent.get()));
            client.sim.world().looked_up(client.process, &found);
            client.sim.pass(Duration::from_micros(50));
            let gave_token = found.is_ok();
            flight.finish(found, sent, &client.clock, Duration::ZERO);
            client.sim.world().finished(client.process, gave_token);
        });
    }

    fn start_logout(&self, started: Started) {
        let flight = LogoutFlight::new(&self.entry, started);
        self.start("logout", move |client| {
            let mine = client.entry.last_token().map(|published| published.token.clone());
            let revoked = client.look_up(|lookup| lookup.give_back(mine));
            client.sim.world().gave_back(client.process, &revoked);
            client.sim.pass(Duration::from_micros(50));
            flight.finish(revoked, &client.clock, Duration::ZERO);
            client.sim.world().flight_over(client.process);
        });
    }

    /// Does the work on a thread of its own; where the system gives none, on this one.
    fn start(&self, name: &'static str, work: impl FnOnce(&Self) + Send + 'static) {
        let (process, time, no_thread) = {
            let mut world = self.sim.world();
            let time = world.random.time(Duration::from_micros(10), Duration::from_millis(1));
            (self.process, time, world.faults_on && world.random.chance(10))
        };
        if no_thread {
            work(self);
        } else {
            self.sim.start(process, name, time, move |sim| work(&Self::new(sim, process)));
        }
    }

    fn look_up<T>(&self, by: impl FnOnce(&Lookup<'_>) -> T) -> T {
        let (rules, password) = {
            let mut world = self.sim.world();
            world.lookup_begins(self.process);
            let process = &world.processes[self.process];
            let rules = Rules {
                logins_per_day: world.plan.per_day,
                own_token: world.plan.own_token.then(|| Secret::new("T0".to_owned())),
                proxy: None,
                refresh_ahead: self.refresh_ahead,
                spread: self.entry.spread(),
                process: self.process as u32,
            };
            (rules, process.password)
        };
        // A lookup ends a little before those who wait for it.
        let deadline = self.clock.instant() + self.timeout - (self.timeout / 10).min(Duration::from_millis(250));
        let store = store::open(&self.clock, self.entry.memory(), deadline);
        by(&Lookup {
            store: &*store,
            server: &Requests { clock: self.clock.clone(), password },
            clock: &self.clock,
            rules: &Rules { own_token: rules.own_token.clone().filter(|_| password == Password::Right), ..rules },
            timeout: self.timeout,
            connect_timeout: Duration::from_secs(3),
            deadline,
            sent: Cell::new(false),
        })
    }
}
