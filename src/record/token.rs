//! A token and how long it may be used.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::time::{Moment, Now};
use crate::secret::Secret;

/// The longest token that is taken; what is longer does not belong into a header.
pub const LONGEST: usize = 4096;

/// A token that the server gave, or that its owner brought along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What goes into the header.
    pub value: Secret,
    /// When the server made it, by its own clock.
    pub obtained_at: Timestamp,
    /// When it expires, by the server's clock; `None`: not known, so it is valid until the server rejects it.
    pub expires_at: Option<Timestamp>,
    /// How far the server's clock is ahead of this machine's.
    pub clock_ahead: SignedDuration,
    /// When it expires, by the clock that does not jump.
    pub expires: Option<Moment>,
}

impl Token {
    /// A token as the clocks stand. `expires`: where another process of this machine has worked it out already.
    pub fn new(
        value: Secret,
        obtained_at: Timestamp,
        expires_at: Option<Timestamp>,
        clock_ahead: SignedDuration,
        expires: Option<Moment>,
        now: &Now,
    ) -> Self {
        // An expiry that lies before the beginning tells nothing.
        let known = expires_at.filter(|expiry| *expiry > obtained_at);
        let expires = known.map(|expiry| {
            expires.unwrap_or_else(|| {
                let unsure = unsure(positive(expiry.duration_since(obtained_at)));
                let left = positive(expiry.duration_since(now.wall).saturating_sub(clock_ahead));
                now.moment.after(left.saturating_sub(unsure))
            })
        });
        Self { value, obtained_at, expires_at: known, clock_ahead, expires }
    }

    /// A token that its owner brought along, of which nothing is known.
    pub fn own(value: Secret, now: &Now) -> Self {
        Self::new(value, now.wall, None, SignedDuration::ZERO, None, now)
    }

    /// Whether it may be handed out at `now`: enough is left of it for a request to arrive in time.
    pub fn usable(&self, now: Moment) -> bool {
        self.expires.is_none_or(|expiry| expiry.before(margin(self.life())) > now)
    }

    /// Whether it is to be renewed at `now`, while it still serves. `ahead` is the option `refresh_ahead`, `spread` a
    /// number from 0 to 1 of this process, so that not all come at once.
    pub fn due(&self, now: Moment, ahead: Option<Duration>, spread: f64) -> bool {
        let life = self.life();
        let ahead = match ahead {
            None => Duration::from_secs(120).min(life / 10).mul_f64(0.5 + spread / 2.0),
            // A token that were due from its birth would be renewed without end.
            Some(ahead) => ahead.min((life - unsure(life)) / 2),
        };
        self.expires.is_some_and(|expiry| expiry.before(ahead) <= now)
    }

    /// When it was made, by this machine's date and time.
    pub fn made_at(&self) -> Timestamp {
        self.obtained_at.saturating_sub(self.clock_ahead).unwrap_or(self.obtained_at)
    }

    /// Tells tokens apart without showing them.
    pub fn fingerprint(&self) -> String {
        self.value.fingerprint()
    }

    /// How long the server lets it live; the longest time where that is not known.
    pub fn life(&self) -> Duration {
        self.expires_at.map_or(Duration::MAX, |end| positive(end.duration_since(self.obtained_at)))
    }
}

/// What must be left of a token for a request to arrive in time: 30 s, or 2.5 % of a life shorter than 20 minutes.
fn margin(life: Duration) -> Duration {
    Duration::from_secs(30).min(life / 40)
}

