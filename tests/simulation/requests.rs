//! Requests to the server, as a lookup sends them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tps::process::clock::Clock;
use tps::record::hold_off::Kind;
use tps::record::{Now, Token};
use tps::server::{Again, Answer, Checked, Refusal, Server};
use tps::{Error, Secret, Status};

use super::api::State;
use super::clock::SimClock;
use super::queue::Event;
use super::world::Password;

/// The server, as one process reaches it.
pub struct Requests {
    pub clock: SimClock,
    pub password: Password,
}

/// How long no connection is waited for at most.
const CONNECT: Duration = Duration::from_secs(3);

/// How a request went.
struct Sent {
    state: State,
    /// The answer did not come in time.
    late: bool,
}

impl Requests {
    /// Sends a request and waits for its answer. `work` is what the server does with it: it is told how long to put it off
    /// where the answer comes too late.
    fn send(&self, what: &'static str, time: Duration, work: impl FnOnce(Duration)) -> Sent {
        let sim = &self.clock.sim;
        let deadline = self.clock.instant() + time;
        let (reach, working, back) = {
            let mut world = sim.world();
            let slow = world.plan.slow;
            let longest =
                Duration::from_millis(if world.faults_on && world.random.chance(slow) { 20_000 } else { 100 });
            let mut part = |from| world.random.time(Duration::from_millis(from), longest);
            (part(5), part(10), part(5))
        };
        sim.pass(reach.min(time));
        let left = deadline.saturating_duration_since(self.clock.instant());
        let state = if left.is_zero() { State::Unreachable } else { sim.world().fate() };
        sim.world().tell_mine(what, || format!("{state:?}"));
        if state == State::Unreachable {
            sim.pass(CONNECT.min(left));
            return Sent { state, late: false };
        }
        let in_time = working + back <= left && !matches!(state, State::Hanging | State::Silent);
        // The server works whether its client goes on or not.
        if state.works() {
            work(if working <= left { Duration::ZERO } else { working });
        }
        sim.pass(if in_time { working + back } else { left });
        Sent { state, late: !in_time }
    }

    /// An answer that is not the application's.
    fn refusal(state: State) -> Refusal {
        let seconds = Duration::from_secs;
        let refusal = |status, number: u16, wait: Option<u64>, kind, again| Refusal {
            error: Error::new(status, "simulated").answered(number).held_off_for(seconds(wait.unwrap_or(0))),
            kind,
            again,
        };
        match state {
            State::Unreachable => Refusal {
                error: Error::new(Status::Network, "simulated"),
                kind: Kind::Unavailable,
                again: Again::NothingSent,
            },
            State::Throttling(wait) => refusal(Status::Throttled, 429, wait, Kind::Throttled, Again::No),
            State::Busy(wait) => {
                refusal(Status::Server, 503, Some(wait), Kind::Unavailable, Again::After(seconds(wait)))
            }
            State::Fault => refusal(Status::Server, 500, None, Kind::Unavailable, Again::No),
            State::Gateway => refusal(Status::Server, 502, None, Kind::Unavailable, Again::No),
            State::Hanging | State::Silent => {
                Refusal { error: Error::new(Status::Timeout, "simulated"), kind: Kind::Unavailable, again: Again::No }
            }
            State::Page => refusal(Status::UnexpectedResponse, 200, None, Kind::Unavailable, Again::No),
            State::Redirect | State::Fine => {
                refusal(Status::UnexpectedResponse, 301, None, Kind::Unavailable, Again::No)
            }
        }
    }

    /// A token as the client reads it. `now`: before the request was sent. What the answer took is not part of its life.
    fn read(&self, token: usize, date: Timestamp, now: &Now) -> Token {
        let world = self.clock.sim.world();
        let made = &world.api.tokens[token];
        let expires = made.expires.map(|expires| world.date(world.api.ahead) + signed(expires) - signed(world.time));
        // `Date` leaves out the fraction of its second.
        let date = Timestamp::from_second(date.as_second()).expect("a date");
        Token::new(Secret::new(made.value.clone()), date, expires, date.duration_since(now.wall), None, now)
    }
}

