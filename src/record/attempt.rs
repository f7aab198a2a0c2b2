//! The last attempt at a login, and what came of it.

use jiff::Timestamp;

use super::hold_off::{HoldOff, Kind};

/// Why a login is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// There never was a token, or it was given back.
    First,
    /// The token has expired.
    Expired,
    /// It is about to expire.
    Renewal,
    /// The server rejected it.
    Rejection,
}

impl Reason {
    /// All of them, with the names under which they are kept and counted.
    pub const NAMES: [(Self, &'static str); 4] =
        [(Self::First, "first"), (Self::Expired, "ended"), (Self::Renewal, "renewed"), (Self::Rejection, "rejected")];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(reason, _)| *reason == self).map_or("", |(_, name)| name)
    }

    /// The reason of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(reason, _)| *reason)
    }
}

/// What the last login came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// There was none, or it gave the token.
    #[default]
    None,
    /// It was about to be sent. A process that has the lock and finds this knows that its writer died.
    Sent(Sent),
    /// Its answer never came, or came without a token that may have been made all the same. A probe goes before the next
    /// login.
    Lost(Lost),
    /// It was clearly refused: no token was made.
    Refused(HoldOff),
}

/// A login that was written down before it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// When, by this machine's date and time; also the time of its draw from the budget.
    pub at: Timestamp,
    /// The process that sent it.
    pub by: u32,
    /// Why.
    pub reason: Reason,
    /// Whether it costs nothing if it gives a token.
    pub free: bool,
}

/// A login that gave a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Login {
    /// The process that sent it.
    pub by: u32,
    /// Why.
    pub reason: Reason,
}

/// A login that may have made a token which nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// When it was found to be lost, by this machine's date and time.
    pub at: Timestamp,
    /// `None`: its writer died, so the probe may go at once.
    pub hold_off: Option<HoldOff>,
}

impl Sent {
    /// What is kept of it when it has given a token.
    pub fn login(&self) -> Login {
        Login { by: self.by, reason: self.reason }
    }
}

/// How often in a row logins failed, by what refused them last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// What refused.
    pub kind: Kind,
    /// How often, without another kind in between.
    pub in_a_row: u32,
}

impl Attempt {
    /// The failure that holds everybody off, however much of its time is left.
    pub fn hold_off(&self) -> Option<&HoldOff> {
        match self {
            Self::Lost(lost) => lost.hold_off.as_ref(),
            Self::Refused(hold_off) => Some(hold_off),
            Self::None | Self::Sent(_) => None,
        }
    }

    /// When it was made, or found lost; `None`: there was none.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::None => None,
            Self::Sent(sent) => Some(sent.at),
            Self::Lost(lost) => Some(lost.at),
            Self::Refused(hold_off) => Some(hold_off.since()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_the_names_that_stats_count_them_by() {
        let names = [Reason::First, Reason::Expired, Reason::Renewal, Reason::Rejection].map(Reason::name);
        assert_eq!(names, ["first", "ended", "renewed", "rejected"]);
        assert_eq!(names.map(Reason::named), Reason::NAMES.map(|(reason, _)| Some(reason)));
        assert_eq!(Reason::named("another"), None);
    }
}
