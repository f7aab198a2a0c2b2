//! In memory: one entry for each credential, store and server, for as long as the process lives. PHP makes and drops a
//! client for each page; what it found must outlive that.

mod counters;
mod entry;
mod flight;
mod published;
mod renewal_times;
mod report;
mod single_flight;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{Context, SHA256};

pub use self::counters::Counters;
pub use self::entry::Entry;
pub use self::flight::{LogoutFlight, LookupFlight};
pub use self::published::Published;
pub use self::report::StoreReport;
pub use self::single_flight::Started;
use crate::process::fork::{Inherit, PerProcess};

/// All entries of the process, by what they belong to.
#[derive(Default)]
struct Entries(Mutex<BTreeMap<[u8; 32], Arc<Entry>>>);

static ENTRIES: PerProcess<Entries> = PerProcess::new();

impl Inherit for Entries {
    /// A child goes on with its parent's entries.
    fn inherit(parent: Option<&Self>) -> Self {
        Self(Mutex::new(parent.and_then(|parent| parent.0.try_lock().ok()?.clone().into()).unwrap_or_default()))
    }
}

/// The entry for these texts: server, user, organization, store, password.
pub fn entry(of: &[&str]) -> Arc<Entry> {
    ENTRIES.get().0.lock().unwrap_or_else(PoisonError::into_inner).entry(key(of)).or_default().clone()
}

/// The same for equal texts, without the texts. Each goes in with its length, so that ("a", "bc") and ("ab", "c")
/// differ.
pub fn key(parts: &[&str]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    // SHA-256 has 32 bytes.
    context.finish().as_ref().try_into().unwrap_or_default()
}
