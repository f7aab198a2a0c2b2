//! What can go wrong, as one type.

use std::fmt;
use std::time::Duration;

/// Why a call did not give what was asked. The numbers are those of the C interface, and final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    InvalidArgument = 1,
    Credentials = 2,
    TokenLimit = 3,
    Throttled = 4,
    Network = 5,
    Tls = 6,
    Timeout = 7,
    Server = 8,
    UnexpectedResponse = 9,
    OutcomeUnknown = 10,
    LoginBudget = 11,
    Internal = 12,
}

impl Status {
    /// The status with this number.
    pub fn from_number(number: i32) -> Option<Self> {
        use Status::*;
        let all = [
            InvalidArgument,
            Credentials,
            TokenLimit,
            Throttled,
            Network,
            Tls,
            Timeout,
            Server,
            UnexpectedResponse,
            OutcomeUnknown,
            LoginBudget,
            Internal,
        ];
        all.into_iter().find(|status| *status as i32 == number)
    }
}

/// A failure: what happened, to what, and what to do about it, in one line without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The kind of failure.
    pub status: Status,
    /// The HTTP status of the answer that caused it, where there was one.
    pub http_status: Option<u16>,
    /// Nothing will be sent for so long; zero: a call may try at once.
    pub retry_after: Duration,
    /// One line for people; the time is added where it is shown.
    pub message: String,
}

impl Error {
    /// A failure without an answer of the server's.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, http_status: None, retry_after: Duration::ZERO, message: message.into() }
    }

    /// A failure that the argument or option `name` caused.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(Status::InvalidArgument, message)
    }

    /// The same failure, caused by an answer with this status.
    pub fn answered(mut self, http_status: u16) -> Self {
        self.http_status = Some(http_status);
        self
    }

    /// `retry_after` in whole milliseconds, rounded up so that a wait is never too short.
    pub fn retry_after_ms(&self) -> i64 {
        i64::try_from(self.retry_after.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
    }

    /// The same failure, with the time for which nothing is sent.
    pub fn held_off_for(mut self, wait: Duration) -> Self {
        self.retry_after = wait;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match self.retry_after.as_nanos().div_ceil(1_000_000_000) {
            0 => Ok(()),
            seconds => write!(formatter, " (nothing is sent for {seconds} s)"),
        }
    }
}

impl std::error::Error for Error {}
