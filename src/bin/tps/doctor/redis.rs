//! The settings of a Redis server that can cost tokens, and its locks.

use tps::options::redis_url::{RedisUrl, Way};
use tps::store::Owner;
use tps::store::redis::RedisStore;

use super::{Finding, entries};
use crate::account::Account;
use crate::output::in_words;

/// Looks at a server that serves.
pub fn examine(account: &Account, url: &RedisUrl) -> Vec<Finding> {
    let store = opened(account, url);
    let info = store.as_ref().and_then(RedisStore::info).unwrap_or_default();
    let value = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let idle = store.as_ref().and_then(RedisStore::idle);
    let mut findings = vec![
        eviction(value("maxmemory"), value("maxmemory_policy")),
        idle.map_or_else(
            || Finding::unknown("entries", "the server does not tell which there are (SCAN, PTTL)"),
            |entries| entries::finding(&entries, |keys| format!("redis-cli DEL {keys}")),
        ),
    ];
    if let (Some("1"), Way::Tcp { node, .. }) = (value("cluster_enabled"), &url.way) {
        findings.push(Finding::bad(
            "cluster",
            "the server is a node of a cluster, and the option cache names it alone: without it nothing is shared",
            format!("set the option cache to redis+cluster://{node},HOST:PORT with more of the nodes"),
        ));
    }
    findings
}

/// Who has the lock there, and what to do; `None`: nobody.
pub fn lock(account: &Account, url: &RedisUrl) -> Option<(String, String)> {
    let (key, left) = opened(account, url)?.lock_key()?;
    Some(match left {
        Some(left) => {
            let left = in_words(left.as_secs() + 1);
            (format!("another process has it ({key})"), format!("wait {left}: then it has expired"))
        }
        None => (format!("{key} does not expire, so nobody can log in"), format!("redis-cli DEL '{key}'")),
    })
}

fn opened<'a>(account: &'a Account, url: &'a RedisUrl) -> Option<RedisStore<'a>> {
    let owner = Owner { credentials: &account.credentials, base_url: &account.options.base_url };
    RedisStore::open(url, &owner, &account.options, &[]).ok()
}

/// A server that drops keys when its memory is full may drop the token.
fn eviction(limit: Option<&str>, policy: Option<&str>) -> Finding {
    let about = "eviction";
    match (limit, policy) {
        (_, None) | (None, _) => {
            Finding::unknown(about, "the server does not tell what it does when its memory is full (INFO)")
        }
        (_, Some("noeviction")) => Finding::good(about, "none"),
        (Some("0"), _) => Finding::good(about, "none: its memory has no limit"),
        (_, Some(policy)) => Finding::bad(
            about,
            format!("maxmemory-policy is {policy}: when memory is full the token is dropped, and another one is made"),
            "redis-cli CONFIG SET maxmemory-policy noeviction, and in the server's configuration; or use a server of \
             its own",
        ),
    }
}
