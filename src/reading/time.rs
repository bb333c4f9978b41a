//! Three kinds of time: an [`Instant`] on the UTC line, a [`MeterTime`] as a meter said it, and the [`Zone`] that leads
//! from one to the other.
//!
//! A meter's `23-10-29 02:30:00` means nothing without its zone, and in autumn not even with it, unless the meter says
//! which side of the change it is on. So the meter's words are kept, and [`MeterTime::resolve`] says what they leave open.
//! `chrono` types stay inside this module.

mod asked;
mod calendar;

pub use asked::{Asked, AskedError, parse_length};
pub use calendar::Calendar;

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeZone, Timelike, Utc};
use smol_str::SmolStr;
use std::fmt;

/// A moment, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// Why something is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// No such date or time of day.
    #[error("'{0}' is not a date or time")]
    Syntax(SmolStr),
    /// The zone's name is not in the IANA data base.
    #[error("'{0}' is not an IANA time zone")]
    Zone(SmolStr),
}

impl Instant {
    /// The moment so many seconds after 1970 began.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// The moment so many microseconds after 1970 began.
    #[must_use]
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970 began.
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970 began, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The host's clock. The one place where it is read: everything else is handed a time.
    #[must_use]
    #[allow(clippy::disallowed_methods)]
    pub fn now() -> Self {
        Self(Utc::now().timestamp_micros())
    }

    /// The moment of a file's time stamp.
    #[must_use]
    pub fn from_system_time(time: std::time::SystemTime) -> Self {
        Self(DateTime::<Utc>::from(time).timestamp_micros())
    }

    /// Reads RFC 3339, and also a date and time without a zone, which counts as UTC (the old application wrote those). Years have
    /// four digits, in UTC too: what is read can be written.
    ///
    /// # Errors
    /// [`TimeError::Syntax`] with the text.
    pub fn parse_utc(text: &str) -> Result<Self, TimeError> {
        if let Some(at) = Self::parse_plain(text.as_bytes()) {
            return Ok(at);
        }
        let plain = |form| NaiveDateTime::parse_from_str(text, form).map(|time| time.and_utc());
        let time = DateTime::parse_from_rfc3339(text)
            .map(|time| time.to_utc())
            .or_else(|_| plain("%Y-%m-%dT%H:%M:%S%.f"))
            .or_else(|_| plain("%Y-%m-%d %H:%M:%S%.f"));
        let time = time.ok().filter(|time| (0..=9999).contains(&time.year()));
        time.map(|time| Self(time.timestamp_micros())).ok_or_else(|| TimeError::Syntax(text.into()))
    }

    /// `2025-11-07T14:30:00[.ffffff][Z]`, with a `T` or a blank: what files hold by the hundred thousand.
    fn parse_plain(text: &[u8]) -> Option<Self> {
        let number = |from: usize, to: usize| {
            text.get(from..to)?
                .iter()
                .try_fold(0u32, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
        };
        let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        if !marks.iter().all(|&(at, mark)| text.get(at) == Some(&mark)) || !matches!(text.get(10), Some(b'T' | b' ')) {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)?;
        let time = date.and_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?)?;
        let rest = text.get(19..)?;
        let rest = rest.strip_suffix(b"Z").unwrap_or(rest);
        let micros = match rest {
            [] => 0,
            [b'.', digits @ ..] if (1..=6).contains(&digits.len()) => {
                let scale = 10i64.pow(6 - u32::try_from(digits.len()).ok()?);
                i64::from(number(20, 20 + digits.len())?) * scale
            }
            _ => return None,
        };
        Some(Self(time.and_utc().timestamp_micros() + micros))
    }

