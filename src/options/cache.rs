//! Where tokens are kept.

use std::path::PathBuf;

pub use super::environment::StateHomes;
#[cfg(feature = "redis")]
use super::redis_url::RedisUrl;
use crate::error::Error;

/// Where tokens are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cache {
    /// In this process only.
    Memory,
    /// In a directory, for all processes of this host and user.
    Files(Directories),
    /// In Redis, for all hosts. The fallback store is in one of these directories.
    #[cfg(feature = "redis")]
    Redis(RedisUrl, Directories),
}

/// Where the file store may be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Directories {
    /// The best of the usual places.
    Usual(StateHomes),
    /// The directory that the caller named: who names a store wants it.
    Named(PathBuf),
}

impl Directories {
    /// The usual ones, as the environment is now.
    fn usual() -> Self {
        Self::Usual(StateHomes::read())
    }
}

impl Cache {
    /// Reads the option `cache`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Files(Directories::usual())),
            "memory" => Ok(Self::Memory),
            _ if text.starts_with("redis") && text.contains("://") => redis(text),
            _ => match text.strip_prefix("file:").map(PathBuf::from) {
                Some(directory) if directory.is_absolute() => Ok(Self::Files(Directories::Named(directory))),
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
    Ok(Cache::Redis(url, Directories::usual()))
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
        assert!(matches!(Cache::parse("auto"), Ok(Cache::Files(Directories::Usual(_)))));
        let named = Cache::Files(Directories::Named("/var/lib/shop".into()));
        assert_eq!(Cache::parse("file:/var/lib/shop"), Ok(named));
        #[cfg(feature = "redis")]
        for url in ["redis://h", "rediss+cluster://h,i", "redis+sentinel://h/s"] {
            assert!(matches!(Cache::parse(url), Ok(Cache::Redis(_, Directories::Usual(_)))), "{url}");
        }
    }
}
