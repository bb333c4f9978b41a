//! A span that is being collected; [`span`](super::span) has its form.

use super::bytes::{put_bytes, put_count, put_number, seal};
use super::column::{Column, Totals};
use super::ints::{Aim, put_column_as};
use super::skeleton::{Parts, Skeleton};
use super::span::{VERSION, VERSION_WITH_MARKS};
use super::{Damage, Unique, marks};
use std::collections::HashMap;
use std::ops::Range;

/// A span that is being collected, its readings in order of time.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    times: Vec<i64>,
    qualities: Vec<i64>,
    layouts: Unique,
    /// By layout, its series.
    series_of: Vec<Vec<u32>>,
    layout_of: Vec<i64>,
    clocks: Vec<i64>,
    columns: Vec<(u32, Column)>,
    column_of: HashMap<u32, usize>,
    plans: HashMap<u32, Plan>,
    /// How its columns are written.
    pub(crate) aim: Aim,
}

/// Where the numbers of a skeleton go.
#[derive(Debug)]
struct Plan {
    layout: i64,
    clock: bool,
    registers: Vec<Target>,
}

#[derive(Debug)]
struct Target {
    column: usize,
    form: u32,
    is_number: bool,
    numbers: usize,
}

/// A finished block of a span.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) series: u32,
    /// How many readings have the series.
    pub(crate) rows: usize,
    pub(crate) totals: Option<Totals>,
    /// The mantissas at the scale of the totals.
    pub(crate) mantissas: Vec<i64>,
    pub(crate) blob: Vec<u8>,
}

impl Builder {
    /// How many readings it holds.
    pub(crate) const fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn last(&self) -> Option<i64> {
        self.times.last().copied()
    }

    /// Whether the newest reading has an instant of its own.
    pub(crate) fn is_new_instant(&self) -> bool {
        !matches!(self.times.as_slice(), [.., before, last] if before == last)
    }

    /// Adds a reading: its skeleton under a number that stands for it throughout, and its numbers.
    pub(crate) fn push(
        &mut self,
        id: u32,
        (bytes, skeleton): (&[u8], &Skeleton),
        at: i64,
        quality: i64,
        numbers: &[i64],
    ) -> Result<(), Damage> {
        if !self.plans.contains_key(&id) {
            let plan = self.plan(bytes, skeleton)?;
            self.plans.insert(id, plan);
        }
        let Some(plan) = self.plans.get(&id) else { return Ok(()) };
        if numbers.len() != skeleton.numbers {
            return Err(Damage("a reading has the wrong numbers"));
        }
        self.times.push(at);
        self.qualities.push(quality);
        self.layout_of.push(plan.layout);
        let mut rest = numbers;
        if plan.clock
            && let Some((&clock, others)) = rest.split_first()
        {
            self.clocks.push(clock);
            rest = others;
        }
        for target in &plan.registers {
            let Some((own, others)) = rest.split_at_checked(target.numbers) else { break };
            rest = others;
            if let Some((_, column)) = self.columns.get_mut(target.column) {
                column.push(target.form, target.is_number, own);
            }
        }
        Ok(())
    }

    fn plan(&mut self, bytes: &[u8], skeleton: &Skeleton) -> Result<Plan, Damage> {
        let parts = Parts::of(bytes)?;
        let mut layout = Vec::new();
        put_bytes(&mut layout, parts.head);
        put_count(&mut layout, skeleton.registers.len());
        let mut registers = Vec::with_capacity(skeleton.registers.len());
        for (part, (_, form)) in parts.registers().zip(&skeleton.registers) {
            let (series, bytes) = part?;
            put_number(&mut layout, u64::from(series));
            let column = *self.column_of.entry(series).or_insert_with(|| {
                self.columns.push((series, Column::default()));
                self.columns.len() - 1
            });
            let number = self.columns.get_mut(column).map(|(_, column)| column.form(bytes)).unwrap_or_default();
            registers.push(Target { column, form: number, is_number: form.is_number(), numbers: form.numbers });
        }
        let (at, is_new) = self.layouts.number(&layout);
        if is_new {
            self.series_of.push(skeleton.registers.iter().map(|(series, _)| *series).collect());
        }
        let layout = i64::try_from(at).unwrap_or_default();
        Ok(Plan { layout, clock: skeleton.head.numbers() > 0, registers })
    }

    /// The series in it.
    pub(crate) fn series(&self) -> impl Iterator<Item = u32> {
        self.columns.iter().map(|(series, _)| *series)
    }

    /// The blob of the span, with marks of those of the series `counters` that are numbers of one exponent throughout.
    pub(crate) fn head(&self, key: &[i64], period: &Range<i64>, counters: &[u32]) -> Vec<u8> {
        let (count, marked) = self.marks(period, counters);
        let mut out = vec![if marked.is_empty() { VERSION } else { VERSION_WITH_MARKS }];
        put_count(&mut out, self.layouts.all.len());
        for layout in &self.layouts.all {
            out.extend_from_slice(layout);
        }
        put_column_as(self.aim, &mut out, &self.times);
        put_column_as(self.aim, &mut out, &self.qualities);
        put_column_as(self.aim, &mut out, &self.layout_of);
        put_column_as(self.aim, &mut out, &self.clocks);
        if !marked.is_empty() {
            marks::put_head(&mut out, count, marked.len());
            out.extend(marked.into_iter().flatten());
        }
        seal(key, out)
    }

    /// How many marks each series has, and those of each.
    fn marks(&self, period: &Range<i64>, counters: &[u32]) -> (usize, Vec<Vec<u8>>) {
        let Some(count) = marks::count(period, self.len()) else { return (0, Vec::new()) };
        let mut all = Vec::new();
        for (series, column) in self.columns.iter().filter(|(series, _)| counters.contains(series)) {
            if let Some(exponent) = column.one_exponent() {
                let mut out = Vec::new();
                let times = self.times_of(*series);
                marks::put(&mut out, (*series, exponent), (period, count), (&times, &column.mantissas));
                all.push(out);
            }
        }
        (count, all)
    }

    /// The blocks of the span, one after the other; `key` is what the checksum of a series covers besides its blob.
    pub(crate) fn blocks<E>(
        mut self,
        key: impl Fn(u32) -> [i64; 1],
        mut sink: impl FnMut(Block, &Self) -> Result<(), E>,
    ) -> Result<(), E> {
        for (series, mut column) in std::mem::take(&mut self.columns) {
            let rows = column.rows();
            let (blob, totals) = column.finish(&key(series), self.aim);
            sink(Block { series, rows, totals, mantissas: column.mantissas, blob }, &self)?;
        }
        Ok(())
    }

    /// The times of the readings that have a series.
    pub(crate) fn times_of(&self, series: u32) -> Vec<i64> {
        let has: Vec<bool> = self.series_of.iter().map(|all| all.contains(&series)).collect();
        let has = |layout: i64| usize::try_from(layout).ok().and_then(|layout| has.get(layout)) == Some(&true);
        let pairs = self.times.iter().zip(&self.layout_of);
        pairs.filter(|&(_, &layout)| has(layout)).map(|(&time, _)| time).collect()
    }
}
