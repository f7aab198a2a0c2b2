//! What the environment says. It is read here only, while options are parsed, so on the caller's own thread.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::secret::Secret;

/// The proxy of https requests. `HTTP_PROXY` is not looked at: under CGI it can be a request's header.
pub fn proxy() -> Option<Secret> {
    text(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]).map(Secret::new)
}

/// The hosts that are reached without the proxy, as `NO_PROXY` lists them.
pub fn no_proxy() -> Option<String> {
    text(&["NO_PROXY", "no_proxy"])
}

/// What the environment says of directories for the file store. Which of them serve depends on the user of the moment, so
/// that is decided at each opening.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StateHomes {
    /// `STATE_DIRECTORY`, systemd's; the first where it lists several.
    pub service: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub xdg: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
}

impl StateHomes {
    /// As the environment is now.
    pub fn read() -> Self {
        let first = |list: OsString| {
            list.as_bytes().split(|byte| *byte == b':').next().map(OsStr::from_bytes).map(PathBuf::from)
        };
        Self {
            service: env::var_os("STATE_DIRECTORY").and_then(first).filter(|path| path.is_absolute()),
            xdg: path("XDG_STATE_HOME"),
            home: path("HOME"),
        }
    }
}

/// What the environment says of the trusted certificates: these, instead of the system's. Empty counts as unset.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TrustStore {
    /// `SSL_CERT_FILE`.
    pub file: Option<PathBuf>,
    /// `SSL_CERT_DIR`, which may list several.
    pub directories: Vec<PathBuf>,
}

impl TrustStore {
    /// As the environment is now.
    pub fn read() -> Self {
        let given = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let list = given("SSL_CERT_DIR").unwrap_or_default();
        Self {
            file: given("SSL_CERT_FILE").map(PathBuf::from),
            directories: env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect(),
        }
    }
}

/// The first of these variables that is set and not empty.
fn text(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
}

/// The variable's absolute path.
fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}
