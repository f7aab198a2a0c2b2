//! Why a server did not do what it was asked.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redis::{RedisError, ServerError};

use crate::options::redis_url::Node;
use crate::server::tls;
use crate::store::StoreError;

/// Why a server did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It cannot be reached, does not answer in time, or does not let us in.
    Away(String),
    /// The connection was closed. Another one may serve.
    Closed(String),
    /// It did not serve a moment ago, as this says, and is left alone.
    LeftAlone(StoreError),
    /// It answers, and refuses this.
    Refused {
        /// The first word of its answer, like `READONLY`.
        code: String,
        /// The rest of it.
        detail: String,
    },
}

impl Failure {
    /// What is wrong, for people.
    pub fn message(&self) -> String {
        match self {
            Self::Away(what) | Self::Closed(what) | Self::LeftAlone(StoreError(what)) => what.clone(),
            Self::Refused { code, detail } => format!("{code} {detail}"),
        }
    }

    /// The same, of the primary that Sentinels name.
    pub fn of_primary(self, primary: &Node) -> Self {
        match self {
            Self::Away(what) => Self::Away(format!("the primary {primary}: {what}")),
            other => other,
        }
    }

    /// The server's answer began with one of these words.
    pub fn is(&self, codes: &[&str]) -> bool {
        matches!(self, Self::Refused { code, .. } if codes.contains(&code.as_str()))
    }

    /// An answer of another form than promised.
    pub fn strange() -> Self {
        Self::Away("what answers does not speak Redis's protocol".to_owned())
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Self::Refused { code: error.code().to_owned(), detail: error.details().unwrap_or_default().to_owned() }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut, UnexpectedEof, WouldBlock,
        };
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::Away(tls::reason(error).replace("check base_url", "check the option cache"));
        }
        match error.kind() {
            TimedOut | WouldBlock => Self::Away("it does not answer in time".to_owned()),
            UnexpectedEof => Self::Closed("it closed the connection".to_owned()),
            BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected => Self::Closed(error.to_string()),
            _ => Self::Away(error.to_string()),
        }
    }
}

/// What the parser of answers says.
impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        let io = error
            .source()
            .and_then(|source| source.downcast_ref::<Arc<dyn Error + Send + Sync>>())
            .and_then(|shared| shared.downcast_ref::<io::Error>());
        match io {
            Some(io) => match io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(error) => io::Error::other(error.clone()).into(),
                None => io::Error::from(io.kind()).into(),
            },
            None => Self::strange(),
        }
    }
}
