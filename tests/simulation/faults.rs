//! What goes wrong. A seed picks some of these; any step may be the moment.

use std::time::Duration;

use jiff::SignedDuration;

use super::api::State;
use super::places::{Sick, StoreId};
use super::queue::Event;
use super::story::Who;
use super::world::{Password, World, host_name};

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL; another process is started later.
    Kill,
    /// SIGSTOP and SIGCONT.
    Freeze,
    /// A machine is suspended.
    Suspend,
    /// A machine is started anew.
    Restart,
    /// The same, and its date is set meanwhile.
    RestartWithAnotherDate,
    /// The date of a machine is set.
    SetDate,
    /// The date of Redis's machine is set.
    SetRedisDate,
    /// Redis does not serve for a while: all hosts, one host, writes alone.
    RedisFails,
    /// Files of a host do not serve for a while.
    FilesFail,
    /// A lock is lost.
    LoseLock,
    /// Redis is emptied.
    EmptyRedis,
    /// The file with a record is damaged.
    DamageFile,
    /// The server does not serve for a while.
    ServerFails,
    /// The server revokes all tokens.
    RevokeAll,
}

impl Fault {
    pub const ALL: [Self; 14] = [
        Self::Kill,
        Self::Freeze,
        Self::Suspend,
        Self::Restart,
        Self::RestartWithAnotherDate,
        Self::SetDate,
        Self::SetRedisDate,
        Self::RedisFails,
        Self::FilesFail,
        Self::LoseLock,
        Self::EmptyRedis,
        Self::DamageFile,
        Self::ServerFails,
        Self::RevokeAll,
    ];

    /// Whether it sets a clock.
    pub fn sets_dates(self) -> bool {
        matches!(self, Self::SetDate | Self::SetRedisDate | Self::RestartWithAnotherDate)
    }
}

/// Perhaps a fault.
pub fn strike(world: &mut World) {
    let rate = world.plan.fault_rate;
    if world.plan.faults.is_empty() || !world.random.chance(rate) {
        return;
    }
    let fault = world.random.pick(&world.plan.faults.clone());
    let living: Vec<_> = world.living().collect();
    let host = world.random.below(world.hosts.len() as u64) as usize;
    let process = if living.is_empty() { None } else { Some(world.random.pick(&living)) };
    match (fault, process) {
        (Fault::Kill, Some(process)) => kill(world, process),
        (Fault::Freeze, Some(process)) => {
            let time = world.random.time(Duration::from_millis(1), Duration::from_secs(1200));
            world.tell_of(Some(process), None, "frozen", || format!("for {time:?}"));
            world.freeze(process, time);
        }
        (Fault::Suspend, _) => suspend(world, host),
        (Fault::Restart, _) => restart(world, host, None),
        (Fault::RestartWithAnotherDate, _) => {
            let step = step(world);
            restart(world, host, Some(step));
        }
        (Fault::SetDate, _) => {
            let step = step(world);
            world.tell(at(host), "date is set", || format!("by {step:#}"));
            world.hosts[host].wall_ahead += step;
            world.hosts[host].date_set = Some(world.time);
            let started = if world.hosts[host].up { world.hosts[host].up_since } else { Duration::MAX };
            let older = |(_, place): (_, &super::places::Place)| place.holds.at < started;
            if world.places.iter().filter(|((store, _), _)| *store == StoreId::Files(host)).any(older) {
                // What was kept before the machine's start cannot know of this.
                confuse(world, host);
            }
        }
        (Fault::SetRedisDate, _) if world.plan.has_redis() => {
            let step = step(world);
            world.tell(Who::default(), "Redis's date is set", || format!("by {step:#}"));
            world.redis_ahead += step;
            world.ledger.redis_date_was_set(world.time);
        }
        (Fault::RedisFails, _) if world.plan.has_redis() => {
            let sick = sick(world);
            let alone = world.random.chance(500);
            world.tell(if alone { at(host) } else { Who::default() }, "Redis fails", || format!("until {sick:?}"));
            *(if alone { &mut world.hosts[host].redis_sick } else { &mut world.redis_sick }) = sick;
        }
        (Fault::FilesFail, _) if world.plan.has_files() => {
            let sick = sick(world);
            world.tell(at(host), "files fail", || format!("until {sick:?}"));
            world.hosts[host].files_sick = sick;
        }
        (Fault::LoseLock, _) => lose_lock(world),
        (Fault::EmptyRedis, _) if world.plan.has_redis() => forget(world, StoreId::Redis),
        (Fault::DamageFile, _) if world.plan.has_files() => forget(world, StoreId::Files(host)),
        (Fault::ServerFails, _) => {
            let time = world.random.time(Duration::from_millis(100), Duration::from_secs(1200));
            world.api.state = State::bad(&mut world.random);
            world.api.until = world.time + time;
            let state = world.api.state;
            world.tell(Who::default(), "server fails", || format!("for {time:?}: {state:?}"));
        }
        (Fault::RevokeAll, _) => {
            world.tell(Who::default(), "server revokes all", String::new);
            world.api.tokens.iter_mut().for_each(|made| made.revoked = true);
        }
        _ => {}
    }
}

