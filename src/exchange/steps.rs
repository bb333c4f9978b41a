//! Readings brought to even steps of time: quarters of an hour, hours, days.
//!
//! A quantity of the moment becomes its mean over the step, each value weighing as long as it stood; a counter becomes its
//! value at the step's start. A value stands until the next one, for one step at most: what was not read is left out and
//! never filled in. Means are rounded to the digits the values have.

use crate::document::{Extra, Values};
use crate::reading::{
    CivilTime, Code, Column, Decimal, Instant, Kind, MeterTime, Quality, Resolved, Unit, Zone, kind_of,
};
use smol_str::SmolStr;

/// How long a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many seconds, counted from midnight UTC.
    Seconds(i64),
    /// A day of a zone; it may have 23 or 25 hours.
    Day(Zone),
}

impl Step {
    /// Start and end of the step that a moment is in, in microseconds since 1970.
    fn around(self, at: Instant) -> (i64, i64) {
        let micros = at.unix_micros();
        match self {
            Self::Seconds(seconds) => {
                let length = seconds.max(1).saturating_mul(1_000_000);
                let start = micros.div_euclid(length).saturating_mul(length);
                (start, start.saturating_add(length))
            }
            Self::Day(zone) => {
                let midnight = |at: Instant| {
                    let local = at.in_zone(zone);
                    let number = |from: usize, to: usize| local.get(from..to)?.parse::<u16>().ok();
                    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
                    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
                    let civil = CivilTime::new(i32::from(year), month, day, 0, 0, 0)?;
                    match MeterTime::local(civil).resolve(zone) {
                        Resolved::Exact(at) | Resolved::Ambiguous(at, _) | Resolved::Skipped(at) => Some(at),
                    }
                };
                let day = 86_400_000_000;
                let start = midnight(at).map_or(micros, Instant::unix_micros);
                // Noon of the next day is in it, however long this one is.
                let next = midnight(Instant::from_unix_micros(start.saturating_add(day + day / 2)));
                (start, next.map_or(start.saturating_add(day), Instant::unix_micros))
            }
        }
    }
}

/// A step that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// Its start.
    pub at: Instant,
    /// What it comes to.
    pub values: Values,
    /// The worst quality in it.
    pub quality: Quality,
    /// Where its first reading came from.
    pub source: SmolStr,
}

/// Collects readings in order of time into steps.
#[derive(Debug)]
pub struct Steps {
    step: Step,
    open: Option<Open>,
    tracks: Vec<Track>,
}

#[derive(Debug)]
struct Open {
    start: i64,
    end: i64,
    quality: Quality,
    source: SmolStr,
}

#[derive(Debug, PartialEq, Eq)]
enum Name {
    Column(Column),
    Extra(SmolStr, Option<Unit>),
}

/// One quantity.
#[derive(Debug)]
struct Track {
    name: Name,
    is_mean: bool,
    last: Option<(i64, Decimal)>,
    start: Option<Decimal>,
    mean: Mean,
}

/// Values times the microseconds they stood, at one exponent.
#[derive(Debug, Default)]
struct Mean {
    sum: i128,
    exponent: i8,
    weight: i64,
}

impl Mean {
    fn add(&mut self, value: Decimal, micros: i64) {
        if micros <= 0 {
            return;
        }
        if self.weight == 0 {
            self.exponent = value.exponent();
        }
        // As nearly always: then nothing has to be brought to one scale, and a product of two 64-bit numbers fits.
        if self.exponent == value.exponent() {
            let added = i128::from(value.mantissa()) * i128::from(micros);
            if let Some(sum) = self.sum.checked_add(added) {
                (self.sum, self.weight) = (sum, self.weight.saturating_add(micros));
            }
            return;
        }
        let finest = self.exponent.min(value.exponent());
        let scale = |exponent: i8| 10i128.checked_pow(u32::from(exponent.abs_diff(finest)));
        let Some((own, other)) = scale(self.exponent).zip(scale(value.exponent())) else { return };
        let added = i128::from(value.mantissa()).checked_mul(other).and_then(|m| m.checked_mul(i128::from(micros)));
        let sum = self.sum.checked_mul(own).zip(added).and_then(|(sum, added)| sum.checked_add(added));
        if let Some(sum) = sum {
            (self.sum, self.exponent, self.weight) = (sum, finest, self.weight.saturating_add(micros));
        }
    }

