//! Rows out of what was collected.

use super::collect::Collected;
use super::energy::Energy;
use super::grid::QUARTER;
use super::part::{Setting, rounded};
use super::result::{Cover, Demand, Energies, Row, Spread, Surplus};
use super::tally::Tally;
use crate::reading::{Calendar, Decimal, Instant, Obis};
use crate::store::Break;
use std::ops::Range;

const HOUR: i64 = 3_600_000_000;
/// Hours after midnight in which the base load is looked for.
const NIGHT: i64 = 6;
/// As many of them have to be known.
const KNOWN: usize = 3;
/// A counter with coarser digits than these (kWh) says too little about a quarter of an hour.
pub(super) const FINE: i8 = -2;

/// What rows are made of.
pub(super) struct Finish<'a> {
    setting: &'a Setting,
    collected: &'a Collected,
    now: i64,
    import: Option<Energy>,
    export: Option<Energy>,
    tariffs: Vec<(Obis, &'a Energy)>,
    wants_demand: bool,
    wants_surplus: bool,
}

impl<'a> Finish<'a> {
    pub(super) fn new(setting: &'a Setting, collected: &'a Collected, now: Instant, wants: (bool, bool)) -> Self {
        let tracks = &setting.tracks;
        let (import, rest) = collected.counters.split_at(tracks.import.len().min(collected.counters.len()));
        let (export, tariffs) = rest.split_at(tracks.export.len().min(rest.len()));
        let joined = |all: &[Energy]| {
            let mut sum = all.first()?.copy();
            all.iter().skip(1).for_each(|more| sum.join(more));
            Some(sum)
        };
        Self {
            setting,
            collected,
            now: now.unix_micros(),
            import: joined(import),
            export: joined(export),
            tariffs: tracks.tariffs.iter().map(|track| track.obis).zip(tariffs).collect(),
            wants_demand: wants.0,
            wants_surplus: wants.1,
        }
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        (0..self.setting.grid.rows.len()).filter_map(|row| self.row(row..row + 1)).collect()
    }

    pub(super) fn whole(&self) -> Option<Row> {
        self.row(0..self.setting.grid.rows.len())
    }

    /// A row, or several as one.
    fn row(&self, range: Range<usize>) -> Option<Row> {
        let grid = &self.setting.grid;
        let rows = grid.rows.get(range.clone())?;
        let (start, end) = (rows.first()?.start, rows.last()?.end);
        let single = (range.len() == 1 && grid.rows.len() > 1).then_some(range.start);
        let (readings, doubtful) = self
            .collected
            .readings
            .get(range.clone())?
            .iter()
            .fold((0, 0), |(all, bad), row| (all + row.0, bad + row.1));
        let over = end.min(self.now).max(start);
        let (holes, missing) = self.collected.holes_in(start, over);
        let elapsed = over - start;
        let tally = |quantity: usize| match single {
            Some(row) => self.collected.quantities.get(quantity).and_then(|rows| rows.get(row)),
            None => self.collected.wholes.get(quantity),
        };
        let exponents: Vec<Option<i8>> =
            self.setting.quantities().map(|track| track.map(|track| track.exponent)).collect();
        let spread = |quantity: usize| {
            let exponent = exponents.get(quantity).copied().flatten()?;
            spread(tally(quantity + 1)?, exponent, quantity < 3)
        };
        let three = |from: usize| [spread(from), spread(from + 1), spread(from + 2)];
        let (voltages, currents) = (three(0), three(3));
        let quarters = self.quarters(start, end);
        let energies = |energy: &Option<Energy>| energy.as_ref().and_then(|energy| self.energies(energy, &range));
        let percentiles = match single {
            Some(row) => self.collected.percentiles.get(row).copied().flatten(),
            None => self.collected.whole_percentiles(),
        };
        let watts = self.setting.power_exponent;
        Some(Row {
            period: Instant::from_unix_micros(start)..Instant::from_unix_micros(end),
            is_over: end <= self.now,
            readings,
            doubtful,
            cover: Cover { elapsed, covered: elapsed - missing, holes },
            import: energies(&self.import),
            export: energies(&self.export),
            tariffs: self.tariffs.iter().map(|(obis, energy)| (*obis, self.energies(energy, &range))).collect(),
            breaks: self.breaks(start, end),
            mean_power: self.mean_power(start, end),
            power: tally(0).and_then(|tally| self::spread(tally, watts, false)),
            percentiles: percentiles.map(|all| all.map(|value| Decimal::new(value, watts))),
            demand: quarters
                .as_ref()
                .and_then(|quarters| quarters.demand)
                .or_else(|| tally(0).and_then(|tally| self.power_demand(tally))),
            base_load: self.base_load(start, end),
            load_factor: quarters.as_ref().and_then(|quarters| quarters.load_factor),
            surplus: self.surplus(start, end, quarters.as_ref()),
            voltage_unbalance: unbalance(&voltages),
            current_unbalance: unbalance(&currents),
            voltages,
            currents,
            frequency: spread(6),
            factor: spread(7),
            parts: self.parts(start, end),
        })
    }

