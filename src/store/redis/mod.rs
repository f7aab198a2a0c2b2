//! The store of many hosts: Redis or Valkey.
//!
//! - `tps:salt`: random bytes, made once by whoever comes first;
//! - `tps:NAME`: what is known of the credential, sealed, for 90 days from its last use;
//! - `tps:NAME:lock`: the owner of the right to log in, for as long as a login may take.
//!
//! Times are kept by the server's clock: those of the hosts may be wrong. A connection serves one flight.

mod address;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use redis::{Cmd, Connection, FromRedisValue, RedisError, cmd, pipe};

pub use self::address::Address;
use super::seal::{SALT, Seal, random};
use super::{Entry, Lock, Owner, Record, Trouble, UNUSED};
use crate::clock::Reading;
use crate::options::Options;

/// How long the lock outlives the deadline of the login that it is for.
const GRACE: Duration = Duration::from_secs(1);

/// Sets `KEYS[2]` for a holder of the lock, and for one whose lock ran out without another's taking it.
const WRITE: &str = "local holder = redis.call('GET', KEYS[1]) \
     if holder and holder ~= ARGV[1] then return 0 end \
     redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) return 1";

/// Deletes the lock of its owner only.
const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// The entry of one credential.
pub struct RedisEntry<'a> {
    address: &'a Address,
    connection: RefCell<Connection>,
    seal: Arc<Seal>,
    /// How far the server's clock is ahead of this machine's.
    ahead: Cell<SignedDuration>,
    /// When the login ends that the lock is for.
    deadline: Instant,
}

impl<'a> RedisEntry<'a> {
    /// The owner's entry. `known` are the seals of earlier calls.
    pub fn open(
        address: &'a Address,
        owner: &Owner<'_>,
        options: &Options,
        known: &[Arc<Seal>],
        deadline: Instant,
    ) -> Result<Self, Trouble> {
        let mut connection = address.connect(options)?;
        let salt = salt(&mut connection).map_err(|error| address.trouble(&error))?;
        let seal = Seal::known_or_derived(known, owner, salt)?;
        let (connection, ahead) = (RefCell::new(connection), Cell::new(SignedDuration::ZERO));
        Ok(Self { address, connection, seal, ahead, deadline })
    }

    fn key(&self) -> String {
        format!("tps:{}", self.seal.name())
    }

    fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Trouble> {
        command.query(&mut *self.connection.borrow_mut()).map_err(|error| self.address.trouble(&error))
    }

    fn clocks(&self, clocks: &Reading) -> Reading {
        Reading { store_ahead: self.ahead.get(), ..clocks.clone() }
    }
}

/// The salt that all share.
fn salt(connection: &mut Connection) -> Result<[u8; SALT], RedisError> {
    let fresh: [u8; SALT] = random().map_err(|Trouble(trouble)| std::io::Error::other(trouble))?;
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

impl Entry for RedisEntry<'_> {
    fn place(&self) -> String {
        self.address.to_string()
    }

    fn seal(&self) -> Arc<Seal> {
        self.seal.clone()
    }

    fn read(&self, clocks: &Reading) -> Result<Record, Trouble> {
        let kept: (Vec<i64>, Option<Vec<u8>>) = pipe()
            .cmd("TIME")
            .cmd("GET")
            .arg(self.key())
            .query(&mut *self.connection.borrow_mut())
            .map_err(|error| self.address.trouble(&error))?;
        let (time, sealed) = kept;
        if let [seconds, microseconds] = *time.as_slice() {
            let time = Timestamp::from_microsecond(seconds.saturating_mul(1_000_000).saturating_add(microseconds));
            self.ahead.set(time.map_or(SignedDuration::ZERO, |time| time.duration_since(clocks.wall)));
        }
        let opened = sealed.and_then(|sealed| self.seal.open(&sealed));
        let Some(record) = opened.and_then(|text| Record::from_text(&text, &self.clocks(clocks))) else {
            return Ok(Record::default());
        };
        // It is in use. A replica that cannot note that serves all the same.
        let _ = self.ask::<redis::Value>(cmd("PEXPIRE").arg(self.key()).arg(UNUSED.as_millis() as u64));
        Ok(record)
    }

    fn try_lock(&self) -> Result<Option<Box<dyn Lock + '_>>, Trouble> {
        let owner: String = random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = format!("{}:lock", self.key());
        let time = self.deadline.saturating_duration_since(Instant::now()) + GRACE;
        let had: Option<String> =
            self.ask(cmd("SET").arg(&key).arg(&owner).arg("NX").arg("PX").arg(time.as_millis() as u64))?;
        Ok(had.map(|_| Box::new(RedisLock { entry: self, key, owner }) as Box<dyn Lock>))
    }
}

struct RedisLock<'a> {
    entry: &'a RedisEntry<'a>,
    key: String,
    owner: String,
}

impl Lock for RedisLock<'_> {
    fn prepare(&mut self) -> Result<(), Trouble> {
        // To have been given the lock is to have written.
        Ok(())
    }

    fn write(&mut self, record: &Record, clocks: &Reading) -> Result<(), Trouble> {
        let entry = self.entry;
        let sealed = entry.seal.close(&record.to_text(&entry.clocks(clocks)))?;
        let written: u64 = entry.ask(
            cmd("EVAL")
                .arg(WRITE)
                .arg(2)
                .arg(&self.key)
                .arg(entry.key())
                .arg(&self.owner)
                .arg(sealed)
                .arg(UNUSED.as_millis() as u64),
        )?;
        if written == 1 { Ok(()) } else { Err(Trouble(format!("{}: the lock ran out and was taken", entry.address))) }
    }
}

impl Drop for RedisLock<'_> {
    fn drop(&mut self) {
        // Where that fails it runs out.
        let _ = self.entry.ask::<redis::Value>(cmd("EVAL").arg(RELEASE).arg(1).arg(&self.key).arg(&self.owner));
    }
}
