//! How a token is found that is not in memory: in the store, else by one login in all processes' sight.
//!
//! The rules are those of [`Record::step`]. Here is the one place that does things in order: read, lock, write, send.

mod attempt;
mod logout;

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::error::{Error, Status};
use crate::process::clock::Clock;
use crate::record::{self, Action, Failure, Kind, Need, Now, Origin, Record, Rules, Token, Verdict};
use crate::server::{Checked, Refusal, Server};
use crate::store::{Lock, Store, StoreError, WriteError};

/// How long a process waits before it looks again whether another one has logged in: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(25));

/// A valid token, and where it came from.
pub type Found = (Arc<Token>, Origin);

/// One lookup: where it looks, whom it asks, and by what rules.
pub struct Lookup<'a> {
    /// Where the record is kept.
    pub store: &'a dyn Store,
    /// Whom to ask for a token.
    pub server: &'a dyn Server,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// What the client's options say.
    pub rules: &'a Rules,
    /// `timeout_ms`.
    pub timeout: Duration,
    /// `connect_timeout_ms`.
    pub connect_timeout: Duration,
    /// When the call is over.
    pub deadline: Instant,
    /// Whether anything was sent to the server.
    pub sent: Cell<bool>,
}

/// The store's lock, while it is held.
type Held<'l> = Box<dyn Lock<'l> + 'l>;

/// What came of the steps under the lock.
enum Step {
    Found(Found),
    /// Somebody else has written meanwhile, or the lock is in the way: look again.
    Again,
}

