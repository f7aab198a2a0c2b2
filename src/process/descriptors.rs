//! File descriptors of one thread, apart from the process's.

/// Gives the calling thread a table of descriptors of its own, empty but for 0, 1 and 2, which lead to `/dev/null`.
///
/// A child that another thread forks meanwhile gets none of the descriptors that this thread opens, and what the host
/// closes is closed. Threads that this one starts share its table. Only for threads that the library started: the
/// thread's copies of the host's descriptors are closed.
///
/// Where the system cannot do it (Linux before 5.9, others), threads share descriptors. A child that is forked during a
/// login then keeps copies of the login's, without its lock, until it ends or calls `exec`.
pub fn separate_descriptors() {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the numbers that are closed are this thread's copies; no object that owns one is known to this thread.
        let done = unsafe { libc::syscall(libc::SYS_close_range, 0, u32::MAX, libc::CLOSE_RANGE_UNSHARE) };
        if done == 0 {
            for _ in 0..3 {
                // SAFETY: a constant path. They become 0, 1 and 2, which code may write to unasked, and end with the thread.
                unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
            }
        }
    }
}
