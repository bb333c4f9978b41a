//! The schema and its forward-only migrations.

use super::{StoreError, classify};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// Marks the file as ours in SQLite's header: `relv`.
const APPLICATION_ID: i64 = 0x7265_6C76;

/// The steps, oldest first; never edited once released. The schema version is how many have been taken.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_readings.sql")];

/// Brings a store opened for writing to the newest schema.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let fail = |source| classify(path, source);
    let fresh = is_empty(connection).map_err(fail)?;
    if !fresh {
        check(connection, path)?;
    }
    // Before the first table, or it would only take effect after a VACUUM.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(fail)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(fail)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fail)?;
    let taken = usize::try_from(version).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(taken) {
        transaction.execute_batch(step).map_err(fail)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(fail)?;
    transaction.pragma_update(None, "user_version", known()).map_err(fail)?;
    transaction.commit().map_err(fail)
}

/// Refuses a file that is no store, or a newer one.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let pragma = |name: &str| -> Result<i64, StoreError> {
        connection.pragma_query_value(None, name, |row| row.get(0)).map_err(|source| classify(path, source))
    };
    if pragma("application_id")? != APPLICATION_ID {
        return Err(StoreError::Foreign(path.into()));
    }
    let found = pragma("user_version")?;
    if found > known() {
        return Err(StoreError::Newer { path: path.into(), found, known: known() });
    }
    Ok(())
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}
