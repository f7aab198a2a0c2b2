//! The life of a token: its end, its renewal, its rejection, and what comes of logins that fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use common::child::{self, Asker};
use common::{Fault, Hands, Organization, Scratch, wait_for};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tps::{Client, Error, Status};

#[test]
fn child() {
    child::run();
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn stats(client: &Client) -> Value {
    serde_json::from_str(&client.stats()).unwrap()
}

fn number(client: &Client) -> u64 {
    client.token().unwrap().number
}

/// Without renewal ahead, so that the end alone counts.
fn to_the_end(fault: &Fault, hands: &Arc<Hands>) -> Client {
    fault.client_at(json!({"refresh_ahead": 0}), hands.clone())
}

// The end

#[test]
fn a_token_serves_until_it_expires_and_not_longer() {
    // (life, an age at which it serves, one at which it does not)
    for (life, serves, over) in [(36_000, 35_960, 35_975), (60, 57, 59), (5, 3, 5)] {
        for by in [0, 2, -2] {
            let fault = Fault::new(&format!("life{life}"));
            let hands = Hands::new();
            hands.set(SignedDuration::from_hours(by));
            let client = to_the_end(&fault, &hands);
            let first = number(&client);
            hands.pass(seconds(serves));
            assert_eq!((number(&client), client.generation()), (first, first), "life {life}, clock {by} h off");
            hands.pass(seconds(over - serves));
            assert_eq!(client.generation(), 0);
            assert_ne!(number(&client), first, "life {life}, clock {by} h off");
            assert_eq!(fault.logins(), 2);
            assert_eq!(stats(&client)["logins_by_reason"]["ended"], 1);
        }
    }
}

#[test]
fn a_date_that_is_set_during_the_run_changes_nothing() {
    let fault = Fault::new("life3600");
    let hands = Hands::new();
    let client = to_the_end(&fault, &hands);
    let first = number(&client);
    for by in [2, -4, 24 * 365, -24 * 400] {
        hands.set(SignedDuration::from_hours(by));
        hands.pass(seconds(600));
        assert_eq!(number(&client), first);
    }
    hands.pass(seconds(1200));
    assert_ne!(number(&client), first);
    assert_eq!(fault.logins(), 2);
}

#[test]
fn a_token_without_an_expiry_is_kept_for_ever() {
    for scenario in ["expiry-null", "expiry-absent", "expiry-unreadable", "expiry-number", "expiry-past"] {
        let fault = Fault::new(scenario);
        let hands = Hands::new();
        let client = fault.client_at(json!({}), hands.clone());
        let first = number(&client);
        hands.pass(seconds(30 * 24 * 3600));
        assert_eq!((number(&client), fault.logins()), (first, 1), "{scenario}");
    }
}

#[test]
fn every_form_of_a_date_is_read() {
    for scenario in [
        "expiry-offset",
        "expiry-naive",
        "expiry-whole",
        "life3600",
        "life-ahead3600",
        "life-behind3600",
        "life-nodate3600",
    ] {
        let fault = Fault::new(scenario);
        let hands = Hands::new();
        let client = to_the_end(&fault, &hands);
        let first = number(&client);
        hands.pass(seconds(3500));
        assert_eq!(number(&client), first, "{scenario}");
        hands.pass(seconds(100));
        assert_ne!(number(&client), first, "{scenario}");
        assert_eq!(fault.logins(), 2, "{scenario}");
    }
}

#[test]
fn a_token_that_expired_while_its_process_was_stopped_is_not_handed_out() {
    let organization = Organization::new(json!({"latency": 1, "token_life": 600}));
    let hands = Hands::new();
    let client = organization.client_at(json!({}), hands.clone());
    let asking = thread::spawn({
        let client = client.clone();
        move || client.token().unwrap()
    });
    wait_for(|| organization.count("logins") == 1);
    hands.pass(seconds(3600));
    let got = asking.join().unwrap();
    assert_eq!(client.generation(), got.number);
    assert_eq!(organization.count("logins"), 2, "once more, in the same call");
}

// Renewal

#[test]
fn one_renews_and_nobody_waits_for_it() {
    let organization = Organization::new(json!({"token_life": 600, "latency": 1}));
    let hands = Hands::new();
    let client = organization.client_at(json!({}), hands.clone());
    let first = number(&client);
    // From half to the whole of 60 s before the end.
    hands.pass(seconds(575));
    assert_eq!(client.generation(), 0, "somebody should come");
    let barrier = Barrier::new(50);
    thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                barrier.wait();
                let start = Instant::now();
                assert_eq!(number(&client), first);
                assert!(start.elapsed() < Duration::from_millis(800), "{:?}", start.elapsed());
            });
        }
    });
    assert_eq!(client.generation(), first, "somebody has come");
    wait_for(|| client.generation() != first);
    assert_ne!(number(&client), first);
    assert_eq!(organization.count("logins"), 2);
    assert_eq!(stats(&client)["logins_by_reason"]["renewed"], 1);
    assert_eq!(stats(&client)["login_budget_left"], 2, "a renewal is free");
}

