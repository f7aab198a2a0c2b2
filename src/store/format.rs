//! A record as it is kept: JSON, which the store seals.
//!
//! Version 0.1.0 reads `token`, `life`, `gone`, `hold_off`, `failures`, `unsure`, `lost`, `replaced` and `budget`, and passes over
//! the rest; its own entries have these alone. So both versions can share a store while one replaces the other.

mod parts;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use self::parts::{KeptCheck, KeptHoldOff, KeptLogin, KeptSent, kind, name_of, time};
use super::clocks::Clocks;
use crate::record::token::fault;
use crate::record::{Attempt, Budget, Dead, Failures, HoldOff, Kind, Latest, Lost, Moment, Now, Record, Token};
use crate::secret::{Secret, SecretBuffer};

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// Empty: none.
    token: Zeroizing<String>,
    life: Option<Life>,
    latest_number: u64,
    latest_ms: Option<i64>,
    latest_login: Option<KeptLogin>,
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
            latest_login: record.latest.and_then(|latest| latest.login).as_ref().map(KeptLogin::of),
            dead: Some(record.dead.fingerprints().to_vec()),
            dead_rejected: record.dead.rejected(),
            gone: record.dead.fingerprints().last().cloned(),
            replaced: record.replaced_at.is_some(),
            replaced_at_ms: record.replaced_at.map(|at| at.as_millisecond()),
            budget: times(record.budget.drawn()),
            renewals: times(record.budget.renewals()),
            hold_off: record.attempt.hold_off().map(KeptHoldOff::of),
            sent: sent.map(KeptSent::of),
            lost_at_ms: lost.map(|lost| lost.at.as_millisecond()),
            unsure: sent.is_some() || lost.is_some(),
            lost: record.renewal_lost,
            failures: record.failures.map_or(0, |failures| failures.in_a_row),
            failed_kind: record.failures.and_then(|failures| name_of(failures.kind)),
            check: record.check.as_ref().map(KeptCheck::of),
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
        let (number, login) = (self.latest_number, self.latest_login.and_then(KeptLogin::read));
        Record {
            latest: self.latest_ms.and_then(time).map(|obtained_at| Latest { number, obtained_at, login }),
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

fn times(milliseconds: &[i64]) -> Vec<Timestamp> {
    milliseconds.iter().copied().filter_map(time).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