impl Lookup<'_> {
    /// A valid token: the store's, else that of one login.
    pub fn find(&self, need: &Need) -> Result<Found, Error> {
        let mut checked = None;
        let mut pause = PAUSES.0;
        let start = self.clock.read();
        loop {
            let now = self.now(&start);
            let record = self.store.read(&now, self.deadline).map_err(unusable)?;
            if now.is_outdated(self.clock.now()) && !self.left().is_zero() {
                continue;
            }
            let event = match (record.step(record::Event::Looked, need, self.rules, &now).1, checked.take()) {
                (Action::Use(token, origin), _) => return Ok((token, origin)),
                (Action::Fail(error), _) => return Err(error),
                (Action::Check(token), None) => {
                    let (at, verdict) = self.check(&token, now.wall);
                    checked = Some((at, verdict, token));
                    continue;
                }
                (_, checked) => checked,
            };
            match self.store.try_lock(&now, self.deadline).map_err(unusable)? {
                // Read by clocks of long ago: once more.
                Some(_) if now.is_outdated(self.clock.now()) => checked = event,
                Some(lock) => {
                    let event =
                        event.map_or(record::Event::Locked, |(at, verdict, _)| record::Event::Checked(at, verdict));
                    if let Step::Found(found) = self.with_lock(lock, event, need, &start)? {
                        return Ok(found);
                    }
                }
                None => match event {
                    // The process that has the lock is about to find another token anyway.
                    Some((_, Verdict::Stands, token)) if !record.dead.has(&token.fingerprint()) => {
                        return Ok((token, Origin::FalseAlarm));
                    }
                    Some((_, Verdict::Undecided(error), _)) => return Err(error),
                    event => checked = event,
                },
            }
            if self.left().is_zero() {
                return Err(too_late(self.timeout));
            }
            self.clock.sleep(pause);
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Each step's record is written before its action is carried out.
    fn with_lock(&self, mut lock: Held<'_>, mut event: record::Event, need: &Need, start: &Now) -> Result<Step, Error> {
        loop {
            let now = self.now(start);
            let (record, action) = lock.record().step(event, need, self.rules, &now);
            if matches!(action, Action::Probe | Action::Send(_)) && self.left() < self.shortest_login() {
                return Err(too_late(self.timeout));
            }
            if record != *lock.record() {
                lock = match lock.write(&record, &now) {
                    Ok(lock) => lock,
                    Err(error) => return self.not_written(error, action, &record, start),
                };
            }
            event = match action {
                Action::Use(token, origin) => return Ok(Step::Found((token, origin))),
                Action::Fail(error) => return Err(error),
                Action::Check(_) | Action::Lock | Action::Done => return Ok(Step::Again),
                Action::Probe => {
                    self.sent.set(true);
                    record::Event::Probed(self.server.probe(self.left()).map_err(|no| self.failure(no)))
                }
                Action::Send(_) => {
                    self.sent.set(true);
                    record::Event::Answered(self.log_in(start))
                }
            };
        }
    }

    /// The record could not be written. What was about to be sent is not; what was made already serves.
    fn not_written(&self, error: WriteError, action: Action, record: &Record, start: &Now) -> Result<Step, Error> {
        match (action, error) {
            // This process was frozen, and lost its lock. The token of the faster process is the one that all have.
            (Action::Use(mine, origin @ Origin::Login(_)), WriteError::Conflict) => {
                let Some(theirs) = self.theirs_or_keep(record, start)?.filter(|theirs| theirs.value != mine.value)
                else {
                    return Ok(Step::Found((mine, origin)));
                };
                // One that is not given back takes a place until somebody revokes it. The time of the call may be over.
                let _ = self.server.logout(&mine, self.left().max(self.connect_timeout));
                Ok(Step::Found((theirs, Origin::Store)))
            }
            (Action::Fail(error), WriteError::Conflict) => {
                let now = self.now(start);
                let theirs = self.store.read(&now, self.deadline).map_err(unusable)?.valid_token(&now).cloned();
                theirs.map(|theirs| Step::Found((theirs, Origin::Store))).ok_or(error)
            }
            // What was read is not what is kept any more.
            (_, WriteError::Conflict) => Ok(Step::Again),
            (Action::Use(token, origin), WriteError::Store(_)) => Ok(Step::Found((token, origin))),
            (Action::Fail(error), WriteError::Store(_)) => Err(error),
            (_, WriteError::Store(error)) => Err(unusable(error)),
        }
    }

    /// The valid token that another process has stored. Where there is none, that of `record` is kept as well as it can be:
    /// else each of the others would make one too.
    fn theirs_or_keep(&self, record: &Record, start: &Now) -> Result<Option<Arc<Token>>, Error> {
        let now = self.now(start);
        let Some(lock) = self.store.try_lock(&now, self.deadline).map_err(unusable)? else {
            let kept = self.store.read(&now, self.deadline).map_err(unusable)?;
            return Ok(kept.valid_token(&now).cloned());
        };
        let theirs = lock.record().valid_token(&now).cloned();
        if theirs.is_none() && !now.is_outdated(self.clock.now()) {
            let both = lock.record().merged(record);
            let _ = lock.write(&both, &now);
        }
        Ok(theirs)
    }

    /// Asks the server whether it still accepts a token that was reported as rejected. Not under the lock: others need not wait.
    fn check(&self, token: &Token, at: Timestamp) -> (Timestamp, Verdict) {
        self.sent.set(true);
        let verdict = match self.server.check(token, self.left() / 3) {
            Checked::Stands => Verdict::Stands,
            Checked::Dead => Verdict::Dead,
            Checked::Undecided(error) => Verdict::Undecided(error),
        };
        (at, verdict)
    }

    fn failure(&self, Refusal { error, kind, .. }: Refusal) -> Failure {
        Failure { kind, error, random: self.clock.random() }
    }

    fn lost(&self, error: Error) -> Failure {
        Failure { kind: Kind::Unavailable, error, random: self.clock.random() }
    }

    /// All clocks, but the date as it went on from `start`: one that is set during a lookup would put two times into a record.
    fn now(&self, start: &Now) -> Now {
        let now = self.clock.read();
        let since = now.moment.since_start().saturating_sub(start.moment.since_start());
        Now { wall: start.wall.saturating_add(since).unwrap_or(now.wall), ..now }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(self.clock.instant())
    }

    /// A login that is bound to be given up would cost a token for nothing.
    fn shortest_login(&self) -> Duration {
        (self.timeout / 4).min(Duration::from_secs(2))
    }
}

/// The failure of a call whose time is over.
pub fn too_late(timeout: Duration) -> Error {
    let limit = timeout.as_millis();
    Error::new(
        Status::Timeout,
        format!("no token within {limit} ms: a login is still under way; call again, or raise timeout_ms"),
    )
}

/// The last store is memory, which serves always.
fn unusable(StoreError(error): StoreError) -> Error {
    Error::new(Status::Internal, format!("no store can be used: {error}; please report this"))
}
