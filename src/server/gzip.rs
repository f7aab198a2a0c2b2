//! Bodies that came compressed, though nobody asked for that.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use zeroize::Zeroizing;

/// How every gzip stream begins, and no JSON does.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Some compress what was compressed before.
const LAYERS: usize = 2;

/// The body without compression, of at most `longest` bytes; `None`: it breaks off or is damaged.
///
/// What the header `Content-Encoding` calls it does not count: servers write `gzip`, `GZIP` and `x-gzip`, and put the name on
/// bodies that are plain.
pub fn plain(mut body: Zeroizing<Vec<u8>>, longest: u64) -> Option<Zeroizing<Vec<u8>>> {
    for _ in 0..LAYERS {
        if !body.starts_with(&MAGIC) {
            break;
        }
        // With its room from the start, so that it never moves and leaves a copy behind.
        let mut inside = Zeroizing::new(Vec::with_capacity(usize::try_from(longest).ok()?));
        MultiGzDecoder::new(body.as_slice()).take(longest).read_to_end(&mut inside).ok()?;
        body = inside;
    }
    Some(body)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn zipped(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn plain_of(body: &[u8]) -> Option<Vec<u8>> {
        plain(Zeroizing::new(body.to_owned()), 1000).map(|body| body.to_vec())
    }

    #[test]
    fn what_is_zipped_is_unzipped_and_all_else_stays() {
        let text = br#"{"token":"a"}"#;
        assert_eq!(plain_of(text).unwrap(), text);
        assert_eq!(plain_of(&zipped(text)).unwrap(), text);
        assert_eq!(plain_of(&zipped(&zipped(text))).unwrap(), text);
        assert_eq!(plain_of(b"").unwrap(), b"");
    }

    #[test]
    fn what_breaks_off_is_none_and_a_bomb_ends_at_the_limit() {
        let whole = zipped(b"some text that breaks off somewhere in the middle of it");
        for length in 2..whole.len() {
            assert_eq!(plain_of(&whole[..length]), None, "{length}");
        }
        assert_eq!(plain_of(&zipped(&vec![b'x'; 1_000_000])).unwrap().len(), 1000);
    }
}
