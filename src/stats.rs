//! What happened, for whoever carries the pager.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::clock::Reading;
use crate::error::Error;
use crate::obtain::{Origin, Reason};
use crate::options::{Cache, Options};
use crate::slot::Slot;

/// A number that only grows.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Since the process began, for one slot.
#[derive(Default)]
pub struct Counters {
    /// Tokens taken from the store.
    pub adopted: Counter,
    /// Logins that gave a token, by their reason.
    pub first: Counter,
    pub ended: Counter,
    pub renewed: Counter,
    pub rejected: Counter,
    /// Searches for a token that gave none.
    pub logins_failed: Counter,
    /// Calls that waited for a login.
    pub waits: Counter,
    /// Tokens that were reported as rejected while they were the present one.
    pub invalidations: Counter,
    /// Of these, tokens that the server took all the same.
    pub false_alarms: Counter,
}

impl Counters {
    /// Counts a token that was found.
    pub fn count(&self, origin: Origin) {
        match origin {
            Origin::Login(Reason::First) => self.first.add(),
            Origin::Login(Reason::Ended) => self.ended.add(),
            Origin::Login(Reason::Renewal) => self.renewed.add(),
            Origin::Login(Reason::Rejection) => self.rejected.add(),
            Origin::Store => self.adopted.add(),
            Origin::FalseAlarm => self.false_alarms.add(),
            Origin::Owner => {}
        }
    }
}

/// How the store was when it was last used.
#[derive(Default, Clone)]
pub struct StoreReport {
    /// Where it is; `None`: not used yet, or not usable.
    pub place: Option<String>,
    /// Why tokens are in memory alone.
    pub trouble: Option<String>,
}

/// A slot's state as JSON, without secrets.
pub fn of(slot: &Slot, options: &Options, clocks: &Reading) -> String {
    let counters = slot.counters();
    let reasons = [
        ("first", counters.first.get()),
        ("ended", counters.ended.get()),
        ("renewed", counters.renewed.get()),
        ("rejected", counters.rejected.get()),
    ];
    let known = slot.known();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "base_url": options.base_url,
        "store": store(&known.store, &options.cache),
        "token": slot.last_token().map(|token| json!({
            "fingerprint": token.fingerprint(),
            "obtained_at": token.obtained_at.to_string(),
            "expires_at": token.expires_at.map(|end| end.to_string()),
        })),
        "hold_off": known.held_off(clocks.now).map(|error| hold_off(&error)),
        "hits": slot.hits(),
        "adopted": counters.adopted.get(),
        "logins": reasons.iter().map(|(_, count)| count).sum::<u64>(),
        "logins_by_reason": reasons.into_iter().collect::<BTreeMap<_, _>>(),
        "logins_failed": counters.logins_failed.get(),
        "login_budget_left": known.record.budget.left(clocks.wall, options.logins_per_day),
        "waits": counters.waits.get(),
        "invalidations": counters.invalidations.get(),
        "false_alarms": counters.false_alarms.get(),
    })
    .to_string()
}

fn store(report: &StoreReport, cache: &Cache) -> Value {
    let kind = match cache {
        Cache::Memory => "memory",
        Cache::Files(_) => "file",
        #[cfg(feature = "redis")]
        Cache::Redis(..) => "redis",
    };
    json!({
        "kind": kind,
        "place": report.place,
        "degraded": report.trouble.is_some(),
        "why_not": report.trouble,
    })
}

fn hold_off(error: &Error) -> Value {
    json!({
        "status": error.status as i32,
        "retry_after_ms": error.retry_after_ms(),
        "message": error.message,
    })
}