    fn energies(&self, energy: &Energy, range: &Range<usize>) -> Option<Energies> {
        let grid = &self.setting.grid;
        let rows = grid.rows.get(range.clone())?;
        let (start, end) = (rows.first()?.start, rows.last()?.end);
        if energy.known_in(start, end) == 0 {
            return None;
        }
        let kwh = |mantissa| Decimal::new(mantissa, energy.exponent);
        let sum = |book: &[i64]| book.get(range.clone()).unwrap_or_default().iter().sum::<i64>();
        // Of all rows together only what was divided at the outer ends is not known.
        let interpolated = if range.len() == 1 { sum(&energy.interpolated) } else { energy.divided_outside };
        Some(Energies {
            energy: kwh(energy.between(grid.mark(start)?, grid.mark(end)?)),
            interpolated: kwh(interpolated),
            in_holes: kwh(sum(&energy.in_holes)),
        })
    }

    fn breaks(&self, start: i64, end: i64) -> u64 {
        let all = self.import.iter().chain(&self.export).flat_map(|energy| &energy.breaks);
        let within = |(at, why): &&(i64, Break)| (start..end).contains(at) && !matches!(why, Break::Rollover { .. });
        all.filter(within).count() as u64
    }

    fn mean_power(&self, start: i64, end: i64) -> Option<Decimal> {
        let grid = &self.setting.grid;
        let known = self.import.iter().chain(&self.export).map(|energy| energy.known_in(start, end)).max()?;
        let of = |energy: &Option<Energy>| match energy {
            Some(energy) => Some((i128::from(energy.between(grid.mark(start)?, grid.mark(end)?)), energy.exponent)),
            None => Some((0, 0)),
        };
        let (import, export) = (of(&self.import)?, of(&self.export)?);
        let exponent = import.1.min(export.1);
        let at = |(amount, own): (i128, i8)| Some(amount * 10i128.checked_pow(u32::from(own.abs_diff(exponent)))?);
        // kWh over microseconds, in W.
        rounded((at(import)? - at(export)?) * i128::from(HOUR), i128::from(known), exponent.checked_add(3)?, 0)
    }

    /// Energies between marks, as far as they lie in a row.
    fn marks(&self, start: i64, end: i64) -> Option<Range<usize>> {
        Some(self.setting.grid.mark(start)?..self.setting.grid.mark(end)?)
    }

    fn quarters(&self, start: i64, end: i64) -> Option<Quarters> {
        if !self.wants_demand {
            return None;
        }
        let grid = &self.setting.grid;
        let range = self.marks(start, end)?;
        let import = self.import.as_ref().filter(|energy| energy.exponent <= FINE);
        let mut found = Quarters::default();
        let (mut count, mut sum, mut highest) = (0i128, 0i128, None::<(i64, i64)>);
        let mut from = range.start;
        while let Some(&at) = grid.marks.get(from).filter(|_| from < range.end) {
            if at.rem_euclid(QUARTER) != 0 {
                from += 1;
                continue;
            }
            // Other marks may lie within where a zone is off by minutes.
            let mut until = from + 1;
            while grid.marks.get(until).is_some_and(|&mark| mark < at + QUARTER) {
                until += 1;
            }
            if grid.marks.get(until) == Some(&(at + QUARTER)) && until <= range.end {
                if let Some(amount) = import.and_then(|energy| energy.sure_between(from, until)) {
                    (count, sum) = (count + 1, sum + i128::from(amount));
                    if highest.is_none_or(|(most, _)| amount > most) {
                        highest = Some((amount, at));
                    }
                }
                if let Some(amount) = self.export.as_ref().and_then(|energy| energy.sure_between(from, until)) {
                    found.exports = (found.exports.0 + 1, found.exports.1 + u64::from(amount > 0));
                }
            }
            from = until;
        }
        if let (Some(import), Some((amount, at))) = (import, highest) {
            let power = amount.checked_mul(4).map(|mantissa| Decimal::new(mantissa, import.exponent + 3));
            found.demand = power.map(|power| Demand { power, at: Instant::from_unix_micros(at), is_counted: true });
            found.load_factor = rounded(sum, count * i128::from(amount), 0, -3);
        }
        Some(found)
    }

    /// The same of the readings of the power, where the counter says too little.
    fn power_demand(&self, tally: &Tally) -> Option<Demand> {
        let (sum, count, at) = tally.quarter?;
        let power = rounded(sum, i128::from(count), self.setting.power_exponent, 0)?;
        Some(Demand { power, at: Instant::from_unix_micros(at), is_counted: false })
    }

