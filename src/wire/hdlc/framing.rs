//! Cutting HDLC frames.

use crate::reading::{Anomaly, AnomalyCode};
use crate::wire::{Cut, crc};
use std::fmt;
use std::ops::Range;

/// The octet in front of and behind each frame. Any number of them may stand between two frames.
pub const FLAG: u8 = 0x7E;

/// The shortest frame: format, two addresses of one octet, control, FCS.
const SHORTEST: usize = 7;

/// One sound frame; ranges count from its opening flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Who it is for.
    pub destination: Address,
    /// Who sent it.
    pub source: Address,
    /// The control field: I, UI, RR, SNRM, UA …
    pub control: u8,
    /// Whether the information goes on in the next frame.
    pub segmented: bool,
    /// Where the information is; empty for RR, SNRM without parameters and the like.
    pub information: Range<usize>,
}

impl Frame {
    /// Whether the frame carries a piece of an APDU: it is of type I or UI.
    #[must_use]
    pub const fn carries_information(&self) -> bool {
        self.control & 1 == 0 || self.control & 0xEF == 0x03
    }
}

/// An HDLC address: the logical device (upper) and, where two or four octets are sent, the physical one (lower).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// Logical device of a server, or the client.
    pub upper: u16,
    /// Physical device, where sent.
    pub lower: Option<u16>,
    /// How many octets it takes: 1, 2 or 4.
    pub octets: u8,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lower {
            Some(lower) => write!(f, "{}/{lower}", self.upper),
            None => write!(f, "{}", self.upper),
        }
    }
}

/// What an address field says before it is complete.
enum Field {
    Whole(Address),
    Short,
    Wrong,
}

fn address(bytes: &[u8]) -> Field {
    let seven = |octet: u8| u16::from(octet >> 1);
    match *bytes {
        [a, ..] if a & 1 == 1 => Field::Whole(Address { upper: seven(a), lower: None, octets: 1 }),
        [a, b, ..] if b & 1 == 1 => Field::Whole(Address { upper: seven(a), lower: Some(seven(b)), octets: 2 }),
        // Three octets do not exist (IEC 62056-46, 6.4.2).
        [_, _, c, ..] if c & 1 == 1 => Field::Wrong,
        [a, b, c, d, ..] if d & 1 == 1 => {
            let pair = |high, low| seven(high) << 7 | seven(low);
            Field::Whole(Address { upper: pair(a, b), lower: Some(pair(c, d)), octets: 4 })
        }
        [_, _, _, _, ..] => Field::Wrong,
        _ => Field::Short,
    }
}

