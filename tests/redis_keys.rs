//! Where things lie in Redis, and what was there before.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::child;
use common::redis::{Redis, all_have_the_same, trouble};
use common::{Fault, wait_for};
use serde_json::json;

#[test]
fn child() {
    child::run();
}

#[test]
fn all_keys_of_a_credential_are_in_one_slot() {
    let redis = Redis::start(&["--cluster-enabled", "yes", "--cluster-port", &common::free_port().to_string()]);
    redis.said(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    wait_for(|| redis.said(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
    let fault = Fault::new("slow2");
    let mut asker = redis.placed("one", fault.ask_with(json!({"cache": redis.url()}))).start();
    asker.go();
    wait_for(|| fault.logins() == 1);
    let keys = redis.said(&["--scan", "--pattern", "tps:{*"]);
    let slots: Vec<_> = keys.lines().map(|key| redis.said(&["CLUSTER", "KEYSLOT", key])).collect();
    assert_eq!(slots.len(), 2, "{keys}");
    assert_eq!(slots[0], slots[1], "{keys}");
    assert_eq!(trouble(&asker.answer()), "");
}

#[test]
fn an_entry_of_version_0_1_0_is_used() {
    let redis = Redis::start(&[]);
    let fault = Fault::new("ok");
    let ask = |host: &str| redis.placed(host, fault.ask_with(json!({"cache": redis.url()}))).now();
    let token = all_have_the_same(&[ask("one")]);
    let key = redis.said(&["--scan", "--pattern", "tps:{*"]);
    let old = key.replace(['{', '}'], "");
    assert_eq!(redis.said(&["RENAME", &key, &old]), "OK");
    assert_eq!(all_have_the_same(&[ask("other"), ask("third")]), token);
    assert_eq!(fault.logins(), 1);
}

#[test]
fn what_was_learnt_while_redis_was_away_is_merged_when_it_comes_back_empty() {
    let mut redis = Redis::start(&[]);
    let fault = Fault::new("limit-403");
    redis.end();
    let ask = |redis: &Redis, host: &str| redis.placed(host, fault.ask_with(json!({"cache": redis.url()}))).now();
    let refused = ask(&redis, "one");
    assert_eq!((refused["status"].clone(), fault.logins()), (json!(3), 1), "{refused}");
    redis.again(&[]);
    for host in ["one", "other", "third"] {
        let answer = ask(&redis, host);
        assert_eq!(answer["status"], 3, "{host}: {answer}");
        assert!(answer["retry_after"].as_f64().unwrap() > 200.0, "{host}: {answer}");
    }
    assert_eq!(fault.logins(), 1, "the hold-off holds for all hosts");
}

#[test]
fn what_the_budget_has_left_is_merged_too() {
    let mut redis = Redis::start(&[]);
    let fault = Fault::new("ok");
    redis.end();
    let ask = |redis: &Redis, host: &str| redis.placed(host, fault.ask_with(json!({"cache": redis.url()}))).now();
    let left = ask(&redis, "one")["stats"]["login_budget_left"].clone();
    redis.again(&[]);
    let answers = [ask(&redis, "one"), ask(&redis, "other")];
    all_have_the_same(&answers);
    assert_eq!((fault.logins(), &answers[1]["stats"]["login_budget_left"]), (1, &left));
}
