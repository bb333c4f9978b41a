//! Cutting M-Bus frames.

use crate::reading::{Anomaly, AnomalyCode};
use crate::wire::Cut;
use std::ops::Range;

/// One sound frame; ranges count from its first octet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// `10 C A CS 16`: a link control frame without data.
    Short {
        /// What is asked: 40 = reset the link.
        control: u8,
        /// Of whom.
        address: u8,
    },
    /// `68 L L 68 C A CI … CS 16`.
    Long {
        /// What is done: 53 or 73 = send user data.
        control: u8,
        /// To whom: FF = all.
        address: u8,
        /// What the data is: 00 to 1F = a segment of DLMS.
        information: u8,
        /// Everything between the CI field and the checksum; for DLMS it starts with STSAP and DTSAP.
        data: Range<usize>,
    },
}

/// The frame that starts at the first byte.
#[must_use]
pub fn cut(bytes: &[u8], end: bool) -> Cut<Frame> {
    match bytes.first() {
        Some(0x68) => long(bytes, end),
        Some(0x10) => short(bytes, end),
        Some(_) => Cut::Nothing,
        None if end => Cut::Nothing,
        None => Cut::More { need: 1 },
    }
}

fn long(bytes: &[u8], end: bool) -> Cut<Frame> {
    let missing = |need: usize| if end { Cut::Nothing } else { Cut::More { need } };
    let Some(&length) = bytes.get(1) else { return missing(2) };
    // C, A and CI at least.
    if length < 3 {
        return Cut::Nothing;
    }
    match bytes.get(2) {
        Some(&again) if again == length => {}
        Some(_) => return Cut::Nothing,
        None => return missing(3),
    }
    match bytes.get(3) {
        Some(0x68) => {}
        Some(_) => return Cut::Nothing,
        None => return missing(4),
    }
    let length = usize::from(length);
    let total = length + 6;
    let Some([computed_over @ .., sent, last]) = bytes.get(4..total) else {
        if !end {
            return Cut::More { need: total };
        }
        let detail = format!("the M-Bus frame breaks off after {} of {total} octets", bytes.len());
        return Cut::Damaged { skip: 1, fault: Anomaly::new(AnomalyCode::Cut, bytes.len() as u64, detail) };
    };
    let (sent, last, computed) = (*sent, *last, sum(computed_over));
    if sent != computed {
        let detail = format!("M-Bus checksum {sent:02x} does not fit, computed {computed:02x}");
        let fault = Anomaly::new(AnomalyCode::Checksum, (total - 2) as u64, detail);
        return Cut::Damaged { skip: 1, fault };
    }
    if last != 0x16 {
        let detail = format!("the M-Bus frame ends in {last:02x}, not 16");
        return Cut::Damaged { skip: 1, fault: Anomaly::new(AnomalyCode::Syntax, (total - 1) as u64, detail) };
    }
    let value = Frame::Long { control: bytes[4], address: bytes[5], information: bytes[6], data: 7..4 + length };
    Cut::Whole { len: total, value }
}

fn short(bytes: &[u8], end: bool) -> Cut<Frame> {
    match *bytes {
        // Bit 6 marks a frame of the asking side, the only one that sends short frames.
        [_, control, ..] if control & 0xC0 != 0x40 => Cut::Nothing,
        [_, control, address, check, ..] if check != control.wrapping_add(address) => Cut::Nothing,
        [_, control, address, _, 0x16, ..] => Cut::Whole { len: 5, value: Frame::Short { control, address } },
        [_, _, _, _, _, ..] => Cut::Nothing,
        _ if end => Cut::Nothing,
        _ => Cut::More { need: if bytes.len() < 4 { bytes.len() + 1 } else { 5 } },
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum: u8, &byte| sum.wrapping_add(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::dlms::examples::{MBUS, bytes};
    use proptest::prelude::*;

    #[test]
    fn a_long_frame() {
        let input = bytes(MBUS);
        let Cut::Whole { len, value } = cut(&input, false) else { panic!() };
        assert_eq!(len, input.len());
        assert_eq!(value, Frame::Long { control: 0x53, address: 0xFF, information: 0x10, data: 7..44 });
    }

    #[test]
    fn short_frames() {
        for (hex, address) in [("10 40 01 41 16", 1), ("10 40 F0 30 16", 240)] {
            assert_eq!(cut(&bytes(hex), false), Cut::Whole { len: 5, value: Frame::Short { control: 0x40, address } });
        }
        assert_eq!(cut(&bytes("10 40 01 42 16"), false), Cut::Nothing);
        assert_eq!(cut(&bytes("10 40 01 41"), false), Cut::More { need: 5 });
        assert_eq!(cut(&bytes("10 40 01 41"), true), Cut::Nothing);
    }

    #[test]
    fn damage_is_named() {
        let mut input = bytes(MBUS);
        let Cut::Damaged { skip: 1, fault } = cut(&input[..40], true) else { panic!() };
        assert_eq!(fault.detail, "the M-Bus frame breaks off after 40 of 46 octets");
        *input.last_mut().unwrap() = 0x17;
        assert!(matches!(cut(&input, false), Cut::Damaged { skip: 1, .. }));
        input[20] ^= 0x10;
        let Cut::Damaged { fault, .. } = cut(&input, false) else { panic!() };
        assert_eq!(fault.code, AnomalyCode::Checksum);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let input = bytes(MBUS);
        for bit in 0..input.len() * 8 {
            let mut damaged = input.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(cut(&damaged, true), Cut::Whole { .. }), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_any_chunking(mut input in proptest::collection::vec(any::<u8>(), 0..40), split in 0usize..40, start in any::<bool>()) {
            if let Some(first) = input.first_mut() { *first = if start { 0x68 } else { 0x10 }; }
            if input.len() > 3 && start { input[2] = input[1]; input[3] = 0x68; }
            let part = &input[..split.min(input.len())];
            match cut(part, false) {
                Cut::More { need } => prop_assert!(need > part.len()),
                said => prop_assert_eq!(said, cut(&input, false)),
            }
            let stalls = matches!(cut(&input, true), Cut::More { .. });
            prop_assert!(!stalls);
        }
    }
}