fn at(host: usize) -> Who {
    Who { host: host_name(host), ..Who::default() }
}

fn kill(world: &mut World, process: usize) {
    world.tell_of(Some(process), None, "killed", String::new);
    world.kill(process);
    let host = world.processes[process].host;
    let time = world.random.time(Duration::from_millis(1), Duration::from_secs(100));
    world.later(time, Event::Start(host));
}

fn suspend(world: &mut World, host: usize) {
    if !world.hosts[host].up || world.hosts[host].suspended_at.is_some() {
        return;
    }
    let (time, now) = (world.random.time(Duration::from_secs(1), Duration::from_secs(40_000)), world.time);
    world.tell(at(host), "suspended", || format!("for {time:?}"));
    world.hosts[host].suspended_at = Some(now);
    let processes: Vec<_> = world.living().filter(|process| world.processes[*process].host == host).collect();
    for process in processes {
        world.freeze(process, time);
    }
    world.later(time, Event::Resume(host));
}

fn restart(world: &mut World, host: usize, step: Option<SignedDuration>) {
    if !world.hosts[host].up || world.hosts[host].suspended_at.is_some() {
        return;
    }
    world.tell(at(host), "restarts", || step.map_or_else(String::new, |step| format!("date set by {step:#}")));
    let processes: Vec<_> = world.living().filter(|process| world.processes[*process].host == host).collect();
    for process in processes {
        world.kill(process);
    }
    let time = world.random.time(Duration::from_secs(1), Duration::from_secs(600));
    let machine = &mut world.hosts[host];
    machine.up = false;
    if let Some(step) = step {
        machine.wall_ahead += step;
        confuse(world, host);
    }
    // What was kept by the date before it was set, and by no later one, cannot be put right any more.
    let set = world.hosts[host].date_set.map(|set| set + world.plan.timeout);
    let mut places = world.places.iter().filter(|((store, _), _)| *store == StoreId::Files(host));
    if places.any(|(_, place)| Some(place.holds.at) <= set) {
        confuse(world, host);
    }
    world.later(time, Event::Up(host));
}

/// The times of what a host keeps are wrong from now on.
fn confuse(world: &mut World, host: usize) {
    world.hosts[host].confused = Some(world.time);
    world.ledger.forgotten(StoreId::Files(host));
}

/// By how much a date is set.
fn step(world: &mut World) -> SignedDuration {
    let size = world.random.time(Duration::from_secs(2), Duration::from_secs(400_000));
    let size = SignedDuration::try_from(size).expect("not that long");
    if world.random.chance(500) { size } else { -size }
}

fn sick(world: &mut World) -> Sick {
    let until = world.time + world.random.time(Duration::from_millis(10), Duration::from_secs(3600));
    match world.random.below(4) {
        0 | 1 => Sick { read: until, lock: until, write: until },
        // A replica, a full disk.
        2 => Sick { lock: world.time, read: world.time, write: until },
        _ => Sick { read: world.time, lock: until, write: until },
    }
}

fn lose_lock(world: &mut World) {
    let held: Vec<_> = world.places.iter().filter(|(_, place)| place.lock.is_some()).map(|(id, _)| *id).collect();
    if held.is_empty() {
        return;
    }
    let (store, password) = world.random.pick(&held);
    let lock = world.place(store, password).lock.take();
    if let Some(lock) = lock {
        world.tell_of(Some(lock.process), Some(lock.task), "lock is lost", || store.to_string());
        world.tasks[lock.task].notes.lost_lock = true;
    }
}

/// A store loses all that it kept.
fn forget(world: &mut World, store: StoreId) {
    world.tell(Who::default(), "all is lost", || store.to_string());
    for password in [Password::Right, Password::Wrong] {
        let place = world.place(store, password);
        // Another write must not take it for the one that it knows.
        (place.text, place.version, place.holds) = (Vec::new(), place.version + 1, Default::default());
        let lock = if store == StoreId::Redis { place.lock.take() } else { None };
        if let Some(lock) = lock {
            world.tasks[lock.task].notes.lost_lock = true;
        }
    }
    for task in &mut world.tasks {
        task.notes.forgotten |= task.notes.written_down.remove(&store);
    }
    world.ledger.forgotten(store);
}
