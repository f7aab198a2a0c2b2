//! The clocks of a simulated host.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tps::process::clock::Clock;
use tps::record::{Moment, Now};

use super::scheduler::Sim;
use super::world::World;

/// A process's view of its host's clocks.
#[derive(Clone)]
pub struct SimClock {
    pub sim: Arc<Sim>,
    pub process: usize,
}

/// Machines were on for so long when a simulation begins.
const UP: Duration = Duration::from_secs(5000);

impl SimClock {
    /// The moment on a process's host.
    pub fn moment(world: &World, process: usize) -> Moment {
        Moment::at(UP + world.time.saturating_sub(world.host_of(process).up_since))
    }
}

impl Clock for SimClock {
    fn now(&self) -> Moment {
        Self::moment(&self.sim.world(), self.process)
    }

    fn wall(&self) -> Timestamp {
        let world = self.sim.world();
        world.date(world.host_of(self.process).wall_ahead)
    }

    fn boot(&self) -> Option<String> {
        let world = self.sim.world();
        Some(format!("{}-{}", world.processes[self.process].host, world.host_of(self.process).boot))
    }

    /// Stands still while the machine is suspended, as Linux's does.
    fn instant(&self) -> Instant {
        let world = self.sim.world();
        self.sim.instant(world.time.saturating_sub(world.host_of(self.process).suspended))
    }

    /// Never shorter; on a busy machine longer.
    fn sleep(&self, time: Duration) {
        let longer = self.sim.world().random.below(200);
        self.sim.pass(time + Duration::from_millis(longer).min(time * 8));
    }

    fn random(&self) -> u64 {
        self.sim.world().random.number()
    }

    fn read(&self) -> Now {
        let now = Now { moment: self.now(), wall: self.wall(), boot: self.boot() };
        let mut world = self.sim.world();
        let time = world.time;
        world.tasks[Sim::current()].notes.read_at = time;
        now
    }
}
