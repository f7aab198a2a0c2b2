//! Addresses of a host name, in time.
//!
//! `getaddrinfo` cannot be given up. So it runs on a thread of its own, which ends by itself. A caller that asks for the same
//! name meanwhile waits for that one: a name server that does not answer costs one thread, and not one for each login.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

use crate::process::fork::{Inherit, PerProcess};
use crate::process::thread;

/// The resolver that the HTTP client is given.
#[derive(Debug)]
pub struct InTime;

impl Resolver for InTime {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let (Some(host), Some(scheme)) = (uri.host(), uri.scheme_str()) else {
            return Err(Error::BadUri("it has no host".to_owned()));
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(match scheme {
            "https" => 443,
            "http" => 80,
            // A SOCKS proxy.
            _ => 1080,
        });
        let found = addresses(host, port, *timeout.after).map_err(|_| Error::Timeout(Timeout::Resolve))?;
        let mut some = self.empty();
        for address in found.iter().take(16) {
            some.push(*address);
        }
        if some.is_empty() { Err(Error::HostNotFound) } else { Ok(some) }
    }
}

/// Names that are being resolved, by host and port.
#[derive(Default)]
struct UnderWay(Mutex<BTreeMap<(String, u16), Arc<Resolution>>>);

static UNDER_WAY: PerProcess<UnderWay> = PerProcess::new();

impl Inherit for UnderWay {
    /// A child has none of its parent's threads.
    fn inherit(_: Option<&Self>) -> Self {
        Self::default()
    }
}

#[derive(Default)]
struct Resolution {
    found: Mutex<Option<Vec<SocketAddr>>>,
    done: Condvar,
}

/// The addresses of a host, none where it is not known. `host` is a name or an address, IPv6 without brackets. The error
/// is `TimedOut`: the answer did not come within `time`.
pub fn addresses(host: &str, port: u16, time: Duration) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let deadline = Instant::now().checked_add(time);
    let resolution = join(host, port);
    let mut found = resolution.found.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(found) = &*found {
            return Ok(found.clone());
        }
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        found = resolution.done.wait_timeout(found, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// The resolution of this name that is under way, or a new one.
fn join(host: &str, port: u16) -> Arc<Resolution> {
    let name = (host.to_owned(), port);
    let resolution = Arc::new(Resolution::default());
    {
        let mut table = UNDER_WAY.get().0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = table.get(&name) {
            return other.clone();
        }
        table.insert(name.clone(), resolution.clone());
    }
    // The thread inherits the login's descriptors. Without a thread, it is done here.
    if let Err((name, resolution)) = thread::start("tps-resolve", (name, resolution.clone()), resolve) {
        resolve((name, resolution));
    }
    resolution
}

fn resolve((name, resolution): ((String, u16), Arc<Resolution>)) {
    let found = (name.0.as_str(), name.1).to_socket_addrs().map(Iterator::collect).unwrap_or_default();
    UNDER_WAY.get().0.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
    *resolution.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    resolution.done.notify_all();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_found() {
        let second = Duration::from_secs(20);
        for host in ["127.0.0.1", "::1", "localhost"] {
            let found = addresses(host, 7, second).unwrap_or_default();
            assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 7), "{found:?}");
            assert!(!found.is_empty(), "{host}");
        }
        assert!(addresses("no such host", 7, second).is_ok_and(|found| found.is_empty()));
    }
}
