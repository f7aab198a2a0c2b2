//! How long nothing is sent after a failure.

use std::time::Duration;

use crate::error::{Error, Status};

/// The least silence after any failure: a caller that waits in slices still meets the failure, and does not start another login.
const LEAST: Duration = Duration::from_millis(500);

/// The silence that follows `error` when it is the `failures`-th in a row. `random` is any number, drawn anew each time.
pub fn silence(error: &Error, failures: u32, random: u64) -> Duration {
    match error.status {
        Status::Credentials if failures < 3 => Duration::from_secs(60),
        Status::Credentials | Status::TokenLimit => Duration::from_secs(300),
        Status::Throttled if error.retry_after.is_zero() => Duration::from_secs(60),
        Status::Throttled => error.retry_after,
        _ if !error.retry_after.is_zero() => error.retry_after,
        _ => {
            let longest = Duration::from_secs(1 << failures.saturating_sub(1).min(6)).min(Duration::from_secs(60));
            let spread = u64::try_from((longest - LEAST).as_micros()).unwrap_or(u64::MAX);
            LEAST + Duration::from_micros(random % (spread + 1))
        }
    }
}

#[cfg(test)]
mod tests {
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
}
