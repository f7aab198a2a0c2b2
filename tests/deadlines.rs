//! A call ends in time, whatever the network does, and leaves nothing behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::child;
use common::{Fault, Scratch, client};
use serde_json::{Value, json};
use tps::{Client, Status};

#[test]
fn child() {
    child::run();
}

/// How long a call takes that fails; within half a second of its deadline, and another half for a slow machine.
fn ends_in_time(client: &Client, timeout: Duration) -> Status {
    let start = Instant::now();
    let error = client.token().unwrap_err();
    assert!(start.elapsed() < timeout + Duration::from_secs(1), "{:?}: {error}", start.elapsed());
    error.status
}

const TIMEOUT: Duration = Duration::from_millis(2000);

fn in_two_seconds() -> Value {
    json!({"timeout_ms": 2000})
}

#[test]
fn a_server_that_never_answers_or_not_to_the_end() {
    for scenario in ["hang", "drip-header", "drip-body"] {
        let fault = Fault::new(scenario);
        assert_eq!(ends_in_time(&fault.client(in_two_seconds()), TIMEOUT), Status::OutcomeUnknown, "{scenario}");
        assert_eq!(fault.logins(), 1, "{scenario}");
    }
}

#[test]
fn a_server_that_accepts_and_does_not_shake_hands() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("https://{}", listener.local_addr().unwrap());
    let status = ends_in_time(&client("a@example.com", "b", "c", &base_url, in_two_seconds()), TIMEOUT);
    assert_eq!(status, Status::Timeout);
}

/// A listener whose queue is full: a client that connects gets no answer.
struct Dead(#[allow(dead_code)] TcpListener, #[allow(dead_code)] Vec<TcpStream>);

impl Dead {
    fn at(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind((host, port)).unwrap();
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            waiting.push(stream);
        }
        Self(listener, waiting)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }
}

#[test]
fn a_host_that_does_not_take_the_connection() {
    let dead = Dead::at("127.0.0.1", 0);
    let base_url = format!("http://127.0.0.1:{}", dead.port());
    let status = ends_in_time(&client("a@example.com", "b", "c", &base_url, in_two_seconds()), TIMEOUT);
    assert_eq!(status, Status::Timeout);
}

/// Knows two hosts that no name server knows: `two.test` has a second address, `slow.test` is resolved slowly.
fn names(scratch: &Scratch) -> PathBuf {
    std::fs::create_dir(scratch.path("c")).unwrap();
    common::preloaded(
        &scratch.path("c"),
        r#"
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <netdb.h>
        #include <string.h>
        #include <unistd.h>
        typedef int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
        int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found) {
            real next = (real)dlsym(RTLD_NEXT, "getaddrinfo");
            if (strcmp(host, "slow.test") == 0) {
                sleep(30);
                return EAI_AGAIN;
            }
            if (strcmp(host, "two.test") != 0)
                return next(host, port, hints, found);
            struct addrinfo *second, *last;
            int failed = next("127.0.0.3", port, hints, found) || next("127.0.0.1", port, hints, &second);
            for (last = *found; last->ai_next; last = last->ai_next)
                ;
            last->ai_next = second;
            return failed;
        }"#,
    )
}

#[test]
fn a_name_that_is_resolved_slowly() {
    let scratch = Scratch::new();
    let names = names(&scratch);
    let fault = Fault::tls_at("slow.test", "ok");
    let mut ask = fault.ask_with(json!({"cache": "memory", "timeout_ms": 2000})).environment("LD_PRELOAD", names);
    ask.told["failures"] = json!(4);
    let mut asker = ask.start();
    let start = Instant::now();
    asker.go();
    let answer = asker.answer();
    assert!(start.elapsed() < 4 * (TIMEOUT + Duration::from_secs(1)), "{:?}", start.elapsed());
    assert_eq!(answer["early"][1], answer["late"][1], "threads: one for the name, however often it is asked for");
}

#[test]
fn a_dead_address_costs_a_part_of_the_time() {
    let scratch = Scratch::new();
    let names = names(&scratch);
    let fault = Fault::tls_at("two.test", "ok");
    let port = std::env::var("TPS_TEST_TLS").unwrap().rsplit(':').next().unwrap().parse().unwrap();
    let _dead = Dead::at("127.0.0.3", port);
    let options = json!({"cache": "memory", "ca_file": std::env::var("TPS_TEST_CA").unwrap()});
    let ask = fault.ask_with(options).environment("LD_PRELOAD", names);
    let start = Instant::now();
    let answer = ask.now();
    assert!(answer["token"].is_string(), "{answer}");
    // Of three seconds for connecting, two are the first address's.
    assert!(
        start.elapsed() > Duration::from_secs(1) && start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(fault.logins(), 1);
}

#[test]
fn a_thousand_failures_leave_nothing_behind() {
    for (scenario, tls) in [("html500", true), ("close", false)] {
        let fault = if tls { Fault::tls(scenario) } else { Fault::new(scenario) };
        // Not the system's authorities: to read them a thousand times takes minutes without optimization.
        let mut ask = fault.ask_with(json!({"cache": "memory", "logins_per_day": 0}));
        ask = ask.environment("SSL_CERT_FILE", std::env::var("TPS_TEST_CA").unwrap());
        ask.told["failures"] = json!(1000);
        let answer = ask.now();
        let (early, late) = (&answer["early"], &answer["late"]);
        assert_eq!((&early[0], &early[1]), (&late[0], &late[1]), "descriptors and threads: {answer}");
        // Kilobytes; what a leak of a tenth of a kilobyte for each would come to is far more than pages come and go by.
        let grown = late[2].as_i64().unwrap() - early[2].as_i64().unwrap();
        assert!(grown < 1500, "{answer}");
        assert_eq!(fault.logins(), 1000);
    }
}
