//! Addresses of a host name, in time.
//!
//! `getaddrinfo` cannot be given up. So it runs on a thread of its own, which ends by itself; whoever asks for the same name
//! meanwhile waits for that one, so that a name server that is silent costs one thread and not one for each login.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

use crate::fork::{Inherit, PerProcess};

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
            // A proxy.
            _ => 1080,
        });
        let mut addresses = self.empty();
        for address in lookup(host, port, *timeout.after)?.iter().take(16) {
            addresses.push(*address);
        }
        if addresses.is_empty() { Err(Error::HostNotFound) } else { Ok(addresses) }
    }
}

/// Lookups under way, by host and port.
#[derive(Default)]
struct Lookups(Mutex<BTreeMap<(String, u16), Arc<Lookup>>>);

static LOOKUPS: PerProcess<Lookups> = PerProcess::new();

impl Inherit for Lookups {
    /// A child has none of its parent's threads.
    fn inherit(_: Option<&Self>) -> Self {
        Self::default()
    }
}

#[derive(Default)]
struct Lookup {
    found: Mutex<Option<Vec<SocketAddr>>>,
    done: Condvar,
}

impl Lookup {
    fn finish(&self, found: Vec<SocketAddr>) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        self.done.notify_all();
    }
}

/// The addresses of a host, within `time`.
pub fn lookup(host: &str, port: u16, time: Duration) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let lookup = join(host, port)?;
    let deadline = Instant::now().checked_add(time);
    let mut found = lookup.found.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(found) = &*found {
            return Ok(found.clone());
        }
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Err(Error::Timeout(Timeout::Resolve));
        }
        found = lookup.done.wait_timeout(found, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// The lookup of this name that is under way, or a new one.
fn join(host: &str, port: u16) -> io::Result<Arc<Lookup>> {
    let key = (host.to_owned(), port);
    let lookups = LOOKUPS.get();
    let mut table = lookups.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(lookup) = table.get(&key) {
        return Ok(lookup.clone());
    }
    let lookup = Arc::new(Lookup::default());
    let (its, name) = (lookup.clone(), key.clone());
    // It inherits the login's signal mask and descriptors.
    thread::Builder::new().name("tps-resolve".to_owned()).spawn(move || {
        let found = (name.0.as_str(), name.1).to_socket_addrs().map(Iterator::collect).unwrap_or_default();
        LOOKUPS.get().0.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
        its.finish(found);
    })?;
    table.insert(key, lookup.clone());
    Ok(lookup)
}
