//! Other processes: this test program again, told by its environment to ask for a token and print what it got.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tps::process::clock::Clock;
use tps::{Client, Credentials, Options};

use super::{Ahead, Hands, Scratch};

/// What a child is told, as JSON.
const TOLD: &str = "TPS_TEST_CHILD";

/// The body of the test `child` that each program with children has: nothing, unless it runs in a child.
pub fn run() {
    let Ok(told) = std::env::var(TOLD) else { return };
    let told: Value = serde_json::from_str(&told).unwrap();
    let text = |key: &str| told[key].as_str().unwrap().to_owned();
    let credentials = Credentials::new(text("username"), text("password"), text("organization")).unwrap();
    let options = Options::parse(Some(&told["options"].to_string())).unwrap();
    let hands = Hands::new();
    let clock: Arc<dyn Clock> = match told["failures"].as_u64() {
        Some(_) => hands.clone(),
        None => Arc::new(Ahead(Duration::from_secs(told["ahead"].as_u64().unwrap_or(0)))),
    };
    let client = Client::with_clock(credentials, options, clock);
    say(json!("ready"));
    // A test may let this very call fail.
    let _ = std::io::stdin().read_line(&mut String::new());
    if let Some(failures) = told["failures"].as_u64() {
        return say(fail(&client, &hands, failures));
    }
    for _ in 1..told["calls"].as_u64().unwrap_or(1) {
        let _ = client.token();
    }
    if let Some(time) = told["hammer"].as_f64() {
        return say(hammer(&client, Duration::from_secs_f64(time)));
    }
    if told["serve"] == true {
        return serve(&client, &told["options"]);
    }
    if told["reject"] == true {
        // With a token that everybody has, until the word comes that it is dead.
        let token = client.token().unwrap();
        say(json!({"token": token.value.expose()}));
        std::io::stdin().read_line(&mut String::new()).unwrap();
        client.invalidate(token.value.expose()).unwrap();
    }
    if let Some(user) = told["drop_to"].as_u64() {
        // As a server does that is started by root: with its first token, then as another user.
        let token = client.token().unwrap();
        let stats: Value = serde_json::from_str(&client.stats()).unwrap();
        say(json!({"token": token.value.expose(), "stats": stats}));
        std::io::stdin().read_line(&mut String::new()).unwrap();
        nix::unistd::setgid((user as u32).into()).unwrap();
        nix::unistd::setuid((user as u32).into()).unwrap();
        client.invalidate(token.value.expose()).unwrap();
    }
    if let Some(times) = told["times"].as_u64() {
        return (0..times).for_each(|number| ask_again(&client, number));
    }
    loop {
        let token = client.token().map(|token| token.value.expose().to_owned());
        let stats: Value = serde_json::from_str(&client.stats()).unwrap();
        match &token {
            Ok(token) => say(json!({"token": token, "stats": stats})),
            Err(error) => say(json!({"error": error.message, "status": error.status as i32,
                                   "retry_after": error.retry_after.as_secs_f64(), "stats": stats})),
        }
        match token {
            Ok(_) if told["logout"] == true => {
                let error = client.logout().err();
                say(json!({"logged_out": error.is_none(), "error": error.map(|error| error.message)}));
                break;
            }
            // For ever: a writer, to be killed.
            Ok(token) if told["again"] == true => client.invalidate(&token).unwrap(),
            _ => break,
        }
    }
}

/// Another token: how long it took, and how many threads there are afterwards.
fn ask_again(client: &Client, number: u64) {
    if number > 0 {
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }
    let start = Instant::now();
    let token = client.token();
    let took = start.elapsed().as_secs_f64();
    // A lookup's thread may be about to end.
    std::thread::sleep(Duration::from_millis(300));
    let threads = std::fs::read_dir("/proc/self/task").unwrap().count();
    let stats: Value = serde_json::from_str(&client.stats()).unwrap();
    let text = token.as_ref().map(|token| token.value.expose().to_owned()).ok();
    say(
        json!({"token": text, "error": token.err().map(|error| error.message), "took": took, "threads": threads, "stats": stats}),
    );
    if let Some(text) = text {
        client.invalidate(&text).unwrap();
    }
}

/// Uses tokens, as a worker does, until the input ends; a token that the server rejects is reported. Says what each call
/// came to that took longer than its time, and at last how many calls there were.
fn serve(client: &Client, options: &Value) {
    let (ended, end) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        drop(ended);
    });
    let server = format!("{}/api/v1/organizations/", options["base_url"].as_str().unwrap());
    let http = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(5)));
    let http = http.build().new_agent();
    let longest = Duration::from_millis(options["timeout_ms"].as_u64().unwrap() + 1500);
    let (mut calls, mut late) = (0, Vec::new());
    let mut last = client.token();
    while end.recv_timeout(Duration::from_millis(200)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
        let start = Instant::now();
        last = client.token();
        let took = start.elapsed();
        calls += 1;
        if took > longest {
            late.push(json!([took.as_secs_f64(), last.as_ref().err().map(|error| error.message.clone())]));
        }
        let Ok(token) = &last else { continue };
        let token = token.value.expose();
        let used = http.get(&server).header("Authorization", format!("Token {token}")).call();
        if used.is_ok_and(|answer| answer.status() == 401) {
            client.invalidate(token).unwrap();
        }
    }
    let stats: Value = serde_json::from_str(&client.stats()).unwrap();
    let (token, error) = (last.as_ref().ok().map(|token| token.value.expose()), last.as_ref().err());
    say(json!({"token": token, "error": error.map(|error| error.message.clone()),
               "status": error.map(|error| error.status as i32), "calls": calls, "late": late, "stats": stats}));
}

