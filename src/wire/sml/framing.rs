//! Transport version 1: where a file begins and ends, which octets were doubled, and whether the checksum fits.

use crate::reading::{Anomaly, AnomalyCode};
use crate::wire::{Cut, MAX_TELEGRAM, crc};
use std::borrow::Cow;
use std::ops::Range;

/// Four of these are an escape.
const ESCAPE: u8 = 0x1B;
/// Escape and version 1: how every file begins.
const START: [u8; 8] = [ESCAPE, ESCAPE, ESCAPE, ESCAPE, 1, 1, 1, 1];
/// An escape and what it says.
const SEQUENCE: usize = 8;
/// First octet after the escape that ends a file.
const END: u8 = 0x1A;

/// Which checksum fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// CRC-16/X.25, low octet first: what nearly every meter sends.
    X25,
    /// CRC-16/Kermit, high octet first: some Holley meters.
    Kermit,
}

/// A whole file with a good checksum, seen from its first octet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where the messages are, fill octets not counted.
    pub payload: Range<usize>,
    /// How many fill octets follow the messages, as the file says.
    pub fill: usize,
    /// Whether the payload contains doubled escapes.
    pub stuffed: bool,
    /// Which checksum fits.
    pub checksum: Checksum,
}

impl File {
    /// The messages with doubled escapes made single: borrowed, unless there are any.
    #[must_use]
    pub fn payload<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let raw = bytes.get(self.payload.clone()).unwrap_or_default();
        if !self.stuffed {
            return Cow::Borrowed(raw);
        }
        let mut payload = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(at) = find_doubled(rest) {
            payload.extend_from_slice(rest.get(..at + 4).unwrap_or_default());
            rest = rest.get(at + SEQUENCE..).unwrap_or_default();
        }
        payload.extend_from_slice(rest);
        Cow::Owned(payload)
    }

    /// Where in the file the octet stands that is number `at` of [`File::payload`].
    #[must_use]
    pub fn position(&self, bytes: &[u8], at: usize) -> usize {
        let mut position = self.payload.start + at;
        if !self.stuffed {
            return position;
        }
        let mut from = self.payload.start;
        while let Some(found) = bytes.get(from..self.payload.end).and_then(find_doubled) {
            // The first octet of the four stands for its doubled front, so that no octet of the file is left out.
            if from + found >= position {
                break;
            }
            position += 4;
            from += found + SEQUENCE;
        }
        position
    }
}

/// Cuts the file that starts at the first of `bytes`; `end` says that no more will come.
#[must_use]
pub fn cut(bytes: &[u8], end: bool) -> Cut<File> {
    let Some(first) = bytes.first_chunk::<SEQUENCE>() else {
        let more = !end && START.starts_with(bytes);
        return if more { Cut::More { need: SEQUENCE } } else { Cut::Nothing };
    };
    if *first != START {
        return Cut::Nothing;
    }
    let window = bytes.get(..MAX_TELEGRAM).unwrap_or(bytes);
    let mut stuffed = false;
    let mut at = SEQUENCE;
    loop {
        at = find_escape(window, at);
        let Some(&[.., what, a, b, c]) = window.get(at..at + SEQUENCE) else {
            return unfinished(window, at, end);
        };
        match [what, a, b, c] {
            [ESCAPE, ESCAPE, ESCAPE, ESCAPE] => {
                stuffed = true;
                at += SEQUENCE;
            }
            // Five to seven in a row: the first belongs to the payload, the escape comes after it.
            [ESCAPE, ..] => at += 1,
            [1, 1, 1, 1] => {
                return damaged(at, AnomalyCode::Cut, at, "a new file starts before this one ends");
            }
            [END, fill, ..] => return finished(window, at, usize::from(fill), stuffed),
            [2..=4, ..] => return refused(window, at, "transport version 2"),
            _ => return refused(window, at, "unknown escape"),
        }
    }
}

