//! One login that was written down, and what it came to.

use std::time::Duration;

use super::Lookup;
use crate::record::{self, Now, Token};
use crate::server::{Again, Answer};

/// Before another request, where nothing of the one before can have been sent.
const RETRIES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

impl Lookup<'_> {
    /// Sends it, and again only where nothing can have been made.
    pub(super) fn log_in(&self, start: &Now) -> record::Answer {
        let mut pauses = RETRIES.iter();
        loop {
            // A token comes by the date as it is when its login is sent.
            let set = self.clock.wall().duration_since(self.now(start).wall);
            let refusal = match self.server.login(self.left()) {
                Answer::Token(token) => {
                    let clock_ahead = token.clock_ahead.saturating_add(set);
                    return record::Answer::Token(Token { clock_ahead, ..token });
                }
                Answer::Lost(error) => return record::Answer::Lost(self.lost(error)),
                Answer::Refused(refusal) => refusal,
            };
            let pause = match (refusal.again, pauses.next()) {
                (Again::NothingSent, Some(pause)) => self.jittered(*pause),
                (Again::After(pause), Some(_)) => pause,
                _ => return record::Answer::Refused(self.failure(refusal)),
            };
            // There must be time for the request itself.
            if self.left() < pause + self.connect_timeout.min(Duration::from_secs(1)) {
                return record::Answer::Refused(self.failure(refusal));
            }
            self.clock.sleep(pause);
        }
    }

    /// From half to one and a half times as long.
    fn jittered(&self, pause: Duration) -> Duration {
        let [byte, ..] = self.clock.random().to_le_bytes();
        pause.mul_f64(0.5 + f64::from(byte) / 255.0)
    }
}
