//! The fuzz targets, run without a fuzzer: over every fixture, and over mutations of them that a fixed seed chooses.
//!
//! With a nightly compiler and cargo-fuzz the same targets run for as long as one likes: `cargo +nightly fuzz run stream`.

#![allow(missing_docs, clippy::print_stdout)]

mod testenv;

#[path = "../fuzz/targets.rs"]
#[allow(unreachable_pub)]
mod targets;

use std::fs;
use testenv::captures;

/// Mutations of each fixture for each target; `FUZZ_ROUNDS` asks for more.
fn rounds() -> usize {
    std::env::var("FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(40)
}

#[test]
fn targets_hold_on_fixtures_and_their_mutations() {
    let mut corpus: Vec<_> = captures().into_iter().map(|(_, path)| fs::read(path).unwrap()).collect();
    corpus.push(b"\xff\xfd\x2c/ISK\xff\xff5\xff\xfa\x2c\x65\0\0\x01\x2c\xff\xf0\r\n\xff\xfb\x03".to_vec());
    corpus
        .push(b"releve capture 1 2026-11-21T14:30:00Z x\n+0.1 = 300,7E1\n+0.2 > 2F3F\n+1.5 < 2F4C\n+9 # y\n".to_vec());
    for (name, target) in targets::TARGETS {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut runs = 0;
        for seed in &corpus {
            target(seed);
            for _ in 0..rounds() {
                target(&mutate(seed, &corpus, &mut random));
                runs += 1;
            }
        }
        println!("fuzz {name}: {runs} mutations");
    }
}

/// What a careless wire does: bits flipped, bytes lost, doubled and inserted, pieces of other telegrams spliced in.
fn mutate(seed: &[u8], corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        match random.below(7) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, bytes[at]),
            3 => bytes[at] = [0x00, 0xFF, 0x1B, 0x7E, b'/', b'!', b'(', 0x80][random.below(8)],
            4 => bytes.truncate(at),
            5 => drop(bytes.drain(..at)),
            _ => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len());
                let to = from + random.below(other.len() - from);
                bytes.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
    bytes
}

/// A xorshift generator: the same mutations on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }
}
