//! A token and how long it may be used.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};

use crate::clock::Moment;
use crate::secret::Secret;

/// The longest token that is taken; what is longer does not belong into a header.
pub const LONGEST: usize = 4096;

/// A token that the server gave, under a number that no other token of the process has.
#[derive(Debug)]
pub struct Token {
    /// What goes into the header.
    pub value: Secret,
    /// Never 0, never used again.
    pub number: u64,
    /// When the server made it, by its own clock.
    pub obtained_at: Timestamp,
    /// When the server will refuse it, by its own clock; `None`: not known, so until it does.
    pub expires_at: Option<Timestamp>,
    /// How far the server's clock is ahead of this machine's.
    pub clock_ahead: SignedDuration,
    /// Up to when it is handed out.
    usable_until: Option<Moment>,
}

impl Token {
    /// A token as this machine's clock shows `wall`, which is `now`.
    pub fn new(
        value: Secret,
        obtained_at: Timestamp,
        expires_at: Option<Timestamp>,
        clock_ahead: SignedDuration,
        wall: Timestamp,
        now: Moment,
    ) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        // An end that lies before the beginning tells nothing.
        let known = expires_at.filter(|end| *end > obtained_at);
        let usable_until = known.map(|end| {
            let life = positive(end.duration_since(obtained_at));
            // `Date` leaves out the fraction of its second: the server's clock may be up to a second further on.
            let unsure = Duration::from_secs(1).min(life / 2);
            let left = positive(end.duration_since(wall).saturating_sub(clock_ahead));
            now.after(left.saturating_sub(unsure).saturating_sub(margin(life)))
        });
        Self {
            value,
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            obtained_at,
            expires_at: known,
            clock_ahead,
            usable_until,
        }
    }

    /// A token that its owner brought along, of which nothing is known.
    pub fn own(value: Secret) -> Self {
        let wall = Timestamp::now();
        Self::new(value, wall, None, SignedDuration::ZERO, wall, Moment::now())
    }

    /// Whether it may be handed out at `now`.
    pub fn usable(&self, now: Moment) -> bool {
        self.usable_until.is_none_or(|end| end > now)
    }

    /// The first 12 hexadecimal digits of its SHA-256: tells tokens apart without showing them.
    pub fn fingerprint(&self) -> String {
        digest(&SHA256, self.value.expose().as_bytes())
            .as_ref()
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// What must be left of a token for a request to arrive in time: 30 s, or 2.5 % of a life shorter than 20 minutes.
fn margin(life: Duration) -> Duration {
    Duration::from_secs(30).min(life / 40)
}

fn positive(time: SignedDuration) -> Duration {
    Duration::try_from(time).unwrap_or_default()
}

/// Why `text` cannot be a token; `None` when it can.
pub fn fault(text: &str) -> Option<&'static str> {
    match text {
        "" => Some("is empty"),
        "null" => Some("is the word null"),
        _ if text.len() > LONGEST => Some("is longer than 4096 bytes"),
        _ if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Some("has white space, control characters or letters outside ASCII")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token of so many seconds, `age` seconds after it was made, on a machine whose clock is `behind` the server's.
    fn token(life: Option<i64>, age: i64, behind: i64, now: Moment) -> Token {
        let made = Timestamp::now();
        let after = |seconds| made + SignedDuration::from_secs(seconds);
        Token::new(
            Secret::new("t".into()),
            made,
            life.map(after),
            SignedDuration::from_secs(behind),
            after(age - behind),
            now,
        )
    }

    #[test]
    fn a_life_ends_a_margin_early() {
        let now = Moment::now();
        for behind in [0, 7200, -7200] {
            for (life, usable) in [(36_000, 35_968), (60, 57), (5, 3)] {
                let fresh = token(Some(life), 0, behind, now);
                assert!(fresh.usable(now.after(Duration::from_secs(usable))));
                assert!(!fresh.usable(now.after(Duration::from_secs(life as u64))));
                let older = token(Some(life), 1, behind, now);
                assert!(older.usable(now.after(Duration::from_secs(usable - 1))));
                assert!(!older.usable(now.after(Duration::from_secs(life as u64 - 1))));
            }
        }
        assert!(!token(Some(60), 61, 0, now).usable(now));
    }

    #[test]
    fn one_without_a_known_end_stays() {
        let now = Moment::now();
        for life in [None, Some(0), Some(-5)] {
            let token = token(life, 10_000_000, 0, now);
            assert!(token.usable(now.after(Duration::from_secs(10_000_000))));
            assert_eq!(token.expires_at, None);
        }
    }

    #[test]
    fn what_cannot_go_into_a_header_is_no_token() {
        assert_eq!(fault("1e14238b"), None);
        for text in ["", "null", "a b", "a\r\n", "é", "a\u{1}", &"a".repeat(LONGEST + 1)] {
            assert!(fault(text).is_some(), "{text:?}");
        }
    }
}
