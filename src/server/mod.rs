//! The server's HTTP API: login, probe, check and logout. What its answers mean is one table, in `answers`.

mod answers;
mod dates;
mod gzip;
mod http;
mod messages;
pub mod redact;
pub mod resolve;
mod sent;
mod text;
pub mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use ureq::http::Method;
use zeroize::Zeroizing;

pub use self::http::prepare;
use self::http::{Failure, Reply, Request};
use self::messages::Context;
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::options::Options;
use crate::process::clock::Clock;
use crate::record::hold_off::Kind;
use crate::record::token::Token;
use crate::secret::SecretBuffer;

const LOGIN: &str = "/api/auth/login/";
const LOGOUT: &str = "/api/auth/logout/";
const ORGANIZATIONS: &str = "/api/v1/organizations/";

/// What the library asks of a server. `time` is the time limit of the whole request. No method sends more than one.
pub trait Server: Send + Sync {
    /// Asks for a token.
    fn login(&self, time: Duration) -> Answer;

    /// Asks for the organizations without a token, which makes nothing: is the API there?
    fn probe(&self, time: Duration) -> Result<(), Refusal>;

    /// Asks for the organizations with this token: does the server take it?
    fn check(&self, token: &Token, time: Duration) -> Checked;

    /// Revokes a token. One that was revoked already is a success.
    fn logout(&self, token: &Token, time: Duration) -> Result<(), Error>;
}

/// What a login came to.
#[derive(Debug)]
pub enum Answer {
    /// A token.
    Token(Token),
    /// Clearly refused: no token was made.
    Refused(Refusal),
    /// The answer was lost: a token may have been made.
    Lost(Error),
}

/// What the server says of a token.
#[derive(Debug)]
pub enum Checked {
    /// It takes it, or what it says is not about the token.
    Stands,
    /// It rejects it.
    Dead,
    /// It says nothing of use.
    Undecided(Error),
}

/// A request that was refused, or did not reach the server: nothing was made.
#[derive(Debug)]
pub struct Refusal {
    /// Why. Its `retry_after` is the wait that the server stated, else zero.
    pub error: Error,
    /// What refused.
    pub kind: Kind,
    /// Whether the same call may try again.
    pub again: Again,
}

/// Whether a request may be sent again within the same call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// No.
    No,
    /// Yes: not a byte of it was sent.
    NothingSent,
    /// Yes, after this wait: the server asks for it.
    After(Duration),
}

/// The real server, by HTTP.
pub struct Api {
    /// Who logs in.
    pub credentials: Credentials,
    /// Where the server is and how it is reached.
    pub options: Arc<Options>,
    /// By what a token's expiry is counted.
    pub clock: Arc<dyn Clock>,
}

impl Server for Api {
    fn login(&self, time: Duration) -> Answer {
        let Some(body) = self.login_body() else {
            let error =
                Error::new(Status::Internal, "the login cannot be written as JSON; please report this as a bug");
            return Answer::Refused(Refusal { error, kind: Kind::Unavailable, again: Again::No });
        };
        // Before it is sent: the time that the answer takes, or for which the process is stopped, is not part of a token's life.
        let now = self.clock.read();
        let reply = self.send(Method::POST, LOGIN, None, &body, time);
        answers::login(reply, &self.context(None), &now)
    }

    fn probe(&self, time: Duration) -> Result<(), Refusal> {
        self.greet(time).1
    }

    fn check(&self, token: &Token, time: Duration) -> Checked {
        let reply = self.send(Method::GET, ORGANIZATIONS, Some(token), &[], time);
        answers::check(reply, &self.context(Some(token)))
    }

    fn logout(&self, token: &Token, time: Duration) -> Result<(), Error> {
        let reply = self.send(Method::POST, LOGOUT, Some(token), &[], time);
        answers::logout(reply, &self.context(Some(token)))
    }
}

impl Api {
    /// A probe, and how far the server's clock is ahead of this machine's, where an answer tells it.
    pub fn greet(&self, time: Duration) -> (Option<SignedDuration>, Result<(), Refusal>) {
        let reply = self.send(Method::GET, ORGANIZATIONS, None, &[], time);
        let date = reply.as_ref().ok().and_then(|reply| dates::http_date(reply.date.as_deref()?));
        let ahead = date.map(|date| date.duration_since(self.clock.wall()));
        (ahead, answers::probe(reply, &self.context(None)))
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&Token>,
        body: &[u8],
        time: Duration,
    ) -> Result<Reply, Failure> {
        let authorization = token.map(|token| Zeroizing::new(format!("Token {}", token.value.expose())));
        let authorization = authorization.as_ref().map(|value| value.as_str());
        http::send(&self.options, &Request { method, path, authorization, body }, time)
    }

    fn context<'a>(&'a self, token: Option<&'a Token>) -> Context<'a> {
        Context { base_url: &self.options.base_url, credentials: &self.credentials, token, wall: self.clock.wall() }
    }

    /// The login's body; no copy of the password stays beside it.
    fn login_body(&self) -> Option<SecretBuffer> {
        let fields = BTreeMap::from([
            ("username", self.credentials.username.expose()),
            ("password", self.credentials.password.expose()),
            ("organization_id", self.credentials.organization_id.as_str()),
        ]);
        let mut body = SecretBuffer::default();
        serde_json::to_writer(&mut body, &fields).ok().map(|()| body)
    }
}

#[cfg(test)]
mod tests;
