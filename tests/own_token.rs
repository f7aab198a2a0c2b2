//! A token that its owner holds already: the option `token`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Fault, Machine, stats, token};
use serde_json::{Value, json};
use tps::Status;

const OWN: &str = "0123456789abcdef";

fn own() -> Value {
    json!({"token": OWN})
}

#[test]
fn it_serves_during_every_hold_off_and_at_the_token_limit() {
    for (refusal, status) in [
        ("limit-403", Status::TokenLimit),
        ("wrong-password", Status::Credentials),
        ("retry-after-seconds600", Status::Throttled),
        ("made-html502", Status::Server),
        ("503-retry600", Status::Server),
    ] {
        let machine = Machine::new();
        let fault = Fault::new(refusal);
        let without = machine.process(&fault, json!({}));
        assert_eq!(without.token().unwrap_err().status, status, "{refusal}");
        let asked = fault.requests();
        let client = machine.process(&fault, own());
        assert_eq!(token(&client), OWN, "{refusal}");
        assert_eq!(client.generation(), client.token().unwrap().number);
        // All who share the store have it then, also the one that was refused.
        machine.pass(1.0);
        for other in [&machine.process(&fault, json!({})), &without] {
            assert_eq!(token(other), OWN, "{refusal}");
            assert_eq!(stats(other)["adopted"], 1, "{refusal}");
        }
        assert_eq!(fault.requests(), asked, "{refusal}");
    }
}

#[test]
fn it_is_taken_only_where_there_is_no_other() {
    let machine = Machine::new();
    let fault = Fault::new("ok");
    let first = token(&machine.process(&fault, json!({})));
    assert_eq!(token(&machine.process(&fault, own())), first);
    assert_eq!(fault.logins(), 1);
}

#[test]
fn it_is_not_taken_again_once_it_was_given_back() {
    let machine = Machine::new();
    let fault = Fault::new("ok");
    let client = machine.process(&fault, own());
    assert_eq!(token(&client), OWN);
    client.logout().unwrap();
    let fresh = token(&machine.process(&fault, own()));
    assert_ne!(fresh, OWN);
    assert_eq!(token(&client), fresh);
    assert_eq!(fault.asked(), ["logout", "login"]);
    // Nor when the one that came after it is gone too, and no login may follow.
    client.logout().unwrap();
    fault.change("limit-403");
    for client in [&client, &machine.process(&fault, own())] {
        assert_eq!(client.token().unwrap_err().status, Status::TokenLimit);
    }
}

#[test]
fn it_is_not_taken_again_once_it_was_rejected() {
    let machine = Machine::new();
    // The server does not know it, and makes no other for the time being.
    let fault = Fault::new("limit-403");
    let [client, other] = [(); 2].map(|()| machine.process(&fault, own()));
    assert_eq!((token(&client), token(&other)), (OWN.to_owned(), OWN.to_owned()));
    client.invalidate(OWN).unwrap();
    assert_eq!(client.token().unwrap_err().status, Status::TokenLimit);
    other.invalidate(OWN).unwrap();
    for client in [&client, &other, &machine.process(&fault, own())] {
        assert_eq!(client.token().unwrap_err().status, Status::TokenLimit);
    }
    assert_eq!(fault.asked(), ["organizations", "login"]);
    fault.change("ok");
    machine.pass(300.0);
    let fresh = token(&machine.process(&fault, own()));
    assert_ne!(fresh, OWN);
    assert_eq!((token(&client), token(&other)), (fresh.clone(), fresh));
    assert_eq!(fault.asked(), ["organizations", "login", "login"]);
}

#[test]
fn it_is_not_taken_again_after_many_others() {
    let machine = Machine::new();
    let fault = Fault::new("ok");
    let lifted = json!({"token": OWN, "logins_per_day": 0});
    let client = machine.process(&fault, lifted.clone());
    // More than are remembered.
    for _ in 0..12 {
        client.token().unwrap();
        client.logout().unwrap();
    }
    assert_ne!(token(&machine.process(&fault, lifted)), OWN);
    assert_eq!(fault.logins(), 12);
}
