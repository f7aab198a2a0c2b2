//! Where the server is.

use std::net::IpAddr;

use ureq::http::Uri;

use super::given::cut;
use crate::error::Error;

/// Reads the option `base_url`. What comes back has scheme and host in lower case, and no final slash.
pub fn base_url(text: &str) -> Result<String, Error> {
    let fault =
        |what: &str| Error::argument(format!("option base_url {what}; write it like https://app.tpstreams.com"));
    if text.contains('#') {
        return Err(fault("has a fragment"));
    }
    let uri: Uri = text.parse().map_err(|_| fault("is not a URL"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(fault("is not a URL with scheme and host"));
    };
    if authority.as_str().contains('@') {
        return Err(fault("has user information in it"));
    }
    if uri.query().is_some() {
        return Err(fault("has a query"));
    }
    let host = authority.host();
    if host.is_empty() {
        return Err(fault("has no host"));
    }
    if authority.as_str() != host && authority.port_u16().is_none() {
        return Err(fault("has a port that is not a number from 1 to 65535"));
    }
    match scheme {
        "https" => {}
        "http" if loopback(host) => {}
        "http" => {
            return Err(fault(&format!("would send the password to {} in clear: use https", cut(host))));
        }
        _ => return Err(fault("must begin with https://")),
    }
    Ok(format!("{scheme}://{}{}", authority.as_str().to_ascii_lowercase(), uri.path().trim_end_matches('/')))
}

/// Whether `host` can only be this machine.
fn loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_has_one_form() {
        for (given, kept) in [
            ("https://App.TPStreams.com/", "https://app.tpstreams.com"),
            ("http://127.0.0.1:8000/a/", "http://127.0.0.1:8000/a"),
            ("http://[::1]:1", "http://[::1]:1"),
            ("http://localhost", "http://localhost"),
        ] {
            assert_eq!(base_url(given).unwrap(), kept);
        }
    }
}
