//! A column of whole numbers, in the form that takes the fewest bytes.
//!
//! | tag | form | what follows |
//! |---|---|---|
//! | 0 | constant | the number |
//! | 1 | line | the first number, the step |
//! | 2 | runs | their count; for each the difference to the run before, its length |
//! | 3 | differences | for each number the difference to the one before |
//! | 4–7 | pco | the lowest number, the length in bytes, a pco chunk of the numbers above it as u8, u16, u32 or u64 |
//!
//! How many numbers there are stands elsewhere: all columns of a block share it.
//!
//! Why pco: over a day of a household meter it needs 15–30 % fewer bytes than delta, bit packing and zstd together, and
//! decodes hundreds of millions of numbers a second (docs/STORE.md has the figures). Its own choice of deltas goes by a
//! sample that a short block misleads, so the first orders are all tried; and a narrow type makes its tables small.

use super::bytes::{Source, put_count, put_number, put_signed};
use super::{Damage, MAX_ROWS};
use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec, PagingSpec};
use std::ops::Range;

const CONSTANT: u8 = 0;
const LINE: u8 = 1;
const RUNS: u8 = 2;
const DIFFERENCES: u8 = 3;
const PCO_8: u8 = 4;
const PCO_16: u8 = 5;
const PCO_32: u8 = 6;
const PCO_64: u8 = 7;

/// Below so many numbers pco's tables cost more than they save.
const FEW: usize = 16;
/// Orders of differences that are tried.
const ORDERS: [usize; 3] = [0, 1, 2];

/// How a column is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Aim {
    /// In as few bytes as can be.
    #[default]
    Small,
    /// To be read fast, without pco's tables: for what is written anew soon.
    Fast,
}

/// Appends the numbers in the shortest form.
fn put_ints(out: &mut Vec<u8>, values: &[i64], aim: Aim) {
    let Some((&first, rest)) = values.split_first() else { return };
    let step = rest.first().map_or(0, |second| second.wrapping_sub(first));
    if values.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) {
        if step == 0 {
            out.push(CONSTANT);
            put_signed(out, first);
        } else {
            out.push(LINE);
            put_signed(out, first);
            put_signed(out, step);
        }
        return;
    }
    let mut best = runs(values);
    if values.len() < FEW || best.as_ref().is_none_or(|runs| runs.len() > values.len()) {
        keep_shorter(&mut best, differences(values));
    }
    if aim == Aim::Small && values.len() >= FEW && best.as_ref().is_none_or(|best| best.len() > FEW) {
        keep_shorter(&mut best, packed(values));
    }
    out.extend(best.unwrap_or_else(|| differences(values)));
}

fn keep_shorter(best: &mut Option<Vec<u8>>, other: impl Into<Option<Vec<u8>>>) {
    if let Some(other) = other.into()
        && best.as_ref().is_none_or(|best| other.len() < best.len())
    {
        *best = Some(other);
    }
}

/// `None` where there are too many runs to be worth it.
fn runs(values: &[i64]) -> Option<Vec<u8>> {
    let runs = values.chunk_by(|a, b| a == b);
    let count = runs.clone().count();
    if count * 3 > values.len() {
        return None;
    }
    let mut out = vec![RUNS];
    put_count(&mut out, count);
    let mut last = 0i64;
    for run in runs {
        put_signed(&mut out, run[0].wrapping_sub(last));
        put_count(&mut out, run.len());
        last = run[0];
    }
    Some(out)
}

fn differences(values: &[i64]) -> Vec<u8> {
    let mut out = vec![DIFFERENCES];
    let mut last = 0i64;
    for &value in values {
        put_signed(&mut out, value.wrapping_sub(last));
        last = value;
    }
    out
}

