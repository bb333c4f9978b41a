//! Captures: a file or standard input, read from its beginning as if a meter were sending it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A source of captured bytes.
#[derive(Debug)]
pub struct Input {
    source: Source,
    endless: bool,
    modified: Option<SystemTime>,
}

#[derive(Debug)]
enum Source {
    File(File),
    Stdin(io::Stdin),
}

/// Why a capture cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// There is no such file.
    #[error("there is no {}", .0.display())]
    Missing(PathBuf),
    /// It is a folder.
    #[error("{} is a folder, not a capture", .0.display())]
    Directory(PathBuf),
    /// The user may not read it.
    #[error("may not read {}", .0.display())]
    Denied(PathBuf),
    /// Anything else the system says.
    #[error("cannot read {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Input {
    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    /// [`InputError`], naming the path.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        if path.as_os_str() == "-" {
            return Ok(Self { source: Source::Stdin(io::stdin()), endless: true, modified: None });
        }
        let fail = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => InputError::Missing(path.into()),
            io::ErrorKind::PermissionDenied => InputError::Denied(path.into()),
            io::ErrorKind::IsADirectory => InputError::Directory(path.into()),
            _ => InputError::Io { path: path.into(), source },
        };
        let file = File::open(path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        if metadata.is_dir() {
            return Err(InputError::Directory(path.into()));
        }
        let endless = !metadata.is_file();
        Ok(Self { source: Source::File(file), endless, modified: metadata.modified().ok() })
    }

    /// Whether the end may never come: a pipe, a device.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        self.endless
    }

    /// When the capture was last written, if it is a file.
    #[must_use]
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified.filter(|_| !self.endless)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.source {
            Source::File(file) => file.read(buffer),
            Source::Stdin(stdin) => stdin.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_path_and_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.bin");
        assert!(matches!(Input::open(&missing), Err(InputError::Missing(path)) if path == missing));
        assert!(matches!(Input::open(folder.path()), Err(InputError::Directory(_))));
    }
}