    /// Appends the moment as [`Display`](fmt::Display) prints it.
    pub fn write_to(self, out: &mut Vec<u8>) {
        let (seconds, micros) = (self.unix_seconds(), self.0.rem_euclid(1_000_000));
        let days = i32::try_from(seconds.div_euclid(86_400)).ok();
        let date = days.and_then(NaiveDate::from_epoch_days).filter(|date| (0..=9999).contains(&date.year()));
        let Some(date) = date else {
            out.extend_from_slice(self.to_string().as_bytes());
            return;
        };
        // Below 86 400, so the cast cannot lose anything.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let second = seconds.rem_euclid(86_400) as u32;
        let year = date.year().unsigned_abs();
        let mut text = *b"0000-00-00T00:00:00Z";
        for (place, number) in [
            (0, year / 100),
            (2, year % 100),
            (5, date.month()),
            (8, date.day()),
            (11, second / 3600),
            (14, second / 60 % 60),
            (17, second % 60),
        ] {
            // Below a hundred, so the casts cannot lose anything.
            #[allow(clippy::cast_possible_truncation)]
            {
                text[place] += (number / 10) as u8;
                text[place + 1] += (number % 10) as u8;
            }
        }
        out.extend_from_slice(&text);
        if micros != 0 {
            out.pop();
            out.push(b'.');
            out.extend_from_slice(format!("{micros:06}").trim_end_matches('0').as_bytes());
            out.push(b'Z');
        }
    }

    /// This moment moved by a number of seconds.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// The UTC day it falls on, as `(year, month, day)`.
    #[must_use]
    pub fn utc_day(self) -> (i32, u8, u8) {
        let time = self.chrono();
        (time.year(), small(time.month()), small(time.day()))
    }

    /// The start of a UTC day; `None` where there is no such day.
    #[must_use]
    pub fn start_of_utc_day(year: i32, month: u8, day: u8) -> Option<Self> {
        let date = NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day))?;
        Some(Self(date.and_time(NaiveTime::MIN).and_utc().timestamp_micros()))
    }

    /// What a clock in `zone` shows at this moment, with its offset.
    #[must_use]
    pub fn meter_time(self, zone: Zone) -> MeterTime {
        let local = self.chrono().with_timezone(&zone.0);
        let minutes = i16::try_from(local.offset().fix().local_minus_utc() / 60).unwrap_or(0);
        MeterTime { civil: CivilTime(local.naive_local()), offset: Offset::Minutes(minutes), doubtful: false }
    }

    /// What a clock shows that is ahead of UTC by so many minutes all year.
    #[must_use]
    pub fn meter_time_at(self, minutes: i16) -> MeterTime {
        let civil = CivilTime(self.plus_seconds(i64::from(minutes) * 60).chrono().naive_utc());
        MeterTime { civil, offset: Offset::Minutes(minutes), doubtful: false }
    }

    fn chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// What a clock on the local time of `zone` shows, and whether it is on summer time.
    #[must_use]
    pub fn on_clock(self, zone: Zone) -> MeterTime {
        let offset = if zone.is_summer(self) { Offset::Summer } else { Offset::Winter };
        MeterTime { offset, ..self.meter_time(zone) }
    }

    /// RFC 3339 in a zone, with its offset: `2025-11-07T15:30:00+01:00`.
    #[must_use]
    pub fn in_zone(self, zone: Zone) -> String {
        let local = self.chrono().with_timezone(&zone.0);
        format!("{}{}", civil_text(local.naive_local()), offset_text(local.offset().fix().local_minus_utc()))
    }

    /// Date and time in a zone, with the zone's short name: `2025-11-07 15:30:00 CET`.
    #[must_use]
    pub fn for_people(self, zone: Zone) -> String {
        self.chrono().with_timezone(&zone.0).format("%Y-%m-%d %H:%M:%S %Z").to_string()
    }
}

impl fmt::Display for Instant {
    /// `2025-11-07T14:30:00Z`, with as many decimals of a second as are needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", civil_text(self.chrono().naive_utc()))
    }
}

/// Date and time of day as on a wall clock, of no particular zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilTime(NaiveDateTime);

