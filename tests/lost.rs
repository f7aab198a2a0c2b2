//! A login whose answer is lost may have made a token. It is sent once; then come probes, until the API itself answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::time::Duration;

use common::{Fault, Hands, Machine, stats};
use serde_json::json;
use tps::{Client, Status};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Asks each 5 s until there is a token: how long that took.
fn recovery(client: &Client, hands: &Hands) -> u64 {
    let mut waited = 0;
    while client.token().is_err() {
        assert!(waited < 3600, "no token after an hour");
        hands.pass(seconds(5));
        waited += 5;
    }
    waited
}

#[test]
fn each_lost_answer_has_its_status_costs_one_login_and_is_followed_by_a_probe() {
    for (scenario, status, http_status) in [
        ("made-html500", Status::Server, 500),
        ("made-html502", Status::Server, 502),
        ("made-html503", Status::Server, 503),
        ("made-html504", Status::OutcomeUnknown, 504),
        ("made-html520", Status::Server, 520),
        ("made-html521", Status::Server, 521),
        ("made-html522", Status::Server, 522),
        ("made-html523", Status::Server, 523),
        ("made-html524", Status::Server, 524),
        ("503", Status::Server, 503),
        ("html200", Status::UnexpectedResponse, 200),
        ("html-as-json200", Status::UnexpectedResponse, 200),
        ("token-absent", Status::UnexpectedResponse, 200),
        ("nothttp", Status::UnexpectedResponse, 0),
        ("truncated", Status::OutcomeUnknown, 0),
        ("lost", Status::OutcomeUnknown, 0),
        ("reset", Status::OutcomeUnknown, 0),
        ("hang", Status::OutcomeUnknown, 0),
    ] {
        let fault = Fault::new(&format!("{scenario},ok"));
        let hands = Hands::new();
        let client = fault.client_at(json!({"timeout_ms": 2000}), hands.clone());
        let error = client.token().unwrap_err();
        assert_eq!((error.status, error.http_status.unwrap_or(0)), (status, http_status), "{scenario}: {error}");
        assert!(!error.retry_after.is_zero() && error.retry_after <= seconds(1), "{scenario}: {error:?}");
        assert_eq!(fault.asked(), ["login"], "{scenario}");
        assert_eq!(stats(&client)["login_budget_left"], 2, "{scenario}: a token may have been made");
        hands.pass(seconds(1));
        client.token().expect(scenario);
        assert_eq!(fault.asked(), ["login", "organizations", "login"], "{scenario}");
        assert!(fault.seen()["log"][1]["headers"].get("authorization").is_none(), "{scenario}");
        assert_eq!(stats(&client)["login_budget_left"], 1, "{scenario}");
    }
}

#[test]
fn an_outage_costs_one_login_and_is_over_within_a_minute_of_its_end() {
    for (scenario, meanwhile) in [
        ("made-html500", "all-html500"),
        ("made-html502", "all-html502"),
        ("made-html503", "all-html503"),
        ("made-html504", "all-html504"),
        ("made-html520", "all-html520"),
        ("made-html522", "all-close"),
        ("made-html524", "all-html524"),
        ("html200", "all-html200"),
        ("html-as-json200", "all-html-as-json200"),
        ("token-absent", "all-token-absent"),
        ("truncated", "all-truncated"),
        ("lost", "all-reset"),
        ("close", "all-503"),
        // A portal, a firewall, a page of the proxy's.
        ("made-html502", "all-redirect302"),
        ("made-html502", "all-html403"),
        ("made-html502", "all-nothttp"),
        // A login would be answered; but no probe was.
        ("made-html502", "organizations-html502"),
    ] {
        let fault = Fault::new(scenario);
        let hands = Hands::new();
        let client = fault.client_at(json!({}), hands.clone());
        assert!(client.token().is_err(), "{scenario}");
        fault.change(meanwhile);
        for _ in 0..20 * 60 / 5 {
            hands.pass(seconds(5));
            assert!(client.token().is_err(), "{scenario}, {meanwhile}");
        }
        assert_eq!(fault.logins(), 1, "{scenario}, {meanwhile}");
        fault.change("ok");
        let waited = recovery(&client, &hands);
        assert!(waited <= 60, "{scenario}, {meanwhile}: {waited} s");
        assert_eq!(fault.logins(), 2, "{scenario}, {meanwhile}");
        assert_eq!(stats(&client)["login_budget_left"], 2, "{scenario}, {meanwhile}: the lost one's is there again");
    }
}

