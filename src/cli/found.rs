//! The files that an import is to take in, and which of an archive's count.

use super::failure::{self, Failure};
use super::import::unreadable;
use super::output::printable;
use super::words::{errors, tr};
use crate::archive::layout::{FOLDERS, is_manifest};
use crate::archive::{Kind, Named, Tree};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A file to be taken in.
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// It was come upon in a folder, not named.
    pub(super) by_chance: bool,
    /// It is a link that leads out of that folder.
    pub(super) is_outside: bool,
    /// The archive that it stands in, and what its name says.
    pub(super) of_archive: Option<(Rc<Tree>, Named)>,
    /// Hour files that count where this day file cannot be read.
    pub(super) instead: Vec<PathBuf>,
}

impl Found {
    pub(super) fn named(path: PathBuf) -> Self {
        Self { path, by_chance: false, is_outside: false, of_archive: None, instead: Vec::new() }
    }
}

/// The files under some paths, in the order named; of a folder in the order of their names.
pub(super) fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                let root = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
                below(path, &root, &mut found)?;
            }
            Ok(metadata) if metadata.is_file() => found.push(Found::named(path.clone())),
            // What a file is shows in its first bytes, and of a pipe those could not be read again.
            Ok(_) => {
                let what = tr!("{path} is no file", path = path.display());
                return Err(Failure::new(failure::NO_INPUT, "input.kind", what)
                    .tip(tr!("put it into a file first"))
                    .into());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::new(
                    failure::NO_INPUT,
                    "input.missing",
                    tr!("there is no {path}", path = path.display()),
                )
                .into());
            }
            Err(error) => return Err(unreadable(path, &error).into()),
        }
    }
    Ok(found)
}

/// Everything in a folder that is not hidden, set aside, a manifest, or a means file of the archive.
fn below(folder: &Path, root: &Path, found: &mut Vec<Found>) -> anyhow::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .and_then(|entries| entries.collect::<io::Result<Vec<_>>>())
        .map_err(|error| unreadable(folder, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let tree = archive_of(folder)?;
    let first = found.len();
    let mut hours: Vec<(Named, String, PathBuf)> = Vec::new();
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type().map_err(|error| unreadable(&entry.path(), &error))?;
        let aside = [".corrompu", "-wal", "-shm", "-journal", ".lock"].iter().any(|end| name.ends_with(end));
        if name.starts_with('.') || aside || is_manifest(&name) {
            continue;
        }
        // A link to a folder is not followed: it may lead back here.
        if kind.is_dir() {
            below(&entry.path(), root, found)?;
            continue;
        }
        let path = entry.path();
        let is_outside =
            kind.is_symlink() && fs::canonicalize(&path).ok().is_none_or(|target| !target.starts_with(root));
        let named = Named::parse(&name);
        if named.as_ref().is_some_and(|named| !named.period.kind().has_readings()) {
            continue;
        }
        if named.as_ref().is_some_and(|named| named.period.kind() == Kind::Hour) && !is_outside {
            hours.extend(named.map(|named| (named, name.into_owned(), path)));
        } else if is_outside || kind.is_file() || path.is_file() {
            let of_archive = tree.clone().zip(named);
            found.push(Found { path, by_chance: true, is_outside, of_archive, instead: Vec::new() });
        }
    }
    // What the day file of a manifest was made of is in it.
    for (named, name, path) in hours {
        let is_listed =
            |tree: &Tree, period, name: &str| tree.listed(period, name).is_ok_and(|listed| listed.is_some());
        let day = found.iter_mut().skip(first).find(|other| {
            other.of_archive.as_ref().is_some_and(|(tree, day)| {
                day.period.kind() == Kind::Day
                    && day.period.range().contains(&named.period.start())
                    && day.suffix == named.suffix
                    && is_listed(tree, named.period, &name)
                    && is_listed(tree, day.period, &day.period.file_name(day.suffix.as_deref()))
            })
        });
        match day {
            Some(day) => day.instead.push(path),
            None => found.push(Found {
                of_archive: tree.clone().map(|tree| (tree, named)),
                by_chance: true,
                ..Found::named(path)
            }),
        }
    }
    Ok(())
}

/// The archive that a folder is part of.
fn archive_of(folder: &Path) -> anyhow::Result<Option<Rc<Tree>>> {
    let name = folder.file_name().map(|name| name.to_string_lossy());
    let root = folder.parent().filter(|_| name.is_some_and(|name| FOLDERS.contains(&name.as_ref())));
    let Some(root) = root else { return Ok(None) };
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let tree = Tree::open(root, true)?;
    for error in tree.set_damaged_manifests_aside()? {
        let what = tr!("{what}: its files are taken as they are", what = errors::archive(&error));
        super::output::say(&printable(&failure::warning(&what)));
    }
    Ok(Some(Rc::new(tree)))
}
