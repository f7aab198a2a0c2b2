//! Three hosts of eight processes for a minute: processes are killed and stopped, Redis goes and comes, tokens are revoked, and
//! the server fails in all ways. Logins are counted.
//!
//! `TPS_TEST_SECONDS=600` lasts longer, `TPS_TEST_SEED=7` does other things.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use common::Fault;
use common::child::{self, Ask, Asker};
use common::redis::Redis;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

#[test]
fn child() {
    child::run();
}

const HOSTS: usize = 3;
const PROCESSES: usize = 8;

/// A login budget lets so many logins go out in a minute. A host that is cut off from the others knows only its own.
const BURST: u64 = 3;

/// How the server fails. Each of them may or may not make a token.
const FAILURES: &[&str] =
    &["html500", "html502", "html503", "made-html504", "lost", "close", "reset", "truncated", "nothttp", "html200"];

/// Pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn time(&mut self, milliseconds: usize) -> Duration {
        Duration::from_millis(self.below(milliseconds) as u64)
    }
}

struct Worker {
    ask: Ask,
    asker: Asker,
    /// It was: its calls took longer than they know.
    stopped: bool,
}

impl Worker {
    fn start(ask: Ask) -> Self {
        let mut asker = ask.start();
        asker.go();
        Self { ask, asker, stopped: false }
    }
}

struct Unrest {
    random: Random,
    fault: Fault,
    redis: Redis,
    workers: Vec<Worker>,
    happened: BTreeMap<&'static str, u32>,
}

impl Unrest {
    fn start(seed: u64) -> Self {
        let (fault, redis) = (Fault::new("ok"), Redis::start(&[]));
        let worker = |number: usize| {
            let host = format!("host-{}", number % HOSTS);
            let mut ask = fault.ask_with(json!({"cache": redis.url(), "timeout_ms": 5000, "user_agent": host}));
            ask.told["serve"] = json!(true);
            Worker::start(redis.placed(&host, ask))
        };
        let workers = (0..HOSTS * PROCESSES).map(worker).collect();
        Self { random: Random(seed | 1 << 40), fault, redis, workers, happened: BTreeMap::new() }
    }

    fn next(&mut self) {
        let one = self.random.below(self.workers.len());
        let a_while = self.random.time(3000);
        let what = match self.random.below(12) {
            0..=4 => {
                let ask = self.workers[one].ask.clone();
                self.workers[one].asker.kill();
                self.workers[one] = Worker::start(ask);
                "killed"
            }
            5 | 6 => {
                self.workers[one].stopped = true;
                self.workers[one].asker.signal(Signal::SIGSTOP);
                thread::sleep(a_while);
                self.workers[one].asker.signal(Signal::SIGCONT);
                "stopped"
            }
            7 => {
                self.redis.end();
                thread::sleep(a_while);
                self.redis.again(&[]);
                "Redis came back empty"
            }
            8 => {
                self.redis.signal(Signal::SIGSTOP);
                thread::sleep(a_while);
                self.redis.signal(Signal::SIGCONT);
                "Redis hung"
            }
            9 | 10 => {
                let failure = FAILURES[self.random.below(FAILURES.len())];
                self.fault.change(&format!("all-{failure}"));
                thread::sleep(a_while);
                self.fault.change("ok");
                "the server failed"
            }
            _ => {
                self.fault.revoke();
                "revoked"
            }
        };
        *self.happened.entry(what).or_default() += 1;
        thread::sleep(self.random.time(400));
    }

    fn end(&mut self) -> Vec<Value> {
        // Longer than Redis is left alone, and than most hold-offs last.
        thread::sleep(Duration::from_secs(8));
        self.workers.iter_mut().for_each(|worker| worker.asker.end());
        self.workers.iter_mut().map(|worker| worker.asker.answer()).collect()
    }
}

#[test]
fn in_unrest_logins_stay_within_the_budget_and_calls_within_their_time() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (seed, seconds) = (number("TPS_TEST_SEED", 1), number("TPS_TEST_SECONDS", 60));
    let mut unrest = Unrest::start(seed);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds) {
        unrest.next();
    }
    let answers = unrest.end();
    let seen = unrest.fault.seen();
    let made = seen["issued"].as_array().unwrap().len() as u64;
    let by_host = |host: &str| {
        let log = seen["log"].as_array().unwrap().iter();
        log.filter(|it| {
            it["line"].as_str().unwrap().contains("/login/")
                && it["headers"]["user-agent"].as_str().unwrap().starts_with(host)
        })
        .count()
    };
    let logins = ["host-0", "host-1", "host-2"].map(by_host);
    let calls: u64 = answers.iter().map(|answer| answer["calls"].as_u64().unwrap()).sum();
    let tokens: BTreeSet<_> = answers.iter().filter_map(|answer| answer["token"].as_str()).collect();
    let errors: BTreeSet<_> = answers.iter().filter_map(|answer| answer["status"].as_i64()).collect();
    println!(
        "seed {seed}: {:?}; {logins:?} logins sent, {made} tokens made, {calls} calls of the processes that are left; {tokens:?}, {errors:?}",
        unrest.happened
    );

    let refills = seconds / 600 + 1;
    let budget = BURST + refills - 1;
    assert!(logins.iter().all(|sent| *sent as u64 <= budget), "{logins:?}");
    assert!(made <= HOSTS as u64 * budget, "{made}");
    assert!(seen["logins_at_once"].as_u64().unwrap() <= HOSTS as u64);
    for (worker, answer) in unrest.workers.iter().zip(&answers) {
        assert!(worker.stopped || answer["late"] == json!([]), "{}", answer["late"]);
    }
    // All have one token, or no login is left to anybody.
    assert!(tokens.len() <= 1, "{tokens:?}");
    assert!(errors.iter().all(|status| *status == 11) && (tokens.is_empty() || errors.is_empty()), "{answers:?}");
}
