//! The way to the server: name, proxy, connection, certificate, API, clock.

use std::time::Duration;

use jiff::SignedDuration;
use tps::process::clock::System;
use tps::server::resolve::addresses;
use tps::server::{Api, Refusal};
use tps::{Error, Status};
use ureq::http::Uri;

use super::Finding;
use crate::account::Account;
use crate::output::in_words;

/// A clock that is further off than this makes certificates invalid and logs hard to read.
const OFF: SignedDuration = SignedDuration::from_secs(60);

/// One probe, which makes nothing.
pub fn examine(account: &Account) -> Vec<Finding> {
    let options = &account.options;
    let uri: Uri = options.base_url.parse().unwrap_or_default();
    let (host, https) = (uri.host().unwrap_or_default(), uri.scheme_str() == Some("https"));
    let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
    let proxy = options.proxy.as_ref().filter(|proxy| https && !proxy.except.excepts(host, port));
    let proxy = proxy.and_then(|proxy| ureq::Proxy::new(proxy.url.expose()).ok());
    let mut findings = vec![match &proxy {
        Some(proxy) => Finding::good("proxy", format!("{}:{}", proxy.host(), proxy.port())),
        None => Finding::good("proxy", "none"),
    }];
    // A proxy resolves the name itself.
    if proxy.is_none() {
        let found = name(host.trim_matches(['[', ']']), port, options.timeout);
        let bad = found.good == Some(false);
        findings.push(found);
        if bad {
            return findings;
        }
    }
    let api =
        Api { credentials: account.credentials.clone(), options: options.clone(), clock: std::sync::Arc::new(System) };
    let (ahead, answer) = api.greet(options.timeout);
    let error = answer.err().map(|Refusal { error, .. }| error);
    let bad = |about, error: &Error| Finding::bad(about, error.message.clone(), advice(error.status));
    // What comes first fails first.
    let (connection, certificate) = match &error {
        Some(error) if matches!(error.status, Status::Network | Status::Timeout) => (Err(error), Ok(())),
        Some(error) if error.status == Status::Tls => (Ok(()), Err(error)),
        _ => (Ok(()), Ok(())),
    };
    if let Err(error) = connection {
        findings.push(bad("connection", error));
        return findings;
    }
    findings.push(Finding::good("connection", format!("{host}:{port} answers")));
    if let Err(error) = certificate {
        findings.push(bad("certificate", error));
        return findings;
    }
    let trusted = if https { "trusted" } else { "none: plain HTTP to this machine" };
    findings.push(Finding::good("certificate", trusted));
    findings.push(error.map_or_else(|| Finding::good("API", "answers as it should"), |error| bad("API", &error)));
    findings.push(clock(ahead));
    findings
}

fn name(host: &str, port: u16, time: Duration) -> Finding {
    let advice = "check the spelling of base_url, and /etc/resolv.conf";
    match addresses(host, port, time) {
        Ok(found) => match found.first() {
            Some(address) => Finding::good("name", format!("{host} is {}", address.ip())),
            None => Finding::bad("name", format!("{host} is not known"), advice),
        },
        Err(_) => {
            Finding::bad("name", format!("{host} is not resolved in time"), "check the name server in /etc/resolv.conf")
        }
    }
}

fn advice(status: Status) -> &'static str {
    match status {
        Status::Network | Status::Timeout => "check the network, the firewall, base_url and proxy",
        Status::Tls => "do what the message says; do not switch the check off: it cannot be",
        Status::Server | Status::Throttled => "wait, and try again",
        _ => "check base_url, and what stands between this machine and the API",
    }
}

fn clock(ahead: Option<SignedDuration>) -> Finding {
    let about = "clock";
    match ahead {
        None => Finding::unknown(about, "the server tells no time"),
        Some(ahead) if ahead.abs() <= OFF => Finding::good(about, "agrees with the server's"),
        Some(ahead) => {
            let by = in_words(ahead.abs().as_secs().unsigned_abs());
            let way = if ahead.is_positive() { "behind" } else { "ahead" };
            let found = format!("this machine's is {by} {way}");
            Finding::bad(about, found, "set it, best by NTP: timedatectl set-ntp true")
        }
    }
}
