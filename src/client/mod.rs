//! A client: what its users ask of it, and the thread on which a lookup runs.

mod stats;

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cache::{self, Entry, LogoutFlight, LookupFlight, Published, Started, StoreReport};
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::lookup::{Lookup, too_late};
use crate::options::Options;
use crate::process::clock::{Clock, System};
use crate::process::{descriptors, thread};
use crate::record::Rules;
use crate::server::{self, Api};
use crate::store::{self, Owner, Store};

/// Gives the one token of its credentials. Any number of threads may use one at once.
#[derive(Clone)]
pub struct Client(Arc<Account>);

/// Whose token it is, and all that is needed to find it.
struct Account {
    credentials: Credentials,
    options: Arc<Options>,
    clock: Arc<dyn Clock>,
    entry: Arc<Entry>,
}

impl Client {
    /// A client that has done no I/O yet. The environment was read for the options, and is read here for the last time.
    pub fn new(credentials: Credentials, options: Options) -> Self {
        Self::with_clock(credentials, options, Arc::new(System))
    }

    /// The same by another clock.
    #[doc(hidden)]
    pub fn with_clock(credentials: Credentials, options: Options, clock: Arc<dyn Clock>) -> Self {
        server::prepare();
        let entry = cache::entry(&[
            options.base_url.as_str(),
            credentials.username.expose(),
            &credentials.organization_id,
            &format!("{:?}", options.cache),
            credentials.password.expose(),
        ]);
        Self(Arc::new(Account { credentials, options: options.shared(), clock, entry }))
    }

    /// The valid token, by a login where there is none.
    pub fn token(&self) -> Result<Arc<Published>, Error> {
        if let Some(token) = self.at_hand() {
            self.0.entry.hit();
            return Ok(token);
        }
        let timeout = self.0.options.timeout;
        self.find(timeout)?.ok_or_else(|| too_late(timeout))
    }

    /// Sees to it that a token is at hand: false when the time ran out first. What it set going goes on.
    pub fn wait(&self, time: Duration) -> Result<bool, Error> {
        Ok(self.at_hand().is_some() || self.find(time)?.is_some())
    }

    /// The number of the token that [`Client::token`] would return at once; 0: it would have to look elsewhere, or has a
    /// renewal to start. Never blocks.
    pub fn generation(&self) -> u64 {
        match self.sure() {
            0 => self.0.entry.generation(self.0.clock.now(), self.0.options.refresh_ahead),
            number => number,
        }
    }

    /// The number of the token whose end is far, told by the coarse clocks; 0: look closer.
    #[inline(never)]
    pub fn sure(&self) -> u64 {
        let account = &self.0;
        account.entry.sure(|| account.clock.latest(), account.options.refresh_ahead)
    }

    /// Says that the server answered 401 to this very token. Does nothing while another one is the published one. The next
    /// lookup decides whether the token is dead.
    pub fn invalidate(&self, token: &str) -> Result<(), Error> {
        if token.is_empty() {
            return Err(Error::argument("token is empty; pass the one that the server rejected"));
        }
        self.0.entry.report(token, self.0.clock.wall());
        Ok(())
    }

    /// Revokes the token at the server and forgets it; without one there is nothing to do.
    pub fn logout(&self) -> Result<(), Error> {
        let timeout = self.0.options.timeout;
        if self.wait_for_logout(timeout)? {
            return Ok(());
        }
        let limit = timeout.as_millis();
        Err(Error::new(Status::Timeout, format!("not logged out within {limit} ms; call again, or raise timeout_ms")))
    }

    /// Starts a logout, or joins the one under way: true when it is done, false when `time` ran out first. It goes on then.
    pub fn wait_for_logout(&self, time: Duration) -> Result<bool, Error> {
        let account = &self.0;
        let deadline = account.clock.instant() + time;
        let outcome = account.entry.wait_for_logout(deadline, &*account.clock, |started| self.start_logout(started));
        outcome.transpose().map(|done| done.is_some()).map_err(|error| *error)
    }

    /// Where the published token is, for those who ask often.
    pub fn entry(&self) -> &Arc<Entry> {
        &self.0.entry
    }

    /// What happened, as JSON without secrets.
    pub fn stats(&self) -> String {
        stats::of(&self.0.entry, &self.0.options, &self.0.clock.read())
    }

