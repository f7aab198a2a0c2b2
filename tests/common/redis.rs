//! Real servers of a test's own: redis-server, or valkey-server where `TPS_TEST_REDIS` is `valkey` or only that is there.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::child::{Ask, Asker};
use super::{Organization, Scratch, free_port, preloaded};

/// The server's clock is as many seconds ahead as the file has bytes.
const CLOCK: &str = r#"
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stdlib.h>
    #include <sys/stat.h>
    #include <sys/time.h>

    int gettimeofday(struct timeval *time, void *zone) {
        int (*real)(struct timeval *, void *) = (int (*)(struct timeval *, void *))dlsym(RTLD_NEXT, "gettimeofday");
        struct stat ahead;
        int result = real(time, zone);
        if (stat(getenv("TPS_TEST_AHEAD"), &ahead) == 0) {
            time->tv_sec += ahead.st_size;
        }
        return result;
    }
"#;

/// `redis` or `valkey`.
fn kind() -> String {
    std::env::var("TPS_TEST_REDIS").unwrap_or_else(|_| {
        let there = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
        if !there("redis-server") && there("valkey-server") { "valkey" } else { "redis" }.to_owned()
    })
}

/// A server of one test's own.
pub struct Redis {
    pub process: Child,
    pub port: u16,
    pub scratch: Scratch,
    /// What makes its clock; `None`: the system's.
    clock: Option<PathBuf>,
    /// Its settings, which it may change.
    file: Option<PathBuf>,
}

impl Redis {
    pub fn start(settings: &[&str]) -> Self {
        Self::started(settings, |_| None, None)
    }

    /// One whose clock can be set forward.
    pub fn with_clock() -> Self {
        Self::started(&[], |scratch| Some(preloaded(&scratch.path("redis"), CLOCK)), None)
    }

    /// With a file of settings, which it may change.
    pub fn by_file(file: &Path, settings: &[&str]) -> Self {
        Self::started(settings, |_| None, Some(file.to_owned()))
    }

    fn started(settings: &[&str], clock: impl FnOnce(&Scratch) -> Option<PathBuf>, file: Option<PathBuf>) -> Self {
        let scratch = Scratch::new();
        fs::create_dir(scratch.path("redis")).unwrap();
        let clock = clock(&scratch);
        let mut redis = Self { process: Command::new("true").spawn().unwrap(), port: 0, scratch, clock, file };
        redis.process.wait().unwrap();
        redis.port = free_port();
        redis.again(settings);
        redis
    }

    /// Starts it, without what it held before.
    pub fn again(&mut self, settings: &[&str]) {
        let directory = self.scratch.path("redis");
        let kind = kind();
        self.process = Command::new(format!("{kind}-server"))
            .args(&self.file)
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(&directory)
            .args(["--unixsocket", "socket", "--unixsocketperm", "700"])
            .args(settings)
            .envs(self.clock.iter().map(|clock| ("LD_PRELOAD", clock)))
            .env("TPS_TEST_AHEAD", self.scratch.path("ahead"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|_| panic!("apt-get install {kind}-server"));
        let start = Instant::now();
        while !directory.join("socket").exists() || !self.said(&["PING"]).contains("PONG") {
            assert!(self.process.try_wait().unwrap().is_none(), "it has ended");
            assert!(start.elapsed() < Duration::from_secs(60), "it does not listen");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sets its clock so many seconds ahead.
    pub fn set_ahead(&self, seconds: u64) {
        fs::File::create(self.scratch.path("ahead")).unwrap().set_len(seconds).unwrap();
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What the command-line client says.
    pub fn said(&self, command: &[&str]) -> String {
        let socket = self.scratch.path("redis").join("socket");
        let output = Command::new(format!("{}-cli", kind()))
            .arg("-s")
            .arg(socket)
            .args(["--user", "default", "--pass", "s3s@me", "--no-auth-warning"])
            .args(command)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id() as i32), signal).unwrap();
    }

    pub fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(self.scratch.path("redis").join("socket"));
    }

    /// A process of a host, which asks for the organization's token.
    pub fn on_host(&self, host: &str, organization: &Organization) -> Ask {
        self.placed(host, organization.ask_with(&organization.password, json!({"cache": self.url()})))
    }

    pub fn placed(&self, host: &str, ask: Ask) -> Ask {
        ask.environment("XDG_STATE_HOME", self.scratch.path(host))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.end();
    }
}

/// All ask at once; their answers.
pub fn at_once(asks: &[Ask]) -> Vec<Value> {
    let mut askers: Vec<_> = asks.iter().map(Ask::start).collect();
    askers.iter_mut().for_each(Asker::go);
    askers.iter_mut().map(Asker::answer).collect()
}

pub fn all_have_the_same(answers: &[Value]) -> String {
    let first = answers[0]["token"].as_str().unwrap_or_else(|| panic!("{}", answers[0]));
    assert!(answers.iter().all(|answer| answer["token"] == first), "{answers:?}");
    first.to_owned()
}

/// Why the store is not as good as it should be, of an answer with a token.
pub fn trouble(answer: &Value) -> String {
    assert!(answer["token"].is_string(), "{answer}");
    answer["stats"]["store"]["why_not"].as_str().unwrap_or_default().to_owned()
}
