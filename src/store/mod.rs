//! Where a token is kept for other processes.

pub mod file;
pub mod seal;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::clock::Moment;
use crate::credentials::Credentials;
use crate::secret::Secret;
use crate::token::Token;

/// Why a store cannot be used, in a few words for `stats`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble(pub String);

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The entry of one credential, for the time of one walk.
pub trait Entry {
    /// Where it is, for `stats`.
    fn place(&self) -> String;

    /// The token that is kept; `None`: none, or nothing that can be read.
    fn read(&self) -> Result<Option<Token>, Trouble>;

    /// The right to log in, in all processes' sight; `None`: another one has it. Does not wait.
    fn try_lock(&self) -> Result<Option<Box<dyn Lock + '_>>, Trouble>;
}

/// The right to log in and to change the entry. It ends when it is dropped, and with its process.
pub trait Lock {
    /// Makes sure that a token can be kept, before it is made.
    fn prepare(&mut self) -> Result<(), Trouble>;

    /// Keeps a token in place of what was there: whole, or not at all.
    fn write(&mut self, token: &Token) -> Result<(), Trouble>;

    /// Forgets the token.
    fn remove(&mut self) -> Result<(), Trouble>;
}

/// Who the entry belongs to; its name and its key come from these.
pub struct Owner<'a> {
    pub credentials: &'a Credentials,
    pub base_url: &'a str,
}

/// A token as it is kept.
fn to_text(token: &Token) -> Zeroizing<Vec<u8>> {
    // The token's text needs no escapes (see `token::fault`), so it is written without a copy beside it.
    let rest = json!({
        "obtained_at": token.obtained_at.to_string(),
        "expires_at": token.expires_at.map(|end| end.to_string()),
        "clock_ahead_ms": i64::try_from(token.clock_ahead.as_millis()).unwrap_or_default(),
    })
    .to_string();
    let value = token.value.expose();
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() + rest.len() + 16));
    for part in
        ["{\"token\":\"", &value.replace('\\', "\\\\").replace('"', "\\\""), "\",", rest.trim_start_matches('{')]
    {
        text.extend_from_slice(part.as_bytes());
    }
    text
}

/// A token from what was kept. Fields that a later version adds are passed over.
fn from_text(text: &[u8]) -> Option<Token> {
    let mut kept: Value = serde_json::from_slice(text).ok()?;
    let Value::String(value) = kept.get_mut("token")?.take() else { return None };
    let value = Secret::new(value);
    let time = |name: &str| kept.get(name).and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    let clock_ahead = SignedDuration::from_millis(kept.get("clock_ahead_ms").and_then(Value::as_i64)?);
    if crate::token::fault(value.expose()).is_some() {
        return None;
    }
    Some(Token::new(value, time("obtained_at")?, time("expires_at"), clock_ahead, Timestamp::now(), Moment::now()))
}
