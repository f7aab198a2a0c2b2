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
            slot.adopt(Token::new(own.clone(), Timestamp::now(), None, None, Moment::now()));
        }
        Self { credentials, options, slot }
    }

    /// The valid token, by a login where there is none at hand.
    pub fn token(&self) -> Result<Arc<Token>, Error> {
        if let Some(token) = self.slot.token(Moment::now()) {
            self.slot.counters.hits.add();
            return Ok(token);
        }
        self.wait_for(self.options.timeout)?.ok_or_else(|| {
            let limit = self.options.timeout.as_millis();
            Error::new(
                Status::Timeout,
                format!("no token within {limit} ms: a login is still under way; call again, or raise timeout_ms"),
            )
        })
    }

    /// Sees to it that a token is at hand: false when the time ran out first. What it set going goes on.
    pub fn wait(&self, time: Duration) -> Result<bool, Error> {
        Ok(self.wait_for(time)?.is_some())
    }

    /// The number of the token that `token` would return at once; 0: it would have to look elsewhere. Never blocks.
    pub fn generation(&self) -> u64 {
        self.slot.generation()
    }

    /// Says that the server answered 401 to this very token. Does nothing while another one is the present one.
    pub fn invalidate(&self, token: &str) -> Result<(), Error> {
        if token.is_empty() {
            return Err(Error::argument("token is empty; pass the one that the server rejected"));
        }
        if self.slot.forget(token) {
            self.slot.counters.invalidations.add();
        }
        Ok(())
    }

    /// Revokes the present token at the server and forgets it; without one there is nothing to do.
    pub fn logout(&self) -> Result<(), Error> {
        let Some(token) = self.slot.present(Moment::now()).0 else {
            return Ok(());
        };
        api::logout(&token, &self.options, self.options.timeout)?;
        self.slot.forget(token.value.expose());
        Ok(())
    }

    /// What happened, as JSON without secrets.
    pub fn stats(&self) -> String {
        let (token, hold_off) = self.slot.present(Moment::now());
        let counters = &self.slot.counters;
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "base_url": self.options.base_url,
            "store": { "kind": "memory", "place": null, "why_not": null },
            "token": token.map(|token| json!({
                "fingerprint": token.fingerprint(),
                "obtained_at": token.obtained_at.to_string(),
                "expires_at": token.expires_at.map(|end| end.to_string()),
            })),
            "hold_off": hold_off.map(|error| json!({
                "status": error.status as i32,
                "retry_after_ms": milliseconds(error.retry_after),
                "message": error.message,
            })),
            "hits": counters.hits.get(),
            "logins": counters.logins.get(),
            "logins_failed": counters.logins_failed.get(),
            "waits": counters.waits.get(),
            "invalidations": counters.invalidations.get(),
        })
        .to_string()
    }

    fn wait_for(&self, time: Duration) -> Result<Option<Arc<Token>>, Error> {
        self.slot.wait(Moment::now().after(time), |flight| self.log_in(flight)).transpose()
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

/// Whole milliseconds, rounded up so that a wait is never too short.
pub fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

/// A login ends a little before those who wait for it, so that they learn what it came to and not only that time is over.
fn in_time(timeout: Duration) -> Duration {
    timeout - (timeout / 10).min(Duration::from_millis(250))
}
