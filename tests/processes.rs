//! One login for all processes of a host.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::HashSet;
use std::fs;
use std::thread;
use std::time::Duration;

use common::child::{self, Ask, Asker};
use common::{Fault, Organization, Scratch, wait_for};
use serde_json::{Value, json};

#[test]
fn child() {
    child::run();
}

/// What `number` processes get that ask at once.
fn together(number: usize, ask: &Ask) -> Vec<Value> {
    let mut askers: Vec<_> = (0..number).map(|_| ask.start()).collect();
    askers.iter_mut().for_each(Asker::go);
    askers.iter_mut().map(Asker::answer).collect()
}

fn token(answer: &Value) -> String {
    answer["token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[test]
fn thirty_two_cold_processes_log_in_once_and_a_hundred_later_ones_not_at_all() {
    let organization = Organization::new(json!({"latency": 0.3}));
    let scratch = Scratch::new();
    let ask = organization.ask(&scratch.path("store"));
    let tokens: HashSet<_> = together(32, &ask).iter().map(token).collect();
    assert_eq!(tokens.len(), 1);
    assert_eq!(organization.count("logins"), 1);
    for _ in 0..100 {
        let answer = ask.now();
        assert!(tokens.contains(&token(&answer)));
        assert_eq!((&answer["stats"]["adopted"], &answer["stats"]["logins"]), (&json!(1), &json!(0)));
    }
    assert_eq!(organization.count("logins"), 1);
}

#[test]
fn a_process_that_is_killed_in_its_login_holds_nobody_up() {
    let organization = Organization::new(json!({"latency": 1.5}));
    let scratch = Scratch::new();
    let ask = organization.ask(&scratch.path("store"));
    let mut first = ask.start();
    first.go();
    wait_for(|| fs::read_dir(scratch.path("store")).is_ok_and(|files| files.count() >= 3));
    let mut others: Vec<_> = (0..8).map(|_| ask.start()).collect();
    others.iter_mut().for_each(Asker::go);
    thread::sleep(Duration::from_millis(300));
    first.kill();
    let tokens: HashSet<_> = others.iter_mut().map(|other| token(&other.answer())).collect();
    assert_eq!(tokens.len(), 1);
    assert!(organization.count("logins") <= 2, "{}", organization.count("logins"));
    ask.now();
    assert!(organization.count("logins") <= 2);
}

#[test]
fn a_lock_that_is_not_had_in_time_is_no_reason_to_log_in() {
    let organization = Organization::new(json!({"latency": 3}));
    let scratch = Scratch::new();
    let ask = organization.ask(&scratch.path("store"));
    let mut first = ask.start();
    first.go();
    wait_for(|| organization.count("logins") == 1);
    let mut hurried = ask.clone();
    hurried.told["options"]["timeout_ms"] = json!(500);
    let answer = hurried.now();
    assert_eq!(answer["status"], 7, "{answer}");
    assert_eq!(token(&first.answer()), token(&ask.now()));
    assert_eq!(organization.count("logins"), 1);
}

#[test]
fn a_removed_lock_file_lets_nobody_in() {
    let organization = Organization::new(json!({"latency": 2}));
    for removed in ["lock", "new"] {
        let scratch = Scratch::new();
        let ask = organization.ask(&scratch.path("store"));
        let before = organization.count("logins");
        let mut first = ask.start();
        first.go();
        wait_for(|| organization.count("logins") == before + 1);
        for file in fs::read_dir(scratch.path("store")).unwrap().flatten() {
            if file.path().extension().is_some_and(|extension| extension == removed) {
                fs::remove_file(file.path()).unwrap();
            }
        }
        let second = ask.now();
        assert!(second["error"].is_null(), "{second}");
        first.answer();
        assert_eq!(organization.count("logins"), before + 1, "{removed}");
    }
}

#[test]
fn processes_with_the_wrong_password_disturb_nobody() {
    let organization = Organization::new(json!({}));
    let scratch = Scratch::new();
    let right = organization.ask(&scratch.path("store"));
    let mut wrong = right.clone();
    wrong.told["password"] = json!("not it");
    let good = token(&right.now());
    assert_eq!(wrong.now()["status"], 2);
    assert_eq!(token(&right.now()), good);
    assert_eq!(organization.count("logins"), 2);
}

#[test]
fn a_password_that_was_changed_makes_an_entry_of_its_own() {
    let organization = Organization::new(json!({}));
    let scratch = Scratch::new();
    let old = organization.ask(&scratch.path("store"));
    let old_token = token(&old.now());
    organization.change(json!({"password": "a new one"}));
    let mut new = old.clone();
    new.told["password"] = json!("a new one");
    assert_ne!(token(&new.now()), old_token);
    assert_eq!(token(&old.now()), old_token);
    assert_eq!(organization.count("logins"), 2);
}

#[test]
fn organizations_and_servers_have_entries_of_their_own() {
    let one = Organization::new(json!({}));
    let other = Organization::new(json!({"username": one.username, "password": one.password}));
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let store = scratch.path("store");
    let tokens: HashSet<_> =
        [one.ask(&store), other.ask(&store), fault.ask(&store)].iter().map(|ask| token(&ask.now())).collect();
    assert_eq!(tokens.len(), 3);
    let entries =
        fs::read_dir(&store).unwrap().flatten().filter(|file| file.path().extension().is_some_and(|it| it == "entry"));
    assert_eq!(entries.count(), 3);
}

#[test]
fn a_rejected_token_is_replaced_for_all() {
    let organization = Organization::new(json!({}));
    let scratch = Scratch::new();
    let ask = organization.ask(&scratch.path("store"));
    let dead = token(&ask.now());
    organization.revoke();
    let mut replacing = ask.clone();
    replacing.told["again"] = json!(true);
    let mut replacing = replacing.start();
    replacing.go();
    assert_eq!(token(&replacing.answer()), dead);
    let fresh = token(&replacing.answer());
    replacing.kill();
    assert_ne!(fresh, dead);
    assert_ne!(token(&ask.now()), dead);
}

#[test]
fn writers_that_are_killed_leave_a_whole_entry() {
    // Each report is checked, and the verdict written down.
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let reader = fault.ask(&scratch.path("store"));
    let mut writer = reader.clone();
    writer.told["again"] = json!(true);
    token(&reader.now());
    for round in 0..300_u64 {
        let mut writing = writer.start();
        writing.go();
        writing.answer();
        // Anywhere in the time that a check and its writing take.
        thread::sleep(Duration::from_micros(round * 7919 % 12_000));
        writing.kill();
        let answer = reader.now();
        assert_eq!(answer["stats"]["adopted"], 1, "round {round}: {answer}");
    }
    assert_eq!(fault.logins(), 1);
}
