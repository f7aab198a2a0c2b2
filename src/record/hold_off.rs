//! How long nothing is sent after a failure. Section "Hold-off" of the rules.

use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Error, Status};

/// The shortest hold-off: a caller that waits in slices still meets the failure, and does not start another login.
pub const SHORTEST: Duration = Duration::from_millis(500);

/// The longest one that grows with each failure.
const LONGEST: Duration = Duration::from_secs(60);

/// By how much a hold-off may seem too long before the clock must have been set back since.
const TOLERANCE: Duration = Duration::from_secs(60);

/// What refused a login. Each kind is counted, and holds off, for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The server: user name, password or organization.
    Credentials,
    /// The proxy: its own user name or password. Another proxy may be asked at once.
    Proxy,
    /// The server: the organization holds as many tokens as it may.
    TokenLimit,
    /// The server asks to wait.
    Throttled,
    /// Network, TLS, 5xx, and answers that the API would not give.
    Unavailable,
}

impl Kind {
    /// All of them, with the names under which they are kept.
    pub const NAMES: [(Self, &'static str); 5] = [
        (Self::Credentials, "credentials"),
        (Self::Proxy, "proxy"),
        (Self::TokenLimit, "token_limit"),
        (Self::Throttled, "throttled"),
        (Self::Unavailable, "unavailable"),
    ];

    /// The kind of a failure of which only the status is known.
    pub fn of(status: Status) -> Self {
        match status {
            Status::Credentials => Self::Credentials,
            Status::TokenLimit => Self::TokenLimit,
            Status::Throttled => Self::Throttled,
            _ => Self::Unavailable,
        }
    }
}

/// A failure, and until when nothing is sent because of it. All processes see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldOff {
    /// What refused.
    pub kind: Kind,
    /// The failure. Its `retry_after` is the whole length of the hold-off.
    pub error: Error,
    /// By this machine's date and time.
    pub until: Timestamp,
    /// The proxy that refused, for [`Kind::Proxy`].
    pub proxy: Option<String>,
}

impl HoldOff {
    /// After `error`, the `in_a_row`-th of its kind. `random` is any number, drawn anew each time.
    pub fn after(kind: Kind, error: Error, in_a_row: u32, random: u64, proxy: Option<&str>, wall: Timestamp) -> Self {
        let time = length(kind, &error, in_a_row, random);
        let proxy = proxy.filter(|_| kind == Kind::Proxy).map(str::to_owned);
        Self { kind, error: error.held_off_for(time), until: wall.saturating_add(time).unwrap_or(wall), proxy }
    }

    /// When it began.
    pub fn since(&self) -> Timestamp {
        self.until.saturating_sub(self.error.retry_after).unwrap_or(self.until)
    }

    /// The failure with the time that is left; `None`: it is over, or is about another proxy.
    pub fn error(&self, proxy: Option<&str>, wall: Timestamp) -> Option<Error> {
        if self.kind == Kind::Proxy && self.proxy.as_deref() != proxy {
            return None;
        }
        let left = Duration::try_from(self.until.duration_since(wall)).ok().filter(|left| !left.is_zero())?;
        let whole = self.error.retry_after;
        // A clock that was set back since must not hold anybody off until it has caught up.
        (left <= whole + TOLERANCE).then(|| self.error.clone().held_off_for(left.min(whole)))
    }
}

