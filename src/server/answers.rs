//! What the server's answers mean. This is the one place that decides it.
//!
//! Each request has a table: the answer's status and what its body says on the left, what it means on the right.

use serde_json::Value;

use super::dates::{expiry, http_date, retry_after};
use super::http::{Failure, FailureKind, Reply};
use super::messages::{self, Asked, Context};
use super::text::{self, LoginBody, TokenBody};
use super::{Again, Answer, Checked, Refusal};
use crate::error::{Error, Status};
use crate::record::hold_off::Kind;
use crate::record::time::Now;
use crate::record::token::{Token, fault};
use crate::secret::Secret;

/// What it means that a login gave no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoToken {
    /// No token was made.
    Refused(Status),
    /// A token may have been made.
    Lost(Status),
}

/// A login's answer without a token. `wait`: it states how long to wait.
fn no_token(status: u16, body: LoginBody, wait: bool) -> NoToken {
    use LoginBody::{ErrorAlone, NotJson, RateLimit, TokenLimit};
    use NoToken::{Lost, Refused};
    match (status, body) {
        (300..=399, _) => Refused(Status::UnexpectedResponse),
        (429, _) | (400 | 403, RateLimit) => Refused(Status::Throttled),
        (400 | 403 | 409, TokenLimit) | (403, ErrorAlone) => Refused(Status::TokenLimit),
        // Something in between answered: the application was not reached.
        (400..=499, NotJson) => Refused(Status::UnexpectedResponse),
        // Wrong password, not a member, a field missing, unknown organization, inactive user, no permission.
        (400 | 401 | 403 | 404, _) => Refused(Status::Credentials),
        (400..=499, _) => Refused(Status::UnexpectedResponse),
        (503, _) if wait => Refused(Status::Server),
        // A gateway gave up waiting. The application may have gone on.
        (504, _) => Lost(Status::OutcomeUnknown),
        (500..=599, _) => Lost(Status::Server),
        // A success without a token, and numbers that HTTP does not know.
        _ => Lost(Status::UnexpectedResponse),
    }
}

/// A probe's answer: whether it is the API's own.
fn is_the_api(status: u16, body: TokenBody) -> bool {
    match (status, body) {
        (200, TokenBody::List) => true,
        (401 | 403, body) => body != TokenBody::NotJson,
        _ => false,
    }
}

/// What an answer says of the token that came with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Stands,
    Dead,
    Nothing,
}

/// A check's answer.
fn verdict(status: u16, body: TokenBody) -> Verdict {
    use TokenBody::{InvalidToken, NoPermission, NotArrived, NotJson};
    match (status, body) {
        (200 | 429, _) => Verdict::Stands,
        (401 | 403, InvalidToken) => Verdict::Dead,
        // Another 403 lets the token in, but not here.
        (403, _) => Verdict::Stands,
        // This is not about the token. Another one would fare no better.
        (401, NotArrived | NoPermission) => Verdict::Stands,
        (401, NotJson) => Verdict::Nothing,
        (401, _) => Verdict::Dead,
        _ => Verdict::Nothing,
    }
}

/// A logout's answer: whether the token is revoked, and if not, why.
fn revoked(status: u16, body: TokenBody) -> Result<(), Status> {
    use TokenBody::{InvalidToken, NotArrived, NotJson};
    match (status, body) {
        (200..=204, _) | (401 | 403, InvalidToken) => Ok(()),
        (401 | 403, NotArrived | NotJson) => Err(Status::UnexpectedResponse),
        (401 | 403, _) => Err(Status::Credentials),
        _ => Err(of_harmless(status)),
    }
}

/// An unexpected answer to a request that makes nothing.
fn of_harmless(status: u16) -> Status {
    match status {
        429 => Status::Throttled,
        500..=599 => Status::Server,
        _ => Status::UnexpectedResponse,
    }
}

/// No answer. `making`: the request makes something, and was sent.
fn of_failure(kind: FailureKind, making: bool) -> Status {
    match kind {
        FailureKind::Malformed => Status::UnexpectedResponse,
        _ if making => Status::OutcomeUnknown,
        FailureKind::Network | FailureKind::Proxy => Status::Network,
        FailureKind::Tls => Status::Tls,
        FailureKind::Timeout => Status::Timeout,
    }
}

/// What refused.
fn kind_of(status: Status) -> Kind {
    match status {
        Status::Credentials => Kind::Credentials,
        Status::TokenLimit => Kind::TokenLimit,
        Status::Throttled => Kind::Throttled,
        _ => Kind::Unavailable,
    }
}

