//! Chance that can be looked up: a number for each (seed, stream, index), the same on every machine and in every version.
//!
//! The finaliser of SplitMix64 (Steele, Lea, Flood: *Fast Splittable Pseudorandom Number Generators*, 2014; constants of
//! Stafford's mix 13) as a hash, so that any second can be asked without those before it. The bytes a seed gives are part
//! of what the simulator promises: this file may not change.

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The number at `index` of a stream: 64 bits, evenly spread.
pub(crate) const fn at(seed: u64, stream: u64, index: i64) -> u64 {
    let key = mix(seed.wrapping_add(stream.wrapping_mul(GOLDEN)));
    mix(key.wrapping_add(index.cast_unsigned().wrapping_mul(GOLDEN)).wrapping_add(GOLDEN))
}

/// A row of numbers that starts at one index.
#[derive(Debug, Clone)]
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) const fn new(seed: u64, stream: u64, index: i64) -> Self {
        Self(at(seed, stream, index))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number from `low` to `high`, both included; `low` where they are in the wrong order.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        within(self.next(), low, high)
    }

    /// Yes in so many of a thousand cases.
    pub(crate) fn chance(&mut self, per_mille: i64) -> bool {
        self.between(0, 999) < per_mille
    }
}

/// A drawn number brought into a range, both ends included.
pub(crate) fn within(drawn: u64, low: i64, high: i64) -> i64 {
    let count = u64::try_from(high.saturating_sub(low)).map_or(1, |width| width + 1);
    // The upper half of the product: even enough for counts far below 2^64, and without a division.
    let step = (u128::from(drawn) * u128::from(count)) >> 64;
    low.saturating_add(i64::try_from(step).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_never_change() {
        assert_eq!(at(0, 0, 0), 0xE220_A839_7B1D_CDAF, "the first number of the published SplitMix64 with seed 0");
        let first = [at(1, 2, 3), at(1, 2, 4), at(1, 3, 3)].map(|n| n >> 32);
        assert_eq!(first, [2_420_797_071, 1_711_812_863, 249_805_637]);
    }

    #[test]
    fn a_range_includes_both_ends() {
        let mut draws = Draws::new(1, 2, 3);
        let mut seen = [0; 3];
        for _ in 0..1000 {
            seen[usize::try_from(draws.between(-1, 1) + 1).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&count| count > 250), "{seen:?}");
        assert_eq!([draws.between(5, 5), draws.between(5, 4)], [5, 5]);
    }
}
