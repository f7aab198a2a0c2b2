//! Files and Redis, as a lookup sees them. Records are kept as the real stores keep them, by `store::format`.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use tps::process::clock::Clock;
use tps::record::{Attempt, Now, Record};
use tps::store::{Lock, Store, StoreError, Tiered, WriteError, format};

use super::clock::SimClock;
use super::places::{Holder, Operation, StoreId, Summary};
use super::scheduler::Sim;
use super::world::Password;

/// How long a lock in Redis outlives the deadline of its login.
const GRACE: Duration = Duration::from_secs(1);

/// How long one operation may take.
const LONGEST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(2));

/// How long Redis is left alone when it did not serve.
const BREAK: Duration = Duration::from_secs(5);

/// One store, for one lookup.
struct SimStore {
    clock: SimClock,
    id: StoreId,
    host: usize,
    password: Password,
    deadline: Instant,
    /// How far Redis's clock is ahead of this machine's.
    ahead: Cell<SignedDuration>,
}

/// All stores of a process, tiered, as `store::open` does it.
pub fn open<'a>(clock: &'a SimClock, memory: &'a tps::store::memory::Memory, deadline: Instant) -> Box<dyn Store + 'a> {
    let stores = clock.sim.world().stores_of(clock.process);
    let mut all: Box<dyn Store + 'a> = Box::new(memory);
    for id in stores.into_iter().rev().skip(1) {
        let opened = SimStore::open(clock, id, deadline);
        all = Box::new(Tiered::new(opened.map(|store| Box::new(store) as Box<dyn Store>), all, clock));
    }
    all
}

impl SimStore {
    fn open(clock: &SimClock, id: StoreId, deadline: Instant) -> Result<Self, StoreError> {
        let (host, password, left_alone) = {
            let world = clock.sim.world();
            let process = &world.processes[clock.process];
            (process.host, process.password, world.time < process.redis_left_alone)
        };
        let store = Self { clock: clock.clone(), id, host, password, deadline, ahead: Cell::new(SignedDuration::ZERO) };
        if id == StoreId::Redis && left_alone {
            return Err(store.failed("left alone"));
        }
        store.ask(Operation::Read, "open")?;
        Ok(store)
    }

    fn sim(&self) -> &Arc<Sim> {
        &self.clock.sim
    }

    /// Asks the store for an operation, which takes its time.
    fn ask(&self, operation: Operation, what: &'static str) -> Result<(), StoreError> {
        let mut world = self.sim().world();
        let slow = world.plan.slow;
        let (shortest, longest) = if self.id == StoreId::Redis { (200, LONGEST.0) } else { (20, LONGEST.1) };
        let usual = Duration::from_millis(if world.faults_on && world.random.chance(slow) { 400 } else { 3 });
        let time = world.random.time(Duration::from_micros(shortest), usual.min(longest));
        drop(world);
        self.sim().pass(time);
        let fails = self.sim().world().store_fails(self.id, self.host, operation);
        if fails { Err(self.failed(what)) } else { Ok(()) }
    }

    /// Notes that the store did not serve.
    fn failed(&self, what: &'static str) -> StoreError {
        let mut world = self.sim().world();
        if self.id == StoreId::Redis && what != "left alone" {
            let until = world.time + BREAK;
            world.processes[self.clock.process].redis_left_alone = until;
        }
        let id = self.id;
        world.tasks[Sim::current()].notes.failed.insert(id);
        world.tell_mine("store fails", || format!("{id}: {what}"));
        StoreError(format!("{id}: {what}"))
    }

    /// What lies there. Times in Redis are by its own clock.
    fn kept(&self, now: &Now) -> (Record, u64) {
        let mut world = self.sim().world();
        let redis = (self.id == StoreId::Redis).then(|| world.date(world.redis_ahead).duration_since(now.wall));
        if let Some(ahead) = redis {
            self.ahead.set(ahead);
        }
        let place = world.place(self.id, self.password);
        (format::decode(&place.text, redis, now).unwrap_or_default(), place.version)
    }
}

