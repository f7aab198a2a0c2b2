//! Everything that is simulated: hosts with their clocks and files, Redis, the server, processes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tps::cache::Entry;

use super::api::Api;
use super::ledger::Ledger;
use super::places::{Place, Sick, StoreId};
use super::plan::Plan;
use super::queue::{Event, Item};
use super::random::Random;
use super::scheduler::{Sim, Task, TaskId};
use super::story::{Story, Who};

/// Whose record it is: another password is another record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Password {
    Right,
    Wrong,
}

/// All of it.
pub struct World {
    pub sim: Weak<Sim>,
    pub plan: Plan,
    pub random: Random,
    pub story: Story,
    /// The true time since the beginning.
    pub time: Duration,
    pub steps: u64,
    pub hosts: Vec<Host>,
    pub processes: Vec<Process>,
    pub tasks: Vec<Task>,
    /// What each store keeps.
    pub places: BTreeMap<(StoreId, Password), Place>,
    /// How far Redis's clock is ahead, and how well Redis serves.
    pub redis_ahead: SignedDuration,
    pub redis_sick: Sick,
    pub api: Api,
    pub ledger: Ledger,
    pub faults_on: bool,
    /// Since when there are no more faults.
    pub recovery: Option<Duration>,
    pub queue: BinaryHeap<Reverse<Item>>,
    pub items: u64,
    pub over: bool,
    pub closing: bool,
    pub failed: Option<String>,
}

/// A machine.
pub struct Host {
    pub up: bool,
    /// Which start it is, and when it was.
    pub boot: u32,
    pub up_since: Duration,
    /// How long it was suspended since, and since when it is.
    pub suspended: Duration,
    pub suspended_at: Option<Duration>,
    /// How far its date and time are ahead.
    pub wall_ahead: SignedDuration,
    /// How well it reaches Redis, and how well its files serve.
    pub redis_sick: Sick,
    pub files_sick: Sick,
    /// When its date was set last.
    pub date_set: Option<Duration>,
    /// When its date was set while it was off: what it kept before tells wrong times.
    pub confused: Option<Duration>,
}

/// A process, and its place in memory.
pub struct Process {
    pub host: usize,
    pub password: Password,
    pub entry: Arc<Entry>,
    pub alive: bool,
    pub frozen: bool,
    /// Its threads whose turn came while it was frozen.
    pub parked: Vec<TaskId>,
    /// How long it was frozen, or its machine suspended, and since when it is.
    pub stopped: Duration,
    pub stopped_at: Duration,
    /// Until when Redis is left alone.
    pub redis_left_alone: Duration,
    /// Fingerprints of tokens that it knows to be dead.
    pub knows_dead: Vec<String>,
    /// When its last lookup began and ended, and whether all its stores served.
    pub last_lookup: Option<(Duration, Duration, bool)>,
    /// In the time without faults: it has a token that the server takes.
    pub satisfied: bool,
}

impl World {
    pub fn new(plan: Plan, seed: u64, story: Story, sim: Weak<Sim>) -> Self {
        let mut random = Random::new(seed ^ 0x5EED);
        let hosts = (0..plan.hosts).map(|_| Host::new(&mut random)).collect();
        let ahead = |random: &mut Random| SignedDuration::from_millis(random.below(4_000_000) as i64 - 2_000_000);
        let redis_ahead = ahead(&mut random);
        let api = Api::new(&plan, ahead(&mut random));
        Self {
            sim,
            random,
            story,
            hosts,
            redis_ahead,
            api,
            time: Duration::ZERO,
            steps: 0,
            processes: Vec::new(),
            tasks: Vec::new(),
            places: BTreeMap::new(),
            redis_sick: Sick::default(),
            ledger: Ledger::default(),
            faults_on: true,
            recovery: None,
            queue: BinaryHeap::new(),
            items: 0,
            over: false,
            closing: false,
            failed: None,
            plan,
        }
    }

