//! Times as people ask for them: `yesterday`, `2d`, `2025-W45`, `"2025-11-07 14:30"`, `last month`.

use super::{CivilTime, Instant, MeterTime, Resolved, Zone};
use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use smol_str::SmolStr;
use std::time::Duration;

/// A time somebody asked for: a moment, or a whole hour, day, week, month or year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Where a span that begins with it begins.
    pub since: Instant,
    /// Where a span that ends with it ends, exclusive: the end of a period, the moment itself otherwise.
    pub until: Instant,
    /// Whether a local time was meant that the clock shows twice; `since` is then its first occurrence, `until` its second.
    pub twice: bool,
}

/// Why a text is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskedError {
    /// It is in none of the forms, or names a day that does not exist.
    #[error("'{0}' is not a time")]
    Unknown(SmolStr),
    /// The clock was put forward over it.
    #[error("{civil} did not exist in {zone}")]
    Skipped {
        /// The local time.
        civil: CivilTime,
        /// The zone.
        zone: Zone,
        /// The moment the clock went forward to or just after: what may be meant.
        instead: Instant,
    },
}

impl Asked {
    /// The forms, for error messages.
    pub const FORMS: &'static str = "like 2d, 36h, yesterday, \"yesterday 18:00\", 14:30, 2025-11-07, \"2025-11-07 14:30\", 2025-11, 2025-W45, last month, @1762525800";

    /// Reads a time.
    ///
    /// | form | meaning |
    /// |---|---|
    /// | `2025-11-07T14:30:00Z`, `…+01:00` | that moment (RFC 3339) |
    /// | `2025`, `2025-11`, `2025-W45`, `2025-11-07` | that year, month, ISO week, day, local |
    /// | `2025-11-07 14:30`, `14:30`, `yesterday 18:00` | that local time, today's where no day is named |
    /// | `now`, `today`, `yesterday`, `tomorrow` | |
    /// | `2d`, `36h`, `1h 30min`, `2 weeks ago`, `-2d` | so long before `now`; days and longer by the calendar |
    /// | `last month`, `this week`, … | that period, local |
    /// | `@1762525800` | seconds since 1970 |
    ///
    /// # Errors
    /// [`AskedError::Unknown`], or [`AskedError::Skipped`] for a local time the clock jumped over.
    pub fn parse(text: &str, now: Instant, zone: Zone) -> Result<Self, AskedError> {
        let words = text.trim().to_ascii_lowercase();
        let unknown = || AskedError::Unknown(text.into());
        let asker = Asker { now, zone };
        if let Some(seconds) = words.strip_prefix('@') {
            return Ok(Self::moment(unix(seconds).ok_or_else(unknown)?));
        }
        if let Ok(moment) = chrono::DateTime::parse_from_rfc3339(text.trim()) {
            return Ok(Self::moment(Instant(moment.timestamp_micros())));
        }
        if words == "now" {
            return Ok(Self::moment(now));
        }
        if let Some(period) = asker.period(&words) {
            let (first, end) = period.ok_or_else(unknown)?;
            return Ok(Self { since: asker.midnight(first), until: asker.midnight(end), twice: false });
        }
        if let Some(hour) = asker.hour(&words) {
            return Ok(hour);
        }
        if let Some(before) = asker.before(&words) {
            return before.map(Self::moment).ok_or_else(unknown);
        }
        asker.local(&words).ok_or_else(unknown)?
    }

    const fn moment(at: Instant) -> Self {
        Self { since: at, until: at, twice: false }
    }
}

/// Whoever asks: when and where.
struct Asker {
    now: Instant,
    zone: Zone,
}

impl Asker {
    fn local_now(&self) -> NaiveDateTime {
        self.now.chrono().with_timezone(&self.zone.0).naive_local()
    }

    fn resolve(&self, civil: NaiveDateTime) -> Resolved {
        MeterTime::local(CivilTime(civil)).resolve(self.zone)
    }

    /// The start of a local day, or the first moment after it where the clock skips midnight.
    fn midnight(&self, day: NaiveDate) -> Instant {
        self.resolve(day.and_time(NaiveTime::MIN)).earliest()
    }

