//! The store: every reading in one SQLite file. All SQL lives in this room.
//!
//! A first store, kept thin: rows of registers exactly as sent. Writing is one transaction per call; reading opens the file
//! read-only and never creates one.

mod insert;
mod query;
mod schema;

pub use insert::{Entry, Inserted};
pub use query::Kept;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An open store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such file, and this call does not make one.
    #[error("there is no store {}", .0.display())]
    Missing(PathBuf),
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
    /// Anything else SQLite says.
    #[error("{}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// How long to wait for another program to let go of the file.
const BUSY: Duration = Duration::from_secs(5);

impl Store {
    /// Opens the store for writing, and makes it and its folder if there is none.
    ///
    /// # Errors
    /// [`StoreError`], naming the file. A file that is no store is left as it is.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            make_private(path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut store = Self::connect(path, flags)?;
        schema::migrate(&mut store.connection, path)?;
        Ok(store)
    }

    /// Opens an existing store for reading only.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing(path.into()));
        }
        let store = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        schema::check(&store.connection, path)?;
        Ok(store)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let connection = Connection::open_with_flags(path, flags).map_err(|source| classify(path, source))?;
        connection.busy_timeout(BUSY).map_err(|source| classify(path, source))?;
        Ok(Self { connection, path: path.into() })
    }

    fn classify(&self, source: rusqlite::Error) -> StoreError {
        classify(&self.path, source)
    }
}

/// The version of the SQLite library inside this program.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Makes an empty file that only its owner may write and only its group may read: readings tell when nobody is at home.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let fail = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::PermissionDenied => StoreError::Denied(path.into()),
        _ => StoreError::Write { path: path.into(), source: source.into() },
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path).map_err(fail).map(drop)
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
