//! The way to the server: name, proxy, connection, certificate, API, clock.

use std::time::Duration;

use jiff::SignedDuration;
use tps::process::clock::System;
use tps::server::resolve::addresses;
use tps::server::tls::certificates;
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
    let mut findings = Vec::new();
    // A proxy resolves the name itself.
    if proxy.is_none() {
        let found = name(host.trim_matches(['[', ']']), port, options.timeout);
        let bad = found.good == Some(false);
        findings.push(found);
        if bad {
            return findings;
        }
    }
    // The files are read before anything is sent.
    if let Err(reason) = certificates(options)
        && https
    {
        findings.push(Finding::bad("certificate", reason.clone(), about_trust(&reason)));
        return findings;
    }
    let api =
        Api { credentials: account.credentials.clone(), options: options.clone(), clock: std::sync::Arc::new(System) };
    let (ahead, answer) = api.greet(options.timeout);
    let error = answer.err().map(|Refusal { error, .. }| error);
    // What comes first fails first.
    if let Some(error) = error.as_ref().filter(|error| matches!(error.status, Status::Network | Status::Timeout)) {
        findings.push(match &proxy {
            Some(proxy) if error.message.contains("the proxy ") => by_proxy(error, proxy),
            _ => Finding::bad("connection", error.message.clone(), no_connection(error.status)),
        });
        return findings;
    }
    findings.push(match &proxy {
        Some(proxy) => Finding::good("proxy", format!("{}:{} connects", proxy.host(), proxy.port())),
        None => Finding::good("proxy", "none"),
    });
    findings.push(Finding::good("connection", format!("{host}:{port} answers")));
    if let Some(error) = error.as_ref().filter(|error| error.status == Status::Tls) {
        findings.push(Finding::bad("certificate", error.message.clone(), about_trust(&error.message)));
        return findings;
    }
    let trusted = if https { "trusted" } else { "none: plain HTTP to this machine" };
    findings.push(Finding::good("certificate", trusted));
    findings.push(match error {
        None => Finding::good("API", "answers as it should"),
        Some(error) => Finding::bad("API", error.message.clone(), no_api(error.status)),
    });
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

fn by_proxy(error: &Error, proxy: &ureq::Proxy) -> Finding {
    let at = format!("{}:{}", proxy.host(), proxy.port());
    let advice = match error.message.as_str() {
        said if said.contains("into its URL") => {
            "write HTTPS_PROXY (or the option proxy) as http://USER:PASSWORD@HOST:PORT".to_owned()
        }
        said if said.contains("it does not connect") => {
            "have the proxy allow this host and port; or set NO_PROXY to the host if there is a way without it"
                .to_owned()
        }
        _ => format!("start the proxy at {at}, or correct HTTPS_PROXY (or the option proxy); unset it to go without"),
    };
    Finding::bad("proxy", error.message.clone(), advice)
}

fn no_connection(status: Status) -> &'static str {
    match status {
        Status::Timeout => "check the firewall and the network; set HTTPS_PROXY if there is a proxy",
        _ => "check host and port of base_url (TPS_BASE_URL), and the firewall; set HTTPS_PROXY if there is a proxy",
    }
}

/// Certificates cannot be left unchecked, so there is something to mend.
fn about_trust(reason: &str) -> &'static str {
    const TABLE: [(&str, &str); 7] = [
        ("has expired", "set this machine's clock if it is wrong; else renew the server's certificate"),
        ("not valid yet", "set this machine's clock, best by NTP: timedatectl set-ntp true"),
        ("unknown issuer", "set ca_file (TPS_CA_FILE) to the file of your authority, in PEM form"),
        ("another host", "write the host in base_url (TPS_BASE_URL) as the certificate names it"),
        ("ca_file holds", "set ca_file (TPS_CA_FILE) to the file of your authority, in PEM form, or unset it"),
        ("SSL_CERT_", "unset the variable, or name a file or directory with certificates"),
        ("ca-certificates", "apt-get install ca-certificates, or set ca_file (TPS_CA_FILE)"),
    ];
    let row = TABLE.iter().find(|(words, _)| reason.contains(words));
    row.map_or("mend the server's certificate as the message says", |(_, advice)| *advice)
}

fn no_api(status: Status) -> &'static str {
    match status {
        Status::Server | Status::Throttled => "wait, and try again",
        _ => "correct base_url (TPS_BASE_URL); or have the proxy or firewall in between let the API through",
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
