//! What is handed out: one piece of memory with a mark in front, so that one function can release anything and leaves
//! alone what is not the library's.

use std::alloc::{self, GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::ffi::{c_char, c_void};
use std::mem::{ManuallyDrop, size_of};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{ptr, slice};

use super::types::{tps_client, tps_error, tps_status};
use crate::cache::Entry;
use crate::client::Client;
use crate::error::Error;
use crate::process::fork::{Inherit, PerProcess};
use crate::process::wipe::wipe;

/// The unit of allocation: everything handed out is aligned to 16 bytes, which most foreign pointers are not.
type Unit = u128;
const UNIT: usize = size_of::<Unit>();

/// The mark in front of each kind of object; nothing else in memory is likely to look like it.
const TEXT: u64 = 0x7470_735f_8c1d_e5a1;
const ERROR: u64 = 0x7470_735f_8c1d_e5a2;
const CLIENT: u64 = 0x7470_735f_8c1d_e5a3;

/// What a client's block holds. What each call needs comes first, beside the mark.
#[repr(C)]
struct Held {
    entry: Arc<Entry>,
    client: Client,
    key: [u8; 32],
    /// How often it was handed out and not yet released; guarded by the table's lock.
    count: usize,
}

/// The addresses of the clients that are handed out: the same arguments give the same one.
#[derive(Default)]
struct Clients(Mutex<BTreeMap<[u8; 32], usize>>);

static CLIENTS: PerProcess<Clients> = PerProcess::new();

impl Inherit for Clients {
    /// A child goes on with its parent's clients.
    fn inherit(parent: Option<&Self>) -> Self {
        Self(Mutex::new(parent.and_then(|parent| parent.0.try_lock().ok()?.clone().into()).unwrap_or_default()))
    }
}

fn clients() -> MutexGuard<'static, BTreeMap<[u8; 32], usize>> {
    CLIENTS.get().0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A block for `bytes` bytes behind its mark.
fn block(mark: u64, bytes: usize) -> *mut u8 {
    let units = 1 + bytes.div_ceil(UNIT);
    let layout = layout(units);
    // From the system itself: what is handed out is zeroed by `release`, and once is enough.
    // SAFETY: at least one unit; the mark and the number of units go into the first.
    unsafe {
        let memory = System.alloc(layout).cast::<Unit>();
        if memory.is_null() {
            alloc::handle_alloc_error(layout);
        }
        memory.write(Unit::from(mark) | (units as Unit) << 64);
        memory.add(1).cast()
    }
}

/// That of so many units.
fn layout(units: usize) -> Layout {
    // No more memory than there is: a token has 4 KiB, and stats and errors not much more.
    Layout::array::<Unit>(units).unwrap_or_else(|_| alloc::handle_alloc_error(Layout::new::<Unit>()))
}

/// Mark and number of units of the block that `pointer` was handed out for.
fn front(pointer: *const c_void) -> Option<(u64, usize)> {
    if pointer.is_null() || !(pointer as usize).is_multiple_of(UNIT) {
        return None;
    }
    // SAFETY: the caller passes what the library handed out, or a string of its host's, which has its host's own header
    // of at least this size in front (PHP: 24 bytes).
    let front = unsafe { pointer.cast::<Unit>().sub(1).read() };
    Some((front as u64, (front >> 64) as usize))
}

/// Zeroes a block and gives it back.
fn release(pointer: *mut c_void, units: usize) {
    // SAFETY: `front` found the mark, so `block` made this with so many units, and it is released once.
    unsafe {
        let memory = pointer.cast::<Unit>().sub(1).cast();
        wipe(memory, units * UNIT);
        System.dealloc(memory, layout(units));
    }
}

/// Room for a text that is written in words; zeroes so far.
pub struct Room {
    pointer: *mut u64,
    words: usize,
}

impl Room {
    /// For so many bytes and a NUL.
    pub fn new(bytes: usize) -> Self {
        let pointer = block(TEXT, bytes + 1).cast::<u64>();
        let words = (bytes + 1).div_ceil(UNIT) * (UNIT / size_of::<u64>());
        // SAFETY: the block has room for so many words.
        unsafe { pointer.write_bytes(0, words) };
        Self { pointer, words }
    }

    /// Hands it out. Behind the bytes that it was made for stands a NUL.
    pub fn hand_out(self) -> *mut c_char {
        ManuallyDrop::new(self).pointer.cast()
    }
}

impl AsMut<[u64]> for Room {
    fn as_mut(&mut self) -> &mut [u64] {
        // SAFETY: the block has so many words, all written, and nobody else knows of it.
        unsafe { slice::from_raw_parts_mut(self.pointer, self.words) }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        free_text(self.pointer.cast());
    }
}

/// A copy of `text`, ended by NUL.
pub fn text(text: &str) -> *mut c_char {
    let pointer = block(TEXT, text.len() + 1);
    // SAFETY: the block has room for the text and its NUL.
    unsafe {
        ptr::copy_nonoverlapping(text.as_ptr(), pointer, text.len());
        pointer.add(text.len()).write(0);
    }
    pointer.cast()
}

/// A failure, its message in the same block.
pub fn error(error: &Error) -> *mut tps_error {
    let size = size_of::<tps_error>();
    // A line of text cannot have a NUL; the message ends there.
    let message = error.to_string();
    let message = message.split('\0').next().unwrap_or_default();
    let pointer = block(ERROR, size + message.len() + 1);
    // SAFETY: the block has room for both and a NUL, and is aligned for the struct.
    unsafe {
        let text = pointer.add(size);
        ptr::copy_nonoverlapping(message.as_ptr(), text, message.len());
        text.add(message.len()).write(0);
        let status: tps_status = error.status.into();
        pointer.cast::<tps_error>().write(tps_error {
            status: status as i32,
            http_status: error.http_status.map_or(0, i32::from),
            retry_after_ms: error.retry_after_ms(),
            message: text.cast(),
        });
    }
    pointer.cast()
}

/// The client under `key`, counted once more, or a new one.
pub fn client(key: [u8; 32], make: impl FnOnce() -> Result<Client, Error>) -> Result<*mut tps_client, Error> {
    let mut table = clients();
    if let Some(&address) = table.get(&key) {
        let pointer = address as *mut Held;
        // SAFETY: what is in the table is alive, and its count is touched under the table's lock only.
        unsafe { (*pointer).count += 1 };
        return Ok(pointer.cast());
    }
    let client = make()?;
    let held = Held { entry: client.entry().clone(), client, key, count: 1 };
    let pointer = block(CLIENT, size_of::<Held>()).cast::<Held>();
    // SAFETY: the block has room for it and is aligned to 16 bytes.
    unsafe { pointer.write(held) };
    table.insert(key, pointer as usize);
    Ok(pointer.cast())
}

/// The client that was handed out as `pointer` and its cache entry, for the time of a call that does not wait: nobody may
/// release a client while a call with it goes on.
pub fn peek<'a>(pointer: *const tps_client) -> Option<(&'a Client, &'a Entry)> {
    match front(pointer.cast()) {
        // SAFETY: the mark says that a `Held` is there; it is alive until its last release.
        Some((CLIENT, _)) => unsafe { pointer.cast::<Held>().as_ref() }.map(|held| (&held.client, &*held.entry)),
        _ => None,
    }
}