    /// Rounded half away from zero.
    fn value(&self) -> Option<Decimal> {
        let weight = i128::from(self.weight);
        let twice = self.sum.checked_mul(2)?;
        let rounded = twice.checked_add(weight * twice.signum())?.checked_div(weight * 2)?;
        Some(Decimal::new(i64::try_from(rounded).ok()?, self.exponent))
    }
}

impl Steps {
    /// For steps of a length.
    #[must_use]
    pub const fn new(step: Step) -> Self {
        Self { step, open: None, tracks: Vec::new() }
    }

    /// Takes the next reading; gives the step that it ends, if it does.
    pub fn push(&mut self, at: Instant, values: &Values, quality: Quality, source: &str) -> Option<Stepped> {
        let micros = at.unix_micros();
        let done = if self.open.as_ref().is_some_and(|open| micros >= open.end) { self.finish() } else { None };
        let open = self.open.get_or_insert_with(|| {
            let (start, end) = self.step.around(at);
            Open { start, end, quality, source: source.into() }
        });
        open.quality = open.quality.min(quality);
        let (start, length) = (open.start, open.end - open.start);
        let mut place = 0;
        for &(column, value) in &values.columns {
            let is_mean = !matches!(column, Column::EnergyImport | Column::EnergyExport);
            let is_it = |name: &Name| *name == Name::Column(column);
            self.track(&mut place, is_it, || (Name::Column(column), is_mean)).push(micros, value, start, length);
        }
        for extra in &values.extras {
            let is_it =
                |name: &Name| matches!(name, Name::Extra(key, unit) if *key == extra.key && *unit == extra.unit);
            let is_mean = || {
                let code = extra.key.split_once('#').map_or(extra.key.as_str(), |(code, _)| code);
                matches!(kind_of(&Code::parse(code.as_bytes())), Some(Kind::Instant | Kind::Average))
            };
            let track = self.track(&mut place, is_it, || (Name::Extra(extra.key.clone(), extra.unit), is_mean()));
            track.push(micros, extra.value, start, length);
        }
        done
    }

    /// The step that is open, ended.
    pub fn finish(&mut self) -> Option<Stepped> {
        let open = self.open.take()?;
        let mut values = Values::default();
        for track in &mut self.tracks {
            let Some(value) = track.close(open.end) else { continue };
            match &track.name {
                Name::Column(column) => values.columns.push((*column, value)),
                Name::Extra(key, unit) => values.extras.push(Extra { key: key.clone(), value, unit: *unit }),
            }
        }
        values.columns.sort_by_key(|&(column, _)| column);
        values.extras.sort_by(|a, b| a.key.cmp(&b.key));
        Some(Stepped { at: Instant::from_unix_micros(open.start), values, quality: open.quality, source: open.source })
    }

    /// The track of a name, made where there is none; what kind of quantity it is is only found out then. It probably is at
    /// `place`, as in the reading before, and the next behind it.
    fn track(
        &mut self,
        place: &mut usize,
        is_it: impl Fn(&Name) -> bool,
        make: impl FnOnce() -> (Name, bool),
    ) -> &mut Track {
        if self.tracks.get(*place).is_none_or(|track| !is_it(&track.name)) {
            *place = self.tracks.iter().position(|track| is_it(&track.name)).unwrap_or_else(|| {
                let (name, is_mean) = make();
                self.tracks.push(Track { name, is_mean, last: None, start: None, mean: Mean::default() });
                self.tracks.len() - 1
            });
        }
        *place += 1;
        &mut self.tracks[*place - 1]
    }
}

