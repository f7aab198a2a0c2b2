//! What happened, for the operator.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cache::Entry;
use crate::error::Error;
use crate::options::{Cache, Options};
use crate::record::Now;

/// An entry's state as JSON, without secrets.
pub fn of(entry: &Entry, options: &Options, now: &Now) -> String {
    let counters = entry.counters();
    let by_reason: BTreeMap<_, _> = counters.logins().collect();
    let record = entry.memory().record(now);
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "base_url": options.base_url,
        "store": store(entry, &options.cache),
        "token": entry.last_token().map(|token| json!({
            "fingerprint": token.fingerprint(),
            "obtained_at": token.obtained_at.to_string(),
            "expires_at": token.expires_at.map(|expiry| expiry.to_string()),
        })),
        "hold_off": entry.failure(now.moment).map(|error| hold_off(&error)),
        "hits": entry.hits(),
        "adopted": counters.adopted.get(),
        "logins": by_reason.values().sum::<u64>(),
        "logins_by_reason": by_reason,
        "logins_failed": counters.logins_failed.get(),
        "login_budget_left": record.budget.left(now.wall, options.logins_per_day),
        "waits": counters.waits.get(),
        "invalidations": counters.invalidations.get(),
        "false_alarms": counters.false_alarms.get(),
        "events": entry.events().last(),
    })
    .to_string()
}

fn store(entry: &Entry, cache: &Cache) -> Value {
    let kind = match cache {
        Cache::Memory => "memory",
        Cache::Files(_) => "file",
        #[cfg(feature = "redis")]
        Cache::Redis(..) => "redis",
    };
    let report = entry.store();
    json!({
        "kind": kind,
        "place": report.place,
        "degraded": !report.errors.is_empty(),
        "why_not": report.why_not(),
        "lasting": report.lasting(),
    })
}

fn hold_off(error: &Error) -> Value {
    json!({
        "status": error.status as i32,
        "retry_after_ms": error.retry_after_ms(),
        "message": error.message,
    })
}
