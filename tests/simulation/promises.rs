//! What must hold after each step.

use std::sync::Arc;
use std::time::Duration;

use tps::lookup::Found;
use tps::record::{Origin, Token};
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

    /// A store has another record now. `is_new`: with a login that is about to be sent.
    pub fn written(&mut self, store: StoreId, before: &Summary, after: &Summary, is_new: bool) {
        let first = self.tasks[Sim::current()].process.and_then(|process| self.stores_of(process).first().copied());
        // A process that got an error of this store may have written to another one how its login ended.
        let failed = [before.by, Sim::current()].iter().any(|task| !self.tasks[*task].notes.failed.is_empty());
        let writer = &self.tasks[before.by];
        let writer_died =
            before.sent && !failed && !writer.process.is_some_and(|process| self.processes[process].alive);
        let notes = self.notes();
        let unprobed = writer_died && before.token == after.token && !notes.probed;
        if is_new {
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
            if let Some(told) = after.login.filter(|told| !self.made_like(login, *told)) {
                self.violated(&format!("{store} tells of {told:?} that it gave {:?}", after.token));
            }
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

    /// Whether a login, or another one of the same second, was sent by this process for this reason.
    fn made_like(&self, login: usize, (process, reason): (usize, &str)) -> bool {
        let made = |login: &Login| login.token.and_then(|number| self.api.token(&format!("T{number}"))).map(|it| it.at);
        let at = made(&self.ledger.logins[login]).unwrap_or_default();
        self.ledger.logins.iter().any(|login| {
            made(login).is_some_and(|other| other.abs_diff(at) <= Duration::from_secs(1))
                && self.tasks[login.task].process == Some(process)
                // Empty: not known.
                && ["", reason].contains(&login.reason)
        })
    }

    /// A lookup has come to this.
    pub fn looked_up(&mut self, process: usize, found: &Result<Found, Error>) {
        let notes = self.notes().clone();
        self.tell_mine("lookup ends", || match found {
            Ok((token, origin)) => format!("{} {origin:?}", token.value.expose()),
            Err(error) => format!("{:?}, for {:?}", error.status, error.retry_after),
        });
        self.in_time(process, (notes.began, notes.stopped_before), "a lookup");
        let too_late = found.as_ref().is_err_and(|error| error.status == Status::Timeout);
        let has_theirs = notes.probed && found.as_ref().is_ok_and(|(_, origin)| *origin == Origin::Store);
        if too_late || has_theirs {
            // After its probe there was no time left for the login, or no need of it.
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
        // Whose process was stopped in the middle of a call had no time to look.
        if self.stopped(process) == since.1 {
            self.nothing_was_there(process, since.0);
        }
    }

    /// A valid token in a store is adopted, during a hold-off and without budget too. At most one look in 0.5 s.
    fn nothing_was_there(&mut self, process: usize, since: Duration) {
        let look = Duration::from_millis(600);
        let Some((began, ended, served)) = self.processes[process].last_lookup else { return };
        let need = self.processes[process].entry.need(SimClock::moment(self, process));
        // Until it was reported, the token of its own served.
        let now = self.now_of(process).wall;
        let reported_for = need.rejected.as_ref().and_then(|(_, at)| Duration::try_from(now.duration_since(*at)).ok());
        let served = served && reported_for.is_none_or(|time| began + time >= self.time);
        let password = self.processes[process].password;
        for store in self.stores_of(process) {
            let Some(place) = self.places.get(&(store, password)) else { continue };
            let Some(made) = place.holds.token.as_ref().and_then(|token| self.api.token(token)) else { continue };
            // What is older than a reported token does not take its place.
            let reported = |(token, _): &(String, _)| self.api.tokens.iter().find(|made| made.fingerprint == *token);
            let rejected = need.rejected.as_ref().and_then(reported).is_some_and(|rejected| made.at <= rejected.at);
            // Its life is counted from before its login was sent.
            let login = number(&made.value).and_then(|made| self.ledger.login_of(made));
            let login = login.map(|login| &self.ledger.logins[login]);
            let early = login.map_or(Duration::ZERO, |login| made.at.saturating_sub(login.decided));
            let usable = made.is_valid(self.time + self.plan.life.map_or(Duration::ZERO, |life| life / 10) + early);
            let confused = self.ledger.redis_set.is_some() || self.hosts.iter().any(|host| host.confused.is_some());
            let is_dead = |store: StoreId| {
                let place = self.places.get(&(store, password));
                place.is_some_and(|place| place.holds.dead.contains(&made.fingerprint))
            };
            let known_dead = self.processes[process].knows_dead.contains(&made.fingerprint)
                || self.stores_of(process).into_iter().any(is_dead);
            if !usable || rejected || confused || known_dead {
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
    pub fn confused_until(&self, process: usize) -> Option<Duration> {
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
