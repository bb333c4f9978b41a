//! Why a log cannot begin, or go on.

use crate::store::StoreError;
use crate::transport::LinkError;
use std::io;

/// What waiting would not change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The port cannot be had.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Telegrams do not name their meter, and nobody else did.
    #[error("the telegrams from {port} do not name their meter")]
    Nameless {
        /// The port.
        port: String,
    },
    /// Of several meters none can be read.
    #[error("no meter is left to be read")]
    NothingLeft,
    /// The system gives no thread, or one broke down.
    #[error("cannot go on: {0}")]
    Thread(io::Error),
}
