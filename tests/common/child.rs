//! Other processes: this test program again, told by its environment to ask for a token and print what it got.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tps::{Client, Credentials, Options};

/// What a child is told, as JSON.
const TOLD: &str = "TPS_TEST_CHILD";

/// The body of the test `child` that each program with children has: nothing, unless it runs in a child.
pub fn run() {
    let Ok(told) = std::env::var(TOLD) else { return };
    let told: Value = serde_json::from_str(&told).unwrap();
    let text = |key: &str| told[key].as_str().unwrap().to_owned();
    let credentials = Credentials::new(text("username"), text("password"), text("organization")).unwrap();
    let client = Client::new(credentials, Options::parse(Some(&told["options"].to_string())).unwrap());
    say(json!("ready"));
    std::io::stdin().read_line(&mut String::new()).unwrap();
    loop {
        let token = client.token().map(|token| token.value.expose().to_owned());
        let stats: Value = serde_json::from_str(&client.stats()).unwrap();
        match &token {
            Ok(token) => say(json!({"token": token, "stats": stats})),
            Err(error) => say(json!({"error": error.message, "status": error.status as i32, "stats": stats})),
        }
        match token {
            // For ever: a writer, to be killed.
            Ok(token) if told["again"] == true => client.invalidate(&token).unwrap(),
            _ => break,
        }
    }
}

/// A line of its own, whatever the test harness has on the line.
fn say(value: Value) {
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "\n#{value}\n").unwrap();
    stdout.flush().unwrap();
}

/// A child that has been told everything and waits for the word.
pub struct Asker {
    child: Child,
    output: BufReader<ChildStdout>,
}

/// Whom to ask for, and how.
#[derive(Clone)]
pub struct Ask {
    pub told: Value,
    pub environment: Vec<(String, String)>,
    pub user: Option<u32>,
    /// Shell commands before it starts.
    pub before: &'static str,
}

impl Ask {
    pub fn new(username: &str, password: &str, organization: &str, options: Value) -> Self {
        let told =
            json!({"username": username, "password": password, "organization": organization, "options": options});
        Self { told, environment: Vec::new(), user: None, before: "" }
    }

    pub fn environment(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.environment.push((name.to_owned(), value.as_ref().display().to_string()));
        self
    }

    pub fn start(&self) -> Asker {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &format!("{} exec \"$@\"", self.before), "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(TOLD, self.told.to_string())
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        if let Some(user) = self.user {
            command.uid(user).gid(user).current_dir("/");
        }
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut asker = Asker { child, output };
        assert_eq!(asker.line(), "ready");
        asker
    }

    /// Start, ask, and wait for the answer.
    pub fn now(&self) -> Value {
        let mut asker = self.start();
        asker.go();
        asker.answer()
    }
}

impl Asker {
    /// Lets it ask.
    pub fn go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// What it got.
    pub fn answer(&mut self) -> Value {
        let answer = self.line();
        assert!(answer.is_object(), "{answer}");
        answer
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the child ended");
            if let Some(value) = line.strip_prefix('#') {
                return serde_json::from_str(value).unwrap();
            }
        }
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
