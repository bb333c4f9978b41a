//! What one sheet comes to by itself: the work that threads share.

use super::clock::{Clock, is_hole};
use super::energy::Piece;
use super::grid::{Grid, QUARTER};
use super::tally::Tally;
use super::tracks::{Track, Tracks, Values, combine};
use crate::reading::{Decimal, Quality};
use crate::store::{Sheet, Times};

/// What is needed to look at a sheet.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) grid: Grid,
    pub(super) tracks: Tracks,
    /// The mean interval of the meter's readings.
    pub(super) mean: i64,
    /// The power of ten of the power.
    pub(super) power_exponent: i8,
    /// Whether percentiles of the power are wanted.
    pub(super) counted: bool,
    /// Whether quarters of the power stand in for those of the counter.
    pub(super) quarters: bool,
}

/// A sheet, summed up.
#[derive(Debug)]
pub(super) struct Part {
    /// First and last reading.
    pub(super) between: (i64, i64),
    /// The usual interval at the last one.
    pub(super) interval: i64,
    /// Stretches of which nothing is known.
    pub(super) holes: Vec<(i64, i64)>,
    /// By row, how many readings, and how many of them are doubtful.
    pub(super) readings: Vec<(usize, u64, u64)>,
    /// In the order of import, export and tariffs.
    pub(super) counters: Vec<Option<Piece>>,
    /// In the order of [`Setting::quantities`].
    pub(super) quantities: Vec<Option<Course>>,
}

/// A quantity over one sheet.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) rows: Vec<(usize, Tally)>,
    pub(super) first: i64,
    /// The last value: how long it stands shows only when the next one comes.
    pub(super) last: (i64, i64),
    pub(super) interval: i64,
}

/// What is asked of a quantity.
#[derive(Debug, Clone, Copy, Default)]
struct Extras {
    counted: bool,
    quarters: bool,
    /// Between which values the mean over ten minutes should be.
    band: Option<(i64, i64)>,
}

/// Ten minutes, in microseconds.
const TEN_MINUTES: i64 = 600_000_000;
/// Readings that a quarter has to have for a mean.
const ENOUGH: i64 = 3;

impl Setting {
    /// Voltages, currents, frequency and power factor, in this order behind the power.
    pub(super) fn quantities(&self) -> impl Iterator<Item = Option<&Track>> {
        let Tracks { voltages, currents, frequency, factor, .. } = &self.tracks;
        voltages.iter().chain(currents).map(Option::as_ref).chain([frequency.as_ref(), factor.as_ref()])
    }

    pub(super) fn counters(&self) -> impl Iterator<Item = &Track> {
        let Tracks { import, export, tariffs, .. } = &self.tracks;
        import.iter().chain(export).chain(tariffs)
    }

    /// Sums up a sheet.
    pub(super) fn part(&self, mut sheet: Sheet) -> Option<Part> {
        let last = sheet.times.len().checked_sub(1)?;
        let between = (sheet.times.get(0)?, sheet.times.get(last)?);
        let clock = Clock::of(&sheet.times, self.mean);
        let interval = clock.interval(last);
        let holes = clock
            .holes
            .iter()
            .filter_map(|&index| Some((sheet.times.get(index)? + clock.interval(index), sheet.times.get(index + 1)?)));
        let holes = holes.collect();
        let readings = self.readings(&sheet);
        let own = |sheet: &Sheet, rows: &Option<Vec<usize>>| match rows {
            None => (sheet.times.clone(), clock.clone()),
            Some(rows) => {
                let times = sheet.times.only(rows);
                let clock = Clock::of(&times, self.mean);
                (times, clock)
            }
        };
        let mut counters = Vec::new();
        for track in self.counters() {
            let piece = track.values(&mut sheet).map(|((rows, values), is_steady)| {
                let (times, clock) = own(&sheet, &rows);
                Piece::new(times, values, clock, is_steady, &self.grid)
            });
            counters.push(piece);
        }
        let mut quantities = Vec::new();
        let power = self.tracks.power.iter().find_map(|formula| combine(formula, self.power_exponent, &mut sheet));
        let extras = Extras { counted: self.counted, quarters: self.quarters, band: None };
        let course = |sheet: &Sheet, values: Values, extras: Extras| {
            let (rows, values) = trusted(sheet, values);
            let (times, clock) = own(sheet, &rows);
            self.course(&times, &values, &clock, extras)
        };
        quantities.push(power.and_then(|values| course(&sheet, values, extras)));
        for (index, track) in self.quantities().enumerate() {
            let values = track.and_then(|track| Some((track.values(&mut sheet)?.0, track.exponent)));
            let found = values.and_then(|(values, exponent)| {
                let band = if index < 3 { band(exponent) } else { None };
                course(&sheet, values, Extras { band, ..Extras::default() })
            });
            quantities.push(found);
        }
        Some(Part { between, interval, holes, readings, counters, quantities })
    }

