//! The store of one host: a directory of one user's, with a file for each credential.
//!
//! - `salt`: random bytes, made once, by the first process;
//! - `NAME.entry`: the record, sealed, replaced as a whole by renaming `NAME.new`;
//! - `NAME.lock`: locked while somebody logs in; never removed.
//!
//! `NAME.new` is locked besides `NAME.lock`: if one of them is removed, the other one still keeps a second process out.

mod age;
mod directory;
mod lock;
mod mount;
mod places;
mod salt;

use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use self::age::{sweep, touch};
use self::directory::{Directory, LARGEST};
use self::lock::Locked;
pub use self::places::chosen;
use super::seal::{SALT, Seal};
use super::{Lasting, Lock, OpenError, Store, StoreError, WriteError, format};
use crate::options::Directories;
use crate::record::{Attempt, Now, Record};

/// The record of one credential, in a directory.
pub struct FileStore {
    directory: Directory,
    seal: Arc<Seal>,
    lasting: Lasting,
}

impl FileStore {
    /// The owner's record. `derive` makes what seals it from the directory's salt.
    pub fn open(
        directories: &Directories,
        derive: impl FnOnce([u8; SALT]) -> Result<Arc<Seal>, StoreError>,
    ) -> Result<Self, OpenError> {
        let directory = places::open(directories)?;
        let lasting = directory.lasting();
        let seal = derive(directory.salt()?)?;
        Ok(Self { directory, seal, lasting })
    }

    fn name(&self, kind: &str) -> String {
        format!("{}.{kind}", self.seal.name())
    }

    /// The entry as it lies there, sealed; empty where there is none.
    fn entry(&self) -> Result<(Option<File>, Vec<u8>), StoreError> {
        Ok(self.directory.read(&self.name("entry"))?.map_or((None, Vec::new()), |(file, text)| (Some(file), text)))
    }

    fn opened(&self, sealed: &[u8], now: &Now) -> Option<Record> {
        self.seal.open(sealed).and_then(|text| format::decode(&text, None, now))
    }
}

impl Store for FileStore {
    fn place(&self) -> Option<String> {
        Some(self.directory.path.display().to_string())
    }

    fn lasting(&self) -> Lasting {
        self.lasting.clone()
    }

    fn read(&self, now: &Now, _: Instant) -> Result<Record, StoreError> {
        let (file, sealed) = self.entry()?;
        let record = self.opened(&sealed, now);
        if let Some(file) = file.filter(|_| record.is_some()) {
            touch(&file);
        }
        Ok(record.unwrap_or_default())
    }

    fn try_lock<'a>(&'a self, now: &Now, _: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        let Some(lock) = self.directory.try_lock(self.name("lock"))? else { return Ok(None) };
        let Some(new) = self.directory.try_lock(self.name("new"))? else { return Ok(None) };
        let (_, seen) = self.entry()?;
        let record = self.opened(&seen, now).unwrap_or_default();
        Ok(Some(Box::new(FileLock { store: self, new: Some(new), _lock: lock, seen, record })))
    }
}

struct FileLock<'a> {
    store: &'a FileStore,
    /// Locked until it has become the entry.
    new: Option<Locked<'a>>,
    _lock: Locked<'a>,
    /// The entry that the next write follows.
    seen: Vec<u8>,
    record: Record,
}

impl<'a> FileLock<'a> {
    /// The file that is to become the entry.
    fn take_new(&mut self) -> Result<Option<Locked<'a>>, StoreError> {
        if let Some(new) = self.new.take()
            && new.still_there()?
        {
            return Ok(Some(new));
        }
        // Somebody has removed it. The other lock is still this process's.
        self.store.directory.try_lock(self.store.name("new"))
    }
}

impl<'a> Lock<'a> for FileLock<'a> {
    fn record(&self) -> &Record {
        &self.record
    }

    fn write(mut self: Box<Self>, record: &Record, now: &Now) -> Result<Box<dyn Lock<'a> + 'a>, WriteError> {
        let store = self.store;
        let sealed = store.seal.close(&format::encode(record, Default::default(), now))?;
        let new = self.take_new()?.ok_or_else(|| {
            StoreError(format!("{}: files are being removed while they are in use", store.directory.path.display()))
        })?;
        if let Err(error) = new.fill(&sealed) {
            new.discard();
            return Err(error.into());
        }
        if store.entry()?.1 != self.seen {
            new.discard();
            return Err(WriteError::Conflict);
        }
        store.directory.rename(&new.name, &store.name("entry"))?;
        drop(new);
        if matches!(record.attempt, Attempt::Sent(_)) {
            // Another write will follow, when it is too late to find the disk full: its room is taken now.
            let next = store.directory.try_lock(store.name("new"))?;
            next.as_ref().map_or(Ok(()), |next| next.fill(&[0; LARGEST]))?;
            self.new = next;
        } else {
            sweep(&store.directory);
        }
        (self.seen, self.record) = (sealed, record.clone());
        Ok(self)
    }
}

impl Drop for FileLock<'_> {
    fn drop(&mut self) {
        // What did not become an entry is left over.
        if let Some(new) = self.new.take() {
            new.discard();
        }
    }
}
