//! What the server can answer, and what follows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;

use common::{Fault, Hands, Organization, PASSWORD, client};
use serde_json::json;
use tps::{Error, Status};

/// The failure of a first login, after checks that hold for each: one line, no secret, the same again without a request, and
/// all well once the server is.
fn failure(scenario: &str) -> Error {
    let fault = Fault::new(scenario);
    let hands = Hands::new();
    let client = fault.client_at(json!({"timeout_ms": 3000}), hands.clone());
    let error = client.token().map(|_| ()).expect_err(scenario);
    assert_clean(&error, scenario);
    assert!(error.retry_after >= Duration::from_millis(400), "{scenario}: {error:?}");
    assert_eq!(client.token().unwrap_err().status, error.status, "{scenario}");
    assert_eq!(fault.logins(), 1, "{scenario}");
    fault.change("ok");
    hands.pass(error.retry_after);
    client.token().expect(scenario);
    error
}

fn assert_clean(error: &Error, scenario: &str) {
    let message = error.to_string();
    let shown = message.to_lowercase();
    for secret in [PASSWORD, "hari@", "battéry", "batt\\u00e9ry", "batt%c3%a9ry", "h&lt;rse", "0123456789abcdef"] {
        assert!(!shown.contains(&secret.to_lowercase()), "{scenario}: {message}");
    }
    assert!(!message.contains(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{202e}'), "{scenario}: {message}");
    assert!(message.len() < 400, "{scenario}: {message}");
}

#[test]
fn faults_have_their_status() {
    let failures: BTreeMap<String, (String, u16)> =
        serde_json::from_str(&std::fs::read_to_string("tests/faults/failures.json").unwrap()).unwrap();
    for (scenario, (status, http_status)) in failures {
        let error = failure(&scenario);
        let name = format!("{:?}", error.status).to_lowercase();
        assert_eq!(name, status.replace('_', ""), "{scenario}: {error}");
        assert_eq!(error.http_status.unwrap_or(0), http_status, "{scenario}: {error}");
    }
}

#[test]
fn the_servers_text_is_quoted_without_what_it_repeats() {
    for scenario in ["echo-json", "echo-url", "echo-form", "echo-html"] {
        let error = failure(scenario);
        assert!(error.message.ends_with(": [redacted] is wrong, [redacted]"), "{scenario}: {error}");
    }
    assert!(failure("echo-token").message.ends_with(": Token [redacted] is not this organization's"));
    assert!(failure("long-text").message.contains("All is lost. All is lost."));
}

#[test]
fn good_answers_in_odd_clothes_are_read() {
    for scenario in [
        "ok",
        "bom",
        "gzip",
        "gzip-x",
        "gzip-upper",
        "gzip-unnamed",
        "gzip-twice",
        "gzip-token-named-only",
        "chunked",
        "token-long4096",
        "life60",
        "expiry-naive",
        "expiry-offset",
        "expiry-whole",
        "early-hints",
        "http10",
        "until-the-end",
        "cookie",
    ] {
        let fault = Fault::new(scenario);
        assert!(fault.client(json!({})).token().is_ok(), "{scenario}");
    }
}

#[test]
fn a_redirect_names_its_host_and_nobody_goes_there() {
    for status in [301, 302, 303, 307, 308] {
        let fault = Fault::new(&format!("redirect{status}"));
        let error = fault.client(json!({})).token().unwrap_err();
        assert!(error.message.contains("127.0.0.2"), "{error}");
        assert_eq!(fault.seen()["requests"], 1);
    }
}

#[test]
fn the_stated_wait_is_kept_within_bounds() {
    for (scenario, least, most) in [
        ("retry-after-seconds7", 6, 7),
        ("retry-after-nonsense", 59, 60),
        ("retry-after-none", 59, 60),
        ("retry-after-huge", 3599, 3600),
    ] {
        let seconds = failure(scenario).retry_after;
        assert!(
            seconds > Duration::from_secs(least) && seconds <= Duration::from_secs(most),
            "{scenario}: {seconds:?}"
        );
    }
}

#[test]
fn nothing_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = client("a@example.com", "b", "c", &format!("http://127.0.0.1:{port}"), json!({})).token().unwrap_err();
    assert_eq!(error.status, Status::Network, "{error}");
    assert!(error.message.contains("refused"), "{error}");
}

#[test]
fn what_the_real_server_refuses() {
    let organization = Organization::new(json!({"token_limit": 0}));
    assert_eq!(organization.client_with("wrong", json!({})).token().unwrap_err().status, Status::Credentials);
    let base_url = std::env::var("TPS_TEST_SERVER").unwrap();
    let unknown =
        client(&organization.username, &organization.password, "nope", &base_url, json!({})).token().unwrap_err();
    assert_eq!(unknown.status, Status::Credentials);
    assert!(unknown.message.contains("uuid=nope"), "{unknown}");
    let full = organization.client(json!({})).token().unwrap_err();
    assert_eq!((full.status, full.http_status), (Status::TokenLimit, Some(403)));
    assert!(full.message.contains("log out"), "{full}");
}

#[test]
fn a_login_is_sent_as_the_server_wants_it_each_time() {
    let organization = Organization::new(json!({}));
    let client = organization.client(json!({"user_agent": "shop/2"}));
    for _ in 0..2 {
        client.token().unwrap();
        let headers = &organization.now()["last_login_headers"];
        for (name, value) in [
            ("content-type", "application/json"),
            ("accept", "application/json"),
            ("accept-language", "en"),
            ("cache-control", "no-cache"),
            ("user-agent", concat!("shop/2 libtps/", env!("CARGO_PKG_VERSION"))),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        for absent in ["authorization", "cookie"] {
            assert!(headers.get(absent).is_none(), "{absent}");
        }
        client.logout().unwrap();
    }
}

#[test]
fn each_request_has_these_bytes_and_no_others() {
    let fault = Fault::new("cookie");
    let hands = Hands::new();
    let client = fault.client_at(json!({}), hands.clone());
    for _ in 0..3 {
        let token = client.token().unwrap();
        fault.revoke();
        client.invalidate(token.value.expose()).unwrap();
        hands.pass(Duration::from_secs(31));
    }
    let seen = fault.seen();
    let requests = seen["log"].as_array().unwrap();
    assert_eq!(requests.len(), 5);
    for request in requests {
        let (line, headers) = (request["line"].as_str().unwrap(), &request["headers"]);
        let mut names: Vec<_> = headers.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort();
        let mut wanted = vec!["accept", "accept-language", "cache-control", "connection", "host", "user-agent"];
        if line.starts_with("POST ") {
            assert!(line.ends_with("/api/auth/login/ HTTP/1.1"), "{line}");
            wanted.extend(["content-length", "content-type"]);
            let body: serde_json::Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
            let login = json!({"username": "hari@example.com", "password": PASSWORD, "organization_id": "auhf2k"});
            assert_eq!(body, login);
        } else {
            assert!(line.ends_with("/api/v1/organizations/ HTTP/1.1"), "{line}");
            wanted.push("authorization");
        }
        wanted.sort();
        assert_eq!(names, wanted, "{line}");
    }
}

#[test]
fn a_login_of_six_seconds_works() {
    Fault::new("slow6").client(json!({})).token().unwrap();
}

#[test]
fn a_password_with_a_line_break_at_its_end_is_told_so_once_it_is_refused() {
    let fault = Fault::new("wrong-password");
    let refused = |password: &str| {
        let client = common::client("hari@example.com", password, "auhf2k", &fault.base_url, json!({}));
        client.token().unwrap_err().message
    };
    for password in ["welcome\n", "welcome\r\n"] {
        let said = refused(password);
        assert!(said.contains("ends in a line break") && !said.contains("welcome"), "{said}");
    }
    assert!(!refused("welcome").contains("line break"));
    // Where it is the right one, it serves.
    let fault = Fault::new("ok");
    common::client("hari@example.com", "welcome\n", "auhf2k", &fault.base_url, json!({})).token().unwrap();
}
