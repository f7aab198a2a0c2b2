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

/// Gives a client that holds a valid token: from memory, else from the store, else by logging in.
///
/// username, password, organization_id: UTF-8, not NULL, not empty; copied. options: a JSON object, or NULL for the
/// defaults; with {"lazy": true} nothing is sent until the first tps_token. The same arguments give the same client,
/// which is released as often as it was given.
///
/// Returns the client, to be released by tps_free; NULL on failure, with the reason in *error unless error is NULL.
/// Waits at most timeout_ms. Any thread may call it at any time.
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
        // Equal arguments have it in common.
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

/// Gives the valid token: at once where one is at hand, else after the login that all callers wait for.
///
/// It logs in again when, and only when, the present token has expired or was rejected.
///
/// Returns the token, to be released by tps_free; NULL on failure, with the reason in *error unless error is NULL.
/// Waits at most the client's timeout_ms. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_token(client: *mut tps_client, error: *mut *mut tps_error) -> *mut c_char {
    // Nothing of this can panic.
    match sure(client).and_then(|(number, entry)| entry.copy(number, block::Room::new)) {
        Some(text) => text.hand_out(),
        None => find(client, error),
    }
}

/// Releases what the library handed out: a client, a token, stats or an error, exactly once each.
///
/// NULL, and a pointer that is not the library's, are left alone. What held a secret is zeroed. Only touches memory.
#[unsafe(no_mangle)]
pub extern "C" fn tps_free(object: *mut c_void) {
    if !block::free_text(object) {
        call((), ptr::null_mut(), || {
            block::free(object);
            Ok(())
        });
    }
}

/// Says that the server answered 401 to this very token. Does nothing while another token is the present one, so that
/// late answers cost no login. Otherwise the next tps_token takes what another process has stored meanwhile, or asks the
/// server, and logs in if the token is dead; one that stands after all is kept. Sends nothing itself.
///
/// token: UTF-8, not NULL, not empty. Returns 0; -1 on failure, with the reason in *error unless error is NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tps_invalidate(client: *mut tps_client, token: *const c_char, error: *mut *mut tps_error) -> c_int {
    call(-1, error, || block::borrow(client)?.invalidate(text("token", token)?).map(|()| 0))
}

/// Revokes the client's token at the server and forgets it, here and in the store; without one there is nothing to do.
/// The client stays usable and would log in anew.
///
/// Returns 0, also when the token was dead already; -1 on failure, with the reason in *error unless error is NULL: then
/// the token is kept. Waits at most timeout_ms, also for a login that another process has under way.
/// Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_logout(client: *mut tps_client, error: *mut *mut tps_error) -> c_int {
    call(-1, error, || block::borrow(client)?.logout().map(|()| 0))
}

/// Starts a logout as tps_logout does, or joins the one under way. What it set going goes on; another call waits further.
///
/// milliseconds: how long to wait; 0 starts and returns. Returns 1 when it is done, 0 when the time ran out first, -1 on
/// failure, with the reason in *error unless error is NULL. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn tps_logout_wait(client: *mut tps_client, milliseconds: u32, error: *mut *mut tps_error) -> c_int {
    let time = Duration::from_millis(milliseconds.into());
    call(-1, error, || block::borrow(client)?.wait_for_logout(time).map(c_int::from))
}

/// The number of the token that tps_token would return at once; 0 when it would have to look elsewhere.
///
/// Never blocks or fails; NULL gives 0. The number changes with the token and is never used again. To keep a
/// token with its number: number, token, number again; keep the pair only if both numbers are equal and not 0.
#[unsafe(no_mangle)]
pub extern "C" fn tps_generation(client: *mut tps_client) -> u64 {
    sure(client).map_or_else(|| generation(client), |(number, _)| number)
}

/// The word that tps_generation reads, for bindings whose foreign calls are slow. While it is not 0 it is what
/// tps_generation would return; 0 says nothing: ask tps_generation.
///
/// Read it as one aligned word (in C with __atomic_load_n and __ATOMIC_ACQUIRE, for instance). It is not yours to free, and
/// valid until the client is released for the last time, also in forked children. NULL gives NULL. Never fails.
#[unsafe(no_mangle)]
pub extern "C" fn tps_generation_word(client: *mut tps_client) -> *const u64 {
    block::peek(client).map_or(ptr::null(), |(_, entry)| entry.lasting().as_ptr())
}

/// Sees to it that a token is at hand. What it set going goes on; another call waits further.
///
/// milliseconds: how long to wait; 0 starts and returns. Returns 1 when tps_token would return at once, 0 when the time
/// ran out first, -1 on failure, with the reason in *error unless error is NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tps_wait(client: *mut tps_client, milliseconds: u32, error: *mut *mut tps_error) -> c_int {
    call(-1, error, || block::borrow(client)?.wait(Duration::from_millis(milliseconds.into())).map(c_int::from))
}

/// Says what happened, as a JSON object without secrets: version, base_url, store (kind, place, degraded, why_not, lasting:
/// false where the token goes when the process or its service stops, and null before the first use), token
/// (fingerprint, obtained_at, expires_at), hold_off (status, retry_after_ms, message), counts since the process began:
/// hits, adopted (from the store), logins, logins_by_reason (first, ended, renewed, rejected), logins_failed, waits,
/// invalidations, false_alarms (of these, tokens that stand after all). login_budget_left: how many logins may follow
/// one another now. events: the last 32 of this process, each with number (counts up), time, kind (login, adopted,
/// renewal, rejected, false_alarm, hold_off, budget, degraded, recovered, logout), reason, duration (in milliseconds),
/// status, message. Fields may be added in later versions.
///
/// Returns the text, to be released by tps_free; NULL on failure, with the reason in *error unless error is NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tps_stats(client: *mut tps_client, error: *mut *mut tps_error) -> *mut c_char {
    call(ptr::null_mut(), error, || Ok(block::text(&block::borrow(client)?.stats())))
}

/// The library's version, such as "0.2.0". Not yours to free.
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

#[cold]
fn generation(client: *const tps_client) -> u64 {
    call(0, ptr::null_mut(), || Ok(block::borrow(client)?.generation()))
}

/// An argument as text; the message names it.
fn text<'a>(name: &str, pointer: *const c_char) -> Result<&'a str, Error> {
    if pointer.is_null() {
        return Err(Error::argument(format!("{name} is NULL; pass a string")));
    }
    // SAFETY: C's strings end in NUL, and the caller's stays for the call.
    unsafe { CStr::from_ptr(pointer) }.to_str().map_err(|_| Error::argument(format!("{name} is not UTF-8")))
}
