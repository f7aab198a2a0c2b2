//! What people read about an answer: what happened, to what, and what to do, in one line without secrets.

use std::time::Duration;

use jiff::Timestamp;
use ureq::http::Uri;

use super::http::{Failure, FailureKind, Reply};
use super::redact::redact;
use super::text;
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::record::token::Token;

/// Who asked, and where: what messages name, and what they must not show.
pub struct Context<'a> {
    /// Where the server is.
    pub base_url: &'a str,
    /// Whose login it is.
    pub credentials: &'a Credentials,
    /// The token that came with the request.
    pub token: Option<&'a Token>,
    /// The date and time at which the answer came.
    pub wall: Timestamp,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A token.
    Login,
    /// When a token expires.
    Logout,
    /// Something that makes nothing.
    Harmless,
}

/// There is no answer.
pub fn of_failure(failure: &Failure, status: Status, context: &Context<'_>, asked: Asked) -> Error {
    let (base, reason) = (context.base_url, &failure.reason);
    let message = match (status, asked) {
        (Status::OutcomeUnknown, _) => {
            format!("the login was sent to {base}, but its answer was lost ({reason}): a token may have been made")
        }
        (Status::UnexpectedResponse, Asked::Login) if failure.sent => {
            format!("{base} broke off the answer to the login ({reason}): a token may have been made; check base_url")
        }
        (Status::UnexpectedResponse, _) => {
            format!("{base} did not answer as the API does: {reason}; check base_url and proxy")
        }
        (Status::Tls, _) => format!("no trusted connection to {base}: {reason}"),
        (_, Asked::Logout) if failure.sent => {
            format!("the logout was sent to {base}, but its answer was lost ({reason}); log out again")
        }
        _ if failure.sent => format!("{base} does not answer: {reason}; try again later"),
        _ if failure.kind == FailureKind::Proxy => format!("{base} cannot be reached: {reason}"),
        _ => format!("{base} cannot be reached: {reason}; check the network, base_url and proxy"),
    };
    Error::new(status, message)
}

/// A login's answer without a token, after which one may exist. `missing`: what a success has not.
pub fn lost(reply: &Reply, status: Status, missing: &str, context: &Context<'_>) -> Error {
    let (base, number) = (context.base_url, reply.status);
    let message = match status {
        Status::OutcomeUnknown => format!("a gateway gave up on the login ({number}): a token may have been made"),
        Status::Server => {
            format!("the server failed at the login ({number}), and a token may have been made{}", said(reply, context))
        }
        _ if (200..300).contains(&number) && text::json(&reply.body).is_none() && !reply.too_large => page(reply, base),
        _ if !missing.is_empty() => format!("the answer to the login ({number}) {missing}; check base_url {base}"),
        _ => format!("{base} answered the login with {number}, which the API never does; check base_url"),
    };
    Error::new(status, message).answered(number)
}

/// An answer that refuses. `wait`: what it states.
pub fn refused(reply: &Reply, status: Status, wait: Option<Duration>, context: &Context<'_>) -> Error {
    let (base, number, said) = (context.base_url, reply.status, said(reply, context));
    let message = match status {
        Status::TokenLimit => {
            format!("the organization holds as many tokens as it may; log out where one is no longer needed{said}")
        }
        Status::Credentials if context.credentials.password.expose().ends_with(['\n', '\r']) => {
            format!(
                "the server refuses the credentials; the password ends in a line break, as a file made by echo does: \
                 remove that{said}"
            )
        }
        Status::Credentials => {
            format!("the server refuses the credentials; check username, password and organization_id{said}")
        }
        Status::Throttled => format!("too many requests: the server asks to wait{said}"),
        Status::Server => format!("the server cannot serve now ({number}); try again later{said}"),
        _ if (300..400).contains(&number) => {
            let target = reply.location.as_ref().and_then(|location| location.parse::<Uri>().ok());
            let host = target.as_ref().and_then(Uri::host).unwrap_or("another place of the same host");
            let host = redact(host, &[], 100);
            format!("the server redirects to {host}, which is not followed; check base_url {base}")
        }
        _ if text::json(&reply.body).is_none() => page(reply, base),
        _ => format!("{base} answered {number}, which the API never does; check base_url{said}"),
    };
    let wait = wait.filter(|_| status == Status::Throttled || matches!(number, 429 | 503));
    Error { retry_after: wait.unwrap_or_default(), ..Error::new(status, message).answered(number) }
}

/// A logout that came without its token.
pub fn not_arrived(reply: &Reply, context: &Context<'_>) -> Error {
    let message = format!(
        "the token did not reach the server and was not revoked: a proxy, or Apache without `CGIPassAuth On`, removes \
         the header Authorization{}",
        said(reply, context)
    );
    Error::new(Status::UnexpectedResponse, message).answered(reply.status)
}

/// Something in between answered.
fn page(reply: &Reply, base: &str) -> String {
    format!(
        "the API at {base} did not answer, but a maintenance page, a portal or a firewall in front of it ({}); try \
         again later, or check base_url",
        reply.status
    )
}

/// The server's own words, to be put last.
fn said(reply: &Reply, context: &Context<'_>) -> String {
    let secrets = [&context.credentials.password, &context.credentials.username];
    let secrets: Vec<_> = secrets.into_iter().chain(context.token.map(|token| &token.value)).collect();
    match text::json(&reply.body).map(|json| text::said(&json, &secrets)) {
        Some(said) if !said.is_empty() => format!(": {said}"),
        _ => String::new(),
    }
}