/// The file ends with the sequence at `at`; its checksum decides.
fn finished(window: &[u8], at: usize, fill: usize, stuffed: bool) -> Cut<File> {
    let len = at + SEQUENCE;
    let covered = window.get(..len - 2).unwrap_or_default();
    let sent: [u8; 2] = window.get(len - 2..len).and_then(|crc| crc.try_into().ok()).unwrap_or_default();
    let computed = crc::x25(covered);
    // Kermit is tried second, so that a good X.25 sum is never doubted.
    let checksum = if computed == u16::from_le_bytes(sent) {
        Checksum::X25
    } else if crc::kermit(covered) == u16::from_be_bytes(sent) {
        Checksum::Kermit
    } else {
        let detail = format!("CRC {:04X} sent, {computed:04X} computed", u16::from_le_bytes(sent));
        return damaged(next_start(window, len), AnomalyCode::Checksum, len - 2, &detail);
    };
    let start = at.saturating_sub(fill).max(SEQUENCE);
    // The standard knows three fill octets at most, and some meters fill a full multiple of four up with four. The
    // checksum vouches for the number; that they are zeros says that no message is cut off with them.
    if fill > 3 && (at - start < fill || window.get(start..at).unwrap_or_default().iter().any(|&octet| octet != 0)) {
        return refused(window, at, "no file has so many fill octets");
    }
    let fill = at - start;
    Cut::Whole { len, value: File { payload: SEQUENCE..at - fill, fill, stuffed, checksum } }
}

/// No escape before `at`, and not enough bytes there to tell.
fn unfinished(window: &[u8], at: usize, end: bool) -> Cut<File> {
    // From here on no end fits, however many bytes there are.
    let last = MAX_TELEGRAM - SEQUENCE + 1;
    if at >= last {
        let detail = format!("no end within {MAX_TELEGRAM} bytes");
        return damaged(next_start(window, last), AnomalyCode::TooLong, 0, &detail);
    }
    if end {
        return damaged(next_start(window, window.len()), AnomalyCode::Cut, window.len(), "the file breaks off");
    }
    Cut::More { need: at + SEQUENCE }
}

/// An escape at `at` that no version 1 file has.
fn refused(window: &[u8], at: usize, what: &str) -> Cut<File> {
    let said = window.get(at + 4..at + SEQUENCE).unwrap_or_default();
    let detail = format!("{what} {}", crate::wire::dissect::hex(said));
    damaged(next_start(window, at + 4), AnomalyCode::Syntax, at, &detail)
}

fn damaged(skip: usize, code: AnomalyCode, at: usize, detail: &str) -> Cut<File> {
    Cut::Damaged { skip, fault: Anomaly::new(code, at as u64, detail) }
}

/// Offset of the first escape from `from` on, or of the run of 1B at the very end that may become one.
#[inline]
fn find_escape(bytes: &[u8], mut from: usize) -> usize {
    while let Some(rest) = bytes.get(from..) {
        let Some(found) = memchr::memchr(ESCAPE, rest) else { break };
        let run = rest.get(found..).unwrap_or_default().iter().take(4).take_while(|&&b| b == ESCAPE).count();
        from += found;
        if run == 4 || from + run == bytes.len() {
            return from;
        }
        from += run;
    }
    bytes.len()
}

/// Offset of the first doubled escape.
fn find_doubled(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, &[ESCAPE; SEQUENCE])
}

