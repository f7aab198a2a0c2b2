//! Half a second for an operation, whatever the other side does.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use common::redis::Redis;
use common::{Fault, Scratch, stats, token};
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, listen, socket};
use serde_json::{Value, json};

/// A first token with this store: why it was not used, and how long the call took.
fn first_token(cache: &str, more: Value) -> (String, Duration) {
    let fault = Fault::new("ok");
    let mut options = more;
    options["cache"] = cache.into();
    let client = fault.client(options);
    let start = Instant::now();
    token(&client);
    let elapsed = start.elapsed();
    assert_eq!(fault.logins(), 1);
    (stats(&client)["store"]["why_not"].as_str().unwrap_or_default().to_owned(), elapsed)
}

fn in_time((why_not, elapsed): (String, Duration)) {
    assert!(why_not.contains("in time"), "{why_not}");
    // Half a second, and the login on a busy machine. A call has fifteen.
    assert!(elapsed < Duration::from_secs(4), "{elapsed:?}");
}

/// A server that says `begin`, and then a byte every tenth of a second for as long as somebody listens.
fn dripping(begin: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let mut sent = stream.write(begin);
                while sent.is_ok() {
                    thread::sleep(Duration::from_millis(100));
                    sent = stream.write(b"0");
                }
            });
        }
    });
    port
}

#[test]
fn a_server_that_drips_bytes() {
    in_time(first_token(&format!("redis://127.0.0.1:{}", dripping(b"$100000\r\n")), json!({})));
}

#[test]
fn a_server_that_drips_bytes_of_a_handshake() {
    let authority = std::env::var("TPS_TEST_CA").unwrap();
    let port = dripping(&[22, 3, 3, 64, 0, 2, 0, 63, 252]);
    in_time(first_token(&format!("rediss://127.0.0.1:{port}"), json!({"ca_file": authority})));
}

#[test]
fn a_sentinel_that_drips_bytes() {
    in_time(first_token(&format!("redis+sentinel://127.0.0.1:{}/shop", dripping(b"*2\r\n$100\r\n")), json!({})));
}

/// A socket whose queue is full: a client that connects waits.
fn full(path: &Path) -> Vec<std::os::fd::OwnedFd> {
    let unix = |flags| socket(AddressFamily::Unix, SockType::Stream, flags, None).unwrap();
    let address = UnixAddr::new(path).unwrap();
    let listener = unix(SockFlag::SOCK_CLOEXEC);
    bind(listener.as_raw_fd(), &address).unwrap();
    listen(&listener, Backlog::new(0).unwrap()).unwrap();
    let mut held = vec![listener];
    loop {
        let client = unix(SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK);
        let connected = connect(client.as_raw_fd(), &address);
        held.push(client);
        if connected.is_err() {
            return held;
        }
    }
}

#[test]
fn a_socket_whose_queue_is_full() {
    let scratch = Scratch::new();
    let path = scratch.path("full.sock");
    let _held = full(&path);
    in_time(first_token(&format!("redis+unix://{}", path.display()), json!({})));
}

#[test]
fn a_node_that_hangs_does_not_take_the_time_of_the_others() {
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let redis = Redis::start(&[]);
    let url = format!("redis+cluster://{},127.0.0.1:{}", hangs.local_addr().unwrap(), redis.port);
    assert_eq!(first_token(&url, json!({})).0, "");
    assert_eq!(redis.said(&["DBSIZE"]), "2");
}
