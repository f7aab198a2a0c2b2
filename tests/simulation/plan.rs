//! What a seed decides before anything happens: the hosts, the options, and which faults there are.

use std::fmt;
use std::time::Duration;

use super::faults::Fault;
use super::random::Random;

/// Where records are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In memory alone.
    Memory,
    /// In files.
    Files,
    /// In Redis, with the file store as the fallback store.
    Redis,
    /// In Redis, where no directory serves: memory is the fallback store.
    RedisAlone,
}

/// Everything that stays the same for one seed.
#[derive(Debug, Clone)]
pub struct Plan {
    pub kept: Kept,
    pub hosts: usize,
    /// Processes of a host.
    pub processes: u64,
    /// Threads of a process that ask.
    pub callers: u64,
    pub timeout: Duration,
    pub per_day: u32,
    pub refresh_ahead: Option<Duration>,
    /// The option `token`.
    pub own_token: bool,
    /// How long a token of the server lives.
    pub life: Option<Duration>,
    /// Some processes have a wrong password.
    pub wrong_password: bool,
    /// How long callers do something else, at most.
    pub think: Duration,
    /// Callers wait in slices of this length; `None`: until the flight is over.
    pub slice: Option<Duration>,
    /// The time with faults ends after so many steps, or so long.
    pub steps: u64,
    pub length: Duration,
    /// In a thousand steps there are so many faults.
    pub fault_rate: u64,
    pub faults: Vec<Fault>,
    /// In a thousand operations so many are slow, and fail.
    pub slow: u64,
    pub flaky: u64,
    /// In a thousand requests so many meet a fault of the server or of the network.
    pub bad_requests: u64,
    /// What callers do besides asking, in a thousand.
    pub reports_falsely: u64,
    pub logs_out: u64,
    pub forks: u64,
    pub exits: u64,
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

impl Plan {
    pub fn new(random: &mut Random) -> Self {
        let seconds = Duration::from_secs;
        let often = |random: &mut Random, in_thousand, rates: &[u64]| {
            if random.chance(in_thousand) { random.pick(rates) } else { 0 }
        };
        let kept = random.pick(&[
            Kept::Files,
            Kept::Files,
            Kept::Redis,
            Kept::Redis,
            Kept::Redis,
            Kept::RedisAlone,
            Kept::Memory,
        ]);
        let faults = Fault::ALL.iter().copied().filter(|_| random.chance(300)).collect();
        Self {
            kept,
            hosts: if kept == Kept::Files || kept == Kept::Memory {
                random.pick(&[1, 1, 2])
            } else {
                random.pick(&[1, 2, 2, 3])
            },
            processes: 1 + random.below(3),
            callers: 1 + random.below(2),
            timeout: random.pick(&[seconds(2), seconds(5), seconds(15)]),
            per_day: random.pick(&[0, 1, 3, 10, 10, 10, 50]),
            refresh_ahead: random.pick(&[
                None,
                None,
                None,
                Some(Duration::ZERO),
                Some(seconds(30)),
                Some(seconds(600)),
            ]),
            own_token: random.chance(100),
            life: random.pick(&[None, None, Some(seconds(60)), Some(5 * MINUTE), Some(HOUR), Some(10 * HOUR)]),
            wrong_password: random.chance(150),
            think: random.pick(&[seconds(1), seconds(10), MINUTE, 10 * MINUTE, HOUR]),
            slice: random.pick(&[None, None, Some(Duration::from_millis(50)), Some(Duration::from_millis(500))]),
            steps: 100 + random.below(500),
            length: random.pick(&[10 * MINUTE, 2 * HOUR, 48 * HOUR]),
            fault_rate: random.pick(&[2, 10, 30]),
            faults,
            slow: often(random, 500, &[10, 50, 200]),
            flaky: often(random, 300, &[5, 20, 100]),
            bad_requests: often(random, 600, &[50, 200, 500]),
            reports_falsely: often(random, 300, &[20, 100]),
            logs_out: often(random, 300, &[20, 100]),
            forks: often(random, 300, &[20, 50]),
            exits: often(random, 300, &[20, 100]),
        }
    }

    /// Whether records are kept in Redis.
    pub fn has_redis(&self) -> bool {
        matches!(self.kept, Kept::Redis | Kept::RedisAlone)
    }

    /// Whether records are kept in files.
    pub fn has_files(&self) -> bool {
        matches!(self.kept, Kept::Redis | Kept::Files)
    }

    /// How long before its expiry a token may be renewed.
    pub fn ahead(&self, life: Duration) -> Duration {
        let margin = Duration::from_secs(30).min(life / 40);
        margin.max(self.refresh_ahead.map_or(Duration::from_secs(120).min(life / 10), |ahead| ahead.min(life / 2)))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} hosts with {} processes of {} callers; records in {:?}",
            self.hosts, self.processes, self.callers, self.kept
        )?;
        writeln!(
            f,
            "timeout {:?}, logins_per_day {}, refresh_ahead {:?}, option token: {}, tokens live {:?}, wrong passwords: {}",
            self.timeout, self.per_day, self.refresh_ahead, self.own_token, self.life, self.wrong_password
        )?;
        write!(f, "faults: {:?}", self.faults)
    }
}
