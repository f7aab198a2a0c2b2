//! Redis that goes and comes makes one event each time.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::thread;
use std::time::Duration;

use common::redis::Redis;
use common::{Fault, Hands, stats, token};
use nix::sys::signal::Signal;
use serde_json::json;

#[test]
fn it_goes_and_comes_back() {
    let mut redis = Redis::start(&[]);
    let fault = Fault::new("ok");
    let hands = Hands::new();
    let client = fault.client_at(json!({"cache": redis.url()}), hands.clone());
    let looks = || {
        hands.pass(Duration::from_secs(3600));
        client.invalidate(&token(&client)).unwrap();
        token(&client);
    };
    let told = || {
        let events = stats(&client)["events"].as_array().unwrap().clone();
        let kinds = events.iter().map(|event| event["kind"].as_str().unwrap().to_owned());
        kinds.filter(|kind| kind == "degraded" || kind == "recovered").collect::<Vec<_>>()
    };
    // Longer than a server is left alone.
    let pause = || thread::sleep(Duration::from_millis(5200));
    looks();
    assert!(told().is_empty());
    redis.signal(Signal::SIGSTOP);
    looks();
    looks();
    pause();
    // It fails in another way now.
    redis.end();
    looks();
    looks();
    assert_eq!(told(), ["degraded"]);
    redis.again(&[]);
    pause();
    looks();
    looks();
    assert_eq!(told(), ["degraded", "recovered"]);
    assert_eq!(fault.logins(), 1);
}
