//! Who goes on, and when. One simulated thread runs at a time; each action hands the right to go on to whoever is next by
//! simulated time.

use std::cell::Cell;
use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::faults;
use super::lookups::Notes;
use super::plan::Plan;
use super::pool::{Baton, Pool};
use super::story::{Story, Who};
use super::world::World;

/// The number of a simulated thread.
pub type TaskId = usize;

/// The director's: it belongs to no process, and no fault strikes it.
pub const DIRECTOR: TaskId = 0;

thread_local! {
    static CURRENT: Cell<TaskId> = const { Cell::new(DIRECTOR) };
}

/// A simulation, as its threads share it.
pub struct Sim {
    world: Mutex<World>,
    pool: Arc<Pool>,
    /// Simulated instants begin here.
    base: Instant,
    me: Weak<Sim>,
}

/// A simulated thread.
pub struct Task {
    /// `None`: the director.
    pub process: Option<usize>,
    pub name: &'static str,
    pub done: bool,
    /// It waits for its process's flight.
    pub waits: bool,
    pub notes: Notes,
    /// Its latest place in the queue; earlier ones count no more.
    pub ticket: u64,
    pub baton: Arc<Baton>,
    pub thread: Thread,
}

/// With what the thread of a killed process ends.
struct Killed;

/// A simulation that takes longer hangs.
const MOST_STEPS: u64 = 200_000;

impl Sim {
    /// The calling thread becomes the director.
    pub fn new(plan: Plan, seed: u64, story: Story, pool: &Arc<Pool>) -> Arc<Self> {
        CURRENT.set(DIRECTOR);
        Arc::new_cyclic(|me: &Weak<Self>| {
            let mut world = World::new(plan, seed, story, me.clone());
            world.add_task(None, "director", thread::current());
            Self { world: Mutex::new(world), pool: pool.clone(), base: Instant::now(), me: me.clone() }
        })
    }

    /// The world, for one look or one change: no other thread runs meanwhile anyway.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The simulated thread that calls.
    pub fn current() -> TaskId {
        CURRENT.get()
    }

    /// A simulated instant.
    pub fn instant(&self, since_start: Duration) -> Instant {
        self.base + since_start
    }

    /// Lets time pass for the calling thread. Others go on meanwhile; faults strike; a killed process's thread ends here.
    pub fn pass(&self, time: Duration) {
        // Whoever is ending already does nothing any more.
        if thread::panicking() {
            return;
        }
        let me = Self::current();
        let mut world = self.world();
        world.steps += 1;
        if world.steps == world.plan.steps {
            // The time with faults is over.
            world.schedule(DIRECTOR, Duration::ZERO);
        }
        if world.steps > MOST_STEPS {
            world.violated("it does not come to an end");
        }
        world.schedule(me, time);
        if world.faults_on && me != DIRECTOR {
            faults::strike(&mut world);
        }
        let next = world.next();
        self.hand_over(world, me, next);
    }

    /// Lets a thread of a process wait until its flight is over, but no longer than `time`.
    pub fn wait_for_flight(&self, time: Duration) {
        self.world().tasks[Self::current()].waits = true;
        self.pass(time);
        self.world().tasks[Self::current()].waits = false;
    }

    fn hand_over(&self, world: MutexGuard<'_, World>, me: TaskId, next: TaskId) {
        let mut world = world;
        if next != me {
            let (theirs, mine) = (&world.tasks[next], &world.tasks[me]);
            let (baton, thread, mine) = (theirs.baton.clone(), theirs.thread.clone(), mine.baton.clone());
            drop(world);
            baton.give(&thread);
            mine.wait();
            world = self.world();
        }
        let over = world.is_over_for(me);
        drop(world);
        if over {
            resume_unwind(Box::new(Killed));
        }
    }

    /// Starts a thread of `process`, which comes to its turn in `time`.
    pub fn start(
        &self,
        process: usize,
        name: &'static str,
        time: Duration,
        work: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) {
        let mut world = self.world();
        self.start_in(&mut world, process, name, time, work);
    }

    /// The same for who holds the world.
    pub fn start_in(
        &self,
        world: &mut World,
        process: usize,
        name: &'static str,
        time: Duration,
        work: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) {
        let Some(sim) = self.me.upgrade() else { return };
        let task = world.tasks.len();
        let baton = Arc::new(Baton::default());
        let mine = baton.clone();
        let thread = self.pool.run(move || {
            mine.wait();
            CURRENT.set(task);
            let killed = sim.world().is_over_for(task);
            let outcome = if killed { Ok(()) } else { catch_unwind(AssertUnwindSafe(|| work(&sim))) };
            sim.end(task, outcome.err().filter(|reason| !reason.is::<Killed>()).map(|reason| said(&*reason)));
        });
        assert_eq!(world.add_task(Some(process), name, thread), task);
        world.tasks[task].baton = baton;
        world.schedule(task, time);
    }

