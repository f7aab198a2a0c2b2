//! How a token is found: in memory, in the store, else by the one login that all wait for.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, SigmaskHow};

use crate::api;
use crate::clock::Moment;
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::fork;
use crate::options::{Cache, Options};
use crate::slot::{Flight, Origin, Slot};
use crate::stats::{self, StoreReport};
use crate::store::file::{self, FileEntry};
use crate::store::{Entry, Owner, Trouble};
use crate::token::Token;

/// How long a process waits before it looks again whether another one has logged in: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(25));

/// Gives the one token of its credentials. Any number of threads may use one at once.
pub struct Client(Arc<Account>);

/// What a client and the thread of its login share.
struct Account {
    credentials: Credentials,
    options: Options,
    slot: Arc<Slot>,
}

impl Client {
    /// A client that has done no I/O yet.
    pub fn new(credentials: Credentials, options: Options) -> Self {
        let slot = Slot::of(&credentials, &options);
        Self(Arc::new(Account { credentials, options, slot }))
    }

    /// The valid token, by a login where there is none at hand.
    pub fn token(&self) -> Result<Arc<Token>, Error> {
        if let Some(token) = self.0.slot.token() {
            self.0.slot.counters().hits.add();
            return Ok(token);
        }
        let timeout = self.0.options.timeout;
        self.wait_for(timeout)?.ok_or_else(|| too_late(timeout))
    }

    /// Sees to it that a token is at hand: false when the time ran out first. What it set going goes on.
    pub fn wait(&self, time: Duration) -> Result<bool, Error> {
        Ok(self.wait_for(time)?.is_some())
    }

    /// The number of the token that `token` would return at once; 0: it would have to look elsewhere. Never blocks.
    pub fn generation(&self) -> u64 {
        self.0.slot.generation()
    }

    /// Says that the server answered 401 to this very token. Does nothing while another one is the present one.
    pub fn invalidate(&self, token: &str) -> Result<(), Error> {
        if token.is_empty() {
            return Err(Error::argument("token is empty; pass the one that the server rejected"));
        }
        if self.0.slot.forget(token) {
            self.0.slot.counters().invalidations.add();
        }
        Ok(())
    }

    /// Revokes the present token at the server and forgets it; without one there is nothing to do.
    pub fn logout(&self) -> Result<(), Error> {
        let account = &self.0;
        let Some(token) = account.slot.last_token() else { return Ok(()) };
        api::logout(&token, &account.options, account.options.timeout)?;
        account.slot.forget(token.value.expose());
        account.forget_in_store(&token);
        Ok(())
    }

    /// What happened, as JSON without secrets.
    pub fn stats(&self) -> String {
        stats::of(&self.0.slot, &self.0.options)
    }

    fn wait_for(&self, time: Duration) -> Result<Option<Arc<Token>>, Error> {
        self.0.slot.wait(Moment::now().after(time), |flight| self.depart(flight)).transpose()
    }

    /// Sends the search off on a thread of its own: the host's threads can be signalled, killed or timed out at any
    /// moment.
    fn depart(&self, flight: Flight) {
        let account = self.0.clone();
        let deadline = Moment::now().after(in_time(account.options.timeout));
        // The thread inherits the mask, so it is never without one.
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK).ok();
        // A thread that cannot be started drops the flight, which lands it.
        let _ = thread::Builder::new().name("tps-login".to_owned()).spawn(move || {
            fork::separate_descriptors();
            flight.land(account.find(deadline));
        });
        if let Some(before) = before {
            let _ = before.thread_set_mask();
        }
    }
}

/// Why a search in the store ended without a token.
enum Stop {
    /// The store cannot be used.
    Store(Trouble),
    Failed(Error),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Store(trouble)
    }
}

