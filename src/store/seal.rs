//! Sealing: rows of hours that are over become the span of their day, which grows until the day is over; and days of months
//! that are over become one.
//!
//! A late reading is a hot row in a period that is sealed. Readers see both; the next sealing opens the span and writes it
//! anew with the late ones in place.

use super::block::builder::Builder;
use super::block::skeleton::quality_number;
use super::names::{Names, all_meters};
use super::sealed::{self, SpanRow};
use super::{Store, StoreError, Trouble, hot};
use crate::reading::{Instant, MeterId, Reading};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::ops::Range;

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;
/// Days are joined up to so many readings: a month of minutes.
pub(super) const MONTH_ROWS: usize = 65_536;
/// A single day may hold more: one a second and half as many again. Beyond that it is cut.
pub(super) const DAY_ROWS: usize = 131_072;
/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;
/// A day or an hour is over for so long before it is sealed, for what is still on its way.
const GRACE: i64 = 600_000_000;
/// Hours of the current day are sealed once they have so many readings: half of what comes at one a minute.
const ENOUGH: usize = 30;
/// And one for each so many that are sealed of the day. The span of the day is written anew each time, so sealing writes no more
/// than 25 times the readings of a day, whatever comes late, and about 12 times where they come evenly.
const SHARE: usize = 24;

/// What may be sealed: days that are over, joined to months or not, and of the current day the hours that are over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sealing {
    /// The start of the current day, in microseconds since 1970.
    day: i64,
    /// The start of the current hour.
    hour: i64,
    months: bool,
}

/// What sealing did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Readings that were hot and are sealed.
    pub readings: usize,
    /// Spans that were written.
    pub spans: usize,
}

pub(super) fn start_of_day(at: i64) -> i64 {
    at.div_euclid(DAY).saturating_mul(DAY)
}

pub(super) fn end_of_day(at: i64) -> i64 {
    start_of_day(at).saturating_add(DAY)
}

pub(super) fn same_day(one: i64, other: i64) -> bool {
    one.div_euclid(DAY) == other.div_euclid(DAY)
}

/// The UTC month of a time; `None` beyond any calendar.
fn month(at: i64) -> Option<Range<i64>> {
    let (year, month, _) = Instant::from_unix_micros(at).utc_day();
    let start = Instant::start_of_utc_day(year, month, 1)?.unix_micros();
    let (year, month) = if month == 12 { (year.checked_add(1)?, 1) } else { (year, month + 1) };
    let end = Instant::start_of_utc_day(year, month, 1)?.unix_micros();
    (start..end).contains(&at).then_some(start..end)
}

impl Store {
    /// What may be sealed now.
    pub(super) fn sealing(&self, now: Instant) -> Sealing {
        let over = now.unix_micros().saturating_sub(GRACE);
        let hour = over.div_euclid(HOUR).saturating_mul(HOUR);
        Sealing { day: start_of_day(over), hour, months: self.months }
    }

    /// Whether days are joined to months once those are over; they are unless this is called.
    pub fn set_joining(&mut self, yes: bool) {
        self.months = yes;
    }

    /// Seals what is over: one transaction for each span.
    ///
    /// # Errors
    /// [`StoreError`], naming the file; what was sealed before it stays so.
    pub fn seal(&mut self, now: Instant) -> Result<Sealed, StoreError> {
        let mut done = Sealed::default();
        while let Some(readings) = self.seal_next(now)? {
            done.readings += readings;
            done.spans += 1;
        }
        if done.spans > 0 {
            done.spans += self.seal_rest(now)?;
        }
        Ok(done)
    }

    /// Seals the oldest day that is over, or the hours of the current one that are, in one transaction: a step of
    /// [`Store::seal`] for who has other things to do between. How many readings; `None` where there is nothing left, and
    /// [`Store::seal_rest`] is to follow.
    ///
    /// # Errors
    /// [`StoreError`], naming the file; nothing was changed then.
    pub fn seal_next(&mut self, now: Instant) -> Result<Option<usize>, StoreError> {
        let sealing = self.sealing(now);
        for meter in &self.read(|connection, _| all_meters(connection))? {
            // Looking needs no lock, and most of the time there is nothing.
            if self.read(|connection, _| due(connection, meter.row, sealing))?.is_none() {
                continue;
            }
            let meter = (meter.row, &meter.identifier);
            if let Some((at, readings)) =
                self.write(|connection, names| seal_oldest(connection, names, meter, sealing))?
            {
                self.unjoined |= at < sealing.day;
                return Ok(Some(readings));
            }
        }
        Ok(None)
    }

    /// What follows when something has been sealed: skeletons that nobody needs go, months that are over are joined. How many
    /// spans were written.
    ///
    /// # Errors
    /// [`StoreError`], naming the file; what was joined before it stays so.
    pub fn seal_rest(&mut self, now: Instant) -> Result<usize, StoreError> {
        if !self.read(|connection, _| unused_skeletons(connection))?.is_empty() {
            self.write(|connection, names| {
                names.forget();
                forget_skeletons(connection)
            })?;
        }
        // The last day of a month is sealed when the month is over; hours of the current day join nothing.
        if self.unjoined { self.join(now) } else { Ok(0) }
    }

