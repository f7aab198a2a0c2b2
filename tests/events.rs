//! What happened, as `stats` shows it to the operator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use common::{Fault, Hands, Machine, PASSWORD, stats, token, wait_for};
use serde_json::{Value, json};
use tps::Client;

fn events(client: &Client) -> Vec<Value> {
    stats(client)["events"].as_array().unwrap().clone()
}

/// The only event since `seen`, which is counted on.
fn next(client: &Client, seen: &mut usize, kind: &str) -> Value {
    let events = events(client);
    assert_eq!(events.len(), *seen + 1, "{kind}: {:#?}", &events[*seen..]);
    let event = events[*seen].clone();
    *seen += 1;
    assert_eq!((&event["kind"], &event["number"]), (&json!(kind), &json!(*seen)), "{event}");
    event
}

fn lock_file(machine: &Machine) -> PathBuf {
    let files = fs::read_dir(machine.directory()).unwrap().flatten().map(|file| file.path());
    files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "lock")).unwrap()
}

#[test]
fn each_kind_of_event_is_told_once_with_what_belongs_to_it() {
    let machine = Machine::new();
    let fault = Fault::new("life600");
    let client = machine.process(&fault, json!({}));
    let mut tokens = vec![token(&client)];
    let seen = &mut 0;

    let login = next(&client, seen, "login");
    assert_eq!((&login["reason"], &login["status"], &login["message"]), (&json!("first"), &json!(null), &json!(null)));
    assert!(login["duration"].is_u64(), "{login}");
    assert!(login["time"].as_str().unwrap().ends_with('Z'), "{login}");

    let other = machine.process(&fault, json!({}));
    token(&other);
    assert!(next(&other, &mut 0, "adopted")["duration"].is_u64());

    client.invalidate(&tokens[0]).unwrap();
    next(&client, seen, "rejected");
    client.token().unwrap();
    assert!(next(&client, seen, "false_alarm")["duration"].is_u64());

    machine.pass(575.0);
    client.token().unwrap();
    wait_for(|| events(&client).len() > *seen);
    assert!(next(&client, seen, "renewal")["duration"].is_u64());
    tokens.push(token(&client));

    client.logout().unwrap();
    assert!(next(&client, seen, "logout")["duration"].is_u64());

    fault.change("retry-after-seconds30");
    for _ in 0..10 {
        assert!(client.token().is_err());
        machine.pass(1.0);
    }
    let hold_off = next(&client, seen, "hold_off");
    assert_eq!(hold_off["status"], 4, "one event for all of its time: {hold_off}");
    assert!(hold_off["message"].as_str().unwrap().starts_with("too many requests"), "{hold_off}");

    // Something else stands where the lock should be.
    fault.change("organizations-401");
    machine.pass(30.0);
    let lock = lock_file(&machine);
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    tokens.push(token(&client));
    let degraded = next_of_two(&client, seen, "degraded", "login").0;
    assert!(degraded["message"].as_str().unwrap().contains("lock"), "{degraded}");

    fs::remove_dir(&lock).unwrap();
    client.invalidate(&tokens[2]).unwrap();
    next(&client, seen, "rejected");
    tokens.push(token(&client));
    assert_eq!(next_of_two(&client, seen, "recovered", "login").1["reason"], "rejected");

    // Its successor is rejected at once, and is not replaced at once.
    client.invalidate(&tokens[3]).unwrap();
    next(&client, seen, "rejected");
    assert!(client.token().is_err());
    let budget = next(&client, seen, "budget");
    assert_eq!(budget["status"], 11);
    assert!(budget["message"].as_str().unwrap().contains("rejected too"), "{budget}");

    let numbers: Vec<_> = events(&client).iter().map(|event| event["number"].as_u64().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
    let text = json!(events(&client)).to_string();
    for secret in tokens.iter().map(String::as_str).chain([PASSWORD, "hari@example.com"]) {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

/// The same for two that come together.
fn next_of_two(client: &Client, seen: &mut usize, first: &str, second: &str) -> (Value, Value) {
    let events = events(client).split_off(*seen);
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, [first, second]);
    *seen += 2;
    (events[0].clone(), events[1].clone())
}

#[test]
fn the_last_thirty_two_are_kept() {
    let fault = Fault::new("ok");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    for _ in 0..40 {
        client.invalidate(&token(&client)).unwrap();
        hands.pass(Duration::from_secs(1));
        client.token().unwrap();
    }
    let numbers: Vec<_> = events(&client).iter().map(|event| event["number"].as_u64().unwrap()).collect();
    // A login, and two for each alarm.
    assert!(numbers.iter().copied().eq(50..=81), "{numbers:?}");
}

#[test]
fn what_the_server_repeats_is_in_no_event() {
    for scenario in ["echo", "echo-json", "echo-url", "echo-html", "echo-token"] {
        let client = Fault::new(scenario).client(json!({}));
        assert!(client.token().is_err());
        let text = json!(events(&client)).to_string();
        for secret in [PASSWORD, "hari@", "battéry", "batt%C3%A9ry", "0123456789abcdef"] {
            assert!(!text.contains(secret), "{scenario}: {text}");
        }
        assert_eq!(events(&client)[0]["kind"], "hold_off");
    }
}
