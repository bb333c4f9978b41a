//! The old application's SQLite file: read, and written so that the old application opens it and answers the same.
//!
//! Its tables are in the contract. Values are binary fractions there: read, each is the shortest decimal that gives the
//! same fraction; written, each is the closest one.

use crate::document::{Values, column_key};
use crate::reading::{
    Code, Column, Decimal, Event, Instant, Origin, Protocol, Quality, Reading, Register, Severity, Unit,
};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params, params_from_iter};
use std::path::Path;

/// Why such a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OldDatabaseError {
    /// It has no table of readings.
    #[error("it has no table mesures_energie")]
    NoReadings,
    /// What SQLite says.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// A row of the old table of readings.
#[derive(Debug, Clone)]
pub struct OldRow {
    /// Its time.
    pub at: Instant,
    /// Where it came from.
    pub source: String,
    /// What it says, a register for each column with a value.
    pub reading: Reading,
}

/// The old application's file, open for reading.
#[derive(Debug)]
pub struct OldDatabase {
    connection: Connection,
    columns: Vec<Column>,
    has: Has,
}

#[derive(Debug, Clone, Copy, Default)]
struct Has {
    source: bool,
    quality: bool,
}

impl OldDatabase {
    /// Opens a file for reading; nothing is changed in it.
    ///
    /// # Errors
    /// [`OldDatabaseError`] where it is no database, or has no readings.
    pub fn open(path: &Path) -> Result<Self, OldDatabaseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        let mut statement = connection.prepare("SELECT name FROM pragma_table_info('mesures_energie')")?;
        let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        drop(statement);
        let has = |name: &str| names.iter().any(|other| other == name);
        if !has("timestamp") {
            return Err(OldDatabaseError::NoReadings);
        }
        let columns = Column::ALL.into_iter().filter(|&column| has(column_key(column))).collect();
        Ok(Self { has: Has { source: has("source"), quality: has("qualite") }, connection, columns })
    }

    /// How many readings it has.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn count(&self) -> Result<u64, OldDatabaseError> {
        let count: i64 = self.connection.query_row("SELECT count(*) FROM mesures_energie", [], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// The events in the order they were written, into `sink`: `Err` with the reason for a row that cannot be one. Whose
    /// meter's they are the file does not say.
    ///
    /// # Errors
    /// What SQLite says, or `sink`.
    pub fn events<E: From<OldDatabaseError>>(
        &self,
        mut sink: impl FnMut(Result<Event, String>) -> Result<(), E>,
    ) -> Result<(), E> {
        let fail = |error| E::from(OldDatabaseError::Sqlite(error));
        let there = "SELECT name FROM pragma_table_info('evenements_compteur')";
        let mut statement = self.connection.prepare(there).map_err(fail)?;
        let names =
            statement.query_map([], |row| row.get(0)).and_then(Iterator::collect::<rusqlite::Result<Vec<String>>>);
        let names = names.map_err(fail)?;
        if !["timestamp", "type_evenement"].iter().all(|name| names.iter().any(|there| there == name)) {
            return Ok(());
        }
        let select = EVENT_COLUMNS.map(|name| if names.iter().any(|there| there == name) { name } else { "NULL" });
        let sql = format!("SELECT {} FROM evenements_compteur ORDER BY rowid", select.join(", "));
        let mut statement = self.connection.prepare(&sql).map_err(fail)?;
        let mut rows = statement.query([]).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            sink(event(&|index| row.get_ref(index).unwrap_or(ValueRef::Null)))?;
        }
        Ok(())
    }

    /// The readings in the order they were written, into `sink`: `Err` with the reason for a row that cannot be one.
    ///
    /// # Errors
    /// What SQLite says, or `sink`.
    pub fn rows<E: From<OldDatabaseError>>(
        &self,
        mut sink: impl FnMut(Result<OldRow, String>) -> Result<(), E>,
    ) -> Result<(), E> {
        let fail = |error| E::from(OldDatabaseError::Sqlite(error));
        let columns: Vec<(Code, Option<Unit>)> =
            self.columns.iter().map(|column| (column.register().into(), column.unit())).collect();
        let mut statement = self.connection.prepare(&self.select()).map_err(fail)?;
        let mut rows = statement.query([]).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            let cell = |index| row.get_ref(index).unwrap_or(ValueRef::Null);
            sink(self.row(cell, &columns))?;
        }
        Ok(())
    }

    fn select(&self) -> String {
        let mut sql = String::from("SELECT timestamp");
        sql.push_str(if self.has.source { ", source" } else { ", NULL" });
        sql.push_str(if self.has.quality { ", qualite" } else { ", NULL" });
        for &column in &self.columns {
            sql.push_str(", ");
            sql.push_str(column_key(column));
        }
        sql.push_str(" FROM mesures_energie ORDER BY rowid");
        sql
    }

    fn row<'r>(
        &self,
        cell: impl Fn(usize) -> ValueRef<'r>,
        columns: &[(Code, Option<Unit>)],
    ) -> Result<OldRow, String> {
        let text = |index: usize| cell(index).as_str().ok();
        let at = text(0).and_then(|text| Instant::parse_utc(text).ok()).ok_or("a row without a time")?;
        let mut reading = Reading::new(Protocol::Dlms);
        reading.quality = match text(2) {
            None => Quality::Good,
            Some(word) => Quality::parse(word).unwrap_or(Quality::Suspect),
        };
        reading.registers.reserve_exact(columns.len());
        for (index, (code, unit)) in columns.iter().enumerate() {
            let value = match cell(index + 3) {
                ValueRef::Null => continue,
                ValueRef::Integer(value) => Decimal::from(value),
                ValueRef::Real(value) => Decimal::from_f64(value).ok_or("a value that is no exact number")?,
                _ => return Err("a value that is no number".to_owned()),
            };
            reading.registers.push(Register::number(code.clone(), value, *unit));
        }
        Ok(OldRow { at, source: text(1).unwrap_or("e450").to_owned(), reading })
    }
}

