//! The store of many hosts, by a real redis-server. A host is a process with a state directory of its own.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::child::{self, Ask, Asker};
use common::redis::{Redis, all_have_the_same, at_once, trouble};
use common::{Fault, Hands, Organization, wait_for};
use jiff::SignedDuration;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

#[test]
fn child() {
    child::run();
}

#[test]
fn twenty_processes_of_two_hosts_log_in_once_and_once_more_when_the_token_is_revoked() {
    let redis = Redis::start(&[]);
    let organization = Organization::new(json!({"latency": 0.5}));
    let mut asks: Vec<_> = (0..20).map(|n| redis.on_host(["one", "other"][n % 2], &organization)).collect();
    asks.iter_mut().for_each(|ask| ask.told["reject"] = json!(true));
    let mut askers: Vec<_> = asks.iter().map(Ask::start).collect();
    askers.iter_mut().for_each(Asker::go);
    let first = all_have_the_same(&askers.iter_mut().map(Asker::answer).collect::<Vec<_>>());
    assert_eq!(organization.count("logins"), 1);
    organization.revoke();
    askers.iter_mut().for_each(Asker::go);
    let answers: Vec<_> = askers.iter_mut().map(Asker::answer).collect();
    assert_ne!(all_have_the_same(&answers), first);
    assert_eq!(organization.count("logins"), 2);
    let store = &answers[0]["stats"]["store"];
    assert_eq!(store["kind"], "redis");
    assert_eq!(store["place"], format!("redis://127.0.0.1:{}/0", redis.port));
    assert_eq!(store["degraded"], false);
}

#[test]
fn what_is_kept_tells_nothing_and_a_wrong_password_finds_and_changes_nothing() {
    let redis = Redis::start(&[]);
    let organization = Organization::new(json!({}));
    let right = redis.on_host("one", &organization);
    let token = all_have_the_same(&[right.now()]);
    let values = || {
        let keys = redis.said(&["--scan"]);
        let kept: Vec<_> = keys
            .lines()
            .map(|key| {
                assert!(key.starts_with("tps:"));
                format!("{key} {}", redis.said(&["--no-raw", "GET", key]))
            })
            .collect();
        kept.join("\n")
    };
    let before = values();
    assert_eq!(before.lines().count(), 2, "{before}");
    for secret in [token.as_str(), &organization.password, &organization.username, &organization.id, "http"] {
        assert!(!before.contains(secret), "{secret} in {before}");
    }
    let wrong = organization.ask_with("not it", json!({"cache": redis.url()}));
    assert_eq!(redis.placed("other", wrong).now()["status"], 2);
    assert!(before.lines().all(|line| values().contains(line)), "nothing of the right one's has changed");
    all_have_the_same(&[json!({"token": token}), redis.on_host("third", &organization).now()]);
    assert_eq!(organization.count("logins"), 2);
    // Unused entries do not stay for ever.
    let key = redis.said(&["--scan"]).lines().find(|key| *key != "tps:salt").unwrap().to_owned();
    let days = redis.said(&["TTL", &key]).parse::<u64>().unwrap() / 86_400;
    assert!((390..=400).contains(&days), "{days}");
}

/// A login on each of two hosts, each host's token asked for by several processes before and after `happens`.
fn outage(happens: impl FnOnce(&mut Redis)) -> (Organization, Vec<Value>, Duration) {
    let mut redis = Redis::start(&[]);
    let organization = Organization::new(json!({}));
    let hosts = ["one", "other"];
    at_once(&hosts.map(|host| redis.on_host(host, &organization)));
    happens(&mut redis);
    let start = Instant::now();
    let asks: Vec<_> = (0..6).map(|n| redis.on_host(hosts[n % 2], &organization)).collect();
    let answers = at_once(&asks);
    let elapsed = start.elapsed();
    redis.signal(Signal::SIGCONT);
    (organization, answers, elapsed)
}

#[test]
fn an_outage_costs_no_login_while_tokens_live() {
    type Outage = fn(&mut Redis);
    let outages: [(&str, Outage, &str); 6] = [
        (
            "gone",
            |redis| {
                redis.end();
                redis.process = Command::new("sleep").arg("60").spawn().unwrap();
            },
            "refused",
        ),
        ("hung", |redis| redis.signal(Signal::SIGSTOP), "in time"),
        (
            "read-only",
            |redis| {
                redis.said(&["REPLICAOF", "127.0.0.1", "1"]);
            },
            "",
        ),
        (
            "full",
            |redis| {
                redis.said(&["CONFIG", "SET", "maxmemory", "1"]);
            },
            "",
        ),
        (
            "emptied",
            |redis| {
                redis.said(&["FLUSHALL"]);
            },
            "",
        ),
        (
            "started anew",
            |redis| {
                redis.end();
                redis.again(&[]);
            },
            "",
        ),
    ];
    for (what, outage_is, why) in outages {
        let (organization, answers, elapsed) = outage(outage_is);
        all_have_the_same(&answers);
        assert_eq!(organization.count("logins"), 1, "{what}");
        assert!(trouble(&answers[0]).contains(why), "{what}: {}", trouble(&answers[0]));
        // Half a second for one operation; not the whole time of a call.
        assert!(elapsed < Duration::from_secs(8), "{what}: {elapsed:?}");
    }
}

