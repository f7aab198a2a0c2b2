//! Where the credentials come from.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::shell::{PASSWORD, Shell};
use crate::common::Fault;

/// A file of credentials with this text and mode.
fn file(shell: &Shell, text: &str, mode: u32) -> String {
    let file = shell.scratch.path("credentials");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    file.display().to_string()
}

fn without_environment(fault: &Fault) -> Shell {
    let mut shell = Shell::to(fault);
    shell.unset("TPS_PASSWORD").unset("TPS_USERNAME").unset("TPS_ORGANIZATION_ID");
    shell
}

#[test]
fn all_come_from_the_environment_or_none() {
    let fault = Fault::new("ok");
    let mut shell = Shell::to(&fault);
    shell.unset("TPS_PASSWORD");
    let (code, text) = shell.text(&["token"]);
    assert!(code == 1 && text.contains("TPS_PASSWORD is missing in the environment"), "{text}");
    let (code, text) = without_environment(&fault).text(&["token"]);
    assert!(code == 1 && text.contains("--credentials"), "{text}");
    assert_eq!(fault.requests(), 0);
}

#[test]
fn a_file_is_read_that_others_cannot_read() {
    let fault = Fault::new("ok");
    let shell = without_environment(&fault);
    let text = format!(
        "# ours\n\nTPS_USERNAME=hari@example.com\nTPS_PASSWORD='{PASSWORD}'\n TPS_ORGANIZATION_ID = \"auhf2k\"\n"
    );
    for mode in [0o644, 0o640, 0o604, 0o660, 0o602] {
        let (code, said) = shell.text(&["token", "--credentials", &file(&shell, &text, mode)]);
        assert!(code == 1 && said.contains("others can read it; chmod 600 it"), "{mode:o}: {said}");
    }
    for mode in [0o600, 0o400] {
        let _ = fs::remove_file(shell.scratch.path("credentials"));
        assert_eq!(shell.text_with_token(&["token", "--credentials", &file(&shell, &text, mode)]).0, 0, "{mode:o}");
    }
    let log = fault.seen()["log"][0]["body"].as_str().unwrap().to_owned();
    assert!(log.contains(PASSWORD) && log.contains("hari@example.com") && log.contains("auhf2k"), "{log}");
    assert_eq!(fault.logins(), 1);
}

#[test]
fn a_file_that_is_wrong_is_told_by_its_line_and_not_shown() {
    let shell = without_environment(&Fault::new("ok"));
    let said = |text: &str| {
        let _ = fs::remove_file(shell.scratch.path("credentials"));
        let (code, said) = shell.text(&["token", "--credentials", &file(&shell, text, 0o600)]);
        assert_eq!(code, 1, "{said}");
        said
    };
    assert!(said("# ours\n\nTPS_USERNAME=hari\n s3same-open\n").contains("line 4 is not NAME=VALUE"));
    assert!(said("TPS_PASSWORDS=s3same-open\n").contains("line 1 is not NAME=VALUE"));
    assert!(said("TPS_PASSWORD=s3same-open\n").contains("TPS_USERNAME is missing"));
    let there_is_none = shell.text(&["token", "--credentials", "/nonexistent"]);
    assert!(there_is_none.0 == 1 && there_is_none.1.contains("/nonexistent: cannot be read"), "{there_is_none:?}");
    let pipe = shell.scratch.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert!(shell.text(&["token", "--credentials", pipe.to_str().unwrap()]).1.contains("is not a file"));
}

#[test]
fn no_argument_takes_a_secret() {
    let (_, help) = Shell::to(&Fault::new("ok")).text(&["token", "--help"]);
    assert!(!help.contains("--password") && !help.contains("--username") && !help.contains("--token"), "{help}");
}
