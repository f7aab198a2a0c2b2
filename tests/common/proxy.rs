//! Proxies of the tests' own.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Scratch, free_port};

/// A proxy of one test's own.
pub struct Proxy {
    process: Child,
    port: u16,
    log: PathBuf,
    _scratch: Scratch,
}

impl Proxy {
    /// With these further lines in its configuration.
    pub fn http(lines: &str) -> Self {
        let (scratch, port) = (Scratch::new(), free_port());
        fs::create_dir(scratch.path("")).unwrap_or_default();
        let (configuration, log) = (scratch.path("conf"), scratch.path("log"));
        let text = format!("Port {port}\nListen 127.0.0.1\nTimeout 30\nLogFile \"{}\"\n{lines}\n", log.display());
        fs::write(&configuration, text).unwrap();
        let mut command = Command::new("tinyproxy");
        command.arg("-d").arg("-c").arg(&configuration);
        Self::start(command, port, log, scratch)
    }

    /// It knows the user clerk with the password s3s@me.
    pub fn socks() -> Self {
        let (scratch, port) = (Scratch::new(), free_port());
        let log = scratch.path("log");
        let mut command = Command::new("microsocks");
        command.args(["-i", "127.0.0.1", "-u", "clerk", "-P", "s3s@me", "-p", &port.to_string()]);
        command.stderr(fs::File::create(&log).unwrap());
        Self::start(command, port, log, scratch)
    }

    fn start(mut command: Command, port: u16, log: PathBuf, scratch: Scratch) -> Self {
        let process = command.stdout(Stdio::null()).spawn().expect("apt-get install tinyproxy-bin microsocks");
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "it does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self { process, port, log, _scratch: scratch }
    }

    /// With this scheme, and `user:password@` or nothing.
    pub fn url(&self, scheme: &str, user: &str) -> String {
        format!("{scheme}://{user}127.0.0.1:{}", self.port)
    }

    /// How often it was asked for a connection to the server.
    pub fn requests(&self) -> usize {
        fs::read_to_string(&self.log).unwrap().matches("CONNECT 127.0.0.1:").count()
    }

    /// Whether it was asked for a connection to the server, or connected to it.
    pub fn used(&self) -> bool {
        let log = fs::read_to_string(&self.log).unwrap();
        log.contains("CONNECT 127.0.0.1:") || log.contains("connected to 127.0.0.1:")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
