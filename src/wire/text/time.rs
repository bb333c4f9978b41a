//! The forms that times have in data sets.

use crate::reading::{CivilTime, MeterTime, Offset};

/// A text that has the form of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// A time.
    Time(MeterTime),
    /// All zeros, or a date no calendar has: a value that has never been set.
    Impossible,
}

impl Stamp {
    /// The time, where it is one.
    #[must_use]
    pub const fn time(self) -> Option<MeterTime> {
        match self {
            Self::Time(time) => Some(time),
            Self::Impossible => None,
        }
    }
}

/// The season digit `z` of VDEW times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Season {
    /// `0`.
    Normal,
    /// `1`.
    Summer,
    /// `2`.
    Utc,
}

impl Season {
    /// The season of a digit.
    #[must_use]
    pub const fn from_digit(digit: u8) -> Option<Self> {
        match digit {
            b'0' => Some(Self::Normal),
            b'1' => Some(Self::Summer),
            b'2' => Some(Self::Utc),
            _ => None,
        }
    }

    /// What it says of the zone. The digit knows no zone, only the side of the clock change.
    #[must_use]
    pub const fn offset(self) -> Offset {
        match self {
            Self::Normal => Offset::Winter,
            Self::Summer => Offset::Summer,
            Self::Utc => Offset::Minutes(0),
        }
    }
}

/// Reads a time in any of the forms met, or `None` where the text has none of them.
///
/// | form | where |
/// |---|---|
/// | `YYMMDDhhmmss` with `S` or `W` or neither | DSMR's TST |
/// | `YYMMDDhhmm` | maxima |
/// | `zYYMMDDhhmm`, `zYYMMDDhhmmss` | VDEW load profiles and logs |
/// | `18-12-13,17:15`, `2021-07-12 22:20:17`, `20240111 09:35:00`, `2019-05-10&10:11:00` | the rest |
#[must_use]
pub fn stamp(text: &[u8]) -> Option<Stamp> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, rest) = text.split_at_checked(digits)?;
    match (number, rest) {
        (_, [flag]) if digits == 12 => {
            // The letter is a DSMR matter, and DSMR is Central European: S is +02:00, W is +01:00. One meter writes `s`.
            let offset = match flag.to_ascii_uppercase() {
                b'S' => Offset::Minutes(120),
                b'W' => Offset::Minutes(60),
                _ => return None,
            };
            Some(compact(number, offset))
        }
        (_, []) if matches!(digits, 10 | 12) => Some(compact(number, Offset::Unknown)),
        ([season, number @ ..], []) if matches!(digits, 11 | 13) => {
            Some(compact(number, Season::from_digit(*season)?.offset()))
        }
        (_, [_, ..]) if matches!(digits, 2 | 4 | 8) => separated(text),
        _ => None,
    }
}

/// `YYMMDDhhmm[ss]`, digits only.
fn compact(digits: &[u8], offset: Offset) -> Stamp {
    let mut pairs = [0u8; 6];
    for (slot, pair) in pairs.iter_mut().zip(digits.chunks(2)) {
        *slot = pair.iter().fold(0, |n, d| n * 10 + (d & 0x0F));
    }
    let [year, month, day, hour, minute, second] = pairs;
    made(civil_from_two_digits(year, month, day, hour, minute, second), offset)
}

/// A civil time with a year of two digits. A meter that lost its clock starts again in 1970, so 70 and later are past.
#[must_use]
pub fn civil_from_two_digits(year: u8, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Option<CivilTime> {
    let century = if year >= 70 { 1900 } else { 2000 };
    CivilTime::new(century + i32::from(year), month, day, hour, minute, second)
}

fn made(civil: Option<CivilTime>, offset: Offset) -> Stamp {
    match civil {
        Some(civil) => Stamp::Time(MeterTime { civil, offset, doubtful: false }),
        None => Stamp::Impossible,
    }
}

/// Numbers with signs between them: a date of three or one, then hour, minute and perhaps second.
fn separated(text: &[u8]) -> Option<Stamp> {
    let mut numbers = [0u32; 6];
    let mut lengths = [0usize; 6];
    let mut count = 0;
    for run in text.split(|b| matches!(b, b'-' | b':' | b' ' | b',' | b'&' | b'T')) {
        if run.is_empty() || run.len() > 8 || !run.iter().all(u8::is_ascii_digit) {
            return None;
        }
        *numbers.get_mut(count)? = run.iter().fold(0, |n, d| n * 10 + u32::from(d & 0x0F));
        *lengths.get_mut(count)? = run.len();
        count += 1;
    }
    let [y, mo, d, h, mi, s] = match (lengths, count) {
        ([2 | 4, 2, 2, 2, 2, 0], 5) | ([2 | 4, 2, 2, 2, 2, 2], 6) => numbers,
        ([8, 2, 2, 0 | 2, ..], 3 | 4) => {
            let [date, hour, minute, second, ..] = numbers;
            [date / 10_000, date / 100 % 100, date % 100, hour, minute, second]
        }
        _ => return None,
    };
    let small = |n: u32| u8::try_from(n).ok();
    let civil = || {
        let (mo, d, h, mi, s) = (small(mo)?, small(d)?, small(h)?, small(mi)?, small(s)?);
        if lengths[0] == 2 {
            civil_from_two_digits(small(y)?, mo, d, h, mi, s)
        } else {
            CivilTime::new(i32::try_from(y).ok()?, mo, d, h, mi, s)
        }
    };
    Some(made(civil(), Offset::Unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, civil: &str, offset: Offset) {
        match stamp(text.as_bytes()) {
            Some(Stamp::Time(time)) => assert_eq!((time.civil.to_string().as_str(), time.offset), (civil, offset)),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn every_form_of_a_time() {
        check("251107143000W", "2025-11-07T14:30:00", Offset::Minutes(60));
        check("250707143000S", "2025-07-07T14:30:00", Offset::Minutes(120));
        check("250707143000", "2025-07-07T14:30:00", Offset::Unknown);
        check("2211120730", "2022-11-12T07:30:00", Offset::Unknown);
        check("1220823161500", "2022-08-23T16:15:00", Offset::Summer);
        check("02212231615", "2022-12-23T16:15:00", Offset::Winter);
        check("2220823161500", "2022-08-23T16:15:00", Offset::Minutes(0));
        check("18-12-13,17:15", "2018-12-13T17:15:00", Offset::Unknown);
        check("17-11-02 08:30", "2017-11-02T08:30:00", Offset::Unknown);
        check("2021-07-12 22:20:17", "2021-07-12T22:20:17", Offset::Unknown);
        check("20240111 09:35:00", "2024-01-11T09:35:00", Offset::Unknown);
        check("2019-05-10&10:11:00", "2019-05-10T10:11:00", Offset::Unknown);
        check("700101010000W", "1970-01-01T01:00:00", Offset::Minutes(60));
    }

    #[test]
    fn a_date_that_was_never_set_is_no_time_and_no_error() {
        for text in ["00-00-00 00:00", "000000000000", "632525252525W", "0000000000", "99999999 99:99"] {
            assert_eq!(stamp(text.as_bytes()), Some(Stamp::Impossible), "{text}");
        }
    }

    #[test]
    fn numbers_and_names_are_no_times() {
        for text in ["", "00123", "000576.239*kWh", "16:40:56", "17-11-06", "5220823161500", "251107143000X", "M23"] {
            assert_eq!(stamp(text.as_bytes()), None, "{text}");
        }
    }
}