/// The columns of the old table of events.
const EVENT_COLUMNS: [&str; 8] = [
    "timestamp",
    "type_evenement",
    "severite",
    "description",
    "valeur_mesuree",
    "unite",
    "code_obis",
    "seuil_declencheur",
];

/// The event of a row of the old table.
fn event<'r>(cell: &dyn Fn(usize) -> ValueRef<'r>) -> Result<Event, String> {
    let text = |index: usize| cell(index).as_str().ok().map(str::trim).filter(|text| !text.is_empty());
    let number = |index: usize| match cell(index) {
        ValueRef::Integer(value) => Some(Decimal::from(value)),
        ValueRef::Real(value) => Decimal::from_f64(value),
        _ => None,
    };
    Ok(Event {
        meter: None,
        kind: text(1).ok_or("an event without a type")?.into(),
        severity: text(2).and_then(Severity::parse).unwrap_or(Severity::Info),
        start: text(0).and_then(|text| Instant::parse_utc(text).ok()).ok_or("an event without a time")?,
        end: None,
        description: text(3).unwrap_or_default().into(),
        value: number(4),
        unit: text(5).map(Into::into),
        code: text(6).map(Into::into),
        threshold: number(7),
        phase: None,
        origin: Origin::Import,
    })
}

const SCHEMA: &str = "
CREATE TABLE mesures_energie (
    id INTEGER NOT NULL, timestamp DATETIME, energie_active_import FLOAT, energie_active_export FLOAT,
    puissance_active_totale FLOAT, tension_l1 FLOAT, tension_l2 FLOAT, tension_l3 FLOAT, courant_l1 FLOAT,
    courant_l2 FLOAT, courant_l3 FLOAT, frequence FLOAT, facteur_puissance FLOAT,
    source VARCHAR(50) DEFAULT 'e450', qualite VARCHAR(20) DEFAULT 'good', PRIMARY KEY (id)
);
CREATE TABLE evenements_compteur (
    id INTEGER NOT NULL, timestamp DATETIME, type_evenement VARCHAR(50) NOT NULL, severite VARCHAR(20),
    description TEXT, valeur_mesuree FLOAT, unite VARCHAR(10), code_obis VARCHAR(20), seuil_declencheur FLOAT,
    PRIMARY KEY (id)
);
CREATE TABLE configuration_compteur (
    id INTEGER NOT NULL, timestamp_modification DATETIME, parametre VARCHAR(100) NOT NULL, valeur VARCHAR(255) NOT NULL,
    type_valeur VARCHAR(20), description TEXT, PRIMARY KEY (id), UNIQUE (parametre)
);";

const INDEXES: &str = "
CREATE INDEX ix_mesures_energie_timestamp ON mesures_energie (timestamp);
CREATE INDEX ix_evenements_compteur_timestamp ON evenements_compteur (timestamp);";

