//! What symbols are about to cost, in sixteenths of a bit.

use super::symbol::{Counts, DISTANCES, END, LITERALS, LONGEST, SHORTEST, of_distance, of_length};

/// One bit.
const BIT: u32 = 16;

/// Costs of literals, lengths and distances, their extra bits included.
#[derive(Debug)]
pub(super) struct Costs {
    literals: [u16; 256],
    /// What a literal costs that is not looked at.
    any: u32,
    lengths: [u16; LONGEST + 1],
    distances: [u16; DISTANCES],
}

impl Default for Costs {
    /// Before anything is known: digits change, everything else repeats.
    fn default() -> Self {
        let mut counts = Counts::default();
        counts.literals[..END].fill(1);
        counts.literals[usize::from(b'0')..=usize::from(b'9')].fill(16);
        counts.literals[END + 1..].fill(8);
        counts.distances.fill(1);
        let mut costs = Self { literals: [0; 256], any: 0, lengths: [0; LONGEST + 1], distances: [0; DISTANCES] };
        costs.learn(&counts);
        costs
    }
}

impl Costs {
    /// Symbols cost what their frequency in a block says.
    pub(super) fn learn(&mut self, counts: &Counts) {
        let total = logarithm(counts.literals.iter().sum());
        let of = |index: usize| of_count(counts.literals[index], total);
        let literals: [u16; LITERALS] = std::array::from_fn(of);
        self.literals.copy_from_slice(&literals[..256]);
        let of_all = |(count, cost): (&u32, &u16)| (*count, count * u32::from(*cost));
        let sum = |(counts, costs), (count, cost)| (counts + count, costs + cost);
        let (count, cost) = counts.literals[..256].iter().zip(&literals).map(of_all).fold((0, 0), sum);
        self.any = cost / count.max(1);
        for (length, cost) in self.lengths.iter_mut().enumerate().skip(SHORTEST) {
            let symbol = of_length(length);
            *cost = literals[symbol.index] + bits(symbol.extra_bits);
        }
        let total = logarithm(counts.distances.iter().sum());
        for (index, cost) in self.distances.iter_mut().enumerate() {
            let extra_bits = u32::try_from(index / 2).unwrap_or_default().saturating_sub(1);
            *cost = of_count(counts.distances[index], total) + bits(extra_bits);
        }
    }

    /// What some literals cost.
    pub(super) fn literals(&self, bytes: &[u8]) -> u32 {
        bytes.iter().map(|byte| self.literal(*byte)).sum()
    }

    /// What the rest of a value costs: a few digits, one like the other, or more than those.
    #[inline]
    pub(super) fn rest(&self, bytes: &[u8]) -> u32 {
        match bytes.len() {
            count @ 0..=8 => count as u32 * self.any,
            _ => self.literals(bytes),
        }
    }

    pub(super) fn literal(&self, byte: u8) -> u32 {
        u32::from(self.literals[usize::from(byte)])
    }

    pub(super) fn length(&self, length: usize) -> u32 {
        u32::from(self.lengths[length])
    }

    pub(super) fn distance(&self, distance: usize) -> u32 {
        u32::from(self.distances[of_distance(distance).index])
    }
}

#[allow(clippy::cast_possible_truncation)]
const fn bits(count: u32) -> u16 {
    (count * BIT) as u16
}

/// No code is shorter than a bit; none that is worth a thought is longer than fifteen.
#[allow(clippy::cast_possible_truncation)]
fn of_count(count: u32, total: u32) -> u16 {
    // What has not come yet may still come.
    let own = if count == 0 { 0 } else { logarithm(count) };
    let rare = if count == 0 { 2 * BIT } else { 0 };
    (total.saturating_sub(own) + rare).clamp(BIT, 15 * BIT) as u16
}

/// The logarithm to the base of two, straight between its powers.
const fn logarithm(number: u32) -> u32 {
    let number = if number == 0 { 1 } else { number };
    let whole = number.ilog2();
    let part = ((number as u64) << 4 >> whole) as u32 - BIT;
    whole * BIT + part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_near_enough() {
        for number in [1_u32, 2, 3, 5, 100, 1000, 65_535, 1 << 31, u32::MAX] {
            let exact = f64::from(number).log2() * 16.0;
            assert!((f64::from(logarithm(number)) - exact).abs() < 2.5, "{number}");
        }
    }

    #[test]
    fn what_comes_often_is_cheap() {
        let mut counts = Counts::default();
        counts.literals[usize::from(b'0')] = 512;
        counts.literals[usize::from(b'1')] = 512;
        counts.literals[usize::from(b'2')] = 1;
        let mut costs = Costs::default();
        costs.learn(&counts);
        assert_eq!(costs.literal(b'0'), BIT);
        assert!(costs.literal(b'2') > 9 * BIT && costs.literal(b'x') > costs.literal(b'2'));
    }
}
