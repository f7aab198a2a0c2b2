//! Two stores, each of which may fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::process::clock::System;
use crate::record::{Attempt, Check, Moment, Token};
use crate::secret::Secret;
use crate::store::memory::Memory;

fn now() -> Now {
    let wall = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
    Now { moment: System.now(), wall, boot: None }
}

fn with_token(name: &str, age: i64) -> Record {
    let made = Now { wall: now().wall - SignedDuration::from_secs(age), ..now() };
    Record { token: Some(Arc::new(Token::own(Secret::new(name.to_owned()), &made))), ..Record::default() }
}

fn keep(store: &dyn Store, record: &Record) -> Result<(), WriteError> {
    store.try_lock(&now(), Instant::now()).unwrap().unwrap().write(record, &now()).map(|_| ())
}

fn token_in(store: &dyn Store) -> Option<String> {
    let record = store.read(&now(), Instant::now()).unwrap();
    record.token.map(|token| token.value.expose().to_owned())
}

/// A store that refuses what it is told to refuse.
struct Broken {
    memory: Memory,
    reads: bool,
    locks: bool,
    conflicts: bool,
}

fn no<T>(fails: bool, outcome: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    if fails { Err(StoreError("it is broken".to_owned())) } else { outcome() }
}

impl Store for Broken {
    fn place(&self) -> Option<String> {
        Some("a place".to_owned())
    }

    fn read(&self, now: &Now, deadline: Instant) -> Result<Record, StoreError> {
        no(self.reads, || self.memory.read(now, deadline))
    }

    fn try_lock<'a>(&'a self, now: &Now, deadline: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        let lock = no(self.locks, || self.memory.try_lock(now, deadline))?;
        Ok(lock.map(|lock| Box::new(Unwritable(lock, self.conflicts)) as Box<dyn Lock>))
    }
}

struct Unwritable<'a>(Box<dyn Lock<'a> + 'a>, bool);

impl<'a> Lock<'a> for Unwritable<'a> {
    fn record(&self) -> &Record {
        self.0.record()
    }

    fn write(self: Box<Self>, _: &Record, _: &Now) -> Result<Box<dyn Lock<'a> + 'a>, WriteError> {
        Err(if self.1 { WriteError::Conflict } else { StoreError("it is full".to_owned()).into() })
    }
}

#[test]
fn both_keep_and_both_learn() {
    let (first, fallback) = (Memory::default(), Memory::default());
    keep(&first, &with_token("old", 60)).unwrap();
    keep(&fallback, &with_token("new", 0)).unwrap();
    let store = Tiered::new(Ok(Box::new(&first)), Box::new(&fallback), &System);
    assert_eq!(token_in(&store).as_deref(), Some("new"));
    assert_eq!(token_in(&first).as_deref(), Some("new"), "the first one has learnt it");
    keep(&store, &with_token("newest", -1)).unwrap();
    assert_eq!((token_in(&first), token_in(&fallback)), (Some("newest".into()), Some("newest".into())));
    assert!(store.errors().is_empty());
}

#[test]
fn whoever_has_the_lock_has_taught_both() {
    let (first, fallback) = (Memory::default(), Memory::default());
    keep(&first, &with_token("a", 0)).unwrap();
    let store = Tiered::new(Ok(Box::new(&first)), Box::new(&fallback), &System);
    let lock = store.try_lock(&now(), Instant::now()).unwrap().unwrap();
    assert!(lock.record().token.is_some());
    drop(lock);
    assert_eq!(token_in(&fallback).as_deref(), Some("a"));
}

#[test]
fn the_fallback_store_serves_where_the_first_one_cannot() {
    for (reads, locks) in [(true, true), (false, true), (false, false)] {
        let (first, fallback) =
            (Broken { memory: Memory::default(), reads, locks, conflicts: false }, Memory::default());
        let store = Tiered::new(Ok(Box::new(&first)), Box::new(&fallback), &System);
        keep(&store, &with_token("a", 0)).unwrap();
        assert_eq!(token_in(&fallback).as_deref(), Some("a"));
        assert_eq!(token_in(&store).as_deref(), Some("a"));
        assert_eq!((store.errors().len(), store.place()), (1, None), "{reads} {locks}");
    }
    let fallback = Memory::default();
    let store = Tiered::new(Err(StoreError("there is none".to_owned())), Box::new(&fallback), &System);
    keep(&store, &with_token("a", 0)).unwrap();
    assert_eq!((token_in(&store).as_deref(), store.errors().len()), (Some("a"), 1));
}

