//! The way to a Redis server, and for how long it is left alone when it does not serve.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine};
use redis::{
    Client, Connection, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError, TlsCertificates,
};

use crate::options::Options;
use crate::options::redis_url::{RedisUrl, Way};
use crate::process::fork::{Inherit, PerProcess};
use crate::server::redact::redact;
use crate::server::resolve::addresses;
use crate::server::tls::{self, reason};
use crate::store::StoreError;

/// How long one operation may take.
const OPERATION: Duration = Duration::from_millis(500);

/// How long a server is left alone that did not serve: an outage shall not cost each login's time.
const BREAK: Duration = Duration::from_secs(5);

/// When servers did not serve, and why, by their addresses.
#[derive(Default)]
struct Breaks(Mutex<BTreeMap<String, (Instant, StoreError)>>);

static BREAKS: PerProcess<Breaks> = PerProcess::new();

impl Inherit for Breaks {
    fn inherit(_: Option<&Self>) -> Self {
        Self::default()
    }
}

/// A connection, for one lookup.
pub fn connect(url: &RedisUrl, options: &Options) -> Result<Connection, StoreError> {
    left_alone(url)?;
    let start = Instant::now();
    let left = || OPERATION.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
    let mut settings = RedisConnectionInfo::default().set_db(url.database).set_skip_set_lib_name();
    if let Some(user) = &url.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &url.password {
        settings = settings.set_password(password.expose());
    }
    let mut failure = None;
    for way in ways(url)? {
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
        let connection = client.and_then(|client| client.get_connection_with_timeout(left())).and_then(|connection| {
            connection.set_read_timeout(Some(OPERATION))?;
            connection.set_write_timeout(Some(OPERATION))?;
            Ok(connection)
        });
        match connection {
            Ok(connection) => return Ok(connection),
            Err(error) => failure = Some(failed(url, &error)),
        }
    }
    Err(failure.unwrap_or_else(|| leave_alone(url, "the host name is not known")))
}

/// What an error means to `stats`. Whatever it is, the server is left alone for a while.
pub fn failed(url: &RedisUrl, error: &RedisError) -> StoreError {
    let tls = error.source().and_then(|source| {
        let shared = source.downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
        shared.downcast_ref::<std::io::Error>()?.get_ref()?.downcast_ref::<rustls::Error>()
    });
    let what = match error.kind() {
        _ if error.is_timeout() => "it does not answer in time".to_owned(),
        ErrorKind::AuthenticationFailed => "it refuses user or password".to_owned(),
        _ => tls.map_or_else(|| error.to_string(), reason),
    };
    let secrets: Vec<_> = url.password.iter().collect();
    leave_alone(url, &redact(&what, &secrets, 200))
}

/// The host's addresses. A name is resolved in time; with TLS it stays, since the certificate is for it.
fn ways(url: &RedisUrl) -> Result<Vec<ConnectionAddr>, StoreError> {
    match &url.way {
        Way::Unix(path) => Ok(vec![ConnectionAddr::Unix(path.clone())]),
        Way::Tcp { host, port, tls } => {
            let found = addresses(host, *port, OPERATION)
                .map_err(|_| leave_alone(url, "the host name is not resolved in time"))?;
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

/// Fails as it did a moment ago, if it did.
fn left_alone(url: &RedisUrl) -> Result<(), StoreError> {
    let breaks = BREAKS.get().0.lock().unwrap_or_else(PoisonError::into_inner);
    match breaks.get(&url.to_string()) {
        Some((since, error)) if since.elapsed() < BREAK => Err(error.clone()),
        _ => Ok(()),
    }
}

fn leave_alone(url: &RedisUrl, what: &str) -> StoreError {
    let error = StoreError(format!("{url}: {what}"));
    let mut breaks = BREAKS.get().0.lock().unwrap_or_else(PoisonError::into_inner);
    breaks.insert(url.to_string(), (Instant::now(), error.clone()));
    error
}

/// The certificates that are trusted, in the form that the client takes.
fn trusted(options: &Options) -> Result<Vec<u8>, RedisError> {
    let certificates = tls::certificates(options)
        .map_err(|reason| RedisError::from((ErrorKind::InvalidClientConfig, "no certificates", reason)))?;
    let pem = certificates.iter().map(|certificate| {
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            BASE64_STANDARD.encode(certificate.der())
        )
    });
    Ok(pem.collect::<String>().into_bytes())
}
