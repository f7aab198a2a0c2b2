//! Text that must not be shown or outlive its use.

use std::fmt;
use std::io;
use std::ops::Deref;

use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

/// A password or a token: zeroed when dropped, printed as `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over `text`, so that no second copy stays behind.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the places that must send or hand it out.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The first 12 hexadecimal digits of its SHA-256: tells secrets apart without showing them.
    pub fn fingerprint(&self) -> String {
        let hash = digest(&SHA256, self.0.as_bytes());
        hash.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Bytes with secrets in them, written piece by piece. The memory that it leaves when it grows is zeroed, and all of it
/// when it is dropped. Printed as `[redacted]`.
#[derive(Default)]
pub struct SecretBuffer(Zeroizing<Vec<u8>>);

impl SecretBuffer {
    /// Grows before a write that would make `Vec` move its bytes and leave a copy of them.
    fn reserve(&mut self, more: usize) {
        let needed = self.0.len().saturating_add(more);
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(self.0.capacity() * 2).max(256)));
            larger.extend_from_slice(&self.0);
            // The old memory is zeroed here.
            self.0 = larger;
        }
    }
}

impl io::Write for SecretBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Deref for SecretBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBuffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_buffer_holds_what_was_written_and_moves_only_by_its_own_growth() {
        let (mut buffer, mut wanted) = (SecretBuffer::default(), Vec::new());
        for length in [0, 1, 7, 250, 3, 5000, 1] {
            let piece = vec![b'a' + u8::try_from(wanted.len() % 26).unwrap(); length];
            // With room for the piece, `Vec` has no reason to move.
            buffer.reserve(length);
            let place = buffer.as_ptr();
            buffer.write_all(&piece).unwrap();
            assert_eq!(buffer.as_ptr(), place);
            wanted.extend(piece);
            assert_eq!(*buffer, *wanted);
        }
        assert_eq!(format!("{buffer:?} {:?}", Secret::new("s3same".into())), "[redacted] [redacted]");
    }

    #[test]
    fn fingerprints_are_those_of_sha256() {
        assert_eq!(Secret::new("abc".into()).fingerprint(), "ba7816bf8f01");
    }
}
