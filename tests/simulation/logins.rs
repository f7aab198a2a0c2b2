//! What must hold for each login and each probe.

use std::collections::BTreeMap;
use std::time::Duration;

use tps::record::Attempt;

use super::clock::SimClock;
use super::ledger::Login;
use super::places::StoreId;
use super::scheduler::Sim;
use super::world::{Password, World};

/// A replacement that is rejected earlier is not replaced at once.
const FRESH: Duration = Duration::from_secs(30);

impl World {
    /// A login is about to be sent. Gives its number in the ledger.
    pub fn login_begins(&mut self) -> usize {
        let task = Sim::current();
        self.ledger.under_way.push(task);
        let process = self.tasks[task].process.expect("a process logs in");
        self.no_other_login(task);
        // A second request of the same login.
        if let Some(login) = self.tasks[task].notes.login {
            return login;
        }
        let notes = self.tasks[task].notes.clone();
        let (memory, reason) = self.written_in_memory(process);
        let stores: Vec<_> = notes.written_down.iter().copied().chain(memory).collect();
        if notes.unprobed {
            self.violated("a login follows that of a process that died, without a probe");
        }
        if stores.is_empty() && !notes.forgotten {
            self.violated("a login is sent that is not written down");
        }
        let login = self.ledger.logins.len();
        let (decided, reason) = notes.decided.unwrap_or((notes.read_at, reason));
        let renewal = !["first", "rejected"].contains(&reason);
        let free = |store: &StoreId| Some((*store, self.renews(process, *store, decided).filter(|_| renewal)?));
        let free = stores.iter().filter_map(free).collect();
        self.ledger.logins.push(Login {
            task,
            decided,
            answered: None,
            served: false,
            token: None,
            delivered: BTreeMap::new(),
            free,
            reason,
        });
        if self.processes[process].password == Password::Right {
            for store in stores {
                self.not_too_fresh(store, login);
                // Redis's date was read when the lookup began; by the one that it has now, the login's time is another.
                if self.ledger.redis_set.is_none_or(|set| set < notes.began) {
                    self.ledger.written.entry(store).or_default().push(login);
                }
            }
            self.login_after_faults(process, login);
        }
        self.notes().login = Some(login);
        login
    }

    /// Whether the process's memory says that a login is under way, and why.
    fn written_in_memory(&self, process: usize) -> (Option<StoreId>, &'static str) {
        let now = self.now_of(process);
        match self.processes[process].entry.memory().record(&now).attempt {
            Attempt::Sent(sent) => (Some(StoreId::Memory(process)), sent.reason.name()),
            _ => (None, ""),
        }
    }

    pub fn now_of(&self, process: usize) -> tps::record::Now {
        let host = self.host_of(process);
        tps::record::Now {
            moment: SimClock::moment(self, process),
            wall: self.date(host.wall_ahead),
            boot: Some(format!("{}-{}", self.processes[process].host, host.boot)),
        }
    }

    /// No two logins at once, while a store serves both.
    fn no_other_login(&mut self, task: usize) {
        let others = self.ledger.under_way.clone();
        let process = |task: usize| self.tasks[task].process.expect("a process logs in");
        for other in others {
            let (mine, theirs) = (&self.tasks[task].notes, &self.tasks[other].notes);
            let [me, them] = [task, other].map(process);
            let alive = self.processes[them].alive && !self.tasks[other].done;
            let excused = mine.stopped || theirs.stopped || mine.lost_lock || theirs.lost_lock;
            if other == task || !alive || excused || self.processes[me].password != self.processes[them].password {
                continue;
            }
            let common = self.stores_of(me).into_iter().filter(|store| self.stores_of(them).contains(store));
            if let Some(store) = common.into_iter().find(|s| !mine.failed.contains(s) && !theirs.failed.contains(s)) {
                let text = format!("p{} and p{} log in at once, though {store} serves both", me + 1, them + 1);
                return self.violated(&text);
            }
        }
    }

    /// Whether a store's record says that a token is dead.
    fn is_dead_in(&self, store: StoreId, fingerprint: &str) -> bool {
        match store {
            StoreId::Memory(process) => {
                self.processes[process].entry.memory().record(&self.now_of(process)).dead.has(fingerprint)
            }
            _ => self
                .places
                .get(&(store, Password::Right))
                .is_some_and(|place| place.holds.dead.iter().any(|dead| dead == fingerprint)),
        }
    }

