//! What reads foreign bytes is fed with the corpus of tests/fuzz, with each entry cut short, and with entries that chance has
//! changed. `TPS_FUZZ_SECONDS=600 cargo test --release --test fuzz` goes on for so long with each target; tests/fuzz/run.sh is
//! guided by coverage.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "fuzz/targets.rs"]
mod targets;

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use targets::TARGETS;

/// So many changed entries without another word.
const CHANGED: usize = 300;

/// A small generator of numbers (Marsaglia's xorshift), the same ones each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// An entry of the corpus, with up to four changes.
fn changed(corpus: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = corpus[chance.below(corpus.len())].clone();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        match chance.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, chance.below(256) as u8),
            2 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 => {
                // A piece of another one.
                let other = &corpus[chance.below(corpus.len())];
                let from = chance.below(other.len() + 1);
                let to = from + chance.below(other.len() - from + 1);
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let piece = bytes[at..(at + 9).min(bytes.len())].to_owned();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

#[test]
fn whatever_comes_ends_well() {
    let time = env::var("TPS_FUZZ_SECONDS").map_or(0, |text| text.parse().expect("a number of seconds"));
    for (name, target) in TARGETS {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
        let mut files: Vec<_> = fs::read_dir(&directory).expect("a corpus").map(|file| file.unwrap().path()).collect();
        files.sort();
        let corpus: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
        assert!(corpus.len() > 2, "{name}: {} entries", corpus.len());
        for bytes in &corpus {
            target(bytes);
            let step = 1 + bytes.len() / 20;
            (0..bytes.len()).step_by(step).for_each(|end| target(&bytes[..end]));
        }
        let (mut chance, start) = (Chance(0x9e37_79b9), Instant::now());
        let mut number = 0;
        while number < CHANGED || start.elapsed() < Duration::from_secs(time) {
            target(&changed(&corpus, &mut chance));
            number += 1;
        }
        println!("{name}: {} entries, {number} changed ones", corpus.len());
    }
}
