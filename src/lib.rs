//! The one TPStreams API token that every thread and process of a host needs: one login, then the same token until it expires or
//! is rejected.
//!
//! C, Ruby and PHP use the functions of `include/tps.h`; Rust uses [`Client`].

#![deny(unsafe_code)]

mod account;
mod api;
mod attempt;
mod budget;
mod client;
#[doc(hidden)]
pub mod clock;
mod credentials;
mod digest;
mod error;
#[allow(unsafe_code)]
mod ffi;
#[allow(unsafe_code)]
mod fork;
mod holdoff;
mod http;
mod obtain;
mod options;
mod proxy;
mod redact;
mod resolve;
mod secret;
mod slot;
mod stats;
mod store;
mod token;
mod trust;
mod walk;

pub use client::Client;
pub use credentials::Credentials;
pub use error::{Error, Status};
pub use options::Options;
pub use secret::Secret;
pub use token::Token;

/// Parts of the way to a token, for benchmarks only.
#[doc(hidden)]
pub mod parts {
    /// Derives the key of a stored entry.
    pub fn derive_key(credentials: &crate::Credentials, base_url: &str) -> bool {
        let owner = crate::store::Owner { credentials, base_url };
        crate::store::seal::Seal::derive(&owner, [0; crate::store::seal::SALT]).is_ok()
    }
}
