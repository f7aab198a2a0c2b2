//! A client: what its users ask of it, and the thread on which a search for a token runs.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, SigmaskHow};

use crate::account::Account;
use crate::api;
use crate::attempt::too_late;
use crate::clock::{Clock, System};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::fork;
use crate::options::Options;
use crate::slot::{Flight, Slot};
use crate::stats;
use crate::token::Token;

/// Gives the one token of its credentials. Any number of threads may use one at once.
#[derive(Clone)]
pub struct Client(Arc<Account>);

impl Client {
    /// A client that has done no I/O yet.
    pub fn new(credentials: Credentials, options: Options) -> Self {
        Self::with_clock(credentials, options, Arc::new(System))
    }

    /// The same by another clock.
    #[doc(hidden)]
    pub fn with_clock(credentials: Credentials, options: Options, clock: Arc<dyn Clock>) -> Self {
        let slot = Slot::of(&credentials, &options);
        Self(Arc::new(Account { credentials, options: options.shared(), clock, slot }))
    }

    /// The valid token, by a login where there is none at hand.
    pub fn token(&self) -> Result<Arc<Token>, Error> {
        if let Some(token) = self.at_hand() {
            self.0.slot.hit();
            return Ok(token);
        }
        let timeout = self.0.options.timeout;
        self.search(timeout)?.ok_or_else(|| too_late(timeout))
    }

    /// Sees to it that a token is at hand: false when the time ran out first. What it set going goes on.
    pub fn wait(&self, time: Duration) -> Result<bool, Error> {
        Ok(self.at_hand().is_some() || self.search(time)?.is_some())
    }

    /// The number of the token that `token` would return at once; 0: it would have to look elsewhere, or has something
    /// to set going. Never blocks.
    pub fn generation(&self) -> u64 {
        self.0.slot.generation(self.0.clock.now(), self.0.options.refresh_ahead)
    }

    /// Says that the server answered 401 to this very token. Does nothing while another one is the present one. What
    /// becomes of it, the next search for a token finds out.
    pub fn invalidate(&self, token: &str) -> Result<(), Error> {
        if token.is_empty() {
            return Err(Error::argument("token is empty; pass the one that the server rejected"));
        }
        if self.0.slot.suspect_token(token) {
            self.0.slot.counters().invalidations.add();
        }
        Ok(())
    }

    /// Revokes the present token at the server and forgets it; without one there is nothing to do.
    pub fn logout(&self) -> Result<(), Error> {
        let account = &self.0;
        let Some(token) = account.slot.last_token() else { return Ok(()) };
        api::logout(&token, &account.options, account.options.timeout)?;
        account.slot.forget(&token);
        account.forget_in_store(&token);
        Ok(())
    }

    /// Where the present token is, for those who ask often.
    pub fn slot(&self) -> Arc<Slot> {
        self.0.slot.clone()
    }

    /// What happened, as JSON without secrets.
    pub fn stats(&self) -> String {
        stats::of(&self.0.slot, &self.0.options, &self.0.clocks())
    }

    /// The present token; sends its renewal off where that is due, and goes on with it meanwhile.
    fn at_hand(&self) -> Option<Arc<Token>> {
        let account = &self.0;
        let now = account.clock.now();
        let token = account.slot.token(now)?;
        if account.slot.renewable(&token, now, account.options.refresh_ahead) {
            account.slot.renew(|flight| self.depart(flight));
        }
        Some(token)
    }

    fn search(&self, time: Duration) -> Result<Option<Arc<Token>>, Error> {
        let deadline = Instant::now() + time;
        self.0.slot.wait(deadline, &*self.0.clock, |flight| self.depart(flight)).transpose().map_err(|error| *error)
    }

    /// Sends the search off on a thread of its own: the host's threads can be signalled, killed or timed out at any
    /// moment.
    fn depart(&self, flight: Flight) {
        let account = self.0.clone();
        let deadline = Instant::now() + in_time(account.options.timeout);
        // The thread inherits the mask, so it is never without one.
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK).ok();
        // A thread that cannot be started drops the flight, which lands it.
        let _ = thread::Builder::new().name("tps-login".to_owned()).spawn(move || {
            fork::separate_descriptors();
            let found = account.find(deadline);
            flight.land(found, account.clock.now());
        });
        if let Some(before) = before {
            let _ = before.thread_set_mask();
        }
    }
}

/// A login ends a little before those who wait for it, so that they learn what it came to and not only that time is over.
fn in_time(timeout: Duration) -> Duration {
    timeout - (timeout / 10).min(Duration::from_millis(250))
}
