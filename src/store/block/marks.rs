//! What a counter shows at each full hour of a span, so that what was used in a day is known without opening its block.
//!
//! ```text
//! [version 2] how many marks each has · count of series · each: series, exponent, columns behind their length
//! ```
//!
//! There is a mark at each full hour from the one before the span's start to the first that is not before its end. The
//! columns are the first mantissa at or after the hour, and by how much it is above the one before it. Behind the last
//! reading that stays the last mantissa, and nothing.

use super::Damage;
use super::bytes::{Source, put_bytes, put_count, put_number, put_signed};
use super::ints::{Ints, put_column, take_column};
use std::ops::Range;

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;
/// Spans of fewer readings are opened as fast.
const FEW: usize = 4096;
/// So many readings an hour have to stand behind a mark.
const DENSE: usize = 8;

/// The place of a time among the marks of a span; `None` where it has none. The ends of the span have one.
pub(crate) fn place(period: &Range<i64>, at: i64) -> Option<usize> {
    let base = period.start.div_euclid(HOUR);
    let hour = if at <= period.start {
        base
    } else if at >= period.end {
        end(period)
    } else if at.rem_euclid(HOUR) == 0 {
        at.div_euclid(HOUR)
    } else {
        return None;
    };
    usize::try_from(hour.saturating_sub(base)).ok()
}

/// The hour of the last mark.
const fn end(period: &Range<i64>) -> i64 {
    let hour = period.end.div_euclid(HOUR);
    if period.end.rem_euclid(HOUR) == 0 { hour } else { hour.saturating_add(1) }
}

/// How many marks a span of so many readings has; `None` where they are not worth it.
pub(crate) fn count(period: &Range<i64>, readings: usize) -> Option<usize> {
    let hours = usize::try_from(end(period).saturating_sub(period.start.div_euclid(HOUR))).ok()?;
    (readings >= FEW && readings / DENSE >= hours).then_some(hours + 1)
}

/// Appends the marks of a series, all of whose mantissas stand at `exponent`.
pub(crate) fn put(
    out: &mut Vec<u8>,
    (series, exponent): (u32, i8),
    (period, count): (&Range<i64>, usize),
    (times, mantissas): (&[i64], &[i64]),
) {
    let (firsts, steps) = columns(period, count, times, mantissas);
    put_number(out, u64::from(series));
    put_signed(out, i64::from(exponent));
    let mut both = Vec::new();
    put_column(&mut both, &firsts);
    put_column(&mut both, &steps);
    put_bytes(out, &both);
}

/// For each mark the first mantissa at or after it, and by how much it is above the one before.
fn columns(period: &Range<i64>, count: usize, times: &[i64], mantissas: &[i64]) -> (Vec<i64>, Vec<i64>) {
    let base = period.start.div_euclid(HOUR);
    let mut row = 0;
    let mark = |hour: i64| {
        let from = hour.saturating_mul(HOUR);
        while times.get(row).is_some_and(|&time| time < from) {
            row += 1;
        }
        let before = row.checked_sub(1).and_then(|row| mantissas.get(row)).copied();
        let first = mantissas.get(row).copied().or(before).unwrap_or_default();
        (first, first.wrapping_sub(before.unwrap_or(first)))
    };
    (base..).take(count).map(mark).unzip()
}

/// The marks of a span, those of each series as bytes.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    count: usize,
    series: Vec<(u32, i8, Box<[u8]>)>,
}

impl Packed {
    pub(crate) fn take(source: &mut Source<'_>) -> Result<Self, Damage> {
        let count = usize::try_from(source.number()?).map_err(|_| Damage("too many marks"))?;
        let mut series = Vec::new();
        for _ in 0..source.count()? {
            let id = u32::try_from(source.number()?).map_err(|_| Damage("no such series"))?;
            let exponent = i8::try_from(source.signed()?).map_err(|_| Damage("no such exponent"))?;
            series.push((id, exponent, source.bytes()?.into()));
        }
        Ok(Self { count, series })
    }

    /// The series that have marks.
    pub(crate) fn series(&self) -> impl Iterator<Item = u32> {
        self.series.iter().map(|(series, ..)| *series)
    }

    /// The marks of a series; `None` where it has none.
    pub(crate) fn open(&self, series: u32) -> Result<Option<Marks>, Damage> {
        let Some((_, exponent, bytes)) = self.series.iter().find(|(id, ..)| *id == series) else { return Ok(None) };
        let mut source = Source::new(bytes);
        let (firsts, steps) = (take_column(&mut source, self.count)?, take_column(&mut source, self.count)?);
        if !source.is_empty() {
            return Err(Damage("the marks of a span are too long"));
        }
        Ok(Some(Marks { exponent: *exponent, count: self.count, firsts, steps }))
    }
}

/// Appends how many marks each series has, and how many series have them.
pub(crate) fn put_head(out: &mut Vec<u8>, count: usize, series: usize) {
    put_count(out, count);
    put_count(out, series);
}

/// The marks of a series.
#[derive(Debug)]
pub(crate) struct Marks {
    pub(crate) exponent: i8,
    pub(crate) count: usize,
    firsts: Ints,
    steps: Ints,
}

impl Marks {
    /// The first mantissa at or after a mark.
    pub(crate) fn first(&self, place: usize) -> Result<i64, Damage> {
        let first = (place < self.count).then(|| self.firsts.get(place)).flatten();
        first.ok_or(Damage("a mark is missing"))
    }

    /// The last mantissa before a mark.
    pub(crate) fn last_before(&self, place: usize) -> Result<i64, Damage> {
        let step = (place < self.count).then(|| self.steps.get(place)).flatten();
        Ok(self.first(place)?.wrapping_sub(step.ok_or(Damage("a mark is missing"))?))
    }

    /// Whether they are those of a block.
    pub(crate) fn fit(&self, period: &Range<i64>, exponent: i8, times: &[i64], mantissas: &[i64]) -> bool {
        let (firsts, steps) = columns(period, self.count, times, mantissas);
        let same = |own: &Ints, other: &[i64]| (0..self.count).all(|at| own.get(at) == other.get(at).copied());
        place(period, period.end).is_some_and(|last| last + 1 == self.count)
            && exponent == self.exponent
            && same(&self.firsts, &firsts)
            && same(&self.steps, &steps)
    }
}
