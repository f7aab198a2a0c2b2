//! Parts of a kept record: what failed, what was sent, what was checked.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Status};
use crate::record::{Check, HoldOff, Kind, Login, Reason, Sent};

#[derive(Serialize, Deserialize)]
struct KeptError {
    status: i32,
    http_status: Option<u16>,
    message: String,
    for_ms: u64,
}

#[derive(Serialize, Deserialize)]
pub struct KeptHoldOff {
    #[serde(flatten)]
    error: KeptError,
    until_ms: i64,
    kind: Option<String>,
    proxy: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub struct KeptSent {
    at_ms: i64,
    by: u32,
    reason: String,
    free: bool,
}

#[derive(Serialize, Deserialize)]
pub struct KeptLogin {
    by: u32,
    reason: String,
}

#[derive(Serialize, Deserialize)]
pub struct KeptCheck {
    token: String,
    at_ms: i64,
    undecided: Option<KeptError>,
}

impl KeptError {
    fn of(error: &Error) -> Self {
        Self {
            status: error.status as i32,
            http_status: error.http_status,
            message: error.message.clone(),
            for_ms: u64::try_from(error.retry_after_ms()).unwrap_or_default(),
        }
    }

    fn read(self) -> Option<Error> {
        Some(Error {
            status: Status::from_number(self.status)?,
            http_status: self.http_status,
            retry_after: Duration::from_millis(self.for_ms),
            message: self.message,
        })
    }
}

impl KeptHoldOff {
    pub fn of(hold_off: &HoldOff) -> Self {
        Self {
            error: KeptError::of(&hold_off.error),
            until_ms: hold_off.until.as_millisecond(),
            kind: name_of(hold_off.kind),
            proxy: hold_off.proxy.clone(),
        }
    }

    pub fn read(self) -> Option<HoldOff> {
        let error = self.error.read()?;
        Some(HoldOff {
            kind: self.kind.as_deref().and_then(kind).unwrap_or_else(|| Kind::of(error.status)),
            error,
            until: time(self.until_ms)?,
            proxy: self.proxy,
        })
    }
}

impl KeptSent {
    pub fn of(sent: &Sent) -> Self {
        Self { at_ms: sent.at.as_millisecond(), by: sent.by, reason: sent.reason.name().to_owned(), free: sent.free }
    }

    pub fn read(self) -> Option<Sent> {
        let reason = Reason::named(&self.reason).unwrap_or(Reason::First);
        Some(Sent { at: time(self.at_ms)?, by: self.by, reason, free: self.free })
    }
}

impl KeptLogin {
    pub fn of(login: &Login) -> Self {
        Self { by: login.by, reason: login.reason.name().to_owned() }
    }

    pub fn read(self) -> Option<Login> {
        Some(Login { by: self.by, reason: Reason::named(&self.reason)? })
    }
}

impl KeptCheck {
    pub fn of(check: &Check) -> Self {
        Self {
            token: check.token.clone(),
            at_ms: check.at.as_millisecond(),
            undecided: check.undecided.as_ref().map(KeptError::of),
        }
    }

    pub fn read(self) -> Option<Check> {
        let undecided = match self.undecided {
            None => None,
            Some(error) => Some(error.read()?),
        };
        Some(Check { token: self.token, at: time(self.at_ms)?, undecided })
    }
}

pub fn name_of(kind: Kind) -> Option<String> {
    Kind::NAMES.iter().find(|(known, _)| *known == kind).map(|(_, name)| (*name).to_owned())
}

pub fn kind(name: &str) -> Option<Kind> {
    Kind::NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
}

pub fn time(milliseconds: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds).ok()
}
