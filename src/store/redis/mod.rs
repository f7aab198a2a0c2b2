//! The store of many hosts: Redis or Valkey; one server, a primary behind Sentinels, or a cluster.
//!
//! - `tps:salt`: random bytes, made once, by the first process;
//! - `tps:{NAME}`: the record, sealed, kept for a time after its last use. 0.1.0 has it at `tps:NAME`, which is still read;
//! - `tps:{NAME}:lock`: the owner of the right to log in, for as long as a login may take.
//!
//! The braces put both keys of a credential into one hash slot of a cluster. Times are kept by the server's clock: those of the
//! hosts may be wrong. A connection serves one lookup.

mod breaker;
mod conditional;
mod connection;
mod failure;
mod sentinel;
mod session;
mod stream;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use redis::{Cmd, FromRedisValue, Value, cmd, from_redis_value};

use self::breaker::Write;
use self::conditional::NotDone;
use self::failure::Failure;
use self::session::Session;
use super::seal::{SALT, Seal, random};
use super::{Lock, Owner, Store, StoreError, UNUSED, WriteError, format};
use crate::options::Options;
use crate::options::redis_url::RedisUrl;
use crate::record::{Now, Record};

/// How long the lock outlives the deadline of the login that it is for.
const GRACE: Duration = Duration::from_secs(1);

/// A server with many keys of others is not looked through to the end.
const SCANS: u32 = 10;

const UNUSED_MS: u64 = UNUSED.as_secs() * 1000;

/// The record of one credential, in Redis.
pub struct RedisStore<'a> {
    url: &'a RedisUrl,
    session: RefCell<Session<'a>>,
    seal: Arc<Seal>,
    /// How far the server's clock is ahead of this machine's.
    ahead: Cell<SignedDuration>,
}

impl<'a> RedisStore<'a> {
    /// The owner's record. `known` are the seals of earlier lookups.
    pub fn open(
        url: &'a RedisUrl,
        owner: &Owner<'_>,
        options: &Options,
        known: &[Arc<Seal>],
    ) -> Result<Self, StoreError> {
        let mut session = Session::new(url, options)?;
        let salt = salt(&mut session)?;
        let seal = Seal::known_or_derived(known, owner, salt)?;
        let (session, ahead) = (RefCell::new(session), Cell::new(SignedDuration::ZERO));
        Ok(Self { url, session, seal, ahead })
    }

    /// What seals the record, to be kept for the next lookup.
    pub fn seal(&self) -> &Arc<Seal> {
        &self.seal
    }

    /// What the server says of itself (`INFO`), for people; `None`: it does not.
    pub fn info(&self) -> Option<String> {
        one(&mut self.session.borrow_mut(), &cmd("INFO")).ok()
    }

    /// The key of the lock that somebody has, for people, and how long it is there; there
    /// `None`: for ever.
    pub fn lock_key(&self) -> Option<(String, Option<Duration>)> {
        let key = format!("{}:lock", self.key());
        let left: i64 = one(&mut self.session.borrow_mut(), &cmd("PTTL").arg(&key).take()).ok()?;
        // Redis's own numbers: -2 stands for no key, -1 for one that stays.
        (left != -2).then(|| (key, u64::try_from(left).ok().map(Duration::from_millis)))
    }

    /// Keys of records, of all credentials, and for how long nobody has used them; those that a short look finds. `None`: the
    /// server does not tell.
    pub fn idle(&self) -> Option<Vec<(String, Duration)>> {
        let mut session = self.session.borrow_mut();
        let (mut keys, mut cursor) = (Vec::new(), 0_u64);
        for _ in 0..SCANS {
            let scan = cmd("SCAN").arg(cursor).arg("MATCH").arg("tps:{*}").arg("COUNT").arg(1000).take();
            let (next, found): (u64, Vec<String>) = one(&mut session, &scan).ok()?;
            keys.extend(found);
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        let left: Vec<_> = keys.iter().map(|key| cmd("PTTL").arg(key).take()).collect();
        let left = if left.is_empty() { Vec::new() } else { session.ask(&left).ok()? };
        let idle = |left: Value| {
            let left = u64::try_from(taken::<i64>(&session, left).ok()?).ok()?;
            Some(UNUSED.saturating_sub(Duration::from_millis(left)))
        };
        Some(keys.into_iter().zip(left).filter_map(|(key, left)| Some((key, idle(left)?))).collect())
    }

    fn key(&self) -> String {
        format!("tps:{{{}}}", self.seal.name())
    }

    /// Notes for `stats` whether a write was refused, and why.
    fn note(&self, write: Write, refusal: Option<&Failure>) -> StoreError {
        let error = refusal.map(|failure| self.session.borrow().error(failure));
        breaker::note(self.url, write, error.as_ref());
        error.unwrap_or_else(|| StoreError(String::new()))
    }

    /// What `GET` and `TIME` gave: the record, and how it lies there, sealed; empty where there is none.
    fn entry(&self, time: Value, sealed: Value, now: &Now) -> Result<(Option<Record>, Vec<u8>), StoreError> {
        let (seconds, microseconds): (i64, i64) = taken(&self.session.borrow(), time)?;
        let time = Timestamp::from_microsecond(seconds.saturating_mul(1_000_000).saturating_add(microseconds));
        self.ahead.set(time.map_or(SignedDuration::ZERO, |time| time.duration_since(now.wall)));
        let sealed: Option<Vec<u8>> = taken(&self.session.borrow(), sealed)?;
        let record = |sealed: &[u8]| format::decode(&self.seal.open(sealed)?, Some(self.ahead.get()), now);
        match sealed {
            Some(sealed) => Ok((record(&sealed), sealed)),
            None => {
                let old = cmd("GET").arg(format!("tps:{}", self.seal.name())).take();
                let old: Option<Vec<u8>> = one(&mut self.session.borrow_mut(), &old)?;
                Ok((old.and_then(|old| record(&old)), Vec::new()))
            }
        }
    }
}

/// The answer to one command.
fn one<T: FromRedisValue>(session: &mut Session<'_>, command: &Cmd) -> Result<T, StoreError> {
    let answer = session.ask(std::slice::from_ref(command))?.pop().unwrap_or(Value::Nil);
    taken(session, answer)
}

fn taken<T: FromRedisValue>(session: &Session<'_>, answer: Value) -> Result<T, StoreError> {
    match answer {
        Value::ServerError(error) => Err(session.error(&error.into())),
        answer => from_redis_value(answer).map_err(|_| session.error(&Failure::strange())),
    }
}

/// The salt that all share.
fn salt(session: &mut Session<'_>) -> Result<[u8; SALT], StoreError> {
    let get = cmd("GET").arg("tps:salt").take();
    if let Some(salt) = one::<Option<Vec<u8>>>(session, &get)?.and_then(|kept| kept.try_into().ok()) {
        return Ok(salt);
    }
    let fresh: [u8; SALT] = random()?;
    one::<Value>(session, &cmd("SET").arg("tps:salt").arg(&fresh).arg("NX").take())?;
    let kept: Option<Vec<u8>> = one(session, &get)?;
    let no_salt = || session.error(&Failure::Away("tps:salt is not a salt; delete it".to_owned()));
    kept.and_then(|kept| kept.try_into().ok()).ok_or_else(no_salt)
}

impl Store for RedisStore<'_> {
    fn place(&self) -> Option<String> {
        Some(self.url.to_string())
    }

