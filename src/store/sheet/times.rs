//! The times of a sheet.

use crate::store::block::Damage;
use crate::store::block::ints::Ints;
use std::ops::Range;

/// The times of the readings of a sheet, in microseconds since 1970; they never go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Times {
    /// One every so many microseconds.
    Even {
        /// The first.
        first: i64,
        /// From one to the next; more than none.
        step: i64,
        /// How many.
        count: usize,
    },
    /// Each.
    Listed(Vec<i64>),
}

impl Times {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Even { count, .. } => *count,
            Self::Listed(times) => times.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The time at an index below [`Times::len`]; beyond it there is none.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Option<i64> {
        match self {
            Self::Even { first, step, count } => {
                (index < *count).then(|| first.saturating_add(step.saturating_mul(index as i64)))
            }
            Self::Listed(times) => times.get(index).copied(),
        }
    }

    /// The index of the first that is not before `at`, looked for from index `from` on.
    #[must_use]
    pub fn position(&self, at: i64, from: usize) -> usize {
        match self {
            Self::Even { first, step, count } => {
                let ahead = at.saturating_sub(*first).max(0);
                let index = ahead.div_euclid(*step) + i64::from(ahead.rem_euclid(*step) != 0);
                usize::try_from(index).unwrap_or(usize::MAX).clamp(from.min(*count), *count)
            }
            Self::Listed(times) => {
                // What is looked for is mostly near: the distance is doubled until it is passed.
                let (mut low, mut reach) = (from.min(times.len()), 16);
                while times.get(low + reach).is_some_and(|&time| time < at) {
                    low += reach;
                    reach *= 2;
                }
                let high = (low + reach + 1).min(times.len());
                low + times.get(low..high).unwrap_or_default().partition_point(|&time| time < at)
            }
        }
    }

    /// The times at these indexes, which rise.
    #[must_use]
    pub fn only(&self, rows: &[usize]) -> Self {
        Self::Listed(rows.iter().filter_map(|&row| self.get(row)).collect())
    }

    /// Those of the indexes of a range.
    pub(super) fn cut(self, range: &Range<usize>) -> Self {
        match self {
            Self::Even { first, step, .. } => Self::Even {
                first: first.saturating_add(step.saturating_mul(range.start as i64)),
                step,
                count: range.len(),
            },
            Self::Listed(mut times) => {
                times.truncate(range.end);
                times.drain(..range.start.min(times.len()));
                Self::Listed(times)
            }
        }
    }

    pub(super) fn of(times: Ints, count: usize) -> Result<Self, Damage> {
        match times {
            Ints::Line(first, step) if step > 0 || count < 2 => Ok(Self::Even { first, step: step.max(1), count }),
            Ints::Line(first, 0) => Ok(Self::Listed(vec![first; count])),
            Ints::Line(..) => Err(Damage("the times of a span are out of order")),
            listed => match listed.into_vec(count) {
                times if times.is_sorted() => Ok(Self::Listed(times)),
                _ => Err(Damage("the times of a span are out of order")),
            },
        }
    }
}
