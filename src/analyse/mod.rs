//! Statistics of a meter: energies that add up, and what its readings come to, by periods of the local calendar.
//!
//! ```text
//! past ──sheets──► part (several threads) ──► collect (in order of time) ──► finish ──► rows
//!                  clock: usual interval, holes
//!                  energy: a counter's values at the grid's marks
//!                  tally: lowest, highest, time-weighted mean, counts
//! ```
//!
//! There are no tables of sums kept anywhere: everything comes from the readings each time it is asked for, and only what
//! was asked for is looked at. docs/STATS.md has the definitions.

mod bound;
mod clock;
mod collect;
mod energy;
mod finish;
mod grid;
mod part;
mod result;
mod tally;
mod tracks;

#[cfg(test)]
mod tests;

pub use bound::AnalyseError;
pub use result::{Analysis, Breach, Cover, Demand, Energies, Level, Row, Spread, Surplus, ratio};

use crate::past::{Past, PastError};
use crate::reading::{Calendar, Decimal, Instant, MeterId, Zone};
use collect::Collected;
use finish::Finish;
use grid::{Finer, Grid};
use part::Setting;
use std::ops::Range;
use tracks::{Chosen, Tracks};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Of which meter.
    pub meter: MeterId,
    /// From when to when; what lies before the first and after the last reading is left away.
    pub span: Range<Instant>,
    /// By which periods; `None` for what fits the length.
    pub calendar: Option<Calendar>,
    /// Whose local time.
    pub zone: Zone,
    /// The time it is.
    pub now: Instant,
    /// What, besides energies and coverage.
    pub wanted: Wanted,
}

/// What an analysis is to find out besides energies and coverage: each costs time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Energies of tariffs beside a total.
    pub tariffs: bool,
    /// Readings of the power, with percentiles.
    pub power: bool,
    /// Maximum demand, base load, load factor.
    pub demand: bool,
    /// Voltages, currents, frequency, power factor.
    pub quality: bool,
    /// What was fed in and taken again.
    pub surplus: bool,
    /// Energies of the parts of each row.
    pub parts: bool,
    /// The duration curve.
    pub curve: bool,
}

/// Registers that are sent less often than telegrams come are looked for as far behind the ends of the span.
const MARGIN: i64 = 2 * 3600;

/// The shares at which a duration curve is told, in per mille of the readings.
const CURVE: [u64; 23] =
    [0, 1, 5, 10, 20, 50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700, 750, 800, 900, 1000];

/// Analyses a meter; `None` where it has no reading in the span, nor on both sides of it.
///
/// # Errors
/// [`AnalyseError`].
pub fn analyse(past: &Past<'_>, ask: &Ask) -> Result<Option<Analysis>, AnalyseError> {
    match attempt(past, ask) {
        // A consolidation took readings out of the store just then.
        Err(AnalyseError::Past(PastError::Moved(_))) => attempt(past, ask),
        done => done,
    }
}

