//! Random numbers.

use ring::rand::{SecureRandom, SystemRandom};

/// Random bytes from the kernel; `None` where it has none. A generator in user space would give parent and child the same.
pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok().map(|()| bytes)
}
