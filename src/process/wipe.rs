//! Zeroes memory in a way that no compiler leaves out.

/// Zeroes so many bytes.
///
/// # Safety
///
/// They are the caller's, and nobody else uses them.
pub unsafe fn wipe(memory: *mut u8, bytes: usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: the caller promises so many bytes.
    unsafe {
        libc::explicit_bzero(memory.cast(), bytes);
    }
    #[cfg(not(target_os = "linux"))]
    // SAFETY: the caller promises so many bytes, which nobody else uses.
    unsafe {
        zeroize::Zeroize::zeroize(std::slice::from_raw_parts_mut(memory, bytes));
    }
}