#[test]
fn an_outage_from_the_beginning_costs_one_login_a_host() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (settings, url, why) in [
        (&[][..], Some(format!("redis://{address}")), "refused"),
        (&[], None, "database"),
        (&["--requirepass", "s3s@me"], None, "authentication required"),
        (&["--requirepass", "s3s@me"], Some("redis://:wr0ng@".to_owned()), "refuses user or password"),
        (&["--maxmemory", "1", "--maxmemory-policy", "noeviction"], None, "OOM"),
        (&["--replicaof", "127.0.0.1", "1"], None, "READONLY"),
    ] {
        let redis = Redis::start(settings);
        let url = match url {
            Some(url) if url.ends_with('@') => format!("{url}127.0.0.1:{}", redis.port),
            Some(url) => url,
            None if why == "database" => format!("{}/99", redis.url()),
            None => redis.url(),
        };
        let organization = Organization::new(json!({"latency": 0.2}));
        let asks: Vec<_> = (0..6)
            .map(|n| {
                let ask = organization.ask_with(&organization.password, json!({"cache": url}));
                redis.placed(["one", "other"][n % 2], ask)
            })
            .collect();
        let answers = at_once(&asks);
        for answer in &answers {
            let why_not = trouble(answer);
            assert!(why_not.to_lowercase().contains(&why.to_lowercase()), "{why}: {why_not}");
            assert!(!why_not.contains("s3s@me") && !why_not.contains("wr0ng"), "{why_not}");
        }
        assert!(organization.count("logins") <= 2, "{why}: {}", organization.count("logins"));
    }
}

#[test]
fn redis_that_dies_during_a_login_costs_at_most_one_a_host() {
    let mut redis = Redis::start(&[]);
    let organization = Organization::new(json!({"latency": 1.5}));
    let asks: Vec<_> = (0..6).map(|n| redis.on_host(["one", "other"][n % 2], &organization)).collect();
    let mut askers: Vec<_> = asks.iter().map(Ask::start).collect();
    askers.iter_mut().for_each(Asker::go);
    thread::sleep(Duration::from_millis(700));
    redis.end();
    redis.process = Command::new("sleep").arg("60").spawn().unwrap();
    for asker in &mut askers {
        let answer = asker.answer();
        assert!(answer["token"].is_string(), "{answer}");
    }
    assert!(organization.count("logins") <= 2, "{}", organization.count("logins"));
    let before = organization.count("logins");
    for host in ["one", "other"] {
        assert!(redis.on_host(host, &organization).now()["token"].is_string());
    }
    assert!(organization.count("logins") <= before.max(2));
}

#[test]
fn a_host_that_is_killed_in_its_login_holds_the_others_up_until_its_lock_runs_out() {
    let redis = Redis::start(&[]);
    let fault = Fault::new("slow2");
    let ask = |host: &str| redis.placed(host, fault.ask_with(json!({"cache": redis.url(), "timeout_ms": 4000})));
    let mut killed = ask("one").start();
    killed.go();
    wait_for(|| fault.logins() == 1);
    killed.kill();
    // The server does not know: its login goes on for two seconds, the lock for four.
    let start = Instant::now();
    let answer = loop {
        let answer = ask("other").now();
        if answer["token"].is_string() {
            break answer;
        }
        assert_eq!(answer["status"], 7, "{answer}");
        assert!(start.elapsed() < Duration::from_secs(20));
    };
    assert_eq!(answer["stats"]["store"]["degraded"], false);
    assert_eq!(fault.seen()["logins_at_once"], 1);
    assert_eq!(fault.logins(), 2);
}

