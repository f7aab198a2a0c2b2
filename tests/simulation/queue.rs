//! Who is next: threads and events by the time at which their turn comes.

use std::cmp::Reverse;
use std::sync::Arc;
use std::thread::Thread;
use std::time::Duration;

use super::lookups::Notes;
use super::scheduler::{DIRECTOR, Task, TaskId};
use super::story::Who;
use super::world::World;

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

    /// Takes the next thread from the queue, and advances time to then.
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
