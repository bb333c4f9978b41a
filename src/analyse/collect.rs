//! Parts put together, in order of time.

use super::clock::is_hole;
use super::energy::Energy;
use super::part::{Part, Setting, stand};
use super::tally::{Counts, Tally};
use crate::reading::Instant;
use crate::store::Correction;

/// Everything that is known when the last part has come.
#[derive(Debug)]
pub(super) struct Collected {
    /// In the order of import, export and tariffs.
    pub(super) counters: Vec<Energy>,
    /// By quantity and row: the power first, then as in [`Setting::quantities`].
    pub(super) quantities: Vec<Vec<Tally>>,
    /// By quantity, the whole.
    pub(super) wholes: Vec<Tally>,
    /// By row, the percentiles of the power.
    pub(super) percentiles: Vec<Option<[i64; 3]>>,
    /// By row.
    pub(super) readings: Vec<(u64, u64)>,
    /// Stretches of which nothing is known, in order; the first and the last have no other end.
    pub(super) holes: Vec<(i64, i64)>,
    /// The last value of each quantity, and the usual interval there.
    waiting: Vec<Option<((i64, i64), i64)>>,
    last: Option<(i64, i64)>,
    /// Rows before this one are complete.
    complete: usize,
}

/// Those of the median, and of the highest twentieth and hundredth.
const SHARES: [u64; 3] = [500, 950, 990];

/// Before every time, and after.
const OPEN: (i64, i64) = (i64::MIN / 2, i64::MAX / 2);

impl Collected {
    pub(super) fn new(setting: &Setting, corrections: &[(Instant, Correction)]) -> Self {
        let rows = setting.grid.rows.len();
        let quantities = 1 + setting.quantities().count();
        let wanted = |quantity: usize| match quantity.checked_sub(1) {
            None => !setting.tracks.power.is_empty(),
            Some(index) => setting.quantities().nth(index).flatten().is_some(),
        };
        let tallies = |quantity| if wanted(quantity) { vec![Tally::default(); rows] } else { Vec::new() };
        Self {
            counters: setting.counters().map(|track| Energy::new(track.exponent, corrections, &setting.grid)).collect(),
            quantities: (0..quantities).map(tallies).collect(),
            wholes: vec![Tally::default(); quantities],
            percentiles: vec![None; rows],
            readings: vec![(0, 0); rows],
            holes: Vec::new(),
            waiting: vec![None; quantities],
            last: None,
            complete: 0,
        }
    }

    /// Takes the next part.
    pub(super) fn push(&mut self, part: Part, setting: &Setting) {
        let grid = &setting.grid;
        match self.last {
            None => self.holes.push((OPEN.0, part.between.0)),
            Some((at, interval)) if is_hole(part.between.0 - at, interval) => {
                self.holes.push((at + interval, part.between.0));
            }
            Some(_) => {}
        }
        self.holes.extend(part.holes);
        self.last = Some((part.between.1, part.interval));
        for (row, count, doubtful) in part.readings {
            if let Some((all, bad)) = self.readings.get_mut(row) {
                (*all, *bad) = (*all + count, *bad + doubtful);
            }
        }
        for (energy, piece) in self.counters.iter_mut().zip(part.counters) {
            if let Some(piece) = piece {
                energy.push(piece, grid);
            }
        }
        for (quantity, course) in part.quantities.into_iter().enumerate() {
            let Some(course) = course else { continue };
            if let Some(((at, value), interval)) = self.waiting.get(quantity).copied().flatten() {
                self.lay(quantity, value, at, at + stand(at, interval, course.first), setting);
            }
            for (row, tally) in course.rows {
                if let Some(own) = self.quantities.get_mut(quantity).and_then(|rows| rows.get_mut(row)) {
                    own.merge(tally);
                }
            }
            if let Some(waiting) = self.waiting.get_mut(quantity) {
                *waiting = Some((course.last, course.interval));
            }
        }
        self.complete(grid.rows.partition_point(|row| row.end <= part.between.1), setting);
    }

    /// That there are no more.
    pub(super) fn finish(&mut self, setting: &Setting) {
        for quantity in 0..self.waiting.len() {
            if let Some(((at, value), interval)) = self.waiting.get(quantity).copied().flatten() {
                self.lay(quantity, value, at, at + interval, setting);
            }
        }
        self.complete(setting.grid.rows.len(), setting);
        let end = self.last.map_or(OPEN.0, |(at, interval)| at + interval);
        self.holes.push((end, OPEN.1));
        for (whole, rows) in self.wholes.iter_mut().zip(&self.quantities) {
            rows.iter().for_each(|row| whole.merge(row.clone()));
        }
    }

    /// A value that stood from one time to another.
    fn lay(&mut self, quantity: usize, value: i64, from: i64, until: i64, setting: &Setting) {
        for row in setting.grid.rows_in(from, until) {
            let Some(bounds) = setting.grid.rows.get(row) else { break };
            if let Some(tally) = self.quantities.get_mut(quantity).and_then(|rows| rows.get_mut(row)) {
                tally.lay(value, bounds.end.min(until) - bounds.start.max(from));
            }
        }
    }

    /// Gives the rows before one their percentiles, so that not all values of all rows are kept.
    fn complete(&mut self, until: usize, setting: &Setting) {
        if !setting.counted {
            return;
        }
        let (Some(rows), Some(whole)) = (self.quantities.first_mut(), self.wholes.first_mut()) else { return };
        for row in self.complete..until {
            let Some(counts) = rows.get_mut(row).and_then(|tally| tally.counts.take()) else { continue };
            if let Some(slot) = self.percentiles.get_mut(row) {
                *slot = counts.percentiles(SHARES);
            }
            match &mut whole.counts {
                Some(all) => all.merge(counts),
                none => *none = Some(counts),
            }
        }
        self.complete = self.complete.max(until);
    }

    /// The percentiles of the power over everything.
    pub(super) fn whole_percentiles(&self) -> Option<[i64; 3]> {
        self.power_counts()?.percentiles(SHARES)
    }

    pub(super) fn power_counts(&self) -> Option<&Counts> {
        self.wholes.first()?.counts.as_ref()
    }

    /// How many holes reach into a stretch, and how long they are there.
    pub(super) fn holes_in(&self, from: i64, until: i64) -> (u64, i64) {
        let first = self.holes.partition_point(|(_, end)| *end <= from);
        let inside = self.holes.get(first..).unwrap_or_default().iter().take_while(|(start, _)| *start < until);
        inside
            .fold((0, 0), |(count, length), (start, end)| (count + 1, length + (*end).min(until) - (*start).max(from)))
    }
}
