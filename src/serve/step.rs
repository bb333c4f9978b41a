//! Steps of a history: so many seconds, or days, weeks and months of a zone.

use crate::reading::{CivilTime, Instant, MeterTime, Zone, parse_length};

/// How long the steps of a history are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// As fits the period.
    Auto,
    /// So many seconds, counted from midnight UTC; at most a day.
    Seconds(i64),
    /// Days of the zone: 23, 24 or 25 hours.
    Day,
    /// Weeks of the zone, from Monday.
    Week,
    /// Months of the zone.
    Month,
}

const DAY: i64 = 86_400;
/// The lengths that are chosen from, in seconds.
const NICE: [i64; 16] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600];

impl Pace {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "auto" | "" => Self::Auto,
            "jour" | "1d" => Self::Day,
            "semaine" | "1w" => Self::Week,
            "mois" => Self::Month,
            _ => {
                let length = parse_length(text)?;
                let seconds = i64::try_from(length.as_secs()).ok()?;
                if length.subsec_nanos() != 0 || !(1..=DAY).contains(&seconds) {
                    return None;
                }
                Self::Seconds(seconds)
            }
        })
    }

    /// The shortest that makes no more than so many steps of a period.
    pub(super) fn fitting(seconds: i64, points: i64) -> Self {
        let points = points.max(1);
        let least = seconds.saturating_add(points - 1) / points;
        match NICE.into_iter().find(|&step| step >= least) {
            Some(step) => Self::Seconds(step),
            None if least <= DAY => Self::Day,
            None if least <= 7 * DAY => Self::Week,
            None => Self::Month,
        }
    }

    /// The name in the contract.
    pub(super) fn name(self) -> String {
        match self {
            Self::Auto => "auto".to_owned(),
            Self::Day => "jour".to_owned(),
            Self::Week => "semaine".to_owned(),
            Self::Month => "mois".to_owned(),
            Self::Seconds(seconds) if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
            Self::Seconds(seconds) if seconds % 60 == 0 => format!("{}m", seconds / 60),
            Self::Seconds(seconds) => format!("{seconds}s"),
        }
    }

    /// Start and end of the step that a moment is in, in microseconds.
    pub(super) fn around(self, micros: i64, zone: Zone) -> (i64, i64) {
        let civil = || {
            let [year, month, day, ..] = Instant::from_unix_micros(micros).meter_time(zone).civil.fields();
            (i32::from(year), small(month), small(day))
        };
        let found = match self {
            Self::Auto => None,
            Self::Seconds(seconds) => {
                let length = seconds.saturating_mul(1_000_000);
                let start = micros.div_euclid(length).saturating_mul(length);
                Some((start, start.saturating_add(length)))
            }
            Self::Day => midnight(civil(), zone).and_then(|start| Some((start, after(start, 1, zone)?))),
            Self::Week => midnight(civil(), zone).and_then(|today| {
                // Noon, so that no change of the clock leads to another day.
                let weekday =
                    Instant::from_unix_micros(today.checked_add(DAY / 2 * 1_000_000)?).meter_time(zone).civil.weekday();
                let start = after(today, 1 - i64::from(weekday), zone)?;
                Some((start, after(start, 7, zone)?))
            }),
            Self::Month => {
                let (year, month, _) = civil();
                let next = if month == 12 { (year + 1, 1, 1) } else { (year, month + 1, 1) };
                midnight((year, month, 1), zone).zip(midnight(next, zone))
            }
        };
        let length = DAY * 1_000_000;
        found.unwrap_or_else(|| {
            let start = micros.div_euclid(length).saturating_mul(length);
            (start, start.saturating_add(length))
        })
    }
}

fn small(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(1)
}

/// The start of a local day.
fn midnight((year, month, day): (i32, u8, u8), zone: Zone) -> Option<i64> {
    let civil = CivilTime::new(year, month, day, 0, 0, 0)?;
    Some(MeterTime::local(civil).resolve(zone).earliest().unix_micros())
}

/// The start of the local day so many days after the one that starts at `start`.
fn after(start: i64, days: i64, zone: Zone) -> Option<i64> {
    let noon = start.checked_add((days * DAY + DAY / 2) * 1_000_000)?;
    let [year, month, day, ..] = Instant::from_unix_micros(noon).meter_time(zone).civil.fields();
    midnight((i32::from(year), small(month), small(day)), zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_weeks_and_months_are_those_of_the_zone() {
        let zone = Zone::parse("Europe/Zurich").unwrap();
        let around = |pace: Pace, at: &str| {
            let (start, end) = pace.around(Instant::parse_utc(at).unwrap().unix_micros(), zone);
            [start, end].map(|at| Instant::from_unix_micros(at).to_string())
        };
        // The day on which the clock is put back has 25 hours.
        assert_eq!(around(Pace::Day, "2025-10-26T12:00:00Z"), ["2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z"]);
        assert_eq!(around(Pace::Day, "2025-10-26T22:59:59Z"), ["2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z"]);
        assert_eq!(around(Pace::Week, "2025-10-26T12:00:00Z"), ["2025-10-19T22:00:00Z", "2025-10-26T23:00:00Z"]);
        assert_eq!(around(Pace::Month, "2025-12-31T23:30:00Z"), ["2025-12-31T23:00:00Z", "2026-01-31T23:00:00Z"]);
        assert_eq!(
            around(Pace::Seconds(900), "2025-10-26T12:20:00Z"),
            ["2025-10-26T12:15:00Z", "2025-10-26T12:30:00Z"]
        );
    }

    #[test]
    fn a_period_gets_a_step_that_fits() {
        assert_eq!(Pace::fitting(86_400, 600), Pace::Seconds(300));
        assert_eq!(Pace::fitting(60, 600), Pace::Seconds(1));
        assert_eq!(Pace::fitting(365 * DAY, 600), Pace::Day);
        assert_eq!(Pace::fitting(3650 * DAY, 4000), Pace::Day);
        assert_eq!(Pace::fitting(3650 * DAY, 600), Pace::Week);
        for text in ["15m", "1h", "jour", "24h", "1s"] {
            assert!(Pace::parse(text).is_some(), "{text}");
        }
        for text in ["0s", "500ms", "2d", "-1h", "x", "25h"] {
            assert_eq!(Pace::parse(text), None, "{text}");
        }
    }
}