#[test]
fn a_renewal_that_fails_leaves_the_token_to_its_end() {
    let fault = Fault::new("life600");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    let first = number(&client);
    fault.change("html500");
    hands.pass(seconds(575));
    assert_eq!(number(&client), first);
    wait_for(|| stats(&client)["logins_failed"] == 1);
    assert_eq!((client.generation(), number(&client)), (first, first), "quiet, and not asked at each call");
    hands.pass(seconds(5));
    assert_eq!(number(&client), first);
    wait_for(|| stats(&client)["logins_failed"] == 2);
    hands.pass(seconds(20));
    assert_eq!(client.token().unwrap_err().status, Status::Server);
    fault.change("life600");
    // Each of the lost logins may have cost a token.
    hands.pass(seconds(60));
    assert_eq!(client.token().unwrap_err().status, Status::LoginBudget);
    hands.pass(seconds(600));
    assert_ne!(number(&client), first);
}

#[test]
fn four_processes_of_many_threads_renew_once() {
    // Who has been asking for 10 s renews ahead.
    let organization = Organization::new(json!({"token_life": 30, "latency": 4.0}));
    let scratch = Scratch::new();
    let mut ask = organization.ask(&scratch.path("store"));
    ask.told["options"]["refresh_ahead"] = json!(15);
    ask.told["hammer"] = json!(22);
    let mut askers: Vec<_> = (0..4).map(|_| ask.start()).collect();
    askers.iter_mut().for_each(Asker::go);
    for asker in &mut askers {
        let answer = asker.answer();
        assert_eq!(answer["errors"], json!([]), "{answer}");
        assert_eq!(answer["tokens"].as_array().unwrap().len(), 2, "{answer}");
        assert!(answer["slowest"].as_f64().unwrap() < 3.0, "{answer}");
    }
    assert_eq!(organization.count("logins"), 2);
}

// Rejection

#[test]
fn fifty_threads_that_report_a_dead_token_replace_it_once() {
    let organization = Organization::new(json!({"latency": 0.2}));
    let client = organization.client(json!({}));
    let dead = client.token().unwrap();
    organization.revoke();
    let barrier = Barrier::new(50);
    thread::scope(|scope| {
        for late in 0..50 {
            let (client, dead, barrier) = (&client, &dead, &barrier);
            scope.spawn(move || {
                barrier.wait();
                thread::sleep(Duration::from_millis(late * 20));
                client.invalidate(dead.value.expose()).unwrap();
                assert_ne!(number(client), dead.number);
            });
        }
    });
    assert_eq!(organization.count("logins"), 2);
    assert_eq!(stats(&client)["invalidations"], 1);
    assert_eq!(stats(&client)["logins_by_reason"]["rejected"], 1);
}

#[test]
fn a_false_alarm_costs_no_login() {
    let organization = Organization::new(json!({}));
    let client = organization.client(json!({}));
    let token = client.token().unwrap();
    for alarms in 1..=5 {
        client.invalidate(token.value.expose()).unwrap();
        assert_eq!(client.generation(), 0);
        assert_eq!(number(&client), token.number);
        assert_eq!(client.generation(), token.number);
        assert_eq!(stats(&client)["false_alarms"], alarms);
    }
    assert_eq!(organization.count("logins"), 1);
}

