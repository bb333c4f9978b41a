//! What a counter went on by between any two marks, to the last digit.
//!
//! Between two readings nothing is known but the difference. Where a mark lies between them, the difference is divided by
//! time and rounded to the counter's last digit, and the same value counts on both sides: whatever is added up comes to the
//! difference of the readings again. What was divided at a bound of a row is *interpolated* there; what lies in a hole is
//! said to lie in one.

use super::clock::{Clock, is_hole};
use super::grid::{Grid, QUARTER};
use crate::reading::{Instant, Unit};
use crate::store::{Break, Correction, Flow, Follower, Times, Value};

/// A counter's values in one sheet, with what can be said of them before it is known what came earlier.
#[derive(Debug)]
pub(super) struct Piece {
    times: Times,
    values: Vec<i64>,
    clock: Clock,
    /// Where the counter only rose: its values at the marks within.
    steady: Option<Steady>,
}

#[derive(Debug)]
struct Steady {
    /// The first mark that is not before the first value.
    mark: usize,
    /// The value at it and those behind it, and whether that is known well.
    at_marks: Vec<(i64, bool)>,
    /// The steps that hold a hole or a bound of a row.
    special: Vec<(Value, Value)>,
}

impl Piece {
    pub(super) fn new(times: Times, values: Vec<i64>, clock: Clock, is_steady: bool, grid: &Grid) -> Self {
        let steady = is_steady.then(|| Steady::of(&times, &values, &clock, grid)).flatten();
        Self { times, values, clock, steady }
    }

    fn value(&self, index: usize) -> Option<Value> {
        Some((self.times.get(index)?, *self.values.get(index)?))
    }
}

impl Steady {
    fn of(times: &Times, values: &[i64], clock: &Clock, grid: &Grid) -> Option<Self> {
        let value = |index: usize| Some((times.get(index)?, *values.get(index)?));
        let (first, last) = (times.get(0)?, times.get(times.len().checked_sub(1)?)?);
        let mark = grid.marks.partition_point(|&mark| mark < first);
        let mut at_marks = Vec::new();
        let mut special = Vec::new();
        let mut index = 0;
        for &at in grid.marks.get(mark..)?.iter().take_while(|&&at| at <= last) {
            index = times.position(at, index);
            let next = value(index)?;
            if next.0 == at {
                at_marks.push((next.1, true));
                continue;
            }
            let before = value(index.checked_sub(1)?)?;
            at_marks.push((
                before.1 + share(before, next, next.1 - before.1, at),
                is_sure(before, next, clock.interval(index - 1)),
            ));
        }
        let holes = clock.holes.iter().copied();
        let rows = grid.rows.get(grid.rows_in(first, last))?;
        let mut index = 0;
        let start = rows.first().map(|row| row.start);
        let straddled = start.into_iter().chain(rows.iter().map(|row| row.end)).filter_map(|bound| {
            index = times.position(bound, index);
            (times.get(index)? != bound).then(|| index.checked_sub(1)).flatten()
        });
        let mut all: Vec<usize> = holes.chain(straddled).collect();
        all.sort_unstable();
        all.dedup();
        special.extend(all.into_iter().filter_map(|index| Some((value(index)?, value(index + 1)?))));
        Some(Self { mark, at_marks, special })
    }
}

/// The part of a step's amount that falls before a moment within it, rounded half up.
fn share(from: Value, to: Value, amount: i64, at: i64) -> i64 {
    let length = i128::from(to.0 - from.0).max(1);
    let twice = 2 * i128::from(amount) * i128::from(at - from.0);
    i64::try_from((twice + length).div_euclid(2 * length)).unwrap_or(amount)
}

/// Whether a value between two readings is known well enough for a quarter of an hour.
const fn is_sure(from: Value, to: Value, interval: i64) -> bool {
    let gap = to.0 - from.0;
    gap <= QUARTER && !is_hole(gap, interval)
}

/// A counter over the whole grid.
#[derive(Debug)]
pub(super) struct Energy {
    /// The power of ten of everything, in kWh.
    pub(super) exponent: i8,
    /// What was counted before the first mark, from each mark to the next, and behind the last.
    pub(super) cells: Vec<i64>,
    /// Cells within which a segment begins: what was used there is not known.
    pub(super) broken: Vec<bool>,
    /// Marks at which the value is known well.
    pub(super) sure: Vec<bool>,
    /// By row, what was divided at its bounds.
    pub(super) interpolated: Vec<i64>,
    /// By row, what was counted in holes.
    pub(super) in_holes: Vec<i64>,
    /// What was divided at the first and the last bound of all.
    pub(super) divided_outside: i64,
    /// The stretches over which it counted.
    pub(super) known: Vec<(i64, i64)>,
    /// Where segments begin, and why.
    pub(super) breaks: Vec<(i64, Break)>,
    follower: Follower,
    /// The usual interval at the last value.
    interval: i64,
}