impl CivilTime {
    /// A date and time; `None` where no calendar has it.
    #[must_use]
    pub fn new(year: i32, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Option<Self> {
        let date = NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day))?;
        // 24:00:00 is how some meters write the end of a day.
        if (hour, minute, second) == (24, 0, 0) {
            return date.succ_opt().map(|next| Self(next.and_time(NaiveTime::MIN)));
        }
        let time = NaiveTime::from_hms_opt(u32::from(hour), u32::from(minute), u32::from(second))?;
        Some(Self(date.and_time(time)))
    }

    /// Year, month, day, hour, minute, second and hundredths of a second.
    #[must_use]
    pub fn fields(self) -> [u16; 7] {
        let date = [self.0.month(), self.0.day(), self.0.hour(), self.0.minute(), self.0.second()].map(small);
        let [month, day, hour, minute, second] = date.map(u16::from);
        let hundredths = u16::from(small(self.0.nanosecond() / 10_000_000 % 100));
        [u16::try_from(self.0.year()).unwrap_or(0), month, day, hour, minute, second, hundredths]
    }

    /// The day of the week, 1 for Monday to 7 for Sunday.
    #[must_use]
    pub fn weekday(self) -> u8 {
        small(self.0.weekday().number_from_monday())
    }

    /// The wall clock as microseconds since 1970 began on it, whatever its zone.
    #[must_use]
    pub const fn civil_micros(self) -> i64 {
        self.0.and_utc().timestamp_micros()
    }

    /// The time of so many microseconds since 1970 began on the wall clock; `None` beyond any calendar.
    #[must_use]
    pub fn from_civil_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).map(|time| Self(time.naive_utc()))
    }

    /// The same time with a fraction of a second added.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.checked_add_signed(Duration::milliseconds(millis)).unwrap_or(self.0))
    }
}

impl fmt::Display for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&civil_text(self.0))
    }
}

/// What a meter says about the zone of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Offset {
    /// Ahead of UTC by so many minutes: +60 for Central European winter time.
    Minutes(i16),
    /// Nothing: local time of an unknown zone, either side of a clock change.
    Unknown,
    /// Local time of an unknown zone, and the meter says that summer time is in force.
    Summer,
    /// Local time of an unknown zone, and the meter says that normal time is in force.
    Winter,
}

/// A time as a meter sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MeterTime {
    /// Date and time on the meter's clock.
    pub civil: CivilTime,
    /// What it says of the zone.
    pub offset: Offset,
    /// Whether the meter itself says that its clock is invalid or doubtful.
    pub doubtful: bool,
}

/// What a meter's time comes to in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// One moment.
    Exact(Instant),
    /// The repeated hour of autumn: two moments, an hour apart.
    Ambiguous(Instant, Instant),
    /// The skipped hour of spring: the moment reached by counting on from the hour before.
    Skipped(Instant),
}

impl Resolved {
    /// The moment, the earlier one where there are two.
    #[must_use]
    pub const fn earliest(self) -> Instant {
        match self {
            Self::Exact(at) | Self::Ambiguous(at, _) | Self::Skipped(at) => at,
        }
    }
}

impl MeterTime {
    /// A time whose zone the meter does not name.
    #[must_use]
    pub const fn local(civil: CivilTime) -> Self {
        Self { civil, offset: Offset::Unknown, doubtful: false }
    }

    /// The moment it stands for, in `zone` where the meter does not name one.
    #[must_use]
    pub fn resolve(&self, zone: Zone) -> Resolved {
        let naive = self.civil.0;
        let at = |utc: NaiveDateTime| Instant(utc.and_utc().timestamp_micros());
        if let Offset::Minutes(minutes) = self.offset {
            let shift = Duration::minutes(i64::from(minutes));
            return Resolved::Exact(at(naive.checked_sub_signed(shift).unwrap_or(naive)));
        }
        match zone.0.from_local_datetime(&naive) {
            chrono::LocalResult::Single(local) => Resolved::Exact(Instant(local.timestamp_micros())),
            chrono::LocalResult::Ambiguous(first, second) => {
                let (first, second) = (Instant(first.timestamp_micros()), Instant(second.timestamp_micros()));
                match self.offset {
                    Offset::Summer => Resolved::Exact(first),
                    Offset::Winter => Resolved::Exact(second),
                    _ => Resolved::Ambiguous(first, second),
                }
            }
            chrono::LocalResult::None => {
                let before = naive - Duration::hours(1);
                let earlier = zone.0.from_local_datetime(&before).earliest();
                Resolved::Skipped(earlier.map_or(at(naive), |t| Instant(t.timestamp_micros()).plus_seconds(3600)))
            }
        }
    }

