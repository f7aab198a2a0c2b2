//! What the environment says. It is read here only, while options are parsed, so on the caller's own thread.

use std::env;
use std::path::PathBuf;

use nix::unistd::{User, geteuid};

use crate::secret::Secret;

/// The proxy of https requests. `HTTP_PROXY` is not looked at: under CGI it can be a request's header.
pub fn proxy() -> Option<Secret> {
    text(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]).map(Secret::new)
}

/// The hosts that are reached without the proxy, as `NO_PROXY` lists them.
pub fn no_proxy() -> Option<String> {
    text(&["NO_PROXY", "no_proxy"])
}

/// The directories of the file store where the caller names none, the best first.
pub fn usual_places() -> Vec<PathBuf> {
    let user = geteuid();
    let home = || path("HOME").or_else(|| User::from_uid(user).ok().flatten().map(|user| user.dir));
    let state = path("XDG_STATE_HOME").or_else(|| home().map(|home| home.join(".local/state")));
    let everybodys = PathBuf::from(format!("/var/tmp/tps-{user}"));
    state.map(|state| state.join("tps")).into_iter().chain([everybodys]).collect()
}

/// The first of these variables that is set and not empty.
fn text(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
}

/// The variable's absolute path.
fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}
