//! One store before another: the fallback store keeps what the first one keeps, and serves where that cannot.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use super::{Lasting, Lock, Store, StoreError, WriteError};
use crate::record::{Now, Record};

/// Two stores that are one. What each of them knows is merged field by field.
pub struct Tiered<'s> {
    /// `None`: it could not be opened.
    first: Option<Box<dyn Store + 's>>,
    fallback: Box<dyn Store + 's>,
    /// The first one has failed in this lookup: it is left alone.
    failed: Cell<bool>,
    errors: RefCell<Vec<StoreError>>,
}

impl<'s> Tiered<'s> {
    /// `first`, or why it cannot be used.
    pub fn new(first: Result<Box<dyn Store + 's>, StoreError>, fallback: Box<dyn Store + 's>) -> Self {
        let (first, errors) = match first {
            Ok(first) => (Some(first), Vec::new()),
            Err(error) => (None, vec![error]),
        };
        Self { first, fallback, failed: Cell::new(false), errors: RefCell::new(errors) }
    }

    /// The first store, unless it has failed in this lookup.
    fn first(&self) -> Option<&(dyn Store + 's)> {
        self.first.as_deref().filter(|_| !self.failed.get())
    }

    /// What the first store gave; `None`: it has failed.
    fn by_first<T>(&self, outcome: Result<T, StoreError>) -> Option<T> {
        outcome.map_err(|error| self.fail(error)).ok()
    }

    fn fail(&self, error: StoreError) {
        self.failed.set(true);
        self.errors.borrow_mut().push(error);
    }

    /// Keeps what both know where it is not known yet. Without waiting: whoever has the lock has something newer.
    fn teach(&self, store: &dyn Store, both: &Record, now: &Now, deadline: Instant) -> Result<(), StoreError> {
        let Some(lock) = store.try_lock(now, deadline)? else { return Ok(()) };
        let merged = lock.record().merged(both);
        if !merged.teaches(lock.record()) {
            return Ok(());
        }
        match lock.write(&merged, now) {
            Ok(_) | Err(WriteError::Conflict) => Ok(()),
            Err(WriteError::Store(error)) => Err(error),
        }
    }
}

impl Store for Tiered<'_> {
    fn place(&self) -> Option<String> {
        self.first().map_or_else(|| self.fallback.place(), Store::place)
    }

    fn errors(&self) -> Vec<StoreError> {
        self.errors.borrow().iter().cloned().chain(self.fallback.errors()).collect()
    }

    fn lasting(&self) -> Lasting {
        self.first().map_or_else(|| self.fallback.lasting(), Store::lasting)
    }

    fn read(&self, now: &Now, deadline: Instant) -> Result<Record, StoreError> {
        let behind = self.fallback.read(now, deadline);
        let Some((first, record)) =
            self.first().and_then(|first| Some((first, self.by_first(first.read(now, deadline))?)))
        else {
            return behind;
        };
        let Ok(behind) = behind else { return Ok(record) };
        let both = record.merged(&behind);
        if both.teaches(&record) {
            // A store that can only be read serves all the same.
            let _ = self.teach(first, &both, now, deadline);
        }
        if both.teaches(&behind) {
            let _ = self.teach(&*self.fallback, &both, now, deadline);
        }
        Ok(both)
    }

    /// The fallback store's lock is taken first: whoever loses the first store in mid-login finds the other one locked.
    fn try_lock<'a>(&'a self, now: &Now, deadline: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        let Some(behind) = self.fallback.try_lock(now, deadline)? else { return Ok(None) };
        let Some(first) = self.first() else { return Ok(Some(behind)) };
        match self.by_first(first.try_lock(now, deadline)) {
            None => Ok(Some(behind)),
            Some(None) => Ok(None),
            Some(Some(lock)) => {
                let record = lock.record().merged(behind.record());
                Ok(Some(Box::new(Both { tiers: self, first: Some(lock), fallback: Some(behind), record })))
            }
        }
    }
}

/// Both locks, as long as their stores serve.
struct Both<'a, 's> {
    tiers: &'a Tiered<'s>,
    first: Option<Box<dyn Lock<'a> + 'a>>,
    fallback: Option<Box<dyn Lock<'a> + 'a>>,
    record: Record,
}

impl<'a> Lock<'a> for Both<'a, '_> {
    fn record(&self) -> &Record {
        &self.record
    }

