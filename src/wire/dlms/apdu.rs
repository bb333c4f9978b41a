//! What kind of APDU it is and where its values are.

use super::Fail;
use super::data::{Tree, date_time, tag};
use crate::reading::MeterTime;

/// An APDU that is not ciphered, taken apart.
#[derive(Debug, Clone)]
pub enum Apdu<'a> {
    /// A push, `0F · invoke-id(4) · date-time · body`.
    Notification(Notification<'a>),
    /// An answer to a GET, normal or with a list: one value per object asked for.
    Answer(Vec<Result<Tree<'a>, u8>>),
    /// A block of a longer answer to a GET: the values may be split anywhere.
    Block {
        /// Whether it is the last one.
        last: bool,
        /// Its number, from 1.
        number: u32,
        /// The raw octets, or why there are none.
        data: Result<&'a [u8], u8>,
    },
    /// The answer to an ACTION.
    Action {
        /// 0 success, else as a data-access-result.
        result: u8,
        /// What it gives back.
        value: Option<Result<Tree<'a>, u8>>,
    },
    /// The exception response `D8 · state · service`.
    Exception {
        /// 1 not allowed, 2 unknown.
        state: u8,
        /// What is wrong with the service: 1 not possible, 2 not supported, 3 another reason, 4 too long, 5 deciphering
        /// failed, 6 the invocation counter is too low.
        service: u8,
    },
}

/// A push.
#[derive(Debug, Clone)]
pub struct Notification<'a> {
    /// Long invoke-id and priority.
    pub invoke_id: u32,
    /// The time in the header, if it is one.
    pub time: Option<MeterTime>,
    /// Whether the header's time carries the tag of an octet string, as Kaifa's and early Kamstrup's in Norway do.
    pub tagged_time: bool,
    /// Where the body starts.
    pub body_at: usize,
    /// The values.
    pub body: Tree<'a>,
}

impl<'a> Apdu<'a> {
    /// Takes the APDU at the start of `bytes` apart and says where it ends.
    ///
    /// # Errors
    /// [`Fail::Short`] where the bytes end first, [`Fail::Wrong`] where they are no APDU that holds values.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, usize), Fail> {
        match octet(bytes, 0)? {
            0x0F => notification(bytes).map(|(push, end)| (Self::Notification(push), end)),
            0xC4 => answer(bytes),
            0xC7 => action(bytes),
            0xD8 => exception(bytes),
            other => Err(Fail::wrong(0, name(other))),
        }
    }
}

fn octet(bytes: &[u8], at: usize) -> Result<u8, Fail> {
    bytes.get(at).copied().ok_or(Fail::Short { need: at + 1 })
}

/// Where the header's time is and whether it has a tag, and where the body starts.
pub(super) fn notification_head(bytes: &[u8]) -> Result<(Option<std::ops::Range<usize>>, usize), Fail> {
    let from = match octet(bytes, 5)? {
        0x00 => return Ok((None, 6)),
        0x0C => 6,
        tag::OCTETS if octet(bytes, 6)? == 0x0C => 7,
        _ => return Err(Fail::wrong(5, "no date-time")),
    };
    if bytes.len() < from + 12 {
        return Err(Fail::Short { need: from + 12 });
    }
    Ok((Some(from..from + 12), from + 12))
}

fn notification(bytes: &[u8]) -> Result<(Notification<'_>, usize), Fail> {
    let (time, body_at) = notification_head(bytes)?;
    let &[a, b, c, d] = bytes.get(1..5).unwrap_or_default() else { return Err(Fail::Short { need: 5 }) };
    let tagged_time = time.as_ref().is_some_and(|range| range.start == 7);
    let time = time.and_then(|range| date_time(bytes.get(range)?));
    // The untagged list is tried first: read as tagged data it would be nonsense that may well end exactly.
    let (body, end) = match Tree::parse_untagged(bytes, body_at) {
        Ok(list) => list,
        Err(Fail::Short { need }) if bytes.get(body_at..body_at + 9).is_some_and(untagged_start) => {
            return Err(Fail::Short { need });
        }
        Err(_) => Tree::parse(bytes, body_at)?,
    };
    let invoke_id = u32::from_be_bytes([a, b, c, d]);
    Ok((Notification { invoke_id, time, tagged_time, body_at, body }, end))
}