#[test]
fn what_the_server_says_of_a_token_decides() {
    for (says, replaced) in [
        ("401", true),
        ("403-invalid-token", true),
        // The token did not arrive, or it did and may not do this: another one would fare no better.
        ("no-credentials", false),
        ("malformed-header", false),
        ("403", false),
        ("html200", false),
        ("big", false),
    ] {
        let fault = Fault::new(&format!("organizations-{says}"));
        let client = fault.client(json!({}));
        let token = client.token().unwrap();
        client.invalidate(token.value.expose()).unwrap();
        assert_eq!(number(&client) != token.number, replaced, "{says}");
        assert_eq!(fault.logins(), 1 + u64::from(replaced), "{says}");
        assert_eq!(stats(&client)["false_alarms"], u64::from(!replaced), "{says}");
    }
}

#[test]
fn what_does_not_say_decides_nothing_and_twice_it_counts_as_dead() {
    for (says, status) in [
        ("html500", Status::Server),
        ("redirect302", Status::UnexpectedResponse),
        ("close", Status::Network),
        ("html401", Status::UnexpectedResponse),
    ] {
        let fault = Fault::new(&format!("organizations-{says}"));
        let hands = Hands::new();
        let client = fault.client_at(json!({}), hands.clone());
        let token = client.token().unwrap();
        client.invalidate(token.value.expose()).unwrap();
        for (passed, left) in [(0, 5_u32), (2, 3), (2, 1)] {
            hands.pass(seconds(passed));
            let error = client.token().unwrap_err();
            let retry_after = error.retry_after.as_secs_f64().round();
            assert_eq!((error.status, retry_after), (status, f64::from(left)), "{says}: {error:?}");
        }
        assert_eq!(fault.seen()["requests"], 2, "{says}");
        hands.pass(seconds(5));
        assert_ne!(number(&client), token.number, "{says}");
        assert_eq!(fault.logins(), 2, "{says}");
    }
}

#[test]
fn a_disabled_account_is_a_fault_of_the_credentials() {
    let fault = Fault::new("ok");
    let client = fault.client(json!({}));
    let token = client.token().unwrap();
    fault.change("all-inactive");
    client.invalidate(token.value.expose()).unwrap();
    for _ in 0..3 {
        assert_eq!(client.token().unwrap_err().status, Status::Credentials);
    }
    assert_eq!(fault.logins(), 2);
}

#[test]
fn an_expired_token_is_no_false_alarm() {
    let fault = Fault::new("life60");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    let ended = client.token().unwrap();
    hands.pass(seconds(60));
    client.invalidate(ended.value.expose()).unwrap();
    assert_ne!(number(&client), ended.number);
    assert_eq!(stats(&client)["logins_by_reason"]["ended"], 1);
}

#[test]
fn a_late_report_of_an_older_token_changes_nothing() {
    let organization = Organization::new(json!({}));
    let client = organization.client(json!({}));
    let dead = client.token().unwrap();
    organization.revoke();
    client.invalidate(dead.value.expose()).unwrap();
    let fresh = client.token().unwrap();
    for _ in 0..10 {
        client.invalidate(dead.value.expose()).unwrap();
        assert_eq!((client.generation(), number(&client)), (fresh.number, fresh.number));
    }
    assert_eq!(organization.count("logins"), 2);
    assert_eq!(stats(&client)["invalidations"], 1);
}

#[test]
fn a_hundred_and_twenty_processes_recover_with_one_login() {
    let organization = Organization::new(json!({}));
    let scratch = Scratch::new();
    let mut ask = organization.ask(&scratch.path("store"));
    ask.told["options"]["timeout_ms"] = json!(60_000);
    ask.told["reject"] = json!(true);
    let mut askers: Vec<_> = (0..120).map(|_| ask.start()).collect();
    askers.iter_mut().for_each(Asker::go);
    let dead: Vec<_> = askers.iter_mut().map(|asker| asker.answer()["token"].clone()).collect();
    assert!(dead.iter().all(|token| *token == dead[0]));
    organization.revoke();
    askers.iter_mut().for_each(Asker::go);
    let fresh: Vec<_> = askers.iter_mut().map(|asker| asker.answer()["token"].clone()).collect();
    assert!(fresh.iter().all(|token| token.is_string() && *token == fresh[0] && *token != dead[0]));
    assert_eq!(organization.count("logins"), 2);
}

