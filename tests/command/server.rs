//! Faults on the way to the server, of its certificate and of its answers.

use std::fs;
use std::io::copy;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

use super::shell::Shell;
use crate::common::proxy::Proxy;
use crate::common::{Fault, free_port};

/// The port of a URL.
fn port(url: &str) -> u16 {
    url.split(['/', ':']).nth(4).unwrap().parse().unwrap()
}

/// An address behind which another server can be put, as an administrator does.
struct Address {
    port: u16,
    server: Arc<AtomicU16>,
}

impl Address {
    fn of(fault: &Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port_here = listener.local_addr().unwrap().port();
        let server = Arc::new(AtomicU16::new(port(&fault.base_url)));
        let present = server.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", present.load(Ordering::Relaxed))).unwrap();
                for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
                {
                    thread::spawn(move || {
                        let _ = copy(&mut from, &mut to);
                        let _ = to.shutdown(std::net::Shutdown::Write);
                    });
                }
            }
        });
        Self { port: port_here, server }
    }

    fn url(&self, fault: &Fault) -> String {
        fault.base_url.replacen(&format!(":{}", port(&fault.base_url)), &format!(":{}", self.port), 1)
    }

    fn change(&self, fault: &Fault) {
        self.server.store(port(&fault.base_url), Ordering::Relaxed);
    }
}

#[test]
fn a_name_that_nobody_knows() {
    let fault = Fault::new("ok");
    let mut shell = Shell::at("https://app.tpstreams.invalid");
    shell.wrong("name", &["app.tpstreams.invalid is not known", "spelling of base_url"]);
    shell.set("TPS_BASE_URL", &fault.base_url).well("spelled right");
}

/// Answers each question for an address with 127.0.0.1, and each other one with nothing.
fn name_server(socket: &UdpSocket) {
    let mut question = [0; 512];
    while let Ok((length, client)) = socket.recv_from(&mut question) {
        let name_ends = 12 + question[12..length].iter().position(|byte| *byte == 0).unwrap() + 1;
        let is_a = question[name_ends..name_ends + 2] == [0, 1];
        let answers = [0, u8::from(is_a)];
        let head = [&question[..2], &[0x81, 0x80, 0, 1], &answers, &[0; 4], &question[12..name_ends + 4]].concat();
        let address: &[u8] = if is_a { &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1] } else { &[] };
        let _ = socket.send_to(&[&head, address].concat(), client);
    }
}

#[test]
fn a_name_server_that_does_not_answer() {
    let (Ok(_silent), Ok(answering)) = (UdpSocket::bind("127.0.0.77:53"), UdpSocket::bind("127.0.0.78:53")) else {
        return; // Not root's.
    };
    if !super::store::mounts_can_be_made() {
        return;
    }
    thread::spawn(move || name_server(&answering));
    let fault = Fault::tls("ok");
    let mut shell = Shell::trusting(&fault);
    shell.set("TPS_BASE_URL", &fault.base_url.replace("127.0.0.1", "two.test")).option("timeout_ms", 1500);
    let file = shell.scratch.path("resolv.conf");
    shell.before = format!("mount --bind {} /etc/resolv.conf;", file.display());
    fs::write(&file, "nameserver 127.0.0.77\n").unwrap();
    shell.wrong("name", &["two.test is not resolved in time", "/etc/resolv.conf"]);
    fs::write(&file, "nameserver 127.0.0.78\n").unwrap();
    shell.well("another name server");
    assert_eq!(shell.finding("name")["found"], "two.test is 127.0.0.1");
}

#[test]
fn nobody_listens_and_nobody_answers() {
    let fault = Fault::tls("ok");
    let mut shell = Shell::trusting(&fault);
    shell.set("TPS_BASE_URL", &format!("https://127.0.0.1:{}", free_port()));
    shell.wrong("connection", &["refused", "host and port of base_url"]);
    shell.set("TPS_BASE_URL", &fault.base_url).well("the port is right");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    shell.set("TPS_BASE_URL", &format!("https://{}", silent.local_addr().unwrap())).option("timeout_ms", 1500);
    shell.wrong("connection", &["in time", "firewall"]);
    shell.set("TPS_BASE_URL", &fault.base_url).option("timeout_ms", 15_000).well("the way is free");
}

#[test]
fn an_authority_that_is_not_known_or_named_wrong() {
    let fault = Fault::tls("ok");
    let authority = std::env::var("TPS_TEST_CA").unwrap();
    let mut shell = Shell::to(&fault);
    shell.wrong("certificate", &["unknown issuer", "set ca_file (TPS_CA_FILE)"]);
    shell.set("TPS_CA_FILE", &authority).well("it is named");
    shell.set("TPS_CA_FILE", "/nonexistent.pem").wrong("settings", &["ca_file", "cannot be read", "TPS_CA_FILE"]);
    let file = shell.scratch.path("ca.pem");
    fs::write(&file, "-----BEGIN NOTHING-----\n").unwrap();
    shell
        .set("TPS_CA_FILE", file.to_str().unwrap())
        .wrong("certificate", &["no certificate in PEM form", "TPS_CA_FILE"]);
    fs::copy(&authority, &file).unwrap();
    shell.well("the file is the authority's");
    shell.set("SSL_CERT_FILE", "/nonexistent").wrong("certificate", &["SSL_CERT_FILE", "/nonexistent", "unset"]);
    shell.unset("SSL_CERT_FILE").well("it is unset");
}