/// The frame whose opening flag is the first byte.
///
/// A header that does not check waits for the octet where its closing flag should be: with a flag there it is damage,
/// without one it is noise.
/// `len` leaves the closing flag for the next frame, which may share it; a flag that opens nothing is
/// [`Cut::Nothing`] and no damage.
#[must_use]
pub fn cut(bytes: &[u8], end: bool) -> Cut<Frame> {
    let short = |need: usize| if end { Cut::Nothing } else { Cut::More { need } };
    match bytes.first() {
        Some(&FLAG) => {}
        Some(_) => return Cut::Nothing,
        None => return short(1),
    }
    let Some(&format) = bytes.get(1) else { return short(2) };
    if format & 0xF0 != 0xA0 {
        return Cut::Nothing;
    }
    let Some(&low) = bytes.get(2) else { return short(3) };
    let length = usize::from(format & 0x07) << 8 | usize::from(low);
    if length < SHORTEST {
        return Cut::Nothing;
    }
    let destination = match address(&bytes[3..]) {
        Field::Whole(address) => address,
        Field::Wrong => return Cut::Nothing,
        Field::Short => return short(bytes.len() + 1),
    };
    let after = 3 + usize::from(destination.octets);
    let source = match address(&bytes[after..]) {
        Field::Whole(address) => address,
        Field::Wrong => return Cut::Nothing,
        Field::Short => return short(bytes.len() + 1),
    };
    // `header` is where the HCS stands, or the FCS of a frame without information; `fcs` where the FCS stands.
    let header = after + usize::from(source.octets) + 1;
    let fcs = length - 1;
    let Some(&control) = bytes.get(header - 1) else { return short(header) };
    // One octet between header and FCS is no HCS.
    if fcs < header || fcs == header + 1 {
        return Cut::Nothing;
    }
    if fcs > header {
        let Some(&[low, high]) = bytes.get(header..header + 2) else { return short(header + 2) };
        if let Some(fault) = mismatch("header check", &bytes[1..header], [low, high], header) {
            // Noise looks like a header now and then; a flag where the frame should end makes it a damaged one.
            return match bytes.get(length + 1) {
                Some(&FLAG) => Cut::Damaged { skip: 1, fault },
                Some(_) => Cut::Nothing,
                None => short(length + 2),
            };
        }
    }
    if !end && bytes.len() < length + 2 {
        return Cut::More { need: length + 2 };
    }
    let Some(sent) = bytes.get(fcs..length + 1).and_then(<[u8]>::first_chunk) else {
        let detail = format!("the frame breaks off after {} of {} octets", bytes.len(), length + 2);
        return Cut::Damaged { skip: 1, fault: Anomaly::new(AnomalyCode::Cut, bytes.len() as u64, detail) };
    };
    if let Some(fault) = mismatch("frame check", &bytes[1..fcs], *sent, fcs) {
        return Cut::Damaged { skip: 1, fault };
    }
    // At the very end of the input the flag may be missing: length and FCS say that the frame is whole.
    if bytes.get(length + 1).is_some_and(|&behind| behind != FLAG) {
        let detail = format!("the frame of {} octets has no closing flag", length + 2);
        return Cut::Damaged { skip: 1, fault: Anomaly::new(AnomalyCode::Syntax, (length + 1) as u64, detail) };
    }
    // dlms-cosem writes an empty HCS into frames without information; what is left after it is empty too.
    let information = (header + 2).min(fcs)..fcs;
    let value = Frame { destination, source, control, segmented: format & 0x08 != 0, information };
    Cut::Whole { len: length + 1, value }
}

