//! The C interface: guard, convert, call, hand out.

mod block;
mod guard;
mod types;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use types::{tps_client, tps_error};

use crate::cache::{self, Entry};
use crate::client::Client;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::options::Options;
use guard::call;

/// Gives a client that holds a valid token. The token comes from memory, else from the store, else from a login.
///
/// username, password, organization_id: UTF-8, not NULL, not empty. They are copied.
/// options: a JSON object, see docs/options.md; NULL for the defaults. With {"lazy": true} nothing is sent until the first
/// tps_token.
///
/// Equal arguments give the same client. Release it as often as you got it.
///
/// Returns the client, to be released by tps_free. NULL on failure, with the reason in *error unless error is NULL.
/// Waits at most timeout_ms. Reads the environment, on this thread; no other function does.
/// Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_login(
    username: *const c_char,
    password: *const c_char,
    organization_id: *const c_char,
    options: *const c_char,
    error: *mut *mut tps_error,
) -> *mut tps_client {
    call(ptr::null_mut(), error, || {
        let arguments =
            [text("username", username)?, text("password", password)?, text("organization_id", organization_id)?];
        let json = if options.is_null() { None } else { Some(text("options", options)?) };
        // Equal arguments share it.
        let key = cache::key(&[arguments.as_slice(), json.as_slice()].concat());
        let parsed = Options::parse(json)?;
        let lazy = parsed.lazy;
        let [username, password, organization_id] = arguments.map(str::to_owned);
        let credentials = Credentials::new(username, password, organization_id)?;
        let pointer = block::client(key, || Ok(Client::new(credentials, parsed)))?;
        if !lazy && let Err(failure) = block::borrow(pointer).and_then(|client| client.token()) {
            block::free(pointer.cast());
            return Err(failure);
        }
        Ok(pointer)
    })
}

/// Gives the valid token: at once if the process has one, else after the login that all callers wait for.
///
/// It logs in again only when the token has expired or was rejected. Ask for the token before each request; do not keep it.
///
/// Returns the token, to be released by tps_free. NULL on failure, with the reason in *error unless error is NULL.
/// Waits at most the client's timeout_ms. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_token(client: *mut tps_client, error: *mut *mut tps_error) -> *mut c_char {
    // Nothing of this can panic.
    match sure(client).and_then(|(number, entry)| entry.copy(number, block::Room::new)) {
        Some(text) => text.hand_out(),
        None => find(client, error),
    }
}

/// Releases a client, a token, stats or an error. Call it once for each object that the library gave you.
///
/// NULL is left alone, and so is a pointer that the library did not give. What held a secret is zeroed.
/// Never waits, and sends nothing. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_free(object: *mut c_void) {
    if !block::free_text(object) {
        call((), ptr::null_mut(), || {
            block::free(object);
            Ok(())
        });
    }
}

/// Reports a token that the server answered with 401. Call tps_token after it.
///
/// The next tps_token takes a newer token from the store, or asks the server. It logs in if the token is dead, and gives
/// the same token if the server still accepts it. If the process has another token by now, nothing changes: a late answer
/// costs no login. Sends nothing itself.
///
/// token: UTF-8, not NULL, not empty.
/// Returns 0. -1 on failure, with the reason in *error unless error is NULL. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_invalidate(client: *mut tps_client, token: *const c_char, error: *mut *mut tps_error) -> c_int {
    call(-1, error, || block::borrow(client)?.invalidate(text("token", token)?).map(|()| 0))
}

/// Revokes the client's token at the server, and forgets it in memory and in the store. Without a token it does nothing.
/// The client stays usable: the next tps_token logs in.
///
/// Returns 0, also if the token was dead already. -1 on failure, with the reason in *error unless error is NULL; then the
/// token is kept. Waits at most timeout_ms, also for a login of another process. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_logout(client: *mut tps_client, error: *mut *mut tps_error) -> c_int {
    call(-1, error, || block::borrow(client)?.logout().map(|()| 0))
}

/// Starts a logout as tps_logout does, or joins the one under way. The logout goes on after the call returns.
///
/// milliseconds: how long to wait; 0 starts it and returns.
/// Returns 1 when it is done, 0 when the time was over first: call again to wait longer. -1 on failure, with the reason in
/// *error unless error is NULL. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_logout_wait(client: *mut tps_client, milliseconds: u32, error: *mut *mut tps_error) -> c_int {
    let time = Duration::from_millis(milliseconds.into());
    call(-1, error, || block::borrow(client)?.wait_for_logout(time).map(c_int::from))
}

