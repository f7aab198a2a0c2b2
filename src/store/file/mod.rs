//! The store of one host: a directory of one user's, with a file for each credential.
//!
//! - `salt`: random bytes, made once by whoever comes first;
//! - `NAME.entry`: the record, sealed, replaced as a whole by renaming `NAME.new`;
//! - `NAME.lock`: locked while somebody logs in; never removed.
//!
//! `NAME.new` is locked besides `NAME.lock`, so that whoever removes one of them under the holder does not let a second
//! one in.

mod directory;

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use self::directory::{Directory, LARGEST, Locked};
use super::seal::Seal;
use super::{Lock, Owner, Store, StoreError, UNUSED, WriteError, format};
use crate::record::{Attempt, Now, Record};

/// How far its modification time, which tells of its use, may lag behind.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The record of one credential, in a directory.
pub struct FileStore {
    directory: Directory,
    seal: Arc<Seal>,
}

impl FileStore {
    /// The owner's record in the first of the directories that can be used. `known` are the seals of earlier lookups.
    pub fn open(places: &[PathBuf], owner: &Owner<'_>, known: &[Arc<Seal>]) -> Result<Self, StoreError> {
        let mut errors = Vec::new();
        for place in places {
            match Directory::open(place) {
                Ok(directory) => {
                    let seal = Seal::known_or_derived(known, owner, directory.salt()?)?;
                    return Ok(Self { directory, seal });
                }
                Err(StoreError(error)) => errors.push(error),
            }
        }
        Err(StoreError(errors.join("; ")))
    }

    /// What seals the record, to be kept for the next lookup.
    pub fn seal(&self) -> &Arc<Seal> {
        &self.seal
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

/// Tells of an entry's use, once a day.
fn touch(file: &File) {
    let now = SystemTime::now();
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    if modified.is_ok_and(|then| now.duration_since(then).is_ok_and(|age| age > DAY)) {
        // One that cannot be touched is as good as any other.
        let _ = file.set_modified(now);
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

/// Removes entries that nobody used for long, and what killed processes left behind.
fn sweep(directory: &Directory) {
    let Ok(files) = fs::read_dir(&directory.path) else { return };
    let now = SystemTime::now();
    for file in files.flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let age = file
            .metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
            .and_then(|then| now.duration_since(then).ok());
        let Some(age) = age else { continue };
        if name.ends_with(".entry") && age > UNUSED {
            let _ = directory.remove(&name);
        } else if name.ends_with(".new") && age > DAY {
            // Only when nobody is about to fill it.
            if let Ok(Some(left_over)) = directory.try_lock(name) {
                left_over.discard();
            }
        }
    }
}
