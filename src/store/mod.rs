//! What is kept of a credential, for the next flight and for other processes.

mod directory;
pub mod file;
#[cfg(feature = "redis")]
pub mod redis;
pub mod seal;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use self::seal::Seal;
use crate::budget::Budget;
use crate::clock::{Moment, Reading};
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::holdoff::HoldOff;
use crate::secret::Secret;
use crate::token::{Token, fault};

/// Why a store cannot be used, in a few words for `stats`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble(pub String);

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An entry that nobody used for so long is removed.
const UNUSED: Duration = Duration::from_secs(90 * 24 * 3600);

/// The entry of one credential, for the time of one flight.
pub trait Entry {
    /// Where it is, for `stats`.
    fn place(&self) -> String;

    /// What seals it, to be kept for the next time.
    fn seal(&self) -> Arc<Seal>;

    /// What is kept; nothing, where there is none or it cannot be read.
    fn read(&self, clocks: &Reading) -> Result<Record, Trouble>;

    /// The right to log in, in all processes' sight; `None`: another one has it. Does not wait.
    fn try_lock(&self) -> Result<Option<Box<dyn Lock + '_>>, Trouble>;
}

/// The right to log in and to change the entry. It ends when it is dropped, and with its process.
pub trait Lock {
    /// Makes sure that a token can be kept, before it is made.
    fn prepare(&mut self) -> Result<(), Trouble>;

    /// Keeps `record` in place of what was there: whole, or not at all.
    fn write(&mut self, record: &Record, clocks: &Reading) -> Result<(), Trouble>;
}

/// Who the entry belongs to; its name and its key come from these.
pub struct Owner<'a> {
    pub credentials: &'a Credentials,
    pub base_url: &'a str,
}

/// All that is known of a credential.
#[derive(Debug, Default, Clone)]
pub struct Record {
    pub token: Option<Arc<Token>>,
    /// Whether the token took the place of one that the server had rejected.
    pub replaced: bool,
    /// The fingerprint of the token that was rejected or given back last.
    pub gone: Option<String>,
    pub hold_off: Option<Box<HoldOff>>,
    /// Failures since the last token.
    pub failures: u32,
    /// The answer to the last login was lost: a knock comes before the next one.
    pub unsure: bool,
    /// A login since the last token may have made one that nobody has.
    pub lost: bool,
    pub budget: Budget,
}

impl Record {
    /// Whether this is the token that is kept.
    pub fn has(&self, token: &Token) -> bool {
        self.token.as_ref().is_some_and(|kept| kept.value == token.value)
    }

    /// What `other`, kept elsewhere, knows and this does not: all where this knows nothing, else a newer token.
    pub fn learn(&mut self, other: &Self) -> bool {
        let nothing = self.token.is_none() && self.gone.is_none() && self.hold_off.is_none() && self.failures == 0;
        let Some(theirs) = &other.token else { return false };
        let newer = self.token.as_ref().is_none_or(|token| token.obtained_at < theirs.obtained_at)
            && self.gone.as_ref().is_none_or(|gone| *gone != theirs.fingerprint());
        if nothing {
            *self = other.clone();
        } else if newer {
            (self.token, self.replaced) = (other.token.clone(), other.replaced);
        }
        nothing || newer
    }

    /// As it is kept.
    pub fn to_text(&self, clocks: &Reading) -> Zeroizing<Vec<u8>> {
        let rest = json!({
            "replaced": self.replaced,
            "gone": self.gone,
            "hold_off": self.hold_off.as_ref().map(|hold_off| json!({
                "status": hold_off.error.status as i32,
                "http_status": hold_off.error.http_status,
                "message": hold_off.error.message,
                "for_ms": hold_off.error.retry_after_ms(),
                "until_ms": shifted(hold_off.until, clocks.store_ahead).as_millisecond(),
            })),
            "failures": self.failures,
            "unsure": self.unsure,
            "lost": self.lost,
            "budget": self.budget.shifted(clocks.store_ahead).to_json(),
            "life": self.token.as_ref().map(|token| json!({
                "obtained_at": token.obtained_at.to_string(),
                "expires_at": token.expires_at.map(|end| end.to_string()),
                "clock_ahead_ms": i64::try_from(token.clock_ahead.saturating_sub(clocks.store_ahead).as_millis()).unwrap_or_default(),
                "boot": clocks.boot,
                "ends_ms": token.ends.and_then(|ends| u64::try_from(ends.since_start().as_millis()).ok()),
            })),
        })
        .to_string();
        // The token is written beside it, without a copy that would stay in freed memory.
        let token = self.token.as_ref().map_or("", |token| token.value.expose());
        let mut text = Zeroizing::new(Vec::with_capacity(2 * token.len() + rest.len() + 16));
        text.extend_from_slice(b"{\"token\":\"");
        for byte in token.bytes() {
            // Nothing else in a token needs an escape; see `token::fault`.
            if matches!(byte, b'"' | b'\\') {
                text.push(b'\\');
            }
            text.push(byte);
        }
        text.extend_from_slice(b"\",");
        text.extend_from_slice(rest.trim_start_matches('{').as_bytes());
        text
    }

