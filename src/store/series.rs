//! One register of a meter over time, and what its blocks say without being opened.

use super::block::Damage;
use super::block::column::Opened;
use super::block::span::Span;
use super::names::{Names, SeriesRow, find_meter, meter_of_row, series_of};
use super::sealed::{self, SpanRow};
use super::{Store, StoreError, Trouble, hot};
use crate::reading::{Code, Decimal, Instant, MeterId, Quality, Reading, Register, Unit};
use rusqlite::{Connection, params};
use std::ops::Range;

/// A register of a meter: a code with a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Which quantity.
    pub code: Code,
    /// In which unit its numbers are.
    pub unit: Option<Unit>,
    /// Which of several registers of that code in one telegram, from 0.
    pub nth: usize,
    meter: MeterId,
    pub(super) row: i64,
    pub(super) id: u32,
}

impl Series {
    /// The meter it is of.
    #[must_use]
    pub const fn meter(&self) -> &MeterId {
        &self.meter
    }
}

/// A number of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The time it counts under.
    pub at: Instant,
    /// The number as sent.
    pub value: Decimal,
    /// How far the reading can be trusted.
    pub quality: Quality,
}

/// What the numbers of a series come to over a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// The times of the first and the last of them.
    pub between: (Instant, Instant),
    /// How many.
    pub count: usize,
    /// The first.
    pub first: Decimal,
    /// The last.
    pub last: Decimal,
    /// The lowest.
    pub min: Decimal,
    /// The highest.
    pub max: Decimal,
    /// All together; `None` where that has more than 18 digits.
    pub sum: Option<Decimal>,
    /// For a counter: it only rose, and no faster than a meter can.
    pub is_steady: bool,
}

impl Store {
    /// The registers a meter ever sent, in the order they were first seen.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn series(&self, meter: &MeterId) -> Result<Vec<Series>, StoreError> {
        self.read(|connection, _| {
            let Some(meter) = find_meter(connection, meter)? else { return Ok(Vec::new()) };
            let rows = series_of(connection, meter.row)?;
            Ok(rows.into_iter().map(|row| Series::of(row, &meter.identifier)).collect())
        })
    }

    /// The registers a meter sent on the days of `period`.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn series_in(&self, meter: &MeterId, period: Range<Instant>) -> Result<Vec<Series>, StoreError> {
        let period = micros(&period);
        self.read(|connection, names| {
            let Some(meter) = find_meter(connection, meter)? else { return Ok(Vec::new()) };
            let mut there = std::collections::BTreeSet::new();
            for row in sealed::spans(connection, meter.row, &period)? {
                there.extend(sealed::open(connection, &row)?.series());
            }
            let mut hot = connection.prepare_cached(HOT)?;
            let mut rows = hot.query(params![meter.row, period.start, period.end])?;
            while let Some(row) = rows.next()? {
                there.extend(hot::series(connection, names, row)?);
            }
            let rows = series_of(connection, meter.row)?.into_iter().filter(|row| there.contains(&row.id));
            Ok(rows.map(|row| Series::of(row, &meter.identifier)).collect())
        })
    }

    /// The numbers of a series in `period`, in order of time, into `sink`.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn samples(
        &self,
        series: &Series,
        period: Range<Instant>,
        mut sink: impl FnMut(Sample),
    ) -> Result<(), StoreError> {
        self.read(|connection, names| {
            sealed::balance(connection, &meter_of_row(connection, series.row)?)?;
            each(connection, names, series, &micros(&period), &mut sink)
        })
    }

    /// What the numbers of a series come to in `period`: one entry for each sealed span or part of one and one for
    /// the rows between and behind them, in order of time. Blocks that lie inside the period are not opened.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn totals(&self, series: &Series, period: Range<Instant>) -> Result<Vec<Totals>, StoreError> {
        let period = micros(&period);
        self.read(|connection, names| {
            sealed::balance(connection, &meter_of_row(connection, series.row)?)?;
            let mut found = Vec::new();
            let mut from = period.start;
            for span in sealed::spans(connection, series.row, &period)? {
                let inside = span.period.start >= period.start && span.period.end <= period.end;
                if inside
                    && !hot::any(connection, series.row, &span.period)?
                    && let Some(known) = of_block(connection, series, &span)?
                {
                    found.extend(gather(connection, names, series, from..span.period.start)?);
                    from = span.period.end;
                    found.extend(known);
                    continue;
                }
                let until = span.period.end.min(period.end);
                found.extend(gather(connection, names, series, from..until)?);
                from = until;
            }
            found.extend(gather(connection, names, series, from..period.end)?);
            Ok(found)
        })
    }
}

