//! A record as it is kept: JSON, which is sealed by whoever keeps it.
//!
//! Version 0.1.0 reads `token`, `life`, `gone`, `hold_off`, `failures`, `unsure`, `lost`, `replaced` and `budget`, and passes over
//! the rest; its own entries have these alone. So both versions can share a store while one replaces the other.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::clocks::Clocks;
use crate::error::{Error, Status};
use crate::record::token::fault;
use crate::record::{
    Attempt, Budget, Check, Dead, Failures, HoldOff, Kind, Latest, Lost, Moment, Now, Reason, Record, Sent, Token,
};
use crate::secret::{Secret, SecretBuffer};

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// Empty: none.
    token: Zeroizing<String>,
    life: Option<Life>,
    latest_number: u64,
    latest_ms: Option<i64>,
    dead: Option<Vec<String>>,
    dead_rejected: bool,
    /// 0.1.0: the latest of `dead`.
    gone: Option<String>,
    replaced: bool,
    replaced_at_ms: Option<i64>,
    budget: Vec<i64>,
    renewals: Vec<i64>,
    /// Of the last attempt: refused, or lost.
    hold_off: Option<KeptHoldOff>,
    sent: Option<KeptSent>,
    lost_at_ms: Option<i64>,
    /// 0.1.0: a probe goes before the next login.
    unsure: bool,
    lost: bool,
    failures: u32,
    failed_kind: Option<String>,
    check: Option<KeptCheck>,
    clocks: Option<Clocks>,
}

