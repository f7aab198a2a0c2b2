//! How long nothing is sent after a failure, and that a token which is there serves all the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::time::Duration;

use common::{Fault, Hands, Machine, stats, token};
use serde_json::json;
use tps::{Client, Status};

/// The failure of a call, and for how many seconds nothing is sent. Then that time passes.
fn failure(client: &Client, hands: &Hands) -> (Status, u64) {
    let error = client.token().unwrap_err();
    hands.pass(error.retry_after);
    (error.status, error.retry_after.as_secs_f64().ceil() as u64)
}

// How long

#[test]
fn failures_are_counted_by_kind() {
    let fault = Fault::new("made-html500,made-html500,wrong-password");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    for longest in [1, 2] {
        let (status, wait) = failure(&client, &hands);
        assert_eq!(status, Status::Server);
        assert!(wait <= longest, "{wait}");
    }
    // Whatever failed before: the first two wrong passwords wait a minute, the third one five.
    for wait in [60, 60, 300, 300] {
        assert_eq!(failure(&client, &hands), (Status::Credentials, wait));
    }
    let asked = fault.asked();
    assert_eq!(asked[..5], ["login", "organizations", "login", "organizations", "login"]);
    assert!(asked[5..].iter().all(|request| request == "login"), "a clear refusal needs no probe: {asked:?}");
    // And the other way round: the first 500 after them waits a second.
    fault.change("made-html500,wrong-password");
    assert!(failure(&client, &hands).1 <= 1);
    assert_eq!(failure(&client, &hands), (Status::Credentials, 60));
}

#[test]
fn a_success_ends_the_count() {
    let fault = Fault::new("wrong-password,wrong-password,ok");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    for _ in 0..2 {
        assert_eq!(failure(&client, &hands), (Status::Credentials, 60));
    }
    client.token().unwrap();
    client.logout().unwrap();
    fault.change("wrong-password");
    assert_eq!(failure(&client, &hands), (Status::Credentials, 60));
}

#[test]
fn all_processes_count_together() {
    let machine = Machine::new();
    let fault = Fault::new("wrong-password");
    for wait in [60, 60, 300] {
        let client = machine.process(&fault, json!({}));
        assert_eq!(failure(&client, &machine.hands), (Status::Credentials, wait));
    }
    assert_eq!(fault.logins(), 3);
}

#[test]
fn each_refusal_is_what_it_says() {
    for (says, status, wait) in [
        ("rate-limit400", Status::Throttled, 60),
        ("rate-limit403", Status::Throttled, 60),
        ("rate-limit429", Status::Throttled, 60),
        ("suspended400", Status::Credentials, 60),
        ("suspended403", Status::Credentials, 60),
        ("maxwell400", Status::Credentials, 60),
        ("maxwell403", Status::Credentials, 60),
        ("limit-400", Status::TokenLimit, 300),
        ("limit-403", Status::TokenLimit, 300),
        ("limit-409", Status::TokenLimit, 300),
    ] {
        let fault = Fault::new(says);
        let hands = Hands::new();
        let client = fault.client_at(json!({}), hands.clone());
        assert_eq!(failure(&client, &hands), (status, wait), "{says}");
        assert_eq!(stats(&client)["login_budget_left"], 3, "{says}: it made no token");
    }
}

// A token serves all the same

#[test]
fn a_refused_process_finds_what_another_process_stores() {
    for (refusal, status) in [
        ("limit-403", Status::TokenLimit),
        ("wrong-password", Status::Credentials),
        ("retry-after-seconds3600", Status::Throttled),
        ("made-html502", Status::Server),
    ] {
        let machine = Machine::new();
        let fault = Fault::new(refusal);
        let clients = [(); 3].map(|()| machine.process(&fault, json!({})));
        for client in &clients {
            assert_eq!(client.token().unwrap_err().status, status, "{refusal}");
        }
        // Its owner brings one.
        let stored = token(&machine.process(&fault, json!({"token": "0123456789abcdef"})));
        machine.pass(0.5);
        for client in &clients {
            assert_eq!(token(client), stored, "{refusal}");
        }
        assert_eq!(fault.requests(), 1, "{refusal}");
    }
}

#[test]
fn a_hold_off_is_looked_behind_twice_in_a_second_at_most() {
    let machine = Machine::new();
    let client = machine.process(&Fault::new("limit-403"), json!({}));
    for second in 0..20 {
        for _ in 0..100 {
            assert_eq!(client.token().unwrap_err().status, Status::TokenLimit);
            machine.pass(0.01);
        }
        let looks = stats(&client)["waits"].as_u64().unwrap();
        assert!((second + 1..=2 * (second + 1)).contains(&looks), "{looks} looks in {} s", second + 1);
    }
}

#[test]
fn a_call_that_is_held_off_says_how_long_it_still_is() {
    let machine = Machine::new();
    let fault = Fault::new("limit-403");
    let client = machine.process(&fault, json!({}));
    for left in (1..=10).map(|tenth| Duration::from_secs(330 - 30 * tenth)) {
        let error = client.token().unwrap_err();
        assert!(error.retry_after <= left && error.retry_after + Duration::from_secs(1) > left, "{left:?} {error:?}");
        machine.pass(30.0);
    }
    fault.change("ok");
    client.token().unwrap();
    assert_eq!(fault.logins(), 2);
}