    /// Days from one to before the other; the inner `None` for a date that does not exist.
    fn period(&self, words: &str) -> Option<Option<(NaiveDate, NaiveDate)>> {
        if let Some(day) = self.day(words) {
            return Some(day.and_then(|day| Some((day, day.succ_opt()?))));
        }
        let today = self.local_now().date();
        let (which, unit) = words.split_once(' ').unwrap_or(("", words));
        let back = match which {
            "last" => 1,
            "this" => 0,
            _ => return written_period(words),
        };
        let month = |back| today.with_day(1)?.checked_sub_months(Months::new(back));
        Some(match unit.trim() {
            "day" => today.checked_sub_days(Days::new(back)).and_then(|day| Some((day, day.succ_opt()?))),
            "week" => {
                let monday = today.week(Weekday::Mon).checked_first_day();
                monday.and_then(|day| day.checked_sub_days(Days::new(7 * back))).and_then(week)
            }
            "month" => {
                month(u32::from(back == 1)).and_then(|first| Some((first, first.checked_add_months(Months::new(1))?)))
            }
            "year" => year(today.year() - i32::from(back == 1)),
            _ => return None,
        })
    }

    /// `this hour`, `last hour`.
    fn hour(&self, words: &str) -> Option<Asked> {
        let back = match words {
            "last hour" => 1,
            "this hour" => 0,
            _ => return None,
        };
        const HOUR: i64 = 3600;
        let start = Instant::from_unix((self.now.unix_seconds().div_euclid(HOUR) - back) * HOUR);
        Some(Asked { since: start, until: start.plus_seconds(HOUR), twice: false })
    }

    /// A day by name or date; the inner `None` for one that does not exist.
    fn day(&self, word: &str) -> Option<Option<NaiveDate>> {
        let today = self.local_now().date();
        match word {
            "today" => Some(Some(today)),
            "yesterday" => Some(today.pred_opt()),
            "tomorrow" => Some(today.succ_opt()),
            _ => {
                let (year, rest) = digits(word, 4)?;
                let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
                let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
                rest.is_empty().then(|| NaiveDate::from_ymd_opt(year.cast_signed(), month, day))
            }
        }
    }

    /// `2d`, `1h 30min`, `2 weeks ago`, `-2d`; the inner `None` for one that reaches beyond the calendar.
    fn before(&self, words: &str) -> Option<Option<Instant>> {
        let words = words.strip_suffix(" ago").unwrap_or(words);
        let mut rest = words.strip_prefix('-').unwrap_or(words).trim_start();
        let (mut seconds, mut days, mut months) = (0_i64, 0_u64, 0_u32);
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let count_end = rest.find(|c: char| !c.is_ascii_digit()).filter(|&at| at > 0)?;
            let count: u32 = rest[..count_end].parse().ok()?;
            let unit = rest[count_end..].trim_start();
            let unit_end = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
            let times = |unit: i64| i64::from(count).checked_mul(unit);
            match &unit[..unit_end] {
                "s" | "sec" | "second" | "seconds" => seconds = seconds.checked_add(times(1)?)?,
                "m" | "min" | "minute" | "minutes" => seconds = seconds.checked_add(times(60)?)?,
                "h" | "hour" | "hours" => seconds = seconds.checked_add(times(3600)?)?,
                "d" | "day" | "days" => days = days.checked_add(u64::from(count))?,
                "w" | "week" | "weeks" => days = days.checked_add(u64::from(count) * 7)?,
                "mo" | "month" | "months" => months = months.checked_add(count)?,
                "y" | "year" | "years" => months = months.checked_add(count.checked_mul(12)?)?,
                _ => return None,
            }
            rest = unit[unit_end..].trim_start();
        }
        if (days, months) == (0, 0) {
            return Some(Some(self.now.plus_seconds(-seconds)));
        }
        let local = self.local_now();
        let moved =
            local.checked_sub_months(Months::new(months)).and_then(|time| time.checked_sub_days(Days::new(days)));
        Some(moved.map(|time| self.resolve(time).earliest().plus_seconds(-seconds)))
    }

    /// A local time of day, on a named day or today.
    fn local(&self, words: &str) -> Option<Result<Asked, AskedError>> {
        let dated = words.split_once(' ').or_else(|| words.split_once('t').filter(|(day, _)| day.len() == 10));
        let (day, time) = match dated {
            Some((day, time)) => (self.day(day)??, time.trim_start()),
            None => (self.local_now().date(), words),
        };
        let civil = day.and_time(time_of_day(time)?);
        Some(match self.resolve(civil) {
            Resolved::Exact(at) => Ok(Asked::moment(at)),
            Resolved::Ambiguous(first, second) => Ok(Asked { since: first, until: second, twice: true }),
            Resolved::Skipped(instead) => {
                Err(AskedError::Skipped { civil: CivilTime(civil), zone: self.zone, instead })
            }
        })
    }
}

