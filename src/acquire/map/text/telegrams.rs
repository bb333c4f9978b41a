//! Cutting and mapping together, on telegrams composed here and on the worked examples of the standards. They stand in
//! this room because cutting alone cannot say that a damaged telegram gives no other number.

use super::reading;
use crate::reading::{AnomalyCode, Decimal, Protocol, Quality};
use crate::wire::dissect::Dissection;
use crate::wire::text::{Check, STX, Telegram, Unchecked, cut, dissect};
use crate::wire::{Cut, MAX_TELEGRAM, crc};
use proptest::prelude::*;

/// DSMR 5 in the small; the CRC is in the specification we work from.
const P1: &[u8] =
    b"/LGF5E360\r\n\r\n0-0:1.0.0(251107143000W)\r\n1-0:1.8.0(00012345.678*kWh)\r\n1-0:1.7.0(0002.345*kW)\r\n\
    1-0:2.7.0(0000.000*kW)\r\n1-0:32.7.0(231.5*V)\r\n!220A\r\n";
/// DSMR 2: no CRC.
const P1_OLD: &[u8] = b"/ISk5\\2MT382-1000\r\n\r\n0-0:96.1.1(4B384547303034303436333935353037)\r\n\
    1-0:1.8.1(12345.678*kWh)\r\n0-1:24.3.0(121030140000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00024.123)\r\n!\r\n";
/// Mode C, block check 4C as worked out in the specification.
const READOUT: &[u8] =
    b"/ISk5MT174-0001\r\n\x021-0:1.8.0*255(012345.678*kWh)\r\n1-0:16.7.0*255(002.345*kW)\r\n!\r\n\x03\x4C";
/// The answer to one request, from the specification's table.
const ANSWER: &[u8] = b"\x021.8.0(012345.678*kWh)\x03\x53";

fn whole(bytes: &[u8]) -> (usize, Telegram) {
    match cut(bytes, true, true) {
        Cut::Whole { len, value } => (len, value),
        other => panic!("{other:?} for {}", bytes.escape_ascii()),
    }
}

fn fault(bytes: &[u8], code: AnomalyCode) -> (usize, String) {
    match cut(bytes, true, false) {
        Cut::Damaged { skip, fault } => {
            assert_eq!(fault.code, code, "{fault}");
            (skip, fault.detail.to_string())
        }
        other => panic!("{other:?} for {}", bytes.escape_ascii()),
    }
}

fn with_parity(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|&b| if b.count_ones() % 2 == 1 { b | 0x80 } else { b }).collect()
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8_lossy(bytes).replace(from, to).into_bytes()
}

