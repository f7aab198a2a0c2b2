//! A token and how long it may be used.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

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
    /// When the server made it, by the server's clock where it said so.
    pub obtained_at: Timestamp,
    /// When the server will refuse it; `None`: not known, so until it does.
    pub expires_at: Option<Timestamp>,
    /// Up to when it is handed out.
    usable_until: Option<Moment>,
}

impl Token {
    /// A token obtained at `now`; `life` is what the server's own clock left it.
    pub fn new(
        value: Secret,
        obtained_at: Timestamp,
        expires_at: Option<Timestamp>,
        life: Option<Duration>,
        now: Moment,
    ) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        Self {
            value,
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            obtained_at,
            expires_at,
            usable_until: life.map(|life| now.after(life.saturating_sub(margin(life)))),
        }
    }

    /// Whether it may be handed out at `now`.
    pub fn usable(&self, now: Moment) -> bool {
        self.usable_until.is_none_or(|end| end > now)
    }

    /// Up to when it may be handed out, as a number that is compared with the clock's; the largest where there is no end.
    pub fn usable_until(&self) -> u64 {
        self.usable_until.map_or(u64::MAX, Moment::nanoseconds)
    }

    /// The first 12 hexadecimal digits of its SHA-256: tells tokens apart without showing them.
    pub fn fingerprint(&self) -> String {
        Sha256::digest(self.value.expose()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What must be left of a token for a request to arrive in time: 30 s, or 2.5 % of a life shorter than 20 minutes.
fn margin(life: Duration) -> Duration {
    Duration::from_secs(30).min(life / 40)
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

    fn token(life: Option<u64>, now: Moment) -> Token {
        Token::new(Secret::new("t".into()), Timestamp::now(), None, life.map(Duration::from_secs), now)
    }

    #[test]
    fn a_life_ends_a_margin_early() {
        let now = Moment::now();
        for (life, usable) in [(36_000, 35_969), (60, 58), (5, 4)] {
            let token = token(Some(life), now);
            assert!(token.usable(now.after(Duration::from_secs(usable))));
            assert!(!token.usable(now.after(Duration::from_secs(life))));
        }
        assert!(token(None, now).usable(now.after(Duration::from_secs(10_000_000))));
        assert!(!token(Some(0), now).usable(now));
    }

    #[test]
    fn what_cannot_go_into_a_header_is_no_token() {
        assert_eq!(fault("1e14238b"), None);
        for text in ["", "null", "a b", "a\r\n", "é", "a\u{1}", &"a".repeat(LONGEST + 1)] {
            assert!(fault(text).is_some(), "{text:?}");
        }
    }
}
