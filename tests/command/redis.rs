//! Faults of Redis, of its Sentinels and of its cluster.

use std::fs;

use nix::sys::signal::Signal;

use super::shell::{self, Shell, seconds};
use crate::common::redis::Redis;
use crate::common::{Fault, free_port, wait_for};

/// With a home of its own, where the host's own token is.
fn shell(fault: &Fault, cache: &str) -> Shell {
    let mut shell = Shell::to(fault);
    let home = shell.scratch.path("home").display().to_string();
    shell.set("XDG_STATE_HOME", &home).set("TPS_CACHE", cache);
    shell
}

/// Types the `redis-cli` command of an advice, to this server.
fn typed(redis: &Redis, advice: &str, user: &str) {
    let (_, rest) = advice.split_once("redis-cli ").unwrap_or_else(|| panic!("{advice}"));
    let command = rest.split([';', ',', ')']).next().unwrap().replace("NAME", user).replace('\'', "");
    let said = redis.said(&command.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>());
    assert!(!said.contains("ERR"), "{command}: {said}");
}

#[test]
fn a_server_that_drops_keys_when_it_is_full() {
    let redis = Redis::start(&["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"]);
    let shell = shell(&Fault::new("ok"), &redis.url());
    for policy in ["allkeys-lru", "volatile-ttl"] {
        redis.said(&["CONFIG", "SET", "maxmemory-policy", policy]);
        let advice = shell.wrong("eviction", &[policy, "the token is dropped"]);
        typed(&redis, &advice, "");
        shell.well("nothing is dropped");
    }
    redis.said(&["CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "allkeys-lru"]);
    shell.well("it is never full");
}

#[test]
fn a_server_that_is_full() {
    let redis = Redis::start(&["--maxmemory", "100kb", "--maxmemory-policy", "noeviction"]);
    let shell = shell(&Fault::new("ok"), &redis.url());
    let advice = shell.wrong("store", &["OOM", "more memory"]);
    typed(&redis, &advice, "");
    shell.well("it has more memory");
}

#[test]
fn rights_that_are_too_narrow_and_passwords_that_are_wrong() {
    let redis = Redis::start(&[]);
    let url = |user: &str| format!("redis://{user}127.0.0.1:{}", redis.port);
    let mut shell = shell(&Fault::new("ok"), &url("tps:s3s%40me@"));
    // To read; and to lock as well.
    for rights in ["+get +time", "+get +set +del +time +pexpire"] {
        let reset = format!("ACL SETUSER tps reset on >s3s@me ~tps:* {rights}");
        redis.said(&reset.split(' ').collect::<Vec<_>>());
        let advice = shell.wrong("store", &["NOPERM", "ACL SETUSER"]);
        typed(&redis, &advice, "tps");
        shell.well(rights);
    }
    // What it advises is enough for a login, too.
    shell.token();
    shell.well("after a login");
    assert_eq!(redis.said(&["--scan", "--pattern", "*:lock"]), "", "the lock was released");
    shell
        .set("TPS_CACHE", &url("tps:wr0ng@"))
        .wrong("store", &["refuses user or password", "correct user and password"]);
    shell.set("TPS_CACHE", &url("tps:s3s%40me@")).well("the right one");
    redis.said(&["CONFIG", "SET", "requirepass", "s3s@me"]);
    shell.set("TPS_CACHE", &url("")).wrong("store", &["NOAUTH", "redis://:PASSWORD@HOST"]);
    shell.set("TPS_CACHE", &url(":s3s%40me@")).well("with the password");
}

#[test]
fn a_server_that_is_down_or_somewhere_else() {
    let mut redis = Redis::start(&[]);
    let mut shell = shell(&Fault::new("ok"), &redis.url());
    redis.end();
    shell.wrong("store", &["refused", "start that server"]);
    redis.again(&[]);
    shell.well("it was started");
    redis.signal(Signal::SIGSTOP);
    shell.wrong("store", &["does not answer in time", "PING"]);
    redis.signal(Signal::SIGCONT);
    shell.well("it goes on");
    shell.set("TPS_CACHE", "redis://redis.invalid").wrong("store", &["host name is not", "correct the host"]);
    shell.set("TPS_CACHE", &redis.url()).well("the right host");
}

#[test]
fn a_replica_that_can_only_be_read() {
    let (primary, redis) = (Redis::start(&[]), Redis::start(&[]));
    let mut shell = shell(&Fault::new("ok"), &redis.url());
    redis.said(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]);
    wait_for(|| redis.said(&["INFO", "replication"]).contains("master_link_status:up"));
    let advice = shell.wrong("store", &["READONLY", "name the primary"]);
    shell.set("TPS_CACHE", &primary.url()).well("the primary is named");
    typed(&redis, &advice, "");
    shell.set("TPS_CACHE", &redis.url()).well("it is a primary");
}

#[test]
fn a_node_of_a_cluster_that_is_named_alone() {
    let bus = free_port().to_string();
    let redis = Redis::start(&["--cluster-enabled", "yes", "--cluster-port", &bus]);
    let mut shell = shell(&Fault::new("ok"), &redis.url());
    shell.wrong("store", &["CLUSTERDOWN", "redis-cli --cluster check"]);
    redis.said(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    wait_for(|| redis.said(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
    let node = format!("redis+cluster://127.0.0.1:{}", redis.port);
    shell.wrong("cluster", &["names it alone", &node]);
    shell.set("TPS_CACHE", &node).well("as a cluster");
}

#[test]
fn sentinels_that_do_not_know_the_service_or_have_no_primary() {
    let mut primary = Redis::start(&[]);
    let file = primary.scratch.path("sentinel.conf");
    let watched =
        format!("sentinel monitor shop 127.0.0.1 {} 1\nsentinel down-after-milliseconds shop 60000\n", primary.port);
    fs::write(&file, watched).unwrap();
    let sentinel = Redis::by_file(&file, &["--sentinel"]);
    let url = |service: &str| format!("redis+sentinel://127.0.0.1:{}/{service}", sentinel.port);
    let mut shell = shell(&Fault::new("ok"), &url("ship"));
    shell.wrong("store", &["do not know the service", "SENTINEL MASTERS"]);
    assert!(sentinel.said(&["SENTINEL", "MASTERS"]).contains("shop"), "as it says");
    shell.set("TPS_CACHE", &url("shop")).well("the right name");
    primary.end();
    shell.wrong("store", &[&format!("the primary 127.0.0.1:{}: ", primary.port), "refused", "start that server"]);
    primary.again(&[]);
    shell.well("it was started");
}

#[test]
fn tokens_of_passwords_that_were_changed() {
    let redis = Redis::start(&[]);
    let fault = Fault::new("ok");
    let mut shell = shell(&fault, &redis.url());
    let unused = || {
        let key = redis.said(&["--scan", "--pattern", "tps:{*}"]);
        let left = 360 * 24 * 3600;
        assert_eq!(redis.said(&["EXPIRE", &key, &left.to_string()]), "1");
    };
    shell.token();
    unused();
    shell.set("TPS_PASSWORD", "s3same-open-2").token();
    let advice = shell.wrong("entries", &["1 of 2 were not used for 30 days", "tps logout"]);
    assert_eq!(shell.set("TPS_PASSWORD", shell::PASSWORD).text(&["logout"]).0, 0);
    shell.set("TPS_PASSWORD", "s3same-open-2").well("it was given back");
    typed(&redis, &advice, "");
    shell.well("and removed");
    assert_eq!(redis.said(&["--scan", "--pattern", "tps:{*}"]).lines().count(), 1);
    assert_eq!(fault.seen()["tokens"], 1);
}

#[test]
fn locks_that_stay() {
    let redis = Redis::with_clock();
    let fault = Fault::new("hang");
    let mut shell = shell(&fault, &redis.url());
    shell.option("timeout_ms", 60_000);
    let (mut hanging, process) = shell.stopped_in_a_login(&fault);
    shell.option("timeout_ms", 1500);
    let advice = shell.wrong("lock", &["another process has it (tps:{", "wait ", "expired"]);
    redis.set_ahead(seconds(&advice));
    // It has expired. That of this host's files does not.
    let advice = shell.wrong("lock", &[&format!("process {process} (tps) has it"), "if it hangs, end it"]);
    shell::typed(&advice, "kill");
    hanging.wait().unwrap();
    shell.well("it was ended");
    shell.option("timeout_ms", 15_000).token();
    shell.option("timeout_ms", 1500);
    // As a tool leaves it that copies keys without their times.
    let key = format!("{}:lock", redis.said(&["--scan", "--pattern", "tps:{*}"]));
    redis.said(&["SET", &key, "another"]);
    let advice = shell.wrong("lock", &["does not expire", &key]);
    typed(&redis, &advice, "");
    shell.well("it was deleted");
}
