//! Where a Redis server is, the way there, and for how long it is left alone when it does not serve.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine};
use percent_encoding::percent_decode_str;
use redis::{
    Client, Connection, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError, TlsCertificates,
};

use crate::fork::{Inherit, PerProcess};
use crate::options::Options;
use crate::redact::redact;
use crate::resolve::lookup;
use crate::secret::Secret;
use crate::store::Trouble;
use crate::trust::{self, reason};

/// How long one operation may take.
const OPERATION: Duration = Duration::from_millis(500);

/// How long a server is left alone that did not serve: an outage shall not cost each login's time.
const BREAK: Duration = Duration::from_secs(5);

/// When servers did not serve, and why, by their addresses.
#[derive(Default)]
struct Breaks(Mutex<BTreeMap<String, (Instant, Trouble)>>);

static BREAKS: PerProcess<Breaks> = PerProcess::new();

impl Inherit for Breaks {
    fn inherit(_: Option<&Self>) -> Self {
        Self::default()
    }
}

/// Where the server is, and who asks it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    way: Way,
    user: Option<String>,
    password: Option<Secret>,
    database: i64,
}

#[derive(Clone, PartialEq, Eq)]
enum Way {
    Tcp { host: String, port: u16, tls: bool },
    Unix(PathBuf),
}

impl Address {
    /// Reads `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, the same with `rediss`, or
    /// `redis+unix:///PATH[?db=DATABASE&user=USER&pass=PASSWORD]`. `None`: it is none of these.
    pub fn parse(url: &str) -> Option<Self> {
        if let Some(rest) = url.strip_prefix("redis+unix://") {
            let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
            let mut address =
                Self { way: Way::Unix(PathBuf::from(decoded(path)?)), user: None, password: None, database: 0 };
            for (key, value) in query.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| pair.split_once('='))
            {
                match key {
                    "db" => address.database = value.parse().ok()?,
                    "user" => address.user = Some(decoded(value)?),
                    "pass" => address.password = Some(Secret::new(decoded(value)?)),
                    _ => return None,
                }
            }
            return Some(address).filter(|_| path.starts_with('/') && path.len() > 1);
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
        let authority: ureq::http::uri::Authority = host.parse().ok()?;
        // What follows the host and is no port would be passed over in silence.
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

    /// What was wrong with it a moment ago.
    fn broken(&self) -> Result<(), Trouble> {
        let breaks = BREAKS.get().0.lock().unwrap_or_else(PoisonError::into_inner);
        match breaks.get(&self.to_string()) {
            Some((since, trouble)) if since.elapsed() < BREAK => Err(trouble.clone()),
            _ => Ok(()),
        }
    }

    /// A connection, for one flight.
    pub fn connect(&self, options: &Options) -> Result<Connection, Trouble> {
        self.broken()?;
        let start = Instant::now();
        let left = || OPERATION.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
        let mut settings = RedisConnectionInfo::default().set_db(self.database).set_skip_set_lib_name();
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password.expose());
        }
        let mut failed = None;
        for way in self.ways()? {
            let client = way
                .into_connection_info()
                .map(|information| information.set_redis_settings(settings.clone()))
                .and_then(|information| match information.addr() {
                    ConnectionAddr::TcpTls { .. } => {
                        let root_cert = Some(trusted(options)?);
                        Client::build_with_tls(information, TlsCertificates { client_tls: None, root_cert })
                    }
                    _ => Client::open(information),
                });
            let connection =
                client.and_then(|client| client.get_connection_with_timeout(left())).and_then(|connection| {
                    connection.set_read_timeout(Some(OPERATION))?;
                    connection.set_write_timeout(Some(OPERATION))?;
                    Ok(connection)
                });
            match connection {
                Ok(connection) => return Ok(connection),
                Err(error) => failed = Some(self.trouble(&error)),
            }
        }
        Err(failed.unwrap_or_else(|| self.breaks("the host name is not known")))
    }

    /// The host's addresses. A name is resolved in time; with TLS it stays, since the certificate is for it.
    fn ways(&self) -> Result<Vec<ConnectionAddr>, Trouble> {
        match &self.way {
            Way::Unix(path) => Ok(vec![ConnectionAddr::Unix(path.clone())]),
            Way::Tcp { host, port, tls } => {
                let found =
                    lookup(host, *port, OPERATION).map_err(|_| self.breaks("the host name is not resolved in time"))?;
                let way = |address: &SocketAddr| ConnectionAddr::Tcp(address.ip().to_string(), *port);
                let by_name =
                    || ConnectionAddr::TcpTls { host: host.clone(), port: *port, insecure: false, tls_params: None };
                Ok(if *tls {
                    found.first().map(|_| by_name()).into_iter().collect()
                } else {
                    found.iter().map(way).collect()
                })
            }
        }
    }

    /// What an error means to `stats`. Whatever it is, the server is left alone for a while.
    pub fn trouble(&self, error: &RedisError) -> Trouble {
        let tls = error.source().and_then(|source| {
            let shared = source.downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
            shared.downcast_ref::<std::io::Error>()?.get_ref()?.downcast_ref::<rustls::Error>()
        });
        let what = match error.kind() {
            _ if error.is_timeout() => "it does not answer in time".to_owned(),
            ErrorKind::AuthenticationFailed => "it refuses user or password".to_owned(),
            _ => tls.map_or_else(|| error.to_string(), reason),
        };
        let secrets: Vec<_> = self.password.iter().collect();
        self.breaks(&redact(&what, &secrets, 200))
    }

    /// Nobody asks it for a while.
    fn breaks(&self, what: &str) -> Trouble {
        let trouble = Trouble(format!("{self}: {what}"));
        let mut breaks = BREAKS.get().0.lock().unwrap_or_else(PoisonError::into_inner);
        breaks.insert(self.to_string(), (Instant::now(), trouble.clone()));
        trouble
    }
}

/// Without user and password.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Tcp { host, port, tls } => {
                write!(formatter, "redis{}://{host}:{port}/{}", if *tls { "s" } else { "" }, self.database)
            }
            Way::Unix(path) => write!(formatter, "redis+unix://{}?db={}", path.display(), self.database),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

/// The certificates that are trusted, in the form that the client takes.
fn trusted(options: &Options) -> Result<Vec<u8>, RedisError> {
    let certificates = trust::certificates(options)
        .map_err(|reason| RedisError::from((ErrorKind::InvalidClientConfig, "no certificates", reason)))?;
    let pem = certificates.iter().map(|certificate| {
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            BASE64_STANDARD.encode(certificate.der())
        )
    });
    Ok(pem.collect::<String>().into_bytes())
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
            let address = Address::parse(url);
            assert_eq!(address.as_ref().map(ToString::to_string).as_deref(), Some(shown), "{url}");
            let password_of = |it: &Address| it.password.as_ref().map(|password| password.expose().to_owned());
            let who = address.map(|it| (it.user.clone(), password_of(&it)));
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
            assert!(Address::parse(url).is_none(), "{url}");
        }
    }
}