impl Energy {
    pub(super) fn new(exponent: i8, corrections: &[(Instant, Correction)], grid: &Grid) -> Self {
        let (marks, rows) = (grid.marks.len(), grid.rows.len());
        Self {
            exponent,
            cells: vec![0; marks + 1],
            broken: vec![false; marks + 1],
            sure: vec![false; marks],
            interpolated: vec![0; rows],
            in_holes: vec![0; rows],
            divided_outside: 0,
            known: Vec::new(),
            breaks: Vec::new(),
            follower: Follower::new(Some(Unit::KWH), exponent, corrections),
            interval: 0,
        }
    }

    /// Takes the next piece in order of time.
    pub(super) fn push(&mut self, piece: Piece, grid: &Grid) {
        let (Some(first), Some(last)) = (piece.value(0), piece.value(piece.values.len().saturating_sub(1))) else {
            return;
        };
        if let Some(steady) = &piece.steady {
            let mut flows = Vec::new();
            if self.follower.leap(first, last, &mut |flow| flows.push(flow)) {
                flows.into_iter().for_each(|flow| self.flow(flow, grid));
                self.steady(steady, first, last);
                for &(from, to) in &steady.special {
                    self.special(from, to, to.1 - from.1, is_hole(to.0 - from.0, piece.clock_at(from.0)), grid);
                }
                self.interval = piece.clock.interval(piece.values.len() - 1);
                return;
            }
        }
        for index in 0..piece.values.len() {
            let Some(value) = piece.value(index) else { break };
            let mut flows: smallvec::SmallVec<[Flow; 4]> = smallvec::SmallVec::new();
            self.follower.push(value, &mut |flow| flows.push(flow));
            flows.into_iter().for_each(|flow| self.flow(flow, grid));
            self.interval = piece.clock.interval(index);
        }
    }

    fn steady(&mut self, steady: &Steady, first: Value, last: Value) {
        let mut before = first.1;
        let mut cell = steady.mark;
        for &(value, sure) in &steady.at_marks {
            if let Some(amount) = self.cells.get_mut(cell) {
                *amount += value - before;
            }
            if let Some(known) = self.sure.get_mut(cell) {
                *known |= sure;
            }
            before = value;
            cell += 1;
        }
        if let Some(amount) = self.cells.get_mut(cell) {
            *amount += last.1 - before;
        }
        self.reach(first.0, last.0);
    }

    fn flow(&mut self, flow: Flow, grid: &Grid) {
        match flow {
            Flow::Step { from, to, amount } => self.step(from, to, amount, grid),
            Flow::Break { from, to, why } => {
                self.breaks.push((to.0, why));
                if from.0 < to.0 {
                    let cell = |at: i64| grid.marks.partition_point(|&mark| mark <= at);
                    let broken = self.broken.get_mut(cell(from.0)..=cell(to.0));
                    broken.into_iter().flatten().for_each(|broken| *broken = true);
                }
                if let Some(mark) = grid.mark(to.0).and_then(|mark| self.sure.get_mut(mark)) {
                    *mark = true;
                }
            }
        }
    }

    fn step(&mut self, from: Value, to: Value, amount: i64, grid: &Grid) {
        let mut cell = grid.marks.partition_point(|&mark| mark <= from.0);
        if let Some(sure) = cell.checked_sub(1).filter(|&mark| grid.marks.get(mark) == Some(&from.0)) {
            self.sure.get_mut(sure).into_iter().for_each(|sure| *sure = true);
        }
        let mut before = 0;
        while let Some(&at) = grid.marks.get(cell).filter(|&&at| at <= to.0 && at > from.0) {
            let so_far = if at == to.0 { amount } else { share(from, to, amount, at) };
            if let Some(own) = self.cells.get_mut(cell) {
                *own += so_far - before;
            }
            if let Some(sure) = self.sure.get_mut(cell) {
                *sure |= at == to.0 || is_sure(from, to, self.interval);
            }
            before = so_far;
            cell += 1;
        }
        if let Some(own) = self.cells.get_mut(cell) {
            *own += amount - before;
        }
        self.reach(from.0, to.0);
        let hole = is_hole(to.0 - from.0, self.interval);
        if hole || grid.row(from.0) != grid.row(to.0) {
            self.special(from, to, amount, hole, grid);
        }
    }

