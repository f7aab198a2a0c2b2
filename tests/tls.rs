//! Whom the library trusts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::Fault;
use serde_json::json;
use tps::Status;

fn authority() -> String {
    std::env::var("TPS_TEST_CA").expect("TPS_TEST_CA is not set: run tests/run.sh")
}

#[test]
fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let fault = Fault::tls("ok");
    fault.client(json!({"ca_file": authority()})).token().unwrap();
    assert_eq!(fault.logins(), 1);
}

#[test]
fn an_unknown_authority_is_not() {
    let fault = Fault::tls("ok");
    let error = fault.client(json!({})).token().unwrap_err();
    assert_eq!(error.status, Status::Tls, "{error}");
    assert!(error.message.contains("UnknownIssuer") && error.message.contains("ca_file"), "{error}");
    assert_eq!(fault.logins(), 0);
}

#[test]
fn a_certificate_counts_for_its_own_name_only() {
    let fault = Fault::tls_by_another_name("ok");
    let error = fault.client(json!({"ca_file": authority()})).token().unwrap_err();
    assert_eq!(error.status, Status::Tls, "{error}");
    assert!(error.message.contains("not valid for name"), "{error}");
    assert_eq!(fault.logins(), 0);
}

#[test]
fn a_lost_answer_is_known_as_such_through_tls_too() {
    let fault = Fault::tls("close");
    let error = fault.client(json!({"ca_file": authority()})).token().unwrap_err();
    assert_eq!(error.status, Status::OutcomeUnknown, "{error}");
    assert_eq!(fault.logins(), 1);
}
