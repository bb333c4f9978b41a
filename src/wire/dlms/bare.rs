//! APDUs without a frame: logged after deciphering, read from a socket, or with only the LLC header in front.

use super::apdu::notification_head;
use super::cipher::{Envelope, is_ciphered};
use super::{Apdu, AssociationRequest, AssociationResponse, Fail, LLC, Request, length, tag};
use crate::reading::{Anomaly, AnomalyCode};
use crate::wire::{Cut, MAX_TELEGRAM};
use std::ops::Range;

/// An APDU that has no frame; the range counts from the first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bare {
    /// Where the APDU is: behind the LLC header or the IEC 62056-47 wrapper, if there is one.
    pub apdu: Range<usize>,
}

/// The APDU that starts at the first byte: `0F`, `C4`, `DB`, `DC`, `DD` or `E0`, or one that opens a session or answers
/// in it (`60`, `61`, `C0`, `C3`, `C7`, `D8`), also behind `E6 E7 00` or behind the wrapper `0001 source(2) destination(2) length(2)` of IEC 62056-47.
///
/// Nothing but the structure of the APDU itself says that it is one. So this is only asked at the start of an input and
/// right behind another bare APDU, and everything has to fit: tags, lengths, a list with values in it.
#[must_use]
pub fn cut_bare(bytes: &[u8], end: bool) -> Cut<Bare> {
    let short = |need: usize| if end { Cut::Nothing } else { Cut::More { need } };
    match bytes {
        [] => short(1),
        [0xE6, rest @ ..] => match rest {
            [0xE6 | 0xE7, 0x00, ..] => cut_apdu(bytes, 3, end),
            [] | [0xE6 | 0xE7] => short(bytes.len() + 1),
            _ => Cut::Nothing,
        },
        [0x00, rest @ ..] => match rest {
            [0x01, _, _, _, _, high, low, ..] => wrapped(bytes, usize::from(u16::from_be_bytes([*high, *low])), end),
            [0x01, ..] | [] => short(8),
            _ => Cut::Nothing,
        },
        _ => cut_apdu(bytes, 0, end),
    }
}

/// `0001 source(2) destination(2) length(2)`: the length is known, and the APDU has to fill it.
fn wrapped(bytes: &[u8], length: usize, end: bool) -> Cut<Bare> {
    let total = 8 + length;
    match cut_apdu(bytes.get(..total).unwrap_or(bytes), 8, end && bytes.len() < total) {
        Cut::Whole { len, value } if len == total => Cut::Whole { len, value },
        Cut::Whole { .. } | Cut::Nothing => Cut::Nothing,
        // The APDU wants more than the wrapper holds.
        Cut::More { need } if need > total => Cut::Nothing,
        // Incomplete APDUs cannot be judged before the wrapper is full.
        Cut::More { .. } => Cut::More { need: total },
        damaged @ Cut::Damaged { .. } => damaged,
    }
}

fn cut_apdu(bytes: &[u8], from: usize, end: bool) -> Cut<Bare> {
    let apdu = bytes.get(from..).unwrap_or_default();
    match extent(apdu) {
        Ok(len) => Cut::Whole { len: from + len, value: Bare { apdu: from..from + len } },
        Err(Fail::Wrong { .. }) => Cut::Nothing,
        Err(Fail::Short { need }) if from + need > MAX_TELEGRAM => Cut::Nothing,
        Err(Fail::Short { need }) if !end => Cut::More { need: from + need },
        Err(Fail::Short { .. }) if is_convincing(apdu) => {
            let detail = format!("the APDU breaks off after {} octets", apdu.len());
            let fault = Anomaly::new(AnomalyCode::Cut, bytes.len() as u64, detail);
            Cut::Damaged { skip: 1, fault }
        }
        Err(Fail::Short { .. }) => Cut::Nothing,
    }
}

