//! What belongs to this process and its machine: fork, descriptors, threads, clocks, random numbers.

#[cfg(feature = "zeroing")]
#[allow(unsafe_code)]
mod allocator;
pub mod clock;
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod coarse;
#[allow(unsafe_code)]
pub mod descriptors;
#[allow(unsafe_code)]
pub mod fork;
pub mod random;
pub mod thread;
#[allow(unsafe_code)]
pub mod wipe;
