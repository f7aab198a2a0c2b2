//! The stores that an option `cache` names, tiered where there are two.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::file::FileStore;
use super::memory::Memory;
#[cfg(feature = "redis")]
use super::redis::RedisStore;
use super::seal::Seal;
use super::{OpenError, Owner, Store, StoreError, Tiered, deadline};
use crate::options::{Cache, Directories, Options};
use crate::process::clock::Clock;

/// The keys of earlier lookups: to derive one takes its time.
#[derive(Default, Clone)]
pub struct Seals(Arc<Mutex<Vec<Arc<Seal>>>>);

impl Seals {
    /// What a forked child takes over, without waiting for its parent's threads.
    pub fn inherited(&self) -> Self {
        Self(Arc::new(Mutex::new(self.0.try_lock().map(|seals| seals.clone()).unwrap_or_default())))
    }

    fn known(&self) -> Vec<Arc<Seal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, seal: &Arc<Seal>) {
        let mut seals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !seals.iter().any(|known| Arc::ptr_eq(known, seal)) {
            // One for Redis and one for files; others are of salts that are gone.
            let surplus = seals.len().saturating_sub(3);
            seals.drain(..surplus);
            seals.push(seal.clone());
        }
    }
}

/// The store of an owner, for one lookup: Redis before files before memory, as the options say. `deadline`: of the login
/// that a lock may be for. `Err`: the directory that the caller named is none for a store. Only the `first` lookup minds:
/// later ones go on in memory alone.
pub fn open<'a>(
    options: &'a Options,
    owner: &Owner<'_>,
    memory: &'a Memory,
    seals: &Seals,
    deadline: Instant,
    clock: &'a dyn Clock,
    first: bool,
) -> Result<Box<dyn Store + 'a>, StoreError> {
    let before_memory = |files| Box::new(Tiered::new(files, Box::new(memory), clock));
    match &options.cache {
        Cache::Memory => Ok(Box::new(memory)),
        Cache::Files(directories) => match in_files(directories, owner, seals, deadline) {
            Err(OpenError::Refused(error)) if first => Err(error),
            opened => Ok(before_memory(opened.map_err(OpenError::into_error))),
        },
        #[cfg(feature = "redis")]
        Cache::Redis(url, directories) => {
            let redis = RedisStore::open(url, owner, options, &seals.known());
            let redis = redis.inspect(|store| seals.keep(store.seal())).map(|store| Box::new(store) as Box<dyn Store>);
            let files = in_files(directories, owner, seals, deadline).map_err(OpenError::into_error);
            Ok(Box::new(Tiered::new(redis, before_memory(files), clock)))
        }
    }
}

/// The file store, on a thread of its own: what it does may block.
fn in_files(
    directories: &Directories,
    owner: &Owner<'_>,
    seals: &Seals,
    deadline: Instant,
) -> Result<Box<dyn Store>, OpenError> {
    let (credentials, base_url) = (owner.credentials.clone(), owner.base_url.to_owned());
    let (at, seals) = (directories.clone(), seals.clone());
    let open = move || {
        let store = FileStore::open(&at, |salt| {
            let owner = Owner { credentials: &credentials, base_url: &base_url };
            Seal::known_or_derived(&seals.known(), &owner, salt).inspect(|seal| seals.keep(seal))
        })?;
        Ok(Box::new(store) as Box<dyn Store>)
    };
    deadline::open(directories, Box::new(open), deadline)
}
