//! Which certificates are trusted, and what is wrong with those that are not.

use std::sync::Arc;

use rustls::CertificateError::{self, *};
use rustls::Error;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

use super::redact::redact;
use crate::options::Options;

/// The trusted certificates: the system's store, or `SSL_CERT_FILE` and `SSL_CERT_DIR` if set, plus `ca_file`. The error
/// is a few words for people.
pub fn certificates(options: &Options) -> Result<Vec<Certificate<'static>>, String> {
    let system = rustls_native_certs::load_native_certs();
    let mut roots: Vec<Certificate<'static>> =
        system.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    if let Some(path) = &options.ca_file {
        let pem = std::fs::read(path).map_err(|error| format!("ca_file cannot be read: {}", error.kind()))?;
        let own: Vec<_> = parse_pem(&pem)
            .filter_map(|item| if let Ok(PemItem::Certificate(own)) = item { Some(own) } else { None })
            .collect();
        if own.is_empty() {
            return Err("ca_file holds no certificate in PEM form".to_owned());
        }
        roots.extend(own);
    }
    if roots.is_empty() {
        return Err("the system has no trusted certificates; install ca-certificates, or set ca_file".to_owned());
    }
    Ok(roots)
}

/// The same, as the HTTP client takes them.
pub fn roots(options: &Options) -> Result<RootCerts, String> {
    certificates(options).map(|certificates| RootCerts::Specific(Arc::new(certificates)))
}

/// What is wrong with a connection, and what to do about it.
pub fn reason(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::NoCertificatesPresented => "the server shows no certificate".to_owned(),
        Error::AlertReceived(alert) => format!("the server ends the handshake ({alert:?})"),
        Error::InvalidMessage(_) => "what answers does not speak TLS; check base_url".to_owned(),
        error => error.to_string(),
    }
}

fn certificate(error: &CertificateError) -> String {
    match error {
        Expired | ExpiredContext { .. } => {
            "the server's certificate has expired, or this machine's clock is wrong".to_owned()
        }
        NotValidYet | NotValidYetContext { .. } => {
            "the server's certificate is not valid yet, or this machine's clock is wrong".to_owned()
        }
        UnknownIssuer => {
            "the server's certificate is of an unknown issuer; if that is your own authority, name its file by ca_file"
                .to_owned()
        }
        NotValidForName => "the server's certificate is for another host; check base_url".to_owned(),
        NotValidForNameContext { presented, .. } => {
            let names = redact(&presented.join(", "), &[], 100);
            format!("the server's certificate is for another host ({names}); check base_url")
        }
        Revoked => "the server's certificate was revoked".to_owned(),
        // A self-signed one that calls itself an authority.
        Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the server's certificate is self-signed; name its issuer's file by ca_file".to_owned()
        }
        error => format!("the server's certificate is not accepted: {error}"),
    }
}
