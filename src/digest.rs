//! What equal texts have in common, without the texts.

use ring::digest::{Context, SHA256};

/// A hash of several texts, each with its length, so that ("a", "bc") and ("ab", "c") differ.
pub fn hash(parts: &[&str]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    // SHA-256 has 32 bytes.
    context.finish().as_ref().try_into().unwrap_or_default()
}
