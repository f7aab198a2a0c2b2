//! Through whom requests leave this machine, by tinyproxy and microsocks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::process::Command;
use std::time::Duration;

use common::child::{self, Ask};
use common::proxy::Proxy;
use common::{Fault, Hands, free_port};
use serde_json::{Value, json};
use tps::{Error, Status};

#[test]
fn child() {
    child::run();
}

fn trusting(options: Value) -> Value {
    let mut options = options;
    options["ca_file"] = std::env::var("TPS_TEST_CA").unwrap().into();
    options["cache"] = "memory".into();
    options
}

fn server_port() -> String {
    let server = std::env::var("TPS_TEST_TLS").unwrap();
    server.rsplit_once(':').unwrap().1.to_owned()
}

/// A login at the TLS server in a process with these variables.
fn with_environment(variables: &[(&str, String)]) -> (Fault, Value) {
    let fault = Fault::tls("ok");
    let ask = fault.ask_with(trusting(json!({})));
    let ask = variables.iter().fold(ask, |ask: Ask, (name, value)| ask.environment(name, value));
    let answer = ask.now();
    (fault, answer)
}

#[test]
fn the_environment_names_a_proxy() {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let proxy = Proxy::http("");
        let (fault, answer) = with_environment(&[(name, proxy.url("http", ""))]);
        assert!(answer["token"].is_string() && proxy.used(), "{name}: {answer}");
        assert_eq!(fault.logins(), 1);
    }
}

#[test]
fn the_environment_excepts_hosts() {
    let here = server_port();
    for (excepted, used) in [
        ("127.0.0.1".to_owned(), false),
        ("example.com 127.0.0.1.".to_owned(), false),
        ("127.0.0.0/8".to_owned(), false),
        (format!("127.0.0.1:{here}"), false),
        ("*".to_owned(), false),
        ("example.com,127.0.0.1:1,10.0.0.0/8,::1".to_owned(), true),
    ] {
        let proxy = Proxy::http("");
        let variables = [("HTTPS_PROXY", proxy.url("http", "")), ("NO_PROXY", excepted.clone())];
        let (_, answer) = with_environment(&variables);
        assert!(answer["token"].is_string(), "{excepted}: {answer}");
        assert_eq!(proxy.used(), used, "{excepted}");
    }
}

#[test]
fn a_request_header_under_cgi_names_none() {
    for name in ["HTTP_PROXY", "http_proxy"] {
        let proxy = Proxy::http("");
        let (_, answer) = with_environment(&[(name, proxy.url("http", ""))]);
        assert!(answer["token"].is_string() && !proxy.used(), "{name}: {answer}");
    }
}

#[test]
fn the_option_goes_before_the_environment() {
    let (named, other) = (Proxy::http(""), Proxy::http(""));
    let fault = Fault::tls("ok");
    for (option, used) in [(named.url("http", ""), true), ("none".to_owned(), false)] {
        let ask = fault.ask_with(trusting(json!({"proxy": option})));
        let answer = ask.environment("HTTPS_PROXY", other.url("http", "")).now();
        assert!(answer["token"].is_string(), "{answer}");
        assert_eq!((named.used(), other.used()), (true, false), "{option}, {used}");
    }
}

#[test]
fn plain_http_to_this_machine_goes_straight() {
    let proxy = Proxy::http("");
    let fault = Fault::new("ok");
    fault.client(json!({"proxy": proxy.url("http", "")})).token().unwrap();
    assert!(!proxy.used());
}

#[test]
fn a_proxy_can_ask_who_it_is() {
    let proxy = Proxy::http("BasicAuth clerk s3same");
    let fault = Fault::tls("ok");
    fault.client(trusting(json!({"proxy": proxy.url("http", "clerk:s3%73ame@")}))).token().unwrap();
    for (user, status) in [("", "(407)"), ("clerk:wr0ng@", "(401)")] {
        let error = refused(proxy.url("http", user));
        assert!(error.message.contains(status) && error.message.contains("into its URL"), "{error}");
    }
}

#[test]
fn a_proxy_that_refuses_its_user_is_asked_once_a_call_and_not_again_for_a_while() {
    let proxy = Proxy::http("BasicAuth clerk s3same");
    let hands = Hands::new();
    let options = trusting(json!({"proxy": proxy.url("http", "clerk:wr0ng@")}));
    let client = Fault::tls("ok").client_at(options, hands.clone());
    for (call, hold_off) in [60_u32, 60, 300, 300].into_iter().enumerate() {
        for _ in 0..3 {
            let error = client.token().unwrap_err();
            assert_eq!(error.status, Status::Network, "{error}");
            assert!(error.message.contains("into its URL"), "{error}");
            assert_eq!(error.retry_after.as_secs_f64().ceil(), f64::from(hold_off));
        }
        assert_eq!(proxy.requests(), call + 1);
        hands.pass(Duration::from_secs(hold_off.into()));
    }
}

#[test]
fn a_socks_proxy_serves_too() {
    let proxy = Proxy::socks();
    for scheme in ["socks5", "socks5h"] {
        let fault = Fault::tls("ok");
        fault.client(trusting(json!({"proxy": proxy.url(scheme, "clerk:s3s%40me@")}))).token().unwrap();
        assert_eq!(fault.logins(), 1);
    }
    assert!(proxy.used());
    refused(proxy.url("socks5", "clerk:wr0ng@"));
}

/// The failure of a login through a proxy that does not connect: it names the proxy, not its password.
fn refused(proxy: String) -> Error {
    let fault = Fault::tls("ok");
    let client = fault.client(trusting(json!({"proxy": proxy})));
    let error = client.token().unwrap_err();
    assert_eq!(error.status, Status::Network, "{error}");
    assert!(error.message.contains("the proxy 127.0.0.1:") && !error.message.contains("wr0ng"), "{error}");
    assert!(!client.stats().contains("wr0ng"));
    assert_eq!(fault.logins(), 0);
    error
}

#[test]
fn a_proxy_that_does_not_connect_is_named() {
    refused(format!("http://clerk:wr0ng@127.0.0.1:{}", free_port()));
    // It lets nobody out but to this port.
    let error = refused(Proxy::http("ConnectPort 443").url("http", "clerk:wr0ng@"));
    assert!(error.message.contains("403"), "{error}");
}

#[test]
fn a_proxy_that_cannot_be_one_is_refused_without_its_password() {
    for (name, value) in [("HTTPS_PROXY", "ftp://clerk:s3s@me@127.0.0.1:1"), ("ALL_PROXY", "http://clerk:s3s@me@:x")] {
        let fault = Fault::tls("ok");
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env("TPS_TEST_CHILD", fault.ask_with(trusting(json!({}))).told.to_string())
            .env(name, value)
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
        assert!(said.contains("HTTPS_PROXY") && said.contains("proxy.example") && !said.contains("s3s"), "{said}");
    }
}