#[test]
fn a_lock_that_ran_out_is_not_its_first_owners_any_more() {
    let redis = Redis::start(&[]);
    let fault = Fault::new("slow3");
    let ask = |host: &str| redis.placed(host, fault.ask_with(json!({"cache": redis.url()})));
    let mut stopped = ask("one").start();
    stopped.go();
    wait_for(|| fault.logins() == 1);
    let lock = redis.said(&["--scan", "--pattern", "*:lock"]);
    let owner = redis.said(&["GET", &lock]);
    assert_eq!(owner.len(), 32, "{owner}");
    stopped.signal(Signal::SIGSTOP);
    // As if so much time had passed.
    redis.said(&["DEL", &lock]);
    // The second's login goes on when the first's has ended.
    fault.change("slow6");
    let mut second = ask("other").start();
    second.go();
    wait_for(|| fault.logins() == 2);
    let taken = redis.said(&["GET", &lock]);
    assert_ne!(taken, owner);
    stopped.signal(Signal::SIGCONT);
    let first = stopped.answer();
    assert!(first["token"].is_string(), "{first}");
    assert!(trouble(&first).contains("ran out"), "{first}");
    assert_eq!(redis.said(&["GET", &lock]), taken, "still the second's");
    let token = all_have_the_same(&[second.answer()]);
    assert_eq!(redis.said(&["EXISTS", &lock]), "0");
    all_have_the_same(&[json!({"token": token}), ask("third").now()]);
    assert_eq!(fault.logins(), 2);
}

#[test]
fn an_outage_costs_its_half_second_once_and_not_for_each_login() {
    let redis = Redis::start(&[]);
    redis.signal(Signal::SIGSTOP);
    let times: Vec<_> = (0..4)
        .map(|_| {
            let client = Fault::new("ok").client(json!({"cache": redis.url()}));
            let start = Instant::now();
            client.token().unwrap();
            start.elapsed()
        })
        .collect();
    redis.signal(Signal::SIGCONT);
    assert!(times[1..].iter().all(|time| *time < times[0] * 2 / 3), "{times:?}");
}

fn certificate(name: &str) -> String {
    let authority = std::env::var("TPS_TEST_CA").unwrap();
    Path::new(&authority).with_file_name(name).display().to_string()
}

#[test]
fn tls_with_an_authority_of_ones_own() {
    let tls_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let ask = |redis: &Redis, host: &str, options: Value| {
        let fault = Fault::new("ok");
        let mut options = options;
        options["cache"] = format!("rediss://clerk:s3s%40me@127.0.0.1:{tls_port}/1").into();
        (redis.placed(host, fault.ask_with(options)).now(), redis.said(&["-n", "1", "DBSIZE"]))
    };
    for (pair, trusted, why) in
        [("server", true, ""), ("server", false, "unknown issuer"), ("expired", true, "expired")]
    {
        let (chain, key, authority) =
            (certificate(&format!("{pair}.crt")), certificate(&format!("{pair}.key")), certificate("ca.pem"));
        let redis = Redis::start(&[
            "--tls-port",
            &tls_port,
            "--tls-cert-file",
            &chain,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &authority,
            "--tls-auth-clients",
            "no",
        ]);
        redis.said(&["ACL", "SETUSER", "clerk", "on", ">s3s@me", "~*", "+@all"]);
        let options = if trusted { json!({"ca_file": authority}) } else { json!({}) };
        let (answer, size) = ask(&redis, "one", options);
        assert!(trouble(&answer).contains(why), "{answer}");
        assert_eq!(answer["stats"]["store"]["degraded"], !why.is_empty(), "{answer}");
        assert_eq!(size, if why.is_empty() { "2" } else { "0" }, "{answer}");
        assert!(!answer["stats"].to_string().contains("s3s"));
    }
}

#[test]
fn the_user_of_the_guide_may_do_enough_and_no_more() {
    let redis = Redis::start(&[]);
    let guide = fs::read_to_string("docs/many-hosts.md").unwrap();
    let line = guide.lines().find(|line| line.contains("~tps:*")).unwrap().replace("PASSWORD", "s3s@me");
    redis.said(&line.split(' ').collect::<Vec<_>>());
    let fault = Fault::new("ok");
    let url = format!("redis://tps:s3s%40me@127.0.0.1:{}", redis.port);
    let ask = |host: &str| redis.placed(host, fault.ask_with(json!({"cache": url})));
    let mut rejecting = ask("one");
    rejecting.told["reject"] = json!(true);
    let mut asker = rejecting.start();
    asker.go();
    asker.answer();
    fault.revoke();
    asker.go();
    let answers = [asker.answer(), ask("other").now()];
    all_have_the_same(&answers);
    assert!(answers.iter().all(|answer| trouble(answer).is_empty()), "{answers:?}");
    assert_eq!(fault.logins(), 2);
    redis.said(&["SET", "another", "value"]);
    let socket = redis.scratch.path("redis").join("socket");
    let get = Command::new("redis-cli")
        .arg("-s")
        .arg(socket)
        .args(["--user", "tps", "--pass", "s3s@me", "--no-auth-warning", "GET", "another"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&get.stdout).contains("NOPERM"));
}

