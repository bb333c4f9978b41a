//! Checking, describing, copying and compacting a store.

use super::block::Damage;
use super::names::{Names, all_meters, find_meter, series_of};
use super::{Store, StoreError, Trouble, classify, events, prune, query, sealed};
use rusqlite::{Connection, OpenFlags, backup::Backup};
use std::path::Path;
use std::time::Duration;

/// What a check looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Spans, each block of which was opened and held against its totals.
    pub spans: usize,
    /// Readings, put together whole.
    pub readings: usize,
}

/// What a store holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Info {
    /// The version of its schema.
    pub schema: i64,
    /// The size of the file in bytes, without its log.
    pub bytes: u64,
    /// Of these, how many are free for what comes.
    pub free: u64,
    /// Meters.
    pub meters: u64,
    /// Readings that are rows.
    pub hot: u64,
    /// Readings that are sealed.
    pub sealed: u64,
    /// Spans.
    pub spans: u64,
    /// Bytes of telegrams kept as they came, packed.
    pub raw: u64,
    /// Events.
    pub events: u64,
}

impl Store {
    /// Checks everything: SQLite's own check, the books, and every reading, opened and put together.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first thing that is wrong.
    pub fn check(&self) -> Result<Checked, StoreError> {
        self.read(|connection, names| {
            integrity(connection)?;
            events::verify(connection)?;
            super::correction::check(connection)?;
            let mut checked = Checked::default();
            for meter in all_meters(connection)? {
                sealed::balance(connection, &meter)?;
                prune::pruned(connection, meter.row)?;
                let series = series_of(connection, meter.row)?;
                let ever = i64::MIN / 2..i64::MAX;
                for span in sealed::spans(connection, meter.row, &ever)? {
                    checked.spans += 1;
                    let opened = sealed::open(connection, &span)?;
                    for series in &series {
                        sealed::verify(connection, &span, &opened, series.id)?;
                    }
                }
                let mut count = |_: &mut Names, _, _, _| -> Result<(), Trouble> {
                    checked.readings += 1;
                    Ok(())
                };
                query::each(connection, names, (meter.row, &meter.identifier), &ever, &mut count)?;
            }
            Ok(checked)
        })
    }

    /// What the store holds.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn info(&self) -> Result<Info, StoreError> {
        self.read(|connection, _| {
            let one = |sql: &str| -> Result<u64, Trouble> {
                Ok(u64::try_from(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?).unwrap_or_default())
            };
            let page = one("PRAGMA page_size")?;
            Ok(Info {
                schema: connection.pragma_query_value(None, "user_version", |row| row.get(0))?,
                bytes: page * one("PRAGMA page_count")?,
                free: page * one("PRAGMA freelist_count")?,
                meters: one("SELECT count(*) FROM meter")?,
                hot: one("SELECT count(*) FROM hot")?,
                sealed: one("SELECT coalesce(sum(sealed), 0) FROM meter")?,
                spans: one("SELECT count(*) FROM span")?,
                raw: one("SELECT coalesce(sum(length(data)), 0) FROM raw")?,
                events: one("SELECT count(*) FROM event")?,
            })
        })
    }

    /// Copies the store while it is in use, to a file that must not be there yet, and checks the copy.
    ///
    /// # Errors
    /// [`StoreError`], naming either file; no half copy is left under the name.
    pub fn backup(&self, to: &Path) -> Result<Checked, StoreError> {
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let fail = |source: std::io::Error| super::file::io_error(to, source);
        let temporary = tempfile::Builder::new().prefix(".releve-").tempfile_in(folder).map_err(fail)?;
        {
            let wrong = |source| classify(to, source);
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let mut copy = Connection::open_with_flags(temporary.path(), flags).map_err(wrong)?;
            {
                let backup = Backup::new(&self.connection, &mut copy).map_err(wrong)?;
                backup.run_to_completion(1024, Duration::ZERO, None).map_err(|source| self.classify(source))?;
            }
            // One file and nothing beside it, wherever it is carried to.
            copy.pragma_update(None, "journal_mode", "DELETE").map_err(wrong)?;
        }
        let checked = Self::open(temporary.path())?
            .check()
            .map_err(|_| StoreError::Write { path: to.into(), source: "the copy does not read back".into() })?;
        temporary.as_file().sync_all().map_err(fail)?;
        super::file::keep_private(temporary.as_file()).map_err(fail)?;
        temporary.persist_noclobber(to).map_err(|error| fail(error.error))?;
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail)?;
        Ok(checked)
    }

    /// Gives back the room that is free in the file.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        let compact = || -> rusqlite::Result<()> {
            self.connection.execute_batch("VACUUM")?;
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        };
        compact().map_err(|source| self.classify(source))
    }
}

fn integrity(connection: &Connection) -> Result<(), Trouble> {
    let answer: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if answer == "ok" { Ok(()) } else { Err(Damage("SQLite finds its own structure damaged").into()) }
}

impl Store {
    /// SQLite's own quick check and the books of a meter: what a command asks before it acts on what is missing.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where something is wrong.
    pub fn quick_check(&self, meter: &crate::reading::MeterId) -> Result<(), StoreError> {
        self.read(|connection, _| {
            let answer: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if answer != "ok" {
                return Err(Damage("SQLite finds its own structure damaged").into());
            }
            match find_meter(connection, meter)? {
                Some(meter) => sealed::balance(connection, &meter),
                None => Ok(()),
            }
        })
    }
}