pub(super) fn micros(period: &Range<Instant>) -> Range<i64> {
    period.start.unix_micros()..period.end.unix_micros()
}

impl Series {
    pub(super) fn of(row: SeriesRow, meter: &MeterId) -> Self {
        Self {
            code: row.code,
            unit: row.unit,
            nth: usize::try_from(row.nth).unwrap_or_default(),
            meter: meter.clone(),
            row: row.meter,
            id: row.id,
        }
    }

    /// The register of the series in a reading.
    pub(super) fn register<'r>(&self, reading: &'r Reading) -> Option<&'r Register> {
        let same = reading.registers.iter().filter(|register| register.code == self.code && register.unit == self.unit);
        same.into_iter().nth(self.nth)
    }
}

/// What a block says of a series; the outer `None` where it has to be opened, the inner where the span has no number of it.
fn of_block(connection: &Connection, series: &Series, row: &SpanRow) -> Result<Option<Option<Totals>>, Trouble> {
    let span = sealed::open(connection, row)?;
    let rows = span.rows_of(series.id)?;
    let count = rows.as_ref().map_or(span.count, Vec::len);
    if count == 0 {
        return Ok(Some(None));
    }
    let (totals, falls) = sealed::totals(connection, row, series.id)?.ok_or(Damage("a block is missing"))?;
    let Some(totals) = totals else { return Ok(None) };
    if count != totals.count {
        return Ok(None);
    }
    let time = |index: usize| {
        let row = rows.as_ref().map_or(Some(index), |rows| rows.get(index).copied());
        span.time(row.ok_or(Damage("a time is missing"))?).map(Instant::from_unix_micros)
    };
    let number = |mantissa| Decimal::new(mantissa, totals.exponent);
    Ok(Some(Some(Totals {
        between: (time(0)?, time(count.saturating_sub(1))?),
        count,
        first: number(totals.first),
        last: number(totals.last),
        min: number(totals.min),
        max: number(totals.max),
        sum: totals.sum.map(number),
        is_steady: falls == Some(0),
    })))
}

/// The same from the numbers themselves.
fn gather(
    connection: &Connection,
    names: &mut Names,
    series: &Series,
    period: Range<i64>,
) -> Result<Option<Totals>, Trouble> {
    if period.is_empty() {
        return Ok(None);
    }
    let mut found: Option<Totals> = None;
    each(connection, names, series, &period, &mut |sample: Sample| match &mut found {
        None => {
            let Sample { at, value, .. } = sample;
            found = Some(Totals {
                between: (at, at),
                count: 1,
                first: value,
                last: value,
                min: value,
                max: value,
                sum: Some(value),
                is_steady: false,
            });
        }
        Some(totals) => {
            totals.between.1 = sample.at;
            totals.count += 1;
            totals.last = sample.value;
            totals.min = totals.min.min(sample.value);
            totals.max = totals.max.max(sample.value);
            totals.sum = totals.sum.and_then(|sum| sum.checked_add(sample.value));
        }
    })?;
    Ok(found)
}

