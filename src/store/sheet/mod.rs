//! Many readings at once, as columns: what statistics over years are made of.
//!
//! A [`Sheet`] is a sealed span with the rows that are not sealed yet of its days, or rows alone: its times and the numbers
//! of some series, just as they come out of the blocks. No two sheets share a day (UTC). [`Store::survey`] says in which
//! stretches they come, so that several threads, each with a store of its own, can share the work; and how fine the numbers
//! of each series are.

mod days;
mod rows;
#[cfg(test)]
mod tests;
mod times;

pub use times::Times;

use super::block::Damage;
use super::names::find_meter;
use super::series::Series;
use super::{Store, StoreError, Trouble, sealed};
use crate::reading::{Decimal, Instant, MeterId, Quality};
use days::{Days, sink_days};
use rows::{Hot, Row, sink_rows};
use rusqlite::{Connection, params};
use std::ops::Range;

/// The numbers of a series in a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// The power of ten of the mantissas.
    pub exponent: i8,
    /// The digits, one for each row that has the number.
    pub mantissas: Vec<i64>,
    /// Which readings have it; `None` where all do.
    pub rows: Option<Vec<usize>>,
    /// For a counter: it only rose, and no faster than a meter can.
    pub is_steady: bool,
}

/// Readings as columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// When.
    pub times: Times,
    /// How far they can be trusted: one for all, or one for each.
    pub qualities: Vec<Quality>,
    /// The numbers of each series that was asked for; `None` where it has none.
    pub numbers: Vec<Option<Numbers>>,
}

/// A stretch of time whose readings come in few sheets.
#[derive(Debug)]
pub enum Stretch {
    /// Readings of days that are sealed, in whole or in part, to be asked for with [`Store::sheets`].
    Sealed {
        /// From when to when.
        period: Range<Instant>,
        /// About how many.
        readings: usize,
    },
    /// Readings of days of which nothing is sealed, here they are.
    Open(Sheet),
}

/// What is there to be read.
#[derive(Debug)]
pub struct Survey {
    /// In order of time, without overlap.
    pub stretches: Vec<Stretch>,
    /// For each series that was asked for, the finest power of ten of its numbers.
    pub finest: Vec<Option<i8>>,
    /// How many readings the meter has altogether.
    pub all: u64,
}

impl Store {
    /// In which stretches the readings of a meter in `period` come.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn survey(&self, meter: &MeterId, series: &[Series], period: Range<Instant>) -> Result<Survey, StoreError> {
        let period = micros(&period);
        self.read(|connection, names| {
            let mut survey = Survey { stretches: Vec::new(), finest: vec![None; series.len()], all: 0 };
            let Some(meter) = find_meter(connection, meter)? else { return Ok(survey) };
            // What is sealed is accounted for; rows of a page that was lost are missed by nobody else.
            sealed::balance(connection, &meter)?;
            let answer: String = connection.query_row("PRAGMA quick_check(hot)", [], |row| row.get(0))?;
            if answer != "ok" {
                return Err(Damage("SQLite finds its own structure damaged").into());
            }
            let hot: i64 =
                connection.query_row("SELECT count(*) FROM hot WHERE meter = ?1", [meter.row], |row| row.get(0))?;
            survey.all = u64::try_from(meter.sealed.saturating_add(hot)).unwrap_or_default();
            let mut rows = Hot::read(connection, names, meter.row, series, &period)?;
            rows.finest(&mut survey.finest);
            for days in Days::of(sealed::spans(connection, meter.row, &period)?) {
                survey.open(&rows.take(days.period.start), series);
                let late = rows.take(days.period.end);
                let mut readings = late.len();
                // What comes while this is read is not part of it.
                let mut until = late.last().map_or(i64::MIN, |row| row.at.saturating_add(1));
                for span in &days.spans {
                    for (series, finest) in series.iter().zip(&mut survey.finest) {
                        lower(finest, sealed_exponent(connection, span, series)?);
                    }
                    readings += span.count;
                    until = until.max(span.period.end);
                }
                let bounds = days.period.start.max(period.start)..until.min(period.end);
                survey.stretches.push(Stretch::Sealed { period: instants(&bounds), readings });
            }
            survey.open(&rows.take(i64::MAX), series);
            Ok(survey)
        })
    }

    /// The readings of a meter in `period` with the numbers of some of its series, in order of time, into `sink`.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn sheets(
        &self,
        series: &[Series],
        period: Range<Instant>,
        mut sink: impl FnMut(Sheet),
    ) -> Result<(), StoreError> {
        let Some(meter) = series.first().map(|series| series.row) else { return Ok(()) };
        let period = micros(&period);
        self.read(|connection, names| {
            let mut rows = Hot::read(connection, names, meter, series, &period)?;
            for days in Days::of(sealed::spans(connection, meter, &period)?) {
                sink_rows(&rows.take(days.period.start), series, &mut sink);
                let mut sheets = Vec::new();
                for span in &days.spans {
                    sheets.extend(sealed_sheet(connection, span, series, &period)?);
                }
                sink_days(sheets, &rows.take(days.period.end), series, &mut sink);
            }
            sink_rows(&rows.take(i64::MAX), series, &mut sink);
            Ok(())
        })
    }

    /// The times of the last reading of a meter before `period` and of the first after it.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn neighbours(
        &self,
        meter: &MeterId,
        period: &Range<Instant>,
    ) -> Result<(Option<Instant>, Option<Instant>), StoreError> {
        let period = micros(period);
        self.read(|connection, _| {
            let Some(meter) = find_meter(connection, meter)? else { return Ok((None, None)) };
            let hot = |sql: &str, at: i64| -> Result<Option<i64>, Trouble> {
                Ok(connection.prepare_cached(sql)?.query_row(params![meter.row, at], |row| row.get(0))?)
            };
            let mut before = hot("SELECT max(at) FROM hot WHERE meter = ?1 AND at < ?2", period.start)?;
            let mut after = hot("SELECT min(at) FROM hot WHERE meter = ?1 AND at >= ?2", period.end)?;
            let times = |span: &sealed::SpanRow| -> Result<Times, Trouble> {
                let opened = sealed::open(connection, span)?;
                Ok(Times::of(opened.times, opened.count)?)
            };
            for span in sealed::spans(connection, meter.row, &(FIRST..period.start))?.iter().rev() {
                let times = times(span)?;
                let index = times.position(period.start, 0);
                if let Some(found) = index.checked_sub(1).and_then(|index| times.get(index)) {
                    before = before.max(Some(found));
                    break;
                }
            }
            for span in &sealed::spans(connection, meter.row, &(period.end..i64::MAX))? {
                let times = times(span)?;
                if let Some(found) = times.get(times.position(period.end, 0)) {
                    after = Some(after.map_or(found, |after| after.min(found)));
                    break;
                }
            }
            Ok((before.map(Instant::from_unix_micros), after.map(Instant::from_unix_micros)))
        })
    }
}

