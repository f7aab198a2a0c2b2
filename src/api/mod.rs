//! The server's three requests.

mod answers;

use std::collections::BTreeMap;
use std::time::Duration;

use ureq::http::Method;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::http;
use crate::options::Options;
use crate::token::Token;

const LOGIN: &str = "/api/auth/login/";
const LOGOUT: &str = "/api/auth/logout/";
const ORGANIZATIONS: &str = "/api/v1/organizations/";

/// A request that did not come to its end.
#[derive(Debug)]
pub struct Refusal {
    pub error: Error,
    /// Whether it may have made a token all the same.
    pub may_exist: bool,
    pub again: Again,
}

/// One after which nothing can exist, and nothing is tried again.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, may_exist: false, again: Again::No }
    }
}

/// Whether a request may be sent again within the same call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    No,
    /// It never went out.
    NothingSent,
    /// The server asks for it.
    After(Duration),
}

/// Asks for a token. At most one request is sent.
pub fn login(
    credentials: &Credentials,
    options: &Options,
    clock: &dyn Clock,
    timeout: Duration,
) -> Result<Token, Refusal> {
    let body = form(credentials)?;
    let answer = http::send(options, Method::POST, LOGIN, None, &body, timeout)
        .map_err(|failure| answers::missing(&failure, options, true))?;
    if matches!(answer.status, 200 | 201) {
        // It has made a token, even where it cannot be read.
        return answers::token(&answer, clock).map_err(|error| Refusal { may_exist: true, ..error.into() });
    }
    Err(answers::login_refused(&answer, credentials, options))
}

/// Revokes a token; a token that was gone already is a success.
pub fn logout(token: &Token, options: &Options, timeout: Duration) -> Result<(), Error> {
    let answer = http::send(options, Method::POST, LOGOUT, Some(&authorization(token)), &[], timeout)
        .map_err(|failure| answers::missing(&failure, options, false).error)?;
    match answer.status {
        200..=204 | 401 => Ok(()),
        _ => Err(answers::refused(&answer, &[&token.value], options).error),
    }
}

/// Asks the server whether a token that it is said to have rejected stands all the same. What it does not clearly say
/// counts as no.
pub fn stands(token: &Token, options: &Options, timeout: Duration) -> bool {
    http::send(options, Method::GET, ORGANIZATIONS, Some(&authorization(token)), &[], timeout)
        .is_ok_and(|answer| answers::lets_in(&answer))
}

/// A request that makes nothing: is the server there?
pub fn knock(options: &Options, timeout: Duration) -> Result<(), Refusal> {
    let answer = http::send(options, Method::GET, ORGANIZATIONS, None, &[], timeout)
        .map_err(|failure| answers::missing(&failure, options, false))?;
    if answer.status < 500 { Ok(()) } else { Err(answers::refused(&answer, &[], options)) }
}

fn authorization(token: &Token) -> Zeroizing<String> {
    Zeroizing::new(format!("Token {}", token.value.expose()))
}

/// The login's body, written without a copy of the password beside it.
fn form(credentials: &Credentials) -> Result<Zeroizing<Vec<u8>>, Error> {
    let fields = BTreeMap::from([
        ("username", credentials.username.expose()),
        ("password", credentials.password.expose()),
        ("organization_id", credentials.organization_id.as_str()),
    ]);
    // A character takes up to six bytes in JSON: with room for all, the text never moves.
    let room = fields.iter().map(|(key, value)| key.len() + 6 * value.len() + 6).sum::<usize>() + 2;
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    serde_json::to_writer(&mut *body, &fields)
        .map_err(|_| Error::new(Status::Internal, "the login could not be written as JSON; please report this"))?;
    Ok(body)
}
