//! What is said of a certificate or a proxy that does not do: each message names the thing to change.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::child::{self, Ask};
use common::proxy::Proxy;
use common::{Fault, Scratch, free_port};
use serde_json::{Value, json};
use tps::Status;

#[test]
fn child() {
    child::run();
}

/// Shell functions that make certificates in the present directory.
const MAKE: &str = r#"
    set -e
    key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    san=subjectAltName=IP:127.0.0.1
    request() { openssl req $key -subj "/CN=127.0.0.1" -keyout server.key -out server.csr; }
    authority() { openssl req -x509 $key -days 2 -subj "/CN=an authority" -keyout ca.key -out ca.pem; }
    # sign EXTENSIONS [OPTION...]
    sign() {
        printf "$1" >extensions; shift
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.crt -extfile extensions "$@"
    }
"#;

/// A server of openssl's, with a certificate that a shell script makes by [`MAKE`].
struct Server {
    process: Child,
    port: u16,
    scratch: Scratch,
}

impl Server {
    fn start(script: &str, arguments: &[&str]) -> Self {
        let (scratch, port) = (Scratch::new(), free_port());
        let directory = scratch.path("tls");
        fs::create_dir(&directory).unwrap();
        let made =
            Command::new("bash").arg("-c").arg(format!("{MAKE}{script}")).current_dir(&directory).output().unwrap();
        assert!(made.status.success(), "{script}: {}", String::from_utf8_lossy(&made.stderr));
        let process = Command::new("openssl")
            .args([
                "s_server",
                "-quiet",
                "-accept",
                &format!("127.0.0.1:{port}"),
                "-cert",
                "server.crt",
                "-key",
                "server.key",
            ])
            .args(arguments)
            .current_dir(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "{script}: it does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self { process, port, scratch }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.scratch.path("tls").join(name)
    }

    /// The message of a login that trusts this file besides the system's.
    fn said(&self, trusted: &str) -> String {
        let options = json!({"ca_file": self.file(trusted), "cache": "memory", "timeout_ms": 5000});
        let base_url = format!("https://127.0.0.1:{}", self.port);
        let error = common::client("a@example.com", "b", "c", &base_url, options).token().unwrap_err();
        assert_eq!(error.status, Status::Tls, "{error}");
        assert!(!error.message.contains("token may have been made"), "{error}");
        error.message
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn each_fault_of_a_certificate_is_told_by_its_name() {
    let signed = "authority; request; sign \"$san\\nbasicConstraints=CA:FALSE\\n\"";
    let old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
    // (what is wrong, how the certificate comes about, how the server is started, what the client trusts, what is said)
    type Row<'a> = (&'a str, String, &'a [&'a str], &'a str, &'a [&'a str]);
    let rows: &[Row<'_>] = &[
        (
            "its authority is another one",
            format!("{signed}; openssl req -x509 $key -subj /CN=other -keyout other.key -out other.pem"),
            &[],
            "other.pem",
            &["unknown issuer", "by ca_file"],
        ),
        (
            "its authority has the same name, and another key",
            format!("{signed}; cp ca.pem first.pem; authority; cp ca.pem other.pem"),
            &[],
            "other.pem",
            &["not signed by the issuer that it names", "ca_file"],
        ),
        (
            "it is an authority itself",
            "openssl req -x509 $key -subj /CN=127.0.0.1 -addext $san -keyout server.key -out server.crt".to_owned(),
            &[],
            "server.crt",
            &["CA:TRUE", "basicConstraints=CA:FALSE"],
        ),
        (
            "it names no host",
            "authority; request; sign 'basicConstraints=CA:FALSE\\n'".to_owned(),
            &[],
            "ca.pem",
            &["names no host", "subjectAltName"],
        ),
        (
            "it names another host",
            "authority; request; sign 'subjectAltName=DNS:two.test\\n'".to_owned(),
            &[],
            "ca.pem",
            &["another host (DnsName", "two.test", "check base_url"],
        ),
        (
            "it is of version 1",
            "authority; request; openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
             -out server.crt; openssl x509 -in server.crt -noout -text | grep -q 'Version: 1 ' || {
             # From OpenSSL 3.4 on it has to be asked for.
             printf '[req]\ndistinguished_name=none\n[none]\n' >none.cnf
             openssl req -config none.cnf -x509v1 -in server.csr -CA ca.pem -CAkey ca.key -days 2 -out server.crt; }"
                .to_owned(),
            &[],
            "ca.pem",
            &["version 1", "subjectAltName"],
        ),
        (
            "it is for clients",
            "authority; request; sign \"$san\\nextendedKeyUsage=clientAuth\\n\"".to_owned(),
            &[],
            "ca.pem",
            &["not meant for a server", "serverAuth"],
        ),
        (
            "it is signed with SHA-1",
            "authority; request; sign \"$san\\n\" -sha1".to_owned(),
            &["-cipher", "DEFAULT@SECLEVEL=0"],
            "ca.pem",
            &["SHA-1", "SHA-256"],
        ),
        (
            "it has expired",
            // OpenSSL 3.5 makes none that ends before it begins.
            "authority; request; sign \"$san\\n\" -days 0; sleep 2".to_owned(),
            &[],
            "ca.pem",
            &["expired", "clock"],
        ),
        ("the server is old", signed.to_owned(), &old, "ca.pem", &["old versions of TLS", "TLS 1.2"]),
        (
            "the server wants one of the client",
            signed.to_owned(),
            &["-Verify", "1", "-verify_return_error"],
            "ca.pem",
            &["wants a certificate of the client", "have it ask for none"],
        ),
        (
            "it does so by TLS 1.2",
            signed.to_owned(),
            &["-Verify", "1", "-verify_return_error", "-tls1_2"],
            "ca.pem",
            &["wants a certificate of the client", "change its settings"],
        ),
    ];
    for (what, script, arguments, trusted, words) in rows {
        let said = Server::start(script, arguments).said(trusted);
        for word in *words {
            assert!(said.contains(word), "{what}: {word:?} is missing: {said}");
        }
    }
}

#[test]
fn a_certificate_of_ones_own_serves_when_it_is_made_as_the_message_says() {
    let script = "openssl req -x509 $key -subj /CN=127.0.0.1 -addext $san -addext basicConstraints=CA:FALSE \
                  -keyout server.key -out server.crt";
    // It answers no login, but the handshake is done.
    let server = Server::start(script, &["-www"]);
    let options = json!({"ca_file": server.file("server.crt"), "cache": "memory", "timeout_ms": 5000});
    let base_url = format!("https://127.0.0.1:{}", server.port);
    let error = common::client("a@example.com", "b", "c", &base_url, options).token().unwrap_err();
    assert_ne!(error.status, Status::Tls, "{error}");
}

/// What a process with this variable says, at a server whose authority is named by `ca_file`.
fn with(variable: &str, value: &str) -> Value {
    let options = json!({"ca_file": std::env::var("TPS_TEST_CA").unwrap(), "cache": "memory"});
    let ask: Ask = Fault::tls("ok").ask_with(options).environment(variable, value);
    ask.now()
}

#[test]
fn a_wrong_variable_is_named_though_ca_file_is_right() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("empty")).unwrap();
    fs::write(scratch.path("none.pem"), "nothing").unwrap();
    assert!(Command::new("mkfifo").arg(scratch.path("pipe")).status().unwrap().success());
    symlink("/nonexistent", scratch.path("link")).unwrap();
    let path = |name: &str| scratch.path(name).display().to_string();
    for (variable, value, words) in [
        ("SSL_CERT_FILE", "/nonexistent".to_owned(), "cannot be read: entity not found"),
        ("SSL_CERT_FILE", path("link"), "cannot be read: entity not found"),
        ("SSL_CERT_FILE", path("none.pem"), "holds no certificate"),
        ("SSL_CERT_FILE", path("pipe"), "holds no certificate"),
        ("SSL_CERT_FILE", path("empty"), "holds no certificate"),
        ("SSL_CERT_DIR", "/nonexistent".to_owned(), "cannot be read: entity not found"),
        ("SSL_CERT_DIR", path("empty"), "holds no certificate"),
    ] {
        let answer = with(variable, &value);
        assert_eq!(answer["status"], Status::Tls as i32, "{variable} {value}: {answer}");
        let message = answer["error"].as_str().unwrap();
        for word in [variable, &value, words, "unset the variable"] {
            assert!(message.contains(word), "{variable} {value}: {word:?} is missing: {message}");
        }
    }
    for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        assert!(with(variable, "")["token"].is_string(), "{variable} is empty");
    }
}

