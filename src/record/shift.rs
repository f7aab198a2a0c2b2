//! The same record by another clock: stores keep times by a clock of their own.

use jiff::{SignedDuration, Timestamp};

use super::{Attempt, Budget, Check, HoldOff, Lost, Record, Sent, Token};

impl Record {
    /// The same by a clock that is `ahead` of this one.
    pub fn shifted(&self, ahead: SignedDuration) -> Self {
        if ahead.is_zero() {
            return self.clone();
        }
        let time = |time: Timestamp| time.saturating_add(ahead).unwrap_or(time);
        let times = |all: &[Timestamp]| all.iter().copied().map(time).collect();
        let hold_off = |hold_off: &HoldOff| HoldOff { until: time(hold_off.until), ..hold_off.clone() };
        Self {
            token: self.token.as_ref().map(|token| {
                let clock_ahead = token.clock_ahead.saturating_sub(ahead);
                Token { clock_ahead, ..Token::clone(token) }.into()
            }),
            replaced_at: self.replaced_at.map(time),
            budget: Budget::new(times(self.budget.drawn()), times(self.budget.renewals())),
            attempt: match &self.attempt {
                Attempt::None => Attempt::None,
                Attempt::Sent(sent) => Attempt::Sent(Sent { at: time(sent.at), ..sent.clone() }),
                Attempt::Lost(lost) => {
                    Attempt::Lost(Lost { at: time(lost.at), hold_off: lost.hold_off.as_ref().map(hold_off) })
                }
                Attempt::Refused(refused) => Attempt::Refused(hold_off(refused)),
            },
            check: self.check.as_ref().map(|check| Check { at: time(check.at), ..check.clone() }),
            ..self.clone()
        }
    }
}
