//! HDLC frames of format type 3 (IEC 62056-46), the envelope of DLMS on serial lines.
//!
//! ```text
//! 7E  A0 84  CE FF  03   13      13 12  E6 E7 00 …   7F 36  7E
//! │   │      │      │    │       │      │            │      └ flag; may open the next frame
//! │   │      │      │    │       │      │            └ FCS, CRC-16/X.25 from format to information, low octet first
//! │   │      │      │    │       │      └ information: LLC header (first frame only) and APDU
//! │   │      │      │    │       └ HCS, the same CRC over the header; absent where there is no information
//! │   │      │      │    └ control: 13 = unnumbered information with P bit
//! │   │      │      └ source, 1, 2 or 4 octets, the last one odd
//! │   │      └ destination, likewise
//! │   └ format: A, segmentation bit, 11 bits of length without the flags
//! └ flag
//! ```
//! There is no byte stuffing: 7E occurs inside frames, and only the length tells the end.
//!
//! [`cut`] finds one frame, [`encode()`] writes one, [`dissect()`] names its octets. What the information means is the business of
//! [`dlms`](super::dlms).

mod control;
mod dissect;
mod encode;
mod framing;

pub use control::Control;
pub use dissect::dissect;
pub use encode::{Limits, MAX_INFORMATION, encode};
pub use framing::{Address, FLAG, Frame, cut};
