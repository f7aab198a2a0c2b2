//! Memory that the library releases is zeroed: what a dependency has copied of a secret is gone too.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

use super::wipe::wipe;

/// The system's allocator, which gets back only zeroes.
struct Zeroing;

#[global_allocator]
static ALLOCATOR: Zeroing = Zeroing;

// SAFETY: what is allocated is the system's, by the layouts given; it is written to only until it is given back.
unsafe impl GlobalAlloc for Zeroing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc`, which is the system's too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the memory has this size, was allocated by the system, and nobody uses it any more.
        unsafe {
            wipe(memory, layout.size());
            System.dealloc(memory, layout);
        }
    }

    /// Always moves: the system's own would leave a copy behind when it does.
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `size` fits the alignment, and that the memory has the old layout. The two do
        // not overlap, being allocated both.
        unsafe {
            let new = System.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                ptr::copy_nonoverlapping(memory, new, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            new
        }
    }
}