/// What is taken off a token's life: `Date` leaves out the fraction of its second, so the server's clock may be up to a second
/// further on.
fn unsure(life: Duration) -> Duration {
    Duration::from_secs(1).min(life / 2)
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
    use proptest::prelude::*;

    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    fn later(seconds: u64) -> Moment {
        Moment::at(NOW + Duration::from_secs(seconds))
    }

    /// A token of so many seconds, `age` seconds after it was made, on a machine whose clock is `behind` the server's.
    fn token(life: Option<i64>, age: i64, behind: i64) -> Token {
        let made = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
        let after = |seconds| made + SignedDuration::from_secs(seconds);
        let now = Now { moment: Moment::at(NOW), wall: after(age - behind), boot: None };
        let ahead = SignedDuration::from_secs(behind);
        Token::new(Secret::new("t".into()), made, life.map(after), ahead, None, &now)
    }

    #[test]
    fn a_life_ends_a_margin_early() {
        for behind in [0, 7200, -7200] {
            for (life, usable) in [(36_000, 35_968), (60, 57), (5, 3)] {
                let fresh = token(Some(life), 0, behind);
                assert!(fresh.usable(later(usable)) && !fresh.usable(later(life as u64)));
                let older = token(Some(life), 1, behind);
                assert!(older.usable(later(usable - 1)) && !older.usable(later(life as u64 - 1)));
            }
        }
        assert!(!token(Some(60), 61, 0).usable(later(0)));
    }

    #[test]
    fn one_without_a_known_end_stays() {
        for life in [None, Some(0), Some(-5)] {
            let token = token(life, 10_000_000, 0);
            assert!(token.usable(later(10_000_000)) && !token.due(later(10_000_000), None, 1.0));
            assert_eq!(token.expires_at, None);
        }
    }

    #[test]
    fn renewal_is_due_before_the_end_and_never_from_birth() {
        // (life, ahead, spread) and the first second in which it is due
        for (life, ahead, spread, due) in [
            (36_000, None, 1.0, 35_880),
            (36_000, None, 0.0, 35_940),
            (60, None, 1.0, 54),
            (36_000, Some(600), 0.3, 35_400),
            (36_000, Some(86_400), 0.3, 18_000),
            (36_000, Some(0), 0.3, 36_000),
        ] {
            let token = token(Some(life), 0, 0);
            let due_at = |second| token.due(later(second), ahead.map(Duration::from_secs), spread);
            assert!(due_at(due) && !due_at(due - 2), "{life} {ahead:?} {spread}");
            assert!(ahead == Some(0) || token.usable(later(due)), "it serves while it is renewed");
        }
    }

    #[test]
    fn the_shortest_life_has_a_beginning() {
        for life in [1, 2, 3] {
            let token = token(Some(life), 0, 0);
            assert!(token.usable(later(0)) && !token.due(later(0), Some(Duration::from_secs(3600)), 0.0), "{life}");
        }
    }

    #[test]
    fn what_cannot_go_into_a_header_is_no_token() {
        assert_eq!(fault("1e14238b"), None);
        for text in ["", "null", "a b", "a\r\n", "é", "a\u{1}", &"a".repeat(LONGEST + 1)] {
            assert!(fault(text).is_some(), "{text:?}");
        }
    }

    proptest! {
        /// `gone`: how much of its life is over when this process gets it.
        #[test]
        fn it_serves_from_its_birth_and_never_beyond_its_end(
            life in 1_i64..40_000,
            gone in 0_f64..1.0,
            behind in -100_000_i64..100_000,
            ahead in prop::option::of(0_u64..100_000),
            spread in 0_f64..=1.0,
        ) {
            let ahead = ahead.map(Duration::from_secs);
            let gone = (life as f64 * gone) as i64;
            let token = token(Some(life), gone, behind);
            prop_assert!(gone > 0 || token.usable(later(0)));
            prop_assert!(gone > 0 || !token.due(later(0), ahead, spread), "due from its birth");
            let left = (life - gone) as u64;
            let (mut usable, mut due) = (true, false);
            for second in (0..=left + 5).step_by(1 + left as usize / 200) {
                let now = later(second);
                prop_assert!(usable || !token.usable(now), "it serves again");
                prop_assert!(!due || token.due(now, ahead, spread), "it is no longer due");
                (usable, due) = (token.usable(now), token.due(now, ahead, spread));
                // A thirtieth second, or the fortieth part: so much is left of it.
                prop_assert!(!usable || second as f64 + 30.0_f64.min(life as f64 / 40.0) < left as f64);
                // It is not given up early, either.
                prop_assert!(usable || second as f64 + 30.0_f64.min(life as f64 / 40.0) + 1.0 >= left as f64);
            }
            prop_assert!(token.due(later(left), ahead, spread) && !token.usable(later(left)));
        }
    }
}
