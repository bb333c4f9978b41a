//! The schema and its forward-only migrations.

use super::names::Names;
use super::{StoreError, Trouble, classify, migrate};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// Marks the file as ours in SQLite's header: `relv`.
const APPLICATION_ID: i64 = 0x7265_6C76;

/// A step: tables, and what has to be moved into them.
struct Step {
    sql: &'static str,
    then: Option<Move>,
}

type Move = fn(&Connection, &mut Names) -> Result<(), Trouble>;

/// The steps, oldest first; never edited once released. The schema version is how many have been taken.
const STEPS: &[Step] = &[
    Step { sql: include_str!("migrations/0001_readings.sql"), then: None },
    Step { sql: include_str!("migrations/0002_blocks.sql"), then: Some(migrate::rows_of_the_first_store) },
    Step { sql: include_str!("migrations/0003_events.sql"), then: None },
];

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
    connection.pragma_update(None, "journal_size_limit", 1 << 24).map_err(fail)?;
    if !fresh && version(connection).map_err(fail)? == known() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    let taken = usize::try_from(version(&transaction).map_err(fail)?).unwrap_or(0);
    let mut names = Names::default();
    for step in STEPS.iter().skip(taken) {
        transaction.execute_batch(step.sql).map_err(fail)?;
        if let Some(then) = step.then {
            then(&transaction, &mut names).map_err(|trouble| trouble.at(path))?;
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(fail)?;
    transaction.pragma_update(None, "user_version", known()).map_err(fail)?;
    transaction.commit().map_err(fail)
}

/// What a file turns out to be.
pub(super) enum Age {
    Current,
    /// Of an earlier version of this program.
    Older,
}

/// Refuses a file that is no store, or a newer one.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<Age, StoreError> {
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
    Ok(if found == known() { Age::Current } else { Age::Older })
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

fn known() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}