    /// The median over the nights of the least that was drawn in an hour.
    fn base_load(&self, start: i64, end: i64) -> Option<Decimal> {
        let grid = &self.setting.grid;
        if !self.wants_demand || grid.calendar == Calendar::Hour {
            return None;
        }
        let import = self.import.as_ref()?;
        let nights = grid.days.iter().filter(|&&day| start <= day && day + NIGHT * HOUR <= end);
        let least = |&day: &i64| {
            let hour =
                |hour: i64| import.sure_between(grid.mark(day + hour * HOUR)?, grid.mark(day + (hour + 1) * HOUR)?);
            let hours: Vec<i64> = (0..NIGHT).filter_map(hour).collect();
            hours.iter().min().copied().filter(|_| hours.len() >= KNOWN)
        };
        let mut all: Vec<i64> = nights.filter_map(least).collect();
        all.sort_unstable();
        let middle = all.get(all.len().saturating_sub(1) / 2)?;
        Some(Decimal::new(*middle, import.exponent + 3))
    }

    /// What was fed in and taken again on the same day.
    fn surplus(&self, start: i64, end: i64, quarters: Option<&Quarters>) -> Option<Surplus> {
        let grid = &self.setting.grid;
        let (import, export) = (self.import.as_ref()?, self.export.as_ref()?);
        if !self.wants_surplus || grid.calendar == Calendar::Hour || export.known_in(start, end) == 0 {
            return None;
        }
        let mut sum = Decimal::new(0, import.exponent.min(export.exponent));
        for pair in grid.days.windows(2) {
            let (Some(&from), Some(&until)) = (pair.first(), pair.last()) else { continue };
            if start <= from && until <= end {
                let marks = self.marks(from, until)?;
                let of = |energy: &Energy| Decimal::new(energy.between(marks.start, marks.end), energy.exponent);
                sum = sum.checked_add(of(import).min(of(export)))?;
            }
        }
        let share = quarters
            .and_then(|quarters| rounded(i128::from(quarters.exports.1), i128::from(quarters.exports.0), 0, -4));
        Some(Surplus { shiftable: sum, share })
    }

    fn parts(&self, start: i64, end: i64) -> Vec<Option<Decimal>> {
        let grid = &self.setting.grid;
        let Some(energy) = self.import.as_ref().or(self.export.as_ref()) else { return Vec::new() };
        let first = grid.parts.partition_point(|&part| part < start);
        let inside = grid.parts.get(first..).unwrap_or_default().iter().take_while(|&&part| part < end);
        let starts: Vec<i64> = inside.copied().collect();
        let ends = starts.iter().skip(1).copied().chain([end]);
        let part = |(from, until): (&i64, i64)| {
            (energy.known_in(*from, until) > 0).then_some(())?;
            Some(Decimal::new(energy.between(grid.mark(*from)?, grid.mark(until)?), energy.exponent))
        };
        starts.iter().zip(ends).map(part).collect()
    }
}

/// What the quarters of a row say.
#[derive(Debug, Default)]
struct Quarters {
    demand: Option<Demand>,
    load_factor: Option<Decimal>,
    /// How many are known, and in how many of them something was fed in.
    exports: (u64, u64),
}

fn spread(tally: &Tally, exponent: i8, with_windows: bool) -> Option<Spread> {
    let ((min, min_at), (max, max_at)) = tally.ends?;
    let mean = rounded(tally.weighted, tally.weight, exponent, exponent.saturating_sub(1));
    let usual = mean.is_some_and(|mean| Decimal::from(180) <= mean && mean <= Decimal::from(276));
    Some(Spread {
        mean,
        min: Decimal::new(min, exponent),
        min_at: Instant::from_unix_micros(min_at),
        max: Decimal::new(max, exponent),
        max_at: Instant::from_unix_micros(max_at),
        within: (with_windows && usual && tally.windows.0 > 0).then_some(tally.windows),
    })
}

/// The largest distance of a phase's mean from the mean of the three, in per cent of it.
fn unbalance(phases: &[Option<Spread>; 3]) -> Option<Decimal> {
    let means: Vec<Decimal> = phases.iter().filter_map(|phase| phase.as_ref()?.mean).collect();
    let [a, b, c] = means.as_slice() else { return None };
    let sum = a.checked_add(*b)?.checked_add(*c)?;
    let off = |mean: &Decimal| {
        let three = mean.checked_add(*mean)?.checked_add(*mean)?;
        Some(three.checked_sub(sum)?.abs())
    };
    let most = means.iter().map(off).collect::<Option<Vec<_>>>()?.into_iter().max()?;
    let exponent = most.exponent().min(sum.exponent());
    let at = |number: Decimal| {
        Some(i128::from(number.mantissa()) * 10i128.checked_pow(u32::from(number.exponent().abs_diff(exponent)))?)
    };
    // |3m - s| / 3 over s / 3.
    rounded(at(most)? * 100, at(sum)?, 0, -2)
}
