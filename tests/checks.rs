//! A token that is reported as rejected is checked once, and is handed out no more once it is dead.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::time::{Duration, Instant};

use common::child::{self, Asker};
use common::{Fault, Hands, Machine, Scratch, stats, token};
use serde_json::{Value, json};
use tps::{Client, Status};

#[test]
fn child() {
    child::run();
}

/// Says that its token was rejected.
fn report(client: &Client) {
    client.invalidate(&token(client)).unwrap();
}

// The server accepts the token

#[test]
fn twenty_four_processes_that_report_a_valid_token_wait_for_no_other() {
    let fault = Fault::new("organizations-delay300");
    let scratch = Scratch::new();
    let mut ask = fault.ask(&scratch.path("store"));
    // One check after another would take 7 s.
    ask.told["options"]["timeout_ms"] = json!(5000);
    ask.told["reject"] = json!(true);
    let mut askers: Vec<_> = (0..24).map(|_| ask.start()).collect();
    let each = |askers: &mut Vec<Asker>| {
        askers.iter_mut().for_each(Asker::go);
        askers.iter_mut().map(Asker::answer).collect::<Vec<Value>>()
    };
    let tokens = each(&mut askers);
    for answer in each(&mut askers) {
        assert_eq!(answer["token"], tokens[0]["token"], "{answer}");
        assert_eq!(answer["stats"]["false_alarms"], 1, "{answer}");
    }
    assert_eq!(fault.logins(), 1);
}

#[test]
fn a_verdict_answers_all_reports_that_are_not_newer() {
    let machine = Machine::new();
    let fault = Fault::new("ok");
    let clients: Vec<_> = (0..5).map(|_| machine.process(&fault, json!({}))).collect();
    clients.iter().for_each(report);
    machine.pass(0.01);
    for client in &clients {
        client.token().unwrap();
        assert_eq!(stats(client)["false_alarms"], 1);
    }
    assert_eq!(fault.asked(), ["login", "organizations"]);
    // A newer report is another question.
    machine.pass(1.0);
    report(&clients[3]);
    clients[3].token().unwrap();
    assert_eq!(fault.asked(), ["login", "organizations", "organizations"]);
}

#[test]
fn a_token_is_valid_where_the_answer_is_not_about_it() {
    for says in ["retry-after-seconds30", "rate-limit429", "403", "no-credentials", "malformed-header"] {
        let fault = Fault::new(&format!("organizations-{says}"));
        let client = fault.client(json!({}));
        let first = client.token().unwrap();
        client.invalidate(first.value.expose()).unwrap();
        assert_eq!(client.token().unwrap().number, first.number, "{says}");
        assert_eq!(stats(&client)["false_alarms"], 1, "{says}");
        assert_eq!(fault.asked(), ["login", "organizations"], "{says}");
    }
}

// Nobody knows

#[test]
fn a_check_takes_a_third_of_the_time_and_two_that_decide_nothing_end_the_token() {
    for (says, status) in [
        ("hang", Status::Timeout),
        ("html500", Status::Server),
        ("html502", Status::Server),
        ("redirect302", Status::UnexpectedResponse),
        ("html401", Status::UnexpectedResponse),
        ("close", Status::Network),
    ] {
        let machine = Machine::new();
        let fault = Fault::new(&format!("organizations-{says}"));
        let client = machine.process(&fault, json!({"timeout_ms": 6000}));
        let doubted = client.token().unwrap();
        client.invalidate(doubted.value.expose()).unwrap();
        let start = Instant::now();
        let error = client.token().unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(4), "{says}: {:?}", start.elapsed());
        assert_eq!(error.status, status, "{says}: {error}");
        assert_eq!(error.retry_after.as_secs_f64().ceil(), 5.0, "{says}");
        // Nothing is sent for a moment, no matter which process reports the token.
        machine.pass(4.9);
        let other = machine.process(&fault, json!({"timeout_ms": 6000}));
        report(&other);
        for client in [&client, &other] {
            assert_eq!(client.token().unwrap_err().status, status, "{says}");
        }
        assert_eq!(fault.asked(), ["login", "organizations"], "{says}");
        // After that it is asked once more, and then it is dead.
        machine.pass(0.6);
        let fresh = other.token().unwrap();
        assert_ne!(fresh.value, doubted.value, "{says}");
        assert_eq!(fault.asked(), ["login", "organizations", "organizations", "login"], "{says}");
        machine.pass(0.6);
        assert_eq!(client.token().unwrap().value, fresh.value, "{says}");
        assert_eq!(fault.logins(), 2, "{says}");
        assert_eq!(stats(&other)["logins_by_reason"]["rejected"], 1, "{says}");
    }
}

#[test]
fn an_answer_that_decides_ends_the_doubt() {
    let fault = Fault::new("organizations-html500,ok");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    let first = client.token().unwrap();
    report(&client);
    assert_eq!(client.token().unwrap_err().status, Status::Server);
    hands.pass(Duration::from_secs(6));
    assert_eq!(client.token().unwrap().number, first.number);
    // The next doubt is a first one again.
    fault.change("organizations-html500");
    hands.pass(Duration::from_secs(1));
    report(&client);
    assert_eq!(client.token().unwrap_err().status, Status::Server);
    assert_eq!(fault.asked(), ["login", "organizations", "organizations", "organizations"]);
}

// The token is dead

#[test]
fn a_dead_token_is_nobodys_while_no_login_may_follow() {
    for (refusal, status) in [
        ("limit-403", Status::TokenLimit),
        ("wrong-password", Status::Credentials),
        ("retry-after-seconds600", Status::Throttled),
        ("made-html504", Status::OutcomeUnknown),
    ] {
        let machine = Machine::new();
        let fault = Fault::new("ok");
        let [first, second] = [(); 2].map(|()| machine.process(&fault, json!({})));
        let dead = token(&first);
        assert_eq!(token(&second), dead);
        fault.revoke();
        fault.change(refusal);
        report(&first);
        assert_eq!(first.token().unwrap_err().status, status, "{refusal}");
        let asked = ["login", "organizations", "login"];
        assert_eq!(fault.asked(), asked, "{refusal}");
        // Neither the one that comes new, nor the one that finds out for itself, nor the first one again.
        let newcomer = machine.process(&fault, json!({}));
        report(&second);
        for client in [&newcomer, &second, &first] {
            assert_eq!(client.token().unwrap_err().status, status, "{refusal}");
            assert_eq!(client.generation(), 0);
        }
        assert_eq!(fault.asked(), asked, "{refusal}");
    }
}

#[test]
fn a_dead_token_is_nobodys_while_the_budget_is_used_up() {
    let machine = Machine::new();
    let fault = Fault::new("organizations-401");
    let client = machine.process(&fault, json!({}));
    for _ in 0..3 {
        report(&client);
        machine.pass(31.0);
    }
    let error = client.token().unwrap_err();
    assert_eq!((error.status, fault.logins()), (Status::LoginBudget, 3));
    let newcomer = machine.process(&fault, json!({}));
    assert_eq!(newcomer.token().unwrap_err().status, Status::LoginBudget);
    assert_eq!(fault.logins(), 3);
    machine.pass(error.retry_after.as_secs_f64());
    newcomer.token().unwrap();
    assert_eq!(fault.logins(), 4);
}
