//! What rows and blocks refer to by number: meters, series, skeletons. Kept in memory once seen.

use super::Trouble;
use super::block::bytes::{checksum, seal, unseal};
use super::block::skeleton::{Skeleton, put_skeleton};
use super::block::{Damage, MAX_SERIES};
use crate::reading::{Code, Instant, MeterId, Quality, Reading, Unit};
use rusqlite::{Connection, OptionalExtension as _, params};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::Arc;

/// Where a series stands: the row of its meter, code, unit, and which of several of that name.
type SeriesKey = (i64, Code, Option<Unit>, usize);

/// Numbers of names, and names of numbers.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// SQLite's count of commits by others; what they changed is looked up anew.
    version: Option<i64>,
    /// What is known comes from a transaction that is not over.
    in_doubt: bool,
    meters: HashMap<MeterId, i64>,
    series: HashMap<SeriesKey, u32>,
    labels: HashMap<u32, (Code, Option<Unit>)>,
    skeletons: Vec<Known>,
    by_bytes: HashMap<Arc<[u8]>, u32>,
    by_row: HashMap<i64, u32>,
    last: Last,
}

#[derive(Debug)]
struct Known {
    bytes: Arc<[u8]>,
    skeleton: Arc<Skeleton>,
    row: Option<i64>,
}

/// The reading before this one: most have the same skeleton.
#[derive(Debug, Default)]
struct Last {
    meter: i64,
    registers: Vec<(Code, Option<Unit>, u32)>,
    skeleton: Option<u32>,
    bytes: Vec<u8>,
}

/// So many skeletons are kept in memory.
const MAX_SKELETONS: usize = 4096;

impl Names {
    /// Forgets everything if another connection has written since.
    pub(super) fn refresh(&mut self, connection: &Connection) -> Result<(), Trouble> {
        let version = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        if self.version != Some(version) || self.in_doubt {
            *self = Self { version: Some(version), ..Self::default() };
        }
        Ok(())
    }

    /// Forgets everything: what was named in a transaction that failed is not there.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// What is named from here on is only there once [`Names::settle`] says so.
    pub(super) const fn doubt(&mut self) {
        self.in_doubt = true;
    }

    /// The transaction was committed.
    pub(super) const fn settle(&mut self) {
        self.in_doubt = false;
    }

    /// Forgets skeletons where there are very many. Their numbers start again, so nobody may hold one.
    pub(super) fn shrink(&mut self) {
        if self.skeletons.len() > MAX_SKELETONS {
            self.skeletons.clear();
            self.by_bytes.clear();
            self.by_row.clear();
            self.last = Last::default();
        }
    }

    /// The row of a meter, which is made if there is none.
    pub(super) fn meter(&mut self, connection: &Connection, id: &MeterId) -> Result<i64, Trouble> {
        if let Some(&row) = self.meters.get(id) {
            return Ok(row);
        }
        let row = match find_meter(connection, id)? {
            Some(meter) => meter.row,
            None => {
                let next = "SELECT coalesce(max(id), 0) + 1 FROM meter";
                let row: i64 = connection.query_row(next, [], |row| row.get(0))?;
                let meter = MeterRow { row, identifier: id.clone(), alias: None, spans: 0, sealed: 0 };
                meter.write(connection)?;
                row
            }
        };
        self.meters.insert(id.clone(), row);
        Ok(row)
    }

    /// The number of a series, which is made if there is none.
    fn series(&mut self, connection: &Connection, key: SeriesKey) -> Result<u32, Trouble> {
        if let Some(&series) = self.series.get(&key) {
            return Ok(series);
        }
        let (meter, code, unit, nth) = &key;
        let text = code.to_string();
        let (number, prefix) = unit_parts(*unit);
        let nth = i64::try_from(*nth).unwrap_or(i64::MAX);
        let mut find = connection.prepare_cached(
            "SELECT id FROM series WHERE meter = ?1 AND code = ?2 AND unit = ?3 AND prefix = ?4 AND nth = ?5",
        )?;
        let found = find.query_row(params![meter, text, number, prefix, nth], |row| row.get(0)).optional()?;
        let row: i64 = match found {
            Some(row) => row,
            None => {
                let next = "SELECT coalesce(max(id), 0) + 1 FROM series";
                let row: i64 = connection.query_row(next, [], |row| row.get(0))?;
                if row >= MAX_SERIES {
                    return Err(Trouble::Full("it has as many different registers as it can hold"));
                }
                let sum = checksum(&[row, *meter, i64::from(number), i64::from(prefix), nth], text.as_bytes());
                connection.execute(
                    "INSERT INTO series (id, meter, code, unit, prefix, nth, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![row, meter, text, number, prefix, nth, sum],
                )?;
                row
            }
        };
        let series = u32::try_from(row).map_err(|_| Damage("no such series"))?;
        self.labels.insert(series, (code.clone(), *unit));
        self.series.insert(key, series);
        Ok(series)
    }