/// An untagged descriptor has the high octet of its class, 0, where a tagged one has the tag of a value.
fn untagged_start(head: &[u8]) -> bool {
    matches!(head, &[tag::STRUCTURE, 2, tag::ENUM, _, tag::ARRAY, 1..0x80, tag::STRUCTURE, 2, 0])
}

/// Data or a result, and where it ends.
fn outcome(bytes: &[u8], at: usize) -> Result<(Result<Tree<'_>, u8>, usize), Fail> {
    match octet(bytes, at)? {
        0 => Tree::parse(bytes, at + 1).map(|(tree, end)| (Ok(tree), end)),
        1 => Ok((Err(octet(bytes, at + 1)?), at + 2)),
        _ => Err(Fail::wrong(at, "neither data nor a result")),
    }
}

/// `C7 · 1 · invoke-id · result · [data]`.
fn action(bytes: &[u8]) -> Result<(Apdu<'_>, usize), Fail> {
    if octet(bytes, 1)? != 1 {
        return Err(Fail::wrong(1, "no kind of ACTION response that is supported"));
    }
    let result = octet(bytes, 3)?;
    match octet(bytes, 4)? {
        0 => Ok((Apdu::Action { result, value: None }, 5)),
        1 => outcome(bytes, 5).map(|(value, end)| (Apdu::Action { result, value: Some(value) }, end)),
        _ => Err(Fail::wrong(4, "neither data nor none")),
    }
}

/// An invocation counter that is too low is told with the one the server has.
fn exception(bytes: &[u8]) -> Result<(Apdu<'_>, usize), Fail> {
    let (state, service) = (octet(bytes, 1)?, octet(bytes, 2)?);
    let end = if service == 6 && bytes.len() >= 7 { 7 } else { 3 };
    Ok((Apdu::Exception { state, service }, end))
}

fn answer(bytes: &[u8]) -> Result<(Apdu<'_>, usize), Fail> {
    match octet(bytes, 1)? {
        1 => {
            let (value, end) = outcome(bytes, 3)?;
            Ok((Apdu::Answer(vec![value]), end))
        }
        2 => {
            let last = octet(bytes, 3)? != 0;
            let &[a, b, c, d] = bytes.get(4..8).unwrap_or_default() else { return Err(Fail::Short { need: 9 }) };
            let number = u32::from_be_bytes([a, b, c, d]);
            if octet(bytes, 8)? != 0 {
                let refused = octet(bytes, 9)?;
                return Ok((Apdu::Block { last, number, data: Err(refused) }, 10));
            }
            let (length, from) = super::length(bytes, 9)?;
            let data = bytes.get(from..from + length).ok_or(Fail::Short { need: from + length })?;
            Ok((Apdu::Block { last, number, data: Ok(data) }, from + length))
        }
        3 => {
            let (count, mut at) = super::length(bytes, 3)?;
            let mut values = Vec::new();
            for _ in 0..count {
                let (value, end) = outcome(bytes, at)?;
                values.push(value);
                at = end;
            }
            Ok((Apdu::Answer(values), at))
        }
        _ => Err(Fail::wrong(1, "no kind of GET response")),
    }
}

/// What an APDU's tag says it is.
#[must_use]
pub fn name(tag: u8) -> &'static str {
    match tag {
        0x0F => "data notification",
        0x01 => "initiate request",
        0x08 => "initiate response",
        0x0E => "confirmed service error",
        0x21 => "ciphered initiate request",
        0x28 => "ciphered initiate response",
        0x60 => "association request",
        0x61 => "association response",
        0x62 => "release request",
        0x63 => "release response",
        0xC0 => "GET request",
        0xC1 => "SET request",
        0xC2 => "event notification",
        0xC3 => "ACTION request",
        0xC4 => "GET response",
        0xC5 => "SET response",
        0xC7 => "ACTION response",
        0xC8..=0xCF => "globally ciphered APDU",
        0xD0..=0xD7 => "APDU ciphered with the dedicated key",
        0xD8 => "exception response",
        0xDB => "general global ciphering",
        0xDC => "general dedicated ciphering",
        0xDD => "general ciphering",
        0xDF => "general signing",
        0xE0 => "general block transfer",
        _ => "no known APDU",
    }
}