    /// Ends the calling thread, which gives the right to go on away for good.
    fn end(&self, task: TaskId, panic: Option<String>) {
        let mut world = self.world();
        world.tasks[task].done = true;
        if let Some(reason) = panic {
            world.violated(&format!("a panic: {reason}"));
        }
        let next = world.next();
        let (baton, thread) = (world.tasks[next].baton.clone(), world.tasks[next].thread.clone());
        drop(world);
        baton.give(&thread);
    }

    /// Runs the director's work, then ends all other threads. Why it failed, if it did.
    pub fn direct(&self, work: impl FnOnce(&Self)) -> Option<String> {
        if let Err(reason) = catch_unwind(AssertUnwindSafe(|| work(self)))
            && !reason.is::<Killed>()
        {
            self.world().violated(&format!("a panic: {}", said(&*reason)));
        }
        self.world().close();
        while self.world().tasks.iter().skip(1).any(|task| !task.done) {
            self.pass(Duration::from_micros(1));
        }
        self.world().failed.take()
    }
}

fn said(reason: &(dyn std::any::Any + Send)) -> String {
    let text = reason.downcast_ref::<String>().cloned();
    text.or_else(|| reason.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// A place in the queue.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    at: Duration,
    /// Who comes first at the same time is chance.
    order: (u64, u64),
    what: What,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Task(TaskId, u64),
    Event(Event),
}

/// What comes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A frozen process goes on.
    Thaw(usize),
    /// A suspended machine goes on.
    Resume(usize),
    /// The machine is up again.
    Up(usize),
    /// A process is started on this host, in place of one that ended.
    Start(usize),
    /// The server makes the token of the login with this number, late.
    Make(usize),
}

impl World {
    pub fn add_task(&mut self, process: Option<usize>, name: &'static str, thread: Thread) -> TaskId {
        let baton = Arc::default();
        self.tasks.push(Task {
            process,
            name,
            done: false,
            waits: false,
            notes: Notes::default(),
            ticket: 0,
            baton,
            thread,
        });
        self.tasks.len() - 1
    }

    /// Puts a thread into the queue; its earlier place counts no more.
    pub fn schedule(&mut self, task: TaskId, time: Duration) {
        self.tasks[task].ticket += 1;
        let what = What::Task(task, self.tasks[task].ticket);
        self.put(time, what);
    }

    /// Puts an event into the queue.
    pub fn later(&mut self, time: Duration, event: Event) {
        self.put(time, What::Event(event));
    }

    fn put(&mut self, time: Duration, what: What) {
        self.items += 1;
        let order = (self.random.below(1 << 16), self.items);
        self.queue.push(Reverse(Item { at: self.time + time, order, what }));
    }

    /// Everybody of `process` who waits for a flight looks again.
    pub fn flight_over(&mut self, process: usize) {
        for task in 0..self.tasks.len() {
            if self.tasks[task].waits && self.tasks[task].process == Some(process) {
                self.tasks[task].waits = false;
                let time = Duration::from_micros(self.random.below(200));
                self.schedule(task, time);
            }
        }
    }

    /// Takes whoever is next from the queue, and advances time to then.
    pub fn next(&mut self) -> TaskId {
        loop {
            let Some(Reverse(Item { at, what, .. })) = self.queue.pop() else { return DIRECTOR };
            match what {
                What::Task(task, ticket) => {
                    if self.tasks[task].done || self.tasks[task].ticket != ticket {
                        continue;
                    }
                    self.time = self.time.max(at);
                    match self.tasks[task].process.map(|process| &mut self.processes[process]) {
                        Some(process) if process.alive && process.frozen && !self.over => process.parked.push(task),
                        _ => return task,
                    }
                }
                What::Event(event) if !self.over => {
                    self.time = self.time.max(at);
                    self.happen(event);
                }
                What::Event(_) => {}
            }
        }
    }

    /// Whether this thread must end.
    pub fn is_over_for(&self, task: TaskId) -> bool {
        match self.tasks[task].process {
            Some(process) => self.over || !self.processes[process].alive,
            None => self.failed.is_some() && !self.closing,
        }
    }

    /// A promise was broken: the simulation ends.
    pub fn violated(&mut self, what: &str) {
        if self.failed.is_none() {
            self.tell(Who::default(), "BROKEN", || what.to_owned());
            self.failed = Some(what.to_owned());
            self.end_all();
            self.schedule(DIRECTOR, Duration::ZERO);
        }
    }

    /// Ends all threads but the director.
    pub fn close(&mut self) {
        self.closing = true;
        self.end_all();
    }

    fn end_all(&mut self) {
        self.over = true;
        for task in 1..self.tasks.len() {
            if !self.tasks[task].done {
                self.schedule(task, Duration::ZERO);
            }
        }
    }
}
