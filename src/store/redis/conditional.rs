//! Changing a key only if it still holds what was seen there: by a script, by a transaction where scripts are forbidden.
//!
//! Both can be asked again when an answer is lost.

use redis::{Cmd, Value, cmd, from_redis_value};

use super::failure::Failure;
use super::session::Session;
use crate::store::StoreError;

/// Sets `KEYS[1]` if it still holds `ARGV[1]` (empty: nothing).
const SET: &str = "local held = redis.call('GET', KEYS[1]) or '' if held == ARGV[2] then return 1 end \
     if held ~= ARGV[1] then return 0 end redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1";

/// Deletes `KEYS[1]` if it still holds `ARGV[1]`.
const DELETE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// Why it was not done.
pub enum NotDone {
    /// The server refuses it.
    Refused(Failure),
    /// There was no answer.
    Away(StoreError),
}

/// Sets `key` to `value` for so many milliseconds if it still holds `seen` (empty: nothing). Whether it did: what
/// another process has written since is kept.
pub fn set(session: &mut Session<'_>, key: &str, seen: &[u8], value: &[u8], time: u64) -> Result<bool, NotDone> {
    let script = cmd("EVAL").arg(SET).arg(1).arg(key).arg(seen).arg(value).arg(time).take();
    by_script(session, &script, |session| {
        let set = cmd("SET").arg(key).arg(value).arg("PX").arg(time).take();
        by_transaction(session, key, seen, value, set)
    })
}

/// Deletes `key` if it still holds `seen`.
pub fn delete(session: &mut Session<'_>, key: &str, seen: &[u8]) -> Result<bool, NotDone> {
    let script = cmd("EVAL").arg(DELETE).arg(1).arg(key).arg(seen).take();
    by_script(session, &script, |session| by_transaction(session, key, seen, b"", cmd("DEL").arg(key).take()))
}

fn by_script<'s>(
    session: &mut Session<'s>,
    script: &Cmd,
    otherwise: impl FnOnce(&mut Session<'s>) -> Result<bool, NotDone>,
) -> Result<bool, NotDone> {
    let answer = session.ask(std::slice::from_ref(script)).map_err(NotDone::Away)?.pop().unwrap_or(Value::Nil);
    let Value::ServerError(error) = answer else {
        return from_redis_value::<u64>(answer).map(|done| done == 1).map_err(|_| NotDone::Refused(Failure::strange()));
    };
    let refusal = Failure::from(error);
    // Some services do not know the command at all.
    let unknown =
        matches!(&refusal, Failure::Refused { code, detail } if code == "ERR" && detail.contains("unknown command"));
    if !refusal.is(&["NOPERM"]) && !unknown {
        return Err(NotDone::Refused(refusal));
    }
    match otherwise(session) {
        // What was forbidden first is what the user should be allowed.
        Err(NotDone::Refused(again)) if again.is(&["NOPERM"]) => Err(NotDone::Refused(refusal)),
        done => done,
    }
}

fn by_transaction(
    session: &mut Session<'_>,
    key: &str,
    seen: &[u8],
    value: &[u8],
    change: Cmd,
) -> Result<bool, NotDone> {
    let answers = session.ask(&[cmd("WATCH").arg(key).take(), cmd("GET").arg(key).take()]).map_err(NotDone::Away)?;
    let held = match accepted(answers)?.pop() {
        Some(Value::BulkString(held)) => held,
        _ => Vec::new(),
    };
    if held == value {
        return Ok(true);
    }
    if held != seen {
        return Ok(false);
    }
    let answers = session.ask_the_same(&[cmd("MULTI"), change, cmd("EXEC")]).map_err(NotDone::Away)?;
    match accepted(answers)?.pop() {
        Some(Value::Array(done)) => accepted(done).map(|_| true),
        // Somebody has written meanwhile.
        Some(Value::Nil) => Ok(false),
        _ => Err(NotDone::Refused(Failure::strange())),
    }
}

/// The answers, if none of them is a refusal.
fn accepted(answers: Vec<Value>) -> Result<Vec<Value>, NotDone> {
    let one = |answer| match answer {
        Value::ServerError(error) => Err(NotDone::Refused(error.into())),
        answer => Ok(answer),
    };
    answers.into_iter().map(one).collect()
}
