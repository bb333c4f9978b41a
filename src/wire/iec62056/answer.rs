//! What a meter answers in programming mode (IEC 62056-21, 6.3.5 to 6.3.8).
//!
//! | answer | bytes |
//! |---|---|
//! | data, the last or only block | STX data ETX BCC |
//! | data, more blocks follow | STX data EOT BCC |
//! | prompt, break | SOH `P0` STX `(operand)` ETX BCC, SOH `B0` ETX BCC |
//! | yes, or no: damaged or not understood | ACK, NAK |

use super::BlockCheck;
use crate::reading::{Anomaly, AnomalyCode};
use crate::wire::Cut;
use crate::wire::text::{ACK, EOT, ETX, Groups, NAK, Piece, Pieces, SOH, STX};
use memchr::memchr2;
use smol_str::format_smolstr;

/// An answer, its block check good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Yes.
    Ack,
    /// Damaged or not understood.
    Nak,
    /// Data sets.
    Data {
        /// What stands between STX and ETX or EOT.
        data: &'a [u8],
        /// Whether another block follows.
        more: bool,
    },
    /// A command of the meter: the prompt `P0`, or the break `B0` of one that ends the session.
    Command {
        /// Its letter and digit.
        code: [u8; 2],
        /// What stands between STX and ETX.
        data: &'a [u8],
    },
}

/// Cuts the answer that starts with `bytes`, which have no parity bits. A damaged one is skipped as a whole.
#[must_use]
pub fn cut(bytes: &[u8], check: BlockCheck) -> Cut<Answer<'_>> {
    let more = || Cut::More { need: bytes.len() + 1 };
    match bytes.first() {
        None => return more(),
        Some(&ACK) => return Cut::Whole { len: 1, value: Answer::Ack },
        Some(&NAK) => return Cut::Whole { len: 1, value: Answer::Nak },
        Some(&(STX | SOH)) => {}
        Some(_) => return Cut::Nothing,
    }
    let Some(end) = memchr2(ETX, EOT, bytes) else { return more() };
    let Some(&sent) = bytes.get(end + 1) else { return more() };
    let covered = bytes.get(1..=end).unwrap_or_default();
    let computed = check.of(covered);
    let damaged = |code, detail| Cut::Damaged { skip: end + 2, fault: Anomaly::new(code, end as u64 + 1, detail) };
    if computed != sent {
        let other = match check {
            BlockCheck::Xor => BlockCheck::Sum.of(covered) == sent,
            BlockCheck::Sum => false,
        };
        let hint = if other { "; the 7-bit sum would fit" } else { "" };
        let detail = format_smolstr!("block check {sent:02X} sent, {computed:02X} computed{hint}");
        return damaged(AnomalyCode::Checksum, detail);
    }
    let body = bytes.get(1..end).unwrap_or_default();
    let value = match (bytes.first(), body) {
        (Some(&STX), data) => Answer::Data { data, more: bytes.get(end) == Some(&EOT) },
        (_, [kind, number, STX, data @ ..]) => Answer::Command { code: [*kind, *number], data },
        (_, [kind, number]) => Answer::Command { code: [*kind, *number], data: &[] },
        _ => return damaged(AnomalyCode::Syntax, "neither data nor a command".into()),
    };
    Cut::Whole { len: end + 2, value }
}

