//! The one TPStreams API token that every thread and process of a host needs: one login, then the same token until it expires or
//! is rejected.
//!
//! C, Ruby and PHP use the functions of `include/tps.h`; Rust uses [`Client`]. The feature `zeroing`, a default one, brings an
//! allocator for the whole program, which zeroes what it releases; a program with an allocator of its own leaves it out.
//!
//! The modules. Each uses only those below it:
//!
//! | module | what it is |
//! | --- | --- |
//! | `ffi` | the C interface |
//! | `client` | what a caller asks: token, wait, invalidate, logout, stats |
//! | `cache` | in memory: one entry for each credential, the published token, the single flight |
//! | `lookup` | how a token is found: store, then login; the one place that does things in order |
//! | `store` | where records are kept: files, Redis, memory; tiered where there are two |
//! | `server` | the HTTP API, and what its answers mean |
//! | `options`, `process` | what the caller says; forks, descriptors, threads, clocks |
//! | `record` | what is known of a credential and what may be done next: values and one pure function |

#![deny(unsafe_code)]

#[doc(hidden)]
pub mod cache;
mod client;
mod credentials;
mod error;
#[doc(hidden)]
pub mod events;
#[allow(unsafe_code)]
mod ffi;
#[cfg(test)]
mod link;
#[doc(hidden)]
pub mod lookup;
#[doc(hidden)]
pub mod options;
#[doc(hidden)]
pub mod process;
#[doc(hidden)]
pub mod record;
mod secret;
#[doc(hidden)]
pub mod server;
#[doc(hidden)]
pub mod store;

pub use cache::Published;
pub use client::Client;
pub use credentials::Credentials;
pub use error::{Error, Status};
pub use options::Options;
pub use record::Token;
pub use secret::Secret;