    /// The token whose one free renewal a login may be.
    fn renews(&self, process: usize, store: StoreId, decided: Duration) -> Option<usize> {
        let tolerance = Duration::from_secs(3);
        let confused = self.confused_until(process);
        let found = self.api.tokens.iter().enumerate().find(|(number, made)| {
            let Some(expires) = made.expires.filter(|_| !self.is_dead_in(store, &made.fingerprint)) else {
                return false;
            };
            let Some(login) = self.ledger.login_of(*number).map(|login| &self.ledger.logins[login]) else {
                return false;
            };
            let delivered = login.is_delivered();
            // Its life is counted from before its login was sent.
            let ahead = self.plan.ahead(expires - made.at) + made.at.saturating_sub(login.decided) + tolerance;
            let due = decided + ahead >= expires || confused.is_some_and(|set| made.at <= set);
            delivered && due && !self.ledger.renewed.contains(&(store, *number))
        });
        found.map(|(number, _)| number)
    }

    /// A token that replaced a rejected one is not replaced itself at once.
    fn not_too_fresh(&mut self, store: StoreId, login: usize) {
        let logins = &self.ledger.logins;
        let before = self.ledger.written.get(&store).and_then(|all| all.last()).map(|before| &logins[*before]);
        let Some(before) = before else { return };
        let (reasons, decided) = ((before.reason, logins[login].reason), logins[login].decided);
        // One that was given back did not have to be replaced.
        let rejected = before.token.is_some_and(|token| !self.api.tokens[token].given_back);
        let answered = before.answered.filter(|_| rejected && before.delivered.contains_key(&store));
        let soon = answered.is_some_and(|at| decided >= at && decided + Duration::from_secs(1) < at + FRESH);
        let dates_are_set = self.plan.faults.iter().any(|fault| fault.sets_dates());
        if soon && reasons == ("rejected", "rejected") && !dates_are_set {
            self.violated(&format!("{store}: a replacement is replaced within 30 s"));
        }
    }

    /// After the faults: one login, and one probe before it, for all who share a store.
    fn login_after_faults(&mut self, process: usize, login: usize) {
        let Some(store) = self.shared_after_faults(process) else { return };
        self.ledger.probes_after.insert(store, 0);
        let before = self.ledger.logins_after.entry(store).or_default();
        before.push(login);
        let Some(before) = before.iter().rev().nth(1).copied() else { return };
        let token = self.ledger.logins[before].token.map(|token| &self.api.tokens[token]);
        // A logout that began before may end later.
        let given_back =
            self.api.tokens.iter().any(|made| made.given_back && Some(made.at) >= token.map(|made| made.at));
        let needed = given_back
            || token.is_some_and(|made| {
                // A logout that began before has revoked it.
                made.revoked
                    || made.expires.is_some_and(|expires| {
                        self.time + self.plan.ahead(expires - made.at) + Duration::from_secs(3) >= expires
                    })
            });
        if !needed {
            self.violated("a second login after the faults");
        }
    }

    pub fn probe_begins(&mut self) {
        (self.notes().probed, self.notes().unprobed) = (true, false);
        let Some(process) = self.tasks[Sim::current()].process else { return };
        let Some(store) = self.shared_after_faults(process) else { return };
        // Somebody who had lost its lock before came in between.
        if !self.notes().failed.is_empty() {
            return;
        }
        let probes = self.ledger.probes_after.entry(store).or_default();
        *probes += 1;
        if *probes > 1 {
            self.violated("a second probe after the faults");
        }
    }

    /// The store that a process shares with most others, for a lookup that began after the faults.
    fn shared_after_faults(&self, process: usize) -> Option<StoreId> {
        let began = self.tasks[Sim::current()].notes.began;
        self.recovery.filter(|since| began > *since && self.processes[process].password == Password::Right)?;
        self.stores_of(process).first().copied()
    }

    pub fn login_ends(&mut self) {
        let task = Sim::current();
        self.ledger.under_way.retain(|other| *other != task);
        let (login, time) = (self.tasks[task].notes.login, self.time);
        if let Some(login) = login {
            self.ledger.logins[login].answered = Some(time);
        }
        self.within_budget();
    }

    /// No more tokens than the budget allows, by any store.
    pub fn within_budget(&mut self) {
        let stores: Vec<_> = self.ledger.written.keys().copied().collect();
        let broken = stores.into_iter().find_map(|store| self.ledger.beyond_budget(store, self.plan.per_day));
        if let Some(broken) = broken {
            self.violated(&broken);
        }
    }
}
