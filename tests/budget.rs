//! The login budget: what no loop gets beyond, and that a token which is there serves all the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Fault, Machine, stats, token};
use serde_json::json;
use tps::{Client, Status};

/// Says that its token was rejected, where it has one.
fn reject(client: &Client) {
    if let Ok(token) = client.token() {
        client.invalidate(token.value.expose()).unwrap();
    }
}

#[test]
fn without_a_budget_a_server_that_revokes_each_token_gets_one_login_in_half_a_minute() {
    let machine = Machine::new();
    let fault = Fault::new("organizations-401");
    let lifted = json!({"logins_per_day": 0});
    let clients = [(); 3].map(|()| machine.process(&fault, lifted.clone()));
    for _ in 0..20 {
        clients.iter().for_each(reject);
    }
    assert_eq!(fault.logins(), 2, "the first one, and the one that replaced it");
    let error = clients[0].token().unwrap_err();
    assert_eq!(error.status, Status::LoginBudget);
    assert!(error.retry_after.as_secs_f64() > 29.0 && error.retry_after.as_secs_f64() <= 30.0, "{error:?}");
    for second in 1..=300 {
        machine.pass(1.0);
        clients.iter().for_each(reject);
        assert!(fault.logins() <= 2 + second / 30, "{} after {second} s", fault.logins());
    }
    // It is not given up either.
    assert!(fault.logins() >= 2 + 300 / 32, "{}", fault.logins());
    // Nor by processes that begin anew each time.
    let before = fault.logins();
    for _ in 0..20 {
        reject(&machine.process(&fault, lifted.clone()));
    }
    assert!(fault.logins() <= before + 1);
}

#[test]
fn without_a_budget_a_token_that_lived_for_a_while_is_replaced_at_once() {
    let machine = Machine::new();
    let fault = Fault::new("organizations-401");
    let client = machine.process(&fault, json!({"logins_per_day": 0}));
    for _ in 0..15 {
        client.invalidate(&token(&client)).unwrap();
        machine.pass(30.0);
    }
    assert_eq!(fault.logins(), 15);
}

#[test]
fn a_process_beyond_the_budget_finds_what_another_process_stores() {
    let machine = Machine::new();
    let fault = Fault::new("organizations-401");
    let clients = [(); 3].map(|()| machine.process(&fault, json!({})));
    for _ in 0..3 {
        reject(&clients[0]);
        machine.pass(31.0);
    }
    for client in &clients {
        let error = client.token().unwrap_err();
        assert_eq!(error.status, Status::LoginBudget);
        assert!(error.retry_after.as_secs() > 100, "{error:?}");
    }
    let asked = fault.requests();
    // Another one is allowed more.
    let stored = token(&machine.process(&fault, json!({"logins_per_day": 0})));
    machine.pass(0.5);
    for client in &clients {
        assert_eq!(token(client), stored);
    }
    assert_eq!(fault.requests(), asked + 1);
}

#[test]
fn a_budget_is_looked_behind_twice_in_a_second_at_most() {
    let machine = Machine::new();
    let fault = Fault::new("organizations-401");
    let client = machine.process(&fault, json!({}));
    for _ in 0..3 {
        reject(&client);
        machine.pass(31.0);
    }
    let (before, asked) = (stats(&client)["waits"].as_u64().unwrap(), fault.requests());
    for _ in 0..500 {
        assert_eq!(client.token().unwrap_err().status, Status::LoginBudget);
        machine.pass(0.01);
    }
    let looks = stats(&client)["waits"].as_u64().unwrap() - before;
    assert!((5..=10).contains(&looks), "{looks} looks in 5 s");
    // One check of the last token that was reported.
    assert_eq!(fault.requests(), asked + 1);
}