    fn readings(&self, sheet: &Sheet) -> Vec<(usize, u64, u64)> {
        let mut found = Vec::new();
        let (Some(first), Some(last)) = (sheet.times.get(0), sheet.times.get(sheet.times.len() - 1)) else {
            return found;
        };
        let mut from = 0;
        for row in self.grid.rows_in(first, last.saturating_add(1)) {
            let Some(bounds) = self.grid.rows.get(row) else { break };
            from = sheet.times.position(bounds.start, from);
            let until = sheet.times.position(bounds.end, from);
            let doubtful = match sheet.qualities.as_slice() {
                [Quality::Good] => 0,
                [_] => until - from,
                all => {
                    all.get(from..until).unwrap_or_default().iter().filter(|&&quality| quality < Quality::Good).count()
                }
            };
            found.push((row, (until - from) as u64, doubtful as u64));
            from = until;
        }
        found
    }

    fn course(&self, times: &Times, values: &[i64], clock: &Clock, extras: Extras) -> Option<Course> {
        let last = values.len().checked_sub(1)?;
        let (first_at, last_at) = (times.get(0)?, times.get(last)?);
        let mut rows: Vec<(usize, Tally)> = Vec::new();
        // What is laid over a row's end before the row itself is looked at.
        let mut carried: Vec<(usize, Tally)> = Vec::new();
        let mut holes = clock.holes.iter().copied().peekable();
        let lay = |value: i64, from: i64, until: i64, carried: &mut Vec<(usize, Tally)>| {
            for row in self.grid.rows_in(from, until) {
                let Some(bounds) = self.grid.rows.get(row) else { break };
                let mut tally = Tally::default();
                tally.lay(value, bounds.end.min(until) - bounds.start.max(from));
                carried.push((row, tally));
            }
        };
        let touched = self.grid.rows_in(first_at, last_at.saturating_add(1));
        let mut from = 0;
        if let Some(before) = self.grid.rows.get(touched.start) {
            from = times.position(before.start, 0);
            if let Some(index) = from.checked_sub(1).filter(|&index| index < last) {
                let (at, next) = (times.get(index)?, times.get(index + 1)?);
                lay(*values.get(index)?, at, at + clock.stands(index, next - at), &mut carried);
            }
        }
        for row in touched {
            let bounds = self.grid.rows.get(row)?;
            let until = times.position(bounds.end, from);
            if from == until {
                continue;
            }
            let slice = values.get(from..until)?;
            let mut tally = Tally::of(slice, |index| times.get(from + index).unwrap_or_default(), extras.counted)?;
            let end = until - 1;
            weigh(&mut tally, times, slice, from);
            while holes.next_if(|&index| index < from).is_some() {}
            while let Some(index) = holes.next_if(|&index| index < end) {
                let gap = times.get(index + 1)? - times.get(index)?;
                tally.lay(*values.get(index)?, clock.interval(index) - gap);
            }
            self.windows(&mut tally, times, slice, from, extras);
            rows.push((row, tally));
            if end < last {
                let (at, next) = (times.get(end)?, times.get(until)?);
                lay(*values.get(end)?, at, at + clock.stands(end, next - at), &mut carried);
            }
            from = until;
        }
        rows.append(&mut carried);
        Some(Course { rows, first: first_at, last: (last_at, *values.get(last)?), interval: clock.interval(last) })
    }