impl<'a> Answer<'a> {
    /// The text of an error message: a single group that begins with `ER` and stands alone (`(ER01)`, `(ERROR)`), or behind
    /// an address where there are no entries to hand out (`P.01(ERROR)`). With whether there was an address.
    #[must_use]
    pub fn error(&self) -> Option<(bool, &'a [u8])> {
        let Self::Data { data, more: false } = *self else { return None };
        let mut pieces = Pieces::new(data, 0..data.len());
        let (Some(Piece::Set(set)), None) = (pieces.next(), pieces.next()) else { return None };
        let mut groups = Groups::new(data, set.groups);
        let (Some(text), None) = (groups.next(), groups.next()) else { return None };
        text.get(..2)?.eq_ignore_ascii_case(b"ER").then_some((!set.address.is_empty(), text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(bytes: &[u8]) -> Answer<'_> {
        match cut(bytes, BlockCheck::Xor) {
            Cut::Whole { len, value } if len == bytes.len() => value,
            other => panic!("{other:?} for {}", bytes.escape_ascii()),
        }
    }

    #[test]
    fn the_block_checks_of_the_examples_fit() {
        let data = |data| Answer::Data { data, more: false };
        let command = |code: &[u8; 2], data| Answer::Command { code: *code, data };
        for (bytes, answer) in [
            (&b"\x01B0\x03\x71"[..], command(b"B0", b"")),
            (b"\x01P0\x02()\x03\x60", command(b"P0", b"()")),
            (b"\x01P0\x02(00000001)\x03\x61", command(b"P0", b"(00000001)")),
            (b"\x01P1\x02(00000000)\x03\x61", command(b"P1", b"(00000000)")),
            (b"\x01R1\x021.8.0()\x03\x5A", command(b"R1", b"1.8.0()")),
            (b"\x01R5\x021.8.0()\x03\x5E", command(b"R5", b"1.8.0()")),
            (b"\x01W1\x020.9.1(120000)\x03\x5D", command(b"W1", b"0.9.1(120000)")),
            (b"\x021.8.0(012345.678*kWh)\x03\x53", data(b"1.8.0(012345.678*kWh)")),
            (b"\x02(012345.678*kWh)\x03\x6A", data(b"(012345.678*kWh)")),
            (b"\x02(ER01)\x03\x14", data(b"(ER01)")),
            (b"\x06", Answer::Ack),
            (b"\x15", Answer::Nak),
        ] {
            assert_eq!(whole(bytes), answer);
            for length in 0..bytes.len() {
                let head = &bytes[..length];
                assert!(matches!(cut(head, BlockCheck::Xor), Cut::More { .. }), "{}", head.escape_ascii());
            }
        }
    }

    #[test]
    fn eot_announces_another_block_and_changes_the_block_check() {
        let check = BlockCheck::Xor.of(b"(1)\x04");
        let bytes = [b"\x02(1)\x04", &[check][..]].concat();
        assert_eq!(whole(&bytes), Answer::Data { data: b"(1)", more: true });
    }

    #[test]
    fn a_wrong_block_check_is_named_and_the_sum_that_would_fit_too() {
        let fault = |bytes| match cut(bytes, BlockCheck::Xor) {
            Cut::Damaged { skip, fault } => (skip, fault.detail.to_string()),
            other => panic!("{other:?}"),
        };
        assert_eq!(fault(b"\x02(ER01)\x03\x15rest"), (9, "block check 15 sent, 14 computed".into()));
        let sum = b"\x01R1\x021.8.0()\x03\x4E";
        assert_eq!(fault(sum).1, "block check 4E sent, 5A computed; the 7-bit sum would fit");
        assert!(matches!(cut(sum, BlockCheck::Sum), Cut::Whole { .. }));
        assert_eq!(cut(b"1.8.0", BlockCheck::Xor), Cut::Nothing);
    }

    #[test]
    fn an_error_text_is_no_data() {
        let error = |data| Answer::Data { data, more: false }.error();
        assert_eq!(error(b"(ER01)"), Some((false, &b"ER01"[..])));
        assert_eq!(error(b"(ERROR)\r\n"), Some((false, &b"ERROR"[..])));
        assert_eq!(error(b"P.01(ERROR)"), Some((true, &b"ERROR"[..])));
        assert_eq!(error(b"(012345.678*kWh)"), None);
        assert_eq!(error(b"(ER01)(2)"), None);
        assert_eq!(error(b""), None);
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_answer_that_stays_inside_them(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            match cut(&bytes, BlockCheck::Xor) {
                Cut::Whole { len: taken, value } => {
                    prop_assert!((1..=bytes.len()).contains(&taken));
                    let _ = value.error();
                }
                Cut::Damaged { skip, .. } => prop_assert!((1..=bytes.len()).contains(&skip)),
                Cut::More { need } => prop_assert!(need > bytes.len()),
                Cut::Nothing => {}
            }
        }
    }
}
