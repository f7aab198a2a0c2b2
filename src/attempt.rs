//! One attempt at a login, and what must hold before it is sent.

use std::thread;
use std::time::{Duration, Instant};

use crate::api::{self, Again, Refusal};
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::error::{Error, Status};
use crate::options::Options;
use crate::store::seal::random;
use crate::token::Token;

/// Before another request where nothing of the first can have been sent.
const RETRIES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

/// A token by a login. `unsure`: whether the answer to the last one was lost; then this one is only sent once the server
/// answers at all.
pub fn log_in(
    credentials: &Credentials,
    options: &Options,
    clock: &dyn Clock,
    unsure: &mut bool,
    deadline: Instant,
) -> Result<Token, Refusal> {
    if *unsure {
        api::knock(options, left(deadline))?;
    }
    // A login that is bound to be given up would cost a token for nothing.
    if left(deadline) < (options.timeout / 4).min(Duration::from_secs(2)) {
        return Err(too_late(options.timeout).into());
    }
    let outcome = send(credentials, options, clock, deadline);
    *unsure = outcome.as_ref().is_err_and(|refusal| refusal.error.status == Status::OutcomeUnknown);
    outcome
}

/// Again only where nothing can have been made.
fn send(credentials: &Credentials, options: &Options, clock: &dyn Clock, deadline: Instant) -> Result<Token, Refusal> {
    let mut pauses = RETRIES.iter();
    loop {
        let refusal = match api::login(credentials, options, clock, left(deadline)) {
            Ok(token) => return Ok(token),
            Err(refusal) => refusal,
        };
        let pause = match (refusal.again, pauses.next()) {
            // From half to one and a half times as long.
            (Again::NothingSent, Some(pause)) => {
                pause.mul_f64(0.5 + f64::from(random().map_or(0, u8::from_ne_bytes)) / 255.0)
            }
            (Again::After(pause), Some(_)) => pause,
            _ => return Err(refusal),
        };
        // There must be time for the request itself.
        if left(deadline) < pause + options.connect_timeout.min(Duration::from_secs(1)) {
            return Err(refusal);
        }
        thread::sleep(pause);
    }
}

/// What is left of a call's time.
pub fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// The failure of a call whose time is over.
pub fn too_late(timeout: Duration) -> Error {
    let limit = timeout.as_millis();
    Error::new(
        Status::Timeout,
        format!("no token within {limit} ms: a login is still under way; call again, or raise timeout_ms"),
    )
}
