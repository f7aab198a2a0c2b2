//! Which certificates are trusted, and what is wrong with those that are not.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::CertificateError::{self, *};
use rustls::{AlertDescription, Error, PeerIncompatible};
use rustls_native_certs::load_certs_from_paths;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

use super::redact::redact;
use crate::options::{Options, TrustStore};

/// The trusted certificates: the system's store, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name if set, plus `ca_file`. The
/// error is a few words for people.
pub fn certificates(options: &Options) -> Result<Vec<Certificate<'static>>, String> {
    let mut roots = match &options.trust_store {
        store if *store == TrustStore::default() => system(),
        store => named(store)?,
    };
    if let Some(path) = &options.ca_file {
        let pem = fs::read(path).map_err(|error| format!("ca_file cannot be read: {}", error.kind()))?;
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

/// Bundles outside of the directories that openssl-probe knows: Red Hat's, and those of the BSDs.
#[cfg(not(target_os = "macos"))]
const BUNDLES: [&str; 3] =
    ["/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem", "/usr/local/etc/ssl/cert.pem"];

/// The system's own.
#[cfg(not(target_os = "macos"))]
fn system() -> Vec<Certificate<'static>> {
    let bundles = BUNDLES.iter().flat_map(|bundle| load(Some(Path::new(bundle)), None));
    openssl_probe::candidate_cert_dirs().flat_map(|directory| load(None, Some(directory))).chain(bundles).collect()
}

/// The system's own.
#[cfg(target_os = "macos")]
fn system() -> Vec<Certificate<'static>> {
    rustls_native_certs::load_native_certs().certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
}

/// Those that the environment names. Each place must have some: a variable that is set must work.
fn named(store: &TrustStore) -> Result<Vec<Certificate<'static>>, String> {
    let file = store.file.iter().map(|path| ("SSL_CERT_FILE", path, load(Some(path), None)));
    let directories = store.directories.iter().map(|path| ("SSL_CERT_DIR", path, load(None, Some(path))));
    let mut roots = Vec::new();
    for (variable, path, found) in file.chain(directories) {
        if found.is_empty() {
            let why = match fs::metadata(path) {
                Err(error) => format!("cannot be read: {}", error.kind()),
                Ok(_) => "holds no certificate in PEM form".to_owned(),
            };
            return Err(format!("{variable} names {path:?}, which {why}; correct or unset the variable"));
        }
        roots.extend(found);
    }
    Ok(roots)
}

/// What a file or a directory holds. A pipe, which would keep its reader for ever, holds nothing.
fn load(file: Option<&Path>, directory: Option<&Path>) -> Vec<Certificate<'static>> {
    let file = file.filter(|path| fs::metadata(path).is_ok_and(|found| found.is_file()));
    let found = load_certs_from_paths(file, directory);
    found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
}

/// The same, as the HTTP client takes them.
pub fn roots(options: &Options) -> Result<RootCerts, String> {
    certificates(options).map(|certificates| RootCerts::Specific(Arc::new(certificates)))
}

/// Whether the server has read nothing of a request that was sent already: in TLS 1.3 the handshake ends after that.
pub fn unread(error: &Error) -> bool {
    matches!(error, Error::AlertReceived(AlertDescription::CertificateRequired))
}

/// What is wrong with a connection, and what to do about it.
pub fn reason(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::NoCertificatesPresented => "the server shows no certificate".to_owned(),
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)
        | Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            "the server speaks only old versions of TLS; have it speak TLS 1.2 or 1.3".to_owned()
        }
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server wants a certificate of the client, which libtps does not send; have it ask for none".to_owned()
        }
        Error::AlertReceived(AlertDescription::HandshakeFailure) => {
            "the server ends the handshake: it wants a certificate of the client, or ciphers that are not accepted any \
             more; change its settings"
                .to_owned()
        }
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
        NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "the server's certificate names no host; make it anew with a subjectAltName (a common name does not count)"
                .to_owned()
        }
        NotValidForNameContext { presented, .. } => {
            let names = redact(&presented.join(", "), &[], 100);
            format!("the server's certificate is for another host ({names}); check base_url")
        }
        Revoked => "the server's certificate was revoked".to_owned(),
        BadEncoding => "the server's certificate cannot be read; make it anew".to_owned(),
        BadSignature => {
            "the server's certificate is not signed by the issuer that it names; check which of its certificates \
             ca_file holds"
                .to_owned()
        }
        UnsupportedSignatureAlgorithmContext { .. }
        | UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "the server's certificate is signed in a way that is not accepted (SHA-1, perhaps); make it anew with SHA-256"
                .to_owned()
        }
        InvalidPurpose | InvalidPurposeContext { .. } => {
            "the server's certificate is not meant for a server; make it anew with extendedKeyUsage=serverAuth".to_owned()
        }
        Other(other) => other_fault(&other.to_string()),
        error => format!("the server's certificate is not accepted: {error}"),
    }
}

/// Faults that have no name but the verifier's own.
fn other_fault(name: &str) -> String {
    match name {
        "CaUsedAsEndEntity" => {
            "the server's own certificate is that of an authority (CA:TRUE); give the server one that the authority has \
             signed, or make a self-signed one with basicConstraints=CA:FALSE, and name it by ca_file"
                .to_owned()
        }
        "UnsupportedCertVersion" => {
            "the server's certificate is of X.509 version 1; make it anew as version 3, with a subjectAltName".to_owned()
        }
        name => format!("the server's certificate is not accepted: {name}"),
    }
}
