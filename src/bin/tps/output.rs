//! What is printed: lines for people, or JSON for machines. Never a secret but the token of `tps token`.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde_json::{Value, json};
use tps::Error;

/// As wide as the narrowest terminal in use.
const WIDTH: usize = 80;

/// How it is printed.
pub struct Output {
    pub json: bool,
}

impl Output {
    /// The token alone, to be used by another command.
    pub fn token(&self, token: &str) -> Result<(), Error> {
        if self.json { self.print(&json!({ "token": token }).to_string()) } else { self.print(token) }
    }

    /// One of the two forms. At a terminal, a long line goes on below, behind `indent` spaces; a pipe gets it
    /// whole.
    pub fn say(&self, value: &Value, lines: &[String], indent: usize) -> Result<(), Error> {
        let text = match (self.json, io::stdout().is_terminal()) {
            (true, _) => value.to_string(),
            (false, false) => lines.join("\n"),
            (false, true) => lines.iter().map(|line| wrapped(line, indent)).collect::<Vec<_>>().join("\n"),
        };
        self.print(&text)
    }

    /// What failed, to standard error.
    pub fn error(&self, error: &Error) {
        let text = match self.json {
            true => json!({"error": {
                "status": error.status as i32,
                "http_status": error.http_status,
                "retry_after_ms": error.retry_after_ms(),
                "message": error.message,
            }})
            .to_string(),
            false => format!("tps: {error}"),
        };
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// A reader that goes away, as `head` does, is no failure.
    fn print(&self, text: &str) -> Result<(), Error> {
        match writeln!(io::stdout(), "{text}").and_then(|()| io::stdout().flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Error::argument(format!("standard output cannot be written: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// The line in pieces that are narrow enough, where its words let it.
fn wrapped(line: &str, indent: usize) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in line.split_inclusive(' ') {
        let width = word.trim_end().chars().count();
        if column > indent && column + width > WIDTH {
            text.truncate(text.trim_end().len());
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        }
        text.push_str(word);
        column += word.chars().count();
    }
    text
}

/// A time in words of its two largest units.
pub fn in_words(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut left = seconds;
    let parts = UNITS.map(|(unit, name)| {
        let number = left / unit;
        left %= unit;
        (number, name)
    });
    let shown: Vec<_> = parts.iter().skip_while(|(number, _)| *number == 0).take(2).collect();
    let words: Vec<_> =
        shown.iter().filter(|(number, _)| *number > 0).map(|(number, name)| format!("{number} {name}")).collect();
    if words.is_empty() { "0 s".to_owned() } else { words.join(" ") }
}
