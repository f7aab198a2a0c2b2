//! A token is given back: what that sends, what it leaves, and how long it takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use common::child;
use common::{Fault, Hands, Machine, Organization, Scratch, stats, token, wait_for};
use serde_json::json;
use tps::Status;

#[test]
fn child() {
    child::run();
}

// What it sends

#[test]
fn it_is_a_request_without_a_body() {
    let fault = Fault::new("ok");
    let client = fault.client(json!({}));
    let token = token(&client);
    client.logout().unwrap();
    let seen = fault.seen();
    let (headers, log) = (&seen["log"][1]["headers"], seen["log"].as_array().unwrap());
    assert!(log[1]["line"].as_str().unwrap().ends_with("/api/auth/logout/ HTTP/1.1"));
    assert_eq!(headers["content-length"], "0");
    assert_eq!(headers["authorization"], format!("Token {token}"));
    for absent in ["transfer-encoding", "content-type", "expect"] {
        assert!(headers.get(absent).is_none(), "{absent}");
    }
    assert_eq!((log.len(), &log[1]["body"], &seen["tokens"]), (2, &json!(""), &json!(0)));
    // Without a token there is nothing to do.
    client.logout().unwrap();
    assert_eq!(fault.requests(), 2);
}

#[test]
fn two_threads_that_log_out_share_one_request() {
    let fault = Fault::new("logout-delay300");
    let client = fault.client(json!({}));
    client.token().unwrap();
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                client.logout().unwrap();
            });
        }
    });
    assert_eq!(fault.asked(), ["login", "logout"]);
    assert_eq!(client.generation(), 0);
}

// What it leaves

#[test]
fn a_logout_that_fails_leaves_the_token() {
    for (says, status) in [
        ("no-credentials", Status::UnexpectedResponse),
        ("malformed-header", Status::UnexpectedResponse),
        ("html401", Status::UnexpectedResponse),
        ("html403", Status::UnexpectedResponse),
        ("redirect302", Status::UnexpectedResponse),
        ("403", Status::Credentials),
        ("inactive", Status::Credentials),
        ("retry-after-seconds5", Status::Throttled),
        ("html502", Status::Server),
        ("close", Status::Network),
    ] {
        let machine = Machine::new();
        let fault = Fault::new(&format!("logout-{says}"));
        let client = machine.process(&fault, json!({}));
        let kept = client.token().unwrap();
        let error = client.logout().unwrap_err();
        assert_eq!(error.status, status, "{says}: {error}");
        assert_eq!((client.generation(), client.token().unwrap().number), (kept.number, kept.number), "{says}");
        assert_eq!(token(&machine.process(&fault, json!({}))), kept.value.expose(), "{says}");
        assert_eq!(fault.asked(), ["login", "logout"], "{says}");
        // The error comes once. The next call is a new try.
        fault.change("ok");
        machine.pass(1.0);
        client.logout().unwrap();
        assert_eq!((client.generation(), fault.requests()), (0, 3), "{says}");
    }
}

#[test]
fn a_logout_whose_header_was_lost_says_so() {
    let client = Fault::new("logout-no-credentials").client(json!({}));
    client.token().unwrap();
    let error = client.logout().unwrap_err();
    assert!(error.message.contains("CGIPassAuth"), "{error}");
    assert_eq!(error.http_status, Some(401));
}

#[test]
fn a_token_that_was_gone_already_is_forgotten() {
    for says in ["401", "403-invalid-token"] {
        let machine = Machine::new();
        let fault = Fault::new(&format!("logout-{says}"));
        let client = machine.process(&fault, json!({}));
        let gone = token(&client);
        client.logout().unwrap();
        assert_eq!(client.generation(), 0, "{says}");
        let fresh = token(&machine.process(&fault, json!({})));
        assert_ne!(fresh, gone, "{says}");
        assert_eq!(token(&client), fresh, "{says}");
        assert_eq!(fault.asked(), ["login", "logout", "login"], "{says}");
    }
}

#[test]
fn two_processes_that_log_out_one_after_another_are_both_done() {
    let machine = Machine::new();
    let fault = Fault::new("ok");
    let clients = [(); 2].map(|()| machine.process(&fault, json!({})));
    assert_eq!(token(&clients[0]), token(&clients[1]));
    for client in &clients {
        client.logout().unwrap();
        assert_eq!(client.generation(), 0);
    }
    assert_eq!(token(&clients[0]), token(&clients[1]));
    assert_eq!(fault.logins(), 2);
}

// How long it takes

#[test]
fn it_keeps_to_its_time() {
    let machine = Machine::new();
    let fault = Fault::new("logout-hang");
    let client = machine.process(&fault, json!({}));
    let kept = client.token().unwrap();
    // The same entry, in a hurry.
    let options = json!({"cache": format!("file:{}", machine.directory().display()), "timeout_ms": 400});
    let hurried = fault.client_at(options, machine.hands.clone());
    assert_eq!(hurried.generation(), kept.number);
    let start = Instant::now();
    let error = hurried.logout().unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(error.status, Status::Timeout, "{error}");
    assert_eq!(client.generation(), kept.number);
    assert_eq!(token(&machine.process(&fault, json!({}))), kept.value.expose());
    // Nothing of it goes on: the next one is not held up by it.
    fault.change("ok");
    machine.pass(1.0);
    client.logout().unwrap();
    assert_eq!((client.generation(), &fault.seen()["tokens"]), (0, &json!(0)));
}

