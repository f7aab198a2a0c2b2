//! The types that C sees.

#![allow(non_camel_case_types)]

use std::ffi::c_char;

use crate::error::Status;

/// A client: credentials and options, and through them the token that they share with all equal clients of the process.
/// Made by tps_login, released by tps_free. Any number of threads may use one at once.
pub struct tps_client {
    _opaque: [u8; 0],
}

/// Why a call failed. Made by the library, released by tps_free. Fields are only ever appended.
#[repr(C)]
pub struct tps_error {
    /// One of the TPS_ constants, never TPS_OK.
    pub status: i32,
    /// The HTTP status of the answer that caused it; 0 where there was none.
    pub http_status: i32,
    /// Nothing will be sent for so many milliseconds; 0: a call may try at once.
    pub retry_after_ms: i64,
    /// One line of UTF-8 without secrets. Lives as long as the error; not yours to free.
    pub message: *const c_char,
}

/// What tps_error.status says. Numbers are never used again.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum tps_status {
    /// Never in an error.
    #[expect(dead_code, reason = "the library returns errors only")]
    TPS_OK = 0,
    /// NULL, empty, not UTF-8, or an unknown or ill-typed option; the message names it.
    TPS_INVALID_ARGUMENT = 1,
    /// The server refuses user name, password or organization.
    TPS_CREDENTIALS = 2,
    /// The organization holds as many tokens as it may.
    TPS_TOKEN_LIMIT = 3,
    /// The server asks to wait.
    TPS_THROTTLED = 4,
    /// The server cannot be reached.
    TPS_NETWORK = 5,
    /// No connection that can be trusted.
    TPS_TLS = 6,
    /// Time is over.
    TPS_TIMEOUT = 7,
    /// The server has a fault of its own (5xx).
    TPS_SERVER = 8,
    /// A redirect, not the JSON that was promised, or another 4xx.
    TPS_UNEXPECTED_RESPONSE = 9,
    /// The login was sent and its answer was lost: a token may exist.
    TPS_OUTCOME_UNKNOWN = 10,
    /// More logins than the budget allows.
    TPS_LOGIN_BUDGET = 11,
    /// A bug in the library.
    TPS_INTERNAL = 12,
}

impl From<Status> for tps_status {
    fn from(status: Status) -> Self {
        match status {
            Status::InvalidArgument => Self::TPS_INVALID_ARGUMENT,
            Status::Credentials => Self::TPS_CREDENTIALS,
            Status::TokenLimit => Self::TPS_TOKEN_LIMIT,
            Status::Throttled => Self::TPS_THROTTLED,
            Status::Network => Self::TPS_NETWORK,
            Status::Tls => Self::TPS_TLS,
            Status::Timeout => Self::TPS_TIMEOUT,
            Status::Server => Self::TPS_SERVER,
            Status::UnexpectedResponse => Self::TPS_UNEXPECTED_RESPONSE,
            Status::OutcomeUnknown => Self::TPS_OUTCOME_UNKNOWN,
            Status::LoginBudget => Self::TPS_LOGIN_BUDGET,
            Status::Internal => Self::TPS_INTERNAL,
        }
    }
}
