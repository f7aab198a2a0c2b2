//! The store of many hosts: Redis or Valkey.
//!
//! - `tps:salt`: random bytes, made once by whoever comes first;
//! - `tps:NAME`: the record, sealed, for 90 days from its last use;
//! - `tps:NAME:lock`: the owner of the right to log in, for as long as a login may take.
//!
//! Times are kept by the server's clock: those of the hosts may be wrong. A connection serves one lookup.

mod connection;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use redis::{Cmd, Connection, FromRedisValue, RedisError, cmd, pipe};

use self::connection::{connect, failed};
use super::seal::{SALT, Seal, random};
use super::{Lock, Owner, Store, StoreError, WriteError, format};
use crate::options::Options;
use crate::options::redis_url::RedisUrl;
use crate::record::{Now, Record};

/// How long the lock outlives the deadline of the login that it is for.
const GRACE: Duration = Duration::from_secs(1);

/// An entry that nobody used for so long is removed.
const UNUSED: Duration = Duration::from_secs(90 * 24 * 3600);

/// Sets `KEYS[1]` if it still holds `ARGV[1]` (empty: nothing). Whoever has written since had good reason to.
const WRITE: &str = "if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end \
     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1";

/// Deletes the lock of its owner only.
const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// The record of one credential, in Redis.
pub struct RedisStore<'a> {
    url: &'a RedisUrl,
    connection: RefCell<Connection>,
    seal: Arc<Seal>,
    /// How far the server's clock is ahead of this machine's.
    ahead: Cell<SignedDuration>,
    /// When the login ends that the lock is for.
    deadline: Instant,
}

impl<'a> RedisStore<'a> {
    /// The owner's record. `known` are the seals of earlier lookups.
    pub fn open(
        url: &'a RedisUrl,
        owner: &Owner<'_>,
        options: &Options,
        known: &[Arc<Seal>],
        deadline: Instant,
    ) -> Result<Self, StoreError> {
        let mut connection = connect(url, options)?;
        let salt = salt(&mut connection).map_err(|error| failed(url, &error))?;
        let seal = Seal::known_or_derived(known, owner, salt)?;
        let (connection, ahead) = (RefCell::new(connection), Cell::new(SignedDuration::ZERO));
        Ok(Self { url, connection, seal, ahead, deadline })
    }

    /// What seals the record, to be kept for the next lookup.
    pub fn seal(&self) -> &Arc<Seal> {
        &self.seal
    }

    fn key(&self) -> String {
        format!("tps:{}", self.seal.name())
    }

    fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        command.query(&mut *self.connection.borrow_mut()).map_err(|error| failed(self.url, &error))
    }

    /// The record and how it lies there, sealed; empty where there is none.
    fn entry(&self, now: &Now) -> Result<(Option<Record>, Vec<u8>), StoreError> {
        let (time, sealed): (Vec<i64>, Option<Vec<u8>>) = pipe()
            .cmd("TIME")
            .cmd("GET")
            .arg(self.key())
            .query(&mut *self.connection.borrow_mut())
            .map_err(|error| failed(self.url, &error))?;
        if let [seconds, microseconds] = *time.as_slice() {
            let time = Timestamp::from_microsecond(seconds.saturating_mul(1_000_000).saturating_add(microseconds));
            self.ahead.set(time.map_or(SignedDuration::ZERO, |time| time.duration_since(now.wall)));
        }
        let sealed = sealed.unwrap_or_default();
        let text = self.seal.open(&sealed);
        Ok((text.and_then(|text| format::decode(&text, Some(self.ahead.get()), now)), sealed))
    }
}

/// The salt that all share.
fn salt(connection: &mut Connection) -> Result<[u8; SALT], RedisError> {
    let fresh: [u8; SALT] = random().map_err(|StoreError(error)| std::io::Error::other(error))?;
    let read = |connection: &mut Connection| -> Result<Option<[u8; SALT]>, RedisError> {
        let kept: Option<Vec<u8>> = cmd("GET").arg("tps:salt").query(connection)?;
        Ok(kept.and_then(|kept| kept.try_into().ok()))
    };
    if let Some(salt) = read(connection)? {
        return Ok(salt);
    }
    () = cmd("SET").arg("tps:salt").arg(&fresh).arg("NX").query(connection).map(|_: redis::Value| ())?;
    read(connection)?.ok_or_else(|| std::io::Error::other("tps:salt is no salt; delete it").into())
}

impl Store for RedisStore<'_> {
    fn place(&self) -> Option<String> {
        Some(self.url.to_string())
    }

    fn read(&self, now: &Now, _: Instant) -> Result<Record, StoreError> {
        let Some(record) = self.entry(now)?.0 else { return Ok(Record::default()) };
        // It is in use. A replica that cannot note that serves all the same.
        let _ = self.ask::<redis::Value>(cmd("PEXPIRE").arg(self.key()).arg(UNUSED.as_millis() as u64));
        Ok(record)
    }

    fn try_lock<'l>(&'l self, now: &Now, _: Instant) -> Result<Option<Box<dyn Lock<'l> + 'l>>, StoreError> {
        let owner: String = random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = format!("{}:lock", self.key());
        let time = self.deadline.saturating_duration_since(Instant::now()) + GRACE;
        let had: Option<String> =
            self.ask(cmd("SET").arg(&key).arg(&owner).arg("NX").arg("PX").arg(time.as_millis() as u64))?;
        if had.is_none() {
            return Ok(None);
        }
        let mut lock = Box::new(RedisLock { store: self, key, owner, seen: Vec::new(), record: Record::default() });
        let (record, seen) = self.entry(now)?;
        (lock.record, lock.seen) = (record.unwrap_or_default(), seen);
        Ok(Some(lock))
    }
}

struct RedisLock<'a> {
    store: &'a RedisStore<'a>,
    key: String,
    owner: String,
    /// The entry that the next write follows.
    seen: Vec<u8>,
    record: Record,
}

impl<'a> Lock<'a> for RedisLock<'a> {
    fn record(&self) -> &Record {
        &self.record
    }

    fn write(mut self: Box<Self>, record: &Record, now: &Now) -> Result<Box<dyn Lock<'a> + 'a>, WriteError> {
        let store = self.store;
        let sealed = store.seal.close(&format::encode(record, store.ahead.get(), now))?;
        let unused = UNUSED.as_millis() as u64;
        let write = cmd("EVAL").arg(WRITE).arg(1).arg(store.key()).arg(&self.seen).arg(&sealed).arg(unused).take();
        let written: u64 = store.ask(&write)?;
        if written != 1 {
            return Err(WriteError::Conflict);
        }
        (self.seen, self.record) = (sealed, record.clone());
        Ok(self)
    }
}

impl Drop for RedisLock<'_> {
    fn drop(&mut self) {
        // Where that fails it runs out.
        let _ = self.store.ask::<redis::Value>(cmd("EVAL").arg(RELEASE).arg(1).arg(&self.key).arg(&self.owner));
    }
}