fn attempt(past: &Past<'_>, ask: &Ask) -> Result<Option<Analysis>, AnalyseError> {
    let Some((first, last)) = past.extent(&ask.meter)? else { return Ok(None) };
    let just_behind = Instant::from_unix_micros(last.unix_micros().saturating_add(1));
    let asked = first.max(ask.span.start)..just_behind.min(ask.span.end);
    if asked.is_empty() {
        return Ok(None);
    }
    let calendar = ask.calendar.unwrap_or_else(|| fitting(&asked));
    let wanted = ask.wanted;
    let finer =
        Finer { quarters: wanted.demand || wanted.surplus, days: wanted.demand || wanted.surplus, parts: wanted.parts };
    bound::check(past, ask, &asked, calendar, finer)?;
    // Whole periods where the readings set the limit, and the limit where that was asked for.
    let bounds = calendar.bounds(ask.zone, &asked);
    let (Some(&from), Some(&until)) = (bounds.first(), bounds.last()) else { return Ok(None) };
    let span = from.max(ask.span.start)..until.min(ask.span.end);

    let all = past.series(&ask.meter)?;
    let counted = wanted.power || wanted.curve;
    // Where the counter's digits say too little about a quarter of an hour, the power has to.
    let chosen = Chosen { tariffs: wanted.tariffs, power: counted || wanted.demand, quality: wanted.quality };
    let (mut tracks, mut series) = Tracks::of(&all, chosen);
    if series.is_empty() {
        // Nothing that is known: the readings themselves can be counted.
        series.extend(all.first().cloned());
    }
    let survey = past.survey(&ask.meter, &series, around(past, ask, &asked)?)?;
    tracks.settle(&survey.finest);
    let is_coarse = wanted.demand && !tracks.import.iter().any(|track| track.exponent <= finish::FINE);
    if !counted && !is_coarse {
        tracks.leave_power(&mut series);
    }
    let intervals = i64::try_from(survey.all).unwrap_or(i64::MAX).saturating_sub(1);
    let setting = Setting {
        grid: Grid::new(calendar, ask.zone, &span, (first, last), finer),
        mean: survey.length.checked_div(intervals).unwrap_or_default(),
        power_exponent: tracks.power.iter().map(tracks::exponent_of).min().unwrap_or_default(),
        counted,
        quarters: is_coarse,
        tracks,
    };
    let mut collected = Collected::new(&setting, &past.boundaries(&ask.meter)?);
    past.spread(
        &series,
        survey,
        |sheet| setting.part(sheet),
        |part| {
            if let Some(part) = part {
                collected.push(part, &setting);
            }
        },
    )?;
    collected.finish(&setting);
    let finish = Finish::new(&setting, &collected, ask.now, (wanted.demand, wanted.surplus));
    let Some(whole) = finish.whole() else { return Ok(None) };
    let curve = wanted.curve.then(|| curve(&collected, setting.power_exponent)).flatten();
    let breaks = breaches(&setting, &collected, &whole.period);
    let rows = finish.rows();
    Ok(Some(Analysis { meter: ask.meter.clone(), zone: ask.zone, calendar, rows, whole, breaks, curve }))
}

/// A few dozen rows at most, hours for two days.
fn fitting(span: &Range<Instant>) -> Calendar {
    match span.end.unix_seconds() - span.start.unix_seconds() {
        ..=180_000 => Calendar::Hour,
        180_001..=5_443_200 => Calendar::Day,
        _ => Calendar::Month,
    }
}

/// What has to be read: up to the readings on both sides, and their days, for each day has its usual interval.
fn around(past: &Past<'_>, ask: &Ask, asked: &Range<Instant>) -> Result<Range<Instant>, PastError> {
    const DAY: i64 = 86_400;
    let (before, after) = past.neighbours(&ask.meter, asked)?;
    let from = before.unwrap_or(asked.start).unix_seconds().saturating_sub(MARGIN).div_euclid(DAY);
    let until = after.unwrap_or(asked.end).unix_seconds().saturating_add(MARGIN).div_euclid(DAY) + 1;
    Ok(Instant::from_unix(from * DAY)..Instant::from_unix(until * DAY))
}

fn curve(collected: &Collected, exponent: i8) -> Option<Vec<Level>> {
    // What so many reach or exceed is what the others stay below.
    let per_mille = CURVE.map(|share| 1000 - share);
    let mut rising = per_mille;
    rising.sort_unstable();
    let powers = collected.power_counts()?.percentiles(rising)?;
    let level = |(share, power): (u64, i64)| Level { share, power: Decimal::new(power, exponent) };
    Some(CURVE.into_iter().zip(powers.into_iter().rev()).map(level).collect())
}

fn breaches(setting: &Setting, collected: &Collected, period: &Range<Instant>) -> Vec<Breach> {
    let mut breaches: Vec<Breach> = Vec::new();
    for (track, energy) in setting.counters().zip(&collected.counters) {
        let begun = energy.breaks.iter().map(|&(at, why)| (Instant::from_unix_micros(at), why));
        let within = begun.filter(|(at, _)| period.contains(at));
        breaches.extend(within.map(|(at, why)| Breach { register: track.obis, at, why }));
    }
    breaches.sort_by_key(|breach| breach.at);
    breaches
}