/// How long the APDU at the start is.
fn extent(apdu: &[u8]) -> Result<usize, Fail> {
    let octet = |at: usize| apdu.get(at).copied().ok_or(Fail::Short { need: at + 1 });
    match octet(0)? {
        0x0F => {
            // The time is judged first: most of what is no push stops here.
            let (time, body) = notification_head(apdu)?;
            if let Some(range) = time {
                plausible_time(apdu.get(range.clone()).unwrap_or_default(), range.start)?;
            }
            if !matches!(octet(body)?, tag::STRUCTURE | tag::ARRAY) || octet(body + 1)? == 0 {
                return Err(Fail::wrong(body, "no list of values"));
            }
            Apdu::parse(apdu).map(|(_, end)| end)
        }
        0xC4 => {
            // Response kinds 1 to 3, and an invoke-id whose reserved bits are zero.
            if !matches!(octet(1)?, 1..=3) || octet(2)? & 0x30 != 0 {
                return Err(Fail::wrong(1, "no GET response"));
            }
            Apdu::parse(apdu).map(|(_, end)| end)
        }
        0x60 => AssociationRequest::parse(apdu).map(|(_, end)| end),
        0x61 => AssociationResponse::parse(apdu).map(|(_, end)| end),
        0xC0 | 0xC3 => {
            if octet(2)? & 0x30 != 0 {
                return Err(Fail::wrong(1, "no request"));
            }
            Request::parse(apdu).map(|(_, end)| end)
        }
        0xC7 => {
            if octet(2)? & 0x30 != 0 {
                return Err(Fail::wrong(1, "no ACTION response"));
            }
            Apdu::parse(apdu).map(|(_, end)| end)
        }
        0xD8 => {
            if !matches!((octet(1)?, octet(2)?), (1 | 2, 1..=6)) {
                return Err(Fail::wrong(1, "no exception response"));
            }
            Apdu::parse(apdu).map(|(_, end)| end)
        }
        0xE0 => {
            // Streaming bit and window are free; nothing else says that this is a block.
            let number = u16::from_be_bytes([octet(2)?, octet(3)?]);
            let acknowledged = u16::from_be_bytes([octet(4)?, octet(5)?]);
            let (length, from) = length(apdu, 6)?;
            if !(1..=0xFF).contains(&number) || acknowledged > number || length == 0 {
                return Err(Fail::wrong(1, "no block"));
            }
            if number == 1 && !matches!(octet(from)?, 0x0F | 0xC4 | 0xDB..=0xDD) {
                return Err(Fail::wrong(from, "no APDU in the block"));
            }
            let end = from + length;
            if apdu.len() < end { Err(Fail::Short { need: end }) } else { Ok(end) }
        }
        tag @ (0xDB | 0xDC) => {
            // A title of eight octets, and a security control of a suite that exists.
            if octet(1)? != 8 {
                return Err(Fail::wrong(1, "no system title"));
            }
            let (_, control) = length(apdu, 10)?;
            if octet(control)? & 0x0F > 2 || octet(control)? & 0x30 == 0 {
                return Err(Fail::wrong(control, "no security control"));
            }
            debug_assert!(is_ciphered(tag));
            Envelope::parse(apdu).map(|(_, end)| end)
        }
        0xDD => {
            let (envelope, end) = Envelope::parse(apdu)?;
            let control = octet(envelope.control)?;
            if control & 0x0F > 2 || control & 0x30 == 0 || envelope.title.is_none() {
                return Err(Fail::wrong(envelope.control, "no security control"));
            }
            Ok(end)
        }
        _ => Err(Fail::wrong(0, "no APDU")),
    }
}

/// A date-time of the header: a date of this age, or nothing specified.
fn plausible_time(octets: &[u8], at: usize) -> Result<(), Fail> {
    let &[y1, y2, month, day, weekday, hour, minute, second, ..] = octets else {
        return Err(Fail::Short { need: at + 12 });
    };
    let specified = |value: u8, range: std::ops::RangeInclusive<u8>| value == 0xFF || range.contains(&value);
    let year = u16::from_be_bytes([y1, y2]);
    let fits = (year == 0xFFFF || (1970..2200).contains(&year))
        && (specified(month, 1..=12) || matches!(month, 0xFD | 0xFE))
        && (specified(day, 1..=31) || matches!(day, 0xFD | 0xFE))
        && specified(weekday, 0..=7)
        && specified(hour, 0..=24)
        && specified(minute, 0..=59)
        && specified(second, 0..=59);
    if fits { Ok(()) } else { Err(Fail::wrong(at, "no date-time")) }
}

