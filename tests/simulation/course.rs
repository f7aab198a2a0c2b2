//! One seed from beginning to end: a time with faults, then a time without, in which everybody gets a token.

use std::sync::Arc;
use std::time::Duration;

use super::callers::start_process;
use super::plan::Plan;
use super::pool::Pool;
use super::random::Random;
use super::scheduler::Sim;
use super::story::{Story, Who};
use super::world::{Password, World};

/// A promise that was broken.
pub struct Broken {
    pub why: String,
    pub story: String,
}

/// Runs one seed.
pub fn run(seed: u64, story: Story, pool: &Arc<Pool>) -> Result<String, Broken> {
    let plan = Plan::new(&mut Random::new(seed));
    let heading = format!("seed {seed}: {plan}\n\n");
    let sim = Sim::new(plan, seed, story, pool);
    let failed = sim.direct(direct);
    let story = heading + &sim.world().story.text();
    match failed {
        None => Ok(story),
        Some(why) => Err(Broken { why, story }),
    }
}

fn direct(sim: &Sim) {
    {
        let mut world = sim.world();
        for host in 0..world.plan.hosts {
            for _ in 0..world.plan.processes {
                start_process(&mut world, host);
            }
        }
    }
    let length = sim.world().plan.length;
    while !sim.world().is_old_enough() {
        sim.pass(length / 20);
    }
    let until = sim.world().end_faults();
    while !sim.world().all_are_satisfied(until) {
        sim.pass(Duration::from_secs(10));
    }
}

impl World {
    fn is_old_enough(&self) -> bool {
        self.time >= self.plan.length || self.steps >= self.plan.steps
    }

    /// From now on everything works. Until when everybody must have a token.
    fn end_faults(&mut self) -> Duration {
        self.tell(Who::default(), "no more faults", String::new);
        self.faults_on = false;
        self.recovery = Some(self.time);
        self.redis_sick = Default::default();
        self.api.until = Duration::ZERO;
        for host in 0..self.hosts.len() {
            self.hosts[host].redis_sick = Default::default();
            self.hosts[host].files_sick = Default::default();
            self.resume(host);
        }
        for process in 0..self.processes.len() {
            self.thaw(process);
            self.processes[process].redis_left_alone = Duration::ZERO;
        }
        if !self.living().any(|process| self.processes[process].password == Password::Right) {
            let process = start_process(self, 0);
            self.processes[process].password = Password::Right;
        }
        let day = Duration::from_secs(24 * 3600);
        // The longest wait that a server may ask for; the budget, and once more where a store's clock was set back since.
        let dates_are_set = self.plan.faults.iter().any(|fault| fault.sets_dates());
        let budget = match self.plan.per_day {
            0 => Duration::from_secs(600),
            _ if dates_are_set => 2 * day,
            _ => day,
        };
        self.time + Duration::from_secs(3600 + 600) + budget
    }

    fn all_are_satisfied(&mut self, until: Duration) -> bool {
        if self.time > until {
            self.violated("no token in time after the faults");
        }
        self.living().all(|process| self.processes[process].satisfied)
    }
}