#[test]
fn a_logout_in_one_process_costs_the_others_one_login_between_them() {
    let organization = Organization::new(json!({}));
    let scratch = Scratch::new();
    let mut ask = organization.ask(&scratch.path("store"));
    ask.told["reject"] = json!(true);
    let mut askers: Vec<_> = (0..8).map(|_| ask.start()).collect();
    askers.iter_mut().for_each(Asker::go);
    askers.iter_mut().for_each(|asker| drop(asker.answer()));
    let client = organization.client(json!({"cache": format!("file:{}", scratch.path("store").display())}));
    client.token().unwrap();
    client.logout().unwrap();
    askers.iter_mut().for_each(Asker::go);
    for asker in &mut askers {
        assert!(asker.answer()["token"].is_string());
    }
    assert_eq!(organization.count("logins"), 2);
}

#[test]
fn a_token_of_its_owners_is_replaced_once_it_is_rejected() {
    let organization = Organization::new(json!({}));
    let scratch = Scratch::new();
    let mut ask = organization.ask(&scratch.path("store"));
    ask.told["options"]["token"] = json!("0123456789abcdef");
    ask.told["reject"] = json!(true);
    let mut askers: Vec<_> = (0..8).map(|_| ask.start()).collect();
    askers.iter_mut().for_each(Asker::go);
    for asker in &mut askers {
        assert_eq!(asker.answer()["token"], "0123456789abcdef");
    }
    assert_eq!(organization.count("logins"), 0);
    askers.iter_mut().for_each(Asker::go);
    let fresh: Vec<_> = askers.iter_mut().map(|asker| asker.answer()["token"].clone()).collect();
    assert!(fresh.iter().all(|token| token.is_string() && *token == fresh[0] && *token != "0123456789abcdef"));
    assert_eq!(organization.count("logins"), 1);
}

// The budget

/// A client that finds each token rejected at once, for so many minutes. When logins were sent, in minutes.
fn loops(client: &Client, hands: &Hands, fault: &Fault, minutes: u64) -> (Vec<u64>, Option<Error>) {
    let (mut sent, mut last) = (Vec::new(), None);
    for minute in 0..minutes {
        for _ in 0..5 {
            match client.token() {
                Ok(token) => client.invalidate(token.value.expose()).unwrap(),
                Err(error) => last = Some(error),
            }
            hands.pass(seconds(12));
        }
        sent.resize(fault.logins() as usize, minute);
    }
    (sent, last)
}

#[test]
fn a_server_that_revokes_each_token_at_once_gets_few_logins() {
    let fault = Fault::new("organizations-401");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    let (sent, error) = loops(&client, &hands, &fault, 5);
    assert!((2..=3).contains(&sent.len()), "{sent:?}");
    let error = error.unwrap();
    assert_eq!(error.status, Status::LoginBudget);
    assert!(error.retry_after > Duration::ZERO, "{error:?}");
    let (sent, _) = loops(&client, &hands, &fault, 23 * 60);
    assert_eq!(sent.len(), 10);
    let (sent, _) = loops(&client, &hands, &fault, 60 * 3);
    assert!(sent.len() > 10, "the next day has a budget of its own");
}

#[test]
fn a_fresh_token_that_is_rejected_again_is_not_replaced_at_once() {
    let fault = Fault::new("organizations-401");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    for _ in 0..2 {
        client.invalidate(client.token().unwrap().value.expose()).unwrap();
    }
    let error = client.token().unwrap_err();
    assert_eq!(error.status, Status::LoginBudget);
    assert!(error.retry_after <= seconds(31), "{error:?}");
    hands.pass(seconds(31));
    client.token().unwrap();
    assert_eq!(fault.logins(), 3);
}

#[test]
fn a_renewal_at_the_expiry_is_always_free() {
    let fault = Fault::new("life60");
    let hands = Hands::new();
    let client = fault.client_at(json!({"logins_per_day": 1, "refresh_ahead": 0}), hands.clone());
    for _ in 0..50 {
        client.token().unwrap();
        hands.pass(seconds(60));
    }
    assert_eq!(fault.logins(), 50);
}