    /// Means over short windows of the clock, each of the readings in it.
    fn windows(&self, tally: &mut Tally, times: &Times, slice: &[i64], from: usize, extras: Extras) {
        let length = if extras.quarters { QUARTER } else { TEN_MINUTES };
        if !extras.quarters && extras.band.is_none() {
            return;
        }
        let mut index = 0;
        while let Some(at) = times.get(from + index).filter(|_| index < slice.len()) {
            let start = at.div_euclid(length) * length;
            let until = (times.position(start + length, from + index) - from).min(slice.len()).max(index + 1);
            let values = slice.get(index..until).unwrap_or_default();
            let count = i64::try_from(values.len()).unwrap_or(i64::MAX);
            if let Some((low, high)) = extras.band {
                let sum: i128 = values.iter().map(|&value| i128::from(value)).sum();
                let inside = i128::from(low) * i128::from(count) <= sum && sum <= i128::from(high) * i128::from(count);
                tally.windows = (tally.windows.0 + 1, tally.windows.1 + u64::from(inside));
            } else if count >= ENOUGH {
                let drawn: i128 = values.iter().map(|&value| i128::from(value.max(0))).sum();
                tally.offer(Some((drawn, count, start)));
            }
            index = until;
        }
    }
}

/// All but the last value, each as long as until the next.
fn weigh(tally: &mut Tally, times: &Times, slice: &[i64], from: usize) {
    let all_but_last = slice.get(..slice.len() - 1).unwrap_or_default();
    match times {
        Times::Even { step, .. } => {
            let largest =
                tally.ends.map_or(i64::MAX, |((min, _), (max, _))| min.saturating_abs().max(max.saturating_abs()));
            let sum: i128 = if largest < 1 << 38 && slice.len() < 1 << 24 {
                i128::from(all_but_last.iter().sum::<i64>())
            } else {
                all_but_last.iter().map(|&value| i128::from(value)).sum()
            };
            tally.weighted += sum * i128::from(*step);
            tally.weight += i128::from(*step) * all_but_last.len() as i128;
        }
        Times::Listed(times) => {
            let times = times.get(from..from + slice.len()).unwrap_or_default();
            for (value, pair) in all_but_last.iter().zip(times.windows(2)) {
                if let [at, next] = pair {
                    tally.weighted += i128::from(*value) * i128::from(next - at);
                }
            }
            if let (Some(first), Some(last)) = (times.first(), times.last()) {
                tally.weight += i128::from(last - first);
            }
        }
    }
}

/// 230 V ± 10 %, in last digits.
fn band(exponent: i8) -> Option<(i64, i64)> {
    let power = 10i64.checked_pow(u32::try_from(-i16::from(exponent)).ok()?)?;
    Some((207i64.checked_mul(power)?, 253i64.checked_mul(power)?))
}

/// Without what is known to be wrong.
fn trusted(sheet: &Sheet, (rows, values): Values) -> Values {
    if !sheet.qualities.contains(&Quality::Bad) {
        return (rows, values);
    }
    let rows = rows.unwrap_or_else(|| (0..values.len()).collect());
    let pairs = rows.into_iter().zip(values).filter(|(row, _)| sheet.quality(*row) > Quality::Bad);
    let (rows, values) = pairs.unzip();
    (Some(rows), values)
}

/// How long the last value of one course stands when the next course begins.
pub(super) const fn stand(at: i64, interval: i64, next: i64) -> i64 {
    if is_hole(next - at, interval) { interval } else { next - at }
}

/// A rational number, rounded half to even at a power of ten; `exponent` is that of the numerator.
pub(super) fn rounded(numerator: i128, denominator: i128, exponent: i8, digits: i8) -> Option<Decimal> {
    let places = u32::from(exponent.abs_diff(digits));
    let power = 10i128.checked_pow(places)?;
    let (numerator, denominator) = if exponent >= digits {
        (numerator.checked_mul(power)?, denominator)
    } else {
        (numerator, denominator.checked_mul(power)?)
    };
    if denominator <= 0 {
        return None;
    }
    let (whole, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    let up = match (2 * rest).cmp(&denominator) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => whole.rem_euclid(2),
        std::cmp::Ordering::Greater => 1,
    };
    Some(Decimal::new(i64::try_from(whole + up).ok()?, digits))
}