fn signed(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).expect("not that long")
}

/// What an answered login says.
enum Said {
    Nothing,
    Token(usize, Timestamp),
    TooMany,
    Wrong,
}

impl Server for Requests {
    fn login(&self, time: Duration) -> Answer {
        let sim = &self.clock.sim;
        let mut said = Said::Nothing;
        let now = Now { moment: self.clock.now(), wall: self.clock.wall(), boot: self.clock.boot() };
        let login = sim.world().login_begins();
        let sent = self.send("login", time, |later| {
            let mut world = sim.world();
            if !later.is_zero() {
                if self.password == Password::Right {
                    world.later(later, Event::Make(login));
                }
                return;
            }
            said = match world.logged_in(self.password, login) {
                None => Said::Wrong,
                Some(None) => Said::TooMany,
                Some(Some(token)) => {
                    world.tell_mine("server makes", || format!("T{token}"));
                    Said::Token(token, world.server_date())
                }
            };
        });
        sim.world().login_ends();
        let refused = |status, number, kind| {
            let error = Error::new(status, "simulated").answered(number);
            Answer::Refused(Refusal { error, kind, again: Again::No })
        };
        let answer = match (sent.state, said) {
            _ if sent.late => Answer::Lost(Error::new(Status::OutcomeUnknown, "simulated")),
            (State::Fine, Said::Wrong) => refused(Status::Credentials, 400, Kind::Credentials),
            (State::Fine, Said::TooMany) => refused(Status::TokenLimit, 403, Kind::TokenLimit),
            (State::Fine, Said::Token(token, date)) => Answer::Token(self.read(token, date, &now)),
            (State::Fine | State::Silent | State::Hanging, _) => {
                Answer::Lost(Error::new(Status::OutcomeUnknown, "simulated"))
            }
            (State::Fault | State::Gateway, _) => Answer::Lost(Error::new(Status::Server, "simulated").answered(500)),
            (State::Page, _) => Answer::Lost(Error::new(Status::UnexpectedResponse, "simulated").answered(200)),
            (state, _) => Answer::Refused(Self::refusal(state)),
        };
        sim.world().tell_mine("login answered", || match &answer {
            Answer::Token(token) => token.value.expose().to_owned(),
            Answer::Refused(refusal) => format!("refused, {:?}", refusal.error.status),
            Answer::Lost(error) => format!("lost, {:?}", error.status),
        });
        answer
    }

    fn probe(&self, time: Duration) -> Result<(), Refusal> {
        self.clock.sim.world().probe_begins();
        let sent = self.send("probe", time, |_| {});
        if sent.state == State::Fine && !sent.late { Ok(()) } else { Err(Self::refusal(sent.state)) }
    }

    fn check(&self, token: &Token, time: Duration) -> Checked {
        let sim = &self.clock.sim;
        let mut takes = false;
        let sent = self.send("check", time, |_| {
            let world = sim.world();
            takes = world.api.takes(token.value.expose(), world.time);
        });
        let checked = match sent.state {
            State::Fine if !sent.late && takes => Checked::Stands,
            State::Throttling(_) => Checked::Stands,
            State::Fine if !sent.late => Checked::Dead,
            state => Checked::Undecided(Self::refusal(state).error),
        };
        sim.world().tell_mine("checked", || format!("{} {checked:?}", token.value.expose()));
        checked
    }

    fn logout(&self, token: &Token, time: Duration) -> Result<(), Error> {
        let sim = &self.clock.sim;
        let sent = self.send("logout", time, |_| {
            let mut world = sim.world();
            let time = world.time;
            world.api.revoke(token.value.expose(), time);
        });
        let done = sent.state == State::Fine && !sent.late;
        sim.world().tell_mine("logged out", || format!("{}: {done}", token.value.expose()));
        if done { Ok(()) } else { Err(Self::refusal(sent.state).error) }
    }
}
