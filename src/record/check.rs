//! What the server said of a token that was reported as rejected.

use std::time::Duration;

use jiff::Timestamp;

use crate::error::Error;

/// After an answer that decides nothing, nothing is asked for so long. A second one makes the token count as dead.
pub const MOMENT: Duration = Duration::from_secs(5);

/// The last check, kept for all: it answers the reports that are not newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The token's fingerprint.
    pub token: String,
    /// When the server was asked, by this machine's date and time.
    pub at: Timestamp,
    /// `None`: the server accepts it. Otherwise the answer decided nothing, and this is why.
    pub undecided: Option<Error>,
}

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It accepts the token.
    Stands,
    /// It does not.
    Dead,
    /// It did not say.
    Undecided(Error),
}

impl Check {
    /// Whether this says of `token` that the server accepts it, after it was reported at `reported`. A check that lies in the future was
    /// made before the clock was set back, and says nothing; a report that does is older than any check of today.
    pub fn clears(&self, token: &str, reported: Timestamp, wall: Timestamp) -> bool {
        let newer = self.at <= wall && (self.at >= reported || reported > wall);
        self.token == token && self.undecided.is_none() && newer
    }

    /// Why nothing is asked about `token` for the moment, with the time that is left.
    pub fn held_off(&self, token: &str, wall: Timestamp) -> Option<Error> {
        let error = self.undecided.as_ref().filter(|_| self.token == token)?;
        let over = Duration::try_from(wall.duration_since(self.at)).ok()?;
        let left = MOMENT.checked_sub(over).filter(|left| !left.is_zero())?;
        Some(error.clone().held_off_for(left))
    }

    /// Whether a further answer that decides nothing makes `token` count as dead.
    pub fn is_the_first_doubt(&self, token: &str, wall: Timestamp) -> bool {
        self.undecided.is_some() && self.token == token && self.held_off(token, wall).is_none()
    }
}