#[test]
fn it_waits_for_the_login_that_another_process_has_under_way() {
    let organization = Organization::new(json!({"latency": 1}));
    let scratch = Scratch::new();
    let ask = organization.ask(&scratch.path("store"));
    let mut asker = ask.start();
    asker.go();
    wait_for(|| organization.count("logins") == 1);
    let client = organization.client(json!({"cache": format!("file:{}", scratch.path("store").display())}));
    client.logout().unwrap();
    assert!(asker.answer()["token"].is_string());
    assert_eq!((organization.count("logouts"), organization.count("tokens")), (1, 0), "the new token is revoked");
    assert_eq!(client.generation(), 0);
    ask.now();
    assert_eq!(organization.count("logins"), 2);
}

#[test]
fn a_login_that_takes_longer_is_its_time_out_and_the_token_stays() {
    let organization = Organization::new(json!({"latency": 2}));
    let scratch = Scratch::new();
    let ask = organization.ask(&scratch.path("store"));
    let mut asker = ask.start();
    asker.go();
    wait_for(|| organization.count("logins") == 1);
    let options = json!({"cache": format!("file:{}", scratch.path("store").display()), "timeout_ms": 400});
    let error = organization.client(options).logout().unwrap_err();
    assert_eq!(error.status, Status::Timeout, "{error}");
    assert_eq!(asker.answer()["token"], ask.now()["token"]);
    assert_eq!((organization.count("logins"), organization.count("tokens")), (1, 1));
}

#[test]
fn it_waits_for_the_login_of_its_own_process_too() {
    let fault = Fault::new("delay300");
    let client = fault.client(json!({}));
    assert!(!client.wait(Duration::ZERO).unwrap());
    wait_for(|| fault.logins() == 1);
    client.logout().unwrap();
    assert_eq!(fault.asked(), ["login", "logout"]);
    assert_eq!(fault.seen()["tokens"], 0);
}

#[test]
fn the_token_of_a_renewal_that_was_under_way_is_revoked_too() {
    let machine = Machine::new();
    let fault = Fault::new("life600");
    let client = machine.process(&fault, json!({}));
    client.token().unwrap();
    machine.pass(575.0);
    fault.change("delay500");
    // It starts the renewal, and serves meanwhile.
    client.token().unwrap();
    wait_for(|| fault.logins() == 2);
    client.logout().unwrap();
    assert_eq!(client.generation(), 0);
    let seen = fault.seen();
    assert!(!seen["alive"].as_array().unwrap().contains(&seen["issued"][1]), "{:?}", fault.asked());
    assert_eq!(fault.logins(), 2);
}

#[test]
fn the_token_with_which_another_process_replaced_the_own_one_is_revoked() {
    let machine = Machine::new();
    let fault = Fault::new("ok");
    let [client, other] = [(); 2].map(|()| machine.process(&fault, json!({})));
    assert_eq!(token(&client), token(&other));
    fault.revoke();
    fault.change("delay500");
    other.invalidate(&token(&other)).unwrap();
    assert!(!other.wait(Duration::ZERO).unwrap());
    wait_for(|| fault.logins() == 2);
    client.logout().unwrap();
    assert_eq!((client.generation(), &fault.seen()["tokens"]), (0, &json!(0)), "{:?}", fault.asked());
    assert_ne!(token(&client), fault.seen()["issued"][1].as_str().unwrap());
    assert_eq!(fault.logins(), 3);
}

// In slices

#[test]
fn in_slices_it_goes_on_until_it_is_done() {
    let fault = Fault::new("logout-delay500");
    let client = fault.client(json!({}));
    client.token().unwrap();
    assert!(!client.wait_for_logout(Duration::ZERO).unwrap());
    let mut slices = 1;
    while !client.wait_for_logout(Duration::from_millis(20)).unwrap() {
        slices += 1;
        assert!(slices < 1000);
    }
    assert!(slices > 3, "{slices}");
    assert_eq!(fault.asked(), ["login", "logout"]);
    assert_eq!((client.generation(), &stats(&client)["token"]), (0, &json!(null)));
}

#[test]
fn a_waiter_in_slices_meets_the_failure_once() {
    let fault = Fault::new("logout-html502");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    let kept = client.token().unwrap();
    assert!(!client.wait_for_logout(Duration::ZERO).unwrap());
    wait_for(|| fault.requests() == 2);
    // Not there at the moment when it fails.
    thread::sleep(Duration::from_millis(200));
    assert_eq!(client.wait_for_logout(Duration::from_millis(20)).unwrap_err().status, Status::Server);
    assert_eq!(fault.asked(), ["login", "logout"]);
    assert_eq!(client.generation(), kept.number);
    fault.change("ok");
    hands.pass(Duration::from_secs(1));
    assert!(client.wait_for_logout(Duration::from_secs(10)).unwrap());
    assert_eq!(client.generation(), 0);
}

#[test]
fn who_waits_in_slices_is_told_and_revokes_nothing_of_later() {
    let machine = Machine::new();
    let fault = Fault::new("logout-delay300");
    let client = machine.process(&fault, json!({}));
    client.token().unwrap();
    assert!(!client.wait_for_logout(Duration::ZERO).unwrap());
    wait_for(|| fault.seen()["tokens"] == 0);
    // Between two slices it ends, and another process logs in.
    wait_for(|| client.generation() == 0);
    let later = token(&machine.process(&fault, json!({})));
    assert!(client.wait_for_logout(Duration::ZERO).unwrap());
    assert_eq!(fault.asked(), ["login", "logout", "login"]);
    // After that it is another logout.
    machine.pass(1.0);
    assert_eq!(token(&client), later);
    assert!(client.wait_for_logout(Duration::from_secs(5)).unwrap());
    assert_eq!(fault.asked(), ["login", "logout", "login", "logout"]);
}
