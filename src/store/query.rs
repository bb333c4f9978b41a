//! Reading the store: whole readings, hot and sealed ones in one stream, in bounded memory.

use super::block::Damage;
use super::names::{MeterRow, Names, all_meters, find_meter, series_of};
use super::{Store, StoreError, Trouble, hot, sealed};
use crate::reading::{
    Code, Columns, Decimal, Instant, MeterId, Protocol, Quality, Reading, Register, TariffMemory, Unit, Value,
};
use rusqlite::{Connection, params};
use smol_str::SmolStr;
use std::ops::Range;
use std::sync::Arc;

/// A reading out of the store.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The time it counts under.
    pub at: Instant,
    /// Where it came from.
    pub source: SmolStr,
    /// What it says, its registers as sent.
    pub reading: Reading,
}

/// Which registers a reading of nothing but numbers has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Code and unit of each, in the telegram's order.
    pub registers: Vec<(Code, Option<Unit>)>,
    /// Where its readings came from.
    pub source: SmolStr,
}

/// A reading out of the store, put together no further than it has to be.
#[derive(Debug)]
pub enum Lean<'r> {
    /// Any reading.
    Whole(Kept),
    /// One of nothing but numbers that has its instant to itself.
    Numbers {
        /// The time it counts under.
        at: Instant,
        /// How far it can be trusted.
        quality: Quality,
        /// Its registers: the same object for as long as they stay the same.
        shape: &'r Arc<Shape>,
        /// Their numbers as sent.
        numbers: &'r [Decimal],
    },
}

/// Either the store or the one who reads it stops.
enum Stop<E> {
    Store(Trouble),
    Sink(E),
}

impl<E> From<Trouble> for Stop<E> {
    fn from(trouble: Trouble) -> Self {
        Self::Store(trouble)
    }
}