    /// Joins the sealed days of months that are over; how many spans were written.
    ///
    /// # Errors
    /// [`StoreError`], naming the file; what was joined before it stays so.
    pub fn join(&mut self, now: Instant) -> Result<usize, StoreError> {
        let sealing = self.sealing(now);
        let mut joined = 0;
        if !sealing.months {
            return Ok(0);
        }
        for meter in &self.read(|connection, _| all_meters(connection))? {
            let meter = (meter.row, &meter.identifier);
            let mut from = i64::MIN;
            loop {
                let next = |connection: &Connection| next_to_join(connection, meter.0, from, sealing.day);
                let Some(found) = self.read(|connection, _| next(connection))? else { break };
                from = found.period.end;
                if found.is_several {
                    // Looked at again under the lock: another program may have been here.
                    self.write(|connection, names| {
                        match next_to_join(connection, meter.0, found.period.start, sealing.day)? {
                            Some(found) if found.is_several => {
                                joined += 1;
                                let spans = sealed::spans(connection, meter.0, &found.period)?;
                                rewrite(connection, names, meter, found.period, &spans).map(drop)
                            }
                            _ => Ok(()),
                        }
                    })?;
                }
            }
        }
        self.unjoined = false;
        Ok(joined)
    }
}

/// Up to when the hot rows of a meter are to be sealed; `None` where none is. It looks at few rows and needs no lock.
fn due(connection: &Connection, meter: i64, sealing: Sealing) -> Result<Option<i64>, Trouble> {
    let today = sealing.day..sealing.hour;
    if !today.is_empty() {
        let sealed: usize = sealed::spans(connection, meter, &today)?.iter().map(|span| span.count).sum();
        if hot::reaches(connection, meter, &today, ENOUGH.max(sealed / SHARE))? {
            return Ok(Some(sealing.hour));
        }
    }
    Ok(hot::any(connection, meter, &(i64::MIN..sealing.day))?.then_some(sealing.day))
}

/// A period around `at` that can become a span: its day is over and no span is there. Up to the end of the month where
/// that is over too.
pub(super) fn vacancy(
    connection: &Connection,
    meter: i64,
    at: i64,
    sealing: Sealing,
) -> Result<Option<Range<i64>>, Trouble> {
    let Some(month) = month(at).filter(|_| end_of_day(at) <= sealing.day) else { return Ok(None) };
    let end = if sealing.months && month.end <= sealing.day { month.end } else { end_of_day(at) };
    Ok(gap(connection, meter, at, start_of_day(at)..end)?.map(|(period, _)| period))
}

/// A period for a span, and the one before it or in whose place it stands.
type Room = (Range<i64>, Option<SpanRow>);

/// The part around `at` of a period that no span reaches into, and the span before it in that period; `None` where `at` is in
/// a span.
fn gap(connection: &Connection, meter: i64, at: i64, mut period: Range<i64>) -> Result<Option<Room>, Trouble> {
    let mut before = None;
    for span in sealed::spans(connection, meter, &period)? {
        if span.period.contains(&at) {
            return Ok(None);
        }
        if span.period.end <= at {
            period.start = span.period.end;
            before = Some(span);
        } else {
            period.end = period.end.min(span.period.start);
        }
    }
    Ok(Some((period, before)))
}

/// Seals the oldest hot readings of a meter: those of one span, or of one day. The time of the first and how many; `None`
/// where there are none.
fn seal_oldest(
    connection: &Connection,
    names: &mut Names,
    meter: (i64, &MeterId),
    sealing: Sealing,
) -> Result<Option<(i64, usize)>, Trouble> {
    // Looked at again under the lock: another program may have been here.
    let Some(until) = due(connection, meter.0, sealing)? else { return Ok(None) };
    let mut statement =
        connection.prepare_cached("SELECT at FROM hot WHERE meter = ?1 AND at > ?2 AND at < ?3 ORDER BY at LIMIT 1")?;
    let mut after = i64::MIN;
    loop {
        let oldest: Option<i64> = statement.query_row(params![meter.0, after, until], |row| row.get(0)).optional()?;
        let Some(at) = oldest else { return Ok(None) };
        match place(connection, meter.0, at, until)? {
            Some((period, old)) => {
                let before = old.as_ref().map_or(0, |span| span.count);
                let count = rewrite(connection, names, meter, period, old.as_slice())?;
                return Ok(Some((at, count.saturating_sub(before))));
            }
            // A time beyond any calendar: it stays a row.
            None => after = at,
        }
    }
}

