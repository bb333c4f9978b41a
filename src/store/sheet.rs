//! Many readings at once, as columns: what statistics over years are made of.
//!
//! A [`Sheet`] is a sealed span, or the rows of the current days: its times and the numbers of some series, just as they come
//! out of the blocks. [`Store::survey`] says in which stretches they come, so that several threads, each with a store of its
//! own, can share the work; and how fine the numbers of each series are.

use super::block::Damage;
use super::block::ints::Ints;
use super::names::{Names, find_meter};
use super::segment::{Pace, falls};
use super::series::Series;
use super::{Store, StoreError, Trouble, hot, sealed};
use crate::reading::{Decimal, Instant, MeterId, Quality};
use rusqlite::{Connection, params};
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
    fn cut(self, range: &Range<usize>) -> Self {
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

    fn of(times: Ints, count: usize) -> Result<Self, Damage> {
        match times {
            Ints::Line(first, step) if step > 0 || count < 2 => Ok(Self::Even { first, step: step.max(1), count }),
            Ints::Line(first, 0) => Ok(Self::Listed(vec![first; count])),
            Ints::Values(times) if times.is_sorted() => Ok(Self::Listed(times)),
            _ => Err(Damage("the times of a span are out of order")),
        }
    }
}

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
    /// Sealed readings, to be asked for with [`Store::sheets`].
    Sealed {
        /// From when to when.
        period: Range<Instant>,
        /// About how many.
        readings: usize,
    },
    /// The readings of the current days, here they are.
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
            let mut from = period.start;
            for span in sealed::spans(connection, meter.row, &period)? {
                survey.open(&rows.take(span.period.start), series);
                let late = rows.take(span.period.end).len();
                for (series, finest) in series.iter().zip(&mut survey.finest) {
                    lower(finest, sealed_exponent(connection, &span, series)?);
                }
                let until = span.period.end.min(period.end);
                let bounds = from.max(span.period.start)..until;
                from = until;
                let readings = span.count + late;
                match survey.stretches.last_mut() {
                    // A day that was cut.
                    Some(Stretch::Sealed { period: before, readings: there })
                        if before.end.unix_micros() % DAY != 0 && before.end.unix_micros() == bounds.start =>
                    {
                        before.end = Instant::from_unix_micros(bounds.end);
                        *there += readings;
                    }
                    _ => survey.stretches.push(Stretch::Sealed { period: instants(&bounds), readings }),
                }
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
            for span in sealed::spans(connection, meter, &period)? {
                sink_rows(&rows.take(span.period.start), series, &mut sink);
                let late = rows.take(span.period.end);
                let Some(sheet) = sealed_sheet(connection, &span, series, &period)? else {
                    sink_rows(&late, series, &mut sink);
                    continue;
                };
                if late.is_empty() {
                    sink(sheet);
                } else {
                    let mut all = rows_of(&sheet);
                    all.extend(late);
                    // Stable: of one instant the sealed ones first.
                    all.sort_by_key(|row| row.at);
                    sink_rows(&all, series, &mut sink);
                }
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

const DAY: i64 = 86_400_000_000;
/// Before every time.
const FIRST: i64 = i64::MIN / 2;

fn micros(period: &Range<Instant>) -> Range<i64> {
    period.start.unix_micros()..period.end.unix_micros()
}

fn instants(period: &Range<i64>) -> Range<Instant> {
    Instant::from_unix_micros(period.start)..Instant::from_unix_micros(period.end)
}

fn lower(finest: &mut Option<i8>, exponent: Option<i8>) {
    *finest = match (*finest, exponent) {
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
fn sealed_exponent(connection: &Connection, span: &sealed::SpanRow, series: &Series) -> Result<Option<i8>, Trouble> {
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
    if block.is_scaled() {
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
    let exponent = decimals.iter().flatten().map(|number| number.exponent()).min()?;
    let mut numbers = Numbers { exponent, mantissas: Vec::new(), rows: None, is_steady: false };
    let mut kept = Vec::new();
    for (place, number) in decimals.iter().enumerate() {
        let scaled = number.and_then(|number| {
            let power = u32::try_from(i16::from(number.exponent()) - i16::from(exponent)).ok()?;
            number.mantissa().checked_mul(10i64.checked_pow(power)?)
        });
        if let Some(mantissa) = scaled {
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

    /// How far a reading can be trusted.
    #[must_use]
    pub fn quality(&self, row: usize) -> Quality {
        let only = if self.qualities.len() == 1 { 0 } else { row };
        self.qualities.get(only).copied().unwrap_or(Quality::Suspect)
    }
}

/// A reading as a row.
#[derive(Debug, Clone)]
struct Row {
    at: i64,
    quality: Quality,
    numbers: Vec<Option<Decimal>>,
}

/// The hot readings of a period.
struct Hot {
    rows: Vec<Row>,
    taken: usize,
}

impl Hot {
    fn read(
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
    fn take(&mut self, before: i64) -> Vec<Row> {
        let rest = self.rows.get(self.taken..).unwrap_or_default();
        let taken = rest.partition_point(|row| row.at < before);
        self.taken += taken;
        rest.get(..taken).unwrap_or_default().to_vec()
    }

    fn finest(&self, finest: &mut [Option<i8>]) {
        for row in &self.rows {
            for (finest, number) in finest.iter_mut().zip(&row.numbers) {
                lower(finest, number.map(Decimal::exponent));
            }
        }
    }
}

fn rows_of(sheet: &Sheet) -> Vec<Row> {
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

fn sink_rows(rows: &[Row], series: &[Series], sink: &mut impl FnMut(Sheet)) {
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
fn even(times: Vec<i64>) -> Times {
    if let [first, second, ..] = times.as_slice() {
        let step = second - first;
        if step > 0 && times.windows(2).all(|pair| matches!(pair, [a, b] if b - a == step)) {
            return Times::Even { first: *first, step, count: times.len() };
        }
    }
    Times::Listed(times)
}
