//! Rows that are not sealed yet, and how they become sheets.

use super::{Sheet, Times, common_scale, lower};
use crate::reading::{Decimal, Quality};
use crate::store::block::Damage;
use crate::store::names::Names;
use crate::store::segment::{Pace, falls};
use crate::store::series::Series;
use crate::store::{Trouble, hot};
use rusqlite::{Connection, params};
use std::ops::Range;

/// A reading as a row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) at: i64,
    pub(super) quality: Quality,
    pub(super) numbers: Vec<Option<Decimal>>,
}

/// The hot readings of a period.
pub(super) struct Hot {
    rows: Vec<Row>,
    taken: usize,
}

impl Hot {
    pub(super) fn read(
        connection: &Connection,
        names: &mut Names,
        meter: i64,
        series: &[Series],
        period: &Range<i64>,
    ) -> Result<Self, Trouble> {
        let ids: Vec<u32> = series.iter().map(|series| series.id).collect();
        let mut reader = hot::Numbers::new(meter, &ids);
        let mut statement = connection.prepare_cached(
            "SELECT at, nth, data FROM hot WHERE meter = ?1 AND at >= ?2 AND at < ?3 ORDER BY at, nth",
        )?;
        let mut found = statement.query(params![meter, period.start, period.end])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let mut numbers = vec![None; ids.len()];
            let (at, quality) = reader.read(connection, names, row, &mut numbers)?;
            rows.push(Row { at, quality, numbers });
        }
        if !rows.is_sorted_by_key(|row| row.at) {
            return Err(Damage("rows are out of order").into());
        }
        Ok(Self { rows, taken: 0 })
    }

    /// The next ones before a time.
    pub(super) fn take(&mut self, before: i64) -> Vec<Row> {
        let rest = self.rows.get(self.taken..).unwrap_or_default();
        let taken = rest.partition_point(|row| row.at < before);
        self.taken += taken;
        rest.get(..taken).unwrap_or_default().to_vec()
    }

    pub(super) fn finest(&self, finest: &mut [Option<i8>]) {
        for row in &self.rows {
            for (finest, number) in finest.iter_mut().zip(&row.numbers) {
                lower(finest, number.map(Decimal::exponent));
            }
        }
    }
}

pub(super) fn rows_of(sheet: &Sheet) -> Vec<Row> {
    let empty = |row: usize| Row {
        at: sheet.times.get(row).unwrap_or_default(),
        quality: sheet.quality(row),
        numbers: vec![None; sheet.numbers.len()],
    };
    let mut rows: Vec<Row> = (0..sheet.times.len()).map(empty).collect();
    for (series, numbers) in sheet.numbers.iter().enumerate() {
        let Some(numbers) = numbers else { continue };
        for (place, &mantissa) in numbers.mantissas.iter().enumerate() {
            let row = numbers.rows.as_ref().map_or(Some(place), |rows| rows.get(place).copied());
            let slot = row.and_then(|row| rows.get_mut(row)).and_then(|row| row.numbers.get_mut(series));
            if let Some(slot) = slot {
                *slot = Some(Decimal::new(mantissa, numbers.exponent));
            }
        }
    }
    rows
}

pub(super) fn sink_rows(rows: &[Row], series: &[Series], sink: &mut impl FnMut(Sheet)) {
    if rows.is_empty() {
        return;
    }
    let times: Vec<i64> = rows.iter().map(|row| row.at).collect();
    let one = rows.first().map(|row| row.quality).filter(|&quality| rows.iter().all(|row| row.quality == quality));
    let qualities = one.map_or_else(|| rows.iter().map(|row| row.quality).collect(), |quality| vec![quality]);
    let column = |(index, series): (usize, &Series)| {
        let has = |row: &Row| row.numbers.get(index).copied().flatten();
        let mut places = Vec::new();
        let mut decimals = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            if let Some(number) = has(row) {
                places.push(place);
                decimals.push(Some(number));
            }
        }
        let rows = (places.len() < rows.len()).then_some(places);
        let mut numbers = common_scale(decimals, rows)?;
        let own: Vec<i64> = match &numbers.rows {
            Some(rows) => rows.iter().filter_map(|&row| times.get(row).copied()).collect(),
            None => times.clone(),
        };
        numbers.is_steady = falls(Pace::of(series.unit, numbers.exponent), &own, &numbers.mantissas) == 0;
        Some(numbers)
    };
    let numbers = series.iter().enumerate().map(column).collect();
    sink(Sheet { times: even(times), qualities, numbers });
}

/// Times that are a line, as one: whether a reading is sealed or not makes no difference.
pub(super) fn even(times: Vec<i64>) -> Times {
    if let [first, second, ..] = times.as_slice() {
        let step = second - first;
        if step > 0 && times.windows(2).all(|pair| matches!(pair, [a, b] if b - a == step)) {
            return Times::Even { first: *first, step, count: times.len() };
        }
    }
    Times::Listed(times)
}
