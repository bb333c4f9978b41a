//! The archive tree: gzip JSON files that outlive the store.
//!
//! | part | what it is for |
//! |---|---|
//! | [`layout`] | which file holds which time |
//! | `content`, `pack` | readings to the bytes of a file |
//! | `manifest` | what each file must be |
//! | `tree`, `disk` | the files on the disk: written beside their name, flushed, read back, renamed |
//! | `gather`, `any`, `scan`, `text` | what is in a file, whoever wrote it |
//!
//! A file is merged with, never truncated; no half file is ever visible. docs/ARCHIVE.md describes the forms.

mod any;
mod checksum;
mod content;
mod deflate;
mod disk;
mod gather;
pub mod layout;
mod manifest;
mod pack;
mod scan;
mod text;
mod tree;

pub use any::{InFile, read_any, read_bytes};
pub use checksum::sha256;
pub use content::{Content, Record, Records, Summary, Text, add, history};
pub use gather::{Flaw, Gathered, Whose, record};
pub use layout::{Kind, Named, Period};
pub use manifest::{Listed, Manifest};
pub use tree::{Prepared, Proven, Standing, Tree, TreeLock};

use std::io;
use std::path::{Path, PathBuf};

/// Why an archive file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The file is damaged: cut short, a checksum that does not fit, no JSON of the contract.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file holds means, which cannot become readings again.
    #[error("{} holds means of a quarter of an hour, not readings", .0.display())]
    Derived(PathBuf),
    /// The file belongs to another meter.
    #[error("{} is of meter {found}", path.display())]
    OtherMeter {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: String,
    },
    /// A link that leads out of the tree, or something that is no file.
    #[error("{} is no file of the archive", path.display())]
    Outside {
        /// Where it stands.
        path: PathBuf,
    },
    /// Another program writes to the archive.
    #[error("{} is being written by another program", .0.display())]
    Busy(PathBuf),
    /// What was written does not read back as it was meant.
    #[error("{} did not read back as written", .0.display())]
    NotVerified(PathBuf),
    /// The system does not let it be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system refuses to write.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl ArchiveError {
    pub(crate) fn damaged(path: &Path, what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Damaged { path: path.into(), source: what.into() }
    }
}
