//! The store: every reading in one SQLite file. All SQL lives in this room.
//!
//! Readings of the current hour are rows, one each; those of past hours are *sealed*: one blob for each register and day,
//! a month once it is over. docs/STORE.md describes tables and bytes.
//!
//! | part | what it is for |
//! |---|---|
//! | `block` | the bytes, without SQL |
//! | `schema`, `migrate` | tables, and how older files get there |
//! | `names` | numbers for meters, series and skeletons |
//! | `hot`, `sealed` | rows of the current hour, spans and blocks of the others |
//! | `write`, `known`, `seal` | adding readings, nothing twice; sealing and joining |
//! | `query`, `series`, `table` | whole readings; one register; several side by side |
//! | `ends`, `segment`, `meters` | a counter over many days; counters that run on |
//! | `correction`, `replaced`, `boundaries` | where people, and serial numbers, say that a counter does not run on |
//! | `sheet`, `flow` | readings as columns; following a counter in them |
//! | `events` | what happened |
//! | `stock`, `prune` | how much there is of each hour; giving old readings away |
//! | `file`, `check`, `raw` | opening, copying, checking; telegrams as they came |
//!
//! One writer at a time, any number of readers beside it. Reading never creates a file.

mod block;
mod boundaries;
mod check;
mod correction;
mod ends;
mod events;
mod file;
mod flow;
mod hot;
mod known;
mod meters;
mod migrate;
mod names;
mod prune;
mod query;
mod raw;
mod replaced;
mod schema;
mod seal;
mod sealed;
mod segment;
mod series;
mod sheet;
mod stock;
mod table;
mod write;

pub use boundaries::Boundaries;
pub use check::{Checked, Info};
pub use correction::Correction;
pub use ends::Ends;
pub use events::{EventChange, EventQuery, KeptEvent, PutEvents};
pub use flow::{Flow, Follower, Value};
pub use meters::{Meter, Segment, Step};
pub use prune::Pruned;
pub use query::{Kept, Lean, Shape};
pub use raw::{RawPiece, RawPlace, Replaced};
pub use seal::Sealed;
pub use segment::Break;
pub use series::{Sample, Series, Totals};
pub use sheet::{Numbers, Sheet, Stretch, Survey, Times};
pub use stock::Stock;
pub use write::{Entry, Import, Inserted};

use crate::reading::{Instant, MeterId, Reading};
use names::Names;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};

/// An open store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    names: Names,
    months: bool,
    /// Days that are over have been sealed, and months not looked at since.
    unjoined: bool,
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such file, and this call does not make one.
    #[error("there is no store {}", .0.display())]
    Missing(PathBuf),
    /// The file is there, but nobody has made a store of it yet.
    #[error("{} is empty, there is no store in it yet", .0.display())]
    Empty(PathBuf),
    /// The file is something else.
    #[error("{} is not a releve store", .0.display())]
    Foreign(PathBuf),
    /// The file was written by a later version of this program.
    #[error("{} was written by a newer releve (schema {found}, this one knows {known})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest one this program knows.
        known: i64,
    },
    /// Another program holds it.
    #[error("{} is locked by another program", .0.display())]
    Locked(PathBuf),
    /// The user may not open or write it.
    #[error("may not open {}", .0.display())]
    Denied(PathBuf),
    /// No room on the disk, or the disk fails.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something in the file is damaged.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A limit of the file's form is reached.
    #[error("{}: {what}", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// Which.
        what: &'static str,
    },
    /// It was written by an older version, and may only be read here.
    #[error("{} was written by an older releve", .0.display())]
    Older(PathBuf),
    /// Anything else SQLite says.
    #[error("{}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// What can go wrong below, before the file's name is known.
#[derive(Debug)]
enum Trouble {
    Sql(rusqlite::Error),
    Damage(block::Damage),
    Full(&'static str),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<block::Damage> for Trouble {
    fn from(damage: block::Damage) -> Self {
        Self::Damage(damage)
    }
}

impl Trouble {
    fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Sql(source) => classify(path, source),
            Self::Damage(damage) => StoreError::Damaged { path: path.into(), what: damage.to_string() },
            Self::Full(what) => StoreError::Full { path: path.into(), what },
        }
    }
}

impl Store {
    /// Does something in one transaction: all of it, or nothing.
    fn write<T>(&mut self, act: impl FnOnce(&Connection, &mut Names) -> Result<T, Trouble>) -> Result<T, StoreError> {
        let done = (|| {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            self.names.refresh(&transaction)?;
            self.names.shrink();
            let done = act(&transaction, &mut self.names)?;
            transaction.commit()?;
            Ok(done)
        })();
        done.map_err(|trouble: Trouble| {
            self.names.forget();
            trouble.at(&self.path)
        })
    }

    /// Reads one state of the store, whatever is written meanwhile.
    fn snapshot<T, E: From<Trouble>>(&self, act: impl FnOnce(&Connection, &mut Names) -> Result<T, E>) -> Result<T, E> {
        // A question asked while another one is being answered is about the same state.
        if !self.connection.is_autocommit() {
            return act(&self.connection, &mut Names::default());
        }
        let transaction = self.connection.unchecked_transaction().map_err(Trouble::from)?;
        act(&transaction, &mut Names::default())
    }

    /// As long as the answer is kept, all questions are asked of one state of the store, whatever is written meanwhile.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn hold(&self) -> Result<Held<'_>, StoreError> {
        let begin = || self.connection.unchecked_transaction().map_err(|source| self.classify(source));
        // Whoever asks already does so of one state.
        Ok(Held(if self.connection.is_autocommit() { Some(begin()?) } else { None }))
    }

    fn classify(&self, source: rusqlite::Error) -> StoreError {
        classify(&self.path, source)
    }

    fn read<T>(&self, act: impl FnOnce(&Connection, &mut Names) -> Result<T, Trouble>) -> Result<T, StoreError> {
        self.snapshot(act).map_err(|trouble: Trouble| trouble.at(&self.path))
    }
}

/// One state of the store, for several questions.
#[derive(Debug)]
pub struct Held<'s>(#[allow(dead_code, reason = "it is let go of when this is dropped")] Option<Transaction<'s>>);

/// The version of the SQLite library inside this program.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Whether some bytes have the form of what stands in the file's blobs, behind the checksum, with so many rows. Any bytes
/// may be asked about: this is what the fuzzer calls.
#[must_use]
pub fn is_sealed_form(bytes: &[u8], rows: usize) -> bool {
    block::is_any(bytes, rows)
}

/// Readings of one meter, in order of time, put into the bytes of a sealed span and taken out again: what comes back is what
/// went in, to the digit, but for the place in the stream they came from. `None` where they do not fit into a span. No store
/// is needed: this is what the fuzzer calls.
#[must_use]
pub fn through_blocks(meter: &MeterId, readings: &[(Instant, Reading)]) -> Option<Vec<(Instant, Reading)>> {
    block::whole::pack(readings).ok()?.unpack(meter).ok()
}

fn classify(path: &Path, source: rusqlite::Error) -> StoreError {
    let path = PathBuf::from(path);
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::Foreign(path),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked(path),
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => StoreError::Denied(path),
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => StoreError::Write { path, source: Box::new(source) },
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { path, what: source.to_string() },
        _ => StoreError::Sqlite { path, source },
    }
}

#[cfg(test)]
mod tests;