impl Store {
    /// The meters there are readings of, by name.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn meters(&self) -> Result<Vec<MeterId>, StoreError> {
        self.read(|connection, _| Ok(all_meters(connection)?.into_iter().map(|meter| meter.identifier).collect()))
    }

    /// The identifier of the meter that is called so, by identifier or by alias.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn find_meter(&self, name: &MeterId) -> Result<Option<MeterId>, StoreError> {
        self.read(|connection, _| Ok(find_meter(connection, name)?.map(|meter| meter.identifier)))
    }

    /// What has to be known of a meter before its tariffs may be added up: whether it ever sent a total.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn tariff_memory(&self, meter: &MeterId) -> Result<TariffMemory, StoreError> {
        let series = self.read(|connection, _| match find_meter(connection, meter)? {
            Some(meter) => series_of(connection, meter.row),
            None => Ok(Vec::new()),
        })?;
        // A telegram that lists every code the meter ever sent teaches all there is to know.
        let mut all = Reading::new(Protocol::Iec62056);
        all.registers = series.into_iter().map(|series| Register::new(series.code, Value::Nothing, None)).collect();
        let mut memory = TariffMemory::default();
        let _ = Columns::of(&all, &mut memory);
        Ok(memory)
    }

    /// The readings of a meter in `period`, oldest first, one after the other into `sink`.
    ///
    /// # Errors
    /// [`StoreError`] naming the file, or what `sink` returns.
    pub fn readings<E: From<StoreError>>(
        &self,
        meter: &MeterId,
        period: Range<Instant>,
        mut sink: impl FnMut(Kept) -> Result<(), E>,
    ) -> Result<(), E> {
        let done = self.snapshot(|connection, names| -> Result<(), Stop<E>> {
            let Some(meter) = find_meter(connection, meter)? else { return Ok(()) };
            sealed::balance(connection, &meter)?;
            let period = period.start.unix_micros()..period.end.unix_micros();
            each(connection, names, (meter.row, &meter.identifier), &period, &mut |_, at, source, reading| {
                sink(Kept { at, source, reading }).map_err(Stop::Sink)
            })
        });
        done.map_err(|stop| match stop {
            Stop::Store(trouble) => trouble.at(&self.path).into(),
            Stop::Sink(error) => error,
        })
    }

    /// The same readings, but those of nothing but numbers as these: several times as fast where that is all there is.
    ///
    /// # Errors
    /// [`StoreError`] naming the file, or what `sink` returns.
    pub fn lean<E: From<StoreError>>(
        &self,
        meter: &MeterId,
        period: Range<Instant>,
        mut sink: impl FnMut(Lean<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let done = self.snapshot(|connection, names| -> Result<(), Stop<E>> {
            let Some(meter) = find_meter(connection, meter)? else { return Ok(()) };
            sealed::balance(connection, &meter)?;
            let period = period.start.unix_micros()..period.end.unix_micros();
            merge(connection, names, (meter.row, &meter.identifier), &period, true, &mut |_, lean| {
                sink(lean).map_err(Stop::Sink)
            })
        });
        done.map_err(|stop| match stop {
            Stop::Store(trouble) => trouble.at(&self.path).into(),
            Stop::Sink(error) => error,
        })
    }

    /// At how many different times a meter has readings in `period`, and the newest of these.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn instants(&self, meter: &MeterId, period: Range<Instant>) -> Result<(u64, Option<Instant>), StoreError> {
        self.read(|connection, _| {
            let Some(meter) = find_meter(connection, meter)? else { return Ok((0, None)) };
            let period = period.start.unix_micros()..period.end.unix_micros();
            let mut statement = connection
                .prepare_cached("SELECT DISTINCT at FROM hot WHERE meter = ?1 AND at >= ?2 AND at < ?3 ORDER BY at")?;
            let hot = statement.query_map(params![meter.row, period.start, period.end], |row| row.get::<_, i64>(0))?;
            let mut hot = hot.peekable();
            let (mut count, mut newest) = (0u64, None);
            let mut see = |at: i64| {
                if newest.is_none_or(|before| before < at) {
                    count += 1;
                    newest = Some(at);
                }
            };
            for row in sealed::spans(connection, meter.row, &period)? {
                let span = sealed::open(connection, &row)?;
                for index in 0..span.count {
                    let at = span.time(index)?;
                    while let Some(late) = hot.next_if(|late| late.as_ref().map_or(true, |&late| late < at)) {
                        see(late?);
                    }
                    if period.contains(&at) {
                        see(at);
                    }
                }
            }
            for late in hot {
                see(late?);
            }
            Ok((count, newest.map(Instant::from_unix_micros)))
        })
    }

    /// The times of the oldest and the newest reading of a meter; `None` where it has none.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn extent(&self, meter: &MeterId) -> Result<Option<(Instant, Instant)>, StoreError> {
        self.read(|connection, _| {
            let Some(meter) = find_meter(connection, meter)? else { return Ok(None) };
            extent(connection, &meter)
        })
    }
}

