//! The store of one process: the last resort, and never in the way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Instant;

use parking_lot::ArcMutexGuard;

use super::clocks::Clocks;
use super::{Lasting, Lock, Store, StoreError, WriteError};
use crate::record::{Now, Record};

/// A record in memory.
#[derive(Debug, Default)]
pub struct Memory {
    kept: Mutex<Kept>,
    /// Taken by `try_lock` alone, where nothing parks: see process/fork.rs.
    lock: Arc<parking_lot::Mutex<()>>,
}

#[derive(Debug, Default, Clone)]
struct Kept {
    record: Record,
    /// The clocks by which its times were kept.
    clocks: Option<Clocks>,
}

impl Memory {
    /// What a forked child takes over, without waiting for its parent's threads.
    pub fn inherited(&self) -> Self {
        let kept = match self.kept.try_lock() {
            Ok(kept) => kept.clone(),
            Err(TryLockError::Poisoned(kept)) => kept.into_inner().clone(),
            Err(TryLockError::WouldBlock) => Kept::default(),
        };
        Self { kept: Mutex::new(kept), lock: Arc::default() }
    }

    /// What is kept, with its times by the present clocks.
    pub fn record(&self, now: &Now) -> Record {
        let Kept { record, clocks } = self.kept().clone();
        match clocks {
            Some(clocks) => record.shifted(-clocks.ahead_of(now)),
            None => record,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn place(&self) -> Option<String> {
        None
    }

    fn lasting(&self) -> Lasting {
        Lasting::Process
    }

    fn read(&self, now: &Now, _: Instant) -> Result<Record, StoreError> {
        Ok(self.record(now))
    }

    fn try_lock<'a>(&'a self, now: &Now, _: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        let lock = parking_lot::Mutex::try_lock_arc(&self.lock);
        Ok(lock.map(|lock| Box::new(Locked { memory: self, record: self.record(now), _lock: lock }) as Box<dyn Lock>))
    }
}

struct Locked<'a> {
    memory: &'a Memory,
    record: Record,
    _lock: ArcMutexGuard<parking_lot::RawMutex, ()>,
}

impl<'a> Lock<'a> for Locked<'a> {
    fn record(&self) -> &Record {
        &self.record
    }

    fn write(mut self: Box<Self>, record: &Record, now: &Now) -> Result<Box<dyn Lock<'a> + 'a>, WriteError> {
        *self.memory.kept() = Kept { record: record.clone(), clocks: Some(Clocks::of(now)) };
        self.record = record.clone();
        Ok(self)
    }
}