/// Where the search goes on after damage that was seen up to `end`: the first start sequence that begins before, be it
/// only with its first octets.
fn next_start(window: &[u8], end: usize) -> usize {
    let seen = window.get(..end).unwrap_or(window);
    let Some(inside) = seen.get(SEQUENCE..) else { return SEQUENCE };
    if let Some(found) = memchr::memmem::find(inside, &START) {
        return SEQUENCE + found;
    }
    let half = (1..SEQUENCE).rev().find(|&n| START.get(..n).is_some_and(|head| inside.ends_with(head)));
    seen.len() - half.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sml::encode;
    use proptest::prelude::*;

    fn whole(bytes: &[u8]) -> (usize, File) {
        match cut(bytes, false) {
            Cut::Whole { len, value } => (len, value),
            other => panic!("{other:?}"),
        }
    }

    fn fault(bytes: &[u8], end: bool) -> (usize, AnomalyCode, String) {
        match cut(bytes, end) {
            Cut::Damaged { skip, fault } => (skip, fault.code, fault.detail.to_string()),
            other => panic!("{other:?}"),
        }
    }

    /// Every file of a stream, as a decoder would find them.
    fn files(stream: &[u8]) -> Vec<Range<usize>> {
        let (mut at, mut found) = (0, Vec::new());
        while let Some(rest) = stream.get(at..).filter(|rest| !rest.is_empty()) {
            at += match cut(rest, true) {
                Cut::Nothing => 1,
                Cut::More { .. } => panic!("there is no more"),
                Cut::Damaged { skip, .. } => skip,
                Cut::Whole { len, .. } => {
                    found.push(at..at + len);
                    len
                }
            };
        }
        found
    }

    #[test]
    fn the_example_of_our_notes_is_a_whole_file() {
        let example = encode::example();
        let (len, file) = whole(&example);
        assert_eq!(len, example.len());
        assert_eq!(file, File { payload: 8..example.len() - 9, fill: 1, stuffed: false, checksum: Checksum::X25 });
        assert!(matches!(file.payload(&example), Cow::Borrowed(payload) if payload.starts_with(&[0x76, 0x05])));
    }

    #[test]
    fn only_a_start_sequence_starts_a_file() {
        assert_eq!(cut(b"", false), Cut::More { need: 8 });
        assert_eq!(cut(b"", true), Cut::Nothing);
        assert_eq!(cut(&[0x1B], false), Cut::More { need: 8 });
        assert_eq!(cut(&[0x1B], true), Cut::Nothing);
        assert_eq!(cut(&[0x1B, 0x76], false), Cut::Nothing);
        assert_eq!(cut(&[0x1B; 8], false), Cut::Nothing);
        assert_eq!(cut(&[0x1B, 0x1B, 0x1B, 0x1B, 2, 2, 2, 2], false), Cut::Nothing);
    }

    #[test]
    fn four_escapes_in_the_payload_survive_at_every_offset() {
        for offset in 0..9 {
            for length in 1..=21 {
                for tail in 0..5 {
                    let payload = [vec![0x42; offset], vec![0x1B; length], vec![0x43; tail]].concat();
                    let bytes = encode::file_without_fill(&payload);
                    let (len, file) = whole(&bytes);
                    assert_eq!(len, bytes.len(), "{length} at {offset}, {tail} behind");
                    assert_eq!(file.payload(&bytes), payload);
                    assert_eq!(file.stuffed, length >= 4);
                }
            }
        }
    }

    #[test]
    fn positions_in_a_stuffed_payload_lead_back_to_the_file() {
        let payload = [&[0x41, 0x42][..], &[0x1B; 9], &[0x43]].concat();
        let bytes = encode::file(&payload);
        let (_, file) = whole(&bytes);
        let positions: Vec<_> = (0..=payload.len()).map(|at| file.position(&bytes, at)).collect();
        assert_eq!(positions, [8, 9, 10, 15, 16, 17, 18, 23, 24, 25, 26, 27, 28]);
        assert_eq!(bytes.get(27), Some(&0x43));
    }

    #[test]
    fn a_file_that_breaks_off_gives_way_to_the_next_one() {
        let example = encode::example();
        for kept in 8..example.len() {
            let stream = [&example[..kept], &example[..]].concat();
            let second = kept..kept + example.len();
            assert_eq!(files(&stream), std::slice::from_ref(&second), "{kept} bytes of the first");
        }
        assert_eq!(fault(&example[..40], true), (40, AnomalyCode::Cut, "the file breaks off".into()));
        let stream = [&example[..40], &example[..]].concat();
        assert_eq!(fault(&stream, false).0, 40);
        assert_eq!(fault(&stream, false).1, AnomalyCode::Cut);
    }

    #[test]
    fn damage_between_two_files_costs_only_the_damaged_one() {
        let example = encode::example();
        for lost in 0..example.len() {
            let mut damaged = example.clone();
            damaged.remove(lost);
            let stream = [&example[..], &damaged, &example].concat();
            let second = stream.len() - example.len();
            let found = files(&stream);
            assert_eq!(found.first(), Some(&(0..example.len())));
            assert!(found.contains(&(second..stream.len())), "octet {lost} lost: {found:?}");
            assert_eq!(found.len(), 2);
        }
    }

    #[test]
    fn what_no_version_1_file_has_is_damage() {
        let with = |said: [u8; 4]| {
            let mut bytes = encode::file(&[0x42; 8]);
            bytes[20..24].copy_from_slice(&said);
            fault(&bytes, false)
        };
        assert!(with([0x1A, 4, 0, 0]).2.starts_with("CRC 0000 sent, "));
        assert_eq!(with([2, 0, 0, 0]).2, "transport version 2 02000000");
        assert_eq!(with([1, 1, 1, 2]).2, "unknown escape 01010102");
        assert_eq!(with([0x55, 0, 0, 0]), (16, AnomalyCode::Syntax, "unknown escape 55000000".into()));
    }

    #[test]
    fn four_fill_octets_are_as_good_as_none_if_they_are_zeros() {
        let filled = |fill: &[u8], count: u8| {
            let mut bytes = [&START[..], &[0x42; 8], fill, &[ESCAPE; 4], &[END, count]].concat();
            bytes.extend(crc::x25(&bytes).to_le_bytes());
            bytes
        };
        let bytes = filled(&[0; 4], 4);
        let Cut::Whole { len, value } = cut(&bytes, false) else { panic!("refused") };
        assert_eq!((len, value.payload, value.fill), (bytes.len(), 8..16, 4));
        for (fill, count) in [([0, 0, 7, 0], 4), ([0; 4], 200)] {
            assert_eq!(fault(&filled(&fill, count), false).1, AnomalyCode::Syntax);
        }
    }

    #[test]
    fn a_wrong_checksum_says_both_sums() {
        let mut example = encode::example();
        example[30] ^= 1;
        let (skip, code, detail) = fault(&example, false);
        assert_eq!((skip, code), (example.len(), AnomalyCode::Checksum));
        assert!(detail.starts_with("CRC 7806 sent, "), "{detail}");
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let example = encode::example();
        for bit in 0..example.len() * 8 {
            let mut bytes = example.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(files(&bytes).is_empty(), "bit {bit}");
        }
    }

    #[test]
    fn kermit_high_octet_first_is_tried_second() {
        let mut example = encode::example();
        let len = example.len();
        let sum = crc::kermit(&example[..len - 2]).to_be_bytes();
        example[len - 2..].copy_from_slice(&sum);
        assert_eq!(whole(&example).1.checksum, Checksum::Kermit);
    }

    #[test]
    fn a_file_without_end_is_given_up_at_the_limit() {
        let mut endless = encode::file(&[]);
        endless.truncate(8);
        endless.resize(MAX_TELEGRAM - 8, 0x42);
        assert_eq!(cut(&endless, false), Cut::More { need: MAX_TELEGRAM });
        for more in [1, 8, 800] {
            endless.resize(MAX_TELEGRAM - 8 + more, 0x42);
            let (skip, code, _) = fault(&endless, false);
            assert_eq!((skip, code), (MAX_TELEGRAM - 7, AnomalyCode::TooLong));
        }
    }

    /// Bytes in which escapes and starts are likely.
    fn hostile() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(START.to_vec()),
            Just(vec![0x1B; 4]),
            Just(vec![0x1B]),
            Just(vec![0x1A, 1]),
            Just(encode::example()),
            any::<[u8; 3]>().prop_map(Vec::from),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn an_answer_once_given_stays_whatever_follows(tail in hostile(), end in 0usize..400) {
            let bytes = [&START[..], &tail].concat();
            let part = &bytes[..end.min(bytes.len())];
            match cut(part, false) {
                Cut::More { need } => {
                    prop_assert!(need > part.len());
                    let until = &bytes[..(need - 1).min(bytes.len())];
                    let waits = matches!(cut(until, false), Cut::More { .. });
                    prop_assert!(waits, "asked again too late");
                }
                answer => prop_assert_eq!(answer, cut(&bytes, false)),
            }
        }

        #[test]
        fn the_end_of_input_settles_everything(bytes in hostile()) {
            files(&bytes);
            let longest = match cut(&bytes, true) {
                Cut::More { .. } => 0,
                Cut::Nothing => 1,
                Cut::Whole { len, .. } => len,
                Cut::Damaged { skip, .. } => skip,
            };
            prop_assert!(longest >= 1 && longest <= bytes.len().max(1));
        }

        #[test]
        fn every_payload_comes_back(payload in prop::collection::vec(prop_oneof![Just(0x1B), any::<u8>()], 0..300)) {
            let bytes = encode::file_without_fill(&payload);
            let (len, file) = whole(&bytes);
            prop_assert_eq!(len, bytes.len());
            prop_assert_eq!(&*file.payload(&bytes), &payload[..]);
        }
    }
}
