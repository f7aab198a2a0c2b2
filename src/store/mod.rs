//! Where records are kept, for the next lookup and for other processes.

mod clocks;
mod deadline;
pub mod file;
pub mod format;
pub mod memory;
mod open;
#[cfg(feature = "redis")]
pub mod redis;
pub mod seal;
mod tiered;

use std::fmt;
use std::time::{Duration, Instant};

pub use self::open::{Seals, open};
pub use self::tiered::Tiered;
use crate::credentials::Credentials;
use crate::record::{Now, Record};

/// An entry that nobody used for so long is removed. A process may hold its token in memory for months meanwhile.
const UNUSED: Duration = Duration::from_secs(400 * 24 * 3600);

/// Why a store could not be used, without secrets. Shown in `stats`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError(pub String);

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why a store was not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// It is there no more, not yet, or not now.
    Store(StoreError),
    /// Owner, mode or kind of what is there forbid it, and a person must correct that. Says what is right.
    Refused(StoreError),
}

impl OpenError {
    /// What happened, in either case.
    pub fn into_error(self) -> StoreError {
        match self {
            Self::Store(error) | Self::Refused(error) => error,
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// How long what a store keeps is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lasting {
    /// Until it is removed.
    Yes,
    /// As long as this process.
    Process,
    /// Until its service, container or machine stops. Says what to set.
    Service(String),
}

/// Why a record was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// The store could not be used.
    Store(StoreError),
    /// The lock was lost, and somebody else has written since: what is there stays.
    Conflict,
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The record of one credential, for the time of one lookup.
///
/// `deadline` is when the call is over that asks: no store waits longer.
pub trait Store {
    /// Where the record is, for `stats`; `None`: in memory.
    fn place(&self) -> Option<String>;

    /// Why records are not kept as well as they could be, for `stats`.
    fn errors(&self) -> Vec<StoreError> {
        Vec::new()
    }

    /// How long it is there, for `stats`.
    fn lasting(&self) -> Lasting {
        Lasting::Yes
    }

    /// What is kept; an empty record where there is none, or none that can be read.
    fn read(&self, now: &Now, deadline: Instant) -> Result<Record, StoreError>;

    /// The right to log in and to write, in all processes' sight; `None`: another one has it. Does not wait.
    fn try_lock<'a>(&'a self, now: &Now, deadline: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError>;

    /// The record, to be written although another one has the lock. Only where a lock can outlive its owner; `None`: it
    /// cannot. A write follows what was read here, or does not happen.
    fn without_lock<'a>(&'a self, _: &Now, _: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        Ok(None)
    }
}

impl<S: Store> Store for &S {
    fn place(&self) -> Option<String> {
        (**self).place()
    }

    fn errors(&self) -> Vec<StoreError> {
        (**self).errors()
    }

    fn lasting(&self) -> Lasting {
        (**self).lasting()
    }

    fn read(&self, now: &Now, deadline: Instant) -> Result<Record, StoreError> {
        (**self).read(now, deadline)
    }

    fn try_lock<'a>(&'a self, now: &Now, deadline: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        (**self).try_lock(now, deadline)
    }

    fn without_lock<'a>(&'a self, now: &Now, deadline: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        (**self).without_lock(now, deadline)
    }
}

/// The right to log in and to write. It ends when it is dropped, and with its process.
pub trait Lock<'a> {
    /// What was kept when the lock was had, and what was written since.
    fn record(&self) -> &Record;

    /// Keeps `record` in place of [`Lock::record`], whole or not at all, and durably. Whatever another process has written
    /// meanwhile, since this one lost the lock, stays. Without an error the lock goes on.
    fn write(self: Box<Self>, record: &Record, now: &Now) -> Result<Box<dyn Lock<'a> + 'a>, WriteError>;
}

/// Whom a record belongs to. Its name and its key come from these.
pub struct Owner<'a> {
    /// Who logs in.
    pub credentials: &'a Credentials,
    /// At which server.
    pub base_url: &'a str,
}
