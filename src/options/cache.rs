//! Where tokens are kept.

use std::path::PathBuf;

use super::environment;
#[cfg(feature = "redis")]
use super::redis_url::RedisUrl;
use crate::error::Error;

/// Where tokens are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cache {
    /// In this process only.
    Memory,
    /// In a directory, for all processes of this host and user.
    Files {
        /// The directories that may serve, the best first.
        places: Vec<PathBuf>,
        /// Whether the caller named the directory: who names a store wants it.
        named: bool,
    },
    /// In Redis, for all hosts. The fallback store is in the first of these directories that serves.
    #[cfg(feature = "redis")]
    Redis(RedisUrl, Vec<PathBuf>),
}

impl Cache {
    /// Reads the option `cache`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Files { places: environment::usual_places(), named: false }),
            "memory" => Ok(Self::Memory),
            _ if text.starts_with("redis") && text.contains("://") => redis(text),
            _ => match text.strip_prefix("file:").map(PathBuf::from) {
                Some(directory) if directory.is_absolute() => Ok(Self::Files { places: vec![directory], named: true }),
                Some(_) => Err(Error::argument(
                    "option cache: write the directory as an absolute path, like file:/var/lib/shop",
                )),
                None => Err(Error::argument("option cache must be \"auto\", \"memory\", \"file:DIR\" or a Redis URL")),
            },
        }
    }
}

#[cfg(feature = "redis")]
fn redis(url: &str) -> Result<Cache, Error> {
    let url = RedisUrl::parse(url).map_err(Error::argument)?;
    Ok(Cache::Redis(url, environment::usual_places()))
}

#[cfg(not(feature = "redis"))]
fn redis(_: &str) -> Result<Cache, Error> {
    Err(Error::argument("option cache: this library was built without Redis; use \"auto\", \"file:DIR\" or \"memory\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_read() {
        assert_eq!(Cache::parse("memory"), Ok(Cache::Memory));
        assert!(matches!(Cache::parse("auto"), Ok(Cache::Files { places, named: false }) if !places.is_empty()));
        let named = Cache::Files { places: vec!["/var/lib/shop".into()], named: true };
        assert_eq!(Cache::parse("file:/var/lib/shop"), Ok(named));
        #[cfg(feature = "redis")]
        for url in ["redis://h", "rediss+cluster://h,i", "redis+sentinel://h/s"] {
            assert!(matches!(Cache::parse(url), Ok(Cache::Redis(_, places)) if !places.is_empty()), "{url}");
        }
    }
}
