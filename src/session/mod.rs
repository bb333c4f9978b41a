//! Dialogues played over links: one visit to a meter, recognition, diagnosis.
//!
//! - [`play()`] joins a dialogue and a link.
//! - [`listen()`] takes what a meter sends by itself.
//! - [`recognise()`] finds out how a meter is to be read; the answer is an [`Approach`].
//! - [`history()`] reads the load profile and the event log that a meter keeps.
//! - [`Visitor`] comes back to a meter whose approach is known.
//! - [`Cause`] is why there is no reading.

mod approach;
mod ask;
mod clock;
mod connect;
mod diagnosis;
mod heard;
mod history;
mod listen;
mod play;
mod recognise;
mod visit;

pub use approach::{Approach, Connect, Received, Taken};
pub use clock::Stopwatch;
pub use diagnosis::{Answer, Attempt, Cause, Tried};
pub use heard::{Heard, Look};
pub use history::{Kept, NoRecords, Records, Wanted, history};
pub use listen::{Patience, listen};
pub use play::{PlayError, Stop, play};
pub use recognise::{Found, LINES, NotFound, SILENT, Way, Wishes, recognise};
pub use visit::{Visited, Visitor};
