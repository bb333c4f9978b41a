//! Blocks with codes of their own (RFC 1951, section 3.2.7).

use super::huffman::{Code, codes, lengths};
use super::symbol::{Counts, END, LONGEST, SHORTEST, Symbol, Token, of_distance, of_length};

/// The order in which the lengths of the codes of lengths stand.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Blocks, one after the other.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    bytes: Vec<u8>,
    waiting: u64,
    bits: u32,
}

impl Blocks {
    /// Writes a block of symbols that come so often.
    pub(super) fn write(&mut self, tokens: &[Token], counts: &Counts, is_last: bool) {
        let (mut literals, mut distances) = (counts.literals, counts.distances);
        literals[END] = 1;
        // A code of one symbol is none; what does not come costs nothing.
        literals[0] = literals[0].max(1);
        distances[..2].iter_mut().for_each(|count| *count = (*count).max(1));
        let (literals, distances) = (lengths(&literals, 15), lengths(&distances, 15));
        self.put(u32::from(is_last), 1);
        self.put(2, 2);
        self.codes(&literals, &distances);
        let (literals, distances) = (codes(&literals), codes(&distances));
        // A length with its extra bits is one number, looked up like a literal.
        let matches: [(u32, u32); LONGEST + 1] = std::array::from_fn(|length| {
            if length < SHORTEST {
                return (0, 0);
            }
            let symbol = of_length(length);
            literals[symbol.index].with(symbol)
        });
        self.bytes.reserve(tokens.len() * 2);
        for token in tokens {
            match token.parts() {
                (0, byte) => self.put(u32::from(literals[byte].bits), u32::from(literals[byte].length)),
                (length, distance) => {
                    let (bits, count) = matches[length];
                    self.put(bits, count);
                    let symbol = of_distance(distance);
                    let (bits, count) = distances[symbol.index].with(symbol);
                    self.put(bits, count);
                }
            }
        }
        let end = literals[END];
        self.put(u32::from(end.bits), u32::from(end.length));
    }

    /// What was written, filled up to a byte.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let rest = self.waiting.to_le_bytes();
        self.bytes.extend_from_slice(&rest[..self.bits.div_ceil(8) as usize]);
        self.bytes
    }

    /// Says how long each code is, in a code of its own.
    #[allow(clippy::cast_possible_truncation)]
    fn codes(&mut self, literals: &[u8], distances: &[u8]) {
        let used = |lengths: &[u8], least: usize| {
            lengths.iter().rposition(|length| *length > 0).map_or(least, |last| (last + 1).max(least))
        };
        let (literals, distances) = (&literals[..used(literals, END + 1)], &distances[..used(distances, 1)]);
        let runs = runs(&[literals, distances].concat());
        let mut counts = [0; ORDER.len()];
        runs.iter().for_each(|run| counts[run.symbol] += 1);
        counts[..2].iter_mut().for_each(|count: &mut u32| *count = (*count).max(1));
        let own = lengths(&counts, 7);
        let shown = ORDER.iter().rposition(|symbol| own[*symbol] > 0).map_or(4, |last| (last + 1).max(4));
        self.put((literals.len() - END - 1) as u32, 5);
        self.put((distances.len() - 1) as u32, 5);
        self.put((shown - 4) as u32, 4);
        ORDER[..shown].iter().for_each(|symbol| self.put(u32::from(own[*symbol]), 3));
        let own = codes(&own);
        for run in runs {
            self.put(u32::from(own[run.symbol].bits), u32::from(own[run.symbol].length));
            self.put(run.extra, run.extra_bits);
        }
    }

    /// Appends bits, the lowest first; 32 at most.
    fn put(&mut self, value: u32, count: u32) {
        self.waiting |= u64::from(value) << self.bits;
        self.bits += count;
        if self.bits >= 32 {
            let [a, b, c, d, ..] = self.waiting.to_le_bytes();
            self.bytes.extend_from_slice(&[a, b, c, d]);
            self.waiting >>= 32;
            self.bits -= 32;
        }
    }
}

impl Code {
    /// The bits of a symbol and those that follow it, and how many there are.
    fn with(self, symbol: Symbol) -> (u32, u32) {
        (u32::from(self.bits) | symbol.extra << self.length, u32::from(self.length) + symbol.extra_bits)
    }
}

/// A length, or how often one is repeated.
struct Run {
    symbol: usize,
    extra_bits: u32,
    extra: u32,
}

#[allow(clippy::cast_possible_truncation)]
fn runs(lengths: &[u8]) -> Vec<Run> {
    let mut runs = Vec::new();
    for same in lengths.chunk_by(|a, b| a == b) {
        let length = usize::from(same[0]);
        let mut left = same.len();
        if length > 0 {
            runs.push(Run { symbol: length, extra_bits: 0, extra: 0 });
            left -= 1;
        }
        while left > 0 {
            let (symbol, extra_bits, least, most) = match length {
                0 if left >= 11 => (18, 7, 11, 138),
                0 if left >= 3 => (17, 3, 3, 10),
                1.. if left >= 3 => (16, 2, 3, 6),
                length => (length, 0, 1, 1),
            };
            let count = left.min(most);
            runs.push(Run { symbol, extra_bits, extra: (count - least) as u32 });
            left -= count;
        }
    }
    runs
}
