//! Work under way, and its end.

use std::sync::Arc;
use std::time::Duration;

use super::entry::Entry;
use super::single_flight::Started;
use crate::error::{Error, Status};
use crate::events::{Event, Kind};
use crate::process::clock::{Clock, System};
use crate::record::{Origin, Token};

/// A lookup under way. Dropped without an outcome it finishes as a bug of ours, so that nobody waits for it in vain.
pub struct LookupFlight {
    entry: Arc<Entry>,
    started: Option<Started>,
}

impl LookupFlight {
    /// With what [`Entry`] gave to start it.
    pub fn new(entry: &Arc<Entry>, started: Started) -> Self {
        Self { entry: entry.clone(), started: Some(started) }
    }

    /// Publishes what the lookup came to, and wakes everybody who waits for it. `sent`: something was sent to the server.
    /// It took `time`.
    pub fn finish(mut self, found: Result<(Arc<Token>, Origin), Error>, sent: bool, clock: &dyn Clock, time: Duration) {
        if let Some(started) = self.started.take() {
            self.entry.finish_lookup(started, found, sent, clock, time);
        }
    }
}

impl Drop for LookupFlight {
    fn drop(&mut self) {
        if let Some(started) = self.started.take() {
            self.entry.finish_lookup(started, Err(bug("login")), true, &System, Duration::ZERO);
        }
    }
}

/// A logout under way, in the same way.
pub struct LogoutFlight {
    entry: Arc<Entry>,
    started: Option<Started>,
}

impl LogoutFlight {
    /// With what [`Entry`] gave to start it.
    pub fn new(entry: &Arc<Entry>, started: Started) -> Self {
        Self { entry: entry.clone(), started: Some(started) }
    }

    /// Forgets what was revoked, and wakes everybody who waits. It took `time`.
    pub fn finish(mut self, revoked: Result<Vec<Arc<Token>>, Error>, clock: &dyn Clock, time: Duration) {
        if revoked.is_ok() {
            self.entry.forget();
        }
        if revoked.as_ref().is_ok_and(|tokens| !tokens.is_empty()) {
            self.entry.events().add(Event::new(Kind::Logout).lasting(time), clock.wall());
        }
        if let Some(started) = self.started.take() {
            self.entry.finish_logout(started, revoked.map(|_| ()), clock.now());
        }
    }
}

impl Drop for LogoutFlight {
    fn drop(&mut self) {
        if let Some(started) = self.started.take() {
            self.entry.finish_logout(started, Err(bug("logout")), System.now());
        }
    }
}

fn bug(what: &str) -> Error {
    Error::new(Status::Internal, format!("the {what} ended without an outcome; please report this"))
}
