//! The command `tps`: its output, its exit codes, and what `tps doctor` says of faults that are set up for real. What it
//! says is done then, and the doctor finds nothing wrong.
//!
//! All that it prints, in these tests too, is searched for passwords and tokens: `command/shell.rs`.

#![cfg(all(feature = "command", feature = "redis", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

mod command {
    mod credentials;
    mod printed;
    mod redis;
    mod server;
    mod shell;
    mod store;
    mod terminal;
    mod token;
}

#[test]
fn child() {
    common::child::run();
}
