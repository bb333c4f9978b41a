//! What deflate writes: literals, and matches of what came before (RFC 1951, section 3.2.5).

/// The longest match.
pub(super) const LONGEST: usize = 258;

/// The shortest match.
pub(super) const SHORTEST: usize = 3;

/// The end of a block, among the literals and lengths.
pub(super) const END: usize = 256;

/// How many symbols there are for literals, the end, and lengths.
pub(super) const LITERALS: usize = 286;

/// How many symbols there are for distances.
pub(super) const DISTANCES: usize = 30;

/// How many different beginnings a token has: each literal, and each length.
pub(super) const BEGINNINGS: usize = 256 + LONGEST + 1;

/// A literal, or a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// The literal, or 256 more than the length.
    first: u16,
    /// The distance as a symbol, and the bits that follow that; [`DISTANCES`] for a literal.
    symbol: u16,
    extra: u16,
}

/// A symbol and the bits that follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Symbol {
    pub(super) index: usize,
    pub(super) extra_bits: u32,
    pub(super) extra: u32,
}

impl Token {
    pub(super) const fn literal(byte: u8) -> Self {
        Self { first: byte as u16, symbol: DISTANCES as u16, extra: 0 }
    }

    /// `length` is 3 to 258, `distance` 1 to 32,768.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) const fn matching(length: usize, distance: usize) -> Self {
        let Symbol { index, extra, .. } = of_distance(distance);
        Self { first: (256 + length) as u16, symbol: index as u16, extra: extra as u16 }
    }

    /// Which beginning it has.
    pub(super) const fn beginning(self) -> usize {
        self.first as usize
    }

    /// The symbol of the distance and the bits that follow; [`DISTANCES`] for a literal.
    pub(super) const fn distance(self) -> (usize, u64) {
        (self.symbol as usize, self.extra as u64)
    }
}

/// What a beginning is written with.
pub(super) const fn of_beginning(beginning: usize) -> Symbol {
    if beginning < 256 + SHORTEST {
        Symbol { index: beginning, extra_bits: 0, extra: 0 }
    } else {
        of_length(beginning - 256)
    }
}

/// Four symbols for each power of two, beginning after eight of their own.
#[allow(clippy::cast_possible_truncation)]
pub(super) const fn of_length(length: usize) -> Symbol {
    let above = length - SHORTEST;
    if length == LONGEST {
        return Symbol { index: LITERALS - 1, extra_bits: 0, extra: 0 };
    }
    if above < 8 {
        return Symbol { index: END + 1 + above, extra_bits: 0, extra: 0 };
    }
    let extra_bits = above.ilog2() - 2;
    let index = END + 1 + 4 * (extra_bits as usize + 1) + ((above >> extra_bits) & 3);
    Symbol { index, extra_bits, extra: (above & ((1 << extra_bits) - 1)) as u32 }
}

/// Two symbols for each power of two, beginning after four of their own.
#[allow(clippy::cast_possible_truncation)]
pub(super) const fn of_distance(distance: usize) -> Symbol {
    let above = distance - 1;
    if above < 4 {
        return Symbol { index: above, extra_bits: 0, extra: 0 };
    }
    let extra_bits = above.ilog2() - 1;
    let index = 2 * (extra_bits as usize + 1) + ((above >> extra_bits) & 1);
    Symbol { index, extra_bits, extra: (above & ((1 << extra_bits) - 1)) as u32 }
}

/// How many bits follow the symbol of a distance.
pub(super) const fn distance_extra_bits(index: usize) -> u32 {
    if index < 4 { 0 } else { index as u32 / 2 - 1 }
}

/// How often each symbol stands in a block.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    pub(super) literals: [u32; LITERALS],
    pub(super) distances: [u32; DISTANCES],
}

impl Default for Counts {
    fn default() -> Self {
        Self { literals: [0; LITERALS], distances: [0; DISTANCES] }
    }
}

impl Counts {
    pub(super) fn take(&mut self, tokens: &[Token]) {
        let mut beginnings = [0_u32; BEGINNINGS];
        let mut distances = [0_u32; DISTANCES + 1];
        for token in tokens {
            beginnings[token.beginning()] += 1;
            // Literals too: a branch would be guessed wrong half the time.
            distances[token.distance().0] += 1;
        }
        for (beginning, count) in beginnings.iter().enumerate() {
            self.literals[of_beginning(beginning).index] += count;
        }
        self.distances.iter_mut().zip(&distances).for_each(|(all, count)| *all += count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_those_of_the_standards_tables() {
        let length = |length| {
            let Symbol { index, extra_bits, extra } = of_length(length);
            (index, extra_bits, extra)
        };
        assert_eq!(
            [3, 10, 11, 12, 18, 19, 257, 258].map(length),
            [(257, 0, 0), (264, 0, 0), (265, 1, 0), (265, 1, 1), (268, 1, 1), (269, 2, 0), (284, 5, 30), (285, 0, 0)]
        );
        let distance = |distance| {
            let Symbol { index, extra_bits, extra } = of_distance(distance);
            (index, extra_bits, extra)
        };
        assert_eq!(
            [1, 4, 5, 6, 7, 24_576, 24_577, 32_768].map(distance),
            [(0, 0, 0), (3, 0, 0), (4, 1, 0), (4, 1, 1), (5, 1, 0), (28, 13, 8191), (29, 13, 0), (29, 13, 8191)]
        );
    }
}
