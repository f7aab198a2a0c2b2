//! One HTTP request: TLS, proxy, time limit, and whether anything of it went out.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::{Method, Uri};
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::{Connector, DefaultConnector};
use ureq::{Agent, AsSendBody, Body, http};
use zeroize::Zeroizing;

use super::gzip;
use super::resolve::InTime;
use super::sent::Noting;
use super::tls::{self, roots};
use crate::options::{Options, Proxy};
use crate::process::fork::{Inherit, PerProcess};

/// The longest body that is read.
const LONGEST_BODY: u64 = 64 * 1024;

/// What is asked.
pub struct Request<'a> {
    /// `POST` or `GET`.
    pub method: Method,
    /// What follows the base URL.
    pub path: &'a str,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// JSON, or nothing.
    pub body: &'a [u8],
}

/// What the server answered.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The header `Date`.
    pub date: Option<String>,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// The header `Location`.
    pub location: Option<String>,
    /// The body, cut where it is too large.
    pub body: Zeroizing<Vec<u8>>,
    /// Whether the body is larger than anything that is expected.
    pub too_large: bool,
}

#[cfg(test)]
impl Reply {
    /// An answer without headers.
    pub fn with(status: u16, body: &[u8]) -> Self {
        let body = Zeroizing::new(body.to_owned());
        Self { status, date: None, retry_after: None, location: None, body, too_large: false }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Failure {
    /// What failed.
    pub kind: FailureKind,
    /// Whether bytes of the request may have reached the server.
    pub sent: bool,
    /// What happened, in a few words without secrets.
    pub reason: String,
}

/// What of the call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Name resolution, connection, a broken connection, a proxy that does not connect.
    Network,
    /// The proxy refused its own user name and password.
    Proxy,
    /// The server's certificate or the handshake, or no certificate to check it by.
    Tls,
    /// The time limit came first.
    Timeout,
    /// The answer broke HTTP's rules.
    Malformed,
}

/// Sends one request on a connection of its own and reads the whole answer within `time`.
pub fn send(options: &Options, request: &Request<'_>, time: Duration) -> Result<Reply, Failure> {
    let sent = Arc::new(AtomicBool::new(false));
    let fail = |kind, reason: String| Failure { kind, sent: sent.load(Ordering::Relaxed), reason };
    let url = format!("{}{}", options.base_url, request.path)
        .parse::<Uri>()
        .map_err(|error| fail(FailureKind::Malformed, error.to_string()))?;
    let https = url.scheme_str() == Some("https");

    // Plain HTTP goes to this machine only. A proxy would read the password.
    let excepted = |proxy: &&Proxy| proxy.except.excepts(url.host().unwrap_or_default(), url.port_u16().unwrap_or(443));
    let proxy = options.proxy.as_ref().filter(|proxy| https && !excepted(proxy));
    let proxy = proxy.map(|proxy| ureq::Proxy::new(proxy.url.expose())).transpose();
    let proxy = proxy.map_err(|_| fail(FailureKind::Network, "the proxy's URL cannot be used".to_owned()))?;
    let proxied = proxy.is_some();
    let way = proxy.as_ref().map(|proxy| format!("the proxy {}:{}", proxy.host(), proxy.port()));
    let fail = |kind, reason: String| {
        let failure = fail(kind, reason);
        match &way {
            Some(way) if !failure.sent && kind != FailureKind::Tls => {
                Failure { reason: format!("{way}: {}", failure.reason), ..failure }
            }
            _ => failure,
        }
    };

    let mut tls =
        TlsConfig::builder().unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
    if https {
        tls = tls.root_certs(roots(options).map_err(|reason| fail(FailureKind::Tls, reason))?);
    }
    let noting = Noting { sent: sent.clone(), proxied, deadline: Instant::now() + time };
    let agent = Agent::with_parts(DEFAULTS.get().0.clone(), DefaultConnector::default().chain(noting), InTime);
    let limits = (time, options.connect_timeout.min(time));

    let mut head = http::Request::builder()
        .method(&request.method)
        .uri(url)
        .header("Accept", "application/json")
        .header("Accept-Language", "en")
        .header("Cache-Control", "no-cache")
        .header("Connection", "close")
        .header("User-Agent", &options.user_agent);
    if let Some(value) = request.authorization {
        head = head.header("Authorization", value);
    }
    if !request.body.is_empty() {
        head = head.header("Content-Type", "application/json");
    }
    let answer = match request.method {
        Method::GET => head.body(()).map(|request| run(&agent, request, limits, proxy, tls.build())),
        // A body of known length, also where it is empty: `Content-Length: 0`.
        _ => head.body(request.body).map(|request| run(&agent, request, limits, proxy, tls.build())),
    };
    let mut answer = answer
        .map_err(|error| fail(FailureKind::Malformed, error.to_string()))?
        .map_err(|error| failed(&fail, error, proxied))?;

    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (date, retry_after, location) = (header("date"), header("retry-after"), header("location"));
    let status = answer.status().as_u16();
    // With its room from the start, so that it never moves and leaves a copy behind.
    let mut body = Zeroizing::new(Vec::with_capacity(LONGEST_BODY as usize + 1));
    let limited = answer.body_mut().with_config().limit(u64::MAX).reader();
    limited.take(LONGEST_BODY + 1).read_to_end(&mut body).map_err(|error| match error.downcast::<ureq::Error>() {
        Ok(error) => failed(&fail, error, proxied),
        Err(error) => failed(&fail, ureq::Error::Io(error), proxied),
    })?;
    let body = gzip::plain(body, LONGEST_BODY + 1)
        .ok_or_else(|| fail(FailureKind::Malformed, "the compressed answer breaks off".to_owned()))?;
    let too_large = body.len() as u64 > LONGEST_BODY;
    Ok(Reply { status, date, retry_after, location, body, too_large })
}

/// What holds for all requests. The HTTP library reads the environment for it, though none of that is used.
struct Defaults(Config);

static DEFAULTS: PerProcess<Defaults> = PerProcess::new();

impl Inherit for Defaults {
    fn inherit(parent: Option<&Self>) -> Self {
        let made = || {
            Agent::config_builder()
                .proxy(None)
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .max_idle_connections(0)
                .accept_encoding("")
                .build()
        };
        Self(parent.map_or_else(made, |parent| parent.0.clone()))
    }
}

/// Has the HTTP library read the environment, if it has not yet: on a thread that may, since it is a caller's.
pub fn prepare() {
    DEFAULTS.get();
}

/// Sends a request. `limits`: its time for the name, and for the connection.
fn run(
    agent: &Agent,
    request: http::Request<impl AsSendBody>,
    limits: (Duration, Duration),
    proxy: Option<ureq::Proxy>,
    tls: TlsConfig,
) -> Result<http::Response<Body>, ureq::Error> {
    let request = agent.configure_request(request).timeout_resolve(Some(limits.0)).timeout_connect(Some(limits.1));
    agent.run(request.proxy(proxy).tls_config(tls).build())
}

fn failed(fail: &impl Fn(FailureKind, String) -> Failure, error: ureq::Error, proxied: bool) -> Failure {
    use FailureKind::{Malformed, Network, Proxy, Timeout, Tls};
    let untrusted = |error: &rustls::Error| {
        let failure = fail(Tls, tls::reason(error));
        Failure { sent: failure.sent && !tls::unread(error), ..failure }
    };
    match error {
        ureq::Error::Timeout(ureq::Timeout::Resolve) => fail(Timeout, "the name is not resolved in time".to_owned()),
        ureq::Error::Timeout(ureq::Timeout::Connect) => fail(Timeout, "no connection in time".to_owned()),
        ureq::Error::Timeout(_) => fail(Timeout, "no answer in time".to_owned()),
        ureq::Error::HostNotFound => fail(Network, "the host name is not known".to_owned()),
        ureq::Error::ConnectProxyFailed(reason) => {
            let (kind, reason) = refused_by_proxy(&reason);
            fail(kind, reason)
        }
        ureq::Error::Rustls(error) => untrusted(&error),
        ureq::Error::Tls(reason) => fail(Tls, reason.to_owned()),
        ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => untrusted(error),
            None if proxied && refused_by_socks(&error) => {
                fail(Proxy, format!("it refuses user name and password ({error}); put the right ones into its URL"))
            }
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                fail(Network, "the connection was closed before the answer".to_owned())
            }
            None => fail(Network, error.to_string()),
        },
        ureq::Error::ConnectionFailed => fail(Network, "the connection failed".to_owned()),
        _ => fail(Malformed, "the answer is not proper HTTP".to_owned()),
    }
}

/// What a proxy's answer to `CONNECT` means. Of ureq's own words only the number is of use.
fn refused_by_proxy(reason: &str) -> (FailureKind, String) {
    let status: String = reason.chars().filter(char::is_ascii_digit).take(3).collect();
    match status.as_str() {
        "" => (FailureKind::Network, "it does not answer".to_owned()),
        "401" | "407" => (
            FailureKind::Proxy,
            format!("it asks for a user name and a password that it knows ({status}); put them into its URL"),
        ),
        _ => (FailureKind::Network, format!("it does not connect ({status})")),
    }
}

/// Whether a SOCKS proxy refused user name and password. ureq tells it by these words, without a system's error number.
fn refused_by_socks(error: &io::Error) -> bool {
    let words = ["password authentication failed", "no acceptable auth methods", "unknown auth method"];
    error.raw_os_error().is_none() && words.contains(&error.to_string().as_str())
}
