//! Where the token is kept: whether it serves, lasts, and has room.

use std::fs;
use std::path::Path;

use nix::sys::statvfs::statvfs;
use tps::options::Cache;
#[cfg(feature = "redis")]
use tps::store::redis::RedisStore;
use tps::store::{Lasting, Owner, StoreError};

use super::Finding;
use crate::account::Account;
use crate::status::Known;

/// An entry takes 24 KiB at most, and its successor as much.
const ROOM: u64 = 1024 * 1024;

/// What the store has, where it can be opened, and what was found of the store itself.
pub fn examine(account: &Account) -> (Option<Known>, Vec<Finding>) {
    let mut lock = None;
    let known = Known::of(account, |store, now, deadline| {
        lock = Some(store.try_lock(now, deadline).map(|lock| lock.is_some()));
    });
    let known = match known {
        Ok(known) => known,
        Err(StoreError(error)) => {
            return (None, vec![Finding::bad("store", error, "name a directory that serves, or mend this one")]);
        }
    };
    let mut findings = vec![place(&known, &account.options.cache)];
    if known.errors.is_empty() {
        findings.push(match lock {
            Some(Ok(true)) => Finding::good("lock", "can be had"),
            Some(Ok(false)) => Finding::good("lock", "another process has it: a login is under way"),
            Some(Err(StoreError(error))) => Finding::bad("lock", error, "use a place whose file system can lock"),
            None => Finding::unknown("lock", "not tried"),
        });
    }
    findings.push(match &known.lasting {
        Lasting::Yes => Finding::good("lasting", "until it is removed"),
        Lasting::Process => Finding::bad(
            "lasting",
            "in the memory of each process: each one logs in",
            "set the option cache to a directory or to Redis",
        ),
        Lasting::Service(advice) => {
            Finding::bad("lasting", "as long as its service, container or machine", advice.clone())
        }
    });
    if let (Some(place), true) = (&known.place, matches!(account.options.cache, Cache::Files(_))) {
        findings.extend(in_directory(Path::new(place)));
    }
    #[cfg(feature = "redis")]
    if let (Cache::Redis(url, _), true) = (&account.options.cache, known.errors.is_empty()) {
        findings.push(when_full(account, url));
    }
    (Some(known), findings)
}

/// A server that drops keys when its memory is full may drop the token.
#[cfg(feature = "redis")]
fn when_full(account: &Account, url: &tps::options::redis_url::RedisUrl) -> Finding {
    let about = "eviction";
    let owner = Owner { credentials: &account.credentials, base_url: &account.options.base_url };
    let policy = RedisStore::open(url, &owner, &account.options, &[]).ok().and_then(|store| store.when_full());
    match policy.as_deref() {
        None => Finding::unknown(about, "the server does not tell what it does when its memory is full"),
        Some("noeviction") => Finding::good(about, "none"),
        Some(policy) => Finding::bad(
            about,
            format!("maxmemory-policy is {policy}: a token may be dropped, and another one is made"),
            "CONFIG SET maxmemory-policy noeviction, and in the server's configuration; or use a server of its own",
        ),
    }
}

fn place(known: &Known, cache: &Cache) -> Finding {
    let errors: Vec<_> = known.errors.iter().map(ToString::to_string).collect();
    let place = known.place.clone().unwrap_or_else(|| "memory".to_owned());
    if errors.is_empty() {
        return Finding::good("store", place);
    }
    let advice = match cache {
        Cache::Files(_) => "mend what is named, or set the option cache to a directory that serves",
        _ => "mend what is named; until then each host keeps a token of its own",
    };
    Finding::bad("store", errors.join("; "), advice)
}

fn in_directory(place: &Path) -> Vec<Finding> {
    let space = match statvfs(place) {
        Ok(space) => {
            let free = space.blocks_available() * space.fragment_size();
            let found = format!("{} MiB free", free / ROOM);
            match free < ROOM {
                true => Finding::bad("space", found, format!("free some of the disk that {} is on", place.display())),
                false => Finding::good("space", found),
            }
        }
        Err(error) => Finding::unknown("space", error.desc()),
    };
    let entries = fs::read_dir(place).map_or(0, |files| {
        files.flatten().filter(|file| file.path().extension().is_some_and(|kind| kind == "entry")).count()
    });
    let others = entries.saturating_sub(1);
    let kept = match others {
        0 => Finding::good("entries", "none of other credentials"),
        _ => Finding::good("entries", format!("{others} of other credentials, or of passwords that were changed")),
    };
    vec![space, kept]
}
