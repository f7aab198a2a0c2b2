//! The one TPStreams API token that every thread and process of a host needs: one login, then the same token until it expires or
//! is rejected.
//!
//! C, Ruby and PHP use the functions of `include/tps.h`; Rust uses [`Client`].

#![deny(unsafe_code)]

mod api;
mod client;
mod clock;
mod credentials;
mod error;
#[allow(unsafe_code)]
mod ffi;
#[allow(unsafe_code)]
mod fork;
mod holdoff;
mod http;
mod options;
mod secret;
mod slot;
mod stats;
mod store;
mod token;

pub use client::Client;
pub use credentials::Credentials;
pub use error::{Error, Status};
pub use options::Options;
pub use secret::Secret;
pub use token::Token;
