//! Through whom requests leave this machine, by tinyproxy and microsocks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::child::{self, Ask};
use common::{Fault, Scratch};
use serde_json::{Value, json};
use tps::{Error, Status};

#[test]
fn child() {
    child::run();
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A proxy of one test's own.
struct Proxy {
    process: Child,
    port: u16,
    log: PathBuf,
    _scratch: Scratch,
}

impl Proxy {
    /// With these further lines in its configuration.
    fn http(lines: &str) -> Self {
        let (scratch, port) = (Scratch::new(), free_port());
        fs::create_dir(scratch.path("")).unwrap_or_default();
        let (configuration, log) = (scratch.path("conf"), scratch.path("log"));
        let text = format!("Port {port}\nListen 127.0.0.1\nTimeout 30\nLogFile \"{}\"\n{lines}\n", log.display());
        fs::write(&configuration, text).unwrap();
        let mut command = Command::new("tinyproxy");
        command.arg("-d").arg("-c").arg(&configuration);
        Self::start(command, port, log, scratch)
    }

    fn socks() -> Self {
        let (scratch, port) = (Scratch::new(), free_port());
        let log = scratch.path("log");
        let mut command = Command::new("microsocks");
        command.args(["-i", "127.0.0.1", "-u", "clerk", "-P", "s3s@me", "-p", &port.to_string()]);
        command.stderr(fs::File::create(&log).unwrap());
        Self::start(command, port, log, scratch)
    }

    fn start(mut command: Command, port: u16, log: PathBuf, scratch: Scratch) -> Self {
        let process = command.stdout(Stdio::null()).spawn().expect("apt-get install tinyproxy-bin microsocks");
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "it does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self { process, port, log, _scratch: scratch }
    }

    fn url(&self, scheme: &str, user: &str) -> String {
        format!("{scheme}://{user}127.0.0.1:{}", self.port)
    }

    /// Whether it was asked for a connection to the server, or connected to it.
    fn used(&self) -> bool {
        let log = fs::read_to_string(&self.log).unwrap();
        log.contains("CONNECT 127.0.0.1:") || log.contains("connected to 127.0.0.1:")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn trusting(options: Value) -> Value {
    let mut options = options;
    options["ca_file"] = std::env::var("TPS_TEST_CA").unwrap().into();
    options["cache"] = "memory".into();
    options
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
    for (excepted, used) in
        [("127.0.0.1", false), ("example.com, 127.0.0.1", false), ("*", false), ("example.com", true)]
    {
        let proxy = Proxy::http("");
        let variables = [("HTTPS_PROXY", proxy.url("http", "")), ("NO_PROXY", excepted.to_owned())];
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