pub(super) fn extent(connection: &Connection, meter: &MeterRow) -> Result<Option<(Instant, Instant)>, Trouble> {
    let mut ends: Vec<i64> = Vec::new();
    let spans = sealed::spans(connection, meter.row, &(i64::MIN / 2..i64::MAX))?;
    if let (Some(first), Some(last)) = (spans.first(), spans.last()) {
        ends.push(sealed::open(connection, first)?.time(0)?);
        ends.push(sealed::open(connection, last)?.time(last.count.saturating_sub(1))?);
    }
    let hot: (Option<i64>, Option<i64>) =
        connection.query_row("SELECT min(at), max(at) FROM hot WHERE meter = ?1", [meter.row], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    ends.extend(hot.0.into_iter().chain(hot.1));
    let pair = ends.iter().min().zip(ends.iter().max());
    Ok(pair.map(|(&first, &last)| (Instant::from_unix_micros(first), Instant::from_unix_micros(last))))
}

/// The readings of a meter in a period, in order of time; of one instant the sealed ones first.
pub(super) fn each<E: From<Trouble>>(
    connection: &Connection,
    names: &mut Names,
    meter: (i64, &MeterId),
    period: &Range<i64>,
    sink: &mut impl FnMut(&mut Names, Instant, SmolStr, Reading) -> Result<(), E>,
) -> Result<(), E> {
    merge(connection, names, meter, period, false, &mut |names, lean| match lean {
        Lean::Whole(kept) => sink(names, kept.at, kept.source, kept.reading),
        Lean::Numbers { .. } => Ok(()),
    })
}

/// The same as lean as `may_be_lean` says.
fn merge<E: From<Trouble>>(
    connection: &Connection,
    names: &mut Names,
    meter: (i64, &MeterId),
    period: &Range<i64>,
    may_be_lean: bool,
    sink: &mut impl FnMut(&mut Names, Lean<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let sql = "SELECT at, nth, data FROM hot WHERE meter = ?1 AND at >= ?2 AND at < ?3 ORDER BY at, nth";
    let mut statement = connection.prepare_cached(sql).map_err(Trouble::from)?;
    let mut rows = statement.query(params![meter.0, period.start, period.end]).map_err(Trouble::from)?;
    let mut waiting = next_hot(&mut rows, connection, names, meter, None)?;
    let mut numbers = Vec::new();
    for span in sealed::spans(connection, meter.0, period)? {
        let mut readings = sealed::readings(connection, names, &span)?;
        readings.skip_until(period.start).map_err(Trouble::from)?;
        let mut before = span.period.start;
        let mut shapes: Vec<(usize, Arc<Shape>)> = Vec::new();
        while let Some(at) = readings.peek().filter(|&at| at < period.end) {
            if at < before || at >= span.period.end {
                return Err(Trouble::from(Damage("the times of a span are out of order")).into());
            }
            before = at;
            while let Some(row) = waiting.take_if(|row| row.at.unix_micros() < at) {
                waiting = deliver(row, &mut rows, connection, names, meter, sink)?;
            }
            let shared = waiting.as_ref().is_some_and(|row| row.at.unix_micros() == at);
            let layout = readings.plain_layout().filter(|_| may_be_lean && !shared);
            if let Some(layout) = layout {
                if !shapes.iter().any(|(of, _)| *of == layout) {
                    let shape = Shape { registers: readings.registers(layout), source: readings.source(layout) };
                    shapes.push((layout, Arc::new(shape)));
                }
                if let Some((_, shape)) = shapes.iter().find(|(of, _)| *of == layout) {
                    let (_, quality) = readings.next_numbers(layout, &mut numbers).map_err(Trouble::from)?;
                    let at = Instant::from_unix_micros(at);
                    sink(names, Lean::Numbers { at, quality, shape, numbers: &numbers })?;
                    continue;
                }
            }
            if let Some((at, reading, source)) = readings.next(meter.1).map_err(Trouble::from)? {
                sink(names, Lean::Whole(Kept { at, source, reading }))?;
            }
        }
    }
    while let Some(row) = waiting.take() {
        waiting = deliver(row, &mut rows, connection, names, meter, sink)?;
    }
    Ok(())
}

fn deliver<E: From<Trouble>>(
    row: hot::Hot,
    rows: &mut rusqlite::Rows<'_>,
    connection: &Connection,
    names: &mut Names,
    meter: (i64, &MeterId),
    sink: &mut impl FnMut(&mut Names, Lean<'_>) -> Result<(), E>,
) -> Result<Option<hot::Hot>, E> {
    let place = (row.at, row.nth);
    sink(names, Lean::Whole(Kept { at: row.at, source: row.source, reading: row.reading }))?;
    Ok(next_hot(rows, connection, names, meter, Some(place))?)
}

fn next_hot(
    rows: &mut rusqlite::Rows<'_>,
    connection: &Connection,
    names: &mut Names,
    meter: (i64, &MeterId),
    before: Option<(Instant, i64)>,
) -> Result<Option<hot::Hot>, Trouble> {
    let Some(row) = rows.next()? else { return Ok(None) };
    let next = hot::read(connection, names, meter, row)?;
    if before.is_some_and(|before| before >= (next.at, next.nth)) {
        return Err(Damage("rows are out of order").into());
    }
    Ok(Some(next))
}