/// Thirteen threads that ask for so long: the tokens in the order of their appearance, errors, and the slowest call after
/// the first.
fn hammer(client: &Client, time: Duration) -> Value {
    let (tokens, errors) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let slowest = Mutex::new(0.0_f64);
    let _ = client.token();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..13 {
            scope.spawn(|| {
                while start.elapsed() < time {
                    let called = Instant::now();
                    let given = client.token();
                    let took = called.elapsed().as_secs_f64();
                    match given {
                        Ok(token) => {
                            let text = token.value.expose().to_owned();
                            let mut tokens = tokens.lock().unwrap();
                            if !tokens.contains(&text) {
                                tokens.push(text);
                            }
                        }
                        Err(error) => errors.lock().unwrap().push(error.message),
                    }
                    let mut slowest = slowest.lock().unwrap();
                    *slowest = slowest.max(took);
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        }
    });
    json!({"tokens": *tokens.lock().unwrap(), "errors": *errors.lock().unwrap(), "slowest": *slowest.lock().unwrap()})
}

/// So many failed logins: how many descriptors, threads and kilobytes the process has after some and after all of them.
fn fail(client: &Client, hands: &Hands, failures: u64) -> Value {
    // The least of some looks: a login's thread may be about to end.
    let count = |what: &str| {
        let look = |_| {
            std::thread::sleep(Duration::from_millis(10));
            std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count()
        };
        (0..50).map(look).min()
    };
    let has = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        json!([count("fd"), count("task"), memory.trim().trim_end_matches(" kB").parse::<u64>().unwrap()])
    };
    let mut early = Value::Null;
    for number in 0..failures {
        assert!(client.token().is_err());
        hands.pass(Duration::from_secs(3601));
        if number == failures / 10 {
            early = has();
        }
    }
    json!({"early": early, "late": has()})
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
    _copied: Option<Scratch>,
}

/// Whom to ask for, and how.
#[derive(Clone)]
pub struct Ask {
    pub told: Value,
    pub environment: Vec<(String, String)>,
    pub user: Option<u32>,
    /// Shell commands before it starts.
    pub before: &'static str,
    /// A command that runs the shell.
    pub inside: &'static [&'static str],
}

impl Ask {
    pub fn new(username: &str, password: &str, organization: &str, options: Value) -> Self {
        let told =
            json!({"username": username, "password": password, "organization": organization, "options": options});
        Self { told, environment: Vec::new(), user: None, before: "", inside: &[] }
    }

    pub fn environment(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.environment.push((name.to_owned(), value.as_ref().display().to_string()));
        self
    }

    /// With both clocks so many seconds ahead: as if so much time had passed.
    pub fn ahead(&self, seconds: u64) -> Self {
        let mut ask = self.clone();
        ask.told["ahead"] = json!(seconds);
        ask
    }

    /// Runs it by another command.
    pub fn inside(mut self, command: &'static [&'static str]) -> Self {
        self.inside = command;
        self
    }

    pub fn start(&self) -> Asker {
        let mut program = std::env::current_exe().unwrap();
        // Where another user can run it too, wherever the repository is.
        let copied = self.user.map(|_| Scratch::new());
        if let Some(scratch) = &copied {
            // By another process: a file that this one has open for writing, and so its children, nobody can run.
            assert!(Command::new("cp").arg(&program).arg(scratch.path("program")).status().unwrap().success());
            program = scratch.path("program");
        }
        let mut shell = self.inside.iter().chain(&["/bin/sh"]);
        let mut command = Command::new(shell.next().unwrap());
        command
            .args(shell)
            .args(["-c", &format!("{} exec \"$@\"", self.before), "sh"])
            .arg(program)
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
        let mut asker = Asker { child, output, _copied: copied };
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
        // One that has died gives no answer.
        let _ = self.child.stdin.as_mut().unwrap().write_all(b"\n");
    }

    /// Tells one that serves to end.
    pub fn end(&mut self) {
        drop(self.child.stdin.take());
    }

    /// What it got.
    pub fn answer(&mut self) -> Value {
        let answer = self.line();
        assert!(answer.is_object(), "{answer}");
        answer
    }

    /// Whether it has ended. What it said can be read all the same.
    pub fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Whether it has been stopped by a signal.
    pub fn stopped(&self) -> bool {
        std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap().contains(") T ")
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What it got, if it did within this time; then it is killed.
    pub fn last(&mut self, time: Duration) -> Option<Value> {
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let process = nix::unistd::Pid::from_raw(self.child.id() as i32);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                if wait.recv_timeout(time) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                    let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGKILL);
                }
            });
            let answer = self.next_line();
            drop(done);
            answer
        })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn line(&mut self) -> Value {
        self.next_line().expect("the child ended")
    }

    /// `None`: it ended.
    fn next_line(&mut self) -> Option<Value> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.output.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some(value) = line.strip_prefix('#') {
                return Some(serde_json::from_str(value).unwrap());
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
