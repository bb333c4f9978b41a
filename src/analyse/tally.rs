//! What the values of one quantity come to in one row.

use std::collections::BTreeMap;

/// Values wider apart than this are counted in a tree.
const WIDE: i64 = 1 << 22;
/// Fewer values than this are kept as they are.
const FEW: usize = 4096;

/// How often each value came.
#[derive(Debug, Clone)]
pub(super) enum Counts {
    Listed(Vec<i64>),
    /// The count of the lowest value, and of each one above it.
    Dense(i64, Vec<u32>),
    Tree(BTreeMap<i64, u64>),
}

impl Counts {
    fn of(values: &[i64], (min, max): (i64, i64)) -> Self {
        if values.len() <= FEW {
            return Self::Listed(values.to_vec());
        }
        let mut counts = Self::room(min, max);
        counts.add(values);
        counts
    }

    fn room(min: i64, max: i64) -> Self {
        match max.checked_sub(min).filter(|&range| range < WIDE).and_then(|range| usize::try_from(range).ok()) {
            Some(range) => Self::Dense(min, vec![0; range + 1]),
            None => Self::Tree(BTreeMap::new()),
        }
    }

    /// Adds values there is room for.
    fn add(&mut self, values: &[i64]) {
        match self {
            Self::Listed(all) => all.extend_from_slice(values),
            Self::Dense(base, counts) => {
                for &value in values {
                    if let Some(count) = usize::try_from(value - *base).ok().and_then(|place| counts.get_mut(place)) {
                        *count += 1;
                    }
                }
            }
            Self::Tree(counts) => values.iter().for_each(|&value| *counts.entry(value).or_default() += 1),
        }
    }

    /// The lowest and the highest value.
    fn ends(&self) -> Option<(i64, i64)> {
        match self {
            Self::Listed(all) => Some((*all.iter().min()?, *all.iter().max()?)),
            Self::Dense(base, counts) => Some((*base, base + i64::try_from(counts.len()).ok()? - 1)),
            Self::Tree(counts) => Some((*counts.first_key_value()?.0, *counts.last_key_value()?.0)),
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Listed(own), Self::Listed(other)) if own.len() + other.len() <= FEW => own.extend(other),
            (_, other) => {
                let (Some(a), Some(b)) = (self.ends(), other.ends()) else {
                    if self.ends().is_none() {
                        *self = other;
                    }
                    return;
                };
                let (min, max) = (a.0.min(b.0), a.1.max(b.1));
                let has_room = match &*self {
                    Self::Dense(..) => a == (min, max),
                    Self::Tree(_) => true,
                    Self::Listed(_) => false,
                };
                if !has_room {
                    // With room to spare, so that a range that grows is not moved each time.
                    let spare = (max - min) / 4;
                    let room = Self::room(min.saturating_sub(spare), max.saturating_add(spare));
                    let old = std::mem::replace(self, room);
                    self.pour(old);
                }
                self.pour(other);
            }
        }
    }

    fn pour(&mut self, other: Self) {
        if let (Self::Dense(base, counts), Self::Dense(low, others)) = (&mut *self, &other)
            && let Ok(from) = usize::try_from(low - *base)
        {
            let places = counts.iter_mut().skip(from);
            places.zip(others).for_each(|(count, other)| *count += other);
            return;
        }
        match other {
            Self::Listed(values) => self.add(&values),
            other => other.each(|value, count| match self {
                Self::Listed(all) => all.extend((0..count).map(|_| value)),
                Self::Dense(base, counts) => {
                    let place = usize::try_from(value - *base).ok();
                    if let Some(own) = place.and_then(|place| counts.get_mut(place)) {
                        *own += u32::try_from(count).unwrap_or(u32::MAX);
                    }
                }
                Self::Tree(counts) => *counts.entry(value).or_default() += count,
            }),
        }
    }

    /// Each value with how often it came, from the lowest on.
    fn each(&self, mut sink: impl FnMut(i64, u64)) {
        match self {
            Self::Listed(all) => {
                let mut all = all.clone();
                all.sort_unstable();
                all.chunk_by(|a, b| a == b).for_each(|run| {
                    if let Some(&value) = run.first() {
                        sink(value, run.len() as u64);
                    }
                });
            }
            Self::Dense(base, counts) => {
                for (value, &count) in (*base..).zip(counts).filter(|(_, count)| **count > 0) {
                    sink(value, u64::from(count));
                }
            }
            Self::Tree(counts) => counts.iter().for_each(|(&value, &count)| sink(value, count)),
        }
    }

    /// For each of some shares in per mille, rising, the lowest value that at least so many of all do not exceed.
    pub(super) fn percentiles<const N: usize>(&self, per_mille: [u64; N]) -> Option<[i64; N]> {
        let mut total = 0;
        self.each(|_, count| total += count);
        if total == 0 {
            return None;
        }
        let ranks = per_mille.map(|share| (share * total).div_ceil(1000).max(1));
        let (mut found, mut next, mut seen) = ([0; N], 0, 0);
        self.each(|value, count| {
            seen += count;
            while let Some(slot) = found.get_mut(next).filter(|_| ranks.get(next).is_some_and(|&rank| rank <= seen)) {
                *slot = value;
                next += 1;
            }
        });
        Some(found)
    }
}