    /// From what was kept. Fields that a later version adds are passed over, and those that it leaves out are empty.
    pub fn from_text(text: &[u8], clocks: &Reading) -> Option<Self> {
        let mut kept: Value = serde_json::from_slice(text).ok()?;
        let Value::String(token) = kept.get_mut("token")?.take() else { return None };
        let token = Secret::new(token);
        Some(Self {
            token: kept.get("life").and_then(|life| kept_token(token, life, clocks)).map(Arc::new),
            replaced: kept.get("replaced").and_then(Value::as_bool).unwrap_or_default(),
            gone: kept.get("gone").and_then(Value::as_str).map(str::to_owned),
            hold_off: kept.get("hold_off").and_then(|kept| kept_hold_off(kept, clocks)).map(Box::new),
            failures: kept.get("failures").and_then(Value::as_u64).and_then(|n| n.try_into().ok()).unwrap_or_default(),
            unsure: kept.get("unsure").and_then(Value::as_bool).unwrap_or_default(),
            lost: kept.get("lost").and_then(Value::as_bool).unwrap_or_default(),
            budget: kept.get("budget").map(Budget::from_json).unwrap_or_default().shifted(-clocks.store_ahead),
        })
    }
}

fn kept_token(value: Secret, life: &Value, clocks: &Reading) -> Option<Token> {
    let time = |name: &str| life.get(name).and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    let clock_ahead = SignedDuration::from_millis(life.get("clock_ahead_ms").and_then(Value::as_i64)?);
    let clock_ahead = clock_ahead.saturating_add(clocks.store_ahead);
    // The machine was not started anew: its clock that does not jump tells more than the one that can be set.
    let same_boot = clocks.boot.is_some() && life.get("boot").and_then(Value::as_str) == clocks.boot.as_deref();
    let ends =
        life.get("ends_ms").and_then(Value::as_u64).filter(|_| same_boot).map(Duration::from_millis).map(Moment::at);
    if fault(value.expose()).is_some() {
        return None;
    }
    Some(Token::new(value, time("obtained_at")?, time("expires_at"), clock_ahead, ends, clocks))
}

fn kept_hold_off(kept: &Value, clocks: &Reading) -> Option<HoldOff> {
    let number = |name: &str| kept.get(name).and_then(Value::as_i64);
    let error = Error {
        status: Status::from_number(i32::try_from(number("status")?).ok()?)?,
        http_status: number("http_status").and_then(|status| status.try_into().ok()),
        retry_after: Duration::from_millis(u64::try_from(number("for_ms")?).ok()?),
        message: kept.get("message").and_then(Value::as_str)?.to_owned(),
    };
    let until = Timestamp::from_millisecond(number("until_ms")?).ok()?;
    Some(HoldOff { error, until: shifted(until, -clocks.store_ahead) })
}

