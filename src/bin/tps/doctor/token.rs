//! The token, and what keeps another one from being had.

use tps::Status;

use super::Finding;
use crate::account::Account;
use crate::output::in_words;
use crate::status::Known;

/// What the record tells.
pub fn examine(account: &Account, known: &Known) -> Vec<Finding> {
    let valid = known.record.valid_token(&known.now);
    let token = match (valid, &known.record.token) {
        (Some(token), _) => format!("{}, valid", token.fingerprint()),
        (None, Some(_)) => "expired; the next call logs in".to_owned(),
        (None, None) => "none yet; the next call logs in".to_owned(),
    };
    vec![Finding::good("token", token), hold_off(account, known), budget(account, known)]
}

fn hold_off(account: &Account, known: &Known) -> Finding {
    let Some(error) = known.held_off(account) else { return Finding::good("hold-off", "none") };
    let wait = in_words(error.retry_after.as_secs() + 1);
    let advice = match error.status {
        Status::Credentials => "correct the credentials: other ones are tried at once".to_owned(),
        Status::TokenLimit => {
            format!("log out where a token is no longer needed, or ask TPStreams to revoke some; then wait {wait}")
        }
        Status::Network | Status::Timeout | Status::Tls => format!("mend what is named, and wait {wait}"),
        _ => format!("wait {wait}"),
    };
    Finding::bad("hold-off", error.to_string(), advice)
}

fn budget(account: &Account, known: &Known) -> Finding {
    let (budget, wall, per_day) = (&known.record.budget, known.now.wall, account.options.logins_per_day);
    let left = budget.left(wall, per_day);
    let found = format!("{left} of 3 logins at once, {} in the last 24 hours", budget.drawn().len());
    if left > 0 {
        return Finding::good("budget", found);
    }
    let wait = in_words(budget.wait(wall, per_day).as_secs() + 1);
    let advice = format!(
        "wait {wait}, and find what ends the tokens or the processes (tps status tells why the last login was made); or \
         lift the budget for once: tps token --options '{{\"logins_per_day\": 0}}'"
    );
    Finding::bad("budget", found, advice)
}
