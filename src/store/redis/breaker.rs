//! What this process knows of servers: which one did not serve a moment ago, and what it refuses to write.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::options::redis_url::{Node, RedisUrl};
use crate::process::fork::{Inherit, PerProcess};
use crate::store::StoreError;

/// How long a server is left alone that did not serve: an outage shall not cost each lookup its time.
const BREAK: Duration = Duration::from_secs(5);

/// So much is remembered of each kind.
const MOST: usize = 64;

/// What a server can refuse while it answers reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// To note that an entry is in use.
    Touch,
    /// To lock and to write.
    Record,
}

/// A server, to one user: `None`: the one that the URL names; else a cluster's node.
type Server = (RedisUrl, Option<Node>);

#[derive(Default)]
struct Known(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    away: Vec<(Server, Instant, StoreError)>,
    refusals: Vec<((RedisUrl, Write), StoreError)>,
}

static KNOWN: PerProcess<Known> = PerProcess::new();

impl Inherit for Known {
    fn inherit(_: Option<&Self>) -> Self {
        Self::default()
    }
}

fn kept() -> MutexGuard<'static, Kept> {
    KNOWN.get().0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why the server is left alone, if it is. `node`: a cluster's, `None`: the one that the URL names.
pub fn is_open(url: &RedisUrl, node: Option<&Node>) -> Option<StoreError> {
    let kept = kept();
    let known = kept.away.iter().find(|((known, at), ..)| known == url && at.as_ref() == node);
    known.filter(|(_, since, _)| since.elapsed() < BREAK).map(|(.., error)| error.clone())
}

/// Leaves the server alone for a while.
pub fn open(url: &RedisUrl, node: Option<&Node>, error: &StoreError) {
    let mut kept = kept();
    kept.away.retain(|((known, at), since, _)| since.elapsed() < BREAK && !(known == url && at.as_ref() == node));
    let surplus = (kept.away.len() + 1).saturating_sub(MOST);
    kept.away.drain(..surplus);
    kept.away.push(((url.clone(), node.cloned()), Instant::now(), error.clone()));
}

/// Notes whether a write was refused, for `stats`.
pub fn note(url: &RedisUrl, write: Write, refusal: Option<&StoreError>) {
    let mut kept = kept();
    kept.refusals.retain(|((known, what), _)| !(known == url && *what == write));
    if let Some(error) = refusal {
        let surplus = (kept.refusals.len() + 1).saturating_sub(MOST);
        kept.refusals.drain(..surplus);
        kept.refusals.push(((url.clone(), write), error.clone()));
    }
}

/// What the server refuses to write.
pub fn refusals(url: &RedisUrl) -> Vec<StoreError> {
    let kept = kept();
    let of_url = kept.refusals.iter().filter(|((known, _), _)| known == url);
    // One reason for both is shown once.
    of_url.map(|(_, error)| error.clone()).take(1).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_of_one_address_and_user_and_node() {
        let url = |text: &str| RedisUrl::parse(text).unwrap();
        let (mine, node) = (url("redis://u:wrong@breaker"), Node { host: "n".to_owned(), port: 1 });
        let error = StoreError("refused".to_owned());
        open(&mine, None, &error);
        assert_eq!(is_open(&mine, None), Some(error.clone()));
        assert_eq!(is_open(&url("redis://u:right@breaker"), None), None);
        assert_eq!(is_open(&url("redis://v:wrong@breaker"), None), None);
        assert_eq!(is_open(&mine, Some(&node)), None);
        open(&mine, Some(&node), &error);
        assert_eq!(is_open(&mine, Some(&node)), Some(error));
    }

    #[test]
    fn a_refused_write_is_known_until_one_succeeds() {
        let url = RedisUrl::parse("redis://refusals").unwrap();
        let error = StoreError("READONLY".to_owned());
        note(&url, Write::Record, Some(&error));
        note(&url, Write::Touch, None);
        assert_eq!(refusals(&url), [error]);
        note(&url, Write::Record, None);
        assert!(refusals(&url).is_empty());
    }
}
