//! DSMR P1: the telegram that a Dutch, Belgian, Swedish or Hungarian meter prints every 1 or 10 seconds.
//!
//! ```text
//! /ISK5\2M550E-1012 CR LF CR LF   1-0:1.8.1(000576.239*kWh) CR LF …   ! hhhh CR LF
//! └ identification                └ data sets                         └ CRC-16/ARC, from `/` to `!`; not before DSMR 4
//!
//! 0-1:24.2.1(190320181003W)(00304.089*m3)                        a sub-meter on M-Bus channel 1: time and value
//! 0-1:24.3.0(160315210000)(00)(60)(1)(0-1:24.2.1)(m3) CR LF      the same in DSMR 2 and 3: the value stands
//! (04083.631)                                                    on the next line
//! 1-0:99.97.0(2)(0-0:96.7.19)(101208152415W)(0000000240*s)(…)(…) power failures: count, what, then end and duration
//! ```
//!
//! The framer is that of [`text`](super::text). Here is what only P1 has: the codes by which one of its telegrams is
//! known from a readout of mode D, the log of power failures, and identifiers sent as hexadecimal digits.
//! Not here: telegrams that come ciphered (`wire::dlms`).

use super::text::{Stamp, stamp};
use crate::reading::Obis;
use smol_str::SmolStr;

/// Whether only P1 telegrams have a data set with this code. Mode D readouts write `*255` behind their codes.
#[must_use]
pub const fn is_typical(obis: Obis) -> bool {
    matches!(
        obis.octets(),
        [1, 3, 0, 2, 8, _]
            | [0, 0, 17, 0, 0, _]
            | [0, 0, 96, 14, 0, _]
            | [0, 0, 96, 13, _, _]
            | [0, 0, 96, 3, 10, _]
            | [0, 0, 96, 1, 1, _]
            | [0, 1..=8, 24, 1 | 3, 0, _]
            | [0, 1..=8, 24, 2, _, _]
    )
}

/// One entry of the power failure log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure<'a> {
    /// When the power came back: the standard's own example puts the end, not the beginning.
    pub end: Stamp,
    /// How long it was away, as sent.
    pub duration: &'a [u8],
}

/// The entries of `1-0:99.97.0` and the code that their values have (`0-0:96.7.19`, a duration).
///
/// `(0)()`, `(0)` and whatever else is no list of pairs are no entries.
pub fn failures<'a>(groups: &'a [&'a [u8]]) -> Option<(&'a [u8], impl Iterator<Item = Failure<'a>>)> {
    let [_count, code, entries @ ..] = groups else { return None };
    let failure = |pair: &'a [&'a [u8]]| match pair {
        [end, duration] => Some(Failure { end: stamp(end)?, duration }),
        _ => None,
    };
    Some((*code, entries.chunks_exact(2).filter_map(failure)))
}

/// The text of an identifier that was sent as hexadecimal digits, two for each character; `None` where it is no such.
///
/// Identifiers have at least eight characters, so that a short number is not taken for one.
///
/// ```
/// use releve::wire::dsmr::hex_text;
/// assert_eq!(hex_text("4530303433303037").as_deref(), Some("E0043007"));
/// assert_eq!(hex_text("96815390"), None);
/// ```
#[must_use]
pub fn hex_text(digits: &str) -> Option<SmolStr> {
    /// Equipment identifiers have up to 48 characters.
    const LONGEST: usize = 64;
    if !(16..=2 * LONGEST).contains(&digits.len()) || !digits.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut text = [0; LONGEST];
    for (slot, pair) in text.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let [high, low] = *pair else { return None };
        let code = nibble(high)? << 4 | nibble(low)?;
        *slot = matches!(code, b' '..=b'~').then_some(code)?;
    }
    std::str::from_utf8(text.get(..digits.len() / 2)?).ok().map(SmolStr::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failure_log_lists_ends_and_durations() {
        let groups = [&b"2"[..], b"0-0:96.7.19", b"101208152415W", b"0000000240*s", b"101208151004W", b"0000000301*s"];
        let (code, failures) = failures(&groups).unwrap();
        assert_eq!(code, b"0-0:96.7.19");
        let ends: Vec<_> = failures.map(|f| f.end.time().unwrap().civil.to_string()).collect();
        assert_eq!(ends, ["2010-12-08T15:24:15", "2010-12-08T15:10:04"]);
    }

    #[test]
    fn an_empty_log_has_no_entries() {
        assert!(failures(&[b"0"]).is_none());
        assert_eq!(failures(&[b"0", b""]).unwrap().1.count(), 0);
    }

    #[test]
    fn only_hexadecimal_text_is_text() {
        assert_eq!(hex_text("4B413655303031363630323937393132").as_deref(), Some("KA6U001660297912"));
        for no in
            ["", "00000000000000000000", "0123456789ABCDEF", "+1+1+1+1+1+1+1+1", "xxxxxxxxxxxxxxxx", "é34567890123456"]
        {
            assert_eq!(hex_text(no), None, "{no}");
        }
    }
}