#[test]
fn by_a_unix_socket() {
    let redis = Redis::start(&["--requirepass", "s3s@me"]);
    let fault = Fault::new("ok");
    let socket = redis.scratch.path("redis").join("socket");
    let url = format!("redis+unix://{}?db=2&pass=s3s%40me", socket.display());
    let answers = ["one", "other"].map(|host| redis.placed(host, fault.ask_with(json!({"cache": url}))).now());
    all_have_the_same(&answers);
    assert_eq!(trouble(&answers[1]), "");
    assert_eq!(fault.logins(), 1);
}

#[test]
fn hosts_whose_clocks_are_wrong_agree_all_the_same() {
    let redis = Redis::start(&[]);
    let fault = Fault::new("life600");
    let host = |name: &str, hours| {
        let hands = Hands::new();
        hands.set(SignedDuration::from_hours(hours));
        // Cache entries of their own, as in processes of their own.
        let url = format!("redis://{name}:{}", redis.port);
        (fault.client_at(json!({"cache": url, "refresh_ahead": 0}), hands.clone()), hands)
    };
    let (one, _) = host("127.0.0.1", 0);
    let (other, hands) = host("localhost", 5);
    let first = one.token().unwrap();
    assert_eq!(other.token().unwrap().value, first.value);
    assert_eq!(fault.logins(), 1);
    hands.pass(Duration::from_secs(570));
    assert_eq!(other.token().unwrap().value, first.value);
    hands.pass(Duration::from_secs(30));
    assert_ne!(other.token().unwrap().value, first.value);
    // A hold-off lasts as long for both.
    let failing = Fault::new("limit-403");
    for (name, hours) in [("127.0.0.1", 0), ("localhost", -5)] {
        let hands = Hands::new();
        hands.set(SignedDuration::from_hours(hours));
        let client = failing.client_at(json!({"cache": format!("redis://{name}:{}", redis.port)}), hands);
        let wait = client.token().unwrap_err().retry_after;
        assert!(wait > Duration::from_secs(290) && wait <= Duration::from_secs(300), "{wait:?}");
    }
    assert_eq!(failing.logins(), 1);
}

#[test]
fn a_logout_on_one_host_is_not_undone_by_anothers_copy() {
    let redis = Redis::start(&[]);
    let organization = Organization::new(json!({}));
    let hosts = ["one", "other"].map(|host| redis.on_host(host, &organization));
    let dead = all_have_the_same(&hosts.each_ref().map(Ask::now));
    let client = organization.client(json!({"cache": redis.url()}));
    client.token().unwrap();
    client.logout().unwrap();
    let fresh = all_have_the_same(&hosts.each_ref().map(Ask::now));
    assert_ne!(fresh, dead);
    assert_eq!(organization.count("logins"), 2);
}

/// Two hosts with the same token in Redis and in their files. It is revoked, and the first host has replaced it.
fn an_idle_host_has_the_dead_token() -> (Redis, Organization, [Ask; 2], String, String) {
    let redis = Redis::start(&[]);
    let organization = Organization::new(json!({}));
    let hosts = ["one", "other"].map(|host| redis.on_host(host, &organization));
    let dead = all_have_the_same(&hosts.each_ref().map(Ask::now));
    organization.revoke();
    let mut replacing = hosts[0].clone();
    replacing.told["reject"] = json!(true);
    let mut asker = replacing.start();
    asker.go();
    assert_eq!(asker.answer()["token"], dead);
    asker.go();
    let fresh = all_have_the_same(&[asker.answer()]);
    assert_ne!(fresh, dead);
    redis.said(&["FLUSHALL"]);
    (redis, organization, hosts, dead, fresh)
}

#[test]
fn a_redis_that_was_emptied_learns_the_newer_token_and_the_idle_host_with_it() {
    let (_redis, organization, hosts, _, fresh) = an_idle_host_has_the_dead_token();
    for host in [&hosts[0], &hosts[1], &hosts[0], &hosts[1]] {
        assert_eq!(all_have_the_same(&[host.now()]), fresh);
    }
    assert_eq!(organization.count("logins"), 2);
}

#[test]
fn an_older_token_does_not_come_back_from_an_idle_host() {
    let (_redis, organization, hosts, dead, fresh) = an_idle_host_has_the_dead_token();
    // Nobody has told this host so far. Now Redis has the dead one.
    assert_eq!(all_have_the_same(&[hosts[1].now()]), dead);
    for host in [&hosts[0], &hosts[1], &hosts[0], &hosts[1]] {
        assert_eq!(all_have_the_same(&[host.now()]), fresh);
    }
    assert_eq!(organization.count("logins"), 2);
}