impl Account {
    /// The search for a token that is not at hand.
    fn find(&self, deadline: Moment) -> Result<(Token, Origin), Error> {
        let Cache::Files(_) = self.options.cache else { return self.make(deadline) };
        let trouble = match self.entry() {
            Err(trouble) => trouble,
            Ok(entry) => {
                self.slot.learn(StoreReport { place: Some(entry.place()), trouble: None }, Some(entry.seal()));
                match self.find_shared(&entry, deadline) {
                    Ok(found) => return Ok(found),
                    Err(Stop::Failed(error)) => return Err(error),
                    Err(Stop::Store(trouble)) => trouble,
                }
            }
        };
        // Whatever the disk does, there is a token; stats say that it is in memory alone.
        self.degrade(trouble);
        self.make(deadline)
    }

    /// The store's token, else one login in all processes' sight.
    fn find_shared(&self, entry: &dyn Entry, deadline: Moment) -> Result<(Token, Origin), Stop> {
        let mut pause = PAUSES.0;
        let mut lock = loop {
            if let Some(token) = self.acceptable(entry.read()?) {
                return Ok((token, Origin::Store));
            }
            if let Some(lock) = entry.try_lock()? {
                break lock;
            }
            if deadline.left(Moment::now()).is_zero() {
                return Err(Stop::Failed(too_late(self.options.timeout)));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSES.1);
        };
        // Whoever had the lock before may have logged in.
        if let Some(token) = self.acceptable(entry.read()?) {
            return Ok((token, Origin::Store));
        }
        lock.prepare()?;
        let (token, origin) = self.make(deadline).map_err(Stop::Failed)?;
        if let Err(trouble) = lock.write(&token) {
            self.degrade(trouble);
        }
        Ok((token, origin))
    }

    /// The token that its owner brought along, where there never was another one; else a login.
    fn make(&self, deadline: Moment) -> Result<(Token, Origin), Error> {
        if let Some(own) = &self.options.token
            && self.slot.last_token().is_none()
            && self.slot.known().rejected.is_none()
        {
            return Ok((Token::own(own.clone()), Origin::Owner));
        }
        let timeout = self.options.timeout;
        let left = deadline.left(Moment::now());
        // A login that is bound to be given up would cost a token for nothing.
        if left < (timeout / 4).min(Duration::from_secs(2)) {
            return Err(too_late(timeout));
        }
        Ok((api::login(&self.credentials, &self.options, left)?, Origin::Login))
    }

    fn acceptable(&self, token: Option<Token>) -> Option<Token> {
        let token = token?;
        let rejected = self.slot.known().rejected.is_some_and(|rejected| rejected == token.value);
        (token.usable(Moment::now()) && !rejected).then_some(token)
    }

    fn entry(&self) -> Result<FileEntry, Trouble> {
        let Cache::Files(places) = &self.options.cache else {
            return Err(Trouble("there is no store".to_owned()));
        };
        let owner = Owner { credentials: &self.credentials, base_url: &self.options.base_url };
        file::entry(places, &owner, self.slot.known().seal)
    }

    /// Without waiting: whoever has the lock is about to replace the token anyway.
    fn forget_in_store(&self, token: &Token) {
        if self.options.cache == Cache::Memory {
            return;
        }
        let forgotten = self.entry().and_then(|entry| match entry.try_lock()? {
            Some(mut lock) if entry.read()?.is_some_and(|kept| kept.value == token.value) => lock.remove(),
            _ => Ok(()),
        });
        if let Err(trouble) = forgotten {
            self.degrade(trouble);
        }
    }

    fn degrade(&self, Trouble(trouble): Trouble) {
        self.slot.learn(StoreReport { place: None, trouble: Some(trouble) }, None);
    }
}

fn too_late(timeout: Duration) -> Error {
    let limit = timeout.as_millis();
    Error::new(
        Status::Timeout,
        format!("no token within {limit} ms: a login is still under way; call again, or raise timeout_ms"),
    )
}

/// A login ends a little before those who wait for it, so that they learn what it came to and not only that time is over.
fn in_time(timeout: Duration) -> Duration {
    timeout - (timeout / 10).min(Duration::from_millis(250))
}
