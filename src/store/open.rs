//! The stores that an option `cache` stands for, one behind another.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::file::FileStore;
use super::memory::Memory;
#[cfg(feature = "redis")]
use super::redis::RedisStore;
use super::seal::Seal;
use super::{Owner, Store, StoreError, Tiered};
use crate::options::{Cache, Options};
use crate::process::clock::Clock;

/// The keys of earlier lookups: to derive one takes its time.
#[derive(Default)]
pub struct Seals(Mutex<Vec<Arc<Seal>>>);

impl Seals {
    /// What a forked child takes over, without waiting for its parent's threads.
    pub fn inherited(&self) -> Self {
        Self(Mutex::new(self.0.try_lock().map(|seals| seals.clone()).unwrap_or_default()))
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
/// that a lock may be for.
#[cfg_attr(not(feature = "redis"), allow(unused_variables))]
pub fn open<'a>(
    options: &'a Options,
    owner: &Owner<'_>,
    memory: &'a Memory,
    seals: &Seals,
    deadline: Instant,
    clock: &'a dyn Clock,
) -> Box<dyn Store + 'a> {
    let in_files = |places| {
        let files = FileStore::open(places, owner, &seals.known());
        Box::new(Tiered::new(boxed(files, |store| seals.keep(store.seal())), Box::new(memory), clock))
    };
    match &options.cache {
        Cache::Memory => Box::new(memory),
        Cache::Files { places, .. } => in_files(places),
        #[cfg(feature = "redis")]
        Cache::Redis(url, places) => {
            let redis = RedisStore::open(url, owner, options, &seals.known());
            Box::new(Tiered::new(boxed(redis, |store| seals.keep(store.seal())), in_files(places), clock))
        }
    }
}

fn boxed<'a, S: Store + 'a>(
    opened: Result<S, StoreError>,
    keep: impl FnOnce(&S),
) -> Result<Box<dyn Store + 'a>, StoreError> {
    opened.inspect(keep).map(|store| Box::new(store) as Box<dyn Store>)
}
