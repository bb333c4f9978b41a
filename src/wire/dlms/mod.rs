//! DLMS/COSEM APDUs (IEC 62056-5-3): pushes and answers, how they are split, ciphered and encoded.
//!
//! ```text
//! HDLC or M-Bus information:
//! E6 E7 00  E0 40 00 01 00 00 70  0F 00 00 00 2A  0C 07 E9 …  02 05 01 05 02 04 …
//! │         │  │  │     │     │   │  │            │           └ body: A-XDR data
//! │         │  │  │     │     │   │  │            └ length of the date-time (00 = none) and date-time
//! │         │  │  │     │     │   │  └ invoke id
//! │         │  │  │     │     │   └ 0F: data notification, the push
//! │         │  │  │     │     └ length of the block's data
//! │         │  │  │     └ last block acknowledged
//! │         │  │  └ number of the block, from 1
//! │         │  └ block control: bit 7 = last block
//! │         └ E0: general block transfer
//! └ LLC header, in the first frame of an APDU only
//!
//! DB  08 4C 47 5A …  24  30  00 00 00 2A  B3 1A …  DD F8 …
//! │   │              │   │   │            │        └ tag of 12 octets, if bit 4 of the security control is set
//! │   │              │   │   │            └ ciphertext
//! │   │              │   │   └ invocation counter
//! │   │              │   └ security control: 10 authenticated, 20 encrypted, bits 0 to 3 suite
//! │   │              └ length of the rest
//! │   └ system title: maker's three letters and five octets
//! └ DB: general global ciphering
//! ```
//!
//! - [`Joiner`] puts an APDU together from HDLC segments, M-Bus segments and blocks.
//! - [`cut_bare`] finds an APDU that has no frame around it.
//! - [`open`] deciphers, [`Apdu::parse`] takes the plain APDU apart, [`Tree`] holds its values.
//! - [`dissect()`] names the octets of an APDU, however it was split.
//! - [`AssociationRequest`], [`Initiate`], [`Request`], [`answer`] are what client and server say to each other, written
//!   and read; [`Data`] are values on their way out; [`Protection`] and [`Authenticator`] encipher and prove.
//!
//! What the values mean is the business of [`acquire::map`](crate::acquire::map).

mod acse;
pub mod answer;
mod apdu;
mod bare;
mod block;
mod cipher;
mod data;
mod dissect;
mod initiate;
mod protect;
mod service;

pub use acse::{
    AssociationRequest, AssociationResponse, Context, Mechanism, diagnostic, release_request, release_response,
};
pub use apdu::{Apdu, Notification, access, access_result, holds_values, is_known, name};
pub use bare::{Bare, cut_bare};
pub use block::{Joined, JoinedApdu, Joiner, Piece};
pub use cipher::{Key, KeyError, Keys, Opened, SystemTitle, Verified, open};
pub use data::{Data, Elements, Item, Tree, date_time, date_time_octets, tag};
pub use dissect::{dissect, dissect_heads, weave};
pub use initiate::{Conformance, Initiate, ServiceError};
pub use protect::{Authenticator, Password, Protection};
pub use service::{Attribute, INVOKE, Refusal, Request, Selection, Value};

use crate::reading::{Anomaly, AnomalyCode};
use crate::wire::MAX_TELEGRAM;

/// The LLC header in front of an answer or a push, and the one in front of a request.
pub const LLC: [[u8; 3]; 2] = [[0xE6, 0xE7, 0x00], [0xE6, 0xE6, 0x00]];

/// Why bytes are no APDU or no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fail {
    /// They end too early: nothing can be said before there are `need` bytes.
    Short {
        /// How many bytes, counted from the start of the APDU.
        need: usize,
    },
    /// They are something else.
    Wrong {
        /// Where.
        at: usize,
        /// What stands there.
        what: &'static str,
    },
}

impl Fail {
    const fn wrong(at: usize, what: &'static str) -> Self {
        Self::Wrong { at, what }
    }
}

impl From<Fail> for Anomaly {
    fn from(fail: Fail) -> Self {
        match fail {
            Fail::Short { need } => {
                Self::new(AnomalyCode::Syntax, need as u64, format!("the APDU ends early: {need} octets are needed"))
            }
            Fail::Wrong { at, what } => Self::new(AnomalyCode::Syntax, at as u64, format!("octet {at}: {what}")),
        }
    }
}

/// The length at `at` and where what it measures starts.
fn length(bytes: &[u8], at: usize) -> Result<(usize, usize), Fail> {
    let octet = |at: usize| bytes.get(at).copied().ok_or(Fail::Short { need: at + 1 });
    let first = octet(at)?;
    if first < 0x80 {
        return Ok((usize::from(first), at + 1));
    }
    if !(0x81..=0x84).contains(&first) {
        return Err(Fail::wrong(at, "no length"));
    }
    let count = usize::from(first & 0x0F);
    let mut length = 0;
    for next in at + 1..=at + count {
        length = length << 8 | usize::from(octet(next)?);
    }
    if length > MAX_TELEGRAM {
        return Err(Fail::wrong(at, "longer than any telegram"));
    }
    Ok((length, at + 1 + count))
}

