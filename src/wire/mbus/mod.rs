//! Wired M-Bus frames (EN 13757-2), the envelope of DLMS in parts of Austria.
//!
//! ```text
//! 68  FA FA  68  53  FF  00  01  67   DB 08 …   CS  16
//! │   │      │   │   │   │   │   │    │         │   └ end
//! │   │      │   │   │   │   │   │    │         └ sum of the octets from C to the last one of the data, modulo 256
//! │   │      │   │   │   │   │   │    └ a piece of an APDU
//! │   │      │   │   │   │   │   └ DTSAP: 67 = consumer information
//! │   │      │   │   │   │   └ STSAP: 01 = management
//! │   │      │   │   │   └ CI: 00 to 1F = DLMS; bit 4 last segment, bits 0 to 3 number of the segment
//! │   │      │   │   └ A: FF = broadcast
//! │   │      │   └ C: 53 or 73 = send user data
//! │   │      └ start again
//! │   └ length from C to the last octet of the data, twice
//! └ start
//!
//! 10 40 01 41 16   a short frame: C, A, sum
//! ```
//! Short frames also occur in front of pushes on lines that otherwise carry HDLC.

mod dissect;
mod framing;

pub use dissect::dissect;
pub use framing::{Frame, cut};