    /// The date and time, of a clock that is so far ahead.
    pub fn date(&self, ahead: SignedDuration) -> Timestamp {
        let start = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 55);
        start + SignedDuration::try_from(self.time).expect("not that long") + ahead
    }

    /// The host of a process.
    pub fn host_of(&self, process: usize) -> &Host {
        &self.hosts[self.processes[process].host]
    }

    /// Processes that are alive.
    pub fn living(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.processes.len()).filter(|process| self.processes[*process].alive)
    }

    /// What comes by itself.
    pub fn happen(&mut self, event: Event) {
        match event {
            Event::Thaw(process) => self.thaw(process),
            Event::Up(host) => self.boot(host),
            Event::Resume(host) => self.resume(host),
            Event::Start(host) if self.hosts[host].suspended_at.is_some() => {
                self.later(Duration::from_secs(1), event);
            }
            Event::Start(host) => {
                if self.hosts[host].up && self.faults_on {
                    super::callers::start_process(self, host);
                }
            }
            Event::Make(login) => self.make_token(login),
        }
    }

    /// Ends a process as SIGKILL does: its threads do nothing more, and its file locks are free.
    pub fn kill(&mut self, process: usize) {
        if !self.processes[process].alive {
            return;
        }
        self.processes[process].alive = false;
        for ((store, _), place) in &mut self.places {
            if matches!(store, StoreId::Files(_)) && place.lock.as_ref().is_some_and(|lock| lock.process == process) {
                place.lock = None;
            }
        }
        for task in 0..self.tasks.len() {
            if self.tasks[task].process == Some(process) && !self.tasks[task].done {
                self.schedule(task, Duration::ZERO);
            }
        }
    }

    /// Stops a process for so long.
    pub fn freeze(&mut self, process: usize, time: Duration) {
        let now = self.time;
        let state = &mut self.processes[process];
        if state.alive && !state.frozen {
            state.frozen = true;
            state.stopped_at = now;
            for task in self.tasks.iter_mut().filter(|task| task.process == Some(process)) {
                task.notes.stopped = true;
            }
            self.later(time, Event::Thaw(process));
        }
    }

    /// Lets a suspended machine go on. Its clock for instants did not move meanwhile.
    pub fn resume(&mut self, host: usize) {
        let now = self.time;
        let machine = &mut self.hosts[host];
        if let Some(since) = machine.suspended_at.take() {
            machine.suspended += now.saturating_sub(since);
        }
    }

    /// Lets a frozen process go on.
    pub fn thaw(&mut self, process: usize) {
        let now = self.time;
        if self.host_of(process).suspended_at.is_some() {
            return self.later(Duration::from_secs(1), Event::Thaw(process));
        }
        let state = &mut self.processes[process];
        if state.frozen {
            state.frozen = false;
            state.stopped += now.saturating_sub(state.stopped_at);
            for task in std::mem::take(&mut state.parked) {
                let time = Duration::from_micros(self.random.below(1000));
                self.schedule(task, time);
            }
            self.tell_of(Some(process), None, "goes on", String::new);
        }
    }

    fn boot(&mut self, host: usize) {
        let now = self.time;
        let machine = &mut self.hosts[host];
        (machine.up, machine.boot, machine.up_since, machine.suspended) = (true, machine.boot + 1, now, Duration::ZERO);
        for _ in 0..self.plan.processes {
            let time = self.random.time(Duration::from_millis(10), Duration::from_secs(10));
            self.later(time, Event::Start(host));
        }
    }

    /// Adds a line to the story, if somebody wants to read it.
    pub fn tell(&mut self, who: Who, what: &'static str, result: impl FnOnce() -> String) {
        if self.story.is_kept() {
            self.story.add(self.time, who, what, result());
        }
    }

    /// The same about a process, or about a thread.
    pub fn tell_of(
        &mut self,
        process: Option<usize>,
        task: Option<TaskId>,
        what: &'static str,
        result: impl FnOnce() -> String,
    ) {
        if self.story.is_kept() {
            let who = self.who(process, task);
            self.tell(who, what, result);
        }
    }

    /// The same about the calling thread.
    pub fn tell_mine(&mut self, what: &'static str, result: impl FnOnce() -> String) {
        let task = Sim::current();
        self.tell_of(self.tasks[task].process, Some(task), what, result);
    }

    fn who(&self, process: Option<usize>, task: Option<TaskId>) -> Who {
        let Some(number) = process else { return Who::default() };
        let process = &self.processes[number];
        let mark = if process.password == Password::Wrong { "!" } else { "" };
        Who {
            host: host_name(process.host),
            process: format!("p{}{mark}", number + 1),
            thread: task.map_or_else(String::new, |task| self.tasks[task].name.to_owned()),
        }
    }
}

/// A, B, C.
pub fn host_name(host: usize) -> String {
    ["A", "B", "C", "D"].get(host).copied().unwrap_or("?").to_owned()
}

impl Host {
    fn new(random: &mut Random) -> Self {
        Self {
            up: true,
            boot: 1,
            up_since: Duration::ZERO,
            suspended: Duration::ZERO,
            suspended_at: None,
            wall_ahead: SignedDuration::from_millis(random.below(8_000_000) as i64 - 4_000_000),
            redis_sick: Sick::default(),
            files_sick: Sick::default(),
            date_set: None,
            confused: None,
        }
    }
}