/// Before every time.
const FIRST: i64 = i64::MIN / 2;

fn micros(period: &Range<Instant>) -> Range<i64> {
    period.start.unix_micros()..period.end.unix_micros()
}

fn instants(period: &Range<i64>) -> Range<Instant> {
    Instant::from_unix_micros(period.start)..Instant::from_unix_micros(period.end)
}

/// Digits behind this are residues of binary fractions: at their scale nothing else would fit.
pub(in crate::store) const FLOOR: i8 = -9;

/// The mantissa of a number at an exponent; digits behind it are rounded, half to even. `None` where it does not fit.
pub(in crate::store) fn mantissa_at(number: Decimal, exponent: i8) -> Option<i64> {
    let mantissa = i128::from(number.mantissa());
    let places = i16::from(number.exponent()) - i16::from(exponent);
    let power = 10i128.checked_pow(u32::from(places.unsigned_abs()));
    if places >= 0 {
        return i64::try_from(mantissa.checked_mul(power?)?).ok();
    }
    let Some(power) = power else { return Some(0) };
    let (whole, rest) = (mantissa.div_euclid(power), mantissa.rem_euclid(power));
    let is_up = rest > power - rest || (rest == power - rest && whole.rem_euclid(2) == 1);
    i64::try_from(whole + i128::from(is_up)).ok()
}

fn lower(finest: &mut Option<i8>, exponent: Option<i8>) {
    *finest = match (*finest, exponent.map(|exponent| exponent.max(FLOOR))) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
}

impl Survey {
    fn open(&mut self, rows: &[Row], series: &[Series]) {
        sink_rows(rows, series, &mut |sheet| self.stretches.push(Stretch::Open(sheet)));
    }
}

/// The exponent of a series in a span.
pub(in crate::store) fn sealed_exponent(
    connection: &Connection,
    span: &sealed::SpanRow,
    series: &Series,
) -> Result<Option<i8>, Trouble> {
    match sealed::totals(connection, span, series.id)? {
        Some((Some(totals), _)) => Ok(Some(totals.exponent)),
        Some((None, _)) => {
            let rows = sealed::open(connection, span)?.rows_of(series.id)?.map_or(span.count, |rows| rows.len());
            let block = sealed::open_block(connection, span, series.id, rows)?;
            let mut finest = None;
            for index in 0..block.numbers {
                lower(&mut finest, Some(block.number(index)?.1));
            }
            Ok(finest)
        }
        None => Ok(None),
    }
}

/// A span as a sheet, as far as it lies in a period.
fn sealed_sheet(
    connection: &Connection,
    row: &sealed::SpanRow,
    series: &[Series],
    period: &Range<i64>,
) -> Result<Option<Sheet>, Trouble> {
    let span = sealed::open(connection, row)?;
    let mut numbers = Vec::with_capacity(series.len());
    for series in series {
        numbers.push(sealed_numbers(connection, row, &span, series)?);
    }
    let qualities = match span.one_quality()? {
        Some(quality) => vec![quality],
        None => (0..span.count).map(|row| span.quality(row)).collect::<Result<_, _>>()?,
    };
    let times = Times::of(span.times, span.count)?;
    let mut sheet = Sheet { times, qualities, numbers };
    sheet.cut(period);
    Ok((!sheet.times.is_empty()).then_some(sheet))
}

