//! Where the token is kept: whether it serves, and whether it lasts.

use std::path::Path;

use nix::unistd::{User, geteuid};
use tps::options::Cache;
use tps::store::file::chosen;
use tps::store::{Lasting, StoreError};

use super::lock::Tried;
#[cfg(feature = "redis")]
use super::redis;
use super::{Finding, advice, directory, lock};
use crate::account::Account;
use crate::status::Known;

/// What the store has, where it can be opened, and what was found of the store itself.
pub fn examine(account: &Account) -> (Option<Known>, Vec<Finding>) {
    let mut tried = None;
    let known = Known::of(account, |store, deadline| tried = Some(lock::tried(store, deadline)));
    let known = match known {
        Ok(known) => known,
        Err(StoreError(error)) => return (None, vec![advice::on(&error)]),
    };
    let findings = match known.errors.is_empty() {
        true => of_one_that_serves(account, &known, tried),
        false => known.errors.iter().map(|StoreError(error)| advice::on(error)).collect(),
    };
    (Some(known), findings)
}

fn of_one_that_serves(account: &Account, known: &Known, tried: Option<Tried>) -> Vec<Finding> {
    let mut findings = vec![place(account, known)];
    let directory = known.place.as_deref().map(Path::new);
    match (&account.options.cache, directory) {
        (Cache::Files(_), Some(place)) => {
            findings.push(lock::finding(tried, || lock::in_directory(place)));
            findings.extend(directory::examine(place));
        }
        #[cfg(feature = "redis")]
        (Cache::Redis(url, directories), _) => {
            // A process that logs in has the lock of this host's files, too.
            let in_files = || chosen(directories).0.as_deref().map_or_else(lock::by_nobody_known, lock::in_directory);
            findings.push(lock::finding(tried, || redis::lock(account, url).unwrap_or_else(in_files)));
            findings.extend(redis::examine(account, url));
        }
        _ => {}
    }
    findings.push(match &known.lasting {
        Lasting::Yes => Finding::good("lasting", "until it is removed"),
        Lasting::Process => Finding::bad(
            "lasting",
            "in the memory of each process: each one logs in",
            "set the option cache (TPS_CACHE) to a directory (file:DIR) or to Redis",
        ),
        Lasting::Service(advice) => {
            Finding::bad("lasting", "as long as its service, container or machine", advice.clone())
        }
    });
    findings
}

/// Another user has another place, and so another token.
fn place(account: &Account, known: &Known) -> Finding {
    let place = known.place.as_deref().unwrap_or("memory");
    let Cache::Files(directories) = &account.options.cache else { return Finding::good("store", place) };
    let user = User::from_uid(geteuid()).ok().flatten().map_or_else(|| geteuid().to_string(), |user| user.name);
    let others: Vec<_> = chosen(directories).1.iter().map(|error| format!("; not used: {error}")).collect();
    Finding::good("store", format!("{place}, of user {user}{}", others.concat()))
}
