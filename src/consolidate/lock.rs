//! One consolidation of a store at a time: a lock on a file beside it, which is let go of with the process.

use super::ConsolidateError;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

/// Held while a run goes on.
#[derive(Debug)]
pub struct Lock {
    _file: Option<File>,
}

impl Lock {
    /// Takes the lock of a store. The file stays: to remove it would take the lock away from who opens it just then.
    ///
    /// # Errors
    /// [`ConsolidateError::Busy`] where another run holds it.
    pub fn take(store: &Path) -> Result<Self, ConsolidateError> {
        let mut path = store.as_os_str().to_owned();
        path.push(".lock");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
        // Beside a store that only may be read nothing can be made; the archive has a lock of its own.
        let Ok(file) = options.open(PathBuf::from(path)) else { return Ok(Self { _file: None }) };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => Err(ConsolidateError::Busy(store.into())),
            // A file system without locks: the archive's own may still work.
            _ => Ok(Self { _file: Some(file) }),
        }
    }
}