/// A value and the first time it came.
type Mark = (i64, i64);

/// The values of a quantity in a row, all at one power of ten.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// How many.
    pub(super) count: u64,
    /// The lowest and the highest, with the time.
    pub(super) ends: Option<(Mark, Mark)>,
    /// Each value times the microseconds it stood.
    pub(super) weighted: i128,
    /// The microseconds.
    pub(super) weight: i128,
    pub(super) counts: Option<Counts>,
    /// Of the means over short windows: how many there are, and how many are as they should be.
    pub(super) windows: (u64, u64),
    /// The highest mean over a quarter of an hour, of what is drawn: sum, count, start.
    pub(super) quarter: Option<(i128, i64, i64)>,
}

impl Tally {
    /// Of values at the times that `at` tells by index; without weights.
    pub(super) fn of(values: &[i64], at: impl Fn(usize) -> i64, counted: bool) -> Option<Self> {
        let (min, max) = (*values.iter().min()?, *values.iter().max()?);
        let first = |wanted: i64| {
            let index = values.iter().position(|&value| value == wanted).unwrap_or_default();
            (wanted, at(index))
        };
        Some(Self {
            count: values.len() as u64,
            ends: Some((first(min), first(max))),
            counts: counted.then(|| Counts::of(values, (min, max))),
            ..Self::default()
        })
    }

    /// That a value stood so long.
    pub(super) fn lay(&mut self, value: i64, micros: i64) {
        self.weighted += i128::from(value) * i128::from(micros);
        self.weight += i128::from(micros);
    }

    /// Adds what came later.
    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.weighted += other.weighted;
        self.weight += other.weight;
        self.windows = (self.windows.0 + other.windows.0, self.windows.1 + other.windows.1);
        self.ends = match (self.ends, other.ends) {
            (Some((min, max)), Some((low, high))) => {
                Some((if low.0 < min.0 { low } else { min }, if high.0 > max.0 { high } else { max }))
            }
            (own, other) => own.or(other),
        };
        match (&mut self.counts, other.counts) {
            (Some(own), Some(other)) => own.merge(other),
            (own, other) => *own = own.take().or(other),
        }
        self.offer(other.quarter);
    }

    /// A mean over a quarter, which counts if it is higher than the highest.
    pub(super) fn offer(&mut self, quarter: Option<(i128, i64, i64)>) {
        let higher = |(sum, count, _): (i128, i64, i64)| {
            self.quarter.is_none_or(|(own, of, _)| sum * i128::from(of) > own * i128::from(count))
        };
        if quarter.is_some_and(higher) {
            self.quarter = quarter;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn percentiles_are_those_of_the_sorted_values(
            pieces in proptest::collection::vec(
                (proptest::collection::vec(-50i64..50, 1..400), 0usize..30, prop_oneof![Just(0i64), Just(-9_000_000_000i64), 0i64..100_000]), 1..5),
        ) {
            let mut all = Vec::new();
            let mut tally = Tally::default();
            for (values, times, shift) in pieces {
                let values: Vec<i64> = values.iter().cycle().take(values.len() * (times + 1)).map(|value| value + shift).collect();
                tally.merge(Tally::of(&values, |_| 0, true).unwrap());
                all.extend(values);
            }
            all.sort_unstable();
            let at = |per_mille: usize| all[(all.len() * per_mille).div_ceil(1000).max(1) - 1];
            let found = tally.counts.unwrap().percentiles([0, 50, 500, 950, 990, 1000]).unwrap();
            prop_assert_eq!(found, [0, 50, 500, 950, 990, 1000].map(at));
            prop_assert_eq!(tally.ends.unwrap().0.0, all[0]);
        }
    }
}
