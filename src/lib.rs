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
mod present;
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
    use crate::clock::{Reading, System};
    use crate::store::seal::{SALT, Seal};
    use crate::store::{Owner, Record};
    use crate::{Credentials, Options};

    /// Derives the key of a stored entry.
    pub fn derive_key(credentials: &Credentials, base_url: &str) -> bool {
        Seal::derive(&Owner { credentials, base_url }, [0; SALT]).is_ok()
    }

    /// Reads the certificates that are trusted.
    pub fn certificates(options: &Options) -> usize {
        crate::trust::certificates(options).map_or(0, |certificates| certificates.len())
    }

    /// A sealed entry without a token.
    pub struct Entry(Option<(Seal, Vec<u8>)>);

    impl Entry {
        /// An empty one.
        pub fn sealed(credentials: &Credentials) -> Self {
            let seal = Seal::derive(&Owner { credentials, base_url: "https://app.tpstreams.com" }, [0; SALT]).ok();
            let text = Record::default().to_text(&Reading::of(&System));
            Self(seal.and_then(|seal| seal.close(&text).ok().map(|sealed| (seal, sealed))))
        }

        /// Opens and reads it.
        pub fn open(&self) -> bool {
            let text = self.0.as_ref().and_then(|(seal, sealed)| seal.open(sealed));
            text.and_then(|text| Record::from_text(&text, &Reading::of(&System))).is_some()
        }
    }
}
