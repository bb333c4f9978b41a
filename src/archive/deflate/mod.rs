//! Deflate (RFC 1951) for JSON whose objects resemble each other.
//!
//! A compressor for everything looks for matches at every byte. Here a match can only begin where a field begins: at a comma.
//! So each field is looked up under its key, under key and value, and together with the field behind it, and of the matches
//! found the cheapest way through a piece of text is taken, weighed with what symbols have cost so far. A day of readings
//! becomes as small as the slowest levels of zlib make it, in the time of the fast ones (docs/performance.md).
//! Where nothing but the time changes it stays larger than zlib makes it, six bytes a reading against four: what follows the
//! digits of a time has to wait for its comma.
//!
//! All is integers, so that the same text gives the same bytes on every machine.

mod block;
mod cost;
mod huffman;
mod path;
mod symbol;

use block::Blocks;
use cost::Costs;
use path::Paths;
use symbol::{Counts, Token};

/// How far back a match may lie.
const WINDOW: usize = 32 * 1024;

/// Text is taken in pieces up to this size, so that how it was handed over does not show in the bytes.
const PIECE: usize = 32 * 1024;

/// A block ends after so many symbols: nights are not like days, but its codes cost some eighty bytes.
const SYMBOLS: usize = 10_000;

/// A text on its way.
#[derive(Debug, Default)]
pub(super) struct Deflate {
    /// The window, what has been taken after it, and what waits.
    text: Vec<u8>,
    taken: usize,
    paths: Paths,
    costs: Costs,
    counts: Counts,
    tokens: Vec<Token>,
    blocks: Blocks,
}

impl Deflate {
    /// Where the next text is appended; [`Deflate::flow`] is to be called after it.
    pub(super) const fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Takes what waits, once it is enough; `each` sees every byte once.
    pub(super) fn flow(&mut self, mut each: impl FnMut(&[u8])) {
        while self.text.len() - self.taken >= PIECE {
            let piece = &self.text[self.taken..self.taken + PIECE];
            // A field that is cut would be another one.
            let length = memchr::memrchr(b',', piece).filter(|length| *length > 0).unwrap_or(PIECE);
            self.take(self.taken + length, &mut each);
        }
    }

