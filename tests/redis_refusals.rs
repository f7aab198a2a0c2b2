//! What Redis refuses: an ACL without scripts, a replica that is read only, a wrong password. What can be read serves.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::child;
use common::redis::{Redis, all_have_the_same, trouble};
use common::{Fault, Organization, stats, token, wait_for};
use serde_json::json;

#[test]
fn child() {
    child::run();
}

const COMMANDS: &str = "+get +set +del +time +pexpire +select +ping";

fn with_user(commands: &str) -> (Redis, String) {
    let redis = Redis::start(&[]);
    redis.said(&format!("ACL SETUSER tps on >s3s@me ~tps:* {commands}").split(' ').collect::<Vec<_>>());
    let url = format!("redis://tps:s3s%40me@127.0.0.1:{}", redis.port);
    (redis, url)
}

#[test]
fn where_scripts_are_forbidden_a_transaction_serves() {
    let (redis, url) = with_user(&format!("{COMMANDS} +watch +multi +exec"));
    let fault = Fault::new("ok");
    let answers = ["one", "other"].map(|host| redis.placed(host, fault.ask_with(json!({"cache": url}))).now());
    all_have_the_same(&answers);
    assert_eq!(fault.logins(), 1);
    assert_eq!((trouble(&answers[0]), trouble(&answers[1])), (String::new(), String::new()));
    assert_eq!(redis.said(&["--scan", "--pattern", "*:lock"]), "", "the lock was released");
}

#[test]
fn a_transaction_does_not_overwrite_what_somebody_else_wrote() {
    let (redis, url) = with_user(&format!("{COMMANDS} +watch +multi +exec"));
    let fault = Fault::new("slow3");
    let ask = |host: &str| redis.placed(host, fault.ask_with(json!({"cache": url, "timeout_ms": 8000})));
    let mut stopped = ask("one").start();
    stopped.go();
    wait_for(|| fault.logins() == 1);
    stopped.signal(nix::sys::signal::Signal::SIGSTOP);
    // As if so much time had passed.
    redis.said(&["DEL", &redis.said(&["--scan", "--pattern", "*:lock"])]);
    let theirs = all_have_the_same(&[ask("other").now()]);
    stopped.signal(nix::sys::signal::Signal::SIGCONT);
    stopped.answer();
    assert_eq!(all_have_the_same(&[ask("third").now()]), theirs);
    assert_eq!(fault.logins(), 2);
}

#[test]
fn where_both_are_forbidden_that_is_found_out_before_the_login() {
    let (redis, url) = with_user(COMMANDS);
    let fault = Fault::new("slow2");
    let mut asker = redis.placed("one", fault.ask_with(json!({"cache": url}))).start();
    asker.go();
    wait_for(|| fault.logins() == 1);
    let written = redis.scratch.path("one").join("tps");
    let entry = std::fs::read_dir(written)
        .unwrap()
        .flatten()
        .any(|file| file.path().extension().is_some_and(|it| it == "entry"));
    assert!(entry, "the login is written down where it can be");
    let why_not = trouble(&asker.answer());
    assert!(why_not.contains("NOPERM") && why_not.contains("eval"), "{why_not}");
    assert_eq!(fault.logins(), 1);
}

#[test]
fn a_replica_that_cannot_be_written_serves_every_organization() {
    let primary = Redis::start(&[]);
    let replica = Redis::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
    let organizations = [(), ()].map(|()| Organization::new(json!({})));
    let tokens =
        organizations.each_ref().map(|organization| all_have_the_same(&[primary.on_host("one", organization).now()]));
    wait_for(|| replica.said(&["DBSIZE"]) == primary.said(&["DBSIZE"]));
    // One process has both, so that what it knows of the server counts for both.
    for (organization, right) in organizations.iter().zip(&tokens) {
        let client = organization.client(json!({"cache": replica.url()}));
        assert_eq!(token(&client), *right);
        assert_eq!(organization.count("logins"), 1);
        let store = stats(&client)["store"].clone();
        assert_eq!(store["place"], format!("{}/0", replica.url()));
        assert!(store["why_not"].as_str().unwrap().contains("READONLY"), "{store}");
    }
}

#[test]
fn a_wrong_password_opens_the_breaker_for_its_user_only() {
    let redis = Redis::start(&["--requirepass", "s3s@me"]);
    let url = |password: &str| json!({"cache": format!("redis://:{password}@127.0.0.1:{}", redis.port)});
    let client = Fault::new("ok").client(url("wr0ng"));
    token(&client);
    assert!(stats(&client)["store"]["why_not"].as_str().unwrap().contains("refuses user or password"));
    let client = Fault::new("ok").client(url("s3s%40me"));
    token(&client);
    assert_eq!(stats(&client)["store"]["degraded"], false, "{}", stats(&client));
}
