//! Consolidation: the store's readings into the archive's files, and out of the store once they are safe there.
//!
//! | part | what it is for |
//! |---|---|
//! | [`plan`] | which files are missing or no longer say what they should: pure |
//! | `work` | the files of a stretch of time, from one pass through its readings |
//! | `filing` | files flushed, read back and named, while the next are made |
//! | `export` | the short files of days |
//! | `prune` | what may leave the store and the archive |
//! | [`verify`] | the archive held against its manifests, without the store |
//! | `lock` | one run at a time |
//!
//! A dry run goes the same way to the last step and leaves that out, so it tells what a real one does, to the byte.

mod export;
mod filing;
mod lock;
pub mod plan;
mod prune;
mod run;
pub mod verify;
mod work;

pub use export::export_days;
pub use lock::Lock;
pub use run::{Bounds, Done, Report, Select, Wishes, run};

use crate::archive::ArchiveError;
use crate::past::PastError;
use crate::reading::Instant;
use crate::store::StoreError;
use std::path::PathBuf;

/// Why a consolidation cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsolidateError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The past cannot be told.
    #[error(transparent)]
    Past(#[from] PastError),
    /// Another consolidation of the store is going on.
    #[error("another consolidation of {} is going on", store.display())]
    Busy {
        /// The store.
        store: PathBuf,
        /// Which process does it, where it left its number.
        pid: Option<u32>,
        /// Since when.
        since: Option<Instant>,
    },
    /// There is no thread left.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
}
