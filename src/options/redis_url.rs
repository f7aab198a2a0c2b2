//! A Redis URL: where the server is, and who asks it. A parsed value; nothing here connects.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use ureq::http::uri::Authority;

use crate::secret::Secret;

/// Where a Redis server is, and who asks it.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    /// How the server is reached.
    pub way: Way,
    /// The user; `None`: Redis's default one.
    pub user: Option<String>,
    /// The password; `None`: the server wants none.
    pub password: Option<Secret>,
    /// The number of the database.
    pub database: i64,
}

/// How a Redis server is reached.
#[derive(Clone, PartialEq, Eq)]
pub enum Way {
    /// Over TCP, with or without TLS. The host is a name or an address, IPv6 without brackets.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
        /// Whether over TLS.
        tls: bool,
    },
    /// By a socket in the file system.
    Unix(PathBuf),
}

impl RedisUrl {
    /// Reads `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, the same with `rediss`, or
    /// `redis+unix:///PATH[?db=DATABASE&user=USER&pass=PASSWORD]`. `None`: it is none of these.
    pub fn parse(url: &str) -> Option<Self> {
        if let Some(rest) = url.strip_prefix("redis+unix://") {
            let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
            let mut url =
                Self { way: Way::Unix(PathBuf::from(decoded(path)?)), user: None, password: None, database: 0 };
            for (key, value) in query.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| pair.split_once('='))
            {
                match key {
                    "db" => url.database = value.parse().ok()?,
                    "user" => url.user = Some(decoded(value)?),
                    "pass" => url.password = Some(Secret::new(decoded(value)?)),
                    _ => return None,
                }
            }
            return Some(url).filter(|_| path.starts_with('/') && path.len() > 1);
        }
        let (rest, tls) = match url.strip_prefix("rediss://") {
            Some(rest) => (rest, true),
            None => (url.strip_prefix("redis://")?, false),
        };
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (who, host) = authority.rsplit_once('@').map_or((None, authority), |(who, host)| (Some(who), host));
        let (user, password) = who.map_or((None, None), |who| {
            who.split_once(':').map_or((None, Some(who)), |(user, password)| (Some(user), Some(password)))
        });
        let authority: Authority = host.parse().ok()?;
        // What follows the host and is no port must not be ignored.
        if authority.as_str() != authority.host() && authority.port_u16().is_none() {
            return None;
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        Some(Self {
            way: Way::Tcp { host: host.to_owned(), port: authority.port_u16().unwrap_or(6379), tls },
            user: user.filter(|user| !user.is_empty()).map(decoded).map_or(Some(None), |user| user.map(Some))?,
            password: password.map(decoded).map_or(Some(None), |it| it.map(|it| Some(Secret::new(it))))?,
            database: if database.is_empty() { 0 } else { database.parse().ok().filter(|number| *number >= 0)? },
        })
        .filter(|_| !host.is_empty())
    }
}

/// For `stats` and messages: without user and password.
impl fmt::Display for RedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Tcp { host, port, tls } => {
                write!(formatter, "redis{}://{host}:{port}/{}", if *tls { "s" } else { "" }, self.database)
            }
            Way::Unix(path) => write!(formatter, "redis+unix://{}?db={}", path.display(), self.database),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_url_is_read() {
        for (url, shown, user, password) in [
            ("redis://h", "redis://h:6379/0", None, None),
            ("rediss://h:1/2", "rediss://h:1/2", None, None),
            ("redis://:p%40s@h/", "redis://h:6379/0", None, Some("p@s")),
            ("redis://s3s%3Ame@h", "redis://h:6379/0", None, Some("s3s:me")),
            ("redis://u:p:q@[::1]:7", "redis://::1:7/0", Some("u"), Some("p:q")),
            ("redis+unix:///run/r.sock", "redis+unix:///run/r.sock?db=0", None, None),
            ("redis+unix:///r%20s?db=3&user=u&pass=%26", "redis+unix:///r s?db=3", Some("u"), Some("&")),
        ] {
            let found = RedisUrl::parse(url);
            assert_eq!(found.as_ref().map(ToString::to_string).as_deref(), Some(shown), "{url}");
            let password_of = |it: &RedisUrl| it.password.as_ref().map(|password| password.expose().to_owned());
            let who = found.map(|it| (it.user.clone(), password_of(&it)));
            assert_eq!(who, Some((user.map(str::to_owned), password.map(str::to_owned))), "{url}");
        }
        for url in [
            "redis://",
            "redis:///1",
            "redis://u:p@",
            "redis://h:x",
            "redis://h/x",
            "redis://h/-1",
            "redis://h h",
            "redis+unix://relative",
            "redis+unix:///",
            "redis+unix:///r?color=red",
            "redis://:%ff@h",
            "http://h",
        ] {
            assert!(RedisUrl::parse(url).is_none(), "{url}");
        }
    }
}
