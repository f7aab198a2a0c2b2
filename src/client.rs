//! How a token is found: in memory, else by the one login that all wait for.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use nix::sys::signal::{SigSet, SigmaskHow};
use serde_json::json;

use crate::api;
use crate::clock::Moment;
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::options::Options;
use crate::slot::{Flight, Slot};
use crate::token::Token;

/// Gives the one token of its credentials. Any number of threads may use one at once.
pub struct Client {
    credentials: Credentials,
    options: Options,
    slot: Arc<Slot>,
}

impl Client {
    /// A client that has done no I/O yet.
    pub fn new(credentials: Credentials, options: Options) -> Self {
        let slot = Slot::of(&credentials, &options);
        if let Some(own) = &options.token {
            slot.adopt(Token::new(
                own.clone(),
                Timestamp::now(),
                None,
                None,
                Moment::now(),
            ));
        }
        Self {
            credentials,
            options,
            slot,
        }
    }

    /// The valid token, by a login where there is none at hand.
    pub fn token(&self) -> Result<Arc<Token>, Error> {
        if let Some(token) = self.slot.token(Moment::now()) {
            self.slot.counters.hits.add();
            return Ok(token);
        }
        self.wait_for(self.options.timeout)?.ok_or_else(|| {
            let limit = self.options.timeout.as_millis();
            Error::new(Status::Timeout, format!("no token within {limit} ms: a login is still under way; call again, or raise timeout_ms"))
        })
    }

    /// Sees to it that a token is at hand: false when the time ran out first. What it set going goes on.
    pub fn wait(&self, time: Duration) -> Result<bool, Error> {
        Ok(self.wait_for(time)?.is_some())
    }

    fn wait_for(&self, time: Duration) -> Result<Option<Arc<Token>>, Error> {
        self.slot
            .wait(Moment::now().after(time), |flight| self.log_in(flight))
            .transpose()
    }

    /// Sends the login off on a thread of its own: the host's threads can be signalled, killed or timed out at any moment.
    fn log_in(&self, flight: Flight) {
        let (credentials, options) = (self.credentials.clone(), self.options.clone());
        let timeout = in_time(options.timeout);
        // The thread inherits the mask, so it is never without one.
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK).ok();
        // A thread that cannot be started drops the flight, which lands it.
        let _ = thread::Builder::new()
            .name("tps-login".to_owned())
            .spawn(move || flight.land(api::login(&credentials, &options, timeout)));
        if let Some(before) = before {
            let _ = before.thread_set_mask();
        }
    }
}

/// A login ends a little before those who wait for it, so that they learn what it came to and not only that time is over.
fn in_time(timeout: Duration) -> Duration {
    timeout - (timeout / 20).min(Duration::from_millis(250))
}
