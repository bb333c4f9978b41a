//! The readings of the current hour, and late ones, a row each.
//!
//! ```text
//! skeleton · quality · number · number · …    variable-length numbers
//! checksum (4 octets)                          over meter, time, place among readings of one instant, and the above
//! ```

use super::Trouble;
use super::block::Damage;
use super::block::bytes::{Source, put_number, put_signed, seal, unseal};
use super::block::skeleton::{quality_number, quality_of};
use super::names::Names;
use crate::reading::{Decimal, Instant, MeterId, Quality, Reading};
use rusqlite::{Connection, params};
use smol_str::SmolStr;
use std::ops::Range;

/// Adds a row at the next free place of its instant.
pub(super) fn insert(
    connection: &Connection,
    names: &mut Names,
    (meter, at, nth): (i64, Instant, i64),
    reading: &Reading,
    skeleton: u32,
    numbers: &[i64],
) -> Result<(), Trouble> {
    let row = names.skeleton_row(connection, skeleton)?;
    let mut data = Vec::with_capacity(16 + numbers.len() * 3);
    put_number(&mut data, row.cast_unsigned());
    put_signed(&mut data, quality_number(reading.quality));
    for &number in numbers {
        put_signed(&mut data, number);
    }
    let at = at.unix_micros();
    let data = seal(&[meter, at, nth], data);
    let mut statement = connection.prepare_cached("INSERT INTO hot (meter, at, nth, data) VALUES (?1, ?2, ?3, ?4)")?;
    statement.execute(params![meter, at, nth, data])?;
    Ok(())
}

/// A hot reading.
#[derive(Debug)]
pub(super) struct Hot {
    pub(super) at: Instant,
    pub(super) nth: i64,
    pub(super) source: SmolStr,
    pub(super) reading: Reading,
}

/// The reading of a row of `at, nth, data`.
pub(super) fn read(
    connection: &Connection,
    names: &mut Names,
    (meter, id): (i64, &MeterId),
    row: &rusqlite::Row<'_>,
) -> Result<Hot, Trouble> {
    let (micros, nth): (i64, i64) = (row.get(0)?, row.get(1)?);
    let data = row.get_ref(2)?.as_blob().map_err(|_| Damage("a row is no blob"))?;
    let mut source = Source::new(unseal(&[meter, micros, nth], data)?);
    let skeleton = names.skeleton_of_row(connection, source.number()?.cast_signed())?;
    let count = names.skeleton(skeleton)?.1.numbers;
    let quality = quality_of(source.signed()?)?;
    let numbers = (0..count).map(|_| source.signed()).collect::<Result<Vec<_>, _>>()?;
    if !source.is_empty() {
        return Err(Damage("a row is too long").into());
    }
    let at = Instant::from_unix_micros(micros);
    let (reading, source) = names.fill(connection, id, (at, quality), skeleton, &numbers)?;
    Ok(Hot { at, nth, source, reading })
}

/// Reads the numbers of some series out of rows, without putting readings together.
#[derive(Debug)]
pub(super) struct Numbers<'s> {
    meter: i64,
    series: &'s [u32],
    plans: Vec<Plan>,
    /// The plan of the last row: most have the same.
    last: usize,
    all: Vec<i64>,
}

/// Where the numbers of each series stand in the rows of a skeleton.
#[derive(Debug)]
struct Plan {
    skeleton: i64,
    count: usize,
    places: Vec<Option<usize>>,
}

impl<'s> Numbers<'s> {
    pub(super) const fn new(meter: i64, series: &'s [u32]) -> Self {
        Self { meter, series, plans: Vec::new(), last: 0, all: Vec::new() }
    }

