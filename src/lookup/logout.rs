//! How a token is given back.

use std::sync::Arc;

use super::{Lookup, PAUSES, unusable};
use crate::error::{Error, Status};
use crate::record::{self, Need, Token};

impl Lookup<'_> {
    /// Revokes the store's token, and `mine` where that is another one which is not known to be dead. Forgets both in the
    /// store. Takes the lock like a login, so that no login is under way meanwhile. Gives the tokens that were revoked.
    pub fn give_back(&self, mine: Option<Arc<Token>>) -> Result<Vec<Arc<Token>>, Error> {
        let mut pause = PAUSES.0;
        let start = self.clock.read();
        let lock = loop {
            let now = self.now(&start);
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
        let mut record = lock.record().clone();
        let known = |token: &Arc<Token>| record.has(&token.fingerprint()) || record.dead.has(&token.fingerprint());
        let other = mine.filter(|mine| !known(mine));
        let (mut revoked, mut outcome) = (Vec::new(), Ok(()));
        for token in record.token.clone().into_iter().chain(other) {
            outcome = self.server.logout(&token, self.left());
            if outcome.is_err() {
                break;
            }
            let event = record::Event::GivenBack(token.fingerprint());
            (record, _) = record.step(event, &Need::default(), self.rules, &self.now(&start));
            revoked.push(token);
        }
        // Where it cannot be written, a process that finds the token there learns from the server that it is dead.
        let _ = lock.write(&record, &self.now(&start));
        outcome.map(|()| revoked)
    }
}
