//! What belongs to this process and its machine: fork, descriptors, threads, clocks, random numbers.

#[cfg(feature = "zeroing")]
#[allow(unsafe_code)]
mod allocator;
pub mod clock;
#[allow(unsafe_code)]
pub mod descriptors;
#[allow(unsafe_code)]
pub mod fork;
pub mod random;
pub mod thread;
