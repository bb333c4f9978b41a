//! Load profile `P.01` and event logs `P.98`, `P.99`, as VDEW meters send them.
//!
//! ```text
//! P.01(1220823161500)(08)(15)(2)(1.5)(kW)(2.5)(kW)        P.98(1220826235646)(00008020)()(1)(0.9.2)()(1220826)
//!      │             │   │   │  └ channel and its unit         │             │           │  │        └ its value
//!      │             │   │   └ how many of them                │             │           │  └ what came with it
//!      │             │   └ period in minutes                   │             │           └ how many of them
//!      │             └ status of the rows that follow          │             └ status: what happened
//!      └ time of the first row                                 └ when
//! (0.18374)(0.00078)      rows, without an address
//! (0.16832)(0.00000)
//! ```
//!
//! Both headers have the same grammar: season and time, status, period, a count, so many pairs of code and unit, then
//! values. A new header comes whenever the status changes or a gap begins. Answers without entries, `P.01(ERROR)`, are normal.

use super::super::text::{Stamp, stamp};
use super::{Query, ReadCommand, TextError};
use crate::reading::{Code, MeterTime, Offset, Unit};
use smol_str::SmolStr;

/// The most channels a header may announce; no meter has more registers to record.
const MAX_CHANNELS: usize = 64;

/// The header of a load profile, or an entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// When.
    pub time: Stamp,
    /// The status word, hexadecimal digits as sent.
    pub status: SmolStr,
    /// The recording period, where there is one.
    pub period_s: Option<u32>,
    /// What the values are.
    pub channels: Vec<(Code, Option<Unit>)>,
    /// The groups behind the header: a log's values, or rows on the header's own line.
    pub values: &'a [&'a [u8]],
}

impl<'a> Header<'a> {
    /// Reads the groups of a `P.` data set; `None` where they are no header, as in `P.01(ERROR)`.
    #[must_use]
    pub fn parse(groups: &'a [&'a [u8]]) -> Option<Self> {
        let [time, status, period, count, rest @ ..] = groups else { return None };
        let time = stamp(time)?;
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse::<u32>().ok();
        let count = usize::try_from(number(count)?).ok().filter(|&n| n <= MAX_CHANNELS)?;
        let (pairs, values) = rest.split_at_checked(count.checked_mul(2)?)?;
        let channels = pairs
            .chunks_exact(2)
            .filter_map(|pair| Some((Code::parse(pair.first()?), Unit::parse_bytes(pair.get(1)?))))
            .collect();
        let period_s = number(period).filter(|&minutes| minutes > 0).and_then(|minutes| minutes.checked_mul(60));
        Some(Self { time, status: String::from_utf8_lossy(status).into(), period_s, channels, values })
    }
}

impl Header<'_> {
    /// The time of the row so many rows behind the header, counted on in periods. Without a period only the first row has a
    /// time that is known.
    #[must_use]
    pub fn time_of_row(&self, row: usize) -> Option<MeterTime> {
        let start = self.time.time()?;
        let period = match self.period_s {
            Some(seconds) => i64::from(seconds),
            None if row == 0 => 0,
            None => return None,
        };
        let rows = i64::try_from(row).unwrap_or(i64::MAX);
        let millis = period.saturating_mul(1000).saturating_mul(rows);
        Some(MeterTime { civil: start.civil.plus_millis(millis), ..start })
    }
}

/// How many digits the times of a question have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeForm {
    /// `zYYMMDDhhmm`.
    Minutes,
    /// `zYYMMDDhhmmss`.
    #[default]
    Seconds,
}

impl TimeForm {
    /// A time as the meter's clock shows it, the digit of the season in front: 1 in summer, 2 for UTC, else 0.
    #[must_use]
    pub fn text(self, time: MeterTime) -> String {
        let season = match time.offset {
            Offset::Summer => '1',
            Offset::Minutes(0) => '2',
            Offset::Minutes(_) | Offset::Winter | Offset::Unknown => '0',
        };
        let digits: String = time.civil.to_string().chars().filter(char::is_ascii_digit).collect();
        let end = match self {
            Self::Minutes => 12,
            Self::Seconds => 14,
        };
        format!("{season}{}", digits.get(2..end).unwrap_or_default())
    }
}

/// The question for the rows or entries of `table` (`P.01`, `P.98`) between two times, both included; without one of them
/// from the oldest, or to the newest.
///
/// # Errors
/// [`TextError`] where the table's name cannot be sent.
pub fn query(
    command: ReadCommand,
    table: &str,
    form: TimeForm,
    from: Option<MeterTime>,
    until: Option<MeterTime>,
) -> Result<Query, TextError> {
    let text = |time: Option<MeterTime>| time.map(|time| form.text(time)).unwrap_or_default();
    Query::new(command, &format!("{table}({};{})", text(from), text(until)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(text: &str) -> Vec<&[u8]> {
        text.trim_matches(['(', ')']).split(")(").map(str::as_bytes).collect()
    }

    #[test]
    fn a_load_profile_header() {
        let groups = groups("(1220823161500)(08)(15)(2)(1-0:1.5.0)(kW)(5.5)(kvar)");
        let header = Header::parse(&groups).unwrap();
        assert_eq!(header.time.time().unwrap().civil.to_string(), "2022-08-23T16:15:00");
        assert_eq!((header.status.as_str(), header.period_s), ("08", Some(900)));
        let channels: Vec<_> = header.channels.iter().map(|(c, u)| format!("{c} {}", u.unwrap())).collect();
        assert_eq!(channels, ["1-0:1.5.0*255 kW", "1-0:5.5.0*255 kvar"]);
        assert!(header.values.is_empty());
    }

    #[test]
    fn a_log_entry_brings_its_values() {
        let groups = groups("(1220826235646)(00008020)()(2)(0.9.1)()(0.9.2)()(1235703)(1220826)");
        let header = Header::parse(&groups).unwrap();
        assert_eq!((header.status.as_str(), header.period_s, header.channels.len()), ("00008020", None, 2));
        assert_eq!(header.values, [&b"1235703"[..], b"1220826"]);
    }

    #[test]
    fn what_is_no_header_is_none() {
        for text in ["(ERROR)", "(1220826235646)(00)()(3)(0.9.1)()", "(x)(00)()(0)", "(1220826235646)(00)(15)(99999)"] {
            assert_eq!(Header::parse(&groups(text)), None, "{text}");
        }
    }

    #[test]
    fn a_question_between_two_times() {
        let time = |hour, offset| {
            let civil = crate::reading::CivilTime::new(2025, 11, 7, hour, 0, 0).unwrap();
            MeterTime { civil, offset, doubtful: false }
        };
        let (from, until) = (time(0, Offset::Winter), time(1, Offset::Winter));
        let ask = |form, from, until| query(ReadCommand::R5, "P.01", form, from, until).unwrap().data().to_owned();
        assert_eq!(ask(TimeForm::Seconds, Some(from), Some(until)), "P.01(0251107000000;0251107010000)");
        assert_eq!(ask(TimeForm::Minutes, Some(time(2, Offset::Summer)), None), "P.01(12511070200;)");
        assert_eq!(ask(TimeForm::Minutes, None, Some(time(2, Offset::Minutes(0)))), "P.01(;22511070200)");
        assert_eq!(ask(TimeForm::Minutes, None, None), "P.01(;)");
    }
}
