//! The types that C sees.

#![allow(non_camel_case_types)]

use std::ffi::c_char;

use crate::error::Status;

/// A client: credentials and options. Equal clients of a process share one token.
/// Made by tps_login, released by tps_free. Any number of threads may use one at once.
pub struct tps_client {
    _opaque: [u8; 0],
}

/// Why a call failed. Made by the library, released by tps_free. Later versions may add fields at the end.
#[repr(C)]
pub struct tps_error {
    /// A number of enum tps_status, never TPS_OK.
    pub status: i32,
    /// The HTTP status of the server's answer; 0 if there was none.
    pub http_status: i32,
    /// For so many milliseconds calls fail at once and nothing is sent; 0: a call may try at once.
    pub retry_after_ms: i64,
    /// What happened and what to do: one line of UTF-8 without secrets. Lives as long as the error; do not free it.
    pub message: *const c_char,
}

/// Why a call failed: tps_error.status. docs/errors.md says what to do. Numbers never change.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum tps_status {
    /// Success. Never in an error.
    #[expect(dead_code, reason = "the library returns errors only")]
    TPS_OK = 0,
    /// An argument or option is NULL, empty, not UTF-8, unknown or of the wrong type, or the store that you named cannot be
    /// used. The message says which.
    TPS_INVALID_ARGUMENT = 1,
    /// The server refused user name, password or organization.
    TPS_CREDENTIALS = 2,
    /// The organization has as many tokens as it may have.
    TPS_TOKEN_LIMIT = 3,
    /// The server asked to wait.
    TPS_THROTTLED = 4,
    /// The server was not reached: name resolution, connection or proxy.
    TPS_NETWORK = 5,
    /// The server's certificate is not trusted.
    TPS_TLS = 6,
    /// timeout_ms is over. A login under way goes on.
    TPS_TIMEOUT = 7,
    /// The server failed (5xx).
    TPS_SERVER = 8,
    /// The answer is not the API's: a redirect, no JSON, or another 4xx.
    TPS_UNEXPECTED_RESPONSE = 9,
    /// The login was sent and its answer was lost: the server may have made a token.
    TPS_OUTCOME_UNKNOWN = 10,
    /// The login budget is used up.
    TPS_LOGIN_BUDGET = 11,
    /// A bug in the library. Please report it.
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