    fn errors(&self) -> Vec<StoreError> {
        breaker::refusals(self.url)
    }

    fn read(&self, now: &Now, _: Instant) -> Result<Record, StoreError> {
        let key = self.key();
        let touch = cmd("PEXPIRE").arg(&key).arg(UNUSED_MS).take();
        let answers = self.session.borrow_mut().ask(&[cmd("TIME"), cmd("GET").arg(&key).take(), touch])?;
        let Ok([time, sealed, touched]) = <[Value; 3]>::try_from(answers) else { return Ok(Record::default()) };
        // A replica that cannot note that the entry is in use serves all the same.
        match touched {
            Value::ServerError(error) => self.note(Write::Touch, Some(&error.into())),
            _ => self.note(Write::Touch, None),
        };
        Ok(self.entry(time, sealed, now)?.0.unwrap_or_default())
    }

    fn try_lock<'l>(&'l self, now: &Now, deadline: Instant) -> Result<Option<Box<dyn Lock<'l> + 'l>>, StoreError> {
        let owner: String = random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = format!("{}:lock", self.key());
        let time = (deadline.saturating_duration_since(Instant::now()) + GRACE).as_millis() as u64;
        let answers = self.session.borrow_mut().ask(&[
            cmd("SET").arg(&key).arg(&owner).arg("NX").arg("PX").arg(time).take(),
            // The first answer may be lost, and the lock ours.
            cmd("GET").arg(&key).take(),
            cmd("TIME"),
            cmd("GET").arg(self.key()).take(),
        ])?;
        let Ok([set, held, time, sealed]) = <[Value; 4]>::try_from(answers) else { return Ok(None) };
        if let Value::ServerError(error) = set {
            return Err(self.note(Write::Record, Some(&error.into())));
        }
        let held: Option<String> = taken(&self.session.borrow(), held)?;
        if held.as_ref() != Some(&owner) {
            return Ok(None);
        }
        // From here on it is released where something fails.
        let held = Held { store: self, key, owner };
        let (record, seen) = self.entry(time, sealed, now)?;
        Ok(Some(Box::new(RedisLock { store: self, _held: Some(held), seen, record: record.unwrap_or_default() })))
    }

    /// A lock outlives its owner where that died, or wrote to a primary that has died since.
    fn without_lock<'l>(&'l self, now: &Now, _: Instant) -> Result<Option<Box<dyn Lock<'l> + 'l>>, StoreError> {
        let get = cmd("GET").arg(self.key()).take();
        let answers = self.session.borrow_mut().ask(&[cmd("TIME"), get])?;
        let Ok([time, sealed]) = <[Value; 2]>::try_from(answers) else { return Ok(None) };
        let (record, seen) = self.entry(time, sealed, now)?;
        Ok(Some(Box::new(RedisLock { store: self, _held: None, seen, record: record.unwrap_or_default() })))
    }
}

/// The record, to be written; with the lock, or without.
struct RedisLock<'a, 's> {
    store: &'a RedisStore<'s>,
    _held: Option<Held<'a, 's>>,
    /// The entry that the next write follows.
    seen: Vec<u8>,
    record: Record,
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

/// A lock that is held until it runs out or is dropped.
struct Held<'a, 's> {
    store: &'a RedisStore<'s>,
    key: String,
    /// What the key holds while the lock is ours.
    owner: String,
}

impl Drop for Held<'_, '_> {
    fn drop(&mut self) {
        // Where that fails it runs out.
        let _ = conditional::delete(&mut self.store.session.borrow_mut(), &self.key, self.owner.as_bytes());
    }
}
