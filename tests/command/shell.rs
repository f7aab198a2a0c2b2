//! A shell in which `tps` is typed, and what is held against all that it prints.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::common::{Fault, Scratch, preloaded, wait_for};

pub const PASSWORD: &str = "s3same-open";

/// What nobody may read: passwords of these tests, right and wrong ones.
const SECRETS: [&str; 4] = [PASSWORD, "wr0ng", "s3s@me", "s3s%40me"];

/// Makes the clock go wrong by as many seconds as the file `wrong` has bytes, and time pass by the bytes of `passed`.
const CLOCK: &str = r#"
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stdlib.h>
    #include <sys/stat.h>
    #include <time.h>

    static long size(const char *variable) {
        struct stat file;
        const char *path = getenv(variable);
        return path && stat(path, &file) == 0 ? file.st_size : 0;
    }

    int clock_gettime(clockid_t clock, struct timespec *time) {
        int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
        int result = real(clock, time);
        if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME)) {
            time->tv_sec += size("CLOCK_PASSED") + (clock == CLOCK_REALTIME ? size("CLOCK_WRONG") : 0);
        }
        return result;
    }
"#;

/// A shell of its own, without a home and a terminal, as cron's.
pub struct Shell {
    pub scratch: Scratch,
    variables: Vec<(String, String)>,
    /// The option `--options`.
    options: Value,
    /// Commands that come first, in mounts that end with them.
    pub before: String,
}

