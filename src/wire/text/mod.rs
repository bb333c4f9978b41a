//! The text telegrams of IEC 62056-21 and DSMR P1: one grammar, one framer.
//!
//! ```text
//! /ISk5MT174-0002 CR LF   STX 1-0:1.8.0*255(0000502.853*kWh) CR LF …   ! CR LF   ETX BCC    modes A, B, C
//! /ISK5\2M550E-1012 CR LF CR LF   1-0:1.8.1(000576.239*kWh) CR LF …   ! 67B1                DSMR P1, 4 and later
//! /EBZ5DD3 CR LF CR LF            1-0:1.8.0*255(00508.4*kWh) CR LF …  !                      mode D, DSMR P1 2 and 3
//! └ identification                └ data sets                         └ end mark             └ block check
//! ```
//!
//! [`cut`] finds telegrams and checks their checksums, [`Pieces`] splits the data block, [`stamp`] reads the forms that
//! times have in it, [`dissect()`] names every byte. What the two families do differently stands in
//! [`iec62056`](super::iec62056) and [`dsmr`](super::dsmr). Not here: what a code means, which zone a clock is in.
//!
//! ```
//! use releve::wire::{Cut, text};
//! let bytes = b"/LGF5E360\r\n\r\n1-0:1.7.0(0002.345*kW)\r\n!\r\n";
//! let Cut::Whole { len, value: telegram } = text::cut(bytes, false, true) else { panic!() };
//! assert_eq!(&bytes[telegram.identification().unwrap()], b"/LGF5E360");
//! assert_eq!(bytes[len..], *b"\r\n");
//! ```

mod dataset;
mod dissect;
mod framing;
mod time;

pub use dataset::{DataSet, Groups, Piece, Pieces, Plain, PlainNumber, plain_address, plain_digits};
pub use dissect::dissect;
pub(in crate::wire) use framing::{Identification, identification};
pub use framing::{checks_by_sum, could_start, cut, exclusive_or, sum};
pub use time::{Season, Stamp, civil_from_two_digits, stamp};

use std::borrow::Cow;
use std::ops::Range;

/// Start of heading: a command begins.
pub(crate) const SOH: u8 = 0x01;
/// Start of text: a data block with a block check begins.
pub(crate) const STX: u8 = 0x02;
/// End of text: the block check follows.
pub(crate) const ETX: u8 = 0x03;
/// End of a partial block, more blocks follow; otherwise as [`ETX`].
pub(crate) const EOT: u8 = 0x04;
/// Acknowledge; in a readout, the echo of what the reader sent.
pub(crate) const ACK: u8 = 0x06;
/// Not understood, or damaged: once more.
pub(crate) const NAK: u8 = 0x15;

/// A telegram as cut: where its parts are, and which check it passed. Positions count from its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Telegram {
    /// The end of the identification line without its line end; 0 where there is none.
    identification_end: usize,
    data_start: usize,
    data_end: usize,
    /// What says that the bytes are those the meter sent.
    pub check: Check,
    /// Every byte carries an even parity bit in bit 7: a 7E1 stream that was received as 8N1.
    pub parity: bool,
}

/// What says that the bytes of a telegram are those the meter sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Nothing: the form has no checksum (mode D, DSMR 2 and 3, readouts without STX).
    None,
    /// The CRC-16/ARC after the end mark fits.
    Crc,
    /// The CRC fits once the line ends are CR LF again.
    CrcAfterLineEnds,
    /// The block check character is the exclusive or of the block.
    Bcc,
    /// The block check character is the 7-bit sum of the block, and the maker is known for that.
    Sum,
    /// There should be a block check, but it cannot be verified.
    Unchecked(Unchecked),
}

/// Why a block check cannot be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchecked {
    /// There is an STX, but ETX and block check are missing after the end mark.
    NoBlockCheck,
    /// A load profile or log ends with the input and not with an end mark.
    NoEndMark,
    /// There are ETX and block check, but the STX from which on it counts is missing, and it does not fit the data.
    NoStx,
}

impl Check {
    /// Whether a checksum says that the data is as the meter sent it.
    #[must_use]
    pub const fn is_verified(self) -> bool {
        matches!(self, Self::Crc | Self::CrcAfterLineEnds | Self::Bcc | Self::Sum)
    }
}

impl Telegram {
    /// The answer to a command: `len` bytes of data sets, their block check verified and taken off with STX and ETX.
    #[must_use]
    pub const fn answer(len: usize) -> Self {
        Self { identification_end: 0, data_start: 0, data_end: len, check: Check::Bcc, parity: false }
    }

    /// The identification line with its `/`, without its line end.
    #[must_use]
    pub fn identification(&self) -> Option<Range<usize>> {
        (self.identification_end > 0).then_some(0..self.identification_end)
    }

    /// The data block: after the identification or STX, up to the end mark or ETX.
    #[must_use]
    pub const fn data(&self) -> Range<usize> {
        self.data_start..self.data_end
    }

    /// The telegram's bytes with their parity bits masked; borrowed where there are none.
    #[must_use]
    pub fn masked<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.parity { Cow::Owned(bytes.iter().map(|b| b & 0x7F).collect()) } else { Cow::Borrowed(bytes) }
    }
}