/// Whether a tag is that of a known APDU.
#[must_use]
pub fn is_known(tag: u8) -> bool {
    name(tag) != "no known APDU"
}

/// Whether a plain APDU with this tag is one that can hold values: a push or the answer to a GET.
#[must_use]
pub const fn holds_values(tag: u8) -> bool {
    matches!(tag, 0x0F | 0xC4)
}

/// Data-access-results (Green Book 9.5).
pub mod access {
    #![allow(missing_docs, reason = "the names of the standard")]
    pub const TEMPORARY_FAILURE: u8 = 2;
    pub const READ_WRITE_DENIED: u8 = 3;
    pub const OBJECT_UNDEFINED: u8 = 4;
    pub const OBJECT_CLASS_INCONSISTENT: u8 = 9;
    pub const OBJECT_UNAVAILABLE: u8 = 11;
    pub const SCOPE_OF_ACCESS_VIOLATED: u8 = 13;
    pub const NO_LONG_GET_IN_PROGRESS: u8 = 16;
    pub const DATA_BLOCK_NUMBER_INVALID: u8 = 19;
    pub const OTHER_REASON: u8 = 250;
}

/// What a data-access-result says.
#[must_use]
pub const fn access_result(result: u8) -> &'static str {
    match result {
        0 => "success",
        1 => "hardware fault",
        2 => "temporary failure",
        3 => "read or write denied",
        4 => "object undefined",
        9 => "object class inconsistent",
        11 => "object unavailable",
        12 => "type unmatched",
        13 => "scope of access violated",
        14 => "data block unavailable",
        15 => "long GET aborted",
        16 => "no long GET in progress",
        19 => "data block number invalid",
        _ => "another reason",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::dlms::examples::bytes;

    #[test]
    fn the_header_time_has_three_forms() {
        for (hex, tagged, at) in [
            ("0F 00000001 00 02 01 16 00", false, 6),
            ("0F 00000001 0C 07E90B07050E1E00FF800000 02 01 16 00", false, 18),
            ("0F 00000001 09 0C 07E90B07050E1E00FF800000 02 01 16 00", true, 19),
        ] {
            let input = bytes(hex);
            let (Apdu::Notification(push), end) = Apdu::parse(&input).unwrap() else { panic!() };
            assert_eq!((push.tagged_time, push.body_at, end), (tagged, at, input.len()));
            assert_eq!((push.time.is_some(), push.invoke_id), (at > 6, 1));
        }
    }

    #[test]
    fn answers() {
        let input = bytes("C4 01 C1 00 06 00 00 32 89");
        let (Apdu::Answer(values), 9) = Apdu::parse(&input).unwrap() else { panic!() };
        assert_eq!(values[0].as_ref().unwrap().root().integer(), Some(12_937));
        let input = bytes("C4 02 C1 01 00 00 00 13 01 01");
        let (Apdu::Block { last: true, number: 19, data: Err(1) }, 10) = Apdu::parse(&input).unwrap() else { panic!() };
        let input = bytes("C4 03 C1 02 00 12 00 E7 01 0B");
        let (Apdu::Answer(values), 10) = Apdu::parse(&input).unwrap() else { panic!() };
        assert_eq!(values[1].as_ref().unwrap_err(), &11);
        assert!(matches!(Apdu::parse(&bytes("D8 01 02")), Ok((Apdu::Exception { state: 1, service: 2 }, 3))));
    }

    #[test]
    fn descriptors_without_tags() {
        let input = bytes(
            "0F 80000001 00 02 02 16 01 01 02
             02 02 0001 0000600101FF 02 09 04 31323334
             02 02 0003 0100010700FF 02 06 000007A4",
        );
        let (Apdu::Notification(push), end) = Apdu::parse(&input).unwrap() else { panic!() };
        assert_eq!(end, input.len());
        let values: Vec<_> = push
            .body
            .root()
            .elements()
            .last()
            .unwrap()
            .elements()
            .map(|entry| entry.elements().last().unwrap())
            .collect();
        assert_eq!(values[0].text(), Some("1234"));
        assert_eq!(values[1].integer(), Some(1956));
        assert!(matches!(Apdu::parse(&input[..20]), Err(Fail::Short { .. })));
    }
}
