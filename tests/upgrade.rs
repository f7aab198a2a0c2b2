//! What version 0.1.0 left behind serves on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::{Scratch, client, stats};
use serde_json::json;

/// Version 0.1.0 wrote `fixtures/store-0.1.0` for these arguments and the option `token`. Nothing listens at port 9.
const USERNAME: &str = "hari@example.com";
const PASSWORD: &str = "made up for this test";
const BASE_URL: &str = "http://127.0.0.1:9";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn left_behind(scratch: &Scratch) -> String {
    let directory = scratch.path("store");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    for file in fs::read_dir("tests/fixtures/store-0.1.0").unwrap().flatten() {
        let copy = directory.join(file.file_name());
        fs::copy(file.path(), &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).unwrap();
    }
    format!("file:{}", directory.display())
}

#[test]
fn a_token_of_version_0_1_0_is_used_without_a_login() {
    let scratch = Scratch::new();
    let options = json!({"cache": left_behind(&scratch), "timeout_ms": 2000});
    let client = client(USERNAME, PASSWORD, "auhf2k", BASE_URL, options);
    assert_eq!(client.token().unwrap().value.expose(), TOKEN);
    let stats = stats(&client);
    assert_eq!((&stats["adopted"], &stats["logins"], &stats["login_budget_left"]), (&json!(1), &json!(0), &json!(3)));
    assert_eq!((&stats["store"]["degraded"], &stats["hold_off"]), (&json!(false), &json!(null)));
    assert_eq!(stats["token"]["expires_at"], json!(null));
}

#[test]
fn it_is_nobody_elses() {
    let scratch = Scratch::new();
    let options = json!({"cache": left_behind(&scratch), "timeout_ms": 2000});
    let client = client(USERNAME, "another password", "auhf2k", BASE_URL, options);
    assert!(client.token().is_err());
}
