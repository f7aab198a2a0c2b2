#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;

use jiff::Timestamp;

use super::*;
use crate::record::Moment;
use crate::store::memory::Memory;

/// What the test and a store on another thread share.
#[derive(Default)]
struct Gate {
    shut: AtomicBool,
    held: AtomicBool,
}

/// A store whose lock is had only once the gate is open, and that reads for as long as it is told, at work.
struct Gated(Arc<Gate>, Memory);

struct GatedLock(Arc<Gate>, Record);

impl Store for Gated {
    fn place(&self) -> Option<String> {
        Some("behind a gate".to_owned())
    }

    fn read(&self, now: &Now, deadline: Instant) -> Result<Record, StoreError> {
        self.1.read(now, deadline)
    }

    fn try_lock<'a>(&'a self, _: &Now, _: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        self.0.held.store(true, Ordering::SeqCst);
        while self.0.shut.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(1));
        }
        Ok(Some(Box::new(GatedLock(self.0.clone(), Record::default()))))
    }
}

impl<'a> Lock<'a> for GatedLock {
    fn record(&self) -> &Record {
        &self.1
    }

    fn write(self: Box<Self>, _: &Record, _: &Now) -> Result<Box<dyn Lock<'a> + 'a>, WriteError> {
        panic!("a fault of the store's")
    }
}

impl Drop for GatedLock {
    fn drop(&mut self) {
        self.0.held.store(false, Ordering::SeqCst);
    }
}

fn now() -> Now {
    Now { moment: Moment::default(), wall: Timestamp::UNIX_EPOCH, boot: None }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(1)
}

fn gated(name: &str, gate: &Arc<Gate>) -> Result<Box<dyn Store>, OpenError> {
    let gate = gate.clone();
    let make = move || Ok(Box::new(Gated(gate, Memory::default())) as Box<dyn Store>);
    open(&Directories::Named(name.into()), Box::new(make), soon())
}

fn wait_for(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_store_behind_it_is_the_same_store() {
    let gate = Arc::<Gate>::default();
    let store = gated("/same", &gate).unwrap();
    assert_eq!(store.place().as_deref(), Some("behind a gate"));
    assert_eq!(store.read(&now(), soon()), Ok(Record::default()));
    let lock = store.try_lock(&now(), soon()).unwrap().unwrap();
    assert!(gate.held.load(Ordering::SeqCst));
    drop(lock);
    assert!(!gate.held.load(Ordering::SeqCst), "free before anybody else asks");
}

#[test]
fn a_lock_that_comes_too_late_is_let_go_while_the_lookup_goes_on() {
    let gate = Arc::<Gate>::default();
    let store = gated("/late", &gate).unwrap();
    gate.shut.store(true, Ordering::SeqCst);
    assert!(store.try_lock(&now(), soon()).is_err());
    let start = Instant::now();
    assert!(store.read(&now(), soon()).is_err() && gated("/late", &gate).is_err());
    assert!(start.elapsed() < Duration::from_millis(200), "nobody waits again");
    assert!(gated("/elsewhere", &gate).is_ok());
    gate.shut.store(false, Ordering::SeqCst);
    wait_for(|| !gate.held.load(Ordering::SeqCst));
    wait_for(|| gated("/late", &gate).is_ok());
    assert!(store.read(&now(), soon()).is_err(), "this lookup has given it up");
}

#[test]
fn a_fault_of_the_store_is_an_error() {
    let gate = Arc::<Gate>::default();
    let store = gated("/faulty", &gate).unwrap();
    let lock = store.try_lock(&now(), soon()).unwrap().unwrap();
    assert!(lock.write(&Record::default(), &now()).is_err());
    assert!(gated("/faulty", &gate).is_ok(), "its thread has ended, and does not hang");
}

#[test]
fn a_store_that_works_is_waited_for_and_one_that_is_blocked_is_not() {
    let working = |time: Duration| {
        move || {
            let start = Instant::now();
            while start.elapsed() < time {
                std::hint::spin_loop();
            }
            Ok(Box::new(Memory::default()) as Box<dyn Store>)
        }
    };
    let blocked = |time: Duration| {
        move || {
            sleep(time);
            Ok(Box::new(Memory::default()) as Box<dyn Store>)
        }
    };
    // A second may be waited for: half of what is left.
    let deadline = || Instant::now() + Duration::from_secs(2);
    let (long, place) = (Duration::from_millis(1500), |name: &str| Directories::Named(name.into()));
    assert!(open(&place("/works"), Box::new(working(long)), deadline()).is_ok());
    assert!(open(&place("/blocked"), Box::new(blocked(long)), deadline()).is_err());
    let start = Instant::now();
    assert!(open(&place("/too-long"), Box::new(working(long * 4)), deadline()).is_err(), "the call is over");
    assert!(start.elapsed() < long * 3);
}
