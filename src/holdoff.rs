//! How long nothing is sent after a failure.

use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Error, Status};

/// The least silence after any failure: a caller that waits in slices still meets the failure, and does not start another login.
pub const LEAST: Duration = Duration::from_millis(500);

/// A failure, and until when nothing is sent because of it. All processes see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldOff {
    pub error: Error,
    /// By this machine's date and time.
    pub until: Timestamp,
}

impl HoldOff {
    /// After `error`, the `failures`-th in a row. `random` is any number, drawn anew each time.
    pub fn after(error: Error, failures: u32, random: u64, wall: Timestamp) -> Self {
        let silence = silence(&error, failures, random);
        Self { error: error.silent_for(silence), until: wall.saturating_add(silence).unwrap_or(wall) }
    }

    /// The failure with the time that is left; `None`: it is over.
    pub fn error(&self, wall: Timestamp) -> Option<Error> {
        let left = Duration::try_from(self.until.duration_since(wall)).ok().filter(|left| !left.is_zero())?;
        // A clock that was set back must not make it longer than it was.
        Some(self.error.clone().silent_for(left.min(self.error.retry_after)))
    }
}

/// The silence that follows `error` when it is the `failures`-th in a row.
fn silence(error: &Error, failures: u32, random: u64) -> Duration {
    match error.status {
        Status::Credentials if failures < 3 => Duration::from_secs(60),
        Status::Credentials | Status::TokenLimit => Duration::from_secs(300),
        Status::Throttled if error.retry_after.is_zero() => Duration::from_secs(60),
        _ if !error.retry_after.is_zero() => error.retry_after,
        _ => {
            let longest = Duration::from_secs(1 << failures.saturating_sub(1).min(6)).min(Duration::from_secs(60));
            let spread = u64::try_from((longest - LEAST).as_micros()).unwrap_or(u64::MAX);
            LEAST + Duration::from_micros(random % (spread + 1))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn after(status: Status, failures: u32) -> u64 {
        silence(&Error::new(status, ""), failures, u64::MAX / 2).as_secs()
    }

    #[test]
    fn each_kind_has_its_time() {
        assert_eq!([1, 2, 3, 4].map(|n| after(Status::Credentials, n)), [60, 60, 300, 300]);
        assert_eq!(after(Status::TokenLimit, 1), 300);
        assert_eq!(after(Status::Throttled, 1), 60);
        assert_eq!(silence(&Error::new(Status::Throttled, "").silent_for(Duration::from_secs(7)), 1, 0).as_secs(), 7);
    }

    #[test]
    fn a_broken_network_is_asked_ever_more_rarely() {
        for failures in 0..100 {
            for random in [0, 1, 499, 59_999, u64::MAX] {
                let wait = silence(&Error::new(Status::Network, ""), failures, random);
                assert!(wait >= LEAST && wait <= Duration::from_secs(60));
            }
        }
        assert!(silence(&Error::new(Status::Network, ""), 1, 999) <= Duration::from_secs(1));
    }

    #[test]
    fn it_ends_and_a_clock_that_is_set_back_does_not_stretch_it() {
        let wall = Timestamp::now();
        let hold_off = HoldOff::after(Error::new(Status::Credentials, "no"), 1, 0, wall);
        let left = |seconds| {
            hold_off.error(wall + SignedDuration::from_secs(seconds)).map(|error| error.retry_after.as_secs())
        };
        assert_eq!((left(0), left(59), left(60), left(-7200)), (Some(60), Some(1), None, Some(60)));
    }

    proptest! {
        #[test]
        fn it_never_lasts_longer_than_it_says_and_always_ends(
            number in 2..=12,
            asked in prop::option::of(1_u64..=3600),
            failures in 0_u32..200,
            random: u64,
            after in -100_000_i64..100_000,
        ) {
            let wall = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(400_000);
            let status = Status::from_number(number).unwrap();
            let error = Error::new(status, "no").silent_for(Duration::from_secs(asked.unwrap_or(0)));
            let hold_off = HoldOff::after(error, failures, random, wall);
            let whole = hold_off.error.retry_after;
            prop_assert!(whole >= LEAST && whole <= Duration::from_secs(3600));
            if asked.is_none() {
                prop_assert!(whole <= Duration::from_secs(300));
            }
            match hold_off.error(wall + SignedDuration::from_secs(after)) {
                Some(left) => {
                    prop_assert_eq!(left.status, status);
                    prop_assert!(left.retry_after <= whole && after < 3600);
                }
                None => prop_assert!(after >= 1),
            }
        }
    }
}
