//! The right to log in and to write, in all hosts' sight.

use super::breaker::Write;
use super::conditional::{self, NotDone};
use super::{RedisStore, UNUSED_MS};
use crate::record::{Now, Record};
use crate::store::{Lock, WriteError, format};

/// A lock that is held until it runs out or is dropped.
pub struct RedisLock<'a, 's> {
    pub store: &'a RedisStore<'s>,
    pub key: String,
    /// What the key holds while the lock is ours.
    pub owner: String,
    /// The entry that the next write follows.
    pub seen: Vec<u8>,
    pub record: Record,
}

impl<'a> Lock<'a> for RedisLock<'a, '_> {
    fn record(&self) -> &Record {
        &self.record
    }

    fn write(mut self: Box<Self>, record: &Record, now: &Now) -> Result<Box<dyn Lock<'a> + 'a>, WriteError> {
        let store = self.store;
        let sealed = store.seal.close(&format::encode(record, store.ahead.get(), now))?;
        let written = conditional::set(&mut store.session.borrow_mut(), &store.key(), &self.seen, &sealed, UNUSED_MS);
        match written {
            Ok(true) => {
                store.note(Write::Record, None);
                (self.seen, self.record) = (sealed, record.clone());
                Ok(self)
            }
            Ok(false) => Err(WriteError::Conflict),
            Err(NotDone::Refused(failure)) => Err(store.note(Write::Record, Some(&failure)).into()),
            Err(NotDone::Away(error)) => Err(error.into()),
        }
    }
}

impl Drop for RedisLock<'_, '_> {
    fn drop(&mut self) {
        // Where that fails it runs out.
        let _ = conditional::delete(&mut self.store.session.borrow_mut(), &self.key, self.owner.as_bytes());
    }
}
