//! What keeps a token from being had: hold-offs, the login budget.

use super::shell::{Shell, seconds};
use crate::common::Fault;

/// Lets so much time pass, for the server too.
fn pass(shell: &Shell, fault: &Fault, time: u64) {
    shell.clock("passed", time);
    fault.change(&format!("organizations-dated{time}"));
}

#[test]
fn a_password_that_is_wrong() {
    let fault = Fault::new("wrong-password");
    let mut shell = Shell::to(&fault);
    shell.set("TPS_PASSWORD", "").wrong("settings", &["TPS_PASSWORD is missing", "correct the setting"]);
    shell.set("TPS_PASSWORD", "wr0ng").text(&["token"]);
    shell.wrong("hold-off", &["refuses the credentials", "correct the credentials"]);
    fault.change("ok");
    shell.set("TPS_PASSWORD", super::shell::PASSWORD).token();
    shell.well("the right one");
}

#[test]
fn hold_offs_that_end() {
    for (scenario, words) in
        [("limit-403", ["as many tokens as it may", "log out"]), ("retry-after-seconds700", ["asks to wait", "wait "])]
    {
        let fault = Fault::new(scenario);
        let mut shell = Shell::to(&fault);
        shell.by_its_clock().text(&["token"]);
        let advice = shell.wrong("hold-off", &words);
        pass(&shell, &fault, seconds(&advice));
        shell.well(scenario);
        shell.token();
        shell.well("and there is a token");
    }
}

#[test]
fn a_budget_that_is_used_up() {
    let fault = Fault::new("ok");
    let mut shell = Shell::to(&fault);
    shell.by_its_clock();
    for _ in 0..3 {
        shell.token();
        assert_eq!(shell.text(&["logout"]).0, 0);
    }
    let advice = shell.wrong("budget", &["0 of 3 logins", "wait ", "tps status"]);
    assert_eq!(shell.text(&["token"]).0, 11);
    // Either of what it says: for once, or by waiting.
    let lifted = advice.split('\'').nth(1).unwrap();
    assert_eq!(shell.text_with_token(&["token", "--options", lifted]).0, 0);
    assert_eq!(shell.text(&["logout"]).0, 0);
    let advice = shell.wrong("budget", &["0 of 3 logins", "wait "]);
    pass(&shell, &fault, seconds(&advice));
    shell.well("the time has passed");
    shell.token();
}