impl Shell {
    pub fn at(base_url: &str) -> Self {
        let scratch = Scratch::new();
        let store = format!("file:{}", scratch.path("store").display());
        let variables = [
            ("TPS_USERNAME", "hari@example.com"),
            ("TPS_PASSWORD", PASSWORD),
            ("TPS_ORGANIZATION_ID", "auhf2k"),
            ("TPS_BASE_URL", base_url),
            ("TPS_CACHE", &store),
            ("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { scratch, variables, options: json!({}), before: String::new() }
    }

    pub fn to(fault: &Fault) -> Self {
        Self::at(&fault.base_url)
    }

    /// To a server over TLS, whose authority is trusted.
    pub fn trusting(fault: &Fault) -> Self {
        let mut shell = Self::to(fault);
        shell.set("TPS_CA_FILE", &std::env::var("TPS_TEST_CA").unwrap());
        shell
    }

    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.unset(name).variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    pub fn option(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.options[name] = value.into();
        self
    }

    pub fn store(&self) -> PathBuf {
        self.scratch.path("store")
    }

    /// By a clock of its own.
    pub fn by_its_clock(&mut self) -> &mut Self {
        let library = preloaded(&self.scratch.path(""), CLOCK).display().to_string();
        let file = |name| self.scratch.path(name).display().to_string();
        let (wrong, passed) = (file("wrong"), file("passed"));
        self.set("LD_PRELOAD", &library).set("CLOCK_WRONG", &wrong).set("CLOCK_PASSED", &passed)
    }

    /// So many seconds of `wrong` or `passed`.
    pub fn clock(&self, what: &str, seconds: u64) {
        fs::File::create(self.scratch.path(what)).unwrap().set_len(seconds).unwrap();
    }

    fn command(&self, program: &[&str], arguments: &[&str]) -> Command {
        let script = format!("{} exec \"$@\"", self.before);
        // Mounts of a test's own end with it.
        let namespace: &[&str] =
            if self.before.is_empty() { &["--"] } else { &["-m", "--propagation", "private", "--"] };
        let mut command = Command::new("unshare");
        command.args(namespace).args(["bash", "-c", &script, "bash"]).args(program).args(arguments);
        if !self.options.as_object().unwrap().is_empty() {
            command.args(["--options", &self.options.to_string()]);
        }
        command.env_clear().envs(self.variables.iter().cloned()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(&[env!("CARGO_BIN_EXE_tps")], arguments).output().unwrap()
    }

    /// Runs `tps` and leaves it to itself.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(&[env!("CARGO_BIN_EXE_tps")], arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A `tps token` that has stopped in its login and keeps the store's lock, while the server serves others again.
    pub fn stopped_in_a_login(&self, fault: &Fault) -> (Child, Pid) {
        let stopped = self.start(&["token"]);
        wait_for(|| fault.logins() == 1);
        let process = Pid::from_raw(stopped.id() as i32);
        kill(process, Signal::SIGSTOP).unwrap();
        fault.change("ok");
        (stopped, process)
    }

    /// A line of bash in which `$tps` is the command; what it prints.
    pub fn bash(&self, line: &str) -> String {
        let line = format!("tps={}; {line}", env!("CARGO_BIN_EXE_tps"));
        let output = self.command(&["bash", "-c"], &[&line]).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    /// The exit code and what was printed, in which there is no secret.
    pub fn text(&self, arguments: &[&str]) -> (i32, String) {
        let (code, text) = self.text_with_token(arguments);
        for secret in SECRETS {
            assert!(!text.contains(secret), "{text}");
        }
        let words = text.split(|letter: char| !letter.is_ascii_hexdigit());
        assert!(words.into_iter().all(|word| word.len() < 64), "a token: {text}");
        (code, text)
    }

    pub fn text_with_token(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    }

    pub fn token(&self) -> String {
        let (code, text) = self.text_with_token(&["token"]);
        assert_eq!(code, 0, "{text}");
        text.trim_end().to_owned()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let (_, text) = self.text(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
    }

    /// The findings of `tps doctor`, whose forms show the same faults. `expected`: what is looked for.
    pub fn doctor(&self, expected: &[&str]) -> Vec<Value> {
        let is_late = |text: &str| text.contains("in time") && !expected.iter().any(|words| words.contains("in time"));
        let runs = || (self.text(&["doctor"]), self.text(&["doctor", "--json"]));
        let mut found = runs();
        // A machine that is busy with other tests may be late itself.
        for _ in 0..5 {
            if is_late(&found.0.1) || is_late(&found.1.1) {
                found = runs();
            }
        }
        let ((same, lines), (code, json)) = found;
        let report: Value = serde_json::from_str(&json).unwrap_or_else(|_| panic!("{json}"));
        assert_eq!((code, same), if report["good"] == true { (0, 0) } else { (1, 1) }, "{json}\n{lines}");
        let findings = report["findings"].as_array().unwrap().clone();
        assert!(findings.iter().all(|it| (it["good"] == false) == it["advice"].is_string()), "{json}");
        let bad_lines = lines.lines().filter_map(|line| line.strip_prefix("BAD  ")?.split(' ').next());
        let bad = findings.iter().filter(|it| it["good"] == false).map(|it| it["about"].as_str().unwrap());
        assert_eq!(bad_lines.collect::<Vec<_>>(), bad.collect::<Vec<_>>(), "{lines}");
        assert!(lines.lines().all(|line| ["ok   ", "BAD  ", "?    "].contains(&&line[..5])), "one line each: {lines}");
        findings
    }

    /// The finding about this.
    pub fn finding(&self, about: &str) -> Value {
        self.doctor(&[]).into_iter().find(|finding| finding["about"] == about).unwrap()
    }

    /// The only thing that is wrong, with what is said of it; its advice.
    pub fn wrong(&self, about: &str, words: &[&str]) -> String {
        self.wrong_besides(&[], about, words)
    }

    /// The same where the test's own set-up makes something else wrong.
    pub fn wrong_besides(&self, besides: &[&str], about: &str, words: &[&str]) -> String {
        let findings = self.doctor(words);
        let bad: Vec<_> = findings
            .iter()
            .filter(|it| it["good"] == false && !besides.contains(&it["about"].as_str().unwrap()))
            .collect();
        assert!(bad.len() == 1 && bad[0]["about"] == about, "{about}: {bad:#?}");
        let (found, advice) = (bad[0]["found"].as_str().unwrap(), bad[0]["advice"].as_str().unwrap());
        let said = format!("{found} -> {advice}");
        for word in words {
            assert!(said.contains(word), "{about}: {word:?} is missing: {said}");
        }
        advice.to_owned()
    }

    pub fn well(&self, why: &str) {
        self.well_besides(&[], why);
    }

    pub fn well_besides(&self, besides: &[&str], why: &str) {
        let bad: Vec<_> = self.doctor(&[]).into_iter().filter(|it| it["good"] == false).collect();
        assert!(bad.iter().all(|it| besides.contains(&it["about"].as_str().unwrap())), "{why}: {bad:#?}");
    }
}

/// Types the command of an advice that begins with this word, unchanged.
pub fn typed(advice: &str, first: &str) {
    let (_, rest) = advice.split_once(&format!("{first} ")).unwrap_or_else(|| panic!("{first}: {advice}"));
    let command = format!("{first} {}", rest.split(';').next().unwrap());
    let done = Command::new("bash").args(["-c", &command]).output().unwrap();
    assert!(done.status.success(), "{command}: {done:?}");
}

/// The seconds of a time in words.
pub fn seconds(advice: &str) -> u64 {
    let words: Vec<_> = advice.split([' ', ';', ',', ':']).collect();
    let amount = |unit: &str| {
        let at = words.iter().position(|word| *word == unit);
        at.map_or(0, |at| words[at - 1].parse::<u64>().unwrap())
    };
    amount("s") + 60 * amount("min")
}
