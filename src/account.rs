//! What a client and the thread of its login share.

use std::sync::Arc;

use crate::clock::{Clock, Reading};
use crate::credentials::Credentials;
use crate::options::Options;
use crate::slot::Slot;
use crate::store::Trouble;
use crate::token::Token;

/// Whose token it is, and all that is needed to find it: in the stores by walk.rs, at the server by obtain.rs.
pub struct Account {
    pub credentials: Credentials,
    pub options: Arc<Options>,
    pub clock: Arc<dyn Clock>,
    pub slot: Arc<Slot>,
}

impl Account {
    /// Whether a token is to be renewed.
    pub fn due(&self, token: &Token) -> bool {
        self.slot.due(token, self.clock.now(), self.options.refresh_ahead)
    }

    /// All clocks, now.
    pub fn clocks(&self) -> Reading {
        Reading::of(&*self.clock)
    }

    /// For `stats`.
    pub fn degrade(&self, Trouble(trouble): Trouble) {
        self.slot.note(|known| {
            let before = known.store.trouble.take();
            known.store.trouble = Some(before.into_iter().chain([trouble]).collect::<Vec<_>>().join("; "));
        });
    }
}
