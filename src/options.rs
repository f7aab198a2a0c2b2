//! What a client can be told besides its credentials: a JSON object, checked key by key.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Map, Value};
use ureq::http::Uri;

use crate::error::Error;
use crate::fork::{Inherit, PerProcess};
use crate::proxy::{ProxyChoice, proxy};
use crate::secret::Secret;
use crate::store::file;
#[cfg(feature = "redis")]
use crate::store::redis::Address;
use crate::token;

/// The keys that exist, for the message that meets a wrong one.
const KEYS: [&str; 11] = [
    "base_url",
    "cache",
    "timeout_ms",
    "connect_timeout_ms",
    "ca_file",
    "proxy",
    "refresh_ahead",
    "logins_per_day",
    "token",
    "lazy",
    "user_agent",
];

/// Where tokens are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cache {
    /// In this process only.
    Memory,
    /// In the first of these directories that can be used, for all processes of this host and user.
    Files(Vec<PathBuf>),
    /// In Redis, for all hosts; behind it in the first of these directories.
    #[cfg(feature = "redis")]
    Redis(Address, Vec<PathBuf>),
}

/// All options, with their defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Without a final slash.
    pub base_url: String,
    pub cache: Cache,
    /// The whole call.
    pub timeout: Duration,
    /// TCP and TLS.
    pub connect_timeout: Duration,
    pub ca_file: Option<PathBuf>,
    /// `None`: straight to the server.
    pub proxy: Option<ProxyChoice>,
    /// `None`: as the library thinks fit.
    pub refresh_ahead: Option<Duration>,
    /// 0: no limit.
    pub logins_per_day: u32,
    pub token: Option<Secret>,
    pub lazy: bool,
    pub user_agent: String,
}

/// The last options that were used, for the next client with the same ones.
#[derive(Default)]
struct Recent(Mutex<Vec<Weak<Options>>>);

static RECENT: PerProcess<Recent> = PerProcess::new();

impl Inherit for Recent {
    fn inherit(_: Option<&Self>) -> Self {
        Self::default()
    }
}

impl Options {
    /// These options once in memory: thousands of clients may have the same.
    pub fn shared(self) -> Arc<Self> {
        let mut recent = RECENT.get().0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|options| options.strong_count() > 0);
        if let Some(same) = recent.iter().filter_map(Weak::upgrade).find(|options| **options == self) {
            return same;
        }
        let shared = Arc::new(self);
        if recent.len() == 8 {
            recent.remove(0);
        }
        recent.push(Arc::downgrade(&shared));
        shared
    }

    /// Reads a JSON object; `None` stands for an empty one.
    pub fn parse(json: Option<&str>) -> Result<Self, Error> {
        let given = match json.map(serde_json::from_str::<Value>) {
            None => Map::new(),
            Some(Ok(Value::Object(given))) => given,
            Some(Ok(_)) => {
                return Err(Error::argument("options must be a JSON object, such as {\"timeout_ms\": 5000}"));
            }
            Some(Err(error)) => {
                return Err(Error::argument(format!(
                    "options are not JSON: line {}, column {}",
                    error.line(),
                    error.column()
                )));
            }
        };
        if let Some(unknown) = given.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(Error::argument(format!(
                "there is no option {:?}; there are {}",
                cut(unknown),
                KEYS.join(", ")
            )));
        }
        let mut given = Given(given);
        let token = given.token()?;
        Ok(Self {
            base_url: base_url(given.text("base_url")?.unwrap_or("https://app.tpstreams.com"))?,
            cache: cache(given.text("cache")?.unwrap_or("auto"))?,
            timeout: given.milliseconds("timeout_ms", 15_000)?,
            connect_timeout: given.milliseconds("connect_timeout_ms", 3_000)?,
            ca_file: given.text("ca_file")?.map(|path| readable("ca_file", Path::new(path))).transpose()?,
            proxy: proxy(given.text("proxy")?)?,
            refresh_ahead: given.refresh_ahead()?,
            logins_per_day: given.number("logins_per_day", 10, 0, 1_000_000)?,
            token,
            lazy: given.flag("lazy")?,
            user_agent: user_agent(given.text("user_agent")?)?,
        })
    }
}

/// The object as given; reading a key checks its type.
struct Given(Map<String, Value>);