/// `2025`, `2025-11`, `2025-w45`; the inner `None` for one that does not exist.
fn written_period(words: &str) -> Option<Option<(NaiveDate, NaiveDate)>> {
    let (number, rest) = digits(words, 4)?;
    let number = number.cast_signed();
    if rest.is_empty() {
        return Some(year(number));
    }
    let rest = rest.strip_prefix('-')?;
    if let Some(rest) = rest.strip_prefix('w') {
        let (of_year, rest) = digits(rest, 2)?;
        return rest.is_empty().then(|| NaiveDate::from_isoywd_opt(number, of_year, Weekday::Mon).and_then(week));
    }
    let (month, rest) = digits(rest, 2)?;
    let first = NaiveDate::from_ymd_opt(number, month, 1);
    rest.is_empty().then(|| first.and_then(|first| Some((first, first.checked_add_months(Months::new(1))?))))
}

fn year(number: i32) -> Option<(NaiveDate, NaiveDate)> {
    Some((NaiveDate::from_ymd_opt(number, 1, 1)?, NaiveDate::from_ymd_opt(number + 1, 1, 1)?))
}

fn week(monday: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    Some((monday, monday.checked_add_days(Days::new(7))?))
}

/// `14:30`, `14:30:05`, `14:30:05.5`.
fn time_of_day(text: &str) -> Option<NaiveTime> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    if rest.is_empty() {
        return NaiveTime::from_hms_opt(hour, minute, 0);
    }
    let (second, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let micros = match rest.strip_prefix('.') {
        Some(fraction) if (1..=6).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{fraction:0<6}").parse().ok()?
        }
        None if rest.is_empty() => 0,
        _ => return None,
    };
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
}

fn unix(text: &str) -> Option<Instant> {
    let plain = text.strip_prefix('-').unwrap_or(text);
    let digits = (1..=12).contains(&plain.len()) && plain.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().map(Instant::from_unix)
}

/// A length of time in one unit: `500ms`, `30s`, `5min`, `2h`, `30d`, `2w`; a day has 24 hours here.
#[must_use]
pub fn parse_length(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit()).filter(|&at| at > 0)?;
    let (count, unit) = text.split_at(split);
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60 * 1000,
        "h" => 3600 * 1000,
        "d" => 24 * 3600 * 1000,
        "w" => 7 * 24 * 3600 * 1000,
        _ => return None,
    };
    count.parse::<u64>().ok()?.checked_mul(millis).map(Duration::from_millis)
}

