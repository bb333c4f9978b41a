//! From bytes to readings: which protocol it is, where telegrams begin and end, and what their objects mean.
//!
//! - [`scan`](mod@scan) cuts a stream of unknown bytes into telegrams, frames and noise.
//! - [`Decoder`] is the push machine around it: bytes in as they come, readings out.
//! - [`explain`] takes a capture apart byte by byte.
//! - [`log`](mod@log) finds the meter's own event log in a reading.
//! - [`map`] turns the objects of each protocol into [`Reading`](crate::reading::Reading)s.
//! - [`profile`] gives the rows of a load profile as readings of their own.
//! - [`quirks`] holds what single makes of meters do differently, each with its evidence.
//! - [`timestamp`] decides which of the meter's and the host's times a reading counts under.

mod decoder;
pub mod explain;
pub mod log;
pub mod map;
pub mod profile;
pub mod quirks;
pub mod scan;
mod timing;

pub use decoder::{Decoder, Outcome, Settings};
pub use timing::{Receipt, Stamped, timestamp};