impl Given {
    fn text(&self, key: &str) -> Result<Option<&str>, Error> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::argument(format!("option {key} must be a string"))),
        }
    }

    fn flag(&self, key: &str) -> Result<bool, Error> {
        match self.0.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Error::argument(format!("option {key} must be true or false"))),
        }
    }

    fn number(&self, key: &str, default: u32, least: u32, most: u32) -> Result<u32, Error> {
        match self.0.get(key) {
            None => Ok(default),
            Some(value) => value
                .as_u64()
                .and_then(|number| u32::try_from(number).ok())
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| Error::argument(format!("option {key} must be a whole number from {least} to {most}"))),
        }
    }

    fn milliseconds(&self, key: &str, default: u32) -> Result<Duration, Error> {
        self.number(key, default, 1, 3_600_000).map(|number| Duration::from_millis(number.into()))
    }

    /// Moved out of the object, so that no second copy stays in freed memory.
    fn token(&mut self) -> Result<Option<Secret>, Error> {
        let Some(value) = self.0.remove("token") else {
            return Ok(None);
        };
        let Value::String(text) = value else {
            return Err(Error::argument("option token must be a string"));
        };
        let token = Secret::new(text);
        match token::fault(token.expose()) {
            None => Ok(Some(token)),
            Some(fault) => {
                Err(Error::argument(format!("option token {fault}; pass the token alone, without the word Token")))
            }
        }
    }

    fn refresh_ahead(&self) -> Result<Option<Duration>, Error> {
        if self.0.get("refresh_ahead").and_then(Value::as_str) == Some("auto") || !self.0.contains_key("refresh_ahead")
        {
            return Ok(None);
        }
        self.number("refresh_ahead", 0, 0, 86_400).map(|seconds| Some(Duration::from_secs(seconds.into()))).map_err(
            |_| Error::argument("option refresh_ahead must be \"auto\" or a whole number of seconds from 0 to 86400"),
        )
    }
}

fn base_url(text: &str) -> Result<String, Error> {
    let fault =
        |what: &str| Error::argument(format!("option base_url {what}; write it like https://app.tpstreams.com"));
    if text.contains('#') {
        return Err(fault("has a fragment"));
    }
    let uri: Uri = text.parse().map_err(|_| fault("is not a URL"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(fault("is not a URL with scheme and host"));
    };
    if authority.as_str().contains('@') {
        return Err(fault("has user information in it"));
    }
    if uri.query().is_some() {
        return Err(fault("has a query"));
    }
    let host = authority.host();
    if host.is_empty() {
        return Err(fault("has no host"));
    }
    if authority.as_str() != host && authority.port_u16().is_none() {
        return Err(fault("has a port that is no number from 1 to 65535"));
    }
    match scheme {
        "https" => {}
        "http" if loopback(host) => {}
        "http" => {
            return Err(fault(&format!("would send the password to {} in clear: use https", cut(host))));
        }
        _ => return Err(fault("must begin with https://")),
    }
    Ok(format!("{scheme}://{}{}", authority.as_str().to_ascii_lowercase(), uri.path().trim_end_matches('/')))
}

/// Whether `host` can only be this machine.
fn loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn cache(text: &str) -> Result<Cache, Error> {
    match text {
        "auto" => Ok(Cache::Files(file::usual_places())),
        "memory" => Ok(Cache::Memory),
        _ if ["redis://", "rediss://", "redis+unix://"].iter().any(|scheme| text.starts_with(scheme)) => redis(text),
        _ => match text.strip_prefix("file:").map(PathBuf::from) {
            Some(directory) if directory.is_absolute() => Ok(Cache::Files(vec![directory])),
            Some(_) => {
                Err(Error::argument("option cache: write the directory as an absolute path, like file:/var/lib/shop"))
            }
            None => Err(Error::argument("option cache must be \"auto\", \"memory\", \"file:DIR\" or a Redis URL")),
        },
    }
}

#[cfg(feature = "redis")]
fn redis(url: &str) -> Result<Cache, Error> {
    let address = Address::parse(url).ok_or_else(|| {
        // Without what was given: it may hold a password.
        Error::argument(
            "option cache is no Redis URL; write it like rediss://user:password@redis.example:6379/0, special characters in \
             user and password as %40",
        )
    })?;
    Ok(Cache::Redis(address, file::usual_places()))
}

#[cfg(not(feature = "redis"))]
fn redis(_: &str) -> Result<Cache, Error> {
    Err(Error::argument("option cache: this library was built without Redis; use \"auto\", \"file:DIR\" or \"memory\""))
}

fn readable(key: &str, path: &Path) -> Result<PathBuf, Error> {
    std::fs::File::open(path).map(|_| path.to_owned()).map_err(|error| {
        Error::argument(format!(
            "option {key}: {:?} cannot be read: {}",
            cut(&path.display().to_string()),
            error.kind()
        ))
    })
}

fn user_agent(text: Option<&str>) -> Result<String, Error> {
    let own = concat!("libtps/", env!("CARGO_PKG_VERSION"));
    match text {
        None => Ok(own.to_owned()),
        Some(text)
            if !text.is_empty() && text.len() <= 200 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) =>
        {
            Ok(format!("{text} {own}"))
        }
        Some(_) => Err(Error::argument("option user_agent must be 1 to 200 printable ASCII characters")),
    }
}

