//! How a token is found that is not at hand: in the store, else by one login in all processes' sight.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::attempt::{left, too_late};
use crate::error::Error;
use crate::obtain::{Found, Origin};
use crate::options::Cache;
use crate::stats::StoreReport;
use crate::store::file;
#[cfg(feature = "redis")]
use crate::store::redis::RedisEntry;
use crate::store::{Entry, Lock, Owner, Record, Trouble};
use crate::token::Token;

/// How long a process waits before it looks again whether another one has logged in: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(25));

/// What is found in the stores.
enum Look {
    Token(Arc<Token>, Record, Option<Lacks>),
    /// Neither a token nor a hold-off.
    Nothing(Record),
}

/// Which of two stores does not have what the other has.
enum Lacks {
    Entry,
    Behind,
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
    /// The search for a token that is not at hand, or is to be renewed.
    pub fn find(&self, deadline: Instant) -> Result<Found, Error> {
        self.slot.note(|known| known.store = StoreReport::default());
        let stores = self.stores(deadline);
        // The best first; what stands behind it learns what it comes to, and serves where it cannot be used.
        for (place, entry) in stores.iter().enumerate() {
            let behind = stores.get(place + 1).map(|behind| &**behind);
            self.slot.note(|known| known.store.place = Some(entry.place()));
            match self.find_shared(&**entry, behind, deadline) {
                Ok(found) => return Ok(found),
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Store(trouble)) => self.degrade(trouble),
            }
            self.slot.note(|known| known.store.place = None);
        }
        // Whatever the stores do, there is a token; stats say that it is in memory alone.
        let mut record = self.slot.known().record;
        let found = self.obtain(&mut record, deadline, None);
        self.remember(&record);
        found
    }

    /// The store's token, else one login in all processes' sight.
    fn find_shared(&self, entry: &dyn Entry, mut behind: Option<&dyn Entry>, deadline: Instant) -> Result<Found, Stop> {
        let (mut lock, mut lock_behind) = (None, None);
        let mut pause = PAUSES.0;
        loop {
            let locked = lock.is_some();
            let mut record = match self.look(entry, behind)? {
                Look::Nothing(record) => record,
                Look::Token(token, record, lacks) => {
                    match (lacks, behind) {
                        (Some(Lacks::Entry), _) => self.copy(&record, entry, &mut lock),
                        (Some(Lacks::Behind), Some(behind)) => self.copy(&record, behind, &mut lock_behind),
                        _ => {}
                    }
                    return Ok((token, Origin::Store));
                }
            };
            // Whoever had the lock before may have logged in: what counts is what is there once it is had.
            if locked {
                let found = self.obtain(&mut record, deadline, lock.as_mut());
                self.remember(&record);
                if let Some(behind) = behind {
                    self.copy(&record, behind, &mut lock_behind);
                }
                return found.map_err(Stop::Failed);
            }
            // The one behind comes first: whoever loses the store in mid-login, and looks behind it, finds that locked.
            if let Some(store) = behind.filter(|_| lock_behind.is_none()) {
                match store.try_lock() {
                    Ok(had) => lock_behind = had,
                    Err(trouble) => {
                        self.degrade(trouble);
                        behind = None;
                    }
                }
            }
            if lock_behind.is_some() || behind.is_none() {
                lock = entry.try_lock()?;
            }
            if lock.is_none() {
                if left(deadline).is_zero() {
                    return Err(Stop::Failed(too_late(self.options.timeout)));
                }
                thread::sleep(pause);
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }

    /// What is kept, here or behind it, and which of the two lacks it.
    fn look(&self, entry: &dyn Entry, behind: Option<&dyn Entry>) -> Result<Look, Stop> {
        let mut record = entry.read(&self.clocks())?;
        let kept_behind = behind.map(|behind| behind.read(&self.clocks()).unwrap_or_default());
        let learnt = kept_behind.as_ref().is_some_and(|kept| record.learn(kept));
        self.remember(&record);
        if let Some(token) = self.acceptable(&record) {
            let lacks = match &kept_behind {
                _ if learnt => Some(Lacks::Entry),
                Some(kept) if !kept.has(&token) => Some(Lacks::Behind),
                _ => None,
            };
            return Ok(Look::Token(token, record, lacks));
        }
        match record.hold_off.as_ref().and_then(|hold_off| hold_off.error(self.clock.wall())) {
            Some(error) => Err(Stop::Failed(error)),
            None => Ok(Look::Nothing(record)),
        }
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

    /// The entries that can be used, the best first. `deadline`: of the login that a lock may be for.
    #[cfg_attr(not(feature = "redis"), allow(unused_variables))]
    fn stores(&self, deadline: Instant) -> Vec<Box<dyn Entry + '_>> {
        let owner = Owner { credentials: &self.credentials, base_url: &self.options.base_url };
        let known = self.slot.known().seals;
        let mut opened = Vec::new();
        let places = match &self.options.cache {
            Cache::Memory => return Vec::new(),
            Cache::Files(places) => places,
            #[cfg(feature = "redis")]
            Cache::Redis(address, places) => {
                let entry = RedisEntry::open(address, &owner, &self.options, &known, deadline);
                opened.push(entry.map(|entry| Box::new(entry) as Box<dyn Entry>));
                places
            }
        };
        opened.push(file::entry(places, &owner, &known).map(|entry| Box::new(entry) as Box<dyn Entry>));
        let mut stores = Vec::new();
        for entry in opened {
            match entry {
                Ok(entry) => stores.push(entry),
                Err(trouble) => self.degrade(trouble),
            }
        }
        self.slot.note(|known| known.seals = stores.iter().map(|entry| entry.seal()).collect());
        stores
    }

    /// For whoever looks there. Without waiting: whoever has its lock has something newer.
    fn copy(&self, record: &Record, to: &dyn Entry, lock: &mut Option<Box<dyn Lock + '_>>) {
        let write = |lock: &mut dyn Lock| lock.write(record, &self.clocks());
        let copied = match lock {
            Some(lock) => write(&mut **lock),
            None => to.try_lock().and_then(|lock| lock.map_or(Ok(()), |mut lock| write(&mut *lock))),
        };
        if let Err(trouble) = copied {
            self.degrade(trouble);
        }
    }

    /// For `stats`, and for flights that have no store.
    fn remember(&self, record: &Record) {
        self.slot.note(|known| known.record = Record { token: None, ..record.clone() });
    }

    /// Without waiting: whoever has the lock is about to replace the token anyway.
    pub fn forget_in_store(&self, token: &Token) {
        let clocks = self.clocks();
        for entry in self.stores(Instant::now() + self.options.timeout) {
            let forgotten = entry.try_lock().and_then(|lock| {
                let Some(mut lock) = lock else { return Ok(()) };
                let mut record = entry.read(&clocks)?;
                if record.has(token) {
                    (record.token, record.gone) = (None, Some(token.fingerprint()));
                    lock.write(&record, &clocks)?;
                }
                Ok(())
            });
            if let Err(trouble) = forgotten {
                self.degrade(trouble);
            }
        }
    }
}
