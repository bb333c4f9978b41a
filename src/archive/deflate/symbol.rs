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

/// A literal, or a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// 0 for a literal.
    pub(super) length: u16,
    /// The literal, or one less than the distance.
    rest: u16,
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
        Self { length: 0, rest: byte as u16 }
    }

    /// `length` is 3 to 258, `distance` 1 to 32,768.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) const fn matching(length: usize, distance: usize) -> Self {
        Self { length: length as u16, rest: (distance - 1) as u16 }
    }

    /// 0 and the literal, or length and distance.
    pub(super) const fn parts(self) -> (usize, usize) {
        if self.length == 0 { (0, self.rest as usize) } else { (self.length as usize, self.rest as usize + 1) }
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
    pub(super) const fn take(&mut self, token: Token) {
        match token.parts() {
            (0, byte) => self.literals[byte] += 1,
            (length, distance) => {
                self.literals[of_length(length).index] += 1;
                self.distances[of_distance(distance).index] += 1;
            }
        }
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
