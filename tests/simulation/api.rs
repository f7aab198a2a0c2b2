//! The server: its tokens, and how well it serves.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::plan::Plan;
use super::random::Random;
use super::story::Who;
use super::world::{Password, World};

/// An organization may hold so many tokens.
const LIMIT: usize = 20;

/// The server, and the way to it.
pub struct Api {
    /// How far its clock is ahead.
    pub ahead: SignedDuration,
    pub tokens: Vec<Made>,
    /// What all requests meet, and until when.
    pub state: State,
    pub until: Duration,
}

/// A token that the server made.
#[derive(Debug)]
pub struct Made {
    pub value: String,
    pub fingerprint: String,
    pub at: Duration,
    pub expires: Option<Duration>,
    pub revoked: bool,
    /// By its owner.
    pub given_back: bool,
}

/// How the server, or something before it, answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should.
    Fine,
    /// There is no connection.
    Unreachable,
    /// It takes requests, and neither works nor answers.
    Hanging,
    /// It works, and its answer is lost.
    Silent,
    /// A fault of its own, before it has made anything.
    Fault,
    /// A gateway's 502, after it has made what it was asked for.
    Gateway,
    /// A page of HTML, 200.
    Page,
    /// 429, with and without a wait in seconds.
    Throttling(Option<u64>),
    /// 503 with a wait in seconds.
    Busy(u64),
    /// 301.
    Redirect,
}

impl State {
    /// One that is not fine.
    pub fn bad(random: &mut Random) -> Self {
        let wait = random.pick(&[1, 5, 60, 3600]);
        random.pick(&[
            Self::Unreachable,
            Self::Hanging,
            Self::Silent,
            Self::Silent,
            Self::Fault,
            Self::Gateway,
            Self::Gateway,
            Self::Page,
            Self::Throttling(None),
            Self::Throttling(Some(wait)),
            Self::Busy(wait),
            Self::Redirect,
        ])
    }

    /// Whether the application gets to see a request.
    pub fn works(self) -> bool {
        matches!(self, Self::Fine | Self::Silent | Self::Gateway)
    }
}

impl Api {
    pub fn new(plan: &Plan, ahead: SignedDuration) -> Self {
        let mut api = Self { ahead, tokens: Vec::new(), state: State::Fine, until: Duration::ZERO };
        // The option `token`: its owner had it before.
        api.add(Duration::ZERO, None);
        api.tokens[0].revoked = !plan.own_token;
        api
    }

    /// Makes a token; gives its number.
    pub fn add(&mut self, at: Duration, life: Option<Duration>) -> usize {
        let value = format!("T{}", self.tokens.len());
        let fingerprint = tps::Secret::new(value.clone()).fingerprint();
        let expires = life.map(|life| at + life);
        self.tokens.push(Made { value, fingerprint, at, expires, revoked: false, given_back: false });
        self.tokens.len() - 1
    }

    /// The token with this text.
    pub fn token(&self, value: &str) -> Option<&Made> {
        value
            .strip_prefix('T')
            .and_then(|number| number.parse::<usize>().ok())
            .and_then(|number| self.tokens.get(number))
    }

    /// Whether the server takes a token.
    pub fn takes(&self, value: &str, time: Duration) -> bool {
        self.token(value).is_some_and(|made| made.is_valid(time))
    }

    /// Revokes a token for its owner. Whether it was valid.
    pub fn revoke(&mut self, value: &str, time: Duration) -> bool {
        let valid = self.takes(value, time);
        let place = self.tokens.iter_mut().find(|made| made.value == value);
        place.into_iter().for_each(|made| (made.revoked, made.given_back) = (true, true));
        valid
    }

    /// Whether the organization holds as many tokens as it may.
    pub fn is_full(&self, time: Duration) -> bool {
        self.tokens.iter().filter(|made| made.is_valid(time)).count() >= LIMIT
    }
}

impl Made {
    pub fn is_valid(&self, time: Duration) -> bool {
        !self.revoked && self.expires.is_none_or(|expires| time < expires)
    }
}

impl World {
    /// The server's date and time.
    pub fn server_date(&self) -> Timestamp {
        self.date(self.api.ahead)
    }

    /// What the next request meets.
    pub fn fate(&mut self) -> State {
        if self.time < self.api.until {
            return self.api.state;
        }
        let bad = self.plan.bad_requests;
        if self.faults_on && self.random.chance(bad) { State::bad(&mut self.random) } else { State::Fine }
    }

    /// What the server makes of a login. `None`: the password is wrong; `Some(None)`: there are too many tokens.
    pub fn logged_in(&mut self, password: Password, login: usize) -> Option<Option<usize>> {
        if password == Password::Wrong {
            return None;
        }
        if self.faults_on && self.api.is_full(self.time) {
            return Some(None);
        }
        let made = self.api.add(self.time, self.plan.life);
        self.ledger.made(login, made);
        Some(Some(made))
    }

    /// A login whose client has given up already.
    pub fn make_token(&mut self, login: usize) {
        if let Some(Some(token)) = self.logged_in(Password::Right, login) {
            self.tell(Who::default(), "server makes late", || format!("T{token}"));
        }
    }
}