    /// RFC 3339 with the offset that holds for it in `zone`.
    #[must_use]
    pub fn rfc3339(&self, zone: Zone) -> String {
        match self.offset {
            Offset::Minutes(minutes) => {
                format!("{}{}", civil_text(self.civil.0), offset_text(i32::from(minutes) * 60))
            }
            _ => self.resolve(zone).earliest().in_zone(zone),
        }
    }
}

/// A time zone of the IANA data base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(chrono_tz::Tz);

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(chrono_tz::Tz::UTC);
    /// Central European Time: what a DSMR clock runs on where it carries no flag.
    pub const CENTRAL_EUROPE: Self = Self(chrono_tz::Tz::Europe__Amsterdam);

    /// The zone of an IANA name.
    ///
    /// # Errors
    /// [`TimeError::Zone`] where there is none.
    pub fn parse(name: &str) -> Result<Self, TimeError> {
        name.parse().map(Self).map_err(|_| TimeError::Zone(name.into()))
    }

    /// Every name there is.
    pub fn names() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
    }

    /// The system's zone; `None` where it cannot be told.
    #[must_use]
    pub fn system() -> Option<Self> {
        Self::parse(&iana_time_zone::get_timezone().ok()?).ok()
    }

    /// Whether summer time is in force in it at a moment.
    #[must_use]
    pub fn is_summer(self, at: Instant) -> bool {
        let ahead = |time: DateTime<chrono_tz::Tz>| time.offset().fix().local_minus_utc();
        let local = at.chrono().with_timezone(&self.0);
        let noon = |month| self.0.with_ymd_and_hms(local.year(), month, 1, 12, 0, 0).earliest();
        // The lesser of the year's two offsets is normal time; Ireland calls it the exception, its meters do not.
        [1, 7].into_iter().filter_map(noon).any(|other| ahead(other) < ahead(local))
    }

    /// The version of the IANA data base inside this program.
    #[must_use]
    pub const fn data_base_version() -> &'static str {
        chrono_tz::IANA_TZDB_VERSION
    }

    /// The IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `2025-11-07T14:30:00`, with decimals of the second only where there are any, and no more than needed.
fn civil_text(time: NaiveDateTime) -> String {
    let mut text = time.format("%Y-%m-%dT%H:%M:%S").to_string();
    let micros = time.nanosecond() / 1_000;
    if micros != 0 {
        text.push_str(format!(".{micros:06}").trim_end_matches('0'));
    }
    text
}

