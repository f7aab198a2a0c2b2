//! The servers that tests/run.sh starts, as the tests see them.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod child;
mod clocks;
pub mod proxy;
#[cfg(feature = "redis")]
pub mod redis;

use std::iter;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tps::process::clock::{Clock, System};
use tps::{Client, Credentials, Options};

use child::Ask;
pub use clocks::{Ahead, Hands};

fn server(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run tests/run.sh, which starts the servers"))
}

fn call(method: &str, url: &str, body: Value) -> Value {
    let request = ureq::http::Request::builder().method(method).uri(url).header("Content-Type", "application/json");
    let mut answer = match method {
        "GET" => ureq::run(request.body(()).unwrap()),
        _ => ureq::run(request.body(body.to_string()).unwrap()),
    }
    .unwrap();
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap_or_default()
}

/// A user and an organization of a test's own, on the real server.
pub struct Organization {
    pub id: String,
    pub username: String,
    pub password: String,
}

impl Organization {
    pub fn new(settings: Value) -> Self {
        let made = call("POST", &format!("{}/_test/organizations/", server("TPS_TEST_SERVER")), settings);
        let text = |key: &str| made[key].as_str().expect("the server says who was made").to_owned();
        Self { id: text("organization_id"), username: text("username"), password: text("password") }
    }

    fn url(&self) -> String {
        format!("{}/_test/organizations/{}/", server("TPS_TEST_SERVER"), self.id)
    }

    /// One of the server's own counts.
    pub fn count(&self, name: &str) -> u64 {
        self.now()[name].as_u64().expect("a count")
    }

    pub fn now(&self) -> Value {
        call("GET", &self.url(), Value::Null)
    }

    pub fn change(&self, settings: Value) {
        call("PATCH", &self.url(), settings);
    }

    pub fn revoke(&self) {
        call("POST", &format!("{}revoke/", self.url()), json!({}));
    }

    /// Another process that asks for its token, with its store in `directory`.
    pub fn ask(&self, directory: &Path) -> Ask {
        self.ask_with(&self.password, json!({"cache": format!("file:{}", directory.display())}))
    }

    pub fn ask_with(&self, password: &str, mut options: Value) -> Ask {
        options["base_url"] = server("TPS_TEST_SERVER").into();
        Ask::new(&self.username, password, &self.id, options)
    }

    pub fn client(&self, options: Value) -> Client {
        self.client_with(&self.password, options)
    }

    /// By a clock of the test's.
    pub fn client_at(&self, options: Value, clock: Arc<dyn Clock>) -> Client {
        client_at(&self.username, &self.password, &self.id, &server("TPS_TEST_SERVER"), options, clock)
    }

    pub fn client_with(&self, password: &str, options: Value) -> Client {
        client(&self.username, password, &self.id, &server("TPS_TEST_SERVER"), options)
    }
}

/// One scenario of the fault server, under a key of its own.
pub struct Fault {
    pub base_url: String,
    key: String,
}

impl Fault {
    /// Over plain HTTP.
    pub fn new(scenario: &str) -> Self {
        Self::at(&server("TPS_TEST_FAULTS"), scenario)
    }

    /// Over TLS, with a certificate for 127.0.0.1 by the authority in `TPS_TEST_CA`.
    pub fn tls(scenario: &str) -> Self {
        Self::at(&server("TPS_TEST_TLS"), scenario)
    }

    /// Over TLS, with a certificate that has expired.
    pub fn tls_expired() -> Self {
        Self::at(&server("TPS_TEST_TLS_EXPIRED"), "ok")
    }

    /// Over TLS, with a certificate that is signed by itself.
    pub fn tls_self_signed() -> Self {
        Self::at(&server("TPS_TEST_TLS_SELF"), "ok")
    }

    /// Over TLS, by another host, which a child resolves that has `preloaded` what knows it.
    pub fn tls_at(host: &str, scenario: &str) -> Self {
        Self::at(&server("TPS_TEST_TLS").replace("127.0.0.1", host), scenario)
    }

    /// Over TLS, by a name that the certificate does not have.
    pub fn tls_by_another_name(scenario: &str) -> Self {
        Self::at(&server("TPS_TEST_TLS").replace("127.0.0.1", "localhost"), scenario)
    }

    fn at(server: &str, scenario: &str) -> Self {
        static KEYS: AtomicU32 = AtomicU32::new(0);
        let key = format!("rust-{}-{}", std::process::id(), KEYS.fetch_add(1, Ordering::Relaxed));
        Self { base_url: format!("{server}/{scenario}/{key}"), key }
    }

    pub fn client(&self, options: Value) -> Client {
        self.client_at(options, Arc::new(System))
    }

    /// By a clock of the test's.
    pub fn client_at(&self, options: Value, clock: Arc<dyn Clock>) -> Client {
        client_at("hari@example.com", PASSWORD, "auhf2k", &self.base_url, options, clock)
    }

