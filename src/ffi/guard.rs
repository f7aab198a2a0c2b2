//! No panic leaves the library or prints anything.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use super::block;
use super::types::tps_error;
use crate::error::{Error, Status};

/// Runs `work`; on failure hands out the error, where it is wanted, and returns `failed`.
pub fn call<T>(failed: T, error: *mut *mut tps_error, work: impl FnOnce() -> Result<T, Error>) -> T {
    static QUIET: AtomicBool = AtomicBool::new(false);
    if !QUIET.load(Ordering::Relaxed) && !QUIET.swap(true, Ordering::Relaxed) {
        // The hook belongs to this library alone: a cdylib has a standard library of its own.
        std::panic::set_hook(Box::new(|_| {}));
    }
    let outcome = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::new(Status::Internal, "a bug in libtps; please report what you called")));
    outcome.unwrap_or_else(|failure| {
        if !error.is_null() {
            // SAFETY: a pointer that is not NULL is the caller's place for one error.
            unsafe { error.write(block::error(&failure)) };
        }
        failed
    })
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let mut error = ptr::null_mut();
        assert_eq!(call(-1, &mut error, || panic!("not for the user")), -1);
        // SAFETY: the call above has written an error.
        assert_eq!(unsafe { (*error).status }, Status::Internal as i32);
        block::free(error.cast());
        assert_eq!(call(-1, ptr::null_mut(), || panic!("not for the user")), -1);
    }
}
