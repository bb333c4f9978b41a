//! One consolidation of a store at a time: a lock on a file beside it, which is let go of with the process.

use super::ConsolidateError;
use crate::reading::Instant;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
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
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
        // Beside a store that only may be read nothing can be made; the archive has a lock of its own.
        let Ok(mut file) = options.open(PathBuf::from(path)) else { return Ok(Self { _file: None }) };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let (pid, since) = holder(&mut file);
                Err(ConsolidateError::Busy { store: store.into(), pid, since })
            }
            // A file system without locks: the archive's own may still work.
            _ => {
                sign(&mut file);
                Ok(Self { _file: Some(file) })
            }
        }
    }
}

/// Leaves in the file who holds it and since when, for who comes meanwhile. On a full disk it stays unsaid.
fn sign(file: &mut File) {
    let text = format!("{} {}\n", std::process::id(), Instant::now().unix_seconds());
    let _ = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
}

/// Who said that he holds it, and since when.
fn holder(file: &mut File) -> (Option<u32>, Option<Instant>) {
    let mut text = String::new();
    // A few bytes of our own; whatever else lies there is not read through.
    let _ = file.take(64).read_to_string(&mut text);
    let mut words = text.split_whitespace();
    let pid = words.next().and_then(|word| word.parse().ok());
    let since = words.next().and_then(|word| word.parse::<u32>().ok());
    (pid, since.map(|second| Instant::from_unix(second.into())))
}
