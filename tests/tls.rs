//! Whom the library trusts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use common::child;
use common::{Fault, Scratch};
use serde_json::{Value, json};
use tps::Status;

#[test]
fn child() {
    child::run();
}

fn authority() -> String {
    std::env::var("TPS_TEST_CA").expect("TPS_TEST_CA is not set: run tests/run.sh")
}

#[test]
fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let fault = Fault::tls("ok");
    fault.client(json!({"ca_file": authority()})).token().unwrap();
    assert_eq!(fault.logins(), 1);
}

fn memory() -> Value {
    json!({"cache": "memory"})
}

#[test]
fn the_usual_variables_name_it_too() {
    let fault = Fault::tls("ok");
    let scratch = Scratch::new();
    let directory = scratch.path("certificates");
    fs::create_dir(&directory).unwrap();
    fs::copy(authority(), directory.join("authority.pem")).unwrap();
    assert!(Command::new("openssl").arg("rehash").arg(&directory).status().unwrap().success());
    let by_file = fault.ask_with(memory()).environment("SSL_CERT_FILE", authority());
    let by_directory = fault.ask_with(memory()).environment("SSL_CERT_DIR", &directory);
    for ask in [by_file, by_directory] {
        let answer = ask.now();
        assert!(answer["token"].is_string(), "{answer}");
    }
    // With a place for others beside it, too.
    let both = fault.ask_with(memory()).environment("SSL_CERT_DIR", &directory);
    let both = both.environment("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt");
    assert!(both.now()["token"].is_string());
}

#[test]
fn the_systems_store_is_trusted() {
    // In a mount namespace of its own, where that can be had.
    if !Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success()) {
        return;
    }
    let fault = Fault::tls("ok");
    let scratch = Scratch::new();
    let store = scratch.path("system");
    fs::create_dir(&store).unwrap();
    fs::copy(authority(), store.join("ca-certificates.crt")).unwrap();
    let mut ask = fault.ask_with(memory()).environment("STORE", &store);
    ask.before = "[ -n \"$UNSHARED\" ] || UNSHARED=1 exec unshare -m \"$0\" -c \"mount --bind $STORE /etc/ssl/certs && exec \\\"\\$@\\\"\" sh \"$@\";";
    let answer = ask.now();
    assert!(answer["token"].is_string(), "{answer}");
}

#[test]
fn what_is_not_trusted_is_said_to_be_so_with_its_reason() {
    for (fault, trusted, words) in [
        (Fault::tls("ok"), false, vec!["unknown issuer", "ca_file"]),
        (Fault::tls_by_another_name("ok"), true, vec!["another host", "127.0.0.1", "base_url"]),
        (Fault::tls_expired(), true, vec!["expired"]),
        (Fault::tls_self_signed(), true, vec!["self-signed", "ca_file"]),
    ] {
        let options = if trusted { json!({"ca_file": authority()}) } else { json!({}) };
        let client = fault.client(options);
        let error = client.token().unwrap_err();
        assert_eq!(error.status, Status::Tls, "{error}");
        assert!(words.iter().all(|word| error.message.contains(word)), "{words:?}: {error}");
        assert_eq!(fault.seen()["requests"], 0, "{error}");
        let stats: Value = serde_json::from_str(&client.stats()).unwrap();
        assert_eq!(stats["login_budget_left"], 3, "nothing can have been made");
    }
}

#[test]
fn a_file_without_certificates_is_said_to_be_so() {
    let scratch = Scratch::new();
    fs::write(scratch.path("empty.pem"), "nothing").unwrap();
    let error = Fault::tls("ok").client(json!({"ca_file": scratch.path("empty.pem")})).token().unwrap_err();
    assert_eq!(error.status, Status::Tls);
    assert!(error.message.contains("ca_file holds no certificate"), "{error}");
}

#[test]
fn what_speaks_no_tls_is_said_to_be_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            // As web servers do.
            stream.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").unwrap();
        }
    });
    let error = common::client("a@example.com", "b", "c", &base_url, json!({})).token().unwrap_err();
    assert_eq!(error.status, Status::Tls, "{error}");
    assert!(error.message.contains("does not speak TLS"), "{error}");
}

#[test]
fn a_lost_answer_is_known_as_such_through_tls_too() {
    let fault = Fault::tls("close");
    let error = fault.client(json!({"ca_file": authority()})).token().unwrap_err();
    assert_eq!(error.status, Status::OutcomeUnknown, "{error}");
    assert_eq!(fault.logins(), 1);
}
