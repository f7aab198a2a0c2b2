//! One login, then the same token.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::HashSet;
use std::fs;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use common::{Fault, Organization};
use serde_json::{Value, json};
use tps::{Client, Error, Status};

/// What `threads` threads get that ask at once.
fn together(threads: usize, client: &Client) -> Vec<Result<String, Error>> {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let ask = || {
            barrier.wait();
            client.token().map(|token| token.value.expose().to_owned())
        };
        let asked: Vec<_> = (0..threads).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn stats(client: &Client) -> Value {
    serde_json::from_str(&client.stats()).unwrap()
}

#[test]
fn sixty_four_cold_threads_log_in_once() {
    let organization = Organization::new(json!({"latency": 0.3}));
    let client = organization.client(json!({}));
    let tokens: HashSet<_> = together(64, &client).into_iter().map(Result::unwrap).collect();
    assert_eq!(tokens.len(), 1);
    for _ in 0..100_000 {
        assert!(tokens.contains(client.token().unwrap().value.expose()));
    }
    assert_eq!(organization.count("logins"), 1);
    assert_eq!(stats(&client)["logins"], 1);
}

#[test]
fn equal_clients_share_a_token_and_others_do_not() {
    let organization = Organization::new(json!({}));
    let token = organization.client(json!({})).token().unwrap();
    assert_eq!(organization.client(json!({"timeout_ms": 5000})).token().unwrap().number, token.number);
    let other = Organization::new(json!({"username": organization.username, "password": organization.password}));
    assert_ne!(other.client(json!({})).token().unwrap().value, token.value);
    assert_eq!((organization.count("logins"), other.count("logins")), (1, 1));
}

#[test]
fn two_hundred_threads_that_are_throttled_send_at_most_two_requests() {
    let organization = Organization::new(json!({"throttle": {"allow": 0, "wait": 60}}));
    let client = organization.client(json!({}));
    for outcome in together(200, &client) {
        let error = outcome.unwrap_err();
        assert_eq!((error.status, error.http_status), (Status::Throttled, Some(429)));
        assert!(error.retry_after > Duration::from_secs(50) && error.retry_after <= Duration::from_secs(60));
    }
    assert!(organization.count("logins") <= 2, "{}", organization.count("logins"));
}

#[test]
fn a_failure_is_shared_by_all_who_wait() {
    let organization = Organization::new(json!({"latency": 1, "fault": "html500"}));
    let client = organization.client(json!({}));
    let start = Instant::now();
    let errors: HashSet<_> = together(32, &client).into_iter().map(|outcome| outcome.unwrap_err().message).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(start.elapsed() < Duration::from_secs(10), "one after another");
    assert_eq!(organization.count("logins"), 1);
}

#[test]
fn a_wrong_password_is_never_served_the_right_ones_token() {
    let organization = Organization::new(json!({}));
    let right = organization.client(json!({}));
    let token = right.token().unwrap();
    let wrong = organization.client_with("not it", json!({}));
    assert_eq!(wrong.generation(), 0);
    for _ in 0..50 {
        assert_eq!(wrong.token().unwrap_err().status, Status::Credentials);
    }
    assert_eq!(right.token().unwrap().number, token.number);
    assert_eq!(organization.count("logins"), 2);
}

#[test]
fn a_token_that_was_rejected_is_replaced_once() {
    let organization = Organization::new(json!({}));
    let client = organization.client(json!({}));
    let dead = client.token().unwrap();
    organization.revoke();
    for _ in 0..10 {
        client.invalidate(dead.value.expose()).unwrap();
        assert_ne!(client.token().unwrap().value, dead.value);
    }
    assert_eq!(organization.count("logins"), 2);
    assert_eq!(client.invalidate("").unwrap_err().status, Status::InvalidArgument);
    assert_eq!(stats(&client)["invalidations"], 1);
}

#[test]
fn an_expired_token_is_replaced() {
    let organization = Organization::new(json!({"token_life": 3}));
    let client = organization.client(json!({}));
    let first = client.token().unwrap();
    assert_eq!(client.generation(), first.number);
    thread::sleep(Duration::from_millis(3100));
    assert_eq!(client.generation(), 0);
    assert_ne!(client.token().unwrap().number, first.number);
    assert_eq!(organization.count("logins"), 2);
}

#[test]
fn a_token_without_an_expiry_stays() {
    for scenario in ["expiry-null", "expiry-absent", "expiry-unreadable", "ok"] {
        let fault = Fault::new(scenario);
        let client = fault.client(json!({}));
        assert_eq!(client.token().unwrap().number, client.token().unwrap().number);
        assert_eq!(stats(&client)["token"]["expires_at"], Value::Null, "{scenario}");
        assert_eq!(fault.logins(), 1);
    }
}

#[test]
fn the_number_of_a_token_is_its_generation() {
    let organization = Organization::new(json!({}));
    let client = organization.client(json!({}));
    assert_eq!(client.generation(), 0);
    let token = client.token().unwrap();
    assert_eq!(client.generation(), token.number);
    organization.revoke();
    client.invalidate(token.value.expose()).unwrap();
    assert_eq!(client.generation(), 0);
    assert!(client.token().unwrap().number > token.number);
}

#[test]
fn a_wait_starts_a_login_that_goes_on() {
    let organization = Organization::new(json!({"latency": 1}));
    let client = organization.client(json!({}));
    assert!(!client.wait(Duration::ZERO).unwrap());
    assert!(!client.wait(Duration::from_millis(50)).unwrap());
    assert!(client.wait(Duration::from_secs(10)).unwrap());
    assert_eq!(organization.count("logins"), 1);
}

#[test]
fn a_waiter_in_slices_meets_the_failure() {
    let organization = Organization::new(json!({"latency": 0.5, "fault": "html500"}));
    let client = organization.client(json!({}));
    let error = loop {
        match client.wait(Duration::from_millis(20)) {
            Ok(ready) => assert!(!ready),
            Err(error) => break error,
        }
        thread::sleep(Duration::from_millis(70));
    };
    assert_eq!(error.status, Status::Server);
    assert_eq!(organization.count("logins"), 1);
}

#[test]
fn logging_out_revokes_and_forgets() {
    let organization = Organization::new(json!({}));
    let client = organization.client(json!({}));
    client.logout().unwrap();
    client.token().unwrap();
    client.logout().unwrap();
    assert_eq!(client.generation(), 0);
    assert_eq!((organization.count("logouts"), organization.count("tokens")), (1, 0));
    client.token().unwrap();
    organization.revoke();
    client.logout().unwrap();
    assert_eq!(client.generation(), 0);
    assert_eq!(organization.count("logins"), 2);
}

#[test]
fn a_token_of_its_owners_costs_no_login() {
    let organization = Organization::new(json!({}));
    let client = organization.client(json!({"token": "0123456789abcdef"}));
    assert_eq!(client.token().unwrap().value.expose(), "0123456789abcdef");
    assert_eq!(organization.count("logins"), 0);
    client.invalidate("0123456789abcdef").unwrap();
    client.token().unwrap();
    assert_eq!(organization.count("logins"), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn the_login_runs_on_a_thread_that_takes_no_signal() {
    let organization = Organization::new(json!({"latency": 2}));
    let client = organization.client(json!({}));
    client.wait(Duration::ZERO).unwrap();
    let login = || {
        fs::read_dir("/proc/self/task").unwrap().flatten().find_map(|task| {
            let status = fs::read_to_string(task.path().join("status")).ok()?;
            status.contains("Name:\ttps-login").then_some(status)
        })
    };
    let mut status = None;
    while status.is_none() {
        status = login();
    }
    let mask = status.unwrap().lines().find_map(|line| line.strip_prefix("SigBlk:\t").map(str::to_owned)).unwrap();
    let mask = u64::from_str_radix(&mask, 16).unwrap();
    // All but SIGKILL, SIGSTOP and the two that the C library keeps for itself.
    assert_eq!(mask | 1 << 8 | 1 << 18 | 0b11 << 31, u64::MAX, "{mask:x}");
    client.token().unwrap();
}
