//! How a token is given back.

use std::sync::Arc;

use super::{Lookup, PAUSES, unusable};
use crate::error::{Error, Status};
use crate::record::{self, Need, Token};

impl Lookup<'_> {
    /// Revokes `mine`, else the store's token, and forgets it in the store. Takes the lock like a login, so that no login is
    /// under way meanwhile. Gives the token that was revoked; `None`: there was none.
    pub fn give_back(&self, mine: Option<Arc<Token>>) -> Result<Option<Arc<Token>>, Error> {
        let mut pause = PAUSES.0;
        let lock = loop {
            let now = self.clock.read();
            if let Some(lock) = self.store.try_lock(&now, self.deadline).map_err(unusable)? {
                break lock;
            }
            if self.left().is_zero() {
                return Err(Error::new(
                    Status::Timeout,
                    format!("not logged out within {} ms: a login is under way; call again", self.timeout.as_millis()),
                ));
            }
            self.clock.sleep(pause);
            pause = (pause * 2).min(PAUSES.1);
        };
        let now = self.clock.read();
        let Some(token) = mine.or_else(|| lock.record().valid_token(&now).cloned()) else { return Ok(None) };
        self.server.logout(&token, self.left())?;
        let now = self.clock.read();
        let event = record::Event::GivenBack(token.fingerprint());
        let (record, _) = lock.record().step(event, &Need::default(), self.rules, &now);
        // Where it cannot be written, whoever finds the token there learns from the server that it is dead.
        let _ = lock.write(&record, &now);
        Ok(Some(token))
    }
}