/// The span that a hot reading goes into: its period, and the one whose place it takes.
fn place(connection: &Connection, meter: i64, at: i64, until: i64) -> Result<Option<Room>, Trouble> {
    if let Some(open) = sealed::spans(connection, meter, &(at..at.saturating_add(1)))?.pop() {
        return Ok(Some((open.period.clone(), Some(open))));
    }
    let day = start_of_day(at)..end_of_day(at).min(until);
    if month(at).is_none() {
        return Ok(None);
    }
    let gap = gap(connection, meter, at, day.clone())?;
    // What is sealed of the day grows; a span that began before it stays as it is.
    Ok(gap.map(|(period, before)| match before.filter(|before| before.period.start >= day.start) {
        Some(before) => (before.period.start..period.end, Some(before)),
        None => (period, None),
    }))
}

/// Spans of one month that fit into one.
struct Group {
    period: Range<i64>,
    is_several: bool,
}

/// The first spans from `from` on of a month that is over by the start of `day`, as many as fit together; `None` where there
/// are none left.
fn next_to_join(connection: &Connection, meter: i64, from: i64, day: i64) -> Result<Option<Group>, Trouble> {
    let mut statement =
        connection.prepare_cached("SELECT start FROM span WHERE meter = ?1 AND start >= ?2 ORDER BY start LIMIT 1")?;
    let first: Option<i64> = statement.query_row(params![meter, from], |row| row.get(0)).optional()?;
    let Some(first) = first else { return Ok(None) };
    let Some(month) = month(first).filter(|month| month.end <= day) else { return Ok(None) };
    let spans = sealed::spans(connection, meter, &(first..month.end))?;
    let mut count = 0;
    let fitting = spans.iter().take_while(|span| {
        count += span.count;
        count <= MONTH_ROWS && span.period.end <= month.end
    });
    let chosen = spans.get(..fitting.count().max(1)).unwrap_or_default();
    let ends = chosen.first().zip(chosen.last());
    Ok(ends.map(|(one, last)| Group { period: one.period.start..last.period.end, is_several: chosen.len() > 1 }))
}

/// Writes the readings of a period, sealed and hot, as new spans in place of the old ones. How many there are.
pub(super) fn rewrite(
    connection: &Connection,
    names: &mut Names,
    meter: (i64, &MeterId),
    period: Range<i64>,
    old: &[SpanRow],
) -> Result<usize, Trouble> {
    let mut writer =
        Writer { connection, meter: meter.0, start: period.start, builder: Builder::default(), count: 0, old };
    super::query::each(connection, names, meter, &period, &mut |names, at, source, reading| -> Result<(), Trouble> {
        writer.add(names, at, &source, &reading)
    })?;
    let count = writer.count;
    writer.flush(names, period.end)?;
    hot::remove(connection, meter.0, &period)?;
    Ok(count)
}

/// Collects readings into a span, or several where they are too many for one.
struct Writer<'c> {
    connection: &'c Connection,
    meter: i64,
    start: i64,
    builder: Builder,
    count: usize,
    /// What the new spans stand in place of.
    old: &'c [SpanRow],
}

impl Writer<'_> {
    fn add(&mut self, names: &mut Names, at: Instant, source: &str, reading: &Reading) -> Result<(), Trouble> {
        let micros = at.unix_micros();
        // Only ever a single day, of which everything that is sealed is in memory by then.
        if self.builder.len() >= DAY_ROWS && self.builder.last().is_some_and(|last| last < micros) {
            self.flush(names, micros)?;
        }
        let mut numbers = Vec::new();
        let id = names.encode(self.connection, self.meter, (reading, source, at), &mut numbers)?;
        let (bytes, skeleton) = names.skeleton(id)?;
        self.count += 1;
        Ok(self.builder.push(id, (&bytes, &skeleton), micros, quality_number(reading.quality), &numbers)?)
    }

    /// Writes what was collected as a span up to `until`.
    fn flush(&mut self, names: &mut Names, until: i64) -> Result<(), Trouble> {
        for span in std::mem::take(&mut self.old) {
            sealed::remove(self.connection, span)?;
        }
        let builder = std::mem::take(&mut self.builder);
        sealed::write(self.connection, names, self.meter, self.start..until, builder)?;
        self.start = until;
        Ok(())
    }
}

/// Removes skeletons that no hot row has.
fn forget_skeletons(connection: &Connection) -> Result<(), Trouble> {
    for id in unused_skeletons(connection)? {
        connection.execute("DELETE FROM skeleton WHERE id = ?1", [id])?;
    }
    Ok(())
}

/// The skeletons that no hot row has.
fn unused_skeletons(connection: &Connection) -> Result<Vec<i64>, Trouble> {
    let mut used = std::collections::BTreeSet::new();
    let mut statement = connection.prepare("SELECT data FROM hot")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let data = row.get_ref(0)?.as_blob().map_err(|_| super::block::Damage("a row is no blob"))?;
        used.insert(super::block::bytes::Source::new(data).number()?.cast_signed());
    }
    let mut statement = connection.prepare("SELECT id FROM skeleton")?;
    let all = statement.query_map([], |row| row.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(all.into_iter().filter(|id| !used.contains(id)).collect())
}

#[cfg(test)]
mod tests;
