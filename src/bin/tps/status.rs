//! `tps status`: what the store knows. Nothing is sent to the server.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use tps::process::clock::{Clock, System};
use tps::record::{Attempt, Latest, Now, Reason, Record};
use tps::store::memory::Memory;
use tps::store::{self, Lasting, Owner, Seals, Store, StoreError};
use tps::{Error, Status};

use crate::account::Account;
use crate::output::{Output, in_words};

/// How wide the first column is.
const LABEL: usize = 12;

/// However much time the options give.
const LONGEST: Duration = Duration::from_secs(10);

/// What the store has, and how it is.
pub struct Known {
    pub record: Record,
    pub now: Now,
    pub place: Option<String>,
    pub errors: Vec<StoreError>,
    pub lasting: Lasting,
}

impl Known {
    /// Looks into the store, after `first` has asked it for more until the time that it is given.
    pub fn of(account: &Account, first: impl FnOnce(&dyn Store, Instant)) -> Result<Self, StoreError> {
        let memory = Memory::default();
        let deadline = Instant::now() + account.options.timeout.min(LONGEST);
        let owner = Owner { credentials: &account.credentials, base_url: &account.options.base_url };
        let store = store::open(&account.options, &owner, &memory, &Seals::default(), deadline, &System, true)?;
        first(&*store, deadline);
        let now = System.read();
        let record = store.read(&now, Instant::now() + LONGEST)?;
        Ok(Self { record, place: store.place(), errors: store.errors(), lasting: store.lasting(), now })
    }

    /// The failure that holds logins off now.
    pub fn held_off(&self, account: &Account) -> Option<Error> {
        self.record.held_off(account.options.proxy_fingerprint().as_deref(), self.now.wall)
    }
}

/// Prints it.
pub fn show(account: &Account, output: &Output) -> Result<(), Error> {
    let known =
        Known::of(account, |_, _| {}).map_err(|StoreError(error)| Error::new(Status::InvalidArgument, error))?;
    output.say(&as_json(account, &known), &as_lines(account, &known), LABEL)
}

fn as_json(account: &Account, known: &Known) -> Value {
    let (record, wall) = (&known.record, known.now.wall);
    let errors: Vec<_> = known.errors.iter().map(ToString::to_string).collect();
    json!({
        "base_url": account.options.base_url,
        "store": {
            "place": known.place,
            "lasting": known.lasting == Lasting::Yes,
            "errors": errors,
        },
        "token": record.token.as_ref().map(|token| json!({
            "fingerprint": token.fingerprint(),
            "obtained_at": token.obtained_at.to_string(),
            "expires_at": token.expires_at.map(|end| end.to_string()),
            "valid": record.valid_token(&known.now).is_some(),
        })),
        "dead_tokens": record.dead.fingerprints(),
        "last_login": record.latest.map(|latest| json!({
            "at": latest.obtained_at.to_string(),
            "process": latest.login.map(|login| login.by),
            "reason": latest.login.map(|login| login.reason.name()),
        })),
        "last_attempt": attempt(&record.attempt).map(|(kind, _, at)| json!({"kind": kind, "at": at.to_string()})),
        "login_budget_left": record.budget.left(wall, account.options.logins_per_day),
        "logins_drawn": record.budget.drawn().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "hold_off": known.held_off(account).map(|error| json!({
            "status": error.status as i32,
            "retry_after_ms": error.retry_after_ms(),
            "message": error.message,
        })),
    })
}

fn as_lines(account: &Account, known: &Known) -> Vec<String> {
    let (record, wall) = (&known.record, known.now.wall);
    let token = match &record.token {
        None => "none".to_owned(),
        Some(token) => {
            let end = match (token.expires_at, record.valid_token(&known.now)) {
                (_, None) => "expired".to_owned(),
                (None, _) => "valid until the server rejects it".to_owned(),
                (Some(_), Some(token)) => format!("expires in {}", left(token, &known.now)),
            };
            format!("{}, obtained {}, {end}", token.fingerprint(), token.obtained_at)
        }
    };
    let left = record.budget.left(wall, account.options.logins_per_day);
    let wait = record.budget.wait(wall, account.options.logins_per_day).as_secs();
    let next = if left == 0 { format!("; one more in {}", in_words(wait)) } else { String::new() };
    let mut lines = vec![
        format!("server      {}", account.options.base_url),
        format!("store       {}", known.place.as_deref().unwrap_or("memory of each process")),
        format!("token       {token}"),
        format!("last login  {}", record.latest.map_or("none".to_owned(), |latest| login(&latest))),
    ];
    lines.extend(attempt(&record.attempt).map(|(_, what, at)| format!("attempt     {what}, {at}")));
    lines.extend([
        format!("budget      {left} of 3 logins at once{next}"),
        format!("hold-off    {}", known.held_off(account).map_or("none".to_owned(), |error| error.to_string())),
    ]);
    if let Lasting::Service(advice) = &known.lasting {
        lines.push(format!("note        {advice}"));
    }
    lines.extend(known.errors.iter().map(|error| format!("note        {error}")));
    lines
}

fn left(token: &tps::Token, now: &Now) -> String {
    in_words(token.expires.map_or(0, |end| end.left(now.moment).as_secs()))
}

/// When the last login was that gave a token, by whom, and why.
fn login(latest: &Latest) -> String {
    let Some(login) = latest.login else { return latest.obtained_at.to_string() };
    let why = match login.reason {
        Reason::First => "there was no token",
        Reason::Expired => "the token had expired",
        Reason::Renewal => "the token was about to expire",
        Reason::Rejection => "the server rejected the token",
    };
    format!("{}, process {}: {why}", latest.obtained_at, login.by)
}

/// What came of a login after that: its name, in words, and when.
fn attempt(attempt: &Attempt) -> Option<(&'static str, &'static str, Timestamp)> {
    let (kind, what) = match attempt {
        Attempt::None => return None,
        Attempt::Sent(_) => ("sent", "a login is under way, or its process died"),
        Attempt::Lost(_) => ("lost", "a login lost its answer"),
        Attempt::Refused(_) => ("refused", "a login was refused"),
    };
    attempt.at().map(|at| (kind, what, at))
}
