//! One HTTP request: TLS, proxy, deadline, and whether anything of it went out.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ureq::Agent;
use ureq::http::{Method, Request, Uri};
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport};
use zeroize::{Zeroize, Zeroizing};

use crate::options::Options;
use crate::resolve::InTime;
use crate::trust::{self, roots};

/// The longest body that is read.
const LONGEST_BODY: u64 = 64 * 1024;

/// What the server said.
pub struct Answer {
    pub status: u16,
    pub date: Option<String>,
    pub retry_after: Option<String>,
    pub location: Option<String>,
    /// Cut where it is too large.
    pub body: Zeroizing<Vec<u8>>,
    /// Larger than anything that is expected.
    pub too_large: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Failure {
    pub kind: FailureKind,
    /// Whether bytes of the request may have reached the server.
    pub sent: bool,
    /// What happened, in a few words without secrets.
    pub reason: String,
}

/// What of the call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Name resolution, connection, a broken connection, a proxy's refusal.
    Network,
    /// The server's certificate or the handshake, or no certificate to check it by.
    Tls,
    /// The deadline came first.
    Timeout,
    /// The answer broke HTTP's rules.
    Malformed,
}

/// Sends one request on a connection of its own and reads the whole answer within `timeout`.
pub fn send(
    options: &Options,
    method: Method,
    path: &str,
    authorization: Option<&str>,
    body: &[u8],
    timeout: Duration,
) -> Result<Answer, Failure> {
    let sent = Arc::new(AtomicBool::new(false));
    let fail = |kind, reason: String| Failure { kind, sent: sent.load(Ordering::Relaxed), reason };
    let url = format!("{}{path}", options.base_url)
        .parse::<Uri>()
        .map_err(|error| fail(FailureKind::Malformed, error.to_string()))?;
    let https = url.scheme_str() == Some("https");

    // Plain HTTP goes to this machine only; a proxy would be somebody else who reads the password.
    let proxy = options.proxy.as_ref().filter(|_| https).map(|choice| choice.proxy()).transpose();
    let proxy = proxy
        .map_err(|_| fail(FailureKind::Network, "the proxy's URL is not usable".to_owned()))?
        .filter(|proxy| !proxy.is_no_proxy(&url));
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
    let noting = Noting { sent: sent.clone(), proxied: proxy.is_some() };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .timeout_global(Some(timeout))
        .timeout_connect(Some(options.connect_timeout.min(timeout)))
        .proxy(proxy)
        .tls_config(tls.build())
        .accept_encoding("")
        .build();
    let agent = Agent::with_parts(config, DefaultConnector::default().chain(noting), InTime);

    let mut request = Request::builder()
        .method(method)
        .uri(url)
        .header("Accept", "application/json")
        .header("Accept-Language", "en")
        .header("Cache-Control", "no-cache")
        .header("Connection", "close")
        .header("User-Agent", &options.user_agent);
    if let Some(value) = authorization {
        request = request.header("Authorization", value);
    }
    let answer = if body.is_empty() {
        request.body(()).map(|request| agent.run(request))
    } else {
        request.header("Content-Type", "application/json").body(body).map(|request| agent.run(request))
    };
    let mut answer = answer
        .map_err(|error| fail(FailureKind::Malformed, error.to_string()))?
        .map_err(|error| failed(&fail, error))?;

    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (date, retry_after, location) = (header("date"), header("retry-after"), header("location"));
    let status = answer.status().as_u16();
    // With its room from the start, so that it never moves and leaves a copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST_BODY as usize + 1));
    let limited = answer.body_mut().with_config().limit(u64::MAX).reader();
    limited.take(LONGEST_BODY + 1).read_to_end(&mut text).map_err(|error| match error.downcast::<ureq::Error>() {
        Ok(error) => failed(&fail, error),
        Err(error) => failed(&fail, ureq::Error::Io(error)),
    })?;
    let too_large = text.len() as u64 > LONGEST_BODY;
    Ok(Answer { status, date, retry_after, location, body: text, too_large })
}

fn failed(fail: &impl Fn(FailureKind, String) -> Failure, error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Timeout(ureq::Timeout::Resolve) => {
            fail(FailureKind::Timeout, "the name is not resolved in time".to_owned())
        }
        ureq::Error::Timeout(ureq::Timeout::Connect) => fail(FailureKind::Timeout, "no connection in time".to_owned()),
        ureq::Error::Timeout(_) => fail(FailureKind::Timeout, "no answer in time".to_owned()),
        ureq::Error::HostNotFound => fail(FailureKind::Network, "the host name is not known".to_owned()),
        ureq::Error::ConnectProxyFailed(reason) => fail(FailureKind::Network, refused_by_proxy(&reason)),
        ureq::Error::Rustls(error) => fail(FailureKind::Tls, trust::reason(&error)),
        ureq::Error::Tls(reason) => fail(FailureKind::Tls, reason.to_owned()),
        ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(tls) => fail(FailureKind::Tls, trust::reason(tls)),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                fail(FailureKind::Network, "the connection was closed before the answer".to_owned())
            }
            None => fail(FailureKind::Network, error.to_string()),
        },
        ureq::Error::ConnectionFailed => fail(FailureKind::Network, "the connection failed".to_owned()),
        _ => fail(FailureKind::Malformed, "the answer is not proper HTTP".to_owned()),
    }
}

/// What was sent and received leaves no trace.
impl<T: Transport> Drop for NotingTransport<T> {
    fn drop(&mut self) {
        let buffers = self.inner.buffers();
        buffers.output().zeroize();
        buffers.input_consume(buffers.input().len());
        buffers.input_append_buf().zeroize();
    }
}

/// What a proxy's refusal means; of ureq's own words only the number is of use.
fn refused_by_proxy(reason: &str) -> String {
    let status: String = reason.chars().filter(char::is_ascii_digit).take(3).collect();
    match status.as_str() {
        "" => "it does not answer".to_owned(),
        "401" | "407" => {
            format!("it asks for a user name and a password that it knows ({status}); put them into its URL")
        }
        _ => format!("it does not connect ({status})"),
    }
}

/// The last link of the connector's chain: notes when the request itself, not a handshake, begins to go out.
struct Noting {
    sent: Arc<AtomicBool>,
    proxied: bool,
}

struct NotingTransport<T: Transport> {
    inner: T,
    /// `None`: this leads to the proxy only, which is asked for a connection.
    sent: Option<Arc<AtomicBool>>,
}

impl<In: Transport> Connector<In> for Noting {
    type Out = NotingTransport<In>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        // The way to a proxy goes through the same chain, with a configuration that has none.
        let leads_to_the_server = self.proxied == details.config.proxy().is_some();
        Ok(chained.map(|inner| NotingTransport { inner, sent: leads_to_the_server.then(|| self.sent.clone()) }))
    }
}

impl<T: Transport> Transport for NotingTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if let Some(sent) = &self.sent {
            sent.store(true, Ordering::Relaxed);
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

impl fmt::Debug for Noting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Noting")
    }
}

impl<T: Transport> fmt::Debug for NotingTransport<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NotingTransport")
    }
}