/// A file of the old application that is being written.
#[derive(Debug)]
pub struct OldDatabaseWriter {
    connection: Connection,
}

impl OldDatabaseWriter {
    /// Makes the tables in an empty file.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn create(path: &Path) -> Result<Self, OldDatabaseError> {
        let connection = Connection::open(path)?;
        // The file only gets its name when it is whole.
        connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection })
    }

    /// Adds a reading.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn add(&self, at: Instant, values: &Values, quality: Quality, source: &str) -> Result<(), OldDatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO mesures_energie (timestamp, energie_active_import, energie_active_export,
                puissance_active_totale, tension_l1, tension_l2, tension_l3, courant_l1, courant_l2, courant_l3,
                frequence, facteur_puissance, source, qualite)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let time = old_time(at);
        let numbers = Column::ALL.map(|column| values.column(column).map(Decimal::to_f64));
        let cells = std::iter::once(ValueRef::Text(time.as_bytes()))
            .chain(numbers.iter().map(|number| number.map_or(ValueRef::Null, ValueRef::Real)))
            .chain([ValueRef::Text(source.as_bytes()), ValueRef::Text(quality.as_str().as_bytes())])
            .map(rusqlite::types::ToSqlOutput::Borrowed);
        statement.execute(params_from_iter(cells))?;
        Ok(())
    }

    /// Adds an event. The file has no place for its end, its phase and its origin.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn add_event(&self, event: &Event) -> Result<(), OldDatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO evenements_compteur (timestamp, type_evenement, severite, description, valeur_mesuree, unite,
                code_obis, seuil_declencheur)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        statement.execute(params![
            old_time(event.start),
            event.kind.as_str(),
            event.severity.as_str(),
            event.description.as_str(),
            event.value.map(Decimal::to_f64),
            event.unit.as_deref(),
            event.code.as_deref(),
            event.threshold.map(Decimal::to_f64),
        ])?;
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn finish(self) -> Result<(), OldDatabaseError> {
        self.connection.execute_batch(INDEXES)?;
        self.connection.execute_batch("COMMIT")?;
        self.connection.close().map_err(|(_, error)| error.into())
    }
}

/// `2026-11-21 07:13:13.000000`, UTC.
fn old_time(at: Instant) -> String {
    let text = at.to_string();
    let text = text.trim_end_matches('Z');
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{}.{fraction:0<6}", seconds.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::TariffMemory;

    #[test]
    fn rows_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let writer = OldDatabaseWriter::create(&path).unwrap();
        let mut reading = Reading::new(Protocol::Dlms);
        let volts = Register::number(Code::parse(b"32.7.0"), "231.5".parse().unwrap(), Some(Unit::V));
        reading.registers.push(volts);
        let values = Values::of(&reading, &mut TariffMemory::default());
        let at = Instant::parse_utc("2026-11-21T07:13:13.25Z").unwrap();
        writer.add(at, &values, Quality::Suspect, "e450").unwrap();
        let told = Event {
            meter: None,
            kind: "pic_puissance".into(),
            severity: Severity::Warning,
            start: at,
            end: None,
            description: "Pic de puissance : 4500 W".into(),
            value: Some(Decimal::from(4500)),
            unit: Some("W".into()),
            code: Some("1-0:16.7.0".into()),
            threshold: Some(Decimal::from(4000)),
            phase: None,
            origin: Origin::Import,
        };
        writer.add_event(&told).unwrap();
        writer.finish().unwrap();
        let old = OldDatabase::open(&path).unwrap();
        assert_eq!(old.count().unwrap(), 1);
        let mut events = Vec::new();
        old.events::<OldDatabaseError>(|event| {
            events.push(event.unwrap());
            Ok(())
        })
        .unwrap();
        assert_eq!(events, [told]);
        let time: String =
            old.connection.query_row("SELECT timestamp FROM mesures_energie", [], |row| row.get(0)).unwrap();
        assert_eq!(time, "2026-11-21 07:13:13.250000");
        old.rows::<OldDatabaseError>(|row| {
            let row = row.unwrap();
            assert_eq!((row.at, row.source.as_str(), row.reading.quality), (at, "e450", Quality::Suspect));
            assert_eq!(row.reading.registers, reading.registers);
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn a_database_of_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(matches!(OldDatabase::open(&path), Err(OldDatabaseError::NoReadings)));
    }
}
