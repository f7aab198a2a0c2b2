//! How a token is found that is not at hand: in the store, else by one login in all processes' sight.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::api::{self, Refusal};
use crate::attempt::{self, left, too_late};
use crate::clock::{Clock, Reading};
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::holdoff::HoldOff;
use crate::options::{Cache, Options};
use crate::slot::Slot;
use crate::stats::StoreReport;
use crate::store::file::{self, FileEntry};
use crate::store::seal::random;
use crate::store::{Entry, Lock, Owner, Record, Trouble};
use crate::token::Token;

/// How long a process waits before it looks again whether another one has logged in: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(25));

/// A token that took the place of a rejected one, and is rejected itself before it is so old, is not replaced at once.
const FRESH: Duration = Duration::from_secs(30);

/// What a client and the thread of its login share.
pub struct Account {
    pub credentials: Credentials,
    pub options: Options,
    pub clock: Arc<dyn Clock>,
    pub slot: Arc<Slot>,
}

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A login of this process's, and why.
    Login(Reason),
    /// The store.
    Store,
    /// The option `token`.
    Owner,
    /// The server takes the token that it was said to have rejected.
    FalseAlarm,
}

/// Why a login is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There never was a token, or it was given back.
    First,
    /// The token's known life is over.
    Ended,
    /// It is about to be.
    Renewal,
    /// The server rejected the token.
    Rejection,
}

