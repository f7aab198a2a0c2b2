//! A primary with replicas, behind Sentinels.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

use common::child::{self, Ask};
use common::free_port;
use common::redis::{Redis, all_have_the_same, at_once, trouble};
use common::{Fault, wait_for};
use serde_json::json;

#[test]
fn child() {
    child::run();
}

/// A primary, two replicas and two Sentinels.
struct Guarded {
    servers: Vec<Redis>,
    sentinels: Vec<Redis>,
}

impl Guarded {
    fn start() -> Self {
        let primary = Redis::start(&[]);
        let port = primary.port.to_string();
        let mut servers = vec![primary];
        for _ in 0..2 {
            servers.push(Redis::start(&["--replicaof", "127.0.0.1", &port, "--repl-diskless-sync-delay", "0"]));
        }
        let sentinels: Vec<_> = (0..2)
            .map(|_| {
                let file = servers[0].scratch.path(&format!("sentinel-{}.conf", free_port()));
                let settings = format!(
                    "sentinel monitor shop 127.0.0.1 {port} 2\nsentinel down-after-milliseconds shop 1500\n\
                     sentinel failover-timeout shop 10000\nsentinel parallel-syncs shop 2\n"
                );
                fs::write(&file, settings).unwrap();
                Redis::by_file(&file, &["--sentinel"])
            })
            .collect();
        let guarded = Self { servers, sentinels };
        wait_for(|| {
            let knows = |sentinel: &Redis| {
                let told = sentinel.said(&["INFO", "sentinel"]);
                told.contains("slaves=2") && told.contains("sentinels=2")
            };
            let follows = |server: &Redis| server.said(&["INFO", "replication"]).contains("master_link_status:up");
            guarded.sentinels.iter().all(knows) && guarded.servers[1..].iter().all(follows)
        });
        guarded
    }

    /// The first Sentinel named is not there.
    fn url(&self) -> String {
        let sentinels: Vec<_> = self.sentinels.iter().map(|it| format!("127.0.0.1:{}", it.port)).collect();
        format!("redis+sentinel://127.0.0.1:{},{}/shop", free_port(), sentinels.join(","))
    }

    fn ask(&self, host: &str, fault: &Fault) -> Ask {
        self.servers[0].placed(host, fault.ask_with(json!({"cache": self.url()})))
    }

    fn primary(&self) -> String {
        self.sentinels[0].said(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "shop"])
    }

    fn wait_for_another_than(&self, before: &str) {
        wait_for(|| {
            let now = self.primary();
            let server = self.servers.iter().find(|server| now.ends_with(&format!("\n{}", server.port)));
            now != before && server.unwrap().said(&["INFO", "replication"]).contains("role:master")
        });
    }
}

#[test]
fn hosts_share_a_token_and_keep_it_when_the_primary_dies() {
    let mut guarded = Guarded::start();
    let fault = Fault::new("ok");
    let asks: Vec<_> = (0..4).map(|n| guarded.ask(["one", "other"][n % 2], &fault)).collect();
    let answers = at_once(&asks);
    let token = all_have_the_same(&answers);
    assert!(answers.iter().all(|answer| trouble(answer).is_empty()), "{answers:?}");
    wait_for(|| guarded.servers.iter().all(|server| server.said(&["DBSIZE"]) == "2"));
    let before = guarded.primary();
    guarded.servers[0].end();
    assert_eq!(all_have_the_same(&[guarded.ask("one", &fault).now()]), token, "by its files");
    guarded.wait_for_another_than(&before);
    let answers = [guarded.ask("one", &fault).now(), guarded.ask("third", &fault).now()];
    assert_eq!(all_have_the_same(&answers), token);
    assert!(answers.iter().all(|answer| trouble(answer).is_empty()), "{answers:?}");
    assert_eq!(fault.logins(), 1);
}

/// Another primary is made while somebody logs in.
fn failover_during_a_login(begin: impl FnOnce(&mut Guarded)) {
    let mut guarded = Guarded::start();
    let fault = Fault::new("slow3");
    let mut askers = ["one", "other"].map(|host| guarded.ask(host, &fault).start());
    askers[0].go();
    wait_for(|| fault.logins() == 1);
    askers[1].go();
    let before = guarded.primary();
    begin(&mut guarded);
    for asker in &mut askers {
        let answer = asker.answer();
        assert!(answer["token"].is_string(), "{answer}");
    }
    guarded.wait_for_another_than(&before);
    let hosts = ["one", "other", "one", "other", "third"];
    let answers = hosts.map(|host| guarded.ask(host, &fault).now());
    // Each has told Redis in the first round what it had.
    let token = all_have_the_same(&answers[2..]);
    assert_eq!(all_have_the_same(&at_once(&hosts.map(|host| guarded.ask(host, &fault)))), token);
    assert!(fault.logins() <= 2, "{}", fault.logins());
}

#[test]
fn a_primary_that_dies_during_a_login_costs_two_logins_at_most() {
    failover_during_a_login(|guarded| guarded.servers[0].end());
}

/// Nobody could take the first one's lock back: it has outlived the primary.
#[test]
fn a_primary_that_is_replaced_after_the_logins_leaves_all_hosts_one_token() {
    failover_during_a_login(|guarded| {
        for sentinel in &guarded.sentinels {
            assert_eq!(sentinel.said(&["SENTINEL", "SET", "shop", "down-after-milliseconds", "7000"]), "OK");
        }
        guarded.servers[0].end();
    });
}

