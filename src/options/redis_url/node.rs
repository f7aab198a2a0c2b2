//! Where one server is.

use std::fmt;

use ureq::http::uri::Authority;

/// Where one server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// A name or an address, IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Node {
    /// Reads `HOST` or `HOST:PORT`, an IPv6 address in brackets.
    pub fn parse(text: &str, default_port: u16) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        // What follows the host and is no port must not be ignored.
        if authority.as_str() != authority.host() && authority.port_u16().is_none() {
            return None;
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let port = authority.port_u16().unwrap_or(default_port);
        (!host.is_empty()).then(|| Self { host: host.to_owned(), port })
    }

    /// Reads `HOST:PORT` as servers write it: an IPv6 address has no brackets, and where there is no host, it is `here`.
    pub fn named(text: &str, here: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = if host.is_empty() || host == "?" { here } else { host };
        Some(Self { host: host.to_owned(), port: port.parse().ok()? })
    }
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(formatter, "[{host}]:{port}") } else { write!(formatter, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_names_another_one() {
        for (text, shown) in [
            ("10.0.0.1:7001", "10.0.0.1:7001"),
            ("redis-2.example:7001", "redis-2.example:7001"),
            ("2001:db8::1:7001", "[2001:db8::1]:7001"),
            (":7001", "here:7001"),
            ("?:7001", "here:7001"),
        ] {
            assert_eq!(Node::named(text, "here").map(|node| node.to_string()).as_deref(), Some(shown));
        }
        for text in ["", "h", "h:", "h:x", "h:70000"] {
            assert!(Node::named(text, "here").is_none(), "{text}");
        }
    }
}
