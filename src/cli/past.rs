//! Where commands that ask about the past look: the store, and the archive where the store was pruned.

use super::args::Globals;
use super::failure::{self, Failure};
use super::words::tr;
use crate::archive::Tree;
use crate::past::Past;
use crate::reading::{Instant, MeterId};
use std::ops::Range;
use std::path::Path;

/// The archive that is read where the store was pruned: the one that is named, or that of the settings if it is there.
pub(super) fn archive_to_read(named: Option<&Path>, globals: &Globals) -> anyhow::Result<Option<Tree>> {
    let path = match named {
        Some(path) if !path.is_dir() => {
            let what = tr!("there is no archive {path}", path = path.display());
            return Err(Failure::new(failure::NO_INPUT, "archive.missing", what).into());
        }
        Some(path) => Some(path),
        None => globals.config()?.file.archive.as_deref(),
    };
    Ok(path.map(|path| Tree::open(path, true)).transpose()?)
}

/// Says that an answer is not whole, since a part of it is in an archive that nobody named.
pub(super) fn warn_if_blind(
    past: &Past<'_>,
    meter: &MeterId,
    period: &Range<Instant>,
    globals: &Globals,
) -> anyhow::Result<()> {
    if let Some(before) = past.blind_before(meter)?.filter(|before| *before > period.start) {
        globals.warn(&tr!(
            "readings of {meter} before {before} are in the archive only: name it as archive = \"...\" in the settings",
            meter,
            before
        ));
    }
    Ok(())
}