#[test]
fn a_day_without_the_server_costs_one_login() {
    let fault = Fault::new("made-html502");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    assert!(client.token().is_err());
    // Half of it a gateway's error, half of it a maintenance page that says 200.
    for meanwhile in ["all-html502", "all-html200"] {
        fault.change(meanwhile);
        for _ in 0..12 * 3600 / 5 {
            hands.pass(seconds(5));
            assert!(client.token().is_err(), "{meanwhile}");
        }
    }
    let seen = fault.seen();
    assert_eq!(seen["logins"], 1);
    // With full jitter a hold-off is half a minute long, in the middle.
    assert!(seen["requests"].as_u64().unwrap() < 24 * 3600 / 20, "{}", seen["requests"]);
    fault.change("ok");
    let waited = recovery(&client, &hands);
    assert!(waited <= 60, "{waited} s");
    assert_eq!(fault.logins(), 2);
}

#[test]
fn only_the_apis_own_answer_lets_a_login_follow() {
    for (says, is_the_api) in [
        ("ok", true),
        ("401", true),
        ("403", true),
        ("inactive", true),
        ("html200", false),
        ("html401", false),
        ("html403", false),
        ("html404", false),
        ("html500", false),
        ("html-as-json200", false),
        ("empty", false),
        ("array", false),
        ("token-absent", false),
        ("503", false),
        ("503-retry1", false),
        ("retry-after-seconds1", false),
        ("redirect302", false),
        ("big", false),
        ("close", false),
        ("nothttp", false),
    ] {
        let fault = Fault::new("lost");
        let hands = Hands::new();
        let client = fault.client_at(json!({}), hands.clone());
        assert!(client.token().is_err());
        // Logins are answered well from now on.
        fault.change(&format!("organizations-{says}"));
        hands.pass(seconds(1));
        assert_eq!(client.token().is_ok(), is_the_api, "{says}");
        assert_eq!(fault.logins(), 1 + u64::from(is_the_api), "{says}");
        assert_eq!(fault.asked()[..2], ["login", "organizations"], "{says}");
    }
}

#[test]
fn what_one_process_lost_the_others_probe_for() {
    let machine = Machine::new();
    let fault = Fault::new("made-html502,ok");
    let first = machine.process(&fault, json!({}));
    let error = first.token().unwrap_err();
    let second = machine.process(&fault, json!({}));
    let same = second.token().unwrap_err();
    assert_eq!((same.status, same.message), (error.status, error.message));
    assert_eq!(fault.requests(), 1);
    machine.pass(1.0);
    let third = machine.process(&fault, json!({}));
    third.token().unwrap();
    assert_eq!(fault.asked(), ["login", "organizations", "login"]);
    assert_eq!(first.token().unwrap().value, third.token().unwrap().value);
    assert_eq!(fault.logins(), 2);
}

#[test]
fn logins_that_are_lost_one_after_another_use_up_the_budget() {
    // The API answers probes; what breaks is the login alone.
    let fault = Fault::new("made-html502");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    let mut beyond = 0;
    for _ in 0..24 * 3600 / 20 {
        beyond += u64::from(client.token().unwrap_err().status == Status::LoginBudget);
        hands.pass(seconds(20));
    }
    assert!((3..=10).contains(&fault.logins()), "{}", fault.logins());
    assert!(beyond > 0);
}