/// At most 60 characters of something foreign, for a message.
fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(json: &str) -> String {
        Options::parse(Some(json)).unwrap_err().message
    }

    #[test]
    fn defaults() {
        let options = Options::parse(None).unwrap();
        assert_eq!(options.base_url, "https://app.tpstreams.com");
        assert_eq!(options.timeout, Duration::from_millis(15_000));
        assert!(options.user_agent.starts_with("libtps/"));
        assert!(!options.lazy);
    }

    #[test]
    fn each_fault_is_named() {
        for (json, word) in [
            ("[]", "object"),
            ("{", "JSON"),
            (r#"{"timeout":1}"#, "timeout_ms"),
            (r#"{"timeout_ms":"1"}"#, "timeout_ms"),
            (r#"{"timeout_ms":0}"#, "timeout_ms"),
            (r#"{"timeout_ms":1.5}"#, "timeout_ms"),
            (r#"{"lazy":1}"#, "lazy"),
            (r#"{"base_url":"http://example.com"}"#, "https"),
            (r#"{"base_url":"https://u:p@example.com"}"#, "user"),
            (r#"{"base_url":"https://example.com/?a"}"#, "query"),
            (r##"{"base_url":"https://example.com/#a"}"##, "fragment"),
            (r#"{"base_url":"ftp://example.com"}"#, "https"),
            (r#"{"base_url":"example.com"}"#, "base_url"),
            (r#"{"base_url":"https://example.com:x"}"#, "base_url"),
            (r#"{"base_url":"https://example.com:99999"}"#, "base_url"),
            (r#"{"cache":"file:tmp"}"#, "absolute"),
            (r#"{"cache":"redis://:p@"}"#, "Redis"),
            (r#"{"cache":"disk"}"#, "cache"),
            (r#"{"token":"a\r\n"}"#, "token"),
            (r#"{"ca_file":"/nonexistent.pem"}"#, "ca_file"),
            (r#"{"proxy":"nonsense://x"}"#, "proxy"),
            (r#"{"refresh_ahead":-1}"#, "refresh_ahead"),
            (r#"{"user_agent":"a\n"}"#, "user_agent"),
            (r#"{"logins_per_day":-1}"#, "logins_per_day"),
        ] {
            assert!(refused(json).contains(word), "{json}: {}", refused(json));
        }
    }

    #[test]
    fn a_base_url_has_one_form() {
        for (given, kept) in [
            ("https://App.TPStreams.com/", "https://app.tpstreams.com"),
            ("http://127.0.0.1:8000/a/", "http://127.0.0.1:8000/a"),
            ("http://[::1]:1", "http://[::1]:1"),
            ("http://localhost", "http://localhost"),
        ] {
            assert_eq!(base_url(given).unwrap(), kept);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_options_or_a_clean_failure(text in ".{0,80}", values in prop::collection::vec(".{0,60}", 11)) {
            let strings: Map<_, _> =
                KEYS.iter().zip(values).map(|(key, value)| ((*key).to_owned(), Value::from(value))).collect();
            let mut texts = vec![text, Value::Object(strings.clone()).to_string()];
            texts.extend(strings.into_iter().map(|(key, value)| Value::Object(Map::from_iter([(key, value)])).to_string()));
            for text in texts {
                if let Err(error) = Options::parse(Some(&text)) {
                    prop_assert_eq!(error.status, crate::error::Status::InvalidArgument);
                    prop_assert!(!error.message.contains(char::is_control), "{}", error.message);
                }
            }
        }
    }
}