#[test]
fn a_gateway_that_loses_each_login_at_the_end_is_not_asked_without_end() {
    let fault = Fault::new("life60");
    let hands = Hands::new();
    let client = fault.client_at(json!({"refresh_ahead": 0}), hands.clone());
    client.token().unwrap();
    fault.change("html504");
    for _ in 0..12 * 60 {
        hands.pass(seconds(61));
        assert!(client.token().is_err());
    }
    assert!((10..=12).contains(&fault.logins()), "{}", fault.logins());
    fault.change("life60");
    hands.pass(seconds(24 * 3600));
    client.token().unwrap();
}

#[test]
fn a_budget_can_be_lifted() {
    let fault = Fault::new("organizations-401");
    let hands = Hands::new();
    let client = fault.client_at(json!({"logins_per_day": 0}), hands.clone());
    for _ in 0..15 {
        client.invalidate(client.token().unwrap().value.expose()).unwrap();
        hands.pass(seconds(31));
    }
    assert_eq!(fault.logins(), 15);
}

#[test]
fn the_budget_is_the_hosts() {
    let fault = Fault::new("organizations-401");
    let scratch = Scratch::new();
    let mut ask = fault.ask(&scratch.path("store"));
    ask.told["again"] = json!(true);
    let mut stopped = 0;
    for _ in 0..6 {
        let mut asker = ask.start();
        asker.go();
        loop {
            let answer = asker.answer();
            if answer["status"] == 11 {
                stopped += 1;
                break;
            }
        }
    }
    assert_eq!(stopped, 6);
    assert!(fault.logins() <= 3, "{}", fault.logins());
}

// Failures

#[test]
fn a_wrong_password_is_not_tried_again_and_again() {
    let organization = Organization::new(json!({}));
    let scratch = Scratch::new();
    let right = organization.ask(&scratch.path("store"));
    let mut wrong = right.clone();
    wrong.told["password"] = json!("not it");
    wrong.told["calls"] = json!(125);
    let mut askers: Vec<_> = (0..8).map(|_| wrong.start()).collect();
    askers.iter_mut().for_each(Asker::go);
    for asker in &mut askers {
        assert_eq!(asker.answer()["status"], 2);
    }
    assert!(organization.count("logins") <= 2, "{}", organization.count("logins"));
    assert!(right.now()["token"].is_string(), "a corrected password goes ahead at once");
}

#[test]
fn a_failure_holds_all_processes_off_for_its_time() {
    for (scenario, status, least, most) in [
        ("retry-after-seconds20", 4, 18, 20),
        ("retry-after-date", 4, 55, 60),
        ("retry-after-none", 4, 58, 60),
        ("retry-after-nonsense", 4, 58, 60),
        ("retry-after-negative", 4, 58, 60),
        ("retry-after-huge", 4, 3598, 3600),
        ("limit-403", 3, 298, 300),
        ("503-retry30", 8, 28, 30),
    ] {
        let fault = Fault::new(scenario);
        let scratch = Scratch::new();
        let ask = fault.ask(&scratch.path("store"));
        let first = ask.now();
        let second = ask.now();
        for answer in [&first, &second] {
            assert_eq!(answer["status"], status, "{scenario}: {answer}");
            let left = answer["retry_after"].as_f64().unwrap();
            assert!(left > least as f64 && left <= most as f64, "{scenario}: {answer}");
        }
        assert_eq!(first["error"], second["error"]);
        assert_eq!(fault.logins(), 1, "{scenario}");
    }
    for scenario in ["503", "html500", "html-as-json502"] {
        let fault = Fault::new(scenario);
        let client = fault.client(json!({}));
        assert!(client.token().unwrap_err().retry_after <= seconds(1));
        assert_eq!(client.token().unwrap_err().status, Status::Server);
        assert_eq!(fault.logins(), 1, "{scenario}");
    }
}

#[test]
fn a_503_that_asks_for_a_wait_that_fits_is_asked_again() {
    let fault = Fault::new("503-retry1,ok");
    let client = fault.client(json!({}));
    client.token().unwrap();
    assert_eq!(fault.logins(), 2);
}

