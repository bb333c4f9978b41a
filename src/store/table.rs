//! Several registers of a meter side by side.

use super::block::Damage;
use super::block::column::Opened;
use super::names::{Names, meter_of_row};
use super::series::{HOT, Rows, Series, micros};
use super::{Store, StoreError, Trouble, hot, sealed};
use crate::reading::{Decimal, Instant, Quality};
use rusqlite::{Connection, params};
use std::ops::Range;

impl Store {
    /// The numbers of several series of a meter side by side: for each reading in `period`, in order of time, its time, the
    /// number of each series as sent (`None` where it has none), and its quality, into `sink`.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn table(
        &self,
        series: &[Series],
        period: Range<Instant>,
        mut sink: impl FnMut(Instant, &[Option<Decimal>], Quality),
    ) -> Result<(), StoreError> {
        let Some(meter) = series.first().map(|series| series.row) else { return Ok(()) };
        let series: Vec<&Series> = series.iter().filter(|series| series.row == meter).collect();
        self.read(|connection, names| {
            sealed::balance(connection, &meter_of_row(connection, meter)?)?;
            side_by_side(connection, names, &series, &micros(&period), &mut sink)
        })
    }
}

/// So many rows are put together at once.
const FEW: usize = 64;

/// A hot row of several series.
struct Row {
    at: i64,
    quality: Quality,
    numbers: Vec<Option<Decimal>>,
}

fn side_by_side(
    connection: &Connection,
    names: &mut Names,
    series: &[&Series],
    period: &Range<i64>,
    sink: &mut impl FnMut(Instant, &[Option<Decimal>], Quality),
) -> Result<(), Trouble> {
    let Some(meter) = series.first().map(|series| series.row) else { return Ok(()) };
    let ids: Vec<u32> = series.iter().map(|series| series.id).collect();
    let mut statement = connection.prepare_cached(HOT)?;
    let mut rows = statement.query(params![meter, period.start, period.end])?;
    let mut hot = hot::Numbers::new(meter, &ids);
    let mut row = Row { at: 0, quality: Quality::Good, numbers: vec![None; ids.len()] };
    let mut next = |row: &mut Row| -> Result<bool, Trouble> {
        let Some(found) = rows.next()? else { return Ok(false) };
        (row.at, row.quality) = hot.read(connection, names, found, &mut row.numbers)?;
        Ok(true)
    };
    let mut waiting = next(&mut row)?;
    let mut numbers = Vec::new();
    for span_row in sealed::spans(connection, meter, period)? {
        let span = sealed::open(connection, &span_row)?;
        let wanted = span.first_at(None, period.start)?..span.first_at(None, period.end)?;
        let rows = ids.iter().map(|&id| span.rows_of(id)).collect::<Result<Vec<_>, _>>()?;
        let count = |rows: &Rows| rows.as_ref().map_or(span.count, Vec::len);
        let blocks: Vec<(u32, usize)> = ids.iter().copied().zip(rows.iter().map(count)).collect();
        let blocks = sealed::open_blocks(connection, &span_row, &span, &blocks)?;
        let pairs = rows.into_iter().zip(blocks);
        let mut columns: Vec<Option<Beside>> =
            pairs.map(|(rows, block)| Some(Beside::at(wanted.start, rows, block?))).collect();
        let mut from = wanted.start;
        while from < wanted.end {
            // A column at a time, for so few rows that they stay in the processor's cache.
            let until = wanted.end.min(from.saturating_add(FEW));
            numbers.clear();
            numbers.resize((until - from) * ids.len(), None);
            for (place, column) in columns.iter_mut().enumerate() {
                if let Some(column) = column {
                    column.fill(from..until, &mut numbers, (place, ids.len()))?;
                }
            }
            for (place, numbers) in (from..until).zip(numbers.chunks_exact(ids.len())) {
                let at = span.time(place)?;
                while waiting && row.at < at {
                    sink(Instant::from_unix_micros(row.at), &row.numbers, row.quality);
                    waiting = next(&mut row)?;
                }
                sink(Instant::from_unix_micros(at), numbers, span.quality(place)?);
            }
            from = until;
        }
    }
    while waiting {
        sink(Instant::from_unix_micros(row.at), &row.numbers, row.quality);
        waiting = next(&mut row)?;
    }
    Ok(())
}

/// One of several series of a span, read row by row.
struct Beside {
    /// The rows that have it; `None` for all.
    rows: Rows,
    block: Opened,
    own: usize,
    index: usize,
}

impl Beside {
    /// At a row of the span.
    fn at(row: usize, rows: Rows, block: Opened) -> Self {
        let own = rows.as_ref().map_or(row, |rows| rows.partition_point(|&other| other < row));
        let index = if block.is_all_numbers() { own } else { (0..own).filter(|&row| block.is_number(row)).count() };
        Self { rows, block, own, index }
    }

    /// The numbers of the next rows of the span, at a place among so many of each row of `out`.
    fn fill(
        &mut self,
        rows: Range<usize>,
        out: &mut [Option<Decimal>],
        (place, width): (usize, usize),
    ) -> Result<(), Damage> {
        let mut slots = out.chunks_exact_mut(width).filter_map(|row| row.get_mut(place));
        if self.rows.is_some() || !self.block.is_all_numbers() {
            for (row, slot) in rows.zip(slots) {
                *slot = self.next(row)?;
            }
            return Ok(());
        }
        let mut put = |mantissa, exponent| {
            if let Some(slot) = slots.next() {
                *slot = Some(Decimal::new(mantissa, exponent));
            }
        };
        let next = self.index..self.index.saturating_add(rows.len());
        self.block.each_number(next.clone(), &mut put)?;
        (self.own, self.index) = (next.end, next.end);
        Ok(())
    }

    /// The number in the next row of the span; `None` where it has none.
    #[inline]
    fn next(&mut self, row: usize) -> Result<Option<Decimal>, Damage> {
        if self.rows.as_ref().is_some_and(|rows| rows.get(self.own) != Some(&row)) {
            return Ok(None);
        }
        self.own += 1;
        if !self.block.is_number(self.own - 1) {
            return Ok(None);
        }
        self.index += 1;
        let (mantissa, exponent) = self.block.number(self.index - 1)?;
        Ok(Some(Decimal::new(mantissa, exponent)))
    }
}
