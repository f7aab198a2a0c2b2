//! What must hold after each step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tps::lookup::Found;
use tps::record::{Attempt, Token};
use tps::{Error, Status};

use super::clock::SimClock;
use super::ledger::Login;
use super::lookups::Notes;
use super::places::{StoreId, Summary};
use super::scheduler::Sim;
use super::world::{Password, World};

/// What a call may take beyond its time.
const LATE: Duration = Duration::from_secs(3);

/// So many dead tokens are remembered.
const DEAD: usize = 8;

/// A replacement that is rejected earlier is not replaced at once.
const FRESH: Duration = Duration::from_secs(30);

impl World {
    pub fn notes(&mut self) -> &mut Notes {
        &mut self.tasks[Sim::current()].notes
    }

    /// For how long a process was stopped so far.
    pub fn stopped(&self, process: usize) -> Duration {
        self.processes[process].stopped
    }

    /// When a call begins, and for how long its process had been stopped.
    pub fn call_begins(&mut self, process: usize) -> (Duration, Duration) {
        (self.time, self.stopped(process))
    }

    pub fn lookup_begins(&mut self, process: usize) {
        let (began, stopped_before) = (self.time, self.stopped(process));
        *self.notes() = Notes { began, stopped_before, ..Notes::default() };
        self.processes[process].last_lookup = Some((began, Duration::MAX, false));
    }

    /// A store has another record now.
    pub fn written(&mut self, store: StoreId, before: &Summary, after: &Summary) {
        let first = self.tasks[Sim::current()].process.and_then(|process| self.stores_of(process).first().copied());
        // Somebody who had trouble with this store may have told another one how its login ended.
        let trouble = [before.by, Sim::current()].iter().any(|task| !self.tasks[*task].notes.failed.is_empty());
        let writer = &self.tasks[before.by];
        let writer_died =
            before.sent && !trouble && !writer.process.is_some_and(|process| self.processes[process].alive);
        let notes = self.notes();
        let unprobed = writer_died && before.token == after.token && !notes.probed;
        if after.sent {
            notes.written_down.insert(store);
            notes.login = None;
            if first == Some(store) {
                notes.unprobed = unprobed;
            }
        } else {
            notes.written_down.remove(&store);
        }
        let made = after.token.as_ref().and_then(|token| self.api.token(token)).and_then(|made| number(&made.value));
        if let Some(login) = made.and_then(|made| self.ledger.login_of(made)) {
            let time = self.time;
            self.ledger.logins[login].delivered.entry(store).or_insert(time);
        }
        // The server's dates are whole seconds.
        let older = |new: &str, old: &str| match (self.api.token(new), self.api.token(old)) {
            (Some(new), Some(old)) => new.at + Duration::from_secs(1) < old.at && new.value != "T0",
            _ => false,
        };
        let dead = |token: &str| self.api.token(token).is_some_and(|made| after.dead.contains(&made.fingerprint));
        // In one step, a newer one came from another store and was found dead.
        let newer_is_dead = |old: &str| {
            let at = self.api.token(old).map(|made| made.at);
            self.api
                .tokens
                .iter()
                .any(|made| Some(made.at + Duration::from_secs(1)) >= at && after.dead.contains(&made.fingerprint))
        };
        match (&before.token, &after.token) {
            (Some(old), None) if !dead(old) && !newer_is_dead(old) => {
                self.violated(&format!("{store} forgets {old}, which is not dead"))
            }
            (Some(old), Some(new)) if !dead(old) && older(new, old) => {
                self.violated(&format!("{store}: {old} is overwritten by {new}, which is older"));
            }
            (_, Some(new)) if dead(new) => self.violated(&format!("{store} keeps {new}, which is dead")),
            _ => {}
        }
        let lost = before.dead.iter().find(|dead| !after.dead.contains(dead));
        if let Some(lost) = lost.filter(|_| after.dead.len() < DEAD) {
            self.violated(&format!("{store} forgets that {lost} is dead"));
        }
    }

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
        if stores.is_empty() {
            self.violated("a login is sent that is not written down");
        }
        let login = self.ledger.logins.len();
        let decided = notes.decided.unwrap_or(notes.read_at);
        let free = |store: &StoreId| Some((*store, self.renews(process, *store, decided)?));
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
                self.ledger.written.entry(store).or_default().push(login);
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

