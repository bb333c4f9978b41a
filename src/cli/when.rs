//! Days and moments as people type them.

use super::args::ZoneChoice;
use super::failure::{self, Failure};
use crate::reading::{CivilTime, Instant, MeterTime, Resolved};

/// A UTC day: `2025-11-07`, `today`, `yesterday`.
pub(super) fn utc_day(text: &str, now: Instant) -> Result<(i32, u8, u8), Failure> {
    match text {
        "today" => Ok(now.utc_day()),
        "yesterday" => Ok(now.plus_seconds(-24 * 3600).utc_day()),
        _ => parse_date(text)
            .filter(|&(year, month, day)| Instant::start_of_utc_day(year, month, day).is_some())
            .ok_or_else(|| {
                Failure::new(failure::USAGE, "time.unknown", format!("'{text}' is not a date"))
                    .tip("like 2025-11-07, today or yesterday (UTC days)")
            }),
    }
}

/// A moment: RFC 3339, or a bare date, which begins or (for an end) is over at local midnight.
pub(super) fn moment(text: &str, zone: ZoneChoice, is_end: bool) -> Result<Instant, Failure> {
    let unknown = || {
        Failure::new(failure::USAGE, "time.unknown", format!("'{text}' is not a time"))
            .tip("like 2025-11-07 or 2025-11-07T14:30:00Z")
    };
    if let Some((year, month, day)) = parse_date(text) {
        let midnight = CivilTime::new(year, month, day, 0, 0, 0).ok_or_else(unknown)?;
        let midnight = if is_end { midnight.plus_millis(24 * 3600 * 1000) } else { midnight };
        return Ok(match MeterTime::local(midnight).resolve(zone.zone) {
            Resolved::Ambiguous(_, second) if is_end => second,
            resolved => resolved.earliest(),
        });
    }
    let has_offset = text.len() > 10 && (text.ends_with('Z') || text[10..].contains(['+', '-']));
    if !has_offset {
        return Err(unknown());
    }
    Instant::parse_utc(text).map_err(|_| unknown())
}

/// `YYYY-MM-DD`, digits only; whether there is such a day is not asked here.
fn parse_date(text: &str) -> Option<(i32, u8, u8)> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some() || !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
        return None;
    }
    Some((year.parse().ok()?, month.parse().ok()?, day.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Zone;

    fn at(text: &str) -> Instant {
        Instant::parse_utc(text).unwrap()
    }

    #[test]
    fn days_that_exist() {
        let now = at("2026-03-01T00:30:00Z");
        assert_eq!(utc_day("2024-02-29", now), Ok((2024, 2, 29)));
        assert_eq!(utc_day("today", now), Ok((2026, 3, 1)));
        assert_eq!(utc_day("yesterday", now), Ok((2026, 2, 28)));
        for text in ["2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "hier", "", "2026-01-01-01"] {
            assert_eq!(utc_day(text, now).unwrap_err().exit, failure::USAGE, "{text}");
        }
    }

    #[test]
    fn a_bare_date_is_local_and_an_end_includes_its_day() {
        let zone = ZoneChoice { zone: Zone::parse("Europe/Brussels").unwrap(), chosen: true };
        assert_eq!(moment("2025-10-26", zone, false), Ok(at("2025-10-25T22:00:00Z")));
        assert_eq!(moment("2025-10-26", zone, true), Ok(at("2025-10-26T23:00:00Z")));
        assert_eq!(moment("2025-11-07T14:30:00+01:00", zone, false), Ok(at("2025-11-07T13:30:00Z")));
        assert!(moment("2025-11-07T14:30:00", zone, false).is_err());
        assert!(moment("é025-11-07", zone, false).is_err());
    }
}
