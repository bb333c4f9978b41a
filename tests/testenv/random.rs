//! The same trouble on every machine.

/// A xorshift generator.
pub struct Random(pub u64);

impl Random {
    /// One of many, by its number.
    pub fn new(seed: usize) -> Self {
        Self((seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }

    /// Whether it is this time, of so many.
    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}