    fn now_of(&self, process: usize) -> tps::record::Now {
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
        let needed = token.is_some_and(|made| {
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

    pub fn login_arrives(&mut self, _login: usize) {}

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

    /// A lookup has come to this; `rejected` is the token that was reported.
    pub fn looked_up(&mut self, process: usize, rejected: Option<&str>, found: &Result<Found, Error>) {
        let notes = self.notes().clone();
        self.tell_mine("lookup ends", || match found {
            Ok((token, origin)) => format!("{} {origin:?}", token.value.expose()),
            Err(error) => format!("{:?}, for {:?}", error.status, error.retry_after),
        });
        self.in_time(process, (notes.began, notes.stopped_before), "a lookup");
        if found.as_ref().is_err_and(|error| error.status == Status::Timeout) {
            // After its probe there was no time left for the login.
            self.ledger.probes_after.clear();
        }
        if let Ok((token, _)) = found {
            if let Some(login) = number(token.value.expose()).and_then(|made| self.ledger.login_of(made)) {
                let (time, now) = (self.time, self.now_of(process));
                let kept = self.processes[process].entry.memory().record(&now).has(&token.fingerprint());
                let login = &mut self.ledger.logins[login];
                login.served = true;
                if kept {
                    login.delivered.entry(StoreId::Memory(process)).or_insert(time);
                }
            }
            let fingerprint = token.fingerprint();
            if let Some((store, _)) = notes.seen.iter().find(|(_, seen)| seen.dead.contains(&fingerprint)) {
                self.violated(&format!("{} is handed out, which is dead by {store}", token.value.expose()));
            }
        }
        let _ = rejected;
    }

    /// A lookup is over, and what it came to is published.
    pub fn finished(&mut self, process: usize, gave_token: bool) {
        let (notes, time) = (self.notes().clone(), self.time);
        let state = &mut self.processes[process];
        state.last_lookup = Some((notes.began, time, notes.failed.is_empty() && !notes.stopped));
        if gave_token {
            state.knows_dead.extend(notes.seen.into_values().flat_map(|seen| seen.dead));
        }
        self.flight_over(process);
    }

    /// A logout has come to this.
    pub fn gave_back(&mut self, process: usize, revoked: &Result<Vec<Arc<Token>>, Error>) {
        self.tell_mine("logout ends", || match revoked {
            Ok(tokens) => format!("{:?}", tokens.iter().map(|token| token.value.expose()).collect::<Vec<_>>()),
            Err(error) => format!("{:?}", error.status),
        });
        let notes = self.notes().clone();
        self.in_time(process, (notes.began, notes.stopped_before), "a logout");
    }

    /// A caller got a token.
    pub fn handed_out(&mut self, process: usize, value: &str, since: (Duration, Duration)) {
        self.tell_mine("gets", || value.to_owned());
        self.in_time(process, since, "a call");
        let Some(made) = self.api.token(value) else { return self.violated("a token that nobody made") };
        let expired = made.expires.is_some_and(|expires| expires <= self.time);
        let (fingerprint, made_at) = (made.fingerprint.clone(), made.at);
        let confused = self.confused_until(process).is_some_and(|set| made_at <= set);
        if expired && !confused {
            self.violated(&format!("{value} is handed out, which has expired"));
        }
        if self.processes[process].knows_dead.contains(&fingerprint) {
            self.violated(&format!("{value} is handed out, which this process knows to be dead"));
        }
        if self.processes[process].password == Password::Wrong {
            self.violated(&format!("{value} is handed out for a wrong password"));
        }
    }

    /// A caller got an error.
    pub fn refused(&mut self, process: usize, error: &Error, since: (Duration, Duration)) {
        self.tell_mine("no token", || format!("{:?}, for {:?}", error.status, error.retry_after));
        self.in_time(process, since, "a call");
        if error.status == Status::Internal {
            self.violated(&format!("a bug: {}", error.message));
        }
        if error.status == Status::Credentials && self.processes[process].password == Password::Right {
            self.violated("the right password is refused");
        }
        self.nothing_was_there(process, since.0);
    }

    /// A valid token in a store is adopted, during a hold-off and without budget too. At most one look in 0.5 s.
    fn nothing_was_there(&mut self, process: usize, since: Duration) {
        let look = Duration::from_millis(600);
        let Some((began, ended, served)) = self.processes[process].last_lookup else { return };
        let need = self.processes[process].entry.need(SimClock::moment(self, process));
        let password = self.processes[process].password;
        for store in self.stores_of(process) {
            let Some(place) = self.places.get(&(store, password)) else { continue };
            let Some(made) = place.holds.token.as_ref().and_then(|token| self.api.token(token)) else { continue };
            let rejected = need.rejected.as_ref().is_some_and(|(rejected, _)| *rejected == made.fingerprint);
            let usable = made.is_valid(self.time + self.plan.life.map_or(Duration::ZERO, |life| life / 10));
            let confused = self.ledger.redis_set.is_some() || self.hosts.iter().any(|host| host.confused.is_some());
            if !usable || rejected || confused || self.processes[process].knows_dead.contains(&made.fingerprint) {
                continue;
            }
            let overlooked = place.holds.at < began && ended <= self.time && served;
            let not_looked = place.holds.at < since && ended < since.saturating_sub(look) && began < since;
            if overlooked || not_looked {
                let text = format!("{} lies in {store}, and a call fails", made.value);
                return self.violated(&text);
            }
        }
    }

    /// Where the date was set while the machine was off, or Redis's, nobody can know when an older token expires. Through Redis
    /// others learn it from who does not know.
    fn confused_until(&self, process: usize) -> Option<Duration> {
        let redis = self.ledger.redis_set.map(|set| set + self.plan.timeout);
        let hosts = self
            .hosts
            .iter()
            .enumerate()
            .filter(|(host, _)| self.plan.has_redis() || *host == self.processes[process].host);
        hosts.map(|(_, host)| host.confused).max().flatten().max(redis)
    }

    fn in_time(&mut self, process: usize, since: (Duration, Duration), what: &str) {
        let took = (self.time - since.0).saturating_sub(self.stopped(process) - since.1);
        if took > self.plan.timeout + LATE {
            self.violated(&format!("{what} takes {took:?}"));
        }
    }
}

/// The number of a token.
fn number(value: &str) -> Option<usize> {
    value.strip_prefix('T').and_then(|number| number.parse().ok())
}
