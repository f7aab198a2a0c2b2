//! Who goes on, and when. One simulated thread runs at a time; each action hands the right to go on to the thread that
//! is next by simulated time.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::faults;
use super::lookups::Notes;
use super::plan::Plan;
use super::pool::{Baton, Pool};
use super::story::Story;
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
        // A thread that is ending already does nothing any more.
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