/// The numbers of a series in order of time; of one instant the sealed ones first.
pub(super) fn each(
    connection: &Connection,
    names: &mut Names,
    series: &Series,
    period: &Range<i64>,
    sink: &mut impl FnMut(Sample),
) -> Result<(), Trouble> {
    let mut statement = connection.prepare_cached(HOT)?;
    let mut rows = statement.query(params![series.row, period.start, period.end])?;
    let ids = [series.id];
    let mut numbers = hot::Numbers::new(series.row, &ids);
    let mut next_hot = |names: &mut Names| -> Result<Option<Sample>, Trouble> {
        while let Some(row) = rows.next()? {
            if let Some(sample) = sample(connection, names, &mut numbers, row)? {
                return Ok(Some(sample));
            }
        }
        Ok(None)
    };
    let mut waiting = next_hot(names)?;
    for row in sealed::spans(connection, series.row, period)? {
        let Some((span, rows, block)) = open(connection, series, &row)? else { continue };
        let inside = row.period.start >= period.start && row.period.end <= period.end;
        let undisturbed = waiting.is_none_or(|sample| sample.at.unix_micros() >= row.period.end);
        if inside && undisturbed && rows.is_none() && block.numbers == span.count && block.one_exponent().is_some() {
            whole(span, block, sink)?;
            continue;
        }
        let mut index = 0;
        let count = rows.as_ref().map_or(span.count, Vec::len);
        for place in 0..count {
            let row = rows.as_ref().and_then(|rows| rows.get(place).copied()).unwrap_or(place);
            if !block.is_number(place) {
                continue;
            }
            let at = span.time(row)?;
            if period.contains(&at) {
                while let Some(sample) = waiting.take_if(|sample| sample.at.unix_micros() < at) {
                    sink(sample);
                    waiting = next_hot(names)?;
                }
                let (mantissa, exponent) = block.number(index)?;
                let value = Decimal::new(mantissa, exponent);
                sink(Sample { at: Instant::from_unix_micros(at), value, quality: span.quality(row)? });
            }
            index += 1;
        }
    }
    while let Some(sample) = waiting.take() {
        sink(sample);
        waiting = next_hot(names)?;
    }
    Ok(())
}

/// A span that is wanted whole, all of whose readings have the number, with the same exponent.
fn whole(span: Span, block: Opened, sink: &mut impl FnMut(Sample)) -> Result<(), Trouble> {
    let qualities = match span.one_quality()? {
        Some(quality) => vec![quality],
        None => (0..span.count).map(|row| span.quality(row)).collect::<Result<_, _>>()?,
    };
    let times = span.times.into_vec(span.count);
    let Some((exponent, mantissas)) = block.into_mantissas() else { return Ok(()) };
    for ((&at, &mantissa), &quality) in times.iter().zip(&mantissas).zip(qualities.iter().cycle()) {
        sink(Sample { at: Instant::from_unix_micros(at), value: Decimal::new(mantissa, exponent), quality });
    }
    Ok(())
}

/// The numbers of the hot rows alone.
pub(super) fn each_hot(
    connection: &Connection,
    names: &mut Names,
    series: &Series,
    period: &Range<i64>,
    sink: &mut impl FnMut(Sample),
) -> Result<(), Trouble> {
    let mut statement = connection.prepare_cached(HOT)?;
    let mut rows = statement.query(params![series.row, period.start, period.end])?;
    let ids = [series.id];
    let mut numbers = hot::Numbers::new(series.row, &ids);
    while let Some(row) = rows.next()? {
        if let Some(sample) = sample(connection, names, &mut numbers, row)? {
            sink(sample);
        }
    }
    Ok(())
}

pub(super) const HOT: &str = "SELECT at, nth, data FROM hot WHERE meter = ?1 AND at >= ?2 AND at < ?3 ORDER BY at, nth";

/// The number of the one series in a hot row.
fn sample(
    connection: &Connection,
    names: &mut Names,
    numbers: &mut hot::Numbers<'_>,
    row: &rusqlite::Row<'_>,
) -> Result<Option<Sample>, Trouble> {
    let mut number = [None];
    let (at, quality) = numbers.read(connection, names, row, &mut number)?;
    let [number] = number;
    Ok(number.map(|value| Sample { at: Instant::from_unix_micros(at), value, quality }))
}

/// The rows of a span that have a series; `None` for all.
pub(super) type Rows = Option<Vec<usize>>;

/// Opens a span and the block of a series; `None` where the span has none of it.
pub(super) fn open(
    connection: &Connection,
    series: &Series,
    row: &SpanRow,
) -> Result<Option<(Span, Rows, Opened)>, Trouble> {
    let span = sealed::open(connection, row)?;
    let rows = span.rows_of(series.id)?;
    if rows.as_ref().is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let count = rows.as_ref().map_or(span.count, Vec::len);
    let block = sealed::open_block(connection, row, series.id, count)?;
    Ok(Some((span, rows, block)))
}