    /// Books a step that holds a hole or a row's bound.
    fn special(&mut self, from: Value, to: Value, amount: i64, hole: bool, grid: &Grid) {
        let rows = grid.rows_in(from.0, to.0);
        for row in rows {
            let Some(bounds) = grid.rows.get(row) else { break };
            let at = |moment: i64| match moment {
                moment if moment <= from.0 => 0,
                moment if moment >= to.0 => amount,
                moment => share(from, to, amount, moment),
            };
            let part = at(bounds.end) - at(bounds.start);
            let whole = bounds.start <= from.0 && to.0 <= bounds.end;
            let book = if hole { &mut self.in_holes } else { &mut self.interpolated };
            if let Some(book) = book.get_mut(row).filter(|_| hole || !whole) {
                *book += part;
            }
            let outside = (row == 0 && from.0 < bounds.start) || (row + 1 == grid.rows.len() && to.0 > bounds.end);
            if outside && !hole {
                self.divided_outside += part;
            }
        }
    }

    /// That it counted from one time to another.
    fn reach(&mut self, from: i64, to: i64) {
        match self.known.last_mut() {
            Some((_, end)) if *end == from => *end = to,
            _ => self.known.push((from, to)),
        }
    }

    /// How long it counted within a stretch, in microseconds.
    pub(super) fn known_in(&self, from: i64, until: i64) -> i64 {
        let first = self.known.partition_point(|(_, end)| *end <= from);
        let inside = self.known.get(first..).unwrap_or_default().iter().take_while(|(start, _)| *start < until);
        inside.map(|(start, end)| (*end).min(until) - (*start).max(from)).sum()
    }

    /// What it counted between two marks.
    pub(super) fn between(&self, from: usize, until: usize) -> i64 {
        self.cells.get(from + 1..until + 1).unwrap_or_default().iter().sum()
    }

    /// The same where both ends are known well and no segment begins in between.
    pub(super) fn sure_between(&self, from: usize, until: usize) -> Option<i64> {
        let ends = self.sure.get(from) == Some(&true) && self.sure.get(until) == Some(&true);
        let whole = !self.broken.get(from + 1..until + 1)?.contains(&true);
        (ends && whole).then(|| self.between(from, until))
    }

    /// Adds another counter, as tariffs add up.
    pub(super) fn join(&mut self, other: &Self) {
        let exponent = self.exponent.min(other.exponent);
        let power = |of: i8| 10i64.saturating_pow(u32::from(of.abs_diff(exponent)));
        let (own, theirs) = (power(self.exponent), power(other.exponent));
        let add = |to: &mut Vec<i64>, from: &Vec<i64>| {
            for (to, from) in to.iter_mut().zip(from) {
                *to = to.saturating_mul(own).saturating_add(from.saturating_mul(theirs));
            }
        };
        add(&mut self.cells, &other.cells);
        add(&mut self.interpolated, &other.interpolated);
        add(&mut self.in_holes, &other.in_holes);
        self.divided_outside =
            self.divided_outside.saturating_mul(own).saturating_add(other.divided_outside.saturating_mul(theirs));
        self.sure.iter_mut().zip(&other.sure).for_each(|(own, other)| *own &= other);
        self.broken.iter_mut().zip(&other.broken).for_each(|(own, other)| *own |= other);
        self.breaks.extend_from_slice(&other.breaks);
        self.breaks.sort_by_key(|(at, _)| *at);
        let mut known: Vec<(i64, i64)> = [self.known.as_slice(), &other.known].concat();
        known.sort_unstable();
        self.known.clear();
        for (from, to) in known {
            match self.known.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => self.known.push((from, to)),
            }
        }
        self.exponent = exponent;
    }

    /// The same counter once more, to add others to.
    pub(super) fn copy(&self) -> Self {
        Self {
            exponent: self.exponent,
            cells: self.cells.clone(),
            broken: self.broken.clone(),
            sure: self.sure.clone(),
            interpolated: self.interpolated.clone(),
            in_holes: self.in_holes.clone(),
            divided_outside: self.divided_outside,
            known: self.known.clone(),
            breaks: self.breaks.clone(),
            follower: Follower::new(None, 0, &[]),
            interval: 0,
        }
    }
}

impl Piece {
    fn clock_at(&self, at: i64) -> i64 {
        self.clock.interval(self.times.position(at, 0))
    }
}
