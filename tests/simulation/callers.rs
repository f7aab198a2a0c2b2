//! The threads of a host's programs: they ask for the token, use it, report it, log out, fork and exit.

use std::sync::Arc;
use std::time::Duration;

use tps::cache::Entry;
use tps::process::clock::Clock;

use super::lookups::Client;
use super::queue::Event;
use super::scheduler::Sim;
use super::world::{Password, Process, World};

/// Starts a process on a host, with its callers.
pub fn start_process(world: &mut World, host: usize) -> usize {
    let wrong = world.plan.wrong_password && world.random.chance(300);
    let password = if wrong { Password::Wrong } else { Password::Right };
    add_process(world, host, password, None)
}

/// `parent`: it is forked from this one.
fn add_process(world: &mut World, host: usize, password: Password, parent: Option<usize>) -> usize {
    let spread = world.random.below(1001) as f64 / 1000.0;
    let memory = parent.map(|parent| world.processes[parent].entry.clone());
    let entry = Arc::new(Entry::simulated(memory.as_deref(), spread));
    let number = world.processes.len();
    world.processes.push(Process {
        host,
        password,
        entry,
        alive: true,
        frozen: false,
        parked: Vec::new(),
        stopped: Duration::ZERO,
        stopped_at: Duration::ZERO,
        redis_left_alone: Duration::ZERO,
        knows_dead: parent.map(|parent| world.processes[parent].knows_dead.clone()).unwrap_or_default(),
        last_lookup: None,
        satisfied: false,
    });
    world.ledger.forked(parent, number);
    world.tell_of(Some(number), None, "starts", || {
        parent.map_or_else(String::new, |parent| format!("child of p{}", parent + 1))
    });
    let Some(sim) = world.sim.upgrade() else { return number };
    for caller in 0..world.plan.callers {
        let time = world.random.time(Duration::from_millis(1), Duration::from_secs(1));
        let name = if caller == 0 { "c1" } else { "c2" };
        sim.start_in(world, number, name, time, move |sim| Caller(Client::new(sim, number)).run());
    }
    number
}

impl World {
    /// After the faults a process is done when it has a token; one with a wrong password has tried once more.
    fn asked(&mut self, process: usize, served: bool) {
        if !self.faults_on && (served || self.processes[process].password == Password::Wrong) {
            self.processes[process].satisfied = true;
        }
    }
}

struct Caller(Client);

impl Caller {
    fn run(&self) {
        loop {
            self.think();
            let world = self.sim().world();
            let (plan, faults) = (world.plan.clone(), world.faults_on);
            drop(world);
            let does = |in_thousand| faults && self.sim().world().random.chance(in_thousand);
            if does(plan.logs_out) {
                let done = self.0.logout();
                self.tell("logout", || if done { "ends".to_owned() } else { "goes on".to_owned() });
            } else if does(plan.forks) {
                self.fork();
            } else if does(plan.exits) {
                self.exit();
            } else {
                let served = self.ask(does(plan.reports_falsely));
                self.sim().world().asked(self.0.process, served);
                if self.sim().world().processes[self.0.process].satisfied {
                    self.sim().pass(Duration::from_secs(1_000_000_000));
                }
            }
        }
    }

    fn sim(&self) -> &Arc<Sim> {
        &self.0.sim
    }

    fn tell(&self, what: &'static str, result: impl FnOnce() -> String) {
        self.sim().world().tell_mine(what, result);
    }

    /// Does something else for a while.
    fn think(&self) {
        let mut world = self.sim().world();
        let longest = if world.faults_on { world.plan.think } else { Duration::from_millis(100) };
        let time = world.random.time(Duration::from_millis(1), longest);
        drop(world);
        self.sim().pass(time);
    }

    /// Asks for the token and uses it. Whether the server took it.
    fn ask(&self, falsely: bool) -> bool {
        // Once more, where the server rejects it.
        for _ in 0..2 {
            let since = self.sim().world().call_begins(self.0.process);
            match self.0.token() {
                Ok(token) => {
                    let value = token.value.expose().to_owned();
                    self.sim().world().handed_out(self.0.process, &value, since);
                    self.sim().pass(Duration::from_millis(50));
                    let taken = {
                        let mut world = self.sim().world();
                        let taken = world.api.takes(&value, world.time);
                        world.tell_mine("uses", || format!("{value}: {}", if taken { "taken" } else { "rejected" }));
                        taken
                    };
                    if taken && !falsely {
                        return true;
                    }
                    let new = self.0.entry.report(&value, self.0.clock.wall());
                    self.tell("reports", || format!("{value}{}", if new { "" } else { ", known" }));
                }
                Err(error) => {
                    self.sim().world().refused(self.0.process, &error, since);
                    let mut world = self.sim().world();
                    // The patient ones wait as long as they are told.
                    let patient = !world.faults_on || world.random.chance(500);
                    drop(world);
                    if patient {
                        self.sim().pass(error.retry_after.max(Duration::from_millis(1)));
                    }
                    return false;
                }
            }
        }
        false
    }

    fn fork(&self) {
        let mut world = self.sim().world();
        if world.living().count() < 8 {
            let (host, password) = (world.processes[self.0.process].host, world.processes[self.0.process].password);
            add_process(&mut world, host, password, Some(self.0.process));
        }
    }

    fn exit(&self) {
        let mut world = self.sim().world();
        world.tell_mine("exits", String::new);
        let (host, process) = (world.processes[self.0.process].host, self.0.process);
        world.kill(process);
        let time = world.random.time(Duration::from_millis(10), Duration::from_secs(10));
        world.later(time, Event::Start(host));
        drop(world);
        self.sim().pass(Duration::ZERO);
    }
}
