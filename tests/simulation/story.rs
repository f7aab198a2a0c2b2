//! What happened, for people: one line an event, with fixed columns.

use std::fmt::Write;
use std::time::Duration;

/// The lines of one seed. Nothing is kept unless somebody wants to read it.
#[derive(Debug, Default)]
pub struct Story {
    kept: bool,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    time: Duration,
    who: Who,
    what: &'static str,
    result: String,
}

/// Whom a line is about.
#[derive(Debug, Clone, Default)]
pub struct Who {
    pub host: String,
    pub process: String,
    pub thread: String,
}

const LEGEND: &str = "\
time: days, hours, minutes, seconds since the beginning. host: A, B, C. process: p1, p2 …, a wrong password as p1!.
thread: c1, c2: callers; lookup, logout: flights. An empty column: it happens to all.
T1, T2 …: tokens, in the order in which the server made them; T0: the option `token`. Tokens of a record: present (dead).
";

impl Story {
    /// A story that is told to its end.
    pub fn kept() -> Self {
        Self { kept: true, lines: Vec::new() }
    }

    /// Whether it is worth while to make a line.
    pub fn is_kept(&self) -> bool {
        self.kept
    }

    /// Adds a line.
    pub fn add(&mut self, time: Duration, who: Who, what: &'static str, result: String) {
        self.lines.push(Line { time, who, what, result });
    }

    /// All of it.
    pub fn text(&self) -> String {
        let mut text = String::from(LEGEND);
        let _ = writeln!(text, "{:>16} {:<4} {:<7} {:<8} {:<18} result", "time", "host", "process", "thread", "what");
        for Line { time, who, what, result } in &self.lines {
            let Who { host, process, thread } = who;
            let _ = writeln!(text, "{:>16} {host:<4} {process:<7} {thread:<8} {what:<18} {result}", clock(*time));
        }
        text
    }
}

/// Days, hours, minutes, seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    format!("{days}d {hours:02}:{minutes:02}:{:02}.{:03}", seconds % 60, time.subsec_millis())
}