impl Store for SimStore {
    fn place(&self) -> Option<String> {
        Some(self.id.to_string())
    }

    fn read(&self, now: &Now, _: Instant) -> Result<Record, StoreError> {
        self.ask(Operation::Read, "read")?;
        let mut world = self.sim().world();
        let holds = world.place(self.id, self.password).holds.clone();
        world.notes().seen.insert(self.id, holds);
        drop(world);
        Ok(self.kept(now).0)
    }

    fn try_lock<'a>(&'a self, now: &Now, _: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        let left = self.deadline.saturating_duration_since(self.clock.instant());
        self.ask(Operation::Lock, "lock")?;
        let number = {
            let mut world = self.sim().world();
            let (time, task, number) = (world.time, Sim::current(), world.random.number());
            let until = (self.id == StoreId::Redis).then(|| time + left + GRACE);
            let place = world.place(self.id, self.password);
            if place.lock.as_ref().is_some_and(|held| held.until.is_none_or(|until| time < until)) {
                return Ok(None);
            }
            place.lock = Some(Holder { number, process: self.clock.process, task, until });
            number
        };
        let mut lock = Box::new(SimLock { store: self, number: Some(number), seen: 0, record: Record::default() });
        if self.id == StoreId::Redis {
            self.ask(Operation::Read, "read with the lock")?;
        }
        (lock.record, lock.seen) = self.kept(now);
        Ok(Some(lock))
    }

    fn without_lock<'a>(&'a self, now: &Now, _: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        if self.id != StoreId::Redis {
            return Ok(None);
        }
        self.ask(Operation::Read, "read without the lock")?;
        let (record, seen) = self.kept(now);
        Ok(Some(Box::new(SimLock { store: self, number: None, seen, record })))
    }
}

struct SimLock<'a> {
    store: &'a SimStore,
    /// Its number; `None`: it only writes.
    number: Option<u64>,
    /// The write that the next one follows.
    seen: u64,
    record: Record,
}

impl<'a> Lock<'a> for SimLock<'a> {
    fn record(&self) -> &Record {
        &self.record
    }

    fn write(mut self: Box<Self>, record: &Record, now: &Now) -> Result<Box<dyn Lock<'a> + 'a>, WriteError> {
        let store = self.store;
        let text = format::encode(record, store.ahead.get(), now).to_vec();
        // One that was sent before may be told to this store.
        let reason = match &record.attempt {
            Attempt::Sent(sent) if sent.at.as_millisecond() == now.wall.as_millisecond() => Some(sent.reason.name()),
            _ => None,
        };
        store.sim().world().notes().decides(reason);
        store.ask(Operation::Write, "write")?;
        {
            let mut world = store.sim().world();
            let summary = Summary::of(record, world.time);
            let place = world.place(store.id, store.password);
            if place.version != self.seen {
                world.tell_mine("conflict", || store.id.to_string());
                world.notes().failed.insert(store.id);
                return Err(WriteError::Conflict);
            }
            (place.text, place.version) = (text, place.version + 1);
            self.seen = place.version;
            let before = std::mem::replace(&mut place.holds, summary.clone());
            world.tell_mine("writes", || format!("{}: {summary}", store.id));
            world.written(store.id, &before, &summary, reason.is_some());
        }
        // An answer that is lost.
        store.ask(Operation::Read, "answer to a write")?;
        self.record = record.clone();
        Ok(self)
    }
}

impl Drop for SimLock<'_> {
    fn drop(&mut self) {
        // Who is killed unlocks nothing: the kernel frees locks of files, those in Redis run out.
        if std::thread::panicking() {
            return;
        }
        let (store, Some(number)) = (self.store, self.number) else { return };
        if store.id == StoreId::Redis && store.ask(Operation::Write, "unlock").is_err() {
            return;
        }
        let mut world = store.sim().world();
        let place = world.place(store.id, store.password);
        if place.lock.as_ref().is_some_and(|held| held.number == number) {
            place.lock = None;
        }
    }
}