/// The shortest pco chunk of the values above the lowest one.
fn packed(values: &[i64]) -> Option<Vec<u8>> {
    let (low, high) = values.iter().fold((i64::MAX, i64::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    let span = high.wrapping_sub(low).cast_unsigned();
    let (tag, chunk) = match span {
        0..=0xFF => (PCO_8, shortest::<u8>(values, low)?),
        0x100..=0xFFFF => (PCO_16, shortest::<u16>(values, low)?),
        0x1_0000..=0xFFFF_FFFF => (PCO_32, shortest::<u32>(values, low)?),
        _ => (PCO_64, shortest::<u64>(values, low)?),
    };
    let mut out = vec![tag];
    put_signed(&mut out, low);
    put_count(&mut out, chunk.len());
    out.extend(chunk);
    Some(out)
}

/// An unsigned type that the distance to the lowest number fits into.
trait Narrow: Number + Default {
    fn above(low: i64, value: i64) -> Self;
    fn back(self, low: i64) -> i64;
}

macro_rules! narrow {
    ($($name:ty)*) => {$(
        impl Narrow for $name {
            // The caller chose the type by the largest distance.
            #[allow(clippy::cast_possible_truncation)]
            fn above(low: i64, value: i64) -> Self {
                value.wrapping_sub(low).cast_unsigned() as Self
            }
            #[allow(clippy::unnecessary_cast)]
            #[inline]
            fn back(self, low: i64) -> i64 {
                low.wrapping_add((self as u64).cast_signed())
            }
        }
    )*};
}
narrow!(u8 u16 u32 u64);

fn shortest<T: Narrow>(values: &[i64], low: i64) -> Option<Vec<u8>> {
    let narrow: Vec<T> = values.iter().map(|&value| T::above(low, value)).collect();
    ORDERS.into_iter().filter_map(|order| chunk(&narrow, order)).min_by_key(Vec::len)
}

/// `None` only where pco refuses its own input, which it never does for whole numbers; another form is then taken.
fn chunk<T: Number>(values: &[T], order: usize) -> Option<Vec<u8>> {
    let config = ChunkConfig::default()
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(if order == 0 { DeltaSpec::NoOp } else { DeltaSpec::TryConsecutive(order) })
        .with_paging_spec(PagingSpec::Exact(vec![values.len()]))
        .with_enable_8_bit(true);
    let file = FileCompressor::default();
    let mut chunk = file.chunk_compressor(values, &config).ok()?;
    let out = file.write_header(Vec::new()).ok()?;
    let out = chunk.write_meta(out).ok()?;
    chunk.write_page(0, out).ok()
}

/// A column that was read; one that does not change takes no room, and what pco packed as narrow numbers stays narrow.
#[derive(Debug, Clone)]
pub(crate) enum Ints {
    /// A first number and a step.
    Line(i64, i64),
    /// Each number.
    Values(Vec<i64>),
    /// How far each is above a lowest one.
    Above8(i64, Vec<u8>),
    /// The same.
    Above16(i64, Vec<u16>),
    /// The same.
    Above32(i64, Vec<u32>),
}

impl Ints {
    /// The number at `index`, which has to be below the column's count.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<i64> {
        match self {
            Self::Line(first, step) => Some(line(*first, *step, index)),
            Self::Values(values) => values.get(index).copied(),
            Self::Above8(low, values) => Some(values.get(index)?.back(*low)),
            Self::Above16(low, values) => Some(values.get(index)?.back(*low)),
            Self::Above32(low, values) => Some(values.get(index)?.back(*low)),
        }
    }

    /// The numbers in a range, one after the other; `None` where they are not all there.
    #[inline]
    pub(crate) fn each(&self, range: Range<usize>, mut sink: impl FnMut(i64)) -> Option<()> {
        match self {
            Self::Line(first, step) => range.for_each(|index| sink(line(*first, *step, index))),
            Self::Values(values) => values.get(range)?.iter().for_each(|value| sink(*value)),
            Self::Above8(low, values) => values.get(range)?.iter().for_each(|value| sink(value.back(*low))),
            Self::Above16(low, values) => values.get(range)?.iter().for_each(|value| sink(value.back(*low))),
            Self::Above32(low, values) => values.get(range)?.iter().for_each(|value| sink(value.back(*low))),
        }
        Some(())
    }

    /// The number that all are, where that is so.
    pub(crate) const fn constant(&self) -> Option<i64> {
        match self {
            Self::Line(value, 0) => Some(*value),
            _ => None,
        }
    }

    /// All `count` numbers.
    pub(crate) fn into_vec(self, count: usize) -> Vec<i64> {
        match self {
            Self::Line(first, step) => (0..count).map(|index| line(first, step, index)).collect(),
            Self::Values(values) => values,
            Self::Above8(low, values) => values.into_iter().map(|value| value.back(low)).collect(),
            Self::Above16(low, values) => values.into_iter().map(|value| value.back(low)).collect(),
            Self::Above32(low, values) => values.into_iter().map(|value| value.back(low)).collect(),
        }
    }
}

fn line(first: i64, step: i64, index: usize) -> i64 {
    first.wrapping_add(step.wrapping_mul((index as u64).cast_signed()))
}

/// Reads a column of `count` numbers.
fn take_ints(source: &mut Source<'_>, count: usize) -> Result<Ints, Damage> {
    if count == 0 {
        return Ok(Ints::Line(0, 0));
    }
    if count > MAX_ROWS {
        return Err(Damage("a column is too long"));
    }
    let values = match source.byte()? {
        CONSTANT => return Ok(Ints::Line(source.signed()?, 0)),
        LINE => return Ok(Ints::Line(source.signed()?, source.signed()?)),
        RUNS => take_runs(source, count)?,
        DIFFERENCES => {
            let mut value = 0i64;
            // No more than there can be.
            let mut values = Vec::with_capacity(count.min(source.rest().len()));
            for _ in 0..count {
                value = value.wrapping_add(source.signed()?);
                values.push(value);
            }
            values
        }
        tag => {
            let low = source.signed()?;
            let chunk = source.bytes()?;
            return Ok(match tag {
                PCO_8 => Ints::Above8(low, unpack(chunk, count)?),
                PCO_16 => Ints::Above16(low, unpack(chunk, count)?),
                PCO_32 => Ints::Above32(low, unpack(chunk, count)?),
                PCO_64 => Ints::Values(unpack::<u64>(chunk, count)?.into_iter().map(|value| value.back(low)).collect()),
                _ => return Err(Damage("a column has an unknown form")),
            });
        }
    };
    Ok(Ints::Values(values))
}

fn take_runs(source: &mut Source<'_>, count: usize) -> Result<Vec<i64>, Damage> {
    let runs = source.count()?;
    let mut values = Vec::with_capacity(count);
    let mut value = 0i64;
    for _ in 0..runs {
        value = value.wrapping_add(source.signed()?);
        let length = usize::try_from(source.number()?).unwrap_or(usize::MAX);
        if length > count - values.len() {
            return Err(Damage("a run is too long"));
        }
        values.extend(std::iter::repeat_n(value, length));
    }
    if values.len() == count { Ok(values) } else { Err(Damage("a column is too short")) }
}

fn unpack<T: Narrow>(chunk: &[u8], count: usize) -> Result<Vec<T>, Damage> {
    let read = || -> pco::errors::PcoResult<Option<Vec<T>>> {
        let (file, rest) = FileDecompressor::new(chunk)?;
        let (mut chunk, rest) = file.chunk_decompressor::<T, _>(rest)?;
        let mut page = chunk.page_decompressor(rest, count)?;
        let mut values = vec![T::default(); count];
        let progress = page.read(&mut values)?;
        Ok((progress.finished && progress.n_processed == count).then_some(values))
    };
    read().ok().flatten().ok_or(Damage("a pco chunk is damaged"))
}

/// Appends a column behind its length, so that it can be skipped.
pub(crate) fn put_column(out: &mut Vec<u8>, values: &[i64]) {
    put_column_as(Aim::Small, out, values);
}

/// The same with an aim.
pub(crate) fn put_column_as(aim: Aim, out: &mut Vec<u8>, values: &[i64]) {
    let mut column = Vec::new();
    put_ints(&mut column, values, aim);
    put_number(out, column.len() as u64);
    out.extend(column);
}

/// Reads a column written by [`put_column`].
pub(crate) fn take_column(source: &mut Source<'_>, count: usize) -> Result<Ints, Damage> {
    let mut column = Source::new(source.bytes()?);
    let values = take_ints(&mut column, count)?;
    if column.is_empty() { Ok(values) } else { Err(Damage("a column is too long")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn size(values: &[i64]) -> usize {
        let mut out = Vec::new();
        put_column(&mut out, values);
        let mut source = Source::new(&out);
        assert_eq!(take_column(&mut source, values.len()).unwrap().into_vec(values.len()), values);
        assert!(source.is_empty());
        out.len()
    }

    #[test]
    fn what_hardly_changes_costs_next_to_nothing() {
        assert!(size(&[7; 1440]) <= 4);
        let minutes: Vec<i64> = (0..1440).map(|minute| 1_762_473_600_000_000 + minute * 60_000_000).collect();
        assert!(size(&minutes) <= 20);
        let tariff: Vec<i64> = (0..1440).map(|minute| i64::from((420..1320).contains(&minute))).collect();
        assert!(size(&tariff) <= 16);
        assert_eq!(size(&[]), 1);
        size(&[i64::MIN, i64::MAX, 0, -1]);
    }

    #[test]
    fn noise_of_a_few_bits_costs_a_few_bits() {
        let mut state = 1u64;
        let volts: Vec<i64> = (0..1440)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                2300 + i64::try_from(state >> 60).unwrap()
            })
            .collect();
        // Four bits each are 720 bytes.
        assert!(size(&volts) < 760, "{}", size(&volts));
    }

    proptest! {
        #[test]
        fn any_numbers_come_back(values in proptest::collection::vec(any::<i64>(), 0..300)) {
            size(&values);
        }

        #[test]
        fn any_walk_comes_back(steps in proptest::collection::vec(-50i64..50, 0..600), start: i32) {
            let mut at = i64::from(start);
            let walk: Vec<i64> = steps.iter().map(|step| { at += step; at }).collect();
            size(&walk);
        }

        #[test]
        fn damaged_columns_are_errors_or_numbers(bytes: Vec<u8>, count in 0usize..5000) {
            let _ = take_column(&mut Source::new(&bytes), count);
        }
    }
}
