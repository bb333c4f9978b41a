//! The archive tree: gzip JSON files that outlive the store.
//!
//! [`layout`] knows the paths, [`read_day`] and [`write_day`] the files. A file is merged with, never truncated; it is
//! written beside its final name, flushed, read back, and only then renamed, so that no half file is ever visible.

mod any;
pub mod layout;
mod merge;
mod read;
mod write;

pub use any::{InFile, read_any};
pub use merge::merge;
pub use read::read_day;
pub use write::{Written, write_day, write_export};

use std::io;
use std::path::PathBuf;

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
    /// The file belongs to another meter.
    #[error("{} is of meter {found}", path.display())]
    OtherMeter {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: String,
    },
    /// What was written does not read back as it was meant.
    #[error("{} did not read back as written", .0.display())]
    NotVerified(PathBuf),
    /// The system refuses to read or write.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
