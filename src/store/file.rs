//! Opening a store, and copying one.

use super::names::Names;
use super::schema::{self, Age};
use super::{Store, StoreError, classify};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long to wait for another program to let go of the file.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// How long another program may take to make a store of an empty file.
const BIRTH: Duration = Duration::from_secs(1);

/// How often to look where SQLite does not wait by itself.
pub(super) const GLANCE: Duration = Duration::from_millis(20);

impl Store {
    /// Opens the store for writing, and makes it and its folder if there is none.
    ///
    /// # Errors
    /// [`StoreError`], naming the file. A file that is no store is left as it is.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        if path.is_dir() {
            return Err(StoreError::Foreign(path.into()));
        }
        if !path.exists() {
            make_private(path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut store = Self::connect(path, path, flags)?;
        schema::migrate(&mut store.connection, path)?;
        Ok(store)
    }

    /// Opens an existing store for reading only.
    ///
    /// On media that cannot be written SQLite cannot make the files it shares with other programs there; nobody else can
    /// write either, so the file is then read as it is.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing(path.into()));
        }
        if path.is_dir() {
            return Err(StoreError::Foreign(path.into()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let checked = |store: Self| {
            let mut waited = Duration::ZERO;
            loop {
                match schema::check(&store.connection, path)? {
                    Age::Current => return Ok(store),
                    Age::Older => return Err(StoreError::Older(path.into())),
                    Age::Unborn if waited >= BIRTH => return Err(StoreError::Empty(path.into())),
                    Age::Unborn => {}
                }
                std::thread::sleep(GLANCE);
                waited += GLANCE;
            }
        };
        match Self::connect(path, path, flags).and_then(checked) {
            Err(StoreError::Denied(_)) if is_settled(path) => {
                let uri = immutable(path)?;
                checked(Self::connect(path, Path::new(&uri), flags | OpenFlags::SQLITE_OPEN_URI)?)
            }
            other => other,
        }
    }

    /// Waits so long for another program to let go of the file, instead of five seconds.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn set_patience(&self, patience: Duration) -> Result<(), StoreError> {
        self.connection.busy_timeout(patience).map_err(|source| classify(&self.path, source))
    }

    /// Keeps no more than so many kilobytes of the file in memory, for who reads it through once.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn set_cache(&self, kilobytes: u16) -> Result<(), StoreError> {
        let set = self.connection.pragma_update(None, "cache_size", -i64::from(kilobytes));
        set.map_err(|source| classify(&self.path, source))
    }

    /// A number that is another one once somebody else has written to the file. It says nothing to another connection.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn version(&self) -> Result<i64, StoreError> {
        let version = self.connection.pragma_query_value(None, "data_version", |row| row.get(0));
        version.map_err(|source| classify(&self.path, source))
    }

    /// Gives up a question that takes too long: `is_over` is asked every few thousand steps of SQLite.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn give_up_when(&mut self, is_over: impl Fn() -> bool + Send + 'static) -> Result<(), StoreError> {
        self.connection.progress_handler(4_000, Some(is_over)).map_err(|source| classify(&self.path, source))
    }

    fn connect(path: &Path, name: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let fail = |source| classify(path, source);
        let connection = Connection::open_with_flags(name, flags).map_err(fail)?;
        connection.busy_timeout(BUSY).map_err(fail)?;
        connection.set_prepared_statement_cache_capacity(64);
        // Else a statement with a range is compiled anew for each range it is given.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(fail)?;
        Ok(Self { connection, path: path.into(), names: Names::default(), months: true, unjoined: false })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether the file is readable and nothing waits in its log, so that it says all there is.
fn is_settled(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let empty = std::fs::metadata(PathBuf::from(log)).map_or(true, |log| log.len() == 0);
    empty && std::fs::File::open(path).is_ok()
}

/// The file as a URI that tells SQLite that nobody can write it.
fn immutable(path: &Path) -> Result<String, StoreError> {
    let whole = std::path::absolute(path).map_err(|_| StoreError::Denied(path.into()))?;
    let mut uri = String::from("file:");
    for byte in whole.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => uri.push(char::from(*byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    Ok(uri)
}

/// Makes an empty file that only its owner may write and only its group may read: readings tell when nobody is at home.
///
/// It and the folders made for it are on the disk when this returns: SQLite sees to the folder of its log only when the first
/// readings are in it, and never to the folders above.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let fail = |source| io_error(path, source);
    let folder = parent(path);
    make_folder(folder).map_err(fail)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path).map_err(fail)?;
    sync_folder(folder);
    Ok(())
}

/// The folder of a file; that of a bare name is the current one.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a folder, and those above it that are missing.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = parent(folder);
    if above != folder {
        make_folder(above)?;
    }
    match std::fs::create_dir(folder) {
        // Another program has made it meanwhile.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made.map(|()| sync_folder(above)),
    }
}

/// Puts what a folder lists on the disk. Where a file system knows no such thing there is nothing to be done about it.
fn sync_folder(folder: &Path) {
    drop(std::fs::File::open(folder).and_then(|folder| folder.sync_all()));
}

/// The same rights for a file that is there.
pub(super) fn keep_private(file: &std::fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(std::fs::Permissions::from_mode(0o640))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// What the system says about a file of ours.
pub(super) fn io_error(path: &Path, source: std::io::Error) -> StoreError {
    match source.kind() {
        std::io::ErrorKind::PermissionDenied => StoreError::Denied(path.into()),
        _ => StoreError::Write { path: path.into(), source: source.into() },
    }
}
