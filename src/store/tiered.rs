//! One store before another: the fallback store keeps what the first one keeps, and serves where that cannot.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use super::{Lasting, Lock, Store, StoreError, WriteError};
use crate::process::clock::Clock;
use crate::record::{Now, Record};

/// Two stores that are one. What each of them knows is merged field by field.
pub struct Tiered<'s> {
    /// `None`: it could not be opened.
    first: Option<Box<dyn Store + 's>>,
    fallback: Box<dyn Store + 's>,
    clock: &'s dyn Clock,
    /// The first one has failed in this lookup: it is left alone.
    failed: Cell<bool>,
    errors: RefCell<Vec<StoreError>>,
}

impl<'s> Tiered<'s> {
    /// `first`, or why it cannot be used.
    pub fn new(
        first: Result<Box<dyn Store + 's>, StoreError>,
        fallback: Box<dyn Store + 's>,
        clock: &'s dyn Clock,
    ) -> Self {
        let (first, errors) = match first {
            Ok(first) => (Some(first), Vec::new()),
            Err(error) => (None, vec![error]),
        };
        Self { first, fallback, clock, failed: Cell::new(false), errors: RefCell::new(errors) }
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

    /// Keeps what both know where it is not known yet. Does not wait: the process that has the lock has something newer.
    fn teach(&self, store: &dyn Store, both: &Record, now: &Now, deadline: Instant) -> Result<(), StoreError> {
        let locked = store.try_lock(now, deadline)?;
        let has_lock = locked.is_some();
        // Unless it died, or its lock outlived the server that it was taken from. So a valid token that is not known there is
        // written all the same: a process that does log in finds it when it writes, and gives its own back.
        let Some(lock) = locked.map_or_else(|| store.without_lock(now, deadline), |lock| Ok(Some(lock)))? else {
            return Ok(());
        };
        if now.is_outdated(self.clock.now()) {
            return Ok(());
        }
        let mut merged = lock.record().merged(both);
        merged.budget.settle(now.wall);
        let is_news = merged.teaches(lock.record());
        let known = lock.record().valid_token(now);
        let is_new_token =
            merged.valid_token(now).is_some_and(|token| known.is_none_or(|known| known.value != token.value));
        if !is_news || !(has_lock || is_new_token) {
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
        let mut errors = self.errors.borrow().clone();
        let others = self.first.iter().flat_map(|first| first.errors()).chain(self.fallback.errors());
        for error in others {
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        errors
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
        let mut both = record.merged(&behind);
        // This process was stopped meanwhile: what it has read is put into the wrong time, and nobody must learn it.
        if now.is_outdated(self.clock.now()) {
            return Ok(both);
        }
        // A store whose clock was set back has draws that lie in the future. Taught as they are, they would hold off anew by
        // each store that they reach.
        both.budget.settle(now.wall);
        if both.teaches(&record) {
            // A store that can only be read serves all the same.
            let _ = self.teach(first, &both, now, deadline);
        }
        if both.teaches(&behind) {
            let _ = self.teach(&*self.fallback, &both, now, deadline);
        }
        Ok(both)
    }

    /// The fallback store's lock is taken first: a process that loses the first store in mid-login finds it locked.
    fn try_lock<'a>(&'a self, now: &Now, deadline: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        let Some(behind) = self.fallback.try_lock(now, deadline)? else { return Ok(None) };
        let Some(first) = self.first() else { return Ok(Some(behind)) };
        match self.by_first(first.try_lock(now, deadline)) {
            None => Ok(Some(behind)),
            Some(None) => Ok(None),
            Some(Some(_)) if now.is_outdated(self.clock.now()) => Ok(None),
            Some(Some(lock)) => {
                let mut record = lock.record().merged(behind.record());
                record.budget.settle(now.wall);
                let new = record.teaches(lock.record()) || record.teaches(behind.record());
                let both = Both { tiers: self, first: Some(lock), fallback: Some(behind), record: record.clone() };
                if !new {
                    return Ok(Some(Box::new(both)));
                }
                // What one of them did not know yet.
                match Box::new(both).write(&record, now) {
                    Ok(both) => Ok(Some(both)),
                    Err(WriteError::Conflict) => Ok(None),
                    Err(WriteError::Store(error)) => Err(error),
                }
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
        let mut is_kept = false;
        if let Some(first) = self.first.take() {
            match first.write(record, now) {
                Ok(first) => {
                    self.first = Some(first);
                    is_kept = true;
                }
                Err(WriteError::Conflict) => {
                    let place = self.tiers.place().unwrap_or_default();
                    let lost = format!("{place}: the lock ran out, and another process has written since");
                    self.tiers.errors.borrow_mut().push(StoreError(lost));
                    return Err(WriteError::Conflict);
                }
                Err(WriteError::Store(error)) => self.tiers.fail(error),
            }
        }
        // The fallback store learns what the first one holds; alone it must hold it itself.
        if let Some(fallback) = self.fallback.take() {
            match fallback.write(record, now) {
                Ok(fallback) => {
                    self.fallback = Some(fallback);
                    is_kept = true;
                }
                Err(error) if !is_kept => return Err(error),
                Err(WriteError::Store(error)) => self.tiers.errors.borrow_mut().push(error),
                Err(WriteError::Conflict) => {}
            }
        }
        if !is_kept {
            // The fallback store's lock was lost before the first one's. The lookup begins anew, in the fallback store alone.
            return Err(WriteError::Conflict);
        }
        self.record = record.clone();
        Ok(self)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
