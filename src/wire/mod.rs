//! Bytes to protocol objects and back. No I/O, no clock, no configuration.
//!
//! Each protocol is a room of its own, and the rooms look alike: `framing` cuts telegrams (or frames) out of a byte
//! stream and checks their checksums, `parse` turns one into objects or a [`Reading`](crate::reading::Reading),
//! `dissect` names every byte for `releve explain`.
//!
//! | room | what it cuts |
//! |---|---|
//! | [`text`] | the data sets `address(value*unit)` that IEC 62056-21 and DSMR share |
//! | [`iec62056`] | what reader and meter say in IEC 62056-21, load profiles, event logs |
//! | [`dsmr`] | P1 telegrams, plain |
//! | [`sml`] | SML transport files |
//! | [`hdlc`] | HDLC frames of format type 3 |
//! | [`mbus`] | wired M-Bus long frames that carry DLMS |
//! | [`dlms`] | APDUs: notifications, block transfer, ciphering, A-XDR data |
//!
//! # Cutting
//! A framer is a pure function over the bytes that start at one position, see [`Cut`]. It keeps no state, so that any
//! chunking of the stream gives the same answer: whoever holds the buffer asks again when more bytes are there.

pub mod crc;
pub mod dissect;
pub mod dlms;
pub mod dsmr;
pub mod hdlc;
pub mod iec62056;
mod line;
pub mod mbus;
pub mod sml;
pub mod text;

pub use line::{Line, Parity, ParseLineError};

use crate::reading::Anomaly;

/// The longest telegram of any protocol; a stream never needs more memory than a few of these.
pub const MAX_TELEGRAM: usize = 64 * 1024;

/// What a protocol says about the bytes that start at a position of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut<T> {
    /// No telegram of this protocol starts here.
    Nothing,
    /// One may start here. Nothing can be said before there are `need` bytes; with the end of the input in sight this
    /// is never the answer.
    More {
        /// How many bytes, counted from the position, must be there before it is worth asking again.
        need: usize,
    },
    /// A whole one, its checksums good.
    Whole {
        /// How many bytes it takes.
        len: usize,
        /// What it is.
        value: T,
    },
    /// One starts here, but it is damaged. The search goes on `skip` bytes further: as few as one, so that a sound
    /// telegram inside the damage is still found.
    Damaged {
        /// How far to move on, at least one byte.
        skip: usize,
        /// What is wrong; the position counts from the start of this telegram.
        fault: Anomaly,
    },
}

impl<T> Cut<T> {
    /// The same answer about another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Cut<U> {
        match self {
            Self::Nothing => Cut::Nothing,
            Self::More { need } => Cut::More { need },
            Self::Whole { len, value } => Cut::Whole { len, value: f(value) },
            Self::Damaged { skip, fault } => Cut::Damaged { skip, fault },
        }
    }
}