    /// The valid token. Starts its renewal where that is due, and goes on with it meanwhile.
    fn at_hand(&self) -> Option<Arc<Published>> {
        let account = &self.0;
        let now = account.clock.now();
        account.entry.asked(now);
        let token = account.entry.token(now)?;
        if account.entry.renewable(&token, now, account.options.refresh_ahead) {
            account.entry.renew(|started| self.start_lookup(started));
            // Where there is no thread, it was done here and now, and took its time.
            return account.entry.token(account.clock.now());
        }
        Some(token)
    }

    fn find(&self, time: Duration) -> Result<Option<Arc<Published>>, Error> {
        let account = &self.0;
        let deadline = account.clock.instant() + time;
        let outcome = account.entry.wait(deadline, &*account.clock, |started| self.start_lookup(started));
        outcome.transpose().map_err(|error| *error)
    }

    fn start_lookup(&self, started: Started) {
        self.start("tps-login", LookupFlight::new(&self.0.entry, started), |account, flight| {
            let need = account.entry.need(account.clock.now());
            let (looked, time) = account.look_up(|lookup| (lookup.find(&need), lookup.sent.get()));
            let (found, sent) = looked.unwrap_or_else(|error| (Err(error), false));
            flight.finish(found, sent, &*account.clock, time);
        });
    }

    fn start_logout(&self, started: Started) {
        self.start("tps-logout", LogoutFlight::new(&self.0.entry, started), |account, flight| {
            let mine = account.entry.last_token().map(|published| published.token.clone());
            let (revoked, time) = account.look_up(|lookup| lookup.give_back(mine));
            flight.finish(revoked.and_then(|revoked| revoked), &*account.clock, time);
        });
    }

    /// Does the work on a thread of its own: the host's threads can be signalled, killed or timed out at any moment. Where
    /// the system gives no thread, on this one.
    fn start<F: Send + 'static>(
        &self,
        name: &'static str,
        flight: F,
        work: impl FnOnce(&Account, F) + Send + Copy + 'static,
    ) {
        let account = self.0.clone();
        let on_its_own = move |flight| {
            descriptors::separate_descriptors();
            work(&account, flight);
        };
        if let Err(flight) = thread::start(name, flight, on_its_own) {
            work(&self.0, flight);
        }
    }
}

impl Account {
    /// Looks up by all that the options say. What it came to, and how long it took.
    fn look_up<T>(&self, by: impl FnOnce(&Lookup<'_>) -> T) -> (Result<T, Error>, Duration) {
        let start = Instant::now();
        (self.by_store(by), start.elapsed())
    }

    fn by_store<T>(&self, by: impl FnOnce(&Lookup<'_>) -> T) -> Result<T, Error> {
        let options = &self.options;
        let deadline = self.clock.instant() + in_time(options.timeout);
        let owner = Owner { credentials: &self.credentials, base_url: &options.base_url };
        let first = self.entry.store().lasting.is_none() && self.entry.last_token().is_none();
        let store =
            store::open(options, &owner, self.entry.memory(), self.entry.seals(), deadline, &*self.clock, first)
                .map_err(|error| Error::argument(format!("option cache: {error}")))?;
        let outcome = by(&Lookup {
            store: &*store,
            server: &Api { credentials: self.credentials.clone(), options: options.clone(), clock: self.clock.clone() },
            clock: &*self.clock,
            rules: &self.rules(),
            timeout: options.timeout,
            connect_timeout: options.connect_timeout,
            deadline,
            sent: Cell::new(false),
        });
        self.entry.note_store(report(&*store), self.clock.wall());
        Ok(outcome)
    }

    fn rules(&self) -> Rules {
        Rules {
            logins_per_day: self.options.logins_per_day,
            own_token: self.options.token.clone(),
            proxy: self.options.proxy_fingerprint(),
            refresh_ahead: self.options.refresh_ahead,
            spread: self.entry.spread(),
            process: std::process::id(),
        }
    }
}

fn report(store: &dyn Store) -> StoreReport {
    StoreReport { place: store.place(), errors: store.errors(), lasting: Some(store.lasting()) }
}

/// A lookup ends a little before those who wait for it, so that they learn what it came to and not only that time is over.
fn in_time(timeout: Duration) -> Duration {
    timeout - (timeout / 6).min(Duration::from_millis(500))
}