/// The number of the token that tps_token would return at once. 0 if there is none, or if it has to be looked up.
///
/// The number changes with the token, and is never used again. So you can keep a token with its number:
/// read the number, the token, and the number again; keep the pair if both numbers are equal and not 0.
///
/// Never waits or fails. NULL gives 0. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_generation(client: *mut tps_client) -> u64 {
    // The other one is jumped to: nothing stands behind it, and it cannot unwind.
    match block::peek(client).map_or(0, |(_, entry)| entry.lasting().load(Ordering::Acquire)) {
        0 => generation(client),
        number => number,
    }
}

/// The word that tps_generation reads, for bindings whose foreign calls are slow. If it is not 0, tps_generation would
/// return it. If it is 0, ask tps_generation.
///
/// Read it as one aligned word, in C with __atomic_load_n and __ATOMIC_ACQUIRE. Do not free it. It is valid until the client
/// is released for the last time, also in forked children. NULL gives NULL. Never fails. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_generation_word(client: *mut tps_client) -> *const u64 {
    block::peek(client).map_or(ptr::null(), |(_, entry)| entry.lasting().as_ptr())
}

/// Waits until tps_token would return at once, and starts a login if one is needed. The login goes on after the call returns.
///
/// Use it where a call must stay interruptible: wait in short slices.
///
/// milliseconds: how long to wait; 0 starts and returns.
/// Returns 1 when a token is ready, 0 when the time was over first: call again to wait longer. -1 on failure, with the
/// reason in *error unless error is NULL. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_wait(client: *mut tps_client, milliseconds: u32, error: *mut *mut tps_error) -> c_int {
    call(-1, error, || block::borrow(client)?.wait(Duration::from_millis(milliseconds.into())).map(c_int::from))
}

/// Says what happened, as a JSON object without secrets. Later versions may add fields.
///
/// - version, base_url.
/// - store: kind, place, degraded, why_not, lasting. lasting is false if the token is lost when the process or its
///   service stops, and null before the first use.
/// - token: fingerprint, obtained_at, expires_at. null if there is none.
/// - hold_off: status, retry_after_ms, message. null if there is none.
/// - Counts since the process began: hits, adopted (tokens taken from the store), logins, logins_by_reason (first, ended,
///   renewed, rejected), logins_failed, waits, invalidations, false_alarms (rejected tokens that the server still accepts).
/// - login_budget_left: how many logins may follow one another now.
/// - events: the last 32 of this process. Each has number (counts up), time, kind (login, adopted, renewal, rejected,
///   false_alarm, hold_off, budget, degraded, recovered, logout), reason, duration (in milliseconds), status, message.
///
/// Returns the text, to be released by tps_free. NULL on failure, with the reason in *error unless error is NULL.
/// Never waits for the server. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_stats(client: *mut tps_client, error: *mut *mut tps_error) -> *mut c_char {
    call(ptr::null_mut(), error, || Ok(block::text(&block::borrow(client)?.stats())))
}

/// The library's version, such as "0.2.0". Do not free it.
#[unsafe(no_mangle)]
pub extern "C" fn tps_version() -> *const c_char {
    const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };
    VERSION.as_ptr()
}

/// The number of the token that certainly serves, and where it is. What each request asks for; nothing of it can panic.
fn sure<'a>(client: *const tps_client) -> Option<(u64, &'a Entry)> {
    let (client, entry) = block::peek(client)?;
    match entry.lasting().load(Ordering::Acquire) {
        0 => Some(client.sure()).filter(|number| *number != 0),
        number => Some(number),
    }
    .map(|number| (number, entry))
}

#[cold]
fn find(client: *const tps_client, error: *mut *mut tps_error) -> *mut c_char {
    call(ptr::null_mut(), error, || Ok(block::text(block::borrow(client)?.token()?.value.expose())))
}

#[inline(never)]
extern "C" fn generation(client: *const tps_client) -> u64 {
    match block::peek(client).map_or(0, |(client, _)| client.sure()) {
        0 => call(0, ptr::null_mut(), || Ok(block::borrow(client)?.generation())),
        number => number,
    }
}

/// An argument as text; the message names it.
fn text<'a>(name: &str, pointer: *const c_char) -> Result<&'a str, Error> {
    if pointer.is_null() {
        return Err(Error::argument(format!("{name} is NULL; pass a string")));
    }
    // SAFETY: C's strings end in NUL, and the caller's stays for the call.
    unsafe { CStr::from_ptr(pointer) }.to_str().map_err(|_| Error::argument(format!("{name} is not UTF-8")))
}
