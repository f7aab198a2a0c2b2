//! The requests as they leave the machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::process::clock::System;
use crate::secret::Secret;

const TIME: Duration = Duration::from_secs(20);

/// Answers one request with `answer`. What comes back is its port, and the request's head and body.
fn answering(answer: &'static str) -> (u16, JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(stream.read_line(&mut head).unwrap() > 0, "the request breaks off: {head}");
        }
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        stream.get_mut().write_all(answer.as_bytes()).unwrap();
        (head, String::from_utf8(body).unwrap())
    });
    (port, seen)
}

fn api(options: serde_json::Value) -> Api {
    Api {
        credentials: Credentials::new("hari@example.com".into(), "p\"ss wörd".into(), "auhf2k".into()).unwrap(),
        options: Arc::new(Options::parse(Some(&options.to_string())).unwrap()),
        clock: Arc::new(System),
    }
}

fn at(port: u16) -> Api {
    api(json!({"base_url": format!("http://127.0.0.1:{port}"), "cache": "memory"}))
}

/// A server that is reached through this proxy.
fn through(proxy: String) -> Api {
    // Never read as a certificate: the proxy refuses before TLS. Without it, the machine would have to have some.
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/unread.pem");
    api(json!({"base_url": "https://app.example", "cache": "memory", "ca_file": authority, "proxy": proxy}))
}

fn token() -> Token {
    let now = System.read();
    Token::new(Secret::new("1e14238b".into()), now.wall, None, SignedDuration::ZERO, None, &now)
}

#[test]
fn a_logout_has_an_empty_body_of_known_length() {
    let (port, seen) = answering("HTTP/1.1 204 No Content\r\n\r\n");
    at(port).logout(&token(), TIME).unwrap();
    let (head, body) = seen.join().unwrap();
    assert!(head.starts_with("post /api/auth/logout/ http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-length: 0\r\n") && head.contains("\r\nauthorization: token 1e14238b\r\n"));
    assert!(!head.contains("transfer-encoding") && !head.contains("content-type") && body.is_empty(), "{head}");
}

#[test]
fn a_login_is_json_without_authorization() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"token\":\"1e14\"}";
    let (port, seen) = answering(answer);
    assert!(matches!(at(port).login(TIME), Answer::Token(token) if token.value.expose() == "1e14"));
    let (head, body) = seen.join().unwrap();
    assert!(head.starts_with("post /api/auth/login/ http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: application/json\r\n") && !head.contains("authorization"), "{head}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, json!({"username": "hari@example.com", "password": "p\"ss wörd", "organization_id": "auhf2k"}));
}

#[test]
fn a_probe_has_no_token_and_a_check_has_one() {
    let refused = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 27\r\n\r\n{\"detail\":\"Invalid token.\"}";
    let (port, seen) = answering(refused);
    at(port).probe(TIME).unwrap();
    let (head, _) = seen.join().unwrap();
    assert!(head.starts_with("get /api/v1/organizations/ http/1.1\r\n") && !head.contains("authorization"), "{head}");
    assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
    let (port, seen) = answering(refused);
    assert!(matches!(at(port).check(&token(), TIME), Checked::Dead));
    let (head, _) = seen.join().unwrap();
    assert!(head.starts_with("get /api/v1/organizations/ http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nauthorization: token 1e14238b\r\n"), "{head}");
}

#[test]
fn an_answer_that_breaks_off_is_lost_and_one_that_never_began_is_not() {
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"token\"", "HTTP/1.1 400 Bad Request\r\n"] {
        let (port, seen) = answering(answer);
        let lost = at(port).login(TIME);
        assert!(matches!(&lost, Answer::Lost(error) if error.status == Status::OutcomeUnknown), "{answer}: {lost:?}");
        seen.join().unwrap();
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let Answer::Refused(refusal) = at(port).login(TIME) else { panic!("nothing listens") };
    assert_eq!((refusal.error.status, refusal.again), (Status::Network, Again::NothingSent));
}

#[test]
fn a_proxy_that_refuses_its_own_password_is_told_from_one_that_does_not_connect() {
    for (answer, kind, again) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Kind::Proxy, Again::No),
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", Kind::Proxy, Again::No),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", Kind::Unavailable, Again::NothingSent),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", Kind::Unavailable, Again::NothingSent),
        ("", Kind::Unavailable, Again::NothingSent),
    ] {
        let (port, seen) = answering(answer);
        let behind = through(format!("http://clerk:s3same@127.0.0.1:{port}"));
        let Answer::Refused(refusal) = behind.login(TIME) else { panic!("{answer}") };
        assert!(seen.join().unwrap().0.starts_with("connect app.example:443 "));
        let error = &refusal.error;
        assert_eq!((error.status, refusal.kind, refusal.again), (Status::Network, kind, again), "{answer}: {error}");
        let named = error.message.contains(&format!("the proxy 127.0.0.1:{port}"));
        assert!(named && !error.message.contains("s3same"), "{error}");
    }
}

#[test]
fn a_socks_proxy_can_refuse_its_password_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let proxy = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut hello = [0; 4];
        stream.read_exact(&mut hello).unwrap();
        stream.write_all(&[5, 2]).unwrap();
        let mut password = [0; 5];
        stream.read_exact(&mut password).unwrap();
        stream.write_all(&[1, 1]).unwrap();
    });
    let behind = through(format!("socks5h://u:p@127.0.0.1:{port}"));
    let refused = behind.probe(TIME).unwrap_err();
    assert_eq!((refused.error.status, refused.kind), (Status::Network, Kind::Proxy), "{}", refused.error);
    proxy.join().unwrap();
}
