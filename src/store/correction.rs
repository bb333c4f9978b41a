//! What people said about the segments of a meter's counters: the one thing of a store that no meter can tell again.

use super::block::Damage;
use super::block::bytes::checksum;
use super::names::{Names, find_meter};
use super::{Store, StoreError, Trouble};
use crate::reading::{Instant, MeterId};
use rusqlite::{Connection, Row, params};

/// What a person says of the segments of a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// A segment begins at this time.
    Split,
    /// None begins at this time.
    Merge,
}

impl Correction {
    const fn word(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Merge => "merge",
        }
    }
}

impl Store {
    /// Says that a segment of a meter's counters begins at a time, or that none does.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn correct(&mut self, meter: &MeterId, at: Instant, correction: Correction) -> Result<bool, StoreError> {
        self.write(|connection, _| {
            let Some(row) = find_meter(connection, meter)? else { return Ok(false) };
            let (at, kind) = (at.unix_micros(), correction.word());
            connection.execute(
                "INSERT INTO correction (meter, at, kind, checksum) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET kind = ?3, checksum = ?4",
                params![row.row, at, kind, sum(row.row, at, kind)],
            )?;
            Ok(true)
        })
    }
}

fn sum(meter: i64, at: i64, kind: &str) -> i64 {
    i64::from(checksum(&[meter, at], kind.as_bytes()))
}

/// What was said of a meter, in order of time.
pub(super) fn of_meter(connection: &Connection, meter: i64) -> Result<Vec<(i64, Correction)>, Trouble> {
    let mut statement =
        connection.prepare_cached("SELECT meter, at, kind, checksum FROM correction WHERE meter = ?1 ORDER BY at")?;
    let mut rows = statement.query([meter])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Holds every row against its checksum.
pub(super) fn check(connection: &Connection) -> Result<(), Trouble> {
    let mut statement = connection.prepare("SELECT meter, at, kind, checksum FROM correction")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        read(row)?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<(i64, Correction), Trouble> {
    let damaged = Damage("a correction of the segments is damaged");
    let (meter, at, kind): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    if sum(meter, at, &kind) != row.get::<_, i64>(3)? {
        return Err(damaged.into());
    }
    let correction = [Correction::Split, Correction::Merge].into_iter().find(|correction| correction.word() == kind);
    Ok((at, correction.ok_or(damaged)?))
}

/// Gives the rows of the second schema the checksums of the third (0003).
pub(super) fn put_checksums(connection: &Connection, _: &mut Names) -> Result<(), Trouble> {
    let mut statement = connection.prepare("SELECT meter, at, kind FROM correction")?;
    let all = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let all: Vec<(i64, i64, String)> = all?.collect::<rusqlite::Result<_>>()?;
    let mut put = connection.prepare("UPDATE correction SET checksum = ?3 WHERE meter = ?1 AND at = ?2")?;
    for (meter, at, kind) in all {
        put.execute(params![meter, at, sum(meter, at, &kind)])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Protocol, Reading};
    use crate::store::Entry;

    fn store_with_corrections() -> (tempfile::TempDir, Store, MeterId) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::create(&folder.path().join("s.db")).unwrap();
        let meter = MeterId::new("E450001234").unwrap();
        let reading = Reading::new(Protocol::Dsmr);
        let at = Instant::from_unix(7);
        let entry = Entry { meter: meter.clone(), at, source: "p1".into(), reading, derived: false };
        store.insert(&[entry]).unwrap();
        for (second, what) in [(7, Correction::Split), (9, Correction::Merge), (7, Correction::Merge)] {
            assert!(store.correct(&meter, Instant::from_unix(second), what).unwrap());
        }
        (folder, store, meter)
    }

    #[test]
    fn damage_in_what_people_said_is_noticed() {
        let (folder, store, meter) = store_with_corrections();
        store.check().unwrap();
        assert_eq!(of_meter(&store.connection, 1).unwrap(), [7, 9].map(|at| (at * 1_000_000, Correction::Merge)));
        for change in ["kind = 'split'", "at = at + 1", "meter = meter + 1", "checksum = checksum + 1"] {
            let path = folder.path().join("s.db");
            let other = Connection::open(&path).unwrap();
            other.pragma_update(None, "foreign_keys", false).unwrap();
            other.execute_batch(&format!("BEGIN; UPDATE correction SET {change} WHERE at = 9000000")).unwrap();
            other.execute_batch("COMMIT").unwrap();
            let found = store.check();
            assert!(matches!(found, Err(StoreError::Damaged { .. })), "{change}: {found:?}");
            if !change.starts_with("meter") {
                assert!(matches!(of_meter(&store.connection, 1), Err(Trouble::Damage(_))), "{change}");
            }
            // As it was.
            other.execute_batch("DELETE FROM correction WHERE at > 8000000").unwrap();
            drop(other);
            let mut again = Store::create(&path).unwrap();
            again.correct(&meter, Instant::from_unix(9), Correction::Merge).unwrap();
            again.check().unwrap();
        }
    }

    #[test]
    fn those_of_the_second_schema_get_their_checksums() {
        let (_folder, mut store, _) = store_with_corrections();
        store.connection.execute_batch("UPDATE correction SET checksum = 0").unwrap();
        assert!(store.check().is_err());
        store.write(put_checksums).unwrap();
        store.check().unwrap();
    }
}