#[test]
fn certificates_that_are_not_the_servers_or_not_valid() {
    let fault = Fault::tls("ok");
    for (bad, words) in [
        (Fault::tls_expired(), ["has expired", "renew the server's certificate"]),
        (Fault::tls_self_signed(), ["CA:TRUE", "mend the server's certificate"]),
    ] {
        let address = Address::of(&bad);
        let mut shell = Shell::trusting(&fault);
        if words[0] == "CA:TRUE" {
            // Trusted, as it was meant.
            shell.set("TPS_CA_FILE", &std::env::var("TPS_TEST_CA").unwrap().replace("ca.pem", "self.pem"));
        }
        shell.set("TPS_BASE_URL", &address.url(&bad)).wrong("certificate", &words);
        address.change(&fault);
        shell.set("TPS_CA_FILE", &std::env::var("TPS_TEST_CA").unwrap()).well("the server has another certificate");
    }
    let mut shell = Shell::trusting(&Fault::tls_by_another_name("ok"));
    shell.wrong("certificate", &["for another host", "127.0.0.1", "as the certificate names it"]);
    shell.set("TPS_BASE_URL", &fault.base_url).well("the host is named as in the certificate");
}

#[test]
fn what_answers_is_not_the_api() {
    for (scenario, words) in [
        ("organizations-html200", ["maintenance page", "base_url"]),
        ("organizations-html404", ["maintenance page", "base_url"]),
        ("organizations-redirect302", ["redirects to 127.0.0.2", "base_url"]),
        ("organizations-nothttp", ["not answer as the API does", "base_url"]),
        ("organizations-html503", ["503", "wait"]),
        ("organizations-retry-after-seconds9", ["asks to wait", "wait"]),
    ] {
        let fault = Fault::new(scenario);
        let mut shell = Shell::to(&fault);
        shell.wrong("API", &words);
        if words[1] == "wait" {
            fault.change("ok");
        } else {
            shell.set("TPS_BASE_URL", &Fault::new("ok").base_url);
        }
        shell.well(scenario);
    }
}

#[test]
fn proxies_that_are_away_refuse_or_do_not_connect() {
    let (fault, proxy) = (Fault::tls("ok"), Proxy::http("BasicAuth clerk s3same"));
    let mut shell = Shell::trusting(&fault);
    shell.set("HTTPS_PROXY", &proxy.url("http", "clerk:wr0ng@"));
    shell.wrong("proxy", &["the proxy 127.0.0.1:", "(401)", "http://USER:PASSWORD@HOST:PORT"]);
    shell.set("HTTPS_PROXY", &proxy.url("http", "clerk:s3same@")).well("the right password");

    let elsewhere = Proxy::http("ConnectPort 1");
    shell.set("HTTPS_PROXY", &elsewhere.url("http", "")).wrong("proxy", &["does not connect (403)", "NO_PROXY"]);
    shell.set("NO_PROXY", "127.0.0.0/8").well("there is a way without it");
    shell.unset("NO_PROXY");
    let allowing = Proxy::http(&format!("ConnectPort {}", port(&fault.base_url)));
    shell.set("HTTPS_PROXY", &allowing.url("http", "")).well("it connects to this port");
    assert!(allowing.used());

    shell.set("HTTPS_PROXY", &format!("http://127.0.0.1:{}", free_port()));
    shell.wrong("proxy", &["the proxy 127.0.0.1:", "refused", "unset it"]);
    shell.unset("HTTPS_PROXY").well("it is unset");

    shell.set("HTTPS_PROXY", "http://u:wr0ng#x@127.0.0.1:1");
    shell.wrong("settings", &["%23", "the proxy's variable"]);
    shell.set("HTTPS_PROXY", &proxy.url("http", "clerk:s3same@")).well("as it says");
}

#[test]
fn a_clock_that_is_an_hour_off() {
    let mut shell = Shell::to(&Fault::new("ok"));
    shell.by_its_clock().clock("wrong", 3660);
    shell.wrong("clock", &["1 h 1 min ahead", "timedatectl set-ntp true"]);
    shell.clock("wrong", 0);
    shell.well("it is set");
    let fault = Fault::new("organizations-dated3720");
    shell.set("TPS_BASE_URL", &fault.base_url).wrong("clock", &["behind"]);
    shell.clock("wrong", 3720);
    shell.well("it is set");
}

#[test]
fn the_library_that_others_load() {
    let mut shell = Shell::to(&Fault::new("ok"));
    shell.set("TPS_LIBRARY", "/nonexistent.so").wrong("library", &["/nonexistent.so", "unset"]);
    shell.unset("TPS_LIBRARY").well("it is unset");
    let other = shell.scratch.path("other.so");
    fs::write(&other, b"\x7fELF\0User-Agent: libtps/0.0.9\0").unwrap();
    shell.set("TPS_LIBRARY", other.to_str().unwrap()).wrong("library", &["is 0.0.9", "same version"]);
    fs::write(&other, b"something else").unwrap();
    shell.wrong("library", &["is no libtps"]);
    // The one of this very version.
    let built = std::path::Path::new(env!("CARGO_BIN_EXE_tps")).with_file_name("deps/libtps.so");
    fs::copy(built, &other).unwrap();
    shell.well("the same version");
}
