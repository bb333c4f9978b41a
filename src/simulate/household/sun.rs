//! How much light falls on the panels: season, hour and clouds, in integers.

use super::stream;
use crate::simulate::random::{self, within};

/// The place: 47° north, 8° east; sine and cosine of the latitude in 0.0001.
const SIN_LATITUDE: i64 = 7_314;
const COS_LATITUDE: i64 = 6_820;
/// Seconds from midnight UTC to the noon of 8° east.
const NOON: i64 = 43_200 - 8 * 240;

/// The light at the start of a minute, in thousandths of a clear noon in June.
pub(super) fn light(seed: u64, minute: i64) -> i64 {
    let height = height(minute * 60);
    if height <= 0 {
        return 0;
    }
    // Low sun has more air to go through: 70 % of it arrives at 15 degrees, all of it above 45.
    let air = 500 + (height * 500 / 7_000).min(500);
    // The sun stands at 0.92 of the zenith at best.
    height * air / 9_200 * clearness(seed, minute) / 1_000
}

/// The sine of the sun's height in 0.0001.
fn height(second: i64) -> i64 {
    let days = second.div_euclid(86_400);
    // Days since the winter solstice of 1999, by years of 365.25 days.
    let quarter_days = ((days - 10_957 + 10) * 4).rem_euclid(1_461);
    // The declination follows a cosine of 23.44 degrees.
    let declination = -2_344 * sine(quarter_days * 36_000 / 1_461 + 9_000) / 10_000;
    let hour = (second.rem_euclid(86_400) - NOON) * 36_000 / 86_400;
    let up = SIN_LATITUDE * sine(declination) / 10_000;
    up + COS_LATITUDE * sine(declination + 9_000) / 10_000 * sine(hour + 9_000) / 10_000
}

/// The sine of an angle in hundredths of a degree, in 0.0001; Bhaskara's formula, at most 0.0017 off.
fn sine(angle: i64) -> i64 {
    let angle = angle.rem_euclid(36_000);
    let (half, sign) = if angle < 18_000 { (angle, 1) } else { (angle - 18_000, -1) };
    let product = half * (18_000 - half);
    sign * 40_000 * product / (405_000_000 - product)
}

/// What the clouds let through, in thousandths.
fn clearness(seed: u64, minute: i64) -> i64 {
    let day = minute.div_euclid(1_440);
    let value = |every: i64, low: i64, high: i64| {
        let knot = minute.div_euclid(every);
        let drawn = |knot| within(random::at(seed, stream::CLOUDS, knot * 64 + every), low, high);
        let (from, to) = (drawn(knot), drawn(knot + 1));
        from + (to - from) * minute.rem_euclid(every) / every
    };
    match within(random::at(seed, stream::WEATHER, day), 0, 99) {
        0..=29 => value(30, 950, 1_000),
        30..=74 => (value(15, 350, 1_050) + value(2, -250, 250)).clamp(120, 1_050),
        _ => value(20, 60, 320),
    }
}

/// The mean temperature of a day in 0.1 °C: near freezing in January, 20 °C in July.
pub(super) fn temperature(seed: u64, day: i64) -> i64 {
    let since_new_year = ((day - 10_957) * 4).rem_euclid(1_461);
    let season = sine((since_new_year - 80) * 36_000 / 1_461 + 9_000);
    100 - 95 * season / 10_000 + within(random::at(seed, stream::WEATHER, day) << 8, -40, 40)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Instant;

    #[test]
    fn the_sine_is_one() {
        for (angle, expected) in [(0, 0), (3_000, 5_000), (9_000, 10_000), (27_000, -10_000), (-9_000, -10_000)] {
            assert!((sine(angle) - expected).abs() <= 17, "{angle}: {}", sine(angle));
        }
    }

    #[test]
    fn the_sun_rises_and_sets_as_in_zurich() {
        let up = |text: &str| height(Instant::parse_utc(text).unwrap().unix_seconds()) > 0;
        // Sunrise 4:29 and sunset 20:26 at the summer solstice, 8:10 and 16:38 at the winter solstice (local time, rounded).
        assert_eq!(["2025-06-21T03:15:00Z", "2025-06-21T04:00:00Z"].map(up), [false, true]);
        assert_eq!(["2025-12-21T07:00:00Z", "2025-12-21T08:00:00Z"].map(up), [false, true]);
        assert_eq!(["2025-12-21T15:00:00Z", "2025-12-21T16:00:00Z"].map(up), [true, false]);
        let noon = |text: &str| height(Instant::parse_utc(text).unwrap().unix_seconds());
        assert!((9_050..9_250).contains(&noon("2025-06-21T11:28:00Z")), "66.4 degrees");
        assert!((3_200..3_450).contains(&noon("2025-12-21T11:28:00Z")), "19.6 degrees");
    }

    #[test]
    fn winter_is_colder_than_summer() {
        let mean = |text: &str| {
            let day = Instant::parse_utc(text).unwrap().unix_seconds() / 86_400;
            (0..30).map(|n| temperature(1, day + n)).sum::<i64>() / 30
        };
        assert!(mean("2025-01-06T00:00:00Z") < 30 && mean("2025-07-06T00:00:00Z") > 170);
    }
}
