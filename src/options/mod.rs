//! What a client can be told besides its credentials: a JSON object, checked key by key.

mod base_url;
pub mod cache;
mod environment;
mod given;
pub mod no_proxy;
pub mod proxy;
#[cfg(feature = "redis")]
pub mod redis_url;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Map, Value};

pub use self::cache::{Cache, Directories};
pub use self::environment::TrustStore;
use self::given::{Given, cut};
pub use self::proxy::Proxy;
use crate::error::Error;
use crate::process::fork::{Inherit, PerProcess};
use crate::secret::Secret;

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

/// All options, with their defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Where the server is, without a final slash.
    pub base_url: String,
    /// Where tokens are kept.
    pub cache: Cache,
    /// The time limit of a whole call.
    pub timeout: Duration,
    /// The time limit of TCP and TLS.
    pub connect_timeout: Duration,
    /// A PEM file that is trusted besides the system's certificates.
    pub ca_file: Option<PathBuf>,
    /// What the environment names instead of the system's certificates.
    pub trust_store: TrustStore,
    /// `None`: straight to the server.
    pub proxy: Option<Proxy>,
    /// How long before its expiry a token is renewed; `None`: as the library thinks fit.
    pub refresh_ahead: Option<Duration>,
    /// The login budget of 24 hours; 0: no limit.
    pub logins_per_day: u32,
    /// A token that its owner holds already.
    pub token: Option<Secret>,
    /// Whether a new client does no I/O.
    pub lazy: bool,
    /// What the requests' `User-Agent` says.
    pub user_agent: String,
}

/// The last options that were used, for the next client with equal ones.
#[derive(Default)]
struct Recent(Mutex<Vec<Weak<Options>>>);

static RECENT: PerProcess<Recent> = PerProcess::new();

impl Inherit for Recent {
    fn inherit(_: Option<&Self>) -> Self {
        Self::default()
    }
}

impl Options {
    /// These options, in memory only once: thousands of clients may have equal ones.
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

    /// The first 12 hexadecimal digits of the SHA-256 of the proxy's URL: a proxy's refusal holds off that proxy only.
    pub fn proxy_fingerprint(&self) -> Option<String> {
        self.proxy.as_ref().map(|proxy| proxy.url.fingerprint())
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
            base_url: base_url::base_url(given.text("base_url")?.unwrap_or("https://app.tpstreams.com"))?,
            cache: Cache::parse(given.text("cache")?.unwrap_or("auto"))?,
            timeout: given.milliseconds("timeout_ms", 15_000)?,
            connect_timeout: given.milliseconds("connect_timeout_ms", 3_000)?,
            ca_file: given.text("ca_file")?.map(|path| readable(Path::new(path))).transpose()?,
            trust_store: TrustStore::read(),
            proxy: Proxy::choose(given.text("proxy")?)?,
            refresh_ahead: given.refresh_ahead()?,
            logins_per_day: given.number("logins_per_day", 10, 0, 1_000_000)?,
            token,
            lazy: given.flag("lazy")?,
            user_agent: user_agent(given.text("user_agent")?)?,
        })
    }
}

/// The option `ca_file`, if it can be read.
fn readable(path: &Path) -> Result<PathBuf, Error> {
    // Opening a pipe waits until somebody writes to it.
    let why_not = match fs::metadata(path) {
        Ok(found) if !found.is_file() => "is not a file".to_owned(),
        found => match found.and_then(|_| File::open(path)) {
            Ok(_) => return Ok(path.to_owned()),
            Err(error) => format!("cannot be read: {}", error.kind()),
        },
    };
    Err(Error::argument(format!("option ca_file: {:?} {why_not}", cut(&path.display().to_string()))))
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
    fn a_proxy_is_told_from_others_without_its_password() {
        let fingerprint = |json| Options::parse(Some(json)).unwrap().proxy_fingerprint();
        let one = fingerprint(r#"{"proxy":"http://u:s3same@h:1"}"#).unwrap();
        assert_eq!(one.len(), 12);
        assert_ne!(Some(&one), fingerprint(r#"{"proxy":"http://u:other@h:1"}"#).as_ref());
        assert_eq!(fingerprint(r#"{"proxy":"none"}"#), None);
        let shown = format!("{:?}", Options::parse(Some(r#"{"proxy":"http://u:s3same@h:1"}"#)).unwrap());
        assert!(!shown.contains("s3same"), "{shown}");
    }

    #[test]
    fn equal_options_are_one() {
        let shared = |json| Options::parse(Some(json)).unwrap().shared();
        let (one, same, other) = (shared("{}"), shared("{}"), shared(r#"{"lazy":true}"#));
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
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
