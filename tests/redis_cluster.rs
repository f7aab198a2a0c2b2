//! A cluster: one node and more, hash slots that move, a primary that dies.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::path::Path;

use common::child::{self, Ask};
use common::free_port;
use common::redis::{Redis, all_have_the_same, at_once, trouble};
use common::{Fault, wait_for};
use serde_json::json;

#[test]
fn child() {
    child::run();
}

/// Primaries that share all hash slots.
struct Cluster {
    nodes: Vec<Redis>,
    settings: Vec<String>,
}

impl Cluster {
    fn of(primaries: usize) -> Self {
        Self::with(primaries, &[])
    }

    fn with(primaries: usize, settings: &[&str]) -> Self {
        let settings = settings.iter().map(|text| (*text).to_owned()).collect();
        let mut cluster = Self { nodes: Vec::new(), settings };
        for number in 0..primaries {
            cluster.join();
            let (first, last) = (16384 * number / primaries, 16384 * (number + 1) / primaries - 1);
            cluster.nodes[number].said(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
        }
        cluster.wait();
        cluster
    }

    /// One more node.
    fn join(&mut self) {
        let bus = free_port().to_string();
        let mut settings = vec!["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "1500"];
        settings.extend(self.settings.iter().map(String::as_str));
        let node = Redis::start(&settings);
        if let Some(first) = self.nodes.first() {
            first.said(&["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string(), &bus]);
        }
        self.nodes.push(node);
    }

    fn wait(&self) {
        let count = format!("cluster_known_nodes:{}", self.nodes.len());
        wait_for(|| {
            self.nodes.iter().all(|node| {
                let told = node.said(&["CLUSTER", "INFO"]);
                told.contains("cluster_state:ok") && told.contains(&count)
            })
        });
    }

    fn url(&self) -> String {
        let nodes: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis+cluster://{}", nodes.join(","))
    }

    fn id(&self, node: usize) -> String {
        self.nodes[node].said(&["CLUSTER", "MYID"])
    }

    fn ask(&self, host: &str, fault: &Fault) -> Ask {
        self.nodes[0].placed(host, fault.ask_with(json!({"cache": self.url()})))
    }

    /// The node that has the entry, and the entry's hash slot.
    fn owner(&self) -> (usize, String) {
        let keys: Vec<_> = self.nodes.iter().map(|node| node.said(&["--scan", "--pattern", "tps:{*}"])).collect();
        let owner = keys.iter().position(|keys| !keys.is_empty()).unwrap();
        (owner, self.nodes[owner].said(&["CLUSTER", "KEYSLOT", &keys[owner]]))
    }

    fn begin_to_move(&self, slot: &str, from: usize, to: usize) {
        self.nodes[to].said(&["CLUSTER", "SETSLOT", slot, "IMPORTING", &self.id(from)]);
        self.nodes[from].said(&["CLUSTER", "SETSLOT", slot, "MIGRATING", &self.id(to)]);
    }

    fn move_keys(&self, slot: &str, from: usize, to: usize) {
        let keys = self.nodes[from].said(&["CLUSTER", "GETKEYSINSLOT", slot, "10"]);
        for key in keys.lines() {
            let port = self.nodes[to].port.to_string();
            assert_eq!(self.nodes[from].said(&["MIGRATE", "127.0.0.1", &port, key, "0", "1000"]), "OK");
        }
    }

    fn end_of_move(&self, slot: &str, to: usize) {
        let id = self.id(to);
        self.nodes.iter().for_each(|node| drop(node.said(&["CLUSTER", "SETSLOT", slot, "NODE", &id])));
    }
}

#[test]
fn hosts_share_a_token_by_one_node_and_by_three() {
    for nodes in [1, 3] {
        let cluster = Cluster::of(nodes);
        let fault = Fault::new("ok");
        let asks: Vec<_> = (0..4).map(|n| cluster.ask(["one", "other"][n % 2], &fault)).collect();
        let mut answers = at_once(&asks);
        // A plain URL of any node will do.
        for node in &cluster.nodes {
            answers.push(cluster.nodes[0].placed("third", fault.ask_with(json!({"cache": node.url()}))).now());
        }
        all_have_the_same(&answers);
        assert!(answers.iter().all(|answer| trouble(answer).is_empty()), "{answers:?}");
        assert_eq!(answers[0]["stats"]["store"]["place"], cluster.url());
        assert_eq!(fault.logins(), 1, "{nodes}");
    }
}

#[test]
fn a_slot_moves_while_its_token_is_used() {
    let cluster = Cluster::of(2);
    let fault = Fault::new("ok");
    let token = all_have_the_same(&[cluster.ask("one", &fault).now()]);
    let (from, slot) = cluster.owner();
    let to = 1 - from;
    let still = |host: &str| {
        let answers = [cluster.ask("one", &fault).now(), cluster.ask(host, &fault).now()];
        assert_eq!(all_have_the_same(&answers), token, "{host}");
        assert!(answers.iter().all(|answer| trouble(answer).is_empty()), "{host}: {answers:?}");
    };
    cluster.begin_to_move(&slot, from, to);
    still("before its keys");
    cluster.move_keys(&slot, from, to);
    still("after its keys");
    cluster.end_of_move(&slot, to);
    still("at last");
    assert_eq!(fault.logins(), 1);
}

#[test]
fn a_slot_moves_while_somebody_logs_in() {
    let cluster = Cluster::of(2);
    let fault = Fault::new("slow3");
    let mut asker = cluster.ask("one", &fault).start();
    asker.go();
    wait_for(|| fault.logins() == 1);
    let (from, slot) = cluster.owner();
    cluster.begin_to_move(&slot, from, 1 - from);
    cluster.move_keys(&slot, from, 1 - from);
    let answers = [asker.answer(), cluster.ask("other", &fault).now()];
    all_have_the_same(&answers);
    assert_eq!(trouble(&answers[0]), "");
    cluster.end_of_move(&slot, 1 - from);
    all_have_the_same(&[answers[0].clone(), cluster.ask("third", &fault).now()]);
    assert_eq!(fault.logins(), 1);
}

#[test]
fn a_primary_dies_and_the_token_lives_on_with_its_replica() {
    let mut cluster = Cluster::of(3);
    let fault = Fault::new("ok");
    let token = all_have_the_same(&[cluster.ask("one", &fault).now()]);
    let (owner, _) = cluster.owner();
    let id = cluster.id(owner);
    cluster.join();
    cluster.wait();
    wait_for(|| cluster.nodes[3].said(&["CLUSTER", "REPLICATE", &id]).contains("OK"));
    wait_for(|| {
        let told = cluster.nodes[3].said(&["INFO", "replication"]);
        told.contains("role:slave") && told.contains("master_link_status:up")
    });
    wait_for(|| cluster.nodes[(owner + 1) % 3].said(&["CLUSTER", "NODES"]).contains(&format!("slave {id}")));
    cluster.nodes[owner].end();
    // The hosts that had it do not need Redis.
    assert_eq!(all_have_the_same(&[cluster.ask("one", &fault).now()]), token);
    wait_for(|| cluster.nodes[3].said(&["INFO", "replication"]).contains("role:master"));
    wait_for(|| cluster.nodes[(owner + 1) % 3].said(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
    let answers = [cluster.ask("one", &fault).now(), cluster.ask("other", &fault).now()];
    assert_eq!(all_have_the_same(&answers), token);
    assert!(answers.iter().all(|answer| trouble(answer).is_empty()), "{answers:?}");
    assert_eq!(fault.logins(), 1);
}

#[test]
fn a_primary_dies_with_its_data_and_each_host_logs_in_once_at_most() {
    let mut cluster = Cluster::of(3);
    let fault = Fault::new("ok");
    let token = all_have_the_same(&[cluster.ask("one", &fault).now()]);
    let (owner, _) = cluster.owner();
    cluster.nodes[owner].end();
    assert_eq!(all_have_the_same(&[cluster.ask("one", &fault).now()]), token);
    for host in ["other", "third", "other", "third"] {
        let answer = cluster.nodes[(owner + 1) % 3].placed(host, fault.ask_with(json!({"cache": cluster.url()}))).now();
        assert!(!trouble(&answer).is_empty(), "{answer}");
    }
    assert_eq!(fault.logins(), 3);
}

#[test]
fn over_tls_and_with_a_password() {
    let authority = std::env::var("TPS_TEST_CA").unwrap();
    let file = |name: &str| Path::new(&authority).with_file_name(name).display().to_string();
    let (chain, key) = (file("server.crt"), file("server.key"));
    let mut cluster =
        Cluster::with(0, &["--tls-cert-file", &chain, "--tls-key-file", &key, "--tls-ca-cert-file", &authority]);
    let more = ["--tls-auth-clients", "no", "--tls-cluster", "yes", "--requirepass", "s3s@me", "--tls-port"];
    cluster.settings.extend(more.map(str::to_owned));
    let ports = [free_port().to_string(), free_port().to_string()];
    for (port, (first, last)) in ports.iter().zip([("0", "8191"), ("8192", "16383")]) {
        cluster.settings.push(port.clone());
        cluster.join();
        cluster.settings.pop();
        cluster.nodes[cluster.nodes.len() - 1].said(&["CLUSTER", "ADDSLOTSRANGE", first, last]);
    }
    cluster.wait();
    // One of the two has to be found by the other.
    for (host, port) in ["one", "other"].iter().zip(&ports) {
        let fault = Fault::new("ok");
        let options = json!({"cache": format!("rediss+cluster://:s3s%40me@127.0.0.1:{port}"), "ca_file": authority});
        let answers = ["", "second"]
            .map(|more| cluster.nodes[0].placed(&format!("{host}{more}"), fault.ask_with(options.clone())).now());
        all_have_the_same(&answers);
        assert!(answers.iter().all(|answer| trouble(answer).is_empty()), "{answers:?}");
        assert_eq!(fault.logins(), 1);
    }
}
