//! `tps doctor`: what can be wrong, one line each, with what to do about it.

mod advice;
mod directory;
mod entries;
mod library;
mod lock;
#[cfg(feature = "redis")]
mod redis;
mod server;
mod store;
mod token;

use std::process::ExitCode;

use serde_json::{Value, json};
use tps::Error;

use crate::account::Account;
use crate::output::Output;

/// How wide the mark and the first column are.
const LABEL: usize = 18;

/// What one look has found.
pub struct Finding {
    /// What was looked at, in a word or two.
    pub about: &'static str,
    /// Whether it is as it should be; `None`: that cannot be told.
    pub good: Option<bool>,
    /// What was found.
    pub found: String,
    /// What to do; empty: nothing.
    pub advice: String,
}

impl Finding {
    pub fn good(about: &'static str, found: impl Into<String>) -> Self {
        Self { about, good: Some(true), found: found.into(), advice: String::new() }
    }

    pub fn bad(about: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { about, good: Some(false), found: found.into(), advice: advice.into() }
    }

    pub fn unknown(about: &'static str, found: impl Into<String>) -> Self {
        Self { about, good: None, found: found.into(), advice: String::new() }
    }

    fn line(&self) -> String {
        let mark = match self.good {
            Some(true) => "ok  ",
            Some(false) => "BAD ",
            None => "?   ",
        };
        let line = format!("{mark} {:<12} {}", self.about, self.found);
        if self.advice.is_empty() { line } else { format!("{line} -> {}", self.advice) }
    }

    fn json(&self) -> Value {
        let advice = Some(&self.advice).filter(|advice| !advice.is_empty());
        json!({"about": self.about, "good": self.good, "found": self.found, "advice": advice})
    }
}

/// Looks at everything, and prints it.
pub fn examine(account: &Account, output: &Output) -> Result<ExitCode, Error> {
    let mut findings = vec![library::version()];
    findings.extend(server::examine(account));
    let (known, of_store) = store::examine(account);
    findings.extend(of_store);
    if let Some(known) = known {
        findings.extend(token::examine(account, &known));
    }
    tell(&findings, output)
}

/// Settings that cannot be used, so that nothing else can be looked at.
pub fn of_settings(error: &Error) -> Finding {
    let advice = "correct the setting that is named: a credential or --credentials, --options, TPS_BASE_URL, TPS_CACHE, \
                  TPS_CA_FILE, or the proxy's variable";
    Finding::bad("settings", error.to_string(), advice)
}

/// Prints findings. The exit code tells whether something is wrong.
pub fn tell(findings: &[Finding], output: &Output) -> Result<ExitCode, Error> {
    let good = findings.iter().all(|finding| finding.good != Some(false));
    let lines: Vec<_> = findings.iter().map(Finding::line).collect();
    let findings: Vec<_> = findings.iter().map(Finding::json).collect();
    output.say(&json!({"good": good, "findings": findings}), &lines, LABEL)?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