#[test]
fn a_lost_answer_is_one_request_and_then_a_probe() {
    for scenario in ["close,ok", "reset,ok", "hang,ok", "lost,ok", "slow4,ok", "html504,ok"] {
        let fault = Fault::new(scenario);
        let hands = Hands::new();
        let client = fault.client_at(json!({"timeout_ms": 3000}), hands.clone());
        assert_eq!(client.token().unwrap_err().status, Status::OutcomeUnknown, "{scenario}");
        assert_eq!(fault.seen()["requests"], 1);
        hands.pass(seconds(61));
        client.token().unwrap();
        assert_eq!(methods(&fault), ["POST", "GET", "POST"], "{scenario}");
        assert!(fault.seen()["log"][1]["headers"].get("authorization").is_none());
        assert_eq!(stats(&client)["login_budget_left"], 1, "{scenario}");
    }
}

/// The methods of all requests so far.
fn methods(fault: &Fault) -> Vec<String> {
    let seen = fault.seen();
    let lines = seen["log"].as_array().unwrap().iter().map(|request| request["line"].as_str().unwrap().to_owned());
    lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn nothing_but_probes_until_one_is_answered() {
    for silent in ["all-html502", "all-503", "all-close", "all-html504"] {
        let fault = Fault::new("lost");
        let hands = Hands::new();
        let client = fault.client_at(json!({}), hands.clone());
        assert_eq!(client.token().unwrap_err().status, Status::OutcomeUnknown);
        fault.change(silent);
        for _ in 0..5 {
            hands.pass(seconds(61));
            assert!(client.token().is_err());
        }
        fault.change("ok");
        hands.pass(seconds(61));
        client.token().unwrap();
        assert_eq!(methods(&fault), ["POST", "GET", "GET", "GET", "GET", "GET", "GET", "POST"], "{silent}");
        assert_eq!(stats(&client)["login_budget_left"], 1, "{silent}: one was lost, and one was made");
    }
}

#[test]
fn a_message_says_for_how_long_nothing_is_sent() {
    let hands = Hands::new();
    let client = Fault::new("retry-after-seconds40").client_at(json!({}), hands.clone());
    assert!(client.token().unwrap_err().to_string().ends_with(" (nothing is sent for 40 s)"));
    hands.pass(seconds(15));
    assert!(client.token().unwrap_err().to_string().ends_with(" (nothing is sent for 25 s)"));
}

/// Twenty minutes of a scenario for all requests, then a healthy server: the logins, and how long until there is a token.
fn outage(scenario: &str) -> (u64, u64, Value) {
    let fault = Fault::new(scenario);
    let hands = Hands::new();
    let client = fault.client_at(json!({"timeout_ms": 300}), hands.clone());
    for _ in 0..20 * 60 / 5 {
        assert!(client.token().is_err());
        hands.pass(seconds(5));
    }
    let lost = fault.logins();
    fault.change("ok");
    let mut waited = 0;
    while client.token().is_err() {
        hands.pass(seconds(5));
        waited += 5;
    }
    (lost, waited, stats(&client))
}

#[test]
fn an_outage_costs_probes_and_not_tokens() {
    let (lost, waited, stats) = outage("all-hang");
    assert_eq!(lost, 1);
    assert!(waited <= 60, "{waited} s");
    assert_eq!(stats["login_budget_left"], 2, "one may have been made, and one was");
    for scenario in ["all-html502", "all-503"] {
        let (_, waited, stats) = outage(scenario);
        assert!(waited <= 60, "{scenario}: {waited} s");
        assert_eq!(stats["login_budget_left"], 2, "{scenario}: one was lost, and is replaced by now");
    }
}

#[test]
fn after_a_failure_the_first_success_makes_all_well() {
    let fault = Fault::new("html500,html500,ok");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    for _ in 0..2 {
        assert!(client.token().is_err());
        hands.pass(seconds(61));
    }
    client.token().unwrap();
    assert_eq!(stats(&client)["hold_off"], Value::Null);
}

#[test]
fn a_connection_that_fails_is_tried_three_times() {
    let start = Instant::now();
    let client = common::client("a@example.com", "b", "c", "http://127.0.0.1:1", json!({}));
    assert_eq!(client.token().unwrap_err().status, Status::Network);
    // Half of 0.2 s and 0.8 s at least.
    assert!(start.elapsed() > Duration::from_millis(450), "{:?}", start.elapsed());
}