#[test]
fn whoever_lost_the_first_ones_lock_writes_nowhere() {
    let first = Broken { memory: Memory::default(), reads: false, locks: false, conflicts: true };
    let fallback = Memory::default();
    let store = Tiered::new(Ok(Box::new(&first)), Box::new(&fallback), &System);
    assert_eq!(keep(&store, &with_token("a", 0)), Err(WriteError::Conflict));
    assert_eq!(token_in(&fallback), None);
    assert!(store.errors().iter().any(|error| error.0.contains("ran out")));
}

#[test]
fn a_lookup_whose_locks_are_both_lost_begins_anew() {
    let first = Broken { memory: Memory::default(), reads: false, locks: false, conflicts: false };
    let fallback = Memory::default();
    let store = Tiered::new(Ok(Box::new(&first)), Box::new(&fallback), &System);
    let lock = first.try_lock(&now(), Instant::now()).unwrap();
    let both = Box::new(Both { tiers: &store, first: lock, fallback: None, record: Record::default() });
    assert_eq!(both.write(&with_token("a", 0), &now()).map(|_| ()), Err(WriteError::Conflict));
    keep(&store, &with_token("a", 0)).unwrap();
    assert_eq!(token_in(&fallback).as_deref(), Some("a"));
}

#[test]
fn one_lock_that_is_taken_is_enough_to_wait() {
    let (first, fallback) = (Memory::default(), Memory::default());
    for taken in [&first, &fallback] {
        let store = Tiered::new(Ok(Box::new(&first)), Box::new(&fallback), &System);
        let lock = taken.try_lock(&now(), Instant::now()).unwrap();
        assert!(store.try_lock(&now(), Instant::now()).unwrap().is_none());
        drop(lock);
        assert!(store.try_lock(&now(), Instant::now()).unwrap().is_some());
    }
    assert_eq!(first.record(&now()).attempt, Attempt::None);
}

/// A clock by which a process may have been stopped.
#[derive(Default)]
struct Stopped(AtomicBool);

impl Clock for Stopped {
    fn now(&self) -> Moment {
        System.now().after(Duration::from_secs(if self.0.load(Ordering::Relaxed) { 3 } else { 0 }))
    }

    fn wall(&self) -> Timestamp {
        System.wall()
    }

    fn boot(&self) -> Option<String> {
        None
    }
}

/// A store whose lock somebody has that is dead, or during whose call the process is stopped.
struct Beside<'a> {
    memory: &'a Memory,
    clock: &'a Stopped,
    stops: bool,
}

impl Store for Beside<'_> {
    fn place(&self) -> Option<String> {
        None
    }

    fn read(&self, now: &Now, deadline: Instant) -> Result<Record, StoreError> {
        self.memory.read(now, deadline)
    }

    fn try_lock<'a>(&'a self, now: &Now, deadline: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        if !self.stops {
            return Ok(None);
        }
        self.clock.0.store(true, Ordering::Relaxed);
        self.memory.try_lock(now, deadline)
    }

    fn without_lock<'a>(&'a self, now: &Now, deadline: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        self.memory.try_lock(now, deadline)
    }
}

#[test]
fn whoever_was_stopped_teaches_nobody() {
    let (memory, fallback, clock) = (Memory::default(), Memory::default(), Stopped::default());
    keep(&fallback, &with_token("a", 0)).unwrap();
    let store =
        Tiered::new(Ok(Box::new(Beside { memory: &memory, clock: &clock, stops: true })), Box::new(&fallback), &clock);
    assert_eq!(token_in(&store).as_deref(), Some("a"));
    assert_eq!(token_in(&memory), None);
}

#[test]
fn a_lock_that_outlives_its_owner_holds_up_a_valid_token_no_longer_and_nothing_else() {
    let (memory, fallback, clock) = (Memory::default(), Memory::default(), Stopped::default());
    let store =
        Tiered::new(Ok(Box::new(Beside { memory: &memory, clock: &clock, stops: false })), Box::new(&fallback), &clock);
    let mut record = with_token("a", 0);
    record.dead.add(record.token.clone().unwrap().fingerprint(), true);
    record.token = None;
    keep(&fallback, &record).unwrap();
    store.read(&now(), Instant::now()).unwrap();
    assert!(memory.record(&now()).dead.fingerprints().is_empty(), "whoever logs in may have something newer");
    keep(&fallback, &with_token("b", 0)).unwrap();
    assert_eq!((token_in(&store).as_deref(), token_in(&memory).as_deref()), (Some("b"), Some("b")));
    keep(&fallback, &with_token("newer", -1)).unwrap();
    assert_eq!((token_in(&store).as_deref(), token_in(&memory).as_deref()), (Some("newer"), Some("newer")));
    let mut checked = memory.record(&now());
    checked.check = Some(Check { token: "newer".to_owned(), at: now().wall, undecided: None });
    keep(&fallback, &checked).unwrap();
    store.read(&now(), Instant::now()).unwrap();
    assert_eq!(memory.record(&now()).check, None, "its token is known");
}
