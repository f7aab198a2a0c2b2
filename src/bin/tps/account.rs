//! Whose token it is, and where it is kept.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use nix::fcntl::OFlag;
use serde_json::{Map, Value};
use tps::{Credentials, Error, Options};
use zeroize::Zeroizing;

use crate::cli::Arguments;
use crate::terminal;

const NAMES: [&str; 3] = ["TPS_USERNAME", "TPS_PASSWORD", "TPS_ORGANIZATION_ID"];

/// Variables that stand for an option where that is not given.
const DEFAULTS: [(&str, &str); 3] = [("TPS_BASE_URL", "base_url"), ("TPS_CACHE", "cache"), ("TPS_CA_FILE", "ca_file")];

/// Credentials and options.
pub struct Account {
    pub credentials: Credentials,
    pub options: Arc<Options>,
}

impl Account {
    pub fn of(arguments: &Arguments) -> Result<Self, Error> {
        let options = options(arguments.options.as_deref())?;
        let [username, password, organization_id] = match (&arguments.credentials, from_environment()?) {
            (Some(file), _) => from_file(file)?,
            (None, Some(given)) => given,
            (None, None) if terminal::is_there() => asked().map_err(|error| {
                Error::argument(format!("the credentials cannot be read from the terminal: {}", error.kind()))
            })?,
            (None, None) => {
                return Err(Error::argument(format!(
                    "no credentials: set {}, or name a file by --credentials",
                    NAMES.join(", ")
                )));
            }
        };
        Ok(Self { credentials: Credentials::new(username, password, organization_id)?, options: Arc::new(options) })
    }
}

fn options(given: Option<&str>) -> Result<Options, Error> {
    let mut options = match given.map(serde_json::from_str) {
        None => Map::new(),
        Some(Ok(Value::Object(options))) => options,
        Some(_) => return Err(Error::argument("--options takes a JSON object, such as '{\"timeout_ms\": 5000}'")),
    };
    for (variable, option) in DEFAULTS {
        if let Ok(value) = env::var(variable)
            && !value.is_empty()
        {
            options.entry(option).or_insert(value.into());
        }
    }
    Options::parse(Some(&Value::Object(options).to_string()))
}

/// All three, or none.
fn from_environment() -> Result<Option<[String; 3]>, Error> {
    let values = NAMES.map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    if values.iter().all(Option::is_none) {
        return Ok(None);
    }
    all(values, "the environment").map(Some)
}

fn all(values: [Option<String>; 3], place: &str) -> Result<[String; 3], Error> {
    for (value, name) in values.iter().zip(NAMES) {
        if value.is_none() {
            return Err(Error::argument(format!("{name} is missing in {place}; set all of {}", NAMES.join(", "))));
        }
    }
    Ok(values.map(Option::unwrap_or_default))
}

/// Lines NAME=VALUE. Empty lines and those that begin with # are passed over.
fn from_file(path: &Path) -> Result<[String; 3], Error> {
    let shown = path.display();
    let unreadable = |error: io::Error| Error::argument(format!("{shown}: cannot be read: {}", error.kind()));
    // A pipe that nobody writes to must not hang.
    let opened = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
    let mut file = opened.map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Error::argument(format!("{shown}: is not a file")));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(Error::argument(format!("{shown}: others can read it; chmod 600 it")));
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(unreadable)?;
    let lines = text.lines().map(str::trim).enumerate();
    let mut values = [None, None, None];
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let named = line.split_once('=').map(|(name, value)| (name.trim(), unquoted(value.trim())));
        let place = named.and_then(|(name, value)| Some((NAMES.iter().position(|known| *known == name)?, value)));
        let Some((place, value)) = place else {
            let line = number + 1;
            return Err(Error::argument(format!(
                "{shown}: line {line} is not NAME=VALUE with one of {}",
                NAMES.join(", ")
            )));
        };
        if let Some(slot) = values.get_mut(place) {
            *slot = Some(value.to_owned());
        }
    }
    all(values, &shown.to_string())
}

fn unquoted(value: &str) -> &str {
    let inside = |quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(value)
}

fn asked() -> io::Result<[String; 3]> {
    let [username, organization_id] = [terminal::ask("User name (e-mail)")?, terminal::ask("Organization ID")?];
    Ok([username, terminal::ask_secretly("Password")?, organization_id])
}
