//! Folders and names on the disk.

use super::ArchiveError;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The names in a folder; none where there is no such folder.
pub(super) fn names_in(folder: &Path) -> Result<BTreeSet<String>, ArchiveError> {
    let fail = |source| ArchiveError::Unreadable { path: folder.into(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(fail(error)),
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        // A name that is no text is none of ours.
        names.extend(entry.map_err(fail)?.file_name().into_string().ok());
    }
    Ok(names)
}

/// Makes a folder and those above it, each on the disk before anything is put into it.
pub(super) fn make_folder(folder: &Path) -> Result<(), ArchiveError> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(Path::new(""));
    make_folder(above)?;
    if make_one(folder)? {
        sync(if above.as_os_str().is_empty() { Path::new(".") } else { above })?;
    }
    Ok(())
}

/// Makes a folder, if there is none. Whether it did: then the one above is to be synced.
pub(super) fn make_one(folder: &Path) -> Result<bool, ArchiveError> {
    if folder.is_dir() {
        return Ok(false);
    }
    match fs::create_dir(folder) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(false),
        Err(source) => Err(ArchiveError::Io { path: folder.into(), source }),
    }
}

pub(super) fn sync(folder: &Path) -> Result<(), ArchiveError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| ArchiveError::Io { path: folder.into(), source })
}

/// Flushes what is to become the file of a name.
pub(super) fn flush(temporary: &NamedTempFile, path: &Path) -> Result<(), ArchiveError> {
    temporary.as_file().sync_all().map_err(|source| ArchiveError::Io { path: path.into(), source })
}

/// Gives a damaged file the name `….corrompu`, or `….2.corrompu` where that is taken.
pub(super) fn set_aside(path: &Path) -> Result<(), ArchiveError> {
    let aside = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        if number > 1 {
            name.push(format!(".{number}"));
        }
        name.push(".corrompu");
        PathBuf::from(name)
    };
    let free = (1..1000).map(aside).find(|aside| fs::symlink_metadata(aside).is_err());
    let aside = free.unwrap_or_else(|| aside(1));
    fs::rename(path, aside).map_err(|source| ArchiveError::Io { path: path.into(), source })
}