/// Appends a length in as few octets as it takes.
pub(crate) fn put_length(out: &mut Vec<u8>, length: usize) {
    let octets = length.to_be_bytes();
    let leading = octets.iter().take_while(|&&octet| octet == 0).count().min(octets.len() - 1);
    let significant = octets.get(leading..).unwrap_or_default();
    if length >= 0x80 {
        // At most eight octets, so the count fits.
        #[allow(clippy::cast_possible_truncation)]
        out.push(0x80 | significant.len() as u8);
    }
    out.extend_from_slice(significant);
}

#[cfg(test)]
pub(crate) mod examples {
    //! Published examples and our own, each checked with another implementation (see the comments).

    /// E450 form, two blocks, checked with gurux: 2025-11-07 14:30:00; "12345678", 2345, 154320, 1250.
    pub(crate) const E450_TWO_BLOCKS: &str = "
        7E A0 84 CE FF 03 13 12 8B E6 E7 00 E0 40 00 01 00 00 70 0F 00 00 00 2A 0C 07 E9 0B 07 05 0E 1E 00 FF 80 00 00 02 05 01 05
        02 04 12 00 28 09 06 00 08 19 09 00 FF 0F 02 12 00 00 02 04 12 00 01 09 06 00 00 60 01 00 FF 0F 02 12 00 00
        02 04 12 00 03 09 06 01 00 01 07 00 FF 0F 02 12 00 00 02 04 12 00 03 09 06 01 01 01 08 00 FF 0F 02 12 00 00
        02 04 12 00 03 09 06 01 00 1F 07 00 FF 0F 02 12 00 00 7F 36 7E
        7E A0 28 CE FF 03 13 E6 16 E0 C0 00 02 00 00 17 09 08 31 32 33 34 35 36 37 38 06 00 00 09 29 06 00 02 5A D0 12 04 E2 01 19 7E";

    /// SC 30, title LGZg, IC 42; gurux and dlms-cosem verify the tag.
    pub(crate) const CIPHERED: &str = "
        7E A0 3C CE FF 03 13 B6 8F E6 E7 00 DB 08 4C 47 5A 67 73 00 00 D4 24 30 00 00 00 2A B3 1A 14 E1 5E 46 B6 F0 68 81 7A
        4A 1A 4E 52 35 22 C2 09 41 59 FB AE 36 64 DD 1B F8 2D E5 DD 14 41 7E";

    /// What [`CIPHERED`] and [`MBUS`] say.
    pub(crate) const PLAIN: &str = "0F 0000002A 00 02 03 12 00E7 12 04E2 06 00000929";

    /// M-Bus, SC 20.
    pub(crate) const MBUS: &str = "
        68 28 28 68 53 FF 10 01 67 DB 08 4C 47 5A 67 73 00 00 D4 18 20 00 00 00 2A B3 1A 14 E1 5E 46 B6 F0 68 81 7A 4A 1A 4E
        52 35 22 C2 09 3F 16";

    /// Wiener Netze, SC 20, IC 7; pycryptodome and wiener-netze-smartmeter-serial read the same.
    pub(crate) const VIENNA: &str = "
        7E A0 67 CE FF 03 13 38 BD E6 E7 00 DB 08 4C 47 5A 67 73 00 00 D4 4F 20 00 00 00 07 43 06 8B 4B DD F2 59 6B 33 59 0F 72 53 2B 0B 6F EE 63 21 9A
        F2 1E 29 07 17 90 F6 D9 E2 75 8B DC CD 76 62 41 CB BD 8C 0F 8A B8 88 8F 0D D6 76 41 8B FF AF 48 11 53 85 82 38 04 E4 16 93 9A E6 B5 ED A8 89 45
        83 10 CF DE 2F 92 A9 4F 7E";

    /// Netz Burgenland, SC 30, IC 8; tag checked with dlms-cosem.
    pub(crate) const BURGENLAND: &str = "
        7E A0 76 CE FF 03 13 3C 02 E6 E7 00 DB 08 4C 47 5A 67 73 00 00 D4 5E 30 00 00 00 08 44 4A 26 FB 01 50 F5 B7 C8 A3 B3 18 A2 3B C8 DC 24 1D C8 98
        49 AC 9B 9E 6B B5 D9 D4 01 24 DB 06 0B 30 72 A9 FA B2 17 A4 E3 7F F5 32 30 F0 A0 4B A0 EA F9 F4 0D 83 F2 1C 36 44 F7 9F 07 16 14 8D 16 F9 67 41
        25 32 76 36 FA B8 FB 24 8F 6B 15 61 75 D0 2B 45 2C FB 02 18 F9 B3 A4 7E";

    /// The keys of all these.
    pub(crate) fn keys() -> super::Keys {
        super::Keys {
            encryption: Some("000102030405060708090A0B0C0D0E0F".parse().unwrap()),
            authentication: Some("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF".parse().unwrap()),
            ..Default::default()
        }
    }

    /// The octets of hexadecimal digits, blanks skipped.
    pub(crate) fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter_map(|b| (b as char).to_digit(16)).map(|d| d as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }
}
