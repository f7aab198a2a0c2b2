//! What the server can answer, and what becomes of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use common::{Fault, Organization, PASSWORD, client};
use serde_json::json;
use tps::{Error, Status};

/// The failure of a first login, after checks that hold for each: one line, no secret, and the same again without a request.
fn failure(scenario: &str) -> Error {
    let fault = Fault::new(scenario);
    let client = fault.client(json!({"timeout_ms": 3000}));
    let error = client.token().map(|_| ()).expect_err(scenario);
    assert!(!error.message.contains(PASSWORD) && !error.message.contains("hari@"), "{scenario}: {error}");
    assert!(!error.message.contains(|c: char| c.is_control()), "{scenario}: {error}");
    assert!(error.retry_after >= Duration::from_millis(400), "{scenario}: {error:?}");
    assert_eq!(client.token().unwrap_err().status, error.status, "{scenario}");
    assert_eq!(fault.logins(), 1, "{scenario}");
    error
}

#[test]
fn faults_have_their_status() {
    use Status::*;
    for (scenario, status, http_status) in [
        ("wrong-password", Credentials, 400),
        ("detail-401", Credentials, 401),
        ("echo", Credentials, 400),
        ("limit-400", TokenLimit, 400),
        ("limit-403", TokenLimit, 403),
        ("limit-409", TokenLimit, 409),
        ("retry-after-none", Throttled, 429),
        ("retry-after-seconds2", Throttled, 429),
        ("retry-after-date", Throttled, 429),
        ("retry-after-nonsense", Throttled, 429),
        ("retry-after-negative", Throttled, 429),
        ("retry-after-huge", Throttled, 429),
        ("html500", Server, 500),
        ("html-as-json502", Server, 502),
        ("503", Server, 503),
        ("html504", OutcomeUnknown, 504),
        ("html200", UnexpectedResponse, 200),
        ("html-as-json200", UnexpectedResponse, 200),
        ("html404", UnexpectedResponse, 404),
        ("empty", UnexpectedResponse, 200),
        ("notjson", UnexpectedResponse, 200),
        ("array", UnexpectedResponse, 200),
        ("token-null", UnexpectedResponse, 200),
        ("token-empty", UnexpectedResponse, 200),
        ("token-string-null", UnexpectedResponse, 200),
        ("token-number", UnexpectedResponse, 200),
        ("token-list", UnexpectedResponse, 200),
        ("token-object", UnexpectedResponse, 200),
        ("token-absent", UnexpectedResponse, 200),
        ("token-crlf", UnexpectedResponse, 200),
        ("token-control", UnexpectedResponse, 200),
        ("token-space", UnexpectedResponse, 200),
        ("token-unicode", UnexpectedResponse, 200),
        ("token-long5000", UnexpectedResponse, 200),
        ("redirect301", UnexpectedResponse, 301),
        ("redirect302", UnexpectedResponse, 302),
        ("redirect307", UnexpectedResponse, 307),
        ("redirect308", UnexpectedResponse, 308),
        ("big", UnexpectedResponse, 200),
        ("bomb", UnexpectedResponse, 200),
        ("nothttp", UnexpectedResponse, 0),
        ("close", OutcomeUnknown, 0),
        ("reset", OutcomeUnknown, 0),
        ("truncated", OutcomeUnknown, 0),
        ("lost", OutcomeUnknown, 0),
    ] {
        let error = failure(scenario);
        assert_eq!((error.status, error.http_status.unwrap_or(0)), (status, http_status), "{scenario}: {error}");
    }
}

#[test]
fn good_answers_in_odd_clothes_are_read() {
    for scenario in
        ["ok", "bom", "gzip", "chunked", "token-long4096", "life60", "expiry-naive", "expiry-offset", "expiry-whole"]
    {
        let fault = Fault::new(scenario);
        assert!(fault.client(json!({})).token().is_ok(), "{scenario}");
    }
}

#[test]
fn a_redirect_names_its_host_and_nobody_goes_there() {
    let fault = Fault::new("redirect307");
    let error = fault.client(json!({})).token().unwrap_err();
    assert!(error.message.contains("127.0.0.2"), "{error}");
    assert_eq!(fault.seen()["requests"], 1);
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
fn a_server_that_never_answers_is_given_up_at_the_deadline() {
    for scenario in ["hang", "drip-header", "drip-body"] {
        let fault = Fault::new(scenario);
        let start = Instant::now();
        let error = fault.client(json!({"timeout_ms": 1500})).token().unwrap_err();
        assert_eq!(error.status, Status::OutcomeUnknown, "{scenario}: {error}");
        assert!(start.elapsed() < Duration::from_millis(2500), "{scenario}: {:?}", start.elapsed());
        assert_eq!(fault.logins(), 1);
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
fn a_login_is_sent_as_the_server_wants_it() {
    let organization = Organization::new(json!({}));
    organization.client(json!({"user_agent": "shop/2"})).token().unwrap();
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
}
