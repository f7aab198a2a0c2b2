//! Which hosts are reached without the proxy: what `NO_PROXY` means to curl and to Go.

use std::net::IpAddr;

/// A list of exceptions, as `NO_PROXY` holds it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct NoProxy(Vec<Exception>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Exception {
    hosts: Hosts,
    /// `None`: all ports.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// This name and all names below it, in lower case.
    Domain(String),
    /// Addresses whose first `bits` are those of this one.
    Network {
        address: IpAddr,
        bits: u32,
    },
}

impl NoProxy {
    /// Reads a list with commas or white space between its items. An item that means nothing excepts nothing.
    pub fn parse(list: &str) -> Self {
        let items = list.split(|separator: char| separator == ',' || separator.is_whitespace());
        Self(items.filter_map(Exception::parse).collect())
    }

    /// Whether this host is reached without the proxy. `host` is as in a URL: IPv6 with or without brackets.
    pub fn excepts(&self, host: &str, port: u16) -> bool {
        let name = plain(host);
        let address = name.parse::<IpAddr>().ok();
        self.0.iter().any(|exception| {
            exception.port.is_none_or(|only| only == port)
                && match &exception.hosts {
                    Hosts::All => true,
                    Hosts::Domain(domain) => address.is_none() && is_within(&name, domain),
                    Hosts::Network { address: network, bits } => {
                        address.and_then(|address| bits_in_common(address, *network)).is_some_and(|same| same >= *bits)
                    }
                }
        })
    }
}

impl Exception {
    fn parse(item: &str) -> Option<Self> {
        let (host, port) = split_port(item);
        let name = plain(host);
        let hosts = match name.split_once('/') {
            _ if host == "*" => Hosts::All,
            Some((address, bits)) => {
                let (address, bits) = (plain(address).parse::<IpAddr>().ok()?, bits.parse::<u32>().ok()?);
                Hosts::network(address, length(address).checked_sub(bits)?)?
            }
            None => match name.parse::<IpAddr>() {
                Ok(address) => Hosts::network(address, 0)?,
                Err(_) => {
                    let domain = name.strip_prefix("*.").unwrap_or(&name);
                    let domain = domain.strip_prefix('.').unwrap_or(domain);
                    Hosts::Domain(Some(domain).filter(|domain| !domain.is_empty())?.to_owned())
                }
            },
        };
        Some(Self { hosts, port })
    }
}

impl Hosts {
    /// All addresses that differ from this one in the last `differing` bits at most; `None`: no network.
    fn network(address: IpAddr, differing: u32) -> Option<Self> {
        // An IPv4 address may be written as IPv6.
        let address = address.to_canonical();
        Some(Self::Network { address, bits: length(address).checked_sub(differing)? })
    }
}

/// In lower case, without brackets and without a final dot.
fn plain(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host);
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inside.unwrap_or(host).to_ascii_lowercase()
}

/// `host:port`, or the whole where there is no port: an IPv6 address without brackets has none.
fn split_port(item: &str) -> (&str, Option<u16>) {
    match item.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (item, None),
        },
        _ => (item, None),
    }
}

fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

fn length(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// How many leading bits two addresses share; `None`: they are of different families.
fn bits_in_common(one: IpAddr, other: IpAddr) -> Option<u32> {
    match (one.to_canonical(), other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => Some((one.to_bits() ^ other.to_bits()).leading_zeros()),
        (IpAddr::V6(one), IpAddr::V6(other)) => Some((one.to_bits() ^ other.to_bits()).leading_zeros()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_means_what_it_means_to_curl_and_go() {
        // (NO_PROXY, excepted, not excepted), the latter as URLs' hosts and ports.
        type Row = (&'static str, &'static [(&'static str, u16)], &'static [(&'static str, u16)]);
        let rows: &[Row] = &[
            ("", &[], &[("a.example", 443)]),
            ("*", &[("a.example", 443), ("[::1]", 80), ("10.0.0.1", 1)], &[]),
            (
                "tpstreams.com",
                &[("tpstreams.com", 443), ("app.tpstreams.com", 443), ("APP.TPStreams.com.", 443)],
                &[("nottpstreams.com", 443), ("tpstreams.com.evil.example", 443), ("com", 443)],
            ),
            (".tpstreams.com", &[("app.tpstreams.com", 443), ("tpstreams.com", 443)], &[("xtpstreams.com", 443)]),
            ("*.tpstreams.com", &[("app.tpstreams.com", 443)], &[("xtpstreams.com", 443)]),
            ("TPStreams.COM.", &[("app.tpstreams.com", 443)], &[]),
            ("app.tpstreams.com:443", &[("app.tpstreams.com", 443)], &[("app.tpstreams.com", 8443)]),
            (
                "a.example, b.example\tc.example\nd.example",
                &[("b.example", 1), ("c.example", 1), ("d.example", 1)],
                &[],
            ),
            (",, a.example ,", &[("a.example", 1)], &[("b.example", 1)]),
            ("192.0.2.0/24", &[("192.0.2.7", 443)], &[("192.0.3.7", 443), ("192.0.2.7.example", 443)]),
            ("192.0.2.7", &[("192.0.2.7", 443)], &[("192.0.2.70", 443), ("1.192.0.2.7", 443)]),
            ("192.0.2.7:8080", &[("192.0.2.7", 8080)], &[("192.0.2.7", 443)]),
            ("::1", &[("[::1]", 443), ("::1", 443), ("[0:0:0:0:0:0:0:1]", 443)], &[("[::2]", 443), ("127.0.0.1", 1)]),
            ("[::1]", &[("[::1]", 443)], &[]),
            ("[2001:db8::1]:8443", &[("[2001:db8::1]", 8443)], &[("[2001:db8::1]", 443)]),
            ("2001:db8::/32", &[("[2001:db8:1::9]", 443)], &[("[2001:db9::9]", 443)]),
            ("::ffff:10.0.0.1", &[("10.0.0.1", 443)], &[("10.0.0.2", 443)]),
            ("::ffff:10.0.0.0/104", &[("10.9.9.9", 443), ("[::ffff:10.1.1.1]", 443)], &[("11.0.0.1", 443)]),
            ("10.0.0.0/0", &[("192.0.2.7", 443)], &[("a.example", 443), ("[::1]", 443)]),
            ("::/0", &[("[2001:db8::1]", 443)], &[("192.0.2.7", 443)]),
            ("10.0.0.0/33,10.0.0.0/x,/8,:80,.,*.", &[], &[("10.0.0.1", 80), ("a.example", 80)]),
            ("localhost", &[("localhost", 80)], &[("127.0.0.1", 80)]),
        ];
        for (list, excepted, others) in rows {
            let list_read = NoProxy::parse(list);
            for (host, port) in *excepted {
                assert!(list_read.excepts(host, *port), "{list:?} excepts {host}:{port}");
            }
            for (host, port) in *others {
                assert!(!list_read.excepts(host, *port), "{list:?} does not except {host}:{port}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_list(list in "[-.*:/,\\[\\] 0-9a-f\u{e9}]{0,60}", host in "[-.:\\[\\]0-9a-f]{0,20}", port: u16) {
            NoProxy::parse(&list).excepts(&host, port);
        }
    }
}
