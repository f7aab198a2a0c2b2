//! What stores keep, and how well they serve.

use std::fmt;
use std::time::Duration;

use tps::record::{Attempt, Record};

use super::scheduler::{Sim, TaskId};
use super::world::{Password, World, host_name};

/// A store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreId {
    /// The memory of a process.
    Memory(usize),
    /// The files of a host.
    Files(usize),
    Redis,
}

/// One record in a store, and its lock.
#[derive(Debug, Default)]
pub struct Place {
    /// As it lies there; empty: none.
    pub text: Vec<u8>,
    /// Counts the writes.
    pub version: u64,
    pub lock: Option<Holder>,
    pub holds: Summary,
}

/// Who has a lock.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Never used again.
    pub number: u64,
    pub process: usize,
    pub task: usize,
    /// When it runs out.
    pub until: Option<Duration>,
}

/// What a record says, without its times.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Summary {
    pub token: Option<String>,
    pub dead: Vec<String>,
    /// The login that gave the token, by what the record tells: its process, and why. `None`: its latest token is another.
    pub login: Option<(usize, &'static str)>,
    /// A login was written down.
    pub sent: bool,
    pub attempt: &'static str,
    pub drawn: usize,
    pub renewal_lost: bool,
    /// When it was written, and by which thread.
    pub at: Duration,
    pub by: TaskId,
}

impl Summary {
    pub fn of(record: &Record, at: Duration) -> Self {
        Self {
            token: record.token.as_ref().map(|token| token.value.expose().to_owned()),
            dead: record.dead.fingerprints().to_vec(),
            login: record
                .latest
                .filter(|latest| record.token.as_ref().is_some_and(|token| token.obtained_at == latest.obtained_at))
                .and_then(|latest| latest.login)
                .map(|login| (login.by as usize, login.reason.name())),
            sent: matches!(record.attempt, Attempt::Sent(_)),
            attempt: match record.attempt {
                Attempt::None => "none",
                Attempt::Sent(_) => "sent",
                Attempt::Lost(_) => "lost",
                Attempt::Refused(_) => "refused",
            },
            renewal_lost: record.renewal_lost,
            drawn: record.budget.drawn().len(),
            at,
            by: Sim::current(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_deref().unwrap_or("-");
        let lost = if self.renewal_lost { ", a renewal lost" } else { "" };
        write!(f, "{token} ({} dead), attempt {}, {} drawn{lost}", self.dead.len(), self.attempt, self.drawn)
    }
}

/// Until when operations of a kind fail.
#[derive(Debug, Default, Clone)]
pub struct Sick {
    pub read: Duration,
    pub lock: Duration,
    pub write: Duration,
}

/// What a store is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Read,
    Lock,
    Write,
}

impl Sick {
    fn until(&self, operation: Operation) -> Duration {
        match operation {
            Operation::Read => self.read,
            Operation::Lock => self.lock,
            Operation::Write => self.write,
        }
    }
}

impl World {
    /// Whether an operation fails that this host asks for now.
    pub fn store_fails(&mut self, store: StoreId, host: usize, operation: Operation) -> bool {
        let flaky = self.plan.flaky;
        if self.faults_on && self.random.chance(flaky) {
            return true;
        }
        let until = match store {
            StoreId::Memory(_) => Duration::ZERO,
            StoreId::Files(_) => self.hosts[host].files_sick.until(operation),
            StoreId::Redis => self.redis_sick.until(operation).max(self.hosts[host].redis_sick.until(operation)),
        };
        self.time < until
    }

    /// The record in a store.
    pub fn place(&mut self, store: StoreId, password: Password) -> &mut Place {
        self.places.entry((store, password)).or_default()
    }

    /// The stores that a process keeps its record in, the first one first. Its memory comes last.
    pub fn stores_of(&self, process: usize) -> Vec<StoreId> {
        let host = self.processes[process].host;
        let redis = self.plan.has_redis().then_some(StoreId::Redis);
        let files = self.plan.has_files().then_some(StoreId::Files(host));
        redis.into_iter().chain(files).chain([StoreId::Memory(process)]).collect()
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(process) => write!(f, "memory of p{}", process + 1),
            Self::Files(host) => write!(f, "files of {}", host_name(*host)),
            Self::Redis => f.write_str("Redis"),
        }
    }
}