    /// Time and quality of a row of `at, nth, data`; the numbers go to `out`.
    pub(super) fn read(
        &mut self,
        connection: &Connection,
        names: &mut Names,
        row: &rusqlite::Row<'_>,
        out: &mut [Option<Decimal>],
    ) -> Result<(i64, Quality), Trouble> {
        let (at, nth): (i64, i64) = (row.get(0)?, row.get(1)?);
        let data = row.get_ref(2)?.as_blob().map_err(|_| Damage("a row is no blob"))?;
        let mut source = Source::new(unseal(&[self.meter, at, nth], data)?);
        let skeleton = source.number()?.cast_signed();
        if self.plans.get(self.last).is_none_or(|plan| plan.skeleton != skeleton) {
            self.last = match self.plans.iter().position(|plan| plan.skeleton == skeleton) {
                Some(place) => place,
                None => {
                    let plan = self.plan(connection, names, skeleton)?;
                    self.plans.push(plan);
                    self.plans.len() - 1
                }
            };
        }
        let quality = quality_of(source.signed()?)?;
        let Some(plan) = self.plans.get(self.last) else { return Ok((at, quality)) };
        self.all.clear();
        for _ in 0..plan.count {
            self.all.push(source.signed()?);
        }
        if !source.is_empty() {
            return Err(Damage("a row is too long").into());
        }
        for (place, out) in plan.places.iter().zip(out) {
            *out = match place.and_then(|place| self.all.get(place..place + 2)) {
                Some([mantissa, exponent]) => {
                    let exponent = i8::try_from(*exponent).map_err(|_| Damage("no such exponent"))?;
                    Some(Decimal::new(*mantissa, exponent))
                }
                _ => None,
            };
        }
        Ok((at, quality))
    }

    fn plan(&self, connection: &Connection, names: &mut Names, skeleton: i64) -> Result<Plan, Trouble> {
        let id = names.skeleton_of_row(connection, skeleton)?;
        let (_, parsed) = names.skeleton(id)?;
        let mut next = parsed.head.numbers();
        let mut starts = Vec::new();
        for (series, form) in &parsed.registers {
            starts.push((*series, form.is_number().then_some(next)));
            next += form.numbers;
        }
        let place = |wanted: &u32| starts.iter().find(|(series, _)| series == wanted).and_then(|(_, start)| *start);
        Ok(Plan { skeleton, count: next, places: self.series.iter().map(place).collect() })
    }
}

/// The series of the reading of a row of `at, nth, data`.
pub(super) fn series(connection: &Connection, names: &mut Names, row: &rusqlite::Row<'_>) -> Result<Vec<u32>, Trouble> {
    let data = row.get_ref(2)?.as_blob().map_err(|_| Damage("a row is no blob"))?;
    let id = names.skeleton_of_row(connection, Source::new(data).number()?.cast_signed())?;
    Ok(names.skeleton(id)?.1.registers.iter().map(|(series, _)| *series).collect())
}

/// The readings of one instant.
pub(super) fn at_instant(
    connection: &Connection,
    names: &mut Names,
    (meter, id): (i64, &MeterId),
    at: Instant,
) -> Result<Vec<Hot>, Trouble> {
    let mut statement =
        connection.prepare_cached("SELECT at, nth, data FROM hot WHERE meter = ?1 AND at = ?2 ORDER BY nth")?;
    let mut rows = statement.query(params![meter, at.unix_micros()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(connection, names, (meter, id), row)?);
    }
    Ok(found)
}

/// Whether there is a hot reading of a meter in a period.
pub(super) fn any(connection: &Connection, meter: i64, period: &Range<i64>) -> Result<bool, Trouble> {
    let mut statement =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM hot WHERE meter = ?1 AND at >= ?2 AND at < ?3)")?;
    Ok(statement.query_row(params![meter, period.start, period.end], |row| row.get(0))?)
}

/// Whether there are so many hot readings of a meter in a period; no more of them are looked at.
pub(super) fn reaches(connection: &Connection, meter: i64, period: &Range<i64>, count: usize) -> Result<bool, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM hot WHERE meter = ?1 AND at >= ?2 AND at < ?3 LIMIT ?4)",
    )?;
    let limit = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(statement.query_row(params![meter, period.start, period.end, limit], |row| row.get::<_, i64>(0))? >= limit)
}

/// Removes the hot readings of a meter in a period.
pub(super) fn remove(connection: &Connection, meter: i64, period: &Range<i64>) -> Result<usize, Trouble> {
    let mut statement = connection.prepare_cached("DELETE FROM hot WHERE meter = ?1 AND at >= ?2 AND at < ?3")?;
    Ok(statement.execute(params![meter, period.start, period.end])?)
}