#[derive(Serialize, Deserialize)]
struct Life {
    obtained_at: String,
    expires_at: Option<String>,
    clock_ahead_ms: i64,
    boot: Option<String>,
    ends_ms: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct KeptError {
    status: i32,
    http_status: Option<u16>,
    message: String,
    for_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct KeptHoldOff {
    #[serde(flatten)]
    error: KeptError,
    until_ms: i64,
    kind: Option<String>,
    proxy: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct KeptSent {
    at_ms: i64,
    by: u32,
    reason: String,
    free: bool,
}

#[derive(Serialize, Deserialize)]
struct KeptCheck {
    token: String,
    at_ms: i64,
    undecided: Option<KeptError>,
}

/// The record as JSON. Its times are by the store's clock, which is `ahead` of this machine's.
pub fn encode(record: &Record, ahead: SignedDuration, now: &Now) -> SecretBuffer {
    let mut text = SecretBuffer::default();
    // A buffer takes all that is written to it, and there is nothing in `Kept` that JSON has no form for.
    let _ = serde_json::to_writer(&mut text, &Kept::of(&record.shifted(ahead), now));
    text
}

/// What was kept; `None`: it cannot be read. `ahead`: how far the clock of the store is ahead of this machine's; `None`: it is
/// this machine's, whose date may have been set since.
pub fn decode(text: &[u8], ahead: Option<SignedDuration>, now: &Now) -> Option<Record> {
    let kept: Kept = serde_json::from_slice(text).ok()?;
    let ahead = ahead.unwrap_or_else(|| kept.clocks.as_ref().map_or(SignedDuration::ZERO, |then| then.ahead_of(now)));
    Some(kept.record(ahead, now).shifted(-ahead))
}

impl Default for Kept {
    fn default() -> Self {
        let now = Now { moment: Moment::default(), wall: Timestamp::UNIX_EPOCH, boot: None };
        Self { dead: None, clocks: None, ..Self::of(&Record::default(), &now) }
    }
}

impl Kept {
    fn of(record: &Record, now: &Now) -> Self {
        let times = |times: &[Timestamp]| times.iter().map(|time| time.as_millisecond()).collect();
        let lost = match &record.attempt {
            Attempt::Lost(lost) => Some(lost),
            _ => None,
        };
        let sent = match &record.attempt {
            Attempt::Sent(sent) => Some(sent),
            _ => None,
        };
        Self {
            token: Zeroizing::new(record.token.as_ref().map_or("", |token| token.value.expose()).to_owned()),
            life: record.token.as_ref().map(|token| Life {
                obtained_at: token.obtained_at.to_string(),
                expires_at: token.expires_at.map(|expiry| expiry.to_string()),
                clock_ahead_ms: i64::try_from(token.clock_ahead.as_millis()).unwrap_or_default(),
                boot: now.boot.clone(),
                ends_ms: token.expires.and_then(|expiry| u64::try_from(expiry.since_start().as_millis()).ok()),
            }),
            latest_number: record.latest.map_or(0, |latest| latest.number),
            latest_ms: record.latest.map(|latest| latest.obtained_at.as_millisecond()),
            dead: Some(record.dead.fingerprints().to_vec()),
            dead_rejected: record.dead.rejected(),
            gone: record.dead.fingerprints().last().cloned(),
            replaced: record.replaced_at.is_some(),
            replaced_at_ms: record.replaced_at.map(|at| at.as_millisecond()),
            budget: times(record.budget.drawn()),
            renewals: times(record.budget.renewals()),
            hold_off: record.attempt.hold_off().map(|hold_off| KeptHoldOff {
                error: KeptError::of(&hold_off.error),
                until_ms: hold_off.until.as_millisecond(),
                kind: name_of(hold_off.kind),
                proxy: hold_off.proxy.clone(),
            }),
            sent: sent.map(|sent| KeptSent {
                at_ms: sent.at.as_millisecond(),
                by: sent.by,
                reason: sent.reason.name().to_owned(),
                free: sent.free,
            }),
            lost_at_ms: lost.map(|lost| lost.at.as_millisecond()),
            unsure: sent.is_some() || lost.is_some(),
            lost: record.renewal_lost,
            failures: record.failures.map_or(0, |failures| failures.in_a_row),
            failed_kind: record.failures.and_then(|failures| name_of(failures.kind)),
            check: record.check.as_ref().map(|check| KeptCheck {
                token: check.token.clone(),
                at_ms: check.at.as_millisecond(),
                undecided: check.undecided.as_ref().map(KeptError::of),
            }),
            clocks: Some(Clocks::of(now)),
        }
    }

    fn record(self, ahead: SignedDuration, now: &Now) -> Record {
        let hold_off = self.hold_off.and_then(KeptHoldOff::read);
        let lost_at = self.lost_at_ms.and_then(time);
        let attempt = match (self.sent.and_then(KeptSent::read), self.unsure, hold_off) {
            (Some(sent), ..) => Attempt::Sent(sent),
            (None, true, hold_off) => {
                let at = lost_at.or(hold_off.as_ref().map(HoldOff::since)).unwrap_or(now.wall);
                Attempt::Lost(Lost { at, hold_off })
            }
            (None, false, Some(hold_off)) => Attempt::Refused(hold_off),
            (None, false, None) => Attempt::None,
        };
        let failed_kind = self.failed_kind.as_deref().and_then(kind);
        let token = self.life.as_ref().and_then(|life| life.token(Secret::from(self.token), ahead, now)).map(Arc::new);
        let latest_number = self.latest_number;
        Record {
            latest: self.latest_ms.and_then(time).map(|obtained_at| Latest { number: latest_number, obtained_at }),
            dead: Dead::new(self.dead.unwrap_or_else(|| self.gone.into_iter().collect()), self.dead_rejected),
            // 0.1.0 says whether, not when.
            replaced_at: self
                .replaced_at_ms
                .and_then(time)
                .or_else(|| token.as_ref().filter(|_| self.replaced).map(|token| token.made_at())),
            budget: Budget::new(times(&self.budget), times(&self.renewals)),
            failures: Some(Failures {
                kind: failed_kind
                    .or_else(|| attempt.hold_off().map(|hold_off| hold_off.kind))
                    .unwrap_or(Kind::Unavailable),
                in_a_row: self.failures,
            })
            .filter(|failures| failures.in_a_row > 0),
            renewal_lost: self.lost,
            check: self.check.and_then(KeptCheck::read),
            attempt,
            token,
        }
    }
}

impl Life {
    fn token(&self, value: Secret, ahead: SignedDuration, now: &Now) -> Option<Token> {
        let time = |text: &str| text.parse::<Timestamp>().ok();
        let clock_ahead = SignedDuration::from_millis(self.clock_ahead_ms);
        // Moments mean something only to the same start of the machine. There they tell more than dates, which can be set.
        let same_boot = now.boot.is_some() && self.boot == now.boot;
        let expires = self.ends_ms.filter(|_| same_boot).map(Duration::from_millis).map(Moment::at);
        if fault(value.expose()).is_some() {
            return None;
        }
        // The caller shifts the token with all the rest; how long it is valid depends on the clock as it will be then.
        let expires_at = self.expires_at.as_deref().and_then(time);
        let by_local = clock_ahead.saturating_add(ahead);
        let token = Token::new(value, time(&self.obtained_at)?, expires_at, by_local, expires, now);
        Some(Token { clock_ahead, ..token })
    }
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
    fn read(self) -> Option<HoldOff> {
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
    fn read(self) -> Option<Sent> {
        let reason = Reason::NAMES.iter().find(|(_, name)| *name == self.reason).map(|(reason, _)| *reason);
        Some(Sent { at: time(self.at_ms)?, by: self.by, reason: reason.unwrap_or(Reason::First), free: self.free })
    }
}

impl KeptCheck {
    fn read(self) -> Option<Check> {
        let undecided = match self.undecided {
            None => None,
            Some(error) => Some(error.read()?),
        };
        Some(Check { token: self.token, at: time(self.at_ms)?, undecided })
    }
}

fn name_of(kind: Kind) -> Option<String> {
    Kind::NAMES.iter().find(|(known, _)| *known == kind).map(|(_, name)| (*name).to_owned())
}

fn kind(name: &str) -> Option<Kind> {
    Kind::NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
}

fn time(milliseconds: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds).ok()
}

fn times(milliseconds: &[i64]) -> Vec<Timestamp> {
    milliseconds.iter().copied().filter_map(time).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