    fn write(mut self: Box<Self>, record: &Record, now: &Now) -> Result<Box<dyn Lock<'a> + 'a>, WriteError> {
        let mut outcome = Err(WriteError::Conflict);
        if let Some(first) = self.first.take() {
            outcome = match first.write(record, now) {
                Ok(first) => {
                    self.first = Some(first);
                    Ok(())
                }
                Err(WriteError::Conflict) => {
                    let place = self.tiers.place().unwrap_or_default();
                    let lost = format!("{place}: the lock ran out, and another process has written since");
                    self.tiers.errors.borrow_mut().push(StoreError(lost));
                    return Err(WriteError::Conflict);
                }
                Err(WriteError::Store(error)) => {
                    self.tiers.fail(error.clone());
                    Err(error.into())
                }
            };
        }
        // The fallback store learns what the first one holds; alone it must hold it itself.
        if let Some(fallback) = self.fallback.take() {
            match fallback.write(record, now) {
                Ok(fallback) => {
                    self.fallback = Some(fallback);
                    outcome = Ok(());
                }
                Err(error) if outcome.is_err() => outcome = Err(error),
                Err(WriteError::Store(error)) => self.tiers.errors.borrow_mut().push(error),
                Err(WriteError::Conflict) => {}
            }
        }
        outcome?;
        self.record = record.clone();
        Ok(self)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::record::{Attempt, Moment, Token};
    use crate::secret::Secret;
    use crate::store::memory::Memory;

    fn now() -> Now {
        let wall = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
        Now { moment: Moment::default(), wall, boot: None }
    }

    fn with_token(name: &str, age: i64) -> Record {
        let made = Now { wall: now().wall - SignedDuration::from_secs(age), ..now() };
        Record { token: Some(Arc::new(Token::own(Secret::new(name.to_owned()), &made))), ..Record::default() }
    }

    fn keep(store: &dyn Store, record: &Record) -> Result<(), WriteError> {
        store.try_lock(&now(), Instant::now()).unwrap().unwrap().write(record, &now()).map(|_| ())
    }

    fn token_in(store: &dyn Store) -> Option<String> {
        let record = store.read(&now(), Instant::now()).unwrap();
        record.token.map(|token| token.value.expose().to_owned())
    }

    /// A store that refuses what it is told to refuse.
    struct Broken {
        memory: Memory,
        reads: bool,
        locks: bool,
        conflicts: bool,
    }

    fn no<T>(fails: bool, outcome: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        if fails { Err(StoreError("it is broken".to_owned())) } else { outcome() }
    }

    impl Store for Broken {
        fn place(&self) -> Option<String> {
            Some("a place".to_owned())
        }

        fn read(&self, now: &Now, deadline: Instant) -> Result<Record, StoreError> {
            no(self.reads, || self.memory.read(now, deadline))
        }

        fn try_lock<'a>(&'a self, now: &Now, deadline: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
            let lock = no(self.locks, || self.memory.try_lock(now, deadline))?;
            Ok(lock.map(|lock| Box::new(Unwritable(lock, self.conflicts)) as Box<dyn Lock>))
        }
    }

    struct Unwritable<'a>(Box<dyn Lock<'a> + 'a>, bool);

    impl<'a> Lock<'a> for Unwritable<'a> {
        fn record(&self) -> &Record {
            self.0.record()
        }

        fn write(self: Box<Self>, _: &Record, _: &Now) -> Result<Box<dyn Lock<'a> + 'a>, WriteError> {
            Err(if self.1 { WriteError::Conflict } else { StoreError("it is full".to_owned()).into() })
        }
    }

    #[test]
    fn both_keep_and_both_learn() {
        let (first, fallback) = (Memory::default(), Memory::default());
        keep(&first, &with_token("old", 60)).unwrap();
        keep(&fallback, &with_token("new", 0)).unwrap();
        let store = Tiered::new(Ok(Box::new(&first)), Box::new(&fallback));
        assert_eq!(token_in(&store).as_deref(), Some("new"));
        assert_eq!(token_in(&first).as_deref(), Some("new"), "the first one has learnt it");
        keep(&store, &with_token("newest", -1)).unwrap();
        assert_eq!((token_in(&first), token_in(&fallback)), (Some("newest".into()), Some("newest".into())));
        assert!(store.errors().is_empty());
    }

    #[test]
    fn the_fallback_store_serves_where_the_first_one_cannot() {
        for (reads, locks) in [(true, true), (false, true), (false, false)] {
            let (first, fallback) =
                (Broken { memory: Memory::default(), reads, locks, conflicts: false }, Memory::default());
            let store = Tiered::new(Ok(Box::new(&first)), Box::new(&fallback));
            keep(&store, &with_token("a", 0)).unwrap();
            assert_eq!(token_in(&fallback).as_deref(), Some("a"));
            assert_eq!(token_in(&store).as_deref(), Some("a"));
            assert_eq!((store.errors().len(), store.place()), (1, None), "{reads} {locks}");
        }
        let fallback = Memory::default();
        let store = Tiered::new(Err(StoreError("there is none".to_owned())), Box::new(&fallback));
        keep(&store, &with_token("a", 0)).unwrap();
        assert_eq!((token_in(&store).as_deref(), store.errors().len()), (Some("a"), 1));
    }

    #[test]
    fn whoever_lost_the_first_ones_lock_writes_nowhere() {
        let first = Broken { memory: Memory::default(), reads: false, locks: false, conflicts: true };
        let fallback = Memory::default();
        let store = Tiered::new(Ok(Box::new(&first)), Box::new(&fallback));
        assert_eq!(keep(&store, &with_token("a", 0)), Err(WriteError::Conflict));
        assert_eq!(token_in(&fallback), None);
        assert!(store.errors().iter().any(|error| error.0.contains("ran out")));
    }

    #[test]
    fn one_lock_that_is_taken_is_enough_to_wait() {
        let (first, fallback) = (Memory::default(), Memory::default());
        for taken in [&first, &fallback] {
            let store = Tiered::new(Ok(Box::new(&first)), Box::new(&fallback));
            let lock = taken.try_lock(&now(), Instant::now()).unwrap();
            assert!(store.try_lock(&now(), Instant::now()).unwrap().is_none());
            drop(lock);
            assert!(store.try_lock(&now(), Instant::now()).unwrap().is_some());
        }
        assert_eq!(first.record(&now()).attempt, Attempt::None);
    }
}