    /// Code and unit of a series.
    pub(super) fn label(&mut self, connection: &Connection, series: u32) -> Result<(Code, Option<Unit>), Trouble> {
        if let Some(label) = self.labels.get(&series) {
            return Ok(label.clone());
        }
        let mut statement = connection
            .prepare_cached("SELECT id, meter, code, unit, prefix, nth, checksum FROM series WHERE id = ?1")?;
        let found = statement.query_row([series], SeriesRow::read).optional()?;
        let found = found.ok_or(Damage("a series has no name"))?.checked()?;
        let label = (found.code, found.unit);
        self.labels.insert(series, label.clone());
        Ok(label)
    }

    /// Takes a reading apart: the number of its skeleton in memory, and its numbers.
    pub(super) fn encode(
        &mut self,
        connection: &Connection,
        meter: i64,
        (reading, source, at): (&Reading, &str, Instant),
        numbers: &mut Vec<i64>,
    ) -> Result<u32, Trouble> {
        let mut last = std::mem::take(&mut self.last);
        if last.meter != meter {
            last.registers.clear();
            last.skeleton = None;
            last.meter = meter;
        }
        let mut bytes = Vec::with_capacity(last.bytes.len());
        numbers.clear();
        put_skeleton(&mut bytes, numbers, (reading, source, at), |index, register| -> Result<u32, Trouble> {
            if let Some((code, unit, series)) = last.registers.get(index)
                && *code == register.code
                && *unit == register.unit
            {
                return Ok(*series);
            }
            last.registers.truncate(index);
            let before = reading.registers.iter().take(index);
            let nth = before.filter(|other| other.code == register.code && other.unit == register.unit).count();
            let series = self.series(connection, (meter, register.code.clone(), register.unit, nth))?;
            last.registers.push((register.code.clone(), register.unit, series));
            Ok(series)
        })?;
        let id = match last.skeleton {
            Some(id) if last.bytes == bytes => id,
            _ => self.intern(&bytes)?,
        };
        last.skeleton = Some(id);
        last.bytes = bytes;
        self.last = last;
        Ok(id)
    }

    fn intern(&mut self, bytes: &[u8]) -> Result<u32, Trouble> {
        if let Some(&id) = self.by_bytes.get(bytes) {
            return Ok(id);
        }
        let id = u32::try_from(self.skeletons.len()).unwrap_or(u32::MAX);
        let bytes: Arc<[u8]> = bytes.into();
        self.by_bytes.insert(Arc::clone(&bytes), id);
        self.skeletons.push(Known { skeleton: Arc::new(Skeleton::parse(&bytes)?), bytes, row: None });
        Ok(id)
    }

    /// The bytes and the skeleton of a number in memory.
    pub(super) fn skeleton(&self, id: u32) -> Result<(Arc<[u8]>, Arc<Skeleton>), Damage> {
        let known = usize::try_from(id).ok().and_then(|id| self.skeletons.get(id));
        known.map(|known| (Arc::clone(&known.bytes), Arc::clone(&known.skeleton))).ok_or(Damage("no such skeleton"))
    }

    /// Puts a reading together again.
    pub(super) fn fill(
        &mut self,
        connection: &Connection,
        meter: &MeterId,
        (at, quality): (Instant, Quality),
        id: u32,
        numbers: &[i64],
    ) -> Result<(Reading, SmolStr), Trouble> {
        let (_, skeleton) = self.skeleton(id)?;
        let mut numbers = numbers.iter().copied();
        let (mut reading, source) = skeleton.head.fill(meter, at, quality, &mut numbers)?;
        reading.registers.reserve_exact(skeleton.registers.len());
        for (series, form) in &skeleton.registers {
            let (code, unit) = self.label(connection, *series)?;
            reading.registers.push(form.fill(code, unit, &mut numbers)?);
        }
        Ok((reading, source))
    }

    /// The row of a skeleton, which is made if there is none.
    pub(super) fn skeleton_row(&mut self, connection: &Connection, id: u32) -> Result<i64, Trouble> {
        let index = usize::try_from(id).unwrap_or(usize::MAX);
        let known = self.skeletons.get_mut(index).ok_or(Damage("no such skeleton"))?;
        if let Some(row) = known.row {
            return Ok(row);
        }
        let content = seal(&[], known.bytes.to_vec());
        let find = connection
            .prepare_cached("SELECT id FROM skeleton WHERE content = ?1")?
            .query_row([&content], |row| row.get(0));
        let row = match find.optional()? {
            Some(row) => row,
            None => {
                connection.prepare_cached("INSERT INTO skeleton (content) VALUES (?1)")?.execute([&content])?;
                connection.last_insert_rowid()
            }
        };
        known.row = Some(row);
        self.by_row.insert(row, id);
        Ok(row)
    }

