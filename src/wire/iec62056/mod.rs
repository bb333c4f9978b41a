//! IEC 62056-21 ("D0", formerly IEC 1107): what a reader and a meter send each other in modes A to E.
//!
//! ```text
//! /  I S k  5  \2 MT174-0002  CR LF   STX  1-0:1.8.0*255(0000502.853*kWh) CR LF  …  !  CR LF  ETX  BCC
//! │  │   │  │  │  └ name              │    │             │               │           │              └ exclusive or from
//! │  │   │  │  └ pairs: \2 = HDLC     │    └ address     └ value         └ unit      └ end mark       behind STX to ETX
//! │  │   │  └ rate: 5 = 9600 Bd       └ not in mode D, which leaves a blank line
//! │  └───┴ maker; the last in lower case: answers after 20 ms
//! ```
//!
//! The framer of readouts is that of [`text`](super::text). Here is what only these meters do:
//! - [`Identification`]: who the meter is, and which [`Mode`] and speed it offers;
//! - [`Request`], [`OptionSelect`], [`Query`], [`Password`]: what a reader sends. No command that writes or executes can be
//!   made of them;
//! - [`cut`]: the meter's answers in programming mode;
//! - [`profile`]: the load profile `P.01` and the logs `P.98` and `P.99` of the VDEW;
//! - [`clock`]: the two registers that make up the clock.
//!
//! Not here: what is said when. That is [`dialogue::iec62056`](crate::dialogue::iec62056).

mod answer;
mod command;
mod identification;
pub mod profile;

pub use answer::{Answer, cut};
pub use command::{
    BlockCheck, Break, MAX_QUERY, OptionSelect, Password, Query, ReadCommand, Request, TextError, Wanted,
};
pub(super) use identification::dissect_identification;
pub use identification::{Identification, Mode, Rate};

use super::text::{Season, civil_from_two_digits};
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