#[test]
fn each_form_ends_where_it_must() {
    for (bytes, check, left) in [
        (P1, Check::Crc, &b"\r\n"[..]),
        (P1_OLD, Check::None, b"\r\n"),
        (READOUT, Check::Bcc, b""),
        (ANSWER, Check::Bcc, b""),
        (b"/ABC3x\r\n1.8.0(1)\r\n!\r\n/ABC3x", Check::None, b"\r\n/ABC3x"),
        (b"/ACE0x\r\n\x02F.F(00)\r\n!\r\n", Check::Unchecked(Unchecked::NoBlockCheck), b"\r\n"),
        (b"/ISk5x\r\nF.F(00)\r\n!\r\n\x03\x10", Check::Unchecked(Unchecked::NoStx), b""),
        (b"/PAF5x\r\n0.2.2(:G11)!\r\n", Check::None, b"\r\n"),
    ] {
        let (len, telegram) = whole(bytes);
        assert_eq!((telegram.check, &bytes[len..]), (check, left), "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_crc_telegram_is_whole_as_soon_as_its_digits_are_there() {
    let mark = P1.iter().position(|&b| b == b'!').unwrap();
    for length in 0..mark + 5 {
        assert!(matches!(cut(&P1[..length], false, true), Cut::More { .. }), "{length}");
    }
    assert!(matches!(cut(&P1[..mark + 5], false, true), Cut::Whole { .. }));
}

#[test]
fn mode_d_does_not_wait_for_the_next_telegram_but_a_readout_waits_for_its_block_check() {
    let line_end = P1_OLD.len() - 1;
    assert!(matches!(cut(&P1_OLD[..line_end], false, false), Cut::Whole { .. }));
    for length in 0..READOUT.len() {
        assert!(matches!(cut(&READOUT[..length], false, false), Cut::More { .. }), "{length}");
    }
}

#[test]
fn a_wrong_checksum_is_named_with_both_values() {
    assert_eq!(fault(&replaced(P1, "220A", "220B"), AnomalyCode::Checksum).1, "CRC 220B sent, 220A computed");
    assert_eq!(
        fault(&replaced(READOUT, "\x03L", "\x03M"), AnomalyCode::Checksum).1,
        "block check 4D sent, 4C computed"
    );
    assert_eq!(whole(&replaced(P1, "220A", "220a")).1.check, Check::Crc);
    fault(&replaced(P1, "220A", "22"), AnomalyCode::Checksum);
}

#[test]
fn lost_line_ends_are_restored_for_the_crc() {
    for line_end in ["\n", "\n\n", "\r"] {
        let bytes = replaced(P1, "\r\n", line_end);
        let (len, telegram) = whole(&bytes);
        assert_eq!(telegram.check, Check::CrcAfterLineEnds, "{line_end:?}");
        let reading = reading(&bytes[..len], &telegram);
        assert_eq!((reading.quality, reading.anomalies[0].code), (Quality::Good, AnomalyCode::Repaired));
        assert_eq!(reading.registers.len(), 5);
    }
}

#[test]
fn the_sum_counts_for_its_makers_only() {
    let telegram = |maker: &str| {
        let mut bytes = format!("/{maker}5x\r\n\x021.8.0(1)\r\n!\r\n\x03").into_bytes();
        let start = bytes.iter().position(|&b| b == STX).unwrap() + 1;
        let sum = bytes[start..].iter().fold(0u8, |n, b| n.wrapping_add(*b)) & 0x7F;
        bytes.push(sum);
        bytes
    };
    assert_eq!(whole(&telegram("EKT")).1.check, Check::Sum);
    assert!(fault(&telegram("ISK"), AnomalyCode::Checksum).1.ends_with("the 7-bit sum would fit"));
}

#[test]
fn parity_bits_are_masked_and_checked() {
    for plain in [P1, P1_OLD, READOUT] {
        let bytes = with_parity(plain);
        let (len, telegram) = whole(&bytes);
        assert!(telegram.parity);
        let (plain_len, plain_telegram) = whole(plain);
        let (masked, plain) = (reading(&bytes[..len], &telegram), reading(&plain[..plain_len], &plain_telegram));
        assert_eq!((len, masked.registers), (plain_len, plain.registers));
    }
    let mut bytes = with_parity(P1_OLD);
    bytes[80] ^= 0x80;
    assert!(fault(&bytes, AnomalyCode::Checksum).1.starts_with("parity error"));
}

#[test]
fn a_telegram_inside_a_broken_one_is_found() {
    let broken = [&P1[..60], P1].concat();
    assert_eq!(fault(&broken, AnomalyCode::Cut).0, 60);
    assert!(matches!(cut(&broken[60..], false, false), Cut::Whole { .. }));
    // Two pieces glued together fail by the CRC of the second, and that one is not lost either.
    let glued = [&READOUT[..50], READOUT].concat();
    assert_eq!(fault(&glued, AnomalyCode::Cut).0, 50);
}

#[test]
fn what_breaks_off_gives_no_telegram() {
    for bytes in [P1, P1_OLD, READOUT, ANSWER] {
        for length in 0..whole(bytes).0 {
            match cut(&bytes[..length], true, true) {
                Cut::Nothing | Cut::Damaged { .. } => {}
                // Behind the end mark only the check is missing.
                Cut::Whole { value, .. } => assert!(!value.check.is_verified() && bytes[..length].contains(&b'!')),
                Cut::More { .. } => panic!("more at the end of the input"),
            }
        }
    }
    fault(b"/ISk5MT174-0002\r\n\x021-0:1.8.0*255(0000502.853*kW", AnomalyCode::Cut);
}

#[test]
fn requests_and_noise_are_nothing() {
    for bytes in [
        &b"/?!\r\n"[..],
        b"/12345\r\n",
        b"/AB\r\n",
        b"/usr/lib\n",
        b"\x02\x01\x03",
        b"\x82\x00",
        b"",
        b"hello\n",
        b"!220A",
    ] {
        assert_eq!(cut(bytes, true, true), Cut::Nothing, "{}", bytes.escape_ascii());
    }
    assert_eq!(cut(b"1.8.0(1)\r\n", true, false), Cut::Nothing);
}

#[test]
fn echoes_and_acknowledges_before_the_data_are_skipped() {
    let bytes = replaced(READOUT, "\r\n\x02", "\r\n/?!\r\n\x06050\r\n\x02");
    let (len, telegram) = whole(&bytes);
    assert_eq!((telegram.check, reading(&bytes[..len], &telegram).registers.len()), (Check::Bcc, 2));
}

#[test]
fn data_lines_alone_are_a_telegram_only_as_the_whole_input() {
    let lines = b"F.F(00)\r\n1.8.0(01281.6601*kWh)\r\n";
    let (len, telegram) = whole(lines);
    let table = reading(&lines[..len], &telegram);
    assert_eq!((table.quality, table.anomalies[0].code), (Quality::Suspect, AnomalyCode::NoIdentification));
    assert!(matches!(cut(lines, false, true), Cut::More { .. }));
    // The rest of a telegram whose beginning was missed.
    let rest = b"1-0:32.7.0(231.5*V)\r\n!F21E\r\n";
    assert_eq!(cut(rest, true, true), Cut::Nothing);
    assert_eq!(cut(&[&lines[..], P1].concat(), true, true), Cut::Nothing);
    fault_at_start(b"P.01(1220823161500)(00)(15)(1)(1.5)(kW)\r\n(0.18");
}

#[test]
fn a_log_behind_an_identification_needs_no_end_mark() {
    let log = b"/ABC5\\@\\201XJ\r\n0.0.0(7654321)\r\nP.98(1250312094501)(00000040)()(0)\r\nP.98(1250312094733)(00000080)()(0)\r\n";
    let (len, telegram) = whole(log);
    assert_eq!((len, telegram.check), (log.len(), Check::Unchecked(Unchecked::NoEndMark)));
    let reading = reading(log, &telegram);
    assert_eq!(
        (reading.registers.len(), crate::acquire::log::entries(&reading).len(), reading.quality),
        (3, 2, Quality::Suspect)
    );
    assert!(fields(log, &telegram).iter().any(|meaning| meaning.contains("end mark is missing")));
    // Rows of a profile belong to the header above them.
    whole(b"/ABC5x\r\nP.01(1250312094500)(00)(15)(1)(1.5)(kW)\r\n(0.25)\r\n(0.50)\r\n");
    // More may come; a row that breaks off, an STX or registers behind the log say that the end was missed.
    assert!(matches!(cut(log, false, true), Cut::More { .. }));
    for end in ["(1250312", "1.8.0(1*kWh)\r\n"] {
        fault(&[&log[..], end.as_bytes()].concat(), AnomalyCode::Cut);
    }
    fault(b"/ABC5x\r\n\x02P.98(1250312094501)(00000040)()(0)\r\n", AnomalyCode::Cut);
}

#[test]
fn an_identification_without_any_data_set_is_no_reading() {
    fault(b"/ABC5x\r\n\r\n\x81\x92\x83\x95!\r\n", AnomalyCode::Syntax);
    fault(b"/ABC5x\r\n\r\n!\r\n", AnomalyCode::Syntax);
    // Where a checksum vouches for it, the meter has nothing to say.
    let empty = b"/ABC5x\r\n\r\n!";
    whole(&[&empty[..], format!("{:04X}", crc::arc(empty)).as_bytes()].concat());
}

fn fault_at_start(bytes: &[u8]) {
    assert!(matches!(cut(bytes, true, true), Cut::Damaged { .. }), "{}", bytes.escape_ascii());
}

#[test]
fn nothing_is_searched_beyond_the_longest_telegram() {
    let mut bytes = b"/ABC5x\r\n\r\n1.8.0(1)\r\n".to_vec();
    bytes.resize(MAX_TELEGRAM * 2, b' ');
    assert_eq!(fault(&bytes, AnomalyCode::TooLong).0, MAX_TELEGRAM);
    assert_eq!(cut(&bytes, false, false), cut(&bytes[..MAX_TELEGRAM], false, false));
}

#[test]
fn an_exclamation_mark_in_a_value_is_no_end_mark() {
    let body = b"/ABC5x\r\n\r\n0-0:96.13.0(hello! you)\r\n!";
    let bytes = [&body[..], format!("{:04X}", crc::arc(body)).as_bytes()].concat();
    assert_eq!(whole(&bytes).0, bytes.len());
}

/// Every register number that `bytes` and each of their ends give, as a stream decoder would find them.
fn numbers(bytes: &[u8]) -> Vec<Decimal> {
    let (mut at, mut found) = (0, Vec::new());
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        at += match cut(rest, true, false) {
            Cut::Whole { len, value } => {
                found.extend(reading(&rest[..len], &value).registers.iter().filter_map(|r| r.as_number()));
                len
            }
            Cut::Damaged { skip, .. } => skip,
            _ => 1,
        };
    }
    found
}

#[test]
fn a_flipped_bit_never_gives_another_number() {
    for sound in [P1, READOUT, ANSWER] {
        let expected = numbers(sound);
        for bit in 0..sound.len() * 8 {
            let mut bytes = sound.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let found = numbers(&bytes);
            // A damaged STX is outside what the block check covers, and can hide the first line.
            assert!(found.iter().all(|number| expected.contains(number)), "bit {bit}: {found:?}");
        }
    }
}

#[test]
fn every_byte_is_named_once() {
    for bytes in [P1, P1_OLD, READOUT, ANSWER, b"/ABC0\\@\\2x\r\n\x06\r\n\x02 F.F(00)x\r\n!\r\n"] {
        let (len, telegram) = whole(bytes);
        let named = fields(&bytes[..len], &telegram);
        assert!(named.len() > 3, "{named:?}");
    }
    let (len, telegram) = whole(READOUT);
    let named = fields(&READOUT[..len], &telegram);
    for meaning in ["maker ISk, may answer after 20 ms", "rate character 5: 9600 Bd", "block check 4c, fits"] {
        assert!(named.iter().any(|n| n == meaning), "{meaning} in {named:?}");
    }
}

/// The meanings of a dissection, after checking that its fields are the telegram.
fn fields(bytes: &[u8], telegram: &Telegram) -> Vec<String> {
    let mut out = Dissection::default();
    dissect(bytes, telegram, 7, &mut out);
    let mut end = 7;
    for field in out.fields.iter().filter(|f| !f.bytes.is_empty()) {
        assert_eq!(field.bytes.start, end, "{out:?}");
        end = field.bytes.end;
    }
    assert_eq!(end, bytes.len() + 7, "{out:?}");
    out.fields.into_iter().map(|f| f.meaning).collect()
}

/// Bytes that get past the first checks more often than random ones.
fn telegram_like() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        &b"/ABC5x\r\n"[..],
        b"\r\n",
        b"\n",
        b"\r",
        b"\x02",
        b"\x03",
        b"\x04",
        b"!",
        b"!1234",
        b"1.8.0(1*kWh)",
        b"(2)",
        b"P.01(",
        b"/",
        b"/?!",
        b"1220823161500)(00)(15)(1)(1.5)(kW)",
        b"(",
        b")",
        b"*",
        b" ",
        b"\xAF",
        b"\x00",
        b"\x06",
        P1,
        P1_OLD,
        READOUT,
        ANSWER,
        b"1-0:99.97.0(1)(0-0:96.7.19)(101208152415W)(9*s)",
        b"0-1:24.3.0(1)(2)(3)(4)(5)(m3)",
        b"\xC3\xA9",
    ]);
    let first =
        prop::sample::select(vec![&b"/ABC5x\r\n"[..], b"/ABC5x\r\n\x02", b"\x021.8.0(1)\r\n", b"P.01(0)\r\n", b""]);
    let soup = (first, prop::collection::vec(pieces, 0..12))
        .prop_map(|(first, rest)| [first, rest.concat().as_slice()].concat());
    let masked = soup.clone().prop_map(|bytes| with_parity(&bytes));
    prop_oneof![soup, masked, prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #[test]
    fn nothing_panics_and_any_chunking_gives_the_same_answer(bytes in telegram_like(), at_start: bool) {
        let last = cut(&bytes, true, at_start);
        prop_assert!(!matches!(last, Cut::More { .. }), "more at the end of the input");
        for length in 0..=bytes.len() {
            match cut(&bytes[..length], false, at_start) {
                Cut::More { need } => prop_assert!(need > length),
                early => {
                    prop_assert_eq!(&early, &cut(&bytes, false, at_start));
                    prop_assert_eq!(&early, &last);
                    break;
                }
            }
        }
        match last {
            Cut::Whole { len, value } => {
                prop_assert!(len > 0 && len <= bytes.len());
                let reading = reading(&bytes[..len], &value);
                prop_assert!(reading.protocol == Protocol::Dsmr || reading.protocol == Protocol::Iec62056);
                fields(&bytes[..len], &value);
            }
            Cut::Damaged { skip, .. } => prop_assert!(skip > 0 && skip <= bytes.len()),
            _ => {}
        }
    }
}