fn offset_text(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(y: i32, mo: u8, d: u8, h: u8, mi: u8, s: u8, offset: Offset) -> MeterTime {
        MeterTime { civil: CivilTime::new(y, mo, d, h, mi, s).unwrap(), offset, doubtful: false }
    }

    #[test]
    fn the_flag_picks_the_side_of_the_autumn_hour() {
        let zone = Zone::CENTRAL_EUROPE;
        let at = |offset| meter(2025, 10, 26, 2, 30, 0, offset).resolve(zone);
        let summer = Instant::parse_utc("2025-10-26T00:30:00Z").unwrap();
        let winter = Instant::parse_utc("2025-10-26T01:30:00Z").unwrap();
        assert_eq!(at(Offset::Summer), Resolved::Exact(summer));
        assert_eq!(at(Offset::Winter), Resolved::Exact(winter));
        assert_eq!(at(Offset::Unknown), Resolved::Ambiguous(summer, winter));
    }

    #[test]
    fn a_time_in_the_spring_gap_counts_on_from_before() {
        let skipped = meter(2025, 3, 30, 2, 30, 0, Offset::Unknown).resolve(Zone::CENTRAL_EUROPE);
        assert_eq!(skipped, Resolved::Skipped(Instant::parse_utc("2025-03-30T01:30:00Z").unwrap()));
    }

    #[test]
    fn an_offset_of_the_meter_needs_no_zone() {
        let time = meter(2021, 9, 27, 9, 47, 15, Offset::Minutes(120));
        assert_eq!(time.resolve(Zone::UTC).earliest().to_string(), "2021-09-27T07:47:15Z");
        assert_eq!(time.rfc3339(Zone::UTC), "2021-09-27T09:47:15+02:00");
    }

    #[test]
    fn a_clock_in_a_zone_shows_its_summer_time() {
        let at = Instant::parse_utc("2025-07-11T12:30:00Z").unwrap();
        assert_eq!(at.meter_time(Zone::CENTRAL_EUROPE).rfc3339(Zone::UTC), "2025-07-11T14:30:00+02:00");
        assert_eq!(at.meter_time_at(60).rfc3339(Zone::UTC), "2025-07-11T13:30:00+01:00");
        let civil = at.meter_time_at(0).civil.plus_millis(250);
        assert_eq!((civil.fields(), civil.weekday()), ([2025, 7, 11, 12, 30, 0, 25], 5));
    }

    #[test]
    fn instants_print_what_they_parse() {
        for text in ["2025-11-07T14:30:00Z", "2025-11-07T14:30:00.25Z", "1970-01-01T00:00:00Z"] {
            assert_eq!(Instant::parse_utc(text).unwrap().to_string(), text);
        }
        assert_eq!(Instant::parse_utc("2026-11-21 07:13:13.000000").unwrap().to_string(), "2026-11-21T07:13:13Z");
        for beyond in ["+020525-12-07T14:00:00", "9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00"] {
            assert!(Instant::parse_utc(beyond).is_err(), "{beyond}");
        }
        assert_eq!(Instant::parse_utc("2026-11-21T07:13:13").unwrap().to_string(), "2026-11-21T07:13:13Z");
        assert_eq!(Instant::parse_utc("2026-11-21 07:13:13.25").unwrap().to_string(), "2026-11-21T07:13:13.25Z");
        assert_eq!(
            Instant::parse_utc("2026-11-21T07:13:13.1234567Z").unwrap().to_string(),
            "2026-11-21T07:13:13.123456Z"
        );
        assert_eq!(Instant::parse_utc("2026-11-21T08:13:13+01:00").unwrap().to_string(), "2026-11-21T07:13:13Z");
        assert!(Instant::parse_utc("2026-02-30T00:00:00Z").is_err());
        assert!(Instant::parse_utc("").is_err());
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        assert!(CivilTime::new(2025, 2, 29, 0, 0, 0).is_none());
        assert!(CivilTime::new(2025, 13, 1, 0, 0, 0).is_none());
        assert!(CivilTime::new(2025, 1, 1, 24, 0, 1).is_none());
        assert_eq!(CivilTime::new(2024, 2, 29, 24, 0, 0).unwrap().to_string(), "2024-03-01T00:00:00");
        assert!(Instant::start_of_utc_day(2023, 2, 29).is_none());
    }

    #[test]
    fn a_local_clock_shows_the_season_and_leads_back() {
        let zone = Zone::CENTRAL_EUROPE;
        for (utc, civil, offset) in [
            ("2025-10-26T00:30:00Z", "2025-10-26T02:30:00", Offset::Summer),
            ("2025-10-26T01:30:00Z", "2025-10-26T02:30:00", Offset::Winter),
        ] {
            let time = Instant::parse_utc(utc).unwrap().on_clock(zone);
            assert_eq!((time.civil.to_string().as_str(), time.offset), (civil, offset));
            assert_eq!(time.resolve(zone).earliest().to_string(), utc);
        }
    }

    #[test]
    fn a_zone_knows_its_summer() {
        let summer = |text: &str| Zone::CENTRAL_EUROPE.is_summer(Instant::parse_utc(text).unwrap());
        assert_eq!(["2025-10-26T00:59:59Z", "2025-10-26T01:00:00Z"].map(summer), [true, false]);
        assert!(!Zone::UTC.is_summer(Instant::from_unix(1_752_200_000)));
    }

    #[test]
    fn zones_are_iana_names() {
        assert_eq!(Zone::parse("Europe/Zurich").unwrap().name(), "Europe/Zurich");
        assert!(Zone::parse("Mars/Phobos").is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_moment_is_appended_as_it_is_printed(micros in -70_000_000_000_000_000i64..270_000_000_000_000_000, whole: bool) {
            let at = Instant::from_unix_micros(if whole { micros / 1_000_000 * 1_000_000 } else { micros });
            let mut text = Vec::new();
            at.write_to(&mut text);
            proptest::prop_assert_eq!(String::from_utf8(text).unwrap(), at.to_string());
        }
    }
}