fn sealed_numbers(
    connection: &Connection,
    row: &sealed::SpanRow,
    span: &super::block::span::Span,
    series: &Series,
) -> Result<Option<Numbers>, Trouble> {
    let rows = span.rows_of(series.id)?;
    let count = rows.as_ref().map_or(span.count, Vec::len);
    if count == 0 {
        return Ok(None);
    }
    let block = sealed::open_block(connection, row, series.id, count)?;
    let is_steady = matches!(sealed::totals(connection, row, series.id)?, Some((Some(_), Some(0))));
    if block.numbers == 0 {
        return Ok(None);
    }
    let rows = if block.numbers == count {
        rows
    } else {
        // Some rows have a text in place of the number.
        let row = |place: usize| rows.as_ref().map_or(Some(place), |rows| rows.get(place).copied());
        Some((0..count).filter(|&place| block.is_number(place)).filter_map(row).collect())
    };
    if block.is_scaled() && block.finest().is_none_or(|exponent| exponent >= FLOOR) {
        return Ok(block.into_mantissas().map(|(exponent, mantissas)| Numbers {
            exponent,
            mantissas,
            rows,
            is_steady,
        }));
    }
    let decimals =
        (0..block.numbers).map(|index| Ok(Some(decimal(block.number(index)?)))).collect::<Result<_, Damage>>()?;
    Ok(common_scale(decimals, rows))
}

const fn decimal((mantissa, exponent): (i64, i8)) -> Decimal {
    Decimal::new(mantissa, exponent)
}

/// Numbers at the finest exponent at which most of them fit; those that do not are left out.
fn common_scale(decimals: Vec<Option<Decimal>>, rows: Option<Vec<usize>>) -> Option<Numbers> {
    let exponent = decimals.iter().flatten().map(|number| number.exponent()).min()?.max(FLOOR);
    let mut numbers = Numbers { exponent, mantissas: Vec::new(), rows: None, is_steady: false };
    let mut kept = Vec::new();
    for (place, number) in decimals.iter().enumerate() {
        if let Some(mantissa) = number.and_then(|number| mantissa_at(number, exponent)) {
            numbers.mantissas.push(mantissa);
            kept.push(rows.as_ref().map_or(place, |rows| rows.get(place).copied().unwrap_or(place)));
        }
    }
    if kept.len() < decimals.len() || rows.is_some() {
        numbers.rows = Some(kept);
    }
    Some(numbers)
}

impl Sheet {
    /// Leaves away what is not in a period.
    fn cut(&mut self, period: &Range<i64>) {
        let kept = self.times.position(period.start, 0)..self.times.position(period.end, 0);
        if kept.len() == self.times.len() {
            return;
        }
        let times = std::mem::replace(&mut self.times, Times::Listed(Vec::new()));
        self.times = times.cut(&kept);
        if self.qualities.len() > 1 {
            self.qualities.truncate(kept.end);
            self.qualities.drain(..kept.start);
        }
        for slot in &mut self.numbers {
            let Some(numbers) = slot else { continue };
            let inside = match &mut numbers.rows {
                None => kept.clone(),
                Some(rows) => {
                    let inside =
                        rows.partition_point(|&row| row < kept.start)..rows.partition_point(|&row| row < kept.end);
                    rows.truncate(inside.end);
                    rows.drain(..inside.start);
                    rows.iter_mut().for_each(|row| *row -= kept.start);
                    inside
                }
            };
            numbers.mantissas.truncate(inside.end);
            numbers.mantissas.drain(..inside.start);
            if numbers.mantissas.is_empty() {
                *slot = None;
            }
        }
    }

    /// The sheet of readings that lie elsewhere, in order of time: when, how far to be trusted, and a number for each series.
    /// `None` where there are none.
    #[must_use]
    pub fn of(series: &[Series], rows: Vec<(Instant, Quality, Vec<Option<Decimal>>)>) -> Option<Self> {
        let row = |(at, quality, numbers): (Instant, Quality, _)| Row { at: at.unix_micros(), quality, numbers };
        let rows: Vec<Row> = rows.into_iter().map(row).collect();
        let mut sheet = None;
        sink_rows(&rows, series, &mut |made| sheet = Some(made));
        sheet
    }

    /// The power of ten of the numbers of each series.
    pub fn exponents(&self) -> impl Iterator<Item = Option<i8>> {
        self.numbers.iter().map(|numbers| numbers.as_ref().map(|numbers| numbers.exponent))
    }

    /// How far a reading can be trusted.
    #[must_use]
    pub fn quality(&self, row: usize) -> Quality {
        let only = if self.qualities.len() == 1 { 0 } else { row };
        self.qualities.get(only).copied().unwrap_or(Quality::Suspect)
    }
}
