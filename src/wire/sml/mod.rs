//! SML, the Smart Message Language: what German meters push through the optical port or RS-485 every few seconds.
//!
//! [`framing`] cuts files out of a byte stream and checks the file's checksum, [`tlv`] reads type-length fields,
//! [`parse`] walks messages and the list of values, [`dissect`](mod@dissect) names every byte. Nothing is interpreted
//! here: a register's meaning is [`acquire::map::sml`](crate::acquire::map::sml)'s business, what single makes do
//! differently stands in [`acquire::quirks::sml`](crate::acquire::quirks::sml). [`encode`] writes what the others read.
//!
//! ```text
//! 1B 1B 1B 1B  01 01 01 01 │ 76 … 63 cc cc 00 │ 76 … │ 76 … │ 00 … │ 1B 1B 1B 1B  1A n cc cc
//! └ escape     └ version 1   └ open             └ list └ close└ fill  └ escape      │  │ └ CRC from the first 1B to n
//!                                                                                  │  └ octets of fill, 0 to 3
//!                                                                                  └ end
//! 76                       a message: list of six
//!   05 00 00 00 02         transaction
//!   62 00  62 00           group, what to do on an error
//!   72 63 07 01 77 …       body: its number and, for 0701, the list of seven with server id, time and values
//!   63 8C D2               CRC from 76 to here
//!   00                     end
//! ```
//! Four octets 1B in the payload are sent twice, at whatever offset they stand. Block transfer (version 2) is not met
//! in the field and is reported as damage.
//!
//! Standard: BSI TR-03109-1 Anlage IV Teil b (2013), the text of SML 1.03 and 1.04. Where it and the meters differ on
//! the order of the checksum's octets, the meters are followed.
//!
//! ```
//! use releve::wire::{Cut, sml};
//! let empty = [0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1, 0x1B, 0x1B, 0x1B, 0x1B, 0x1A, 0, 0xC6, 0xE5];
//! assert!(matches!(sml::cut(&empty[..9], false), Cut::More { .. }));
//! assert!(matches!(sml::cut(&empty, false), Cut::Whole { len: 16, .. }));
//! ```

pub mod dissect;
pub mod encode;
pub mod framing;
pub mod parse;
pub mod tlv;

pub use dissect::dissect;
pub use framing::{Checksum, File, cut};

/// Why bytes are not the structure they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Fault {
    /// Offset in the payload.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}