impl Track {
    fn push(&mut self, at: i64, value: Decimal, start: i64, length: i64) {
        let before = self.last.filter(|&(then, _)| at - then <= length);
        if self.start.is_none() {
            // The first of the step. What stood before it stands until it; else it stands for the time before it too.
            let standing = before.map_or(value, |(_, last)| last);
            self.stood(standing, at - start);
            self.start = Some(if at == start { value } else { standing });
        } else if let Some((then, last)) = self.last {
            self.stood(last, at - then);
        }
        self.last = Some((at, value));
    }

    /// A value stood so long.
    fn stood(&mut self, value: Decimal, micros: i64) {
        if self.is_mean {
            self.mean.add(value, micros);
        }
    }

    fn close(&mut self, end: i64) -> Option<Decimal> {
        let start = self.start.take()?;
        if let Some((then, last)) = self.last {
            self.stood(last, end - then);
        }
        let mean = std::mem::take(&mut self.mean);
        if self.is_mean { mean.value() } else { Some(start) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(step: Step, values: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut steps = Steps::new(step);
        let mut done = Vec::new();
        for (at, value) in values {
            let value: Decimal = value.parse().unwrap();
            let columns = vec![(Column::EnergyImport, value), (Column::VoltageL1, value)];
            let values = Values { columns, ..Values::default() };
            done.extend(steps.push(Instant::parse_utc(at).unwrap(), &values, Quality::Good, "p1"));
        }
        done.extend(steps.finish());
        let text = |stepped: &Stepped| {
            let numbers: Vec<String> = stepped.values.numbers().map(|(_, value)| value.to_string()).collect();
            (stepped.at.to_string(), numbers.join(" "))
        };
        done.iter().map(text).collect()
    }

    fn pair(at: &str, text: &str) -> (String, String) {
        (at.to_owned(), text.to_owned())
    }

    #[test]
    fn a_mean_weighs_each_value_as_long_as_it_stood_and_a_counter_is_that_of_the_start() {
        let found = steps(
            Step::Seconds(900),
            &[
                ("2025-11-07T00:00:00Z", "100.0"),
                ("2025-11-07T00:10:00Z", "130.0"),
                ("2025-11-07T00:18:00Z", "160.0"),
                ("2025-11-07T01:10:00Z", "10.0"),
            ],
        );
        assert_eq!(
            found,
            [
                pair("2025-11-07T00:00:00Z", "100.0 110.0"),
                // 130 stood for three minutes of it, 160 for twelve.
                pair("2025-11-07T00:15:00Z", "130.0 154.0"),
                // Nothing was read for fifty minutes: those steps are left out, and what stood then does not count.
                pair("2025-11-07T01:00:00Z", "10.0 10.0"),
            ]
        );
    }

    #[test]
    fn means_are_rounded_to_the_digits_of_the_values() {
        let found = steps(
            Step::Seconds(3600),
            &[("2025-11-07T00:00:00Z", "1"), ("2025-11-07T00:20:00Z", "2.0"), ("2025-11-07T00:40:00Z", "2")],
        );
        assert_eq!(found, [pair("2025-11-07T00:00:00Z", "1 1.7")]);
    }

    #[test]
    fn the_day_of_the_clock_change_has_its_own_length() {
        let zone = Zone::parse("Europe/Brussels").unwrap();
        let found = steps(
            Step::Day(zone),
            &[
                ("2025-10-25T22:00:00Z", "1.0"),
                ("2025-10-26T10:30:00Z", "3.0"),
                ("2025-10-26T22:59:00Z", "3.0"),
                ("2025-10-26T23:00:00Z", "5.0"),
            ],
        );
        assert_eq!(found[0], pair("2025-10-25T22:00:00Z", "1.0 2.0"));
        assert_eq!(found[1].0, "2025-10-26T23:00:00Z");
    }
}