fn length(kind: Kind, error: &Error, in_a_row: u32, random: u64) -> Duration {
    match kind {
        Kind::Credentials | Kind::Proxy if in_a_row < 3 => Duration::from_secs(60),
        Kind::Credentials | Kind::Proxy | Kind::TokenLimit => Duration::from_secs(300),
        _ if !error.retry_after.is_zero() => error.retry_after.max(SHORTEST),
        Kind::Throttled => Duration::from_secs(60),
        Kind::Unavailable => {
            let longest = Duration::from_secs(1 << in_a_row.saturating_sub(1).min(6)).min(LONGEST);
            let spread = u64::try_from((longest - SHORTEST).as_micros()).unwrap_or(u64::MAX);
            SHORTEST + Duration::from_micros(random % (spread + 1))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn error() -> Error {
        Error::new(Status::Server, "no")
    }

    fn seconds(kind: Kind, in_a_row: u32) -> u64 {
        length(kind, &error(), in_a_row, u64::MAX / 2).as_secs()
    }

    #[test]
    fn each_kind_has_its_time() {
        for kind in [Kind::Credentials, Kind::Proxy] {
            assert_eq!([1, 2, 3, 4].map(|n| seconds(kind, n)), [60, 60, 300, 300]);
        }
        assert_eq!(seconds(Kind::TokenLimit, 1), 300);
        assert_eq!(seconds(Kind::Throttled, 1), 60);
        let asked = error().held_off_for(Duration::from_secs(7));
        assert_eq!(length(Kind::Throttled, &asked, 1, 0).as_secs(), 7);
        assert_eq!(length(Kind::Unavailable, &asked, 1, 0).as_secs(), 7);
        assert_eq!(length(Kind::Credentials, &asked, 1, 0).as_secs(), 60);
    }

    #[test]
    fn a_status_tells_the_kind() {
        for (status, kind) in [
            (Status::Credentials, Kind::Credentials),
            (Status::TokenLimit, Kind::TokenLimit),
            (Status::Throttled, Kind::Throttled),
            (Status::Server, Kind::Unavailable),
            (Status::Network, Kind::Unavailable),
        ] {
            assert_eq!(Kind::of(status), kind);
        }
    }

    #[test]
    fn a_broken_network_is_asked_ever_more_rarely() {
        for in_a_row in 0..100 {
            for random in [0, 1, 499, 59_999, u64::MAX] {
                let wait = length(Kind::Unavailable, &error(), in_a_row, random);
                assert!(wait >= SHORTEST && wait <= Duration::from_secs(60));
            }
        }
        for random in (0..62_000_000).step_by(9_973) {
            assert!(length(Kind::Unavailable, &error(), 9, random) <= Duration::from_secs(60));
        }
        let longest = |n| length(Kind::Unavailable, &error(), n, 59_500_000 - 1).as_millis();
        assert!(length(Kind::Unavailable, &error(), 1, 500_000).as_millis() == 1000, "at most 1 s");
        assert!(longest(7) > 59_000, "up to 60 s");
    }

    #[test]
    fn it_ends_and_a_clock_that_is_set_back_does_not_stretch_it() {
        let wall = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(400_000);
        let hold_off = HoldOff::after(Kind::Credentials, error(), 1, 0, None, wall);
        assert_eq!(hold_off.since(), wall);
        let left = |seconds| {
            hold_off.error(None, wall + SignedDuration::from_secs(seconds)).map(|error| error.retry_after.as_secs())
        };
        assert_eq!((left(0), left(59), left(60), left(-59)), (Some(60), Some(1), None, Some(60)));
        assert_eq!(left(-7200), None);
    }

    #[test]
    fn another_proxy_is_not_held_off() {
        let wall = Timestamp::UNIX_EPOCH;
        let hold_off = HoldOff::after(Kind::Proxy, error(), 1, 0, Some("a"), wall);
        assert!(hold_off.error(Some("a"), wall).is_some());
        assert!(hold_off.error(Some("b"), wall).is_none() && hold_off.error(None, wall).is_none());
        let hold_off = HoldOff::after(Kind::Credentials, error(), 1, 0, Some("a"), wall);
        assert!(hold_off.error(Some("b"), wall).is_some());
    }

    proptest! {
        #[test]
        fn it_never_lasts_longer_than_it_says_and_always_ends(
            (kind, _) in prop::sample::select(Kind::NAMES.to_vec()),
            asked in prop::option::of(1_u64..=3600),
            in_a_row in 0_u32..200,
            random: u64,
            after in -100_000_i64..100_000,
        ) {
            let wall = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(400_000);
            let error = error().held_off_for(Duration::from_secs(asked.unwrap_or(0)));
            let hold_off = HoldOff::after(kind, error, in_a_row, random, None, wall);
            let whole = hold_off.error.retry_after;
            prop_assert!(whole >= SHORTEST && whole <= Duration::from_secs(3600));
            if asked.is_none() {
                let longest = if kind == Kind::Unavailable { 60 } else { 300 };
                prop_assert!(whole <= Duration::from_secs(longest));
            }
            match hold_off.error(None, wall + SignedDuration::from_secs(after)) {
                Some(left) => prop_assert!(left.retry_after <= whole && (-61..3600).contains(&after)),
                None => prop_assert!(!(0..1).contains(&after)),
            }
        }
    }
}