#[test]
fn a_primary_that_steps_down_during_a_login_costs_two_logins_at_most() {
    failover_during_a_login(|guarded| assert_eq!(guarded.sentinels[0].said(&["SENTINEL", "FAILOVER", "shop"]), "OK"));
}

#[test]
fn a_service_that_no_sentinel_knows_is_told() {
    let guarded = Guarded::start();
    let url = guarded.url().replace("/shop", "/shoe");
    let answer = guarded.servers[0].placed("one", Fault::new("ok").ask_with(json!({"cache": url}))).now();
    assert!(trouble(&answer).contains("do not know the service"), "{answer}");
}

#[test]
fn sentinels_and_servers_have_passwords_of_their_own() {
    let server = Redis::start(&["--requirepass", "s3s@me"]);
    let file = server.scratch.path("sentinel.conf");
    let port = server.port;
    fs::write(&file, format!("sentinel monitor shop 127.0.0.1 {port} 1\nsentinel auth-pass shop s3s@me\n")).unwrap();
    let sentinel = Redis::by_file(&file, &["--sentinel"]);
    let user = "ACL SETUSER tps on >0ther -@all +auth +sentinel|get-master-addr-by-name";
    sentinel.said(&user.split(' ').collect::<Vec<_>>());
    sentinel.said(&["ACL", "SETUSER", "default", "resetpass", ">s3s@me"]);
    for (query, why) in [("?sentinel_user=tps&sentinel_password=0ther", ""), ("", "the Sentinel refuses: NOAUTH")] {
        let url = format!("redis+sentinel://:s3s%40me@127.0.0.1:{}/shop/1{query}", sentinel.port);
        let answer = server.placed("one", Fault::new("ok").ask_with(json!({"cache": url}))).now();
        assert!(trouble(&answer).contains(why) && trouble(&answer).is_empty() == why.is_empty(), "{answer}");
        assert!(!answer["stats"].to_string().contains("0ther"), "{answer}");
    }
    assert_eq!(server.said(&["-n", "1", "DBSIZE"]), "2");
}

/// A Sentinel that names whatever it is told. Its port.
fn naming(port: &Arc<AtomicU16>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (here, port) = (listener.local_addr().unwrap().port(), port.clone());
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let port = port.load(Ordering::Relaxed).to_string();
            let _ = client.read(&mut [0; 4096]);
            let _ = write!(client, "*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{port}\r\n", port.len());
        }
    });
    here
}

/// A primary and its replica, and what names one of them.
fn pair() -> ([Redis; 2], Arc<AtomicU16>, u16) {
    let primary = Redis::start(&[]);
    let replica =
        Redis::start(&["--replicaof", "127.0.0.1", &primary.port.to_string(), "--repl-diskless-sync-delay", "0"]);
    wait_for(|| replica.said(&["INFO", "replication"]).contains("master_link_status:up"));
    let named = Arc::new(AtomicU16::new(primary.port));
    let sentinel = naming(&named);
    ([primary, replica], named, sentinel)
}

#[test]
fn a_sentinel_that_has_not_heard_of_a_failover_is_not_believed() {
    let ([primary, replica], _, knows) = pair();
    let outdated = naming(&Arc::new(AtomicU16::new(replica.port)));
    let url = format!("redis+sentinel://127.0.0.1:{outdated},127.0.0.1:{knows}/shop");
    let fault = Fault::new("ok");
    let answers = ["one", "other"].map(|host| primary.placed(host, fault.ask_with(json!({"cache": url}))).now());
    all_have_the_same(&answers);
    assert!(answers.iter().all(|answer| trouble(answer).is_empty()), "{answers:?}");
    // Where no Sentinel knows better, the replica is read.
    let url = format!("redis+sentinel://127.0.0.1:{outdated}/shop");
    wait_for(|| replica.said(&["DBSIZE"]) == "2");
    let read = primary.placed("third", fault.ask_with(json!({"cache": url}))).now();
    all_have_the_same(&[answers[0].clone(), read.clone()]);
    assert!(trouble(&read).contains("READONLY"), "{read}");
    assert_eq!(fault.logins(), 1);
}

#[test]
fn a_primary_that_becomes_a_replica_under_a_connection_is_left() {
    let ([first, second], named, sentinel) = pair();
    let fault = Fault::new("slow3");
    let url = format!("redis+sentinel://127.0.0.1:{sentinel}/shop");
    let ask = |host: &str| first.placed(host, fault.ask_with(json!({"cache": url})));
    let mut asker = ask("one").start();
    asker.go();
    wait_for(|| fault.logins() == 1 && second.said(&["DBSIZE"]) == "3");
    second.said(&["REPLICAOF", "NO", "ONE"]);
    first.said(&["REPLICAOF", "127.0.0.1", &second.port.to_string()]);
    named.store(second.port, Ordering::Relaxed);
    let answers = [asker.answer(), ask("other").now()];
    all_have_the_same(&answers);
    assert!(answers.iter().all(|answer| trouble(answer).is_empty()), "{answers:?}");
    assert_eq!(fault.logins(), 1);
}
