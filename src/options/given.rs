//! The options as they were given: a JSON object, read key by key.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::record::token::fault;
use crate::secret::Secret;

/// The object as given; reading a key checks its type.
pub struct Given(pub Map<String, Value>);

impl Given {
    /// A string; `None` where the key is not there.
    pub fn text(&self, key: &str) -> Result<Option<&str>, Error> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::argument(format!("option {key} must be a string"))),
        }
    }

    /// True or false; false where the key is not there.
    pub fn flag(&self, key: &str) -> Result<bool, Error> {
        match self.0.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Error::argument(format!("option {key} must be true or false"))),
        }
    }

    /// A whole number from `least` to `most`.
    pub fn number(&self, key: &str, default: u32, least: u32, most: u32) -> Result<u32, Error> {
        match self.0.get(key) {
            None => Ok(default),
            Some(value) => value
                .as_u64()
                .and_then(|number| u32::try_from(number).ok())
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| Error::argument(format!("option {key} must be a whole number from {least} to {most}"))),
        }
    }

    /// A time from 1 ms to an hour.
    pub fn milliseconds(&self, key: &str, default: u32) -> Result<Duration, Error> {
        self.number(key, default, 1, 3_600_000).map(|number| Duration::from_millis(number.into()))
    }

    /// The option `token`, moved out of the object: no second copy stays in freed memory.
    pub fn token(&mut self) -> Result<Option<Secret>, Error> {
        let Some(value) = self.0.remove("token") else {
            return Ok(None);
        };
        let Value::String(text) = value else {
            return Err(Error::argument("option token must be a string"));
        };
        let token = Secret::new(text);
        match fault(token.expose()) {
            None => Ok(Some(token)),
            Some(fault) => {
                Err(Error::argument(format!("option token {fault}; pass the token alone, without the word Token")))
            }
        }
    }

    /// Seconds; `None` for `"auto"`.
    pub fn refresh_ahead(&self) -> Result<Option<Duration>, Error> {
        if self.0.get("refresh_ahead").and_then(Value::as_str) == Some("auto") || !self.0.contains_key("refresh_ahead")
        {
            return Ok(None);
        }
        self.number("refresh_ahead", 0, 0, 86_400).map(|seconds| Some(Duration::from_secs(seconds.into()))).map_err(
            |_| Error::argument("option refresh_ahead must be \"auto\" or a whole number of seconds from 0 to 86400"),
        )
    }
}

/// At most 60 characters of text that is not ours, for a message.
pub fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}
