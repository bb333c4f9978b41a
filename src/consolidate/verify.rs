//! The archive held against its manifests, and each file against itself. The store is not asked.

use crate::archive::{ArchiveError, Named, Tree, layout, read_bytes};
use std::path::PathBuf;

/// What was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files that are what their manifest says.
    pub whole: usize,
    /// Readings in them, of day files alone.
    pub readings: usize,
    /// Files that no manifest lists, but that are whole by themselves.
    pub unlisted: usize,
    /// Files that are damaged or missing.
    pub damaged: usize,
}

/// Something to say about a file.
#[derive(Debug)]
pub enum Finding {
    /// It is damaged, missing, or something else.
    Damaged(ArchiveError),
    /// No manifest lists it.
    Unlisted(PathBuf),
    /// It was set aside earlier.
    Aside(PathBuf),
}

/// Checks every file.
///
/// # Errors
/// [`ArchiveError`] where a folder cannot be read; what is wrong with a file goes to `tell`.
pub fn verify(tree: &Tree, mut tell: impl FnMut(Finding)) -> Result<Verified, ArchiveError> {
    let mut done = Verified::default();
    // A dry tree leaves damaged manifests where they are and goes on without them.
    for error in tree.set_damaged_manifests_aside()? {
        done.damaged += 1;
        tell(Finding::Damaged(error));
    }
    for folder in layout::FOLDERS {
        for (name, listed) in tree.all_listed(folder)? {
            let Some(named) = Named::parse(&name) else { continue };
            match tree.verify(named.period, &name, &listed) {
                Ok(_) => {
                    done.whole += 1;
                    if named.period.kind() == layout::Kind::Day {
                        done.readings += listed.count;
                    }
                }
                Err(error) => {
                    done.damaged += 1;
                    tell(Finding::Damaged(error));
                }
            }
        }
        for name in tree.names(folder).into_iter().filter(|name| name.ends_with(".corrompu")) {
            tell(Finding::Aside(tree.root().join(folder).join(name)));
        }
    }
    for (named, name) in tree.unlisted()? {
        let path = tree.path(named.period, &name);
        let read = match tree.read(&path) {
            Ok(bytes) if named.period.kind().has_readings() => {
                read_bytes(&path, bytes.unwrap_or_default(), |_| Ok::<_, ArchiveError>(()))
            }
            Ok(_) => tree.history(&path).map(drop),
            Err(error) => Err(error),
        };
        match read {
            Ok(()) => {
                done.unlisted += 1;
                tell(Finding::Unlisted(path));
            }
            Err(error) => {
                done.damaged += 1;
                tell(Finding::Damaged(error));
            }
        }
    }
    Ok(done)
}