/// Whether a part of an APDU is enough to say that it was one.
fn is_convincing(apdu: &[u8]) -> bool {
    match apdu.first() {
        Some(0x0F) => notification_head(apdu).is_ok_and(|(_, body)| apdu.len() > body + 4),
        Some(0xDB | 0xDC) => apdu.len() > 16,
        Some(0xE0) => apdu.len() > 16 && LLC.iter().all(|llc| !apdu.starts_with(llc)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{BURGENLAND, PLAIN, bytes};
    use super::*;
    use proptest::prelude::*;

    fn check(hex: &str, from: usize) {
        let input = bytes(hex);
        let whole = Cut::Whole { len: input.len(), value: Bare { apdu: from..input.len() } };
        assert_eq!(cut_bare(&input, false), whole, "{hex}");
        // Whatever comes behind is not its business.
        assert_eq!(cut_bare(&[&input[..], &[0x0F, 0, 1]].concat(), false), whole, "{hex}");
        for split in 0..input.len() {
            let Cut::More { need } = cut_bare(&input[..split], false) else { panic!("{hex} at {split}") };
            assert!(need > split && need <= input.len().max(8), "{hex} at {split}: {need}");
            assert!(matches!(cut_bare(&input[..split], true), Cut::Nothing | Cut::Damaged { .. }));
        }
    }

    #[test]
    fn apdus_without_a_frame() {
        check(PLAIN, 0);
        check(&format!("E6E700 {PLAIN}"), 3);
        let plain = bytes(PLAIN).len();
        check(&format!("0001 0001 0067 00{plain:02X} {PLAIN}"), 8);
        check("C4 01 C1 00 06 00 00 32 89", 0);
        check("C0 01 C1 00 08 00 00 01 00 00 FF 02 00", 0);
        check("C7 01 C1 00 00", 0);
        check("D8 01 02", 0);
        check("60 1D A1 09 06 07 60 85 74 05 08 01 01 BE 10 04 0E 01 00 00 00 06 5F 1F 04 00 40 1E 5D FF FF", 0);
        check("E0 40 00 01 00 00 05 0F 00 00 00 01", 0);
        let frame = bytes(BURGENLAND);
        let ciphered: String = frame[12..frame.len() - 3].iter().map(|octet| format!("{octet:02X}")).collect();
        check(&ciphered, 0);
        check(&format!("0001 0001 0067 00{:02X} {ciphered}", ciphered.len() / 2), 8);
    }

    #[test]
    fn what_only_looks_like_one() {
        for hex in [
            "0F 00000001 00 02 00",
            "0F 00000001 00 09 04 31323334",
            "0F 00000001 0C 07E90D07050E1E00FF800000 02 01 00",
            "0F 00000001 0C 00000B07050E1E00FF800000 02 01 00",
            "DB 07 4C475A67730000 18 20",
            "DB 08 4C475A67730000D4 18 2F",
            "E0 40 00 00 00 00 05 0F",
            "C4 04 C1 00 00",
            "E6 E8 00",
            "00 02",
            "0001 0001 0067 0004 0F000000",
            "2F 4C 47 5A",
        ] {
            assert_eq!(cut_bare(&bytes(hex), false), Cut::Nothing, "{hex}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_any_chunking(mut input in proptest::collection::vec(any::<u8>(), 1..120), start in 0usize..13, split in 0usize..120) {
            input[0] = [0x0F, 0xC4, 0xDB, 0xDD, 0xE0, 0xE6, 0x00, input[0], 0x60, 0x61, 0xC0, 0xC7, 0xD8][start];
            if let Some(second) = input.get_mut(1) {
                match start { 2 => *second = 8, 5 => *second = 0xE7, 6 => *second = 1, _ => {} }
            }
            let part = &input[..split.min(input.len())];
            match cut_bare(part, false) {
                Cut::More { need } => prop_assert!(need > part.len()),
                said => prop_assert_eq!(said, cut_bare(&input, false)),
            }
            let stalls = matches!(cut_bare(&input, true), Cut::More { .. });
            prop_assert!(!stalls);
        }
    }
}