fn mismatch(what: &str, covered: &[u8], sent: [u8; 2], at: usize) -> Option<Anomaly> {
    let (sent, computed) = (u16::from_le_bytes(sent), crc::x25(covered));
    (sent != computed).then(|| {
        let detail = format!("{what} sequence {sent:04x} does not fit, computed {computed:04x}");
        Anomaly::new(AnomalyCode::Checksum, at as u64, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::dlms::examples::{E450_TWO_BLOCKS, bytes};
    use proptest::prelude::*;

    fn whole(hex: &str) -> (usize, Frame) {
        let bytes = bytes(hex);
        match cut(&bytes, true) {
            Cut::Whole { len, value } => (len, value),
            other => panic!("{hex}: {other:?}"),
        }
    }

    #[test]
    fn a_frame_leaves_its_closing_flag_for_the_next() {
        let input = bytes(E450_TWO_BLOCKS);
        let Cut::Whole { len, value } = cut(&input, false) else { panic!() };
        assert_eq!(len, 0x84 + 1);
        assert_eq!(input[len], FLAG);
        assert_eq!(value.destination, Address { upper: 0x67, lower: Some(0x7F), octets: 2 });
        assert_eq!(value.source, Address { upper: 1, lower: None, octets: 1 });
        assert_eq!((value.control, value.segmented), (0x13, false));
        assert_eq!(input[value.information], input[9..len - 2]);
        // The doubled flag between the two frames.
        assert_eq!(cut(&input[len..], false), Cut::Nothing);
        assert!(matches!(cut(&input[len + 1..], false), Cut::Whole { .. }));
        // The same two frames with one flag between them.
        let mut shared = input.clone();
        shared.remove(len);
        assert!(matches!(cut(&shared[len..], false), Cut::Whole { .. }));
    }

    #[test]
    fn frames_without_information_have_no_hcs_or_an_empty_one() {
        for (hex, control) in [
            ("7E A0 07 03 21 93 0F 01 7E", 0x93),
            ("7E A0 07 03 21 31 17 87 7E", 0x31),
            ("7E A0 07 03 21 51 11 E4 7E", 0x51),
            ("7E A0 07 03 21 53 03 C7 7E", 0x53),
        ] {
            let (len, frame) = whole(hex);
            assert_eq!((len, frame.control), (8, control));
            assert!(frame.information.is_empty() && !frame.carries_information());
        }
        let mut with_hcs = vec![0xA0, 0x09, 0x21, 0x03, 0x73];
        for _ in 0..2 {
            let crc = crc::x25(&with_hcs);
            with_hcs.extend(crc.to_le_bytes());
        }
        with_hcs.insert(0, FLAG);
        with_hcs.push(FLAG);
        let Cut::Whole { value, .. } = cut(&with_hcs, true) else { panic!() };
        assert!(value.information.is_empty());
    }

    #[test]
    fn addresses_have_one_two_or_four_octets() {
        let Field::Whole(address) = address(&[0x48, 0x68, 0xFE, 0xFF]) else { panic!() };
        assert_eq!(address, Address { upper: 0x1234, lower: Some(0x3FFF), octets: 4 });
        assert!(matches!(super::address(&[0x02, 0x02, 0x03]), Field::Wrong));
        let (_, frame) =
            whole("7E A0 1E 21 03 73 C3 7A 81 80 12 05 01 80 06 01 80 07 04 00 00 00 01 08 04 00 00 00 01 53 3B 7E");
        assert_eq!((frame.destination.upper, frame.source.upper), (16, 1));
    }

    #[test]
    fn a_cut_frame_says_so_at_the_end_only() {
        let input = bytes(E450_TWO_BLOCKS);
        assert_eq!(cut(&input[..100], false), Cut::More { need: 0x86 });
        let Cut::Damaged { skip: 1, fault } = cut(&input[..100], true) else { panic!() };
        assert_eq!(fault.code, AnomalyCode::Cut);
        assert_eq!(fault.detail, "the frame breaks off after 100 of 134 octets");
    }

    #[test]
    fn only_at_the_end_of_the_input_may_the_closing_flag_be_missing() {
        let input = bytes(E450_TWO_BLOCKS);
        assert_eq!(cut(&input[..0x85], false), Cut::More { need: 0x86 });
        assert_eq!(cut(&input[..0x85], true), cut(&input[..0x86], true));
        assert!(matches!(cut(&input[..0x84], true), Cut::Damaged { .. }));
        let without = [&input[..0x85], &input[0x87..]].concat();
        assert!(matches!(cut(&without, true), Cut::Damaged { .. }));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let input = bytes(E450_TWO_BLOCKS)[..0x86].to_vec();
        for bit in 0..input.len() * 8 {
            let mut damaged = input.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(cut(&damaged, true), Cut::Whole { .. }), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_any_chunking(mut input in proptest::collection::vec(any::<u8>(), 0..80), split in 0usize..80) {
            if let Some(first) = input.first_mut() { *first = FLAG; }
            let part = &input[..split.min(input.len())];
            match cut(part, false) {
                Cut::More { need } => prop_assert!(need > part.len()),
                said => prop_assert_eq!(said, cut(&input, false)),
            }
            let stalls = matches!(cut(&input, true), Cut::More { .. });
            prop_assert!(!stalls);
        }
    }

    #[test]
    fn the_pushes_of_the_specification_do_not_depend_on_chunking() {
        let input = bytes(E450_TWO_BLOCKS);
        let all = cut(&input, false);
        for split in 0..input.len() {
            match cut(&input[..split], false) {
                Cut::More { need } => assert!(need > split && need <= 0x86),
                said => assert_eq!(said, all),
            }
        }
    }
}