/// A token, and where it came from.
pub type Found = (Arc<Token>, Origin);

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
    /// The search for a token that is not at hand, or is to be renewed.
    pub fn find(&self, deadline: Instant) -> Result<Found, Error> {
        if self.options.cache != Cache::Memory {
            let shared = self.entry().map_err(Stop::Store).and_then(|entry| {
                let report = StoreReport { place: Some(entry.place()), trouble: None };
                self.slot.note(|known| (known.store, known.seal) = (report, Some(entry.seal())));
                self.find_shared(&entry, deadline)
            });
            match shared {
                Ok(found) => return Ok(found),
                Err(Stop::Failed(error)) => return Err(error),
                // Whatever the disk does, there is a token; stats say that it is in memory alone.
                Err(Stop::Store(trouble)) => self.degrade(trouble),
            }
        }
        let mut record = self.slot.known().record;
        let found = self.obtain(&mut record, deadline, None);
        self.remember(&record);
        found
    }

    /// The store's token, else one login in all processes' sight.
    fn find_shared(&self, entry: &dyn Entry, deadline: Instant) -> Result<Found, Stop> {
        let read = || -> Result<Result<Found, Record>, Stop> {
            let record = entry.read(&self.clocks())?;
            self.remember(&record);
            match (self.acceptable(&record), record.hold_off.as_ref().and_then(|it| it.error(self.clock.wall()))) {
                (Some(token), _) => Ok(Ok((token, Origin::Store))),
                (None, Some(error)) => Err(Stop::Failed(error)),
                (None, None) => Ok(Err(record)),
            }
        };
        let mut pause = PAUSES.0;
        let mut lock = loop {
            if let Ok(found) = read()? {
                return Ok(found);
            }
            if let Some(lock) = entry.try_lock()? {
                break lock;
            }
            if left(deadline).is_zero() {
                return Err(Stop::Failed(too_late(self.options.timeout)));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSES.1);
        };
        // Whoever had the lock before may have logged in.
        let mut record = match read()? {
            Ok(found) => return Ok(found),
            Err(record) => record,
        };
        let found = self.obtain(&mut record, deadline, Some(&mut *lock));
        self.remember(&record);
        found.map_err(Stop::Failed)
    }

    /// The store's token, if it serves and is another one than what this process wants replaced.
    fn acceptable(&self, record: &Record) -> Option<Arc<Token>> {
        let token = record.token.as_ref()?;
        let now = self.clock.now();
        let refused = [self.slot.known().rejected, self.slot.suspect().map(|suspect| suspect.value.clone())];
        let renewed = match self.slot.token(now) {
            Some(present) => present.value != token.value && !self.due(token),
            None => true,
        };
        let serves = token.usable(now) && renewed && !refused.iter().flatten().any(|refused| *refused == token.value);
        serves.then(|| token.clone())
    }

    /// A token by the server, within what the budget allows; `record` is what is known, and is brought up to date.
    fn obtain(&self, record: &mut Record, deadline: Instant, mut lock: Option<&mut dyn Lock>) -> Result<Found, Error> {
        // One that has ended needs no look.
        let suspect = self.slot.suspect().filter(|token| token.usable(self.clock.now()));
        if let Some(token) = suspect.as_ref().filter(|token| api::stands(token, &self.options, left(deadline))) {
            return Ok((token.clone(), Origin::FalseAlarm));
        }
        let reason = self.reason(record, suspect.is_some());
        if let Some(own) = self.options.token.as_ref().filter(|_| self.never_had_one(record)) {
            let token = Arc::new(Token::own(own.clone(), &self.clocks()));
            record.token = Some(token.clone());
            self.keep(record, &mut lock);
            return Ok((token, Origin::Owner));
        }
        // A renewal at the end of a known life costs no more than the token that ends; but one of them only.
        let free = matches!(reason, Reason::Ended | Reason::Renewal) && !record.lost;
        if !free {
            self.within_budget(record, suspect.as_deref())?;
        }
        if let Some(Err(trouble)) = lock.as_deref_mut().map(Lock::prepare) {
            self.degrade(trouble);
            lock = None;
        }
        let outcome = attempt::log_in(&self.credentials, &self.options, &*self.clock, &mut record.unsure, deadline);
        let wall = self.clock.wall();
        record.lost |= outcome.as_ref().is_err_and(|refusal| refusal.may_exist);
        if !free && outcome.as_ref().map_or_else(|refusal| refusal.may_exist, |_| true) {
            record.budget.spend(wall);
        }
        let found = match outcome {
            Ok(token) => {
                let token = Arc::new(token);
                record.token = Some(token.clone());
                record.replaced = reason == Reason::Rejection;
                (record.hold_off, record.failures, record.lost) = (None, 0, false);
                Ok((token, Origin::Login(reason)))
            }
            Err(Refusal { error, .. }) => {
                record.failures = record.failures.saturating_add(1);
                let random = random().map_or(u64::MAX, u64::from_ne_bytes);
                let hold_off = HoldOff::after(error, record.failures, random, wall);
                let error = hold_off.error.clone();
                record.hold_off = Some(hold_off);
                Err(error)
            }
        };
        self.keep(record, &mut lock);
        found
    }

    /// Why there is to be a login.
    fn reason(&self, record: &Record, rejected: bool) -> Reason {
        let now = self.clock.now();
        match self.slot.last_token().or_else(|| record.token.clone()) {
            _ if rejected => Reason::Rejection,
            Some(token) if token.ends.is_some() && !token.usable(now) => Reason::Ended,
            Some(token) if self.due(&token) => Reason::Renewal,
            _ => Reason::First,
        }
    }

    /// Whether neither memory nor store has, or had, a token.
    fn never_had_one(&self, record: &Record) -> bool {
        record.token.is_none() && self.slot.last_token().is_none() && self.slot.known().rejected.is_none()
    }

    fn within_budget(&self, record: &Record, suspect: Option<&Token>) -> Result<(), Error> {
        let per_day = self.options.logins_per_day;
        if per_day == 0 {
            return Ok(());
        }
        let wall = self.clock.wall();
        let fresh =
            suspect.filter(|_| record.replaced).map_or(Duration::ZERO, |token| FRESH.saturating_sub(token.age(wall)));
        let wait = match record.budget.check(wall, per_day) {
            Ok(()) => fresh,
            Err(wait) => wait.max(fresh),
        };
        if wait.is_zero() {
            return Ok(());
        }
        let message =
            "too many logins already; find out what makes the server reject its tokens, or raise logins_per_day";
        Err(Error::new(Status::LoginBudget, message).silent_for(wait))
    }

    fn due(&self, token: &Token) -> bool {
        self.slot.due(token, self.clock.now(), self.options.refresh_ahead)
    }

    pub fn clocks(&self) -> Reading {
        Reading::of(&*self.clock)
    }

    fn entry(&self) -> Result<FileEntry, Trouble> {
        let Cache::Files(places) = &self.options.cache else {
            return Err(Trouble("there is no store".to_owned()));
        };
        let owner = Owner { credentials: &self.credentials, base_url: &self.options.base_url };
        file::entry(places, &owner, self.slot.known().seal)
    }

    /// In the store, where there is one.
    fn keep(&self, record: &Record, lock: &mut Option<&mut dyn Lock>) {
        if let Some(Err(trouble)) = lock.as_deref_mut().map(|lock| lock.write(record, &self.clocks())) {
            self.degrade(trouble);
        }
    }

    /// For `stats`, and for flights that have no store.
    fn remember(&self, record: &Record) {
        self.slot.note(|known| known.record = Record { token: None, ..record.clone() });
    }

    /// Without waiting: whoever has the lock is about to replace the token anyway.
    pub fn forget_in_store(&self, token: &Token) {
        if self.options.cache == Cache::Memory {
            return;
        }
        let clocks = self.clocks();
        let forgotten = self.entry().and_then(|entry| {
            let Some(mut lock) = entry.try_lock()? else { return Ok(()) };
            let mut record = entry.read(&clocks)?;
            if record.token.take().is_some_and(|kept| kept.value == token.value) {
                lock.write(&record, &clocks)?;
            }
            Ok(())
        });
        if let Err(trouble) = forgotten {
            self.degrade(trouble);
        }
    }

    fn degrade(&self, Trouble(trouble): Trouble) {
        self.slot.note(|known| known.store = StoreReport { place: None, trouble: Some(trouble) });
    }
}
