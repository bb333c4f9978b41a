//! IEC 62056-21 ("D0", formerly IEC 1107): readouts of modes A to D, load profiles and event logs.
//!
//! ```text
//! /  I S k  5  \2 MT174-0002  CR LF   STX  1-0:1.8.0*255(0000502.853*kWh) CR LF  …  !  CR LF  ETX  BCC
//! │  │   │  │  │  └ name              │    │             │               │           │              └ exclusive or from
//! │  │   │  │  └ pairs: \2 = HDLC     │    └ address     └ value         └ unit      └ end mark       behind STX to ETX
//! │  │   │  └ rate: 5 = 9600 Bd       └ not in mode D, which leaves a blank line
//! │  └───┴ maker; the last in lower case: answers after 20 ms
//! ```
//!
//! The framer is that of [`text`](super::text). Here is what only these meters do: the identification in detail, the
//! load profile `P.01` and the logs `P.98` and `P.99` of the VDEW ([`profile`]), and the two registers that
//! make up the clock ([`clock`]). Not here: the dialogue that asks for a readout.

pub mod profile;

use super::dissect::Dissection;
use super::text::{STX, Season, civil_from_two_digits};
use crate::reading::{MeterTime, Offset};

/// The meter's clock of a readout: the time of register `0.9.1` and the date of `0.9.2`.
///
/// Times are `hhmmss`, `hh:mm:ss` or `hh:mm`, dates `YYMMDD` or `YY-MM-DD`; a seventh digit in front is the season.
///
/// ```
/// use releve::wire::iec62056::clock;
/// assert_eq!(clock(b"105644", b"0220127").unwrap().civil.to_string(), "2022-01-27T10:56:44");
/// assert_eq!(clock(b"16:40:56", b"17-11-06").unwrap().civil.to_string(), "2017-11-06T16:40:56");
/// ```
#[must_use]
pub fn clock(time: &[u8], date: &[u8]) -> Option<MeterTime> {
    let (time_season, [hour, minute, second]) = three_pairs(time, b':')?;
    let (date_season, [year, month, day]) = three_pairs(date, b'-')?;
    let civil = civil_from_two_digits(year, month, day, hour, minute, second)?;
    let offset = date_season.or(time_season).map_or(Offset::Unknown, Season::offset);
    Some(MeterTime { civil, offset, doubtful: false })
}

/// Three numbers of two digits, with or without signs between them, and the season digit in front.
fn three_pairs(text: &[u8], between: u8) -> Option<(Option<Season>, [u8; 3])> {
    let pair = |a: u8, b: u8| (a.is_ascii_digit() && b.is_ascii_digit()).then(|| (a & 0x0F) * 10 + (b & 0x0F));
    match *text {
        [season, ref rest @ ..] if rest.len() == 6 => {
            let (_, pairs) = three_pairs(rest, between)?;
            Some((Some(Season::from_digit(season)?), pairs))
        }
        [a, b, c, d, e, f] => Some((None, [pair(a, b)?, pair(c, d)?, pair(e, f)?])),
        [a, b, s, c, d] if s == between => Some((None, [pair(a, b)?, pair(c, d)?, 0])),
        [a, b, s, c, d, t, e, f] if (s, t) == (between, between) => {
            Some((None, [pair(a, b)?, pair(c, d)?, pair(e, f)?]))
        }
        _ => None,
    }
}

/// The rate character of an identification in words.
const fn rate(character: u8) -> &'static str {
    match character {
        b'0' => "300 Bd",
        b'1' => "600 Bd",
        b'2' => "1200 Bd",
        b'3' => "2400 Bd",
        b'4' => "4800 Bd",
        b'5' => "9600 Bd",
        b'6' => "19200 Bd",
        b'A' => "600 Bd, mode B",
        b'B' => "1200 Bd, mode B",
        b'C' => "2400 Bd, mode B",
        b'D' => "4800 Bd, mode B",
        b'E' => "9600 Bd, mode B",
        b'F' => "19200 Bd, mode B",
        b'7'..=b'9' | b'G'..=b'I' => "reserved",
        _ => "no switch of rate, mode A",
    }
}

/// Names the parts of an identification line; `line` has been masked and starts with `/`.
pub(super) fn dissect_identification(line: &[u8], base: usize, out: &mut Dissection) {
    let text =
        |range: std::ops::Range<usize>| String::from_utf8_lossy(line.get(range).unwrap_or_default()).into_owned();
    out.field(base..base + 1, 0, "start of the identification");
    let maker = text(1..4);
    let quick = if maker.ends_with(|c: char| c.is_ascii_lowercase()) { ", may answer after 20 ms" } else { "" };
    out.field(base + 1..base + 4, 1, format!("maker {maker}{quick}"));
    let character = line.get(4).copied().unwrap_or_default();
    out.field(base + 4..base + 5, 1, format!("rate character {}: {}", char::from(character), rate(character)));
    let mut at = 5;
    while let Some([b'\\', flag]) = line.get(at..at + 2) {
        let meaning = if *flag == b'2' { "HDLC possible (mode E)" } else { "enhanced identification" };
        out.field(base + at..base + at + 2, 1, format!("\\{}: {meaning}", char::from(*flag)));
        at += 2;
    }
    if line.get(at) == Some(&STX) {
        out.wrong(base + at..base + at + 1, 1, "02 where \\2 was: HDLC possible (mode E)");
        at += 1;
    }
    if at < line.len() {
        out.field(base + at..base + line.len(), 1, format!("name {}", text(at..line.len())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_needs_a_time_and_a_date() {
        let civil = |time: &str, date: &str| clock(time.as_bytes(), date.as_bytes()).map(|t| t.civil.to_string());
        assert_eq!(civil("222553", "251002").unwrap(), "2025-10-02T22:25:53");
        assert_eq!(civil("16:40", "17-11-06").unwrap(), "2017-11-06T16:40:00");
        for (time, date) in
            [("", "251002"), ("222553", "000000"), ("246000", "251002"), ("2225530", "25100"), ("ab", "x")]
        {
            assert_eq!(civil(time, date), None, "{time} {date}");
        }
    }

    #[test]
    fn the_season_digit_picks_the_side_of_the_clock_change() {
        assert_eq!(clock(b"1023000", b"1251026").unwrap().offset, Offset::Summer);
        assert_eq!(clock(b"023000", b"0251026").unwrap().offset, Offset::Winter);
        assert_eq!(clock(b"023000", b"251026").unwrap().offset, Offset::Unknown);
        assert_eq!(clock(b"023000", b"7251026"), None);
    }
}
