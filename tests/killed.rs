//! Processes that are killed in the middle of a login: what they cost, and what those find that come after them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::cell::Cell;
use std::thread;

use common::child::{self, Ask, Asker};
#[cfg(feature = "redis")]
use common::redis::Redis;
use common::{Fault, Scratch, wait_for};
use nix::sys::signal::Signal;
use serde_json::Value;
#[cfg(feature = "redis")]
use serde_json::json;

#[test]
fn child() {
    child::run();
}

/// A server that takes three seconds for a login, and processes that share a store.
struct Site {
    fault: Fault,
    store: Store,
    started: Cell<u32>,
}

enum Store {
    Files(Scratch),
    #[cfg(feature = "redis")]
    Redis(Redis),
}

impl Site {
    fn with(store: Store) -> Self {
        Self { fault: Fault::new("slow3"), store, started: Cell::new(0) }
    }

    fn with_files() -> Self {
        Self::with(Store::Files(Scratch::new()))
    }

    #[cfg(feature = "redis")]
    fn with_redis() -> Self {
        Self::with(Store::Redis(Redis::with_clock()))
    }

    /// Another process; with Redis, on a host of its own. A dead one's lock stays there for its two seconds and one more.
    fn ask(&self) -> Ask {
        self.started.set(self.started.get() + 1);
        match &self.store {
            Store::Files(scratch) => self.fault.ask(&scratch.path("store")),
            #[cfg(feature = "redis")]
            Store::Redis(redis) => {
                let ask = self.fault.ask_with(json!({"cache": redis.url(), "timeout_ms": 2000}));
                redis.placed(&format!("host{}", self.started.get()), ask)
            }
        }
    }

    /// What processes answer that all ask at once and are killed as soon as a login has been sent; empty: they were.
    fn killed(&self, number: usize) -> Vec<Value> {
        let logins = self.fault.logins();
        let mut askers: Vec<_> = (0..number).map(|_| self.ask().start()).collect();
        askers.iter_mut().for_each(Asker::go);
        wait_for(|| self.fault.logins() > logins || askers.iter_mut().all(Asker::ended));
        if self.fault.logins() == logins {
            return askers.iter_mut().map(Asker::answer).collect();
        }
        askers.iter().for_each(|asker| asker.signal(Signal::SIGKILL));
        Vec::new()
    }

    /// The same again and again, until they answer: not that somebody else, who is dead, is about to log in.
    fn killed_until_they_answer(&self, number: usize) -> Vec<Value> {
        loop {
            let mut answers = self.killed(number);
            assert!(self.fault.logins() <= 3, "{:?}", self.fault.asked());
            answers.retain(|answer| answer["status"] != 7);
            if !answers.is_empty() {
                return answers;
            }
        }
    }

    /// What a process gets that asks so many seconds later.
    fn later(&self, seconds: u64) -> Value {
        match &self.store {
            Store::Files(_) => {}
            #[cfg(feature = "redis")]
            Store::Redis(redis) => redis.set_ahead(seconds),
        }
        // A machine that is busy has time for the login that is due.
        let mut ask = self.ask();
        ask.told["options"]["timeout_ms"] = 10_000.into();
        ask.ahead(seconds).now()
    }

    /// These answers say that the budget is used up. Nothing more is sent until it allows another login.
    fn budget_is_used_up(&self, answers: &[Value]) {
        let requests = self.fault.asked();
        let logins = requests.iter().filter(|request| *request == "login").count();
        assert!((2..=3).contains(&logins), "{requests:?}");
        assert!(requests.windows(2).all(|pair| pair != ["login", "login"]), "a probe before each login: {requests:?}");
        let seen = self.fault.seen();
        let mut log = seen["log"].as_array().unwrap().iter();
        assert!(log.all(|request| request["headers"]["authorization"].is_null()), "without a token");
        for answer in answers {
            assert_eq!(answer["status"], 11, "{answer}");
        }
        let wait = answers[0]["retry_after"].as_f64().unwrap();
        assert!(wait > 0.0 && wait <= 600.0, "{wait}");

        self.fault.change("ok");
        let wait = wait.ceil() as u64;
        assert_eq!(self.later(wait / 2)["status"], 11);
        assert_eq!(self.fault.asked(), requests, "nothing is sent without budget");
        let answer = self.later(wait);
        assert!(answer["token"].is_string(), "{answer}");
        assert_eq!(self.fault.asked()[requests.len()..], ["organizations", "login"]);
        assert_eq!(self.later(wait)["token"], answer["token"]);
        assert_eq!(self.fault.asked().len(), requests.len() + 2);
    }
}

fn one_after_another(site: &Site, number: usize) {
    let mut answers = Vec::new();
    while answers.len() < number - 3 {
        answers.extend(site.killed_until_they_answer(1));
    }
    let asked = site.fault.asked();
    let before: Vec<_> = (1..asked.len()).filter(|at| asked[*at] == "login").map(|at| asked[at - 1].as_str()).collect();
    assert_eq!(before, ["organizations"; 2], "a probe goes before each further login: {asked:?}");
    assert_eq!(asked[0], "login");
    site.budget_is_used_up(&answers);
}

fn all_at_once(site: &Site, number: usize) {
    let answers = site.killed_until_they_answer(number);
    site.budget_is_used_up(&answers);
}

/// Each number at a site of its own.
fn twelve_and_twenty_one(killed: fn(&Site, usize), site: fn() -> Site) {
    thread::scope(|scope| {
        for number in [12, 21] {
            scope.spawn(move || killed(&site(), number));
        }
    });
}

#[test]
fn one_after_another_they_cost_the_budget_and_no_more() {
    twelve_and_twenty_one(one_after_another, Site::with_files);
}

#[test]
fn all_at_once_they_cost_the_budget_and_no_more() {
    twelve_and_twenty_one(all_at_once, Site::with_files);
}

#[cfg(feature = "redis")]
#[test]
fn one_after_another_on_many_hosts() {
    twelve_and_twenty_one(one_after_another, Site::with_redis);
}

#[cfg(feature = "redis")]
#[test]
fn all_at_once_on_many_hosts() {
    twelve_and_twenty_one(all_at_once, Site::with_redis);
}

#[test]
fn what_a_dead_process_has_sent_is_probed_at_once() {
    let site = Site::with_files();
    assert!(site.killed(1).is_empty());
    site.fault.change("ok");
    // One call: it meets no hold-off.
    let answer = site.ask().now();
    assert!(answer["token"].is_string(), "{answer}");
    assert_eq!(site.fault.asked(), ["login", "organizations", "login"]);
    assert_eq!(answer["stats"]["login_budget_left"], 1, "one may have been made, and one was");
}

#[test]
fn a_server_that_answers_no_probe_gets_no_login() {
    let site = Site::with_files();
    assert!(site.killed(1).is_empty());
    site.fault.change("all-html502");
    assert_eq!(site.ask().now()["status"], 8);
    assert_eq!(site.fault.asked(), ["login", "organizations"]);
}