    /// Takes the rest and returns the whole deflated text. Afterwards another can come, into the room that this one took.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&[u8])) -> Vec<u8> {
        self.flow(&mut each);
        self.take(self.text.len(), &mut each);
        self.blocks.write(&self.tokens, &self.counts, true);
        self.text.clear();
        self.taken = 0;
        self.paths.forget_all();
        self.costs = Costs::default();
        self.counts = Counts::default();
        self.tokens.clear();
        self.blocks.finish()
    }

    fn take(&mut self, end: usize, each: &mut impl FnMut(&[u8])) {
        each(&self.text[self.taken..end]);
        let before = self.tokens.len();
        self.paths.cheapest(&self.text[..end], self.taken, &self.costs, &mut self.tokens);
        self.counts.take(&self.tokens[before..]);
        self.taken = end;
        self.costs.learn(&self.counts);
        if self.tokens.len() >= SYMBOLS {
            self.blocks.write(&self.tokens, &self.counts, false);
            self.tokens.clear();
            self.counts = Counts::default();
        }
        if self.taken > 2 * WINDOW {
            let past = self.taken - WINDOW;
            self.text.drain(..past);
            self.paths.forget(past);
            self.taken = WINDOW;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::DeflateDecoder;
    use proptest::prelude::*;
    use std::io::Read as _;

    fn deflated(parts: &[&[u8]]) -> Vec<u8> {
        let mut deflate = Deflate::default();
        let mut seen = Vec::new();
        for part in parts {
            deflate.text().extend_from_slice(part);
            deflate.flow(|piece| seen.extend_from_slice(piece));
        }
        let packed = deflate.finish(|piece| seen.extend_from_slice(piece));
        assert!(seen == parts.concat());
        packed
    }

    fn inflated(packed: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        DeflateDecoder::new(packed).read_to_end(&mut text).unwrap();
        text
    }

    /// A stretch of readings whose values wander.
    fn readings(count: u32) -> Vec<u8> {
        let mut text = Vec::new();
        let mut noise = 7_u32;
        for n in 0..count {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let volts = 2310 + (noise >> 27);
            let reading = format!(
                ",\n    {{\n      \"timestamp\": \"2025-11-07T{:02}:{:02}:00Z\",\n      \"valeurs\": {{\n        \
                 \"energie_active_import\": {}.{:03},\n        \"tension_l1\": {}.{}\n      }}\n    }}",
                n / 60 % 24,
                n % 60,
                n / 900,
                n % 1000,
                volts / 10,
                volts % 10
            );
            text.extend_from_slice(reading.as_bytes());
        }
        text
    }

    #[test]
    fn nothing_and_one_byte_are_texts() {
        for text in [&b""[..], b"a", b",", b",,,,,,,,,,,,,,,,"] {
            assert_eq!(inflated(&deflated(&[text])), text);
        }
    }

    #[test]
    fn readings_become_smaller_than_zlib_at_its_usual_level_makes_them() {
        use std::io::Write as _;
        let text = readings(1440);
        let mut zlib = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
        zlib.write_all(&text).unwrap();
        let (ours, theirs) = (deflated(&[&text]), zlib.finish().unwrap());
        assert!(inflated(&ours) == text);
        assert!(ours.len() < theirs.len(), "{} against {}", ours.len(), theirs.len());
    }

    #[test]
    fn repetition_of_any_length_and_from_any_distance_comes_back() {
        for period in [1, 3, 257, 258, 259, 4096, 32_767, 32_768, 32_769] {
            let mut text: Vec<u8> =
                (0..period).map(|n: u32| b"abcdef:\",0123456789"[(n * n % 1019 % 19) as usize]).collect();
            text.push(b',');
            let text = text.repeat(200_000 / text.len() + 2);
            assert!(inflated(&deflated(&[&text])) == text, "{period}");
        }
    }

    /// No match is shorter than three, and fields may be.
    #[test]
    fn fields_of_a_letter_or_none_are_texts() {
        let mut noise = 7_u32;
        let mut text = Vec::new();
        for _ in 0..20_000 {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.extend_from_slice([&b","[..], b",a", b"a", b"11", b",\"k\":1", b"\":"][(noise >> 16) as usize % 6]);
        }
        assert!(inflated(&deflated(&[&text])) == text);
    }

    /// Letters that hardly ever stand for themselves are dear, and a piece may begin with a value that ends with them: they
    /// are taken for digits first, and for less than nothing once a match covers them.
    #[test]
    fn values_with_rare_endings_are_texts() {
        let mut noise = 7_u32;
        let mut number = |below: u32| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 8) % below
        };
        let mut text = Vec::new();
        for _ in 0..20_000 {
            let (a, b, c) = (number(1000), number(100), number(100));
            text.extend_from_slice(format!(",\"a\":{a:03}~^|!?,\"b\":{b},\"c\":{c}").as_bytes());
        }
        assert!(inflated(&deflated(&[&text])) == text);
    }

    /// Codes of Fibonacci's frequencies would be longer than deflate allows.
    #[test]
    fn the_rarest_symbols_keep_a_code() {
        let mut text = Vec::new();
        let (mut often, mut more) = (1_usize, 1);
        for letter in b'a'..=b'w' {
            // Without commas nothing repeats, so every letter stays a literal.
            text.extend(std::iter::repeat_n(letter, often));
            (often, more) = (more, often + more);
        }
        assert!(inflated(&deflated(&[&text])) == text);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn whatever_goes_in_comes_out_however_it_was_handed_over(
            parts in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..60), 0usize..3000), 0..8),
        ) {
            let parts: Vec<Vec<u8>> = parts.iter().map(|(bytes, times)| [&bytes[..], b"\":1,"].concat().repeat(*times)).collect();
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let text = parts.concat();
            let packed = deflated(&parts);
            prop_assert!(inflated(&packed) == text);
            prop_assert!(packed == deflated(&[&text]));
        }

        #[test]
        fn what_was_packed_before_does_not_show(lengths in proptest::collection::vec(0u32..400, 1..5)) {
            let mut deflate = Deflate::default();
            for length in lengths {
                let text = readings(length);
                deflate.text().extend_from_slice(&text);
                let packed = deflate.finish(|_| {});
                prop_assert!(packed == deflated(&[&text]));
            }
        }
    }
}
