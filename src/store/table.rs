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
    let mut numbers = vec![None; ids.len()];
    for span_row in sealed::spans(connection, meter, period)? {
        let span = sealed::open(connection, &span_row)?;
        let wanted = span.first_at(None, period.start)?..span.first_at(None, period.end)?;
        let mut blocks = sealed::Blocks::of(connection, &span_row);
        let mut columns = Vec::with_capacity(ids.len());
        for &id in &ids {
            let rows = span.rows_of(id)?;
            let count = rows.as_ref().map_or(span.count, Vec::len);
            if count > 0 {
                columns.push(Some(Beside::at(wanted.start, rows, blocks.open(id, count)?)));
            } else {
                columns.push(None);
            }
        }
        for place in wanted {
            let at = span.time(place)?;
            for (column, number) in columns.iter_mut().zip(&mut numbers) {
                *number = column.as_mut().map_or(Ok(None), |column| column.next(place))?;
            }
            while waiting && row.at < at {
                sink(Instant::from_unix_micros(row.at), &row.numbers, row.quality);
                waiting = next(&mut row)?;
            }
            sink(Instant::from_unix_micros(at), &numbers, span.quality(place)?);
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