/// What a login came to.
pub fn login(reply: Result<Reply, Failure>, context: &Context<'_>, now: &Now) -> Answer {
    let reply = match reply {
        Ok(reply) => reply,
        Err(failure) if failure.sent => {
            let status = of_failure(failure.kind, true);
            return Answer::Lost(messages::of_failure(&failure, status, context, Asked::Login));
        }
        Err(failure) => {
            let again = match failure.kind {
                FailureKind::Network | FailureKind::Timeout => Again::NothingSent,
                FailureKind::Proxy | FailureKind::Tls | FailureKind::Malformed => Again::No,
            };
            return Answer::Refused(not_sent(&failure, context, Asked::Login, again));
        }
    };
    let mut missing = "";
    if matches!(reply.status, 200 | 201) {
        match token(&reply, now) {
            Ok(token) => return Answer::Token(token),
            Err(what) => missing = what,
        }
    }
    let json = text::json(&reply.body);
    let wait = retry_after(&reply, context.wall);
    match no_token(reply.status, LoginBody::of(json.as_ref(), context.credentials), wait.is_some()) {
        NoToken::Lost(status) => Answer::Lost(messages::lost(&reply, status, missing, context)),
        NoToken::Refused(status) => {
            let error = messages::refused(&reply, status, wait, context);
            let again = wait.filter(|_| reply.status == 503).map_or(Again::No, Again::After);
            Answer::Refused(Refusal { error, kind: kind_of(status), again })
        }
    }
}

/// What a probe found.
pub fn probe(reply: Result<Reply, Failure>, context: &Context<'_>) -> Result<(), Refusal> {
    let reply = reply.map_err(|failure| not_sent(&failure, context, Asked::Harmless, Again::No))?;
    if is_the_api(reply.status, TokenBody::of(text::json(&reply.body).as_ref())) {
        return Ok(());
    }
    let status = of_harmless(reply.status);
    let error = messages::refused(&reply, status, retry_after(&reply, context.wall), context);
    Err(Refusal { error, kind: kind_of(status), again: Again::No })
}

/// What a check found.
pub fn check(reply: Result<Reply, Failure>, context: &Context<'_>) -> Checked {
    let reply = match reply {
        Ok(reply) => reply,
        Err(failure) => return Checked::Undecided(not_sent(&failure, context, Asked::Harmless, Again::No).error),
    };
    match verdict(reply.status, TokenBody::of(text::json(&reply.body).as_ref())) {
        Verdict::Stands => Checked::Stands,
        Verdict::Dead => Checked::Dead,
        Verdict::Nothing => {
            let wait = retry_after(&reply, context.wall);
            Checked::Undecided(messages::refused(&reply, of_harmless(reply.status), wait, context))
        }
    }
}

/// What a logout came to.
pub fn logout(reply: Result<Reply, Failure>, context: &Context<'_>) -> Result<(), Error> {
    let reply = reply
        .map_err(|failure| messages::of_failure(&failure, of_failure(failure.kind, false), context, Asked::Logout))?;
    let body = TokenBody::of(text::json(&reply.body).as_ref());
    revoked(reply.status, body).map_err(|status| match body {
        TokenBody::NotArrived if matches!(reply.status, 401 | 403) => messages::not_arrived(&reply, context),
        _ => messages::refused(&reply, status, retry_after(&reply, context.wall), context),
    })
}

/// A request that made nothing, since it did not arrive or is harmless.
fn not_sent(failure: &Failure, context: &Context<'_>, asked: Asked, again: Again) -> Refusal {
    let error = messages::of_failure(failure, of_failure(failure.kind, false), context, asked);
    let kind = if failure.kind == FailureKind::Proxy { Kind::Proxy } else { Kind::Unavailable };
    Refusal { error, kind, again }
}

/// The token in a successful answer to a login; else what is wrong with the answer.
fn token(reply: &Reply, now: &Now) -> Result<Token, &'static str> {
    if reply.too_large {
        return Err("is larger than 64 KiB");
    }
    let Some(mut body) = text::json(&reply.body) else { return Err("is not the API's JSON") };
    // Moved out, not copied: no second copy stays in freed memory.
    let value = match body.get_mut("token").map(Value::take) {
        Some(Value::String(value)) => Secret::new(value),
        Some(_) => return Err("has a token that is not a string"),
        None => return Err("has no token"),
    };
    if fault(value.expose()).is_some() {
        return Err("has a token that cannot go into a header");
    }
    let server_time = reply.date.as_deref().and_then(http_date).unwrap_or(now.wall);
    let expires_at = body.get("expiry").and_then(Value::as_str).and_then(expiry);
    let clock_ahead = server_time.duration_since(now.wall);
    Ok(Token::new(value, server_time, expires_at, clock_ahead, None, now))
}

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;
