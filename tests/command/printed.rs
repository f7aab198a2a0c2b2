//! What it prints, where, and with which exit code.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::shell::Shell;
use crate::common::{Fault, Organization, Scratch, free_port};

#[test]
fn a_cron_job_shares_the_hosts_token() {
    let organization = Organization::new(json!({}));
    let scratch = Scratch::new();
    let running = organization.ask(&scratch.path("store")).now();
    let mut shell = Shell::at(&std::env::var("TPS_TEST_SERVER").unwrap());
    shell.set("TPS_USERNAME", &organization.username).set("TPS_PASSWORD", &organization.password);
    shell.set("TPS_ORGANIZATION_ID", &organization.id);
    shell.set("TPS_CACHE", &format!("file:{}", scratch.path("store").display()));
    let output = shell.run(&["token"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{}\n", running["token"].as_str().unwrap()));
    assert!(output.stderr.is_empty() && output.status.success());
    assert_eq!(organization.count("logins"), 1);
}

#[test]
fn status_tells_what_the_store_knows_and_sends_nothing() {
    let fault = Fault::new("life36000");
    let shell = Shell::to(&fault);
    let (code, before) = shell.text(&["status"]);
    assert!(code == 0 && before.contains("token       none") && before.contains("3 of 3 logins"), "{before}");
    assert!(before.contains("last login  none"), "{before}");
    assert_eq!(fault.requests(), 0);
    let token = shell.token();
    let (_, after) = shell.text(&["status"]);
    assert!(after.contains("expires in 9 h 59 min") && after.contains("2 of 3 logins"), "{after}");
    let report = shell.json(&["status"]);
    assert_eq!(report["token"]["fingerprint"], tps::Secret::new(token.clone()).fingerprint());
    assert!(report["token"]["valid"] == true && !report.to_string().contains(&token));
    assert_eq!(fault.requests(), 1);
    assert_eq!(shell.text(&["logout"]), (0, "logged out\n".to_owned()));
    assert_eq!(fault.asked(), ["login", "logout"]);
}

#[test]
fn status_tells_when_the_last_login_was_by_whom_and_why() {
    let fault = Fault::new("life2");
    let mut shell = Shell::to(&fault);
    shell.by_its_clock();
    let asked = shell.start(&["token"]);
    let process = asked.id();
    assert!(asked.wait_with_output().unwrap().status.success());
    let last = shell.json(&["status"])["last_login"].clone();
    assert_eq!((&last["process"], &last["reason"]), (&json!(process), &json!("first")), "{last}");
    assert!(last["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{last}");
    let line = format!("last login  {}, process {process}: there was no token\n", last["at"].as_str().unwrap());
    assert!(shell.text(&["status"]).1.contains(&line));
    shell.clock("passed", 3);
    shell.token();
    assert!(shell.text(&["status"]).1.contains("the token had expired\n"));
    // What came after it gave no token.
    fault.change("retry-after-seconds70");
    shell.clock("passed", 6);
    assert_eq!(shell.text(&["token"]).0, 4);
    let report = shell.json(&["status"]);
    assert_eq!(
        (&report["last_login"]["reason"], &report["last_attempt"]["kind"]),
        (&json!("ended"), &json!("refused"))
    );
    let (_, text) = shell.text(&["status"]);
    assert!(
        text.contains("the token had expired\n") && text.contains("\nattempt     a login was refused, 20"),
        "{text}"
    );
    assert!(report["hold_off"]["message"].as_str().unwrap().contains("asks to wait"), "{report}");
}

#[test]
fn the_exit_code_is_the_status() {
    for (scenario, code) in [
        ("wrong-password", 2),
        ("limit-403", 3),
        ("retry-after-seconds7", 4),
        ("html502", 8),
        ("html", 9),
        ("lost", 10),
    ] {
        let shell = Shell::to(&Fault::new(scenario));
        let (found, text) = shell.text(&["token"]);
        assert!(found == code && text.starts_with("tps: ") && text.lines().count() == 1, "{scenario}: {found} {text}");
        let (again, json) = shell.text(&["token", "--json"]);
        let error: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((again, error["error"]["status"].as_i64()), (code, Some(code.into())), "{scenario}");
    }
    assert_eq!(Shell::at(&format!("http://127.0.0.1:{}", free_port())).text(&["token"]).0, 5);
    assert_eq!(Shell::to(&Fault::tls("ok")).text(&["token"]).0, 6);
    let mut shell = Shell::to(&Fault::new("ok"));
    assert_eq!(shell.text(&["tokens"]).0, 64);
    assert_eq!(shell.text(&["status"]).0, 0);
    assert_eq!(shell.option("timeout", 5).text(&["token"]).0, 1);
}

#[test]
fn no_lock_in_time_is_the_exit_code_7() {
    let fault = Fault::new("hang");
    let mut shell = Shell::to(&fault);
    let mut first = shell.start(&["token"]);
    crate::common::wait_for(|| fault.logins() == 1);
    let (code, text) = shell.option("timeout_ms", 700).text(&["token"]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(code, 7, "{text}");
}

/// Each status of the library has a line in `--help`, and there is no other number but that of a wrong usage.
#[test]
fn help_lists_the_exit_codes_in_80_columns() {
    let shell = Shell::to(&Fault::new("ok"));
    let (code, help) = shell.text(&["--help"]);
    let (_, list) = help.split_once("Exit codes:\n").unwrap();
    let numbers: Vec<i32> = list.lines().map_while(|line| line.split_ascii_whitespace().next()?.parse().ok()).collect();
    let statuses = (0..100).filter(|number| *number == 0 || tps::Status::from_number(*number).is_some());
    assert_eq!((code, numbers), (0, statuses.chain([64]).collect()));
    for arguments in [vec!["--help"], vec!["token", "--help"], vec!["doctor", "--help"], vec!["tokens"]] {
        let (_, text) = shell.text(&arguments);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

/// What a terminal gets, by `script`.
fn at_a_terminal(shell: &Shell, variables: &str, arguments: &str) -> String {
    let line = format!("script -qec \"env TERM=xterm {variables} $tps {arguments}\" /dev/null </dev/null || true");
    shell.bash(&line)
}

#[test]
fn a_terminal_gets_lines_of_80_columns_and_a_pipe_whole_ones() {
    let mut shell = Shell::to(&Fault::tls("ok"));
    shell
        .set("TPS_CACHE", "memory")
        .set("SSL_CERT_FILE", "/nonexistent/and/a/long/name/for/a/file/of/certificates.pem");
    let (_, whole) = shell.text(&["doctor"]);
    assert!(whole.lines().any(|line| line.chars().count() > 100), "{whole}");
    let shown = at_a_terminal(&shell, "", "doctor").replace('\r', "");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let words = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&shown), words(&whole));
    assert!(shown.lines().any(|line| line.starts_with(&" ".repeat(18))), "{shown}");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let shell = Shell::to(&Fault::new("ok"));
    let escaped = |text: &str| text.contains('\u{1b}');
    assert!(escaped(&at_a_terminal(&shell, "", "--help")));
    for arguments in ["--help", "tokens", "doctor", "status", "token --help"] {
        assert!(!escaped(&at_a_terminal(&shell, "NO_COLOR=1", arguments)), "{arguments}");
        assert!(!escaped(&shell.bash(&format!("$tps {arguments} 2>&1 | cat"))), "{arguments}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure_and_a_full_disk_is_one() {
    let shell = Shell::to(&Fault::new("ok"));
    shell.token();
    for arguments in ["token", "status", "doctor", "status --json", "--help"] {
        let said = shell.bash(&format!("{{ sleep 0.2; $tps {arguments}; echo \"code $?\" >&2; }} | true"));
        assert_eq!(said, "code 0\n", "{arguments}");
    }
    let said = shell.bash("$tps token >/dev/full; echo code $?");
    assert!(said.contains("code 1\n") && said.contains("No space left"), "{said}");
}

#[test]
fn completions_and_a_man_page_are_made() {
    let shell = Shell::to(&Fault::new("ok"));
    let directory = shell.scratch.path("made");
    assert_eq!(shell.text(&["generate", directory.to_str().unwrap()]), (0, String::new()));
    let made = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
    for name in ["tps.bash", "_tps", "tps.fish", "tps.1"] {
        for word in ["token", "status", "doctor", "logout", "credentials", "json", "options"] {
            assert!(made(name).contains(word), "{name}: {word}");
        }
    }
    // The shell takes them, and offers the commands.
    let script = format!(
        "source {}; COMP_WORDS=(tps do); COMP_CWORD=1; _tps tps do tps; echo \"${{COMPREPLY[@]}}\"",
        directory.join("tps.bash").display()
    );
    let offered = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&offered.stdout), "doctor\n", "{offered:?}");
    assert!(made("tps.1").contains(".TH tps 1") && made("tps.1").contains("the login budget is used up"));
    assert!(shell.text(&["generate", "/proc/nothing"]).1.contains("cannot be written"));
}
