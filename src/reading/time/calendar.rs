//! Local hours, days, weeks, months and years.

use super::{CivilTime, Instant, MeterTime, Zone};
use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime, Timelike, Weekday};
use std::ops::Range;

/// A period of the calendar, on the clocks of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Calendar {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight; 23 or 25 hours where the clock changes.
    Day,
    /// An ISO week, from Monday on.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

impl Calendar {
    /// Where the periods begin that `span` reaches into, and at the end of the list where the last one is over: each period
    /// is between two neighbours. Empty where the span is.
    ///
    /// Every midnight is the beginning of an hour, so hours make up days, and days everything longer.
    #[must_use]
    pub fn bounds(self, zone: Zone, span: &Range<Instant>) -> Vec<Instant> {
        if span.is_empty() {
            return Vec::new();
        }
        let mut bounds = Vec::new();
        let mut day = self.first_day(local_date(span.start, zone));
        loop {
            let start = midnight(day, zone);
            // A zone that skips a whole day has two midnights at one moment.
            if bounds.last().is_none_or(|last| *last < start) {
                if let (Self::Hour, Some(&last)) = (self, bounds.last()) {
                    hours(zone, last, start, &mut bounds);
                }
                bounds.push(start);
            }
            if start >= span.end {
                break;
            }
            match self.next(day) {
                Some(next) => day = next,
                None => break,
            }
        }
        // What lies before and behind the span: whole hours of the first and the last day.
        let before = bounds.partition_point(|&bound| bound <= span.start).saturating_sub(1);
        let behind = bounds.partition_point(|&bound| bound < span.end);
        bounds.truncate(behind + 1);
        bounds.drain(..before);
        bounds
    }

    /// How the period that begins at `start` is called: `2025-10-26 02:00+02:00`, `2025-10-26`, `2025-W43`, `2025-10`, `2025`.
    #[must_use]
    pub fn name(self, start: Instant, zone: Zone) -> String {
        let date = local_date(start, zone);
        match self {
            Self::Hour => {
                let local = start.in_zone(zone);
                let (clock, offset) = (local.get(11..16).unwrap_or_default(), local.get(19..).unwrap_or_default());
                format!("{} {clock}{offset}", date.format("%Y-%m-%d"))
            }
            Self::Day => date.format("%Y-%m-%d").to_string(),
            Self::Week => date.format("%G-W%V").to_string(),
            Self::Month => date.format("%Y-%m").to_string(),
            Self::Year => date.format("%Y").to_string(),
        }
    }

    fn first_day(self, date: NaiveDate) -> NaiveDate {
        match self {
            Self::Hour | Self::Day => Some(date),
            Self::Week => date.week(Weekday::Mon).checked_first_day(),
            Self::Month => date.with_day(1),
            Self::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1),
        }
        .unwrap_or(date)
    }

    fn next(self, first: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Hour | Self::Day => first.succ_opt(),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
            Self::Year => first.checked_add_months(Months::new(12)),
        }
    }
}

fn local_date(at: Instant, zone: Zone) -> NaiveDate {
    at.chrono().with_timezone(&zone.0).date_naive()
}

/// The start of a local day, or the first moment after it where the clock skips midnight.
fn midnight(day: NaiveDate, zone: Zone) -> Instant {
    MeterTime::local(CivilTime(day.and_time(NaiveTime::MIN))).resolve(zone).earliest()
}

/// The full hours between two midnights. Where a clock is put by half an hour, the hour around it has thirty minutes or two
/// beginnings.
fn hours(zone: Zone, from: Instant, until: Instant, out: &mut Vec<Instant>) {
    let mut at = from;
    loop {
        let local = at.chrono().with_timezone(&zone.0);
        at = at.plus_seconds(3600 - i64::from(local.minute() * 60 + local.second()));
        if at >= until {
            return;
        }
        out.push(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn span(since: &str, until: &str) -> Range<Instant> {
        Instant::parse_utc(since).unwrap()..Instant::parse_utc(until).unwrap()
    }

    fn lengths(calendar: Calendar, place: &str, since: &str, until: &str) -> Vec<i64> {
        let bounds = calendar.bounds(zone(place), &span(since, until));
        bounds.windows(2).map(|pair| (pair[1].unix_seconds() - pair[0].unix_seconds()) / 60).collect()
    }

    #[test]
    fn days_are_as_long_as_they_are() {
        let brussels = |since, until| lengths(Calendar::Day, "Europe/Brussels", since, until);
        assert_eq!(brussels("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z"), [1440, 1380, 1440]);
        assert_eq!(brussels("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"), [1500]);
        // Clocks that skip or repeat midnight, and a day that never was.
        assert_eq!(
            lengths(Calendar::Day, "America/Santiago", "2025-09-06T12:00:00Z", "2025-09-08T12:00:00Z"),
            [1440, 1380, 1440]
        );
        assert_eq!(
            lengths(Calendar::Day, "America/Havana", "2025-11-01T12:00:00Z", "2025-11-03T12:00:00Z"),
            [1440, 1500, 1440]
        );
        assert_eq!(
            lengths(Calendar::Day, "Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-31T12:00:00Z"),
            [1440, 1440, 1440]
        );
    }

    #[test]
    fn hours_are_those_of_the_clock() {
        let hours = |place, since, until| lengths(Calendar::Hour, place, since, until);
        let day = hours("Europe/Brussels", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        assert_eq!((day.len(), day.iter().all(|&length| length == 60)), (25, true));
        assert_eq!(hours("Europe/Brussels", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z").len(), 23);
        assert_eq!(hours("Asia/Kolkata", "2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z"), [60; 3]);
        // Half an hour forward: 01:00 to 02:00, 02:30 to 03:00, 03:00 to 04:00.
        assert_eq!(hours("Australia/Lord_Howe", "2025-10-04T14:30:00Z", "2025-10-04T17:00:00Z"), [60, 30, 60]);
    }

    #[test]
    fn periods_have_names() {
        let at = Instant::parse_utc("2024-12-31T23:30:00Z").unwrap();
        let name = |calendar: Calendar| calendar.name(at, zone("Europe/Brussels"));
        assert_eq!(name(Calendar::Hour), "2025-01-01 00:30+01:00");
        assert_eq!(name(Calendar::Day), "2025-01-01");
        assert_eq!(name(Calendar::Week), "2025-W01");
        assert_eq!(name(Calendar::Month), "2025-01");
        assert_eq!(name(Calendar::Year), "2025");
    }

    proptest::proptest! {
        #[test]
        fn shorter_periods_make_up_longer_ones(
            start in 0i64..4_000_000_000, hours in 1i64..2000,
            place in proptest::sample::select(vec!["Europe/Brussels", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
        ) {
            let span = Instant::from_unix(start)..Instant::from_unix(start + hours * 3600);
            let bounds = |calendar: Calendar| calendar.bounds(zone(place), &span);
            let all = [Calendar::Hour, Calendar::Day, Calendar::Month, Calendar::Year].map(bounds);
            for bounds in &all {
                proptest::prop_assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]));
                proptest::prop_assert!(bounds[0] <= span.start && bounds[1] > span.start);
                proptest::prop_assert!(bounds[bounds.len() - 1] >= span.end && bounds[bounds.len() - 2] < span.end);
            }
            for pair in all.windows(2) {
                let inside = pair[1].iter().filter(|&&bound| span.start <= bound && bound <= span.end);
                proptest::prop_assert!(inside.into_iter().all(|bound| pair[0].contains(bound)));
            }
        }
    }
}