fn shifted(time: Timestamp, ahead: SignedDuration) -> Timestamp {
    time.saturating_add(ahead).unwrap_or(time)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn record(clocks: &Reading) -> Record {
        let end = clocks.wall.saturating_add(SignedDuration::from_hours(10)).ok();
        let token =
            Token::new(Secret::new("a\\b\"c".into()), clocks.wall, end, SignedDuration::from_secs(3), None, clocks);
        let error = Error::new(Status::Server, "a fault").answered(502);
        let mut budget = Budget::default();
        budget.spend(clocks.wall);
        Record {
            token: Some(Arc::new(token)),
            replaced: true,
            gone: Some("0123456789ab".to_owned()),
            hold_off: Some(Box::new(HoldOff {
                error: error.silent_for(Duration::from_millis(1_500)),
                until: clocks.wall + SignedDuration::from_millis(1_500),
            })),
            failures: 2,
            unsure: true,
            lost: true,
            budget,
        }
    }

    /// All but the token's number, which is each process's own.
    fn same(one: &Record, other: &Record) -> bool {
        let token = |record: &Record| {
            record.token.as_ref().map(|token| (token.value.clone(), token.expires_at, token.ends, token.clock_ahead))
        };
        let rest = |record: &Record| {
            (record.replaced, record.gone.clone(), record.failures, record.unsure, record.lost, record.budget.clone())
        };
        (token(one), rest(one), &one.hold_off) == (token(other), rest(other), &other.hold_off)
    }

    /// In whole milliseconds, as they are kept.
    fn reading() -> Reading {
        let wall = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
        Reading {
            now: Moment::at(Duration::from_millis(5_000)),
            wall,
            boot: Some("a boot".to_owned()),
            store_ahead: SignedDuration::ZERO,
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let clocks = reading();
        let record = record(&clocks);
        let read = Record::from_text(&record.to_text(&clocks), &clocks).unwrap_or_default();
        assert!(same(&read, &record), "{read:?}\n{record:?}");
    }

    #[test]
    fn an_entry_of_a_later_version_is_a_hit() {
        let clocks = reading();
        let text = record(&clocks).to_text(&clocks);
        let mut kept: Value = serde_json::from_slice(&text).unwrap_or_default();
        kept["something"] = json!({"new": [1, 2, 3]});
        kept["life"]["something"] = json!("new");
        let read = Record::from_text(kept.to_string().as_bytes(), &clocks).unwrap_or_default();
        assert!(read.token.is_some_and(|token| token.value.expose() == "a\\b\"c"));
    }

    #[test]
    fn after_a_restart_of_the_machine_the_date_counts() {
        let mut clocks = reading();
        let text = record(&clocks).to_text(&clocks);
        let ends = |clocks: &Reading| {
            let token = Record::from_text(&text, clocks).and_then(|record| record.token);
            token.and_then(|token| token.ends).map(|ends| ends.left(clocks.now).as_secs())
        };
        // The date was set wrong, or the machine was started anew.
        clocks.wall += SignedDuration::from_hours(4);
        let right = ends(&clocks);
        clocks.boot = Some("another".to_owned());
        let wrong = ends(&clocks);
        assert!(right > Some(9 * 3600) && wrong < Some(6 * 3600 + 10), "{right:?} {wrong:?}");
    }

    proptest! {
        #[test]
        fn whatever_was_kept_is_read_or_not(
            junk in prop::collection::vec(any::<u8>(), 0..300),
            (place, byte) in (any::<prop::sample::Index>(), any::<u8>()),
            numbers in prop::collection::vec(any::<i64>(), 4),
        ) {
            let clocks = reading();
            let _ = Record::from_text(&junk, &clocks);
            let text = record(&clocks).to_text(&clocks);
            let mut spoilt = text.to_vec();
            spoilt[place.index(text.len())] = byte;
            let mut kept: Value = serde_json::from_slice(&text).unwrap_or_default();
            kept["life"]["clock_ahead_ms"] = json!(numbers[0]);
            kept["life"]["ends_ms"] = json!(numbers[1] as u64);
            kept["hold_off"]["until_ms"] = json!(numbers[2]);
            kept["hold_off"]["for_ms"] = json!(numbers[3] as u64);
            for text in [spoilt, kept.to_string().into_bytes()] {
                let Some(record) = Record::from_text(&text, &clocks) else { continue };
                // Whatever it is, it can be used.
                if let Some(token) = &record.token {
                    prop_assert!(fault(token.value.expose()).is_none());
                    let _ = (token.usable(clocks.now), token.due(clocks.now, None, 0.5), token.age(clocks.wall));
                }
                let _ = record.hold_off.as_ref().map(|hold_off| hold_off.error(clocks.wall).map(|it| it.to_string()));
                let _ = record.budget.check(clocks.wall, 10);
            }
        }
    }
}
