//! What a person at a terminal is asked, and sees.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};

use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::Pid;

use super::shell::PASSWORD;
use crate::common::{Fault, wait_for};

const ANSWERS: [(&str, &str); 2] = [("User name (e-mail): ", "hari@example.com\n"), ("Organization ID: ", "auhf2k\n")];

/// What the keyboard sends: Ctrl-C, Ctrl-Z, Ctrl-S, which holds up all that is shown, and Ctrl-Q.
const INTERRUPT: &str = "\x03";
const SUSPEND: &str = "\x1a";
const HOLD: &str = "\x13";
const GO_ON: &str = "\x11";

/// A terminal, and a command that has it to itself.
struct Terminal {
    screen: PtyMaster,
    shown: String,
    command: Child,
}

impl Terminal {
    fn with(fault: &Fault, command: &[&str]) -> Self {
        let screen = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let mut its_end = OpenOptions::new();
        its_end.read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits());
        let end = its_end.open(ptsname_r(&screen).unwrap()).unwrap();
        let end = || end.try_clone().unwrap();
        let mut setsid = Command::new("setsid");
        setsid.arg("--ctty").args(command).stdin(end()).stdout(end()).stderr(end());
        setsid.env_clear().env("TPS_BASE_URL", &fault.base_url).env("TPS_CACHE", "memory").env("PS1", "$ ");
        let command = setsid.spawn().unwrap();
        Self { screen, shown: String::new(), command }
    }

    fn of_tps(fault: &Fault) -> Self {
        Self::with(fault, &[env!("CARGO_BIN_EXE_tps"), "token"])
    }

    fn types(&mut self, text: &str) {
        self.screen.write_all(text.as_bytes()).unwrap();
    }

    /// Reads what is shown, until that.
    fn until(&mut self, what: &str) {
        while !self.shown.ends_with(what) {
            let mut byte = [0];
            let read = self.screen.read(&mut byte);
            assert!(matches!(read, Ok(1)), "{read:?}: {}", self.shown);
            self.shown.push(byte[0].into());
        }
    }

    fn answers(&mut self) {
        for (question, answer) in ANSWERS {
            self.until(question);
            self.types(answer);
        }
    }

    /// Whether what is typed is shown.
    fn shows(&self) -> bool {
        tcgetattr(&self.screen).unwrap().local_flags.contains(LocalFlags::ECHO)
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.command.id() as i32), signal).unwrap();
    }

    /// All that is shown until the command has ended well.
    fn end(mut self) -> String {
        let mut byte = [0];
        // The last process at a terminal ends it: `EIO`.
        while let Ok(1) = self.screen.read(&mut byte) {
            self.shown.push(byte[0].into());
        }
        assert!(self.command.wait().unwrap().success(), "{}", self.shown);
        std::mem::take(&mut self.shown)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.command.kill();
    }
}

#[test]
fn credentials_are_asked_for_and_the_password_is_not_shown() {
    let fault = Fault::new("ok");
    let mut terminal = Terminal::of_tps(&fault);
    terminal.answers();
    terminal.until("Password: ");
    terminal.types(&format!("{PASSWORD}\n"));
    let shown = terminal.end();
    assert!(!shown.contains(PASSWORD) && shown.contains("auhf2k"), "{shown}");
    assert!(fault.seen()["log"][0]["body"].as_str().unwrap().contains(PASSWORD));
}

#[test]
fn nothing_typed_is_shown_by_the_time_that_the_password_is_asked_for() {
    let fault = Fault::new("ok");
    let mut terminal = Terminal::of_tps(&fault);
    terminal.until(ANSWERS[0].0);
    terminal.types(ANSWERS[0].1);
    terminal.until(ANSWERS[1].0);
    // The question waits to be shown.
    terminal.types(HOLD);
    terminal.types(ANSWERS[1].1);
    wait_for(|| !terminal.shows());
    terminal.types(&format!("{GO_ON}{PASSWORD}\n"));
    terminal.until("Password: ");
    let shown = terminal.end();
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[test]
fn whatever_ends_it_the_terminal_shows_again_what_is_typed() {
    let fault = Fault::new("ok");
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        let mut terminal = Terminal::of_tps(&fault);
        terminal.answers();
        terminal.until("Password: ");
        wait_for(|| !terminal.shows());
        match signal {
            Signal::SIGINT => terminal.types(INTERRUPT),
            _ => terminal.signal(signal),
        }
        assert_eq!(terminal.command.wait().unwrap().signal(), Some(signal as i32));
        assert!(terminal.shows(), "{signal}");
    }
    assert_eq!(fault.logins(), 0);
}

#[test]
fn it_can_be_stopped_at_the_password_and_go_on() {
    let fault = Fault::new("ok");
    let mut terminal = Terminal::with(&fault, &["sh", "-i"]);
    terminal.until("$ ");
    terminal.types(concat!(env!("CARGO_BIN_EXE_tps"), " token\n"));
    terminal.answers();
    terminal.until("Password: ");
    wait_for(|| !terminal.shows());
    terminal.types(SUSPEND);
    terminal.until("$ ");
    assert!(terminal.shows());
    terminal.types("fg\n");
    wait_for(|| !terminal.shows());
    terminal.types(&format!("{PASSWORD}\n"));
    terminal.until("$ ");
    terminal.types("exit\n");
    let shown = terminal.end();
    assert!(!shown.contains(PASSWORD) && shown.contains("Stopped"), "{shown}");
    assert_eq!(fault.logins(), 1);
}