#[test]
fn a_pipe_as_ca_file_is_refused_and_keeps_nobody() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("")).unwrap_or_default();
    let pipe = scratch.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let error = tps::Options::parse(Some(&json!({"ca_file": pipe}).to_string())).unwrap_err();
    assert_eq!(error.status, Status::InvalidArgument);
    assert!(error.message.contains("ca_file") && error.message.contains("is not a file"), "{error}");
}

#[test]
fn each_fault_of_a_proxy_is_told_by_its_name() {
    let asks = Proxy::http("BasicAuth clerk s3same");
    let picky = Proxy::http("ConnectPort 443");
    let socks = Proxy::socks();
    let nobody = free_port();
    for (proxy, words) in [
        (asks.url("http", ""), vec!["(407)", "into its URL"]),
        (asks.url("http", "clerk:wr0ng@"), vec!["(401)", "into its URL"]),
        (picky.url("http", "clerk:wr0ng@"), vec!["does not connect (403)", "proxy"]),
        (socks.url("socks5", "clerk:wr0ng@"), vec!["refuses user name and password", "into its URL"]),
        (
            format!("http://clerk:wr0ng@127.0.0.1:{nobody}"),
            vec!["Connection refused", "check the network, base_url and proxy"],
        ),
        (format!("https://clerk:wr0ng@127.0.0.1:{}", asks.url("", "").rsplit_once(':').unwrap().1), vec!["proxy"]),
        ("http://clerk:wr0ng@proxy.invalid:3128".to_owned(), vec!["host name is not known", "proxy"]),
    ] {
        let fault = Fault::tls("ok");
        let options = json!({"ca_file": std::env::var("TPS_TEST_CA").unwrap(), "cache": "memory", "proxy": proxy});
        let error = fault.client(options).token().unwrap_err();
        assert!(!error.message.contains("wr0ng") && fault.requests() == 0, "{error}");
        for word in words {
            assert!(error.message.contains(word), "{word:?} is missing: {error}");
        }
    }
}