    /// The number in memory of a skeleton's row.
    pub(super) fn skeleton_of_row(&mut self, connection: &Connection, row: i64) -> Result<u32, Trouble> {
        if let Some(&id) = self.by_row.get(&row) {
            return Ok(id);
        }
        let mut statement = connection.prepare_cached("SELECT content FROM skeleton WHERE id = ?1")?;
        let content: Option<Vec<u8>> = statement.query_row([row], |row| row.get(0)).optional()?;
        let id = self.intern(unseal(&[], &content.ok_or(Damage("a skeleton is missing"))?)?)?;
        if let Some(known) = self.skeletons.get_mut(usize::try_from(id).unwrap_or(usize::MAX)) {
            known.row = Some(row);
        }
        self.by_row.insert(row, id);
        Ok(id)
    }
}

/// A unit as two columns; 255 stands for none.
pub(super) fn unit_parts(unit: Option<Unit>) -> (u8, i8) {
    unit.map_or((255, 0), |unit| (unit.dlms_code(), unit.prefix()))
}

/// A row of the table of series.
#[derive(Debug, Clone)]
pub(super) struct SeriesRow {
    pub(super) id: u32,
    pub(super) meter: i64,
    pub(super) code: Code,
    pub(super) unit: Option<Unit>,
    pub(super) nth: i64,
    sound: bool,
}

impl SeriesRow {
    /// Reads `id, meter, code, unit, prefix, nth, checksum`.
    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let (id, meter, text): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (unit, prefix, nth, sum): (i64, i64, i64, i64) = (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?);
        let sound = i64::from(checksum(&[id, meter, unit, prefix, nth], text.as_bytes())) == sum;
        let parts = u8::try_from(unit).ok().zip(i8::try_from(prefix).ok());
        Ok(Self {
            id: u32::try_from(id).unwrap_or_default(),
            meter,
            code: Code::parse(text.as_bytes()),
            unit: parts.and_then(|(unit, prefix)| Unit::from_parts(unit, prefix)),
            nth,
            sound,
        })
    }

    pub(super) fn checked(self) -> Result<Self, Damage> {
        if self.sound { Ok(self) } else { Err(Damage("the name of a series is damaged")) }
    }
}

/// A row of the table of meters.
#[derive(Debug, Clone)]
pub(super) struct MeterRow {
    pub(super) row: i64,
    pub(super) identifier: MeterId,
    pub(super) alias: Option<String>,
    pub(super) spans: i64,
    pub(super) sealed: i64,
}

impl MeterRow {
    fn checksum(&self) -> u32 {
        let text = [self.identifier.as_str(), "\0", self.alias.as_deref().unwrap_or_default()].concat();
        checksum(&[self.row, self.spans, self.sealed, i64::from(self.alias.is_some())], text.as_bytes())
    }

    /// Puts the row in place of the one there was.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), Trouble> {
        connection.execute(
            "INSERT INTO meter (id, identifier, alias, spans, sealed, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET identifier = ?2, alias = ?3, spans = ?4, sealed = ?5, checksum = ?6",
            params![self.row, self.identifier.as_str(), self.alias, self.spans, self.sealed, self.checksum()],
        )?;
        Ok(())
    }
}

/// Every meter, by identifier.
pub(super) fn all_meters(connection: &Connection) -> Result<Vec<MeterRow>, Trouble> {
    let mut statement = connection
        .prepare_cached("SELECT id, identifier, alias, spans, sealed, checksum FROM meter ORDER BY identifier")?;
    let mut rows = statement.query([])?;
    let mut meters = Vec::new();
    while let Some(row) = rows.next()? {
        let damaged = Damage("the row of a meter is damaged");
        let text: String = row.get(1)?;
        let meter = MeterRow {
            row: row.get(0)?,
            identifier: MeterId::new(&text).ok_or(damaged)?,
            alias: row.get(2)?,
            spans: row.get(3)?,
            sealed: row.get(4)?,
        };
        if i64::from(meter.checksum()) != row.get::<_, i64>(5)? || meter.identifier.as_str() != text {
            return Err(damaged.into());
        }
        meters.push(meter);
    }
    Ok(meters)
}

/// The meter of a row.
pub(super) fn meter_of_row(connection: &Connection, row: i64) -> Result<MeterRow, Trouble> {
    let found = all_meters(connection)?.into_iter().find(|meter| meter.row == row);
    Ok(found.ok_or(Damage("a meter is missing"))?)
}

/// The meter of an identifier or an alias.
pub(super) fn find_meter(connection: &Connection, id: &MeterId) -> Result<Option<MeterRow>, Trouble> {
    let meters = all_meters(connection)?;
    let by_name = meters.iter().position(|meter| meter.identifier == *id);
    let found = by_name.or_else(|| meters.iter().position(|meter| meter.alias.as_deref() == Some(id.as_str())));
    Ok(found.and_then(|at| meters.into_iter().nth(at)))
}

/// The series of a meter, in the order they were first seen.
pub(super) fn series_of(connection: &Connection, meter: i64) -> Result<Vec<SeriesRow>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT id, meter, code, unit, prefix, nth, checksum FROM series WHERE meter = ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([meter], SeriesRow::read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    rows.into_iter().map(|row| Ok(row.checked()?)).collect()
}