    /// Answers by another scenario from now on.
    pub fn change(&self, scenario: &str) {
        let url = format!("{}/_scenario/{}", server("TPS_TEST_FAULTS"), self.key);
        ureq::post(url).send(scenario).unwrap();
    }

    pub fn revoke(&self) {
        ureq::post(format!("{}/_revoke/{}", server("TPS_TEST_FAULTS"), self.key)).send_empty().unwrap();
    }

    /// Another process that asks for a token, with its store in `directory`.
    pub fn ask(&self, directory: &Path) -> Ask {
        self.ask_with(json!({"cache": format!("file:{}", directory.display())}))
    }

    /// Another process that asks for a token.
    pub fn ask_with(&self, mut options: Value) -> Ask {
        options["base_url"] = self.base_url.clone().into();
        Ask::new("hari@example.com", PASSWORD, "auhf2k", options)
    }

    /// What the server saw: `requests`, `logins`, `log`.
    pub fn seen(&self) -> Value {
        call("GET", &format!("{}/_count/{}", server("TPS_TEST_FAULTS"), self.key), Value::Null)
    }

    pub fn logins(&self) -> u64 {
        self.seen()["logins"].as_u64().expect("a count")
    }

    pub fn requests(&self) -> u64 {
        self.seen()["requests"].as_u64().expect("a count")
    }

    /// What was asked for, in its order: `login`, `organizations`, `logout`.
    pub fn asked(&self) -> Vec<String> {
        let seen = self.seen();
        let lines = seen["log"].as_array().unwrap().iter().map(|request| request["line"].as_str().unwrap());
        lines.map(|line| line.split('/').rev().nth(2).unwrap().to_owned()).collect()
    }
}

/// A machine: its clock, and a directory in which its processes keep their tokens.
pub struct Machine {
    pub hands: Arc<Hands>,
    scratch: Scratch,
    processes: AtomicU32,
}

impl Machine {
    pub fn new() -> Self {
        Self { hands: Hands::new(), scratch: Scratch::new(), processes: AtomicU32::new(0) }
    }

    /// A client of a process that has just begun. Each way to write the directory's name has a cache entry of its own, as
    /// in another process.
    pub fn process(&self, fault: &Fault, mut options: Value) -> Client {
        let number = self.processes.fetch_add(1, Ordering::Relaxed) as usize;
        let name = self.scratch.path(&format!("{}store", "./".repeat(number)));
        options["cache"] = format!("file:{}", name.display()).into();
        fault.client_at(options, self.hands.clone())
    }

    pub fn directory(&self) -> PathBuf {
        self.scratch.path("store")
    }

    pub fn pass(&self, seconds: f64) {
        self.hands.pass(Duration::from_secs_f64(seconds));
    }
}

pub fn stats(client: &Client) -> Value {
    serde_json::from_str(&client.stats()).unwrap()
}

/// The text of its token.
pub fn token(client: &Client) -> String {
    client.token().unwrap().value.expose().to_owned()
}

/// Waits for what goes on elsewhere.
pub fn wait_for(mut what: impl FnMut() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(20), "it does not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A port that nobody listens at now. The system does not give it to connections meanwhile: on Linux those begin at 32768.
pub fn free_port() -> u16 {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(40_503);
    let port = |number: u32| 10_000 + (start.wrapping_add(number) % 22_000) as u16;
    iter::repeat_with(|| port(TRIED.fetch_add(1, Ordering::Relaxed)))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}

/// A library for LD_PRELOAD, built from C.
pub fn preloaded(directory: &Path, text: &str) -> PathBuf {
    let (source, library) = (directory.join("preloaded.c"), directory.join("preloaded.so"));
    std::fs::write(&source, text).unwrap();
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").status().unwrap();
    assert!(built.success());
    library
}

/// The password that the fault server is told; it must not be in any message.
pub const PASSWORD: &str = "correct \"h<rse\" & batt\u{e9}ry";

/// A client that keeps its token in memory, unless the options say otherwise.
pub fn client(username: &str, password: &str, organization_id: &str, base_url: &str, options: Value) -> Client {
    client_at(username, password, organization_id, base_url, options, Arc::new(System))
}

fn client_at(
    username: &str,
    password: &str,
    organization_id: &str,
    base_url: &str,
    mut options: Value,
    clock: Arc<dyn Clock>,
) -> Client {
    options["base_url"] = base_url.into();
    if options["cache"].is_null() {
        options["cache"] = "memory".into();
    }
    let options = Options::parse(Some(&options.to_string())).unwrap();
    let credentials = Credentials::new(username.to_owned(), password.to_owned(), organization_id.to_owned()).unwrap();
    Client::with_clock(credentials, options, clock)
}

/// A directory of a test's own, gone with it.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NUMBERS: AtomicU32 = AtomicU32::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tps-test-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
