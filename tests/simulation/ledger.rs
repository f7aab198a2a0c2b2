//! What was sent, by true time: the account that the library's own is held against.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::places::StoreId;
use super::scheduler::TaskId;

/// A login.
#[derive(Debug)]
pub struct Login {
    pub task: TaskId,
    /// When the clocks were read by which it was drawn.
    pub decided: Duration,
    /// When it was answered.
    pub answered: Option<Duration>,
    /// The token that was made.
    pub token: Option<usize>,
    /// The token reached a process.
    pub served: bool,
    /// When it reached a store.
    pub delivered: BTreeMap<StoreId, Duration>,
    /// Stores by which it may be free, and the tokens whose renewal it is.
    pub free: BTreeMap<StoreId, usize>,
    pub reason: &'static str,
}

impl Login {
    /// Whether its token reached anybody.
    pub fn is_delivered(&self) -> bool {
        self.served || !self.delivered.is_empty()
    }
}

/// All logins with the right password.
#[derive(Debug, Default)]
pub struct Ledger {
    pub logins: Vec<Login>,
    /// The logins that were written down in a store, and not forgotten there.
    pub written: BTreeMap<StoreId, Vec<usize>>,
    /// Tokens whose one free renewal was sent, by store.
    pub renewed: BTreeSet<(StoreId, usize)>,
    /// Threads whose login is under way.
    pub under_way: Vec<TaskId>,
    /// When Redis's date was set last: what was kept before tells wrong times.
    pub redis_set: Option<Duration>,
    /// After the faults, by the store that all concerned share: logins, and probes since the last one.
    pub logins_after: BTreeMap<StoreId, Vec<usize>>,
    pub probes_after: BTreeMap<StoreId, u32>,
}

/// The budget.
const BURST: u32 = 3;
const REFILL: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// So many renewals in [`REFILL`] are free.
const RENEWALS: usize = 10;

/// Clocks are kept in milliseconds, and Redis's is read a moment late.
const TOLERANCE: Duration = Duration::from_secs(1);

impl Ledger {
    /// A child begins with what its parent's memory knows.
    pub fn forked(&mut self, parent: Option<usize>, child: usize) {
        let Some(parent) = parent.map(StoreId::Memory) else { return };
        let child = StoreId::Memory(child);
        let known = self.written.get(&parent).cloned().unwrap_or_default();
        for login in &mut self.logins {
            let token = login.free.get(&parent).copied();
            login.free.extend(token.map(|token| (child, token)));
        }
        let renewed: Vec<_> =
            self.renewed.iter().filter(|(store, _)| *store == parent).map(|(_, token)| *token).collect();
        self.renewed.extend(renewed.into_iter().map(|token| (child, token)));
        self.written.insert(child, known);
    }

    /// A store has lost what it kept, or the times of it.
    pub fn forgotten(&mut self, store: StoreId) {
        self.written.remove(&store);
        self.renewed.retain(|(then, _)| *then != store);
    }

    /// Redis's date was set. The copies in files and in memory came by it, too.
    pub fn redis_date_was_set(&mut self, time: Duration) {
        self.redis_set = Some(time);
        self.written.clear();
    }

    /// The server has made a token of a login.
    pub fn made(&mut self, login: usize, token: usize) {
        let login = &mut self.logins[login];
        login.token = Some(token);
        self.renewed.extend(login.free.iter().map(|(store, token)| (*store, *token)));
    }

    /// The login that made a token.
    pub fn login_of(&self, token: usize) -> Option<usize> {
        self.logins.iter().position(|login| login.token == Some(token))
    }

    /// Whether a login that made a token costs nothing in `store`.
    fn is_free(&self, login: &Login, store: StoreId) -> bool {
        login.free.contains_key(&store) && (login.is_delivered() || self.under_way.contains(&login.task))
    }

    /// How the logins written down in `store` break the budget.
    pub fn beyond_budget(&self, store: StoreId, per_day: u32) -> Option<String> {
        if per_day == 0 {
            return None;
        }
        let all = self.written.get(&store)?.iter().map(|login| &self.logins[*login]);
        let mut made: Vec<_> = all.filter(|login| login.token.is_some()).collect();
        made.sort_by_key(|login| login.decided);
        let (mut free, mut counted) = (Vec::<Duration>::new(), Vec::new());
        for login in made {
            let lately = free.iter().filter(|then| login.decided < **then + REFILL - TOLERANCE).count();
            if self.is_free(login, store) && lately < RENEWALS {
                free.push(login.decided);
            } else {
                counted.push(login);
            }
        }
        for (last, login) in counted.iter().enumerate() {
            // A renewal does not ask the budget. A renewal that is lost draws all the same.
            if login.free.contains_key(&store) && !self.is_free(login, store) {
                continue;
            }
            for (first, then) in counted[..=last].iter().enumerate() {
                let (number, time) = ((last - first + 1) as u32, login.decided - then.decided + TOLERANCE);
                let refills = (time.as_secs() / REFILL.as_secs()) as u32;
                if number > BURST + refills || number > per_day && time < DAY {
                    let times: Vec<_> = counted.iter().map(|login| login.decided).collect();
                    return Some(format!("{number} logins in {time:?}, by {store}: {times:?}"));
                }
            }
        }
        None
    }
}
