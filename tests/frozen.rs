//! Processes that are frozen in the middle of a login until their lock in Redis has run out and another one has logged in,
//! as a container or a machine that is suspended.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::child::{self, Ask, Asker};
use common::redis::Redis;
use common::{Fault, preloaded, wait_for};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

#[test]
fn child() {
    child::run();
}

/// A process that stops itself before it connects to this port for the first time.
const STOPS: &str = r#"
    #define _GNU_SOURCE
    #include <arpa/inet.h>
    #include <dlfcn.h>
    #include <signal.h>
    #include <stdlib.h>

    int connect(int socket, const struct sockaddr *address, socklen_t length) {
        static int stopped;
        int (*real)(int, const struct sockaddr *, socklen_t) =
            (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
        if (!stopped && address->sa_family == AF_INET &&
            ntohs(((const struct sockaddr_in *)address)->sin_port) == atoi(getenv("TPS_TEST_STOPS_AT"))) {
            stopped = 1;
            raise(SIGSTOP);
        }
        return real(socket, address, length);
    }
"#;

struct Site {
    redis: Redis,
    fault: Fault,
}

impl Site {
    fn new(scenario: &str) -> Self {
        Self { redis: Redis::start(&[]), fault: Fault::new(scenario) }
    }

    /// A process of a host. Its lock lasts for its two seconds and one more.
    fn on(&self, host: &str) -> Ask {
        self.redis.placed(host, self.fault.ask_with(json!({"cache": self.redis.url(), "timeout_ms": 2000})))
    }

    /// One that asks a second time when it wakes: the first call's time is over then.
    fn to_be_frozen(&self) -> Ask {
        let mut ask = self.on("frozen");
        ask.told["calls"] = json!(2);
        ask
    }

    /// While one is frozen, a process of another host gets a token, as soon as the lock has run out. The first one wakes,
    /// and takes that token, as a third one does, since it has changed nothing.
    fn another_logs_in(&self, mut frozen: Asker) -> Value {
        self.fault.change("ok");
        let mut other = Value::Null;
        wait_for(|| {
            other = self.on("other").now();
            assert!(other["token"].is_string() || other["status"] == 7, "{other}");
            other["token"].is_string()
        });
        frozen.signal(Signal::SIGCONT);
        let woken = frozen.answer();
        assert_eq!(woken["token"], other["token"], "{woken}");
        assert_eq!(self.on("third").now()["token"], other["token"]);
        other["token"].clone()
    }
}

#[test]
fn a_token_that_came_too_late_is_given_back() {
    let site = Site::new("slow1");
    let mut frozen = site.to_be_frozen().start();
    frozen.go();
    wait_for(|| site.fault.logins() == 1);
    frozen.signal(Signal::SIGSTOP);
    let token = site.another_logs_in(frozen);
    assert_eq!(site.fault.asked(), ["login", "organizations", "login", "logout"]);
    assert_eq!(site.fault.seen()["alive"], json!([token]));
}

#[test]
fn one_whose_answer_was_lost_takes_the_others_token() {
    let site = Site::new("hang");
    let mut frozen = site.to_be_frozen().start();
    frozen.go();
    wait_for(|| site.fault.logins() == 1);
    frozen.signal(Signal::SIGSTOP);
    let token = site.another_logs_in(frozen);
    assert_eq!(site.fault.asked(), ["login", "organizations", "login"]);
    assert_eq!(site.fault.seen()["alive"], json!([token]));
}

#[test]
fn one_that_had_sent_nothing_sends_nothing_any_more() {
    let site = Site::new("ok");
    let ask = site.to_be_frozen();
    let port = ask.told["options"]["base_url"].as_str().unwrap().split([':', '/']).nth(4).unwrap().to_owned();
    let library = preloaded(&site.redis.scratch.path("redis"), STOPS);
    let mut frozen = ask.environment("LD_PRELOAD", library).environment("TPS_TEST_STOPS_AT", port).start();
    frozen.go();
    wait_for(|| frozen.stopped());
    site.another_logs_in(frozen);
    assert_eq!(site.fault.asked(), ["organizations", "login"], "the other's probe and login");
}

#[test]
fn a_token_that_came_too_late_serves_all_where_nobody_was_luckier() {
    let site = Site::new("slow1");
    let mut frozen = site.to_be_frozen().start();
    frozen.go();
    wait_for(|| site.fault.logins() == 1);
    frozen.signal(Signal::SIGSTOP);
    // Another host has the lock, and learns only that the server is not well.
    site.fault.change("html503");
    wait_for(|| site.on("other").now()["status"] != 7);
    site.fault.change("ok");
    frozen.signal(Signal::SIGCONT);
    let woken = frozen.answer();
    assert!(woken["token"].is_string(), "{woken}");
    for host in ["other", "third"] {
        assert_eq!(site.on(host).now()["token"], woken["token"], "{host}");
    }
    assert_eq!(site.fault.seen()["issued"], json!([woken["token"]]));
}
