//! Blocks with codes of their own (RFC 1951, section 3.2.7).

use super::huffman::{codes, lengths};
use super::symbol::{BEGINNINGS, Counts, DISTANCES, END, Token, distance_extra_bits, of_beginning};

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
        self.put(u64::from(is_last), 1);
        self.put(2, 2);
        self.codes(&literals, &distances);
        let (literals, distances) = (codes(&literals), codes(&distances));
        // A length with its extra bits is one number, looked up like a literal.
        let beginnings: [(u64, u32); BEGINNINGS] = std::array::from_fn(|beginning| {
            let symbol = of_beginning(beginning);
            let code = literals[symbol.index];
            let bits = u64::from(code.bits) | u64::from(symbol.extra) << code.length;
            (bits, u32::from(code.length) + symbol.extra_bits)
        });
        let distances: [(u64, u32, u32); DISTANCES + 1] = std::array::from_fn(|index| match distances.get(index) {
            Some(code) => (code.bits.into(), code.length.into(), u32::from(code.length) + distance_extra_bits(index)),
            None => (0, 0, 0),
        });
        for token in tokens {
            let (bits, count) = beginnings[token.beginning()];
            let (symbol, extra) = token.distance();
            let (more, behind, all) = distances[symbol];
            // Fifteen bits for each code at most, and five and thirteen extra.
            self.put(bits | (more | extra << behind) << count, count + all);
        }
        let end = literals[END];
        self.put(end.bits.into(), end.length.into());
    }

    /// What was written, filled up to a byte.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let Self { mut bytes, waiting, bits } = std::mem::take(self);
        bytes.extend_from_slice(&waiting.to_le_bytes()[..bits.div_ceil(8) as usize]);
        bytes
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
        self.put((literals.len() - END - 1) as u64, 5);
        self.put((distances.len() - 1) as u64, 5);
        self.put((shown - 4) as u64, 4);
        ORDER[..shown].iter().for_each(|symbol| self.put(u64::from(own[*symbol]), 3));
        let own = codes(&own);
        for run in runs {
            self.put(own[run.symbol].bits.into(), u32::from(own[run.symbol].length));
            self.put(run.extra.into(), run.extra_bits);
        }
    }

    /// Appends bits, the lowest first; 48 at most.
    #[inline]
    fn put(&mut self, value: u64, count: u32) {
        self.waiting |= value << self.bits;
        self.bits += count;
        // All eight are written, and what is not whole once more: no branch.
        self.bytes.extend_from_slice(&self.waiting.to_le_bytes());
        let whole = self.bits / 8;
        self.bytes.truncate(self.bytes.len() - 8 + whole as usize);
        self.waiting >>= 8 * whole;
        self.bits %= 8;
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