/// A number of exactly so many digits, and what follows it.
fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let head = text.get(..count)?;
    if !head.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((head.parse().ok()?, text.get(count..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse_utc(text).unwrap()
    }

    fn brussels() -> Zone {
        Zone::parse("Europe/Brussels").unwrap()
    }

    /// Asked on a Saturday afternoon.
    fn asked(text: &str) -> Result<Asked, AskedError> {
        Asked::parse(text, at("2026-11-21T14:05:00Z"), brussels())
    }

    #[track_caller]
    fn means(text: &str, since: &str, until: &str) {
        let asked = asked(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((asked.since, asked.until), (at(since), at(until)), "{text}");
    }

    #[test]
    fn moments() {
        for (text, moment) in [
            ("2025-11-07T14:30:00Z", "2025-11-07T14:30:00Z"),
            ("2025-11-07T14:30:00.25+01:00", "2025-11-07T13:30:00.25Z"),
            ("2025-11-07 14:30", "2025-11-07T13:30:00Z"),
            ("2025-07-07T14:30:05", "2025-07-07T12:30:05Z"),
            ("2025-07-07 14:30:05.5", "2025-07-07T12:30:05.5Z"),
            ("14:30", "2026-11-21T13:30:00Z"),
            ("yesterday 18:00", "2026-11-20T17:00:00Z"),
            ("tomorrow 06:00", "2026-11-22T05:00:00Z"),
            ("now", "2026-11-21T14:05:00Z"),
            ("@1762525800", "2025-11-07T14:30:00Z"),
        ] {
            means(text, moment, moment);
        }
    }

    #[test]
    fn so_long_ago() {
        for (text, moment) in [
            ("36h", "2026-11-20T02:05:00Z"),
            ("2d", "2026-11-19T14:05:00Z"),
            ("2d ago", "2026-11-19T14:05:00Z"),
            ("-2d", "2026-11-19T14:05:00Z"),
            ("2 weeks ago", "2026-11-07T14:05:00Z"),
            ("1h 30min", "2026-11-21T12:35:00Z"),
            ("90s", "2026-11-21T14:03:30Z"),
            ("1 month", "2026-10-21T13:05:00Z"),
            ("1y", "2025-11-21T14:05:00Z"),
        ] {
            means(text, moment, moment);
        }
        // A day is a day of the calendar: the same time on the clock, 25 hours before.
        let day = Asked::parse("1d", at("2026-10-25T11:00:00Z"), brussels()).unwrap();
        assert_eq!(day.since, at("2026-10-24T10:00:00Z"));
    }

    #[test]
    fn periods_reach_to_their_ends() {
        means("2025-11-07", "2025-11-06T23:00:00Z", "2025-11-07T23:00:00Z");
        means("2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        means("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
        means("2025-11", "2025-10-31T23:00:00Z", "2025-11-30T23:00:00Z");
        means("2025-W45", "2025-11-02T23:00:00Z", "2025-11-09T23:00:00Z");
        means("2026-w53", "2026-12-27T23:00:00Z", "2027-01-03T23:00:00Z");
        means("2025", "2024-12-31T23:00:00Z", "2025-12-31T23:00:00Z");
        means("today", "2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z");
        means("Yesterday", "2026-11-19T23:00:00Z", "2026-11-20T23:00:00Z");
        means("tomorrow", "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z");
        means("last month", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z");
        means("this week", "2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z");
        means("last year", "2024-12-31T23:00:00Z", "2025-12-31T23:00:00Z");
        means("last hour", "2026-11-21T13:00:00Z", "2026-11-21T14:00:00Z");
    }

    #[test]
    fn a_time_the_clock_jumped_over_is_refused_and_one_it_shows_twice_is_settled_outwards() {
        let skipped = asked("2026-03-29 02:30").unwrap_err();
        assert_eq!(skipped.to_string(), "2026-03-29T02:30:00 did not exist in Europe/Brussels");
        let AskedError::Skipped { instead, .. } = skipped else { panic!() };
        assert_eq!(instead, at("2026-03-29T01:30:00Z"));
        means("2026-10-25 02:30", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
        assert!(asked("2026-10-25 02:30").unwrap().twice);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "",
            " ",
            "-",
            "ago",
            "2",
            "1h30",
            "2x",
            "d2",
            "2026-02-30",
            "2026-13",
            "2026-W54",
            "2025-W53",
            "26-01-01",
            "2026-1-1",
            "25:00",
            "14:60",
            "14",
            "t14:30",
            "2026-02-30 10:00",
            "last",
            "last fortnight",
            "hier",
            "@",
            "@x",
            "@1e9",
            "٢d",
            "99999999999d",
            "4294967295y",
            "4294967295mo",
            "2026-11-07Z",
            "nowish",
            "next month",
        ] {
            assert!(matches!(asked(text), Err(AskedError::Unknown(_))), "{text}: {:?}", asked(text));
        }
    }

    #[test]
    fn lengths_of_time_have_a_unit() {
        assert_eq!(parse_length("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_length("5min"), Some(Duration::from_secs(300)));
        assert_eq!(parse_length("30d"), Some(Duration::from_secs(30 * 86_400)));
        for wrong in ["", "5", "s", "-1s", "1.5h", "1h30", "9999999999999999999s", "99999999999999999w"] {
            assert_eq!(parse_length(wrong), None, "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_and_no_span_is_negative(text in "[-0-9a-z:@+. wT]{0,20}|\\PC{0,12}", now in 0_i64..5_000_000_000) {
            if let Ok(asked) = Asked::parse(&text, Instant::from_unix(now), brussels()) {
                proptest::prop_assert!(asked.since <= asked.until);
            }
        }
    }
}