/// The client that was handed out as `pointer`.
pub fn borrow(pointer: *const tps_client) -> Result<Client, Error> {
    match peek(pointer) {
        Some((client, _)) => Ok(client.clone()),
        None if pointer.is_null() => Err(Error::argument("client is NULL; pass what tps_login returned")),
        None => Err(Error::argument("client is not one of this library's; pass what tps_login returned")),
    }
}

/// Releases a text; false where it is something else. Cannot panic.
pub fn free_text(pointer: *mut c_void) -> bool {
    match front(pointer) {
        Some((TEXT, units)) => {
            release(pointer, units);
            true
        }
        _ => false,
    }
}

/// Releases anything that was handed out.
pub fn free(pointer: *mut c_void) {
    match front(pointer) {
        Some((TEXT | ERROR, units)) => release(pointer, units),
        Some((CLIENT, units)) => {
            let held = pointer.cast::<Held>();
            let mut table = clients();
            // SAFETY: the mark says that a `Held` is there, and the count is touched under the table's lock only.
            let key = unsafe {
                (*held).count -= 1;
                if (*held).count > 0 {
                    return;
                }
                (*held).key
            };
            // The table may have another one, in a child that could not take its parent's table over.
            if table.get(&key) == Some(&(held as usize)) {
                table.remove(&key);
            }
            drop(table);
            // SAFETY: this was the last release, and nobody can find it in the table any more.
            unsafe { ptr::drop_in_place(held) };
            release(pointer, units);
        }
        _ => {}
    }
}
