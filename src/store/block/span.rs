//! The readings of a span of time of one meter: what is common to all its blocks.
//!
//! ```text
//! version (1, or 2 with marks)
//! count of layouts · each: head behind its length, count of registers, the series of each in the telegram's order
//! times in microseconds since 1970                      a column, like all that follow
//! qualities                                             0 good, 1 suspect, 2 bad
//! which layout each reading has
//! [readings with a meter clock] its distance to the time
//! [version 2] marks                                     counters at each full hour
//! checksum (4 octets)                                   over span, count and all of the above
//! ```
//!
//! A reading has exactly the registers of its layout, so nothing has to say which register is missing where.

use super::bytes::{Source, put_bytes, put_count, put_number, seal, unseal};
use super::column::{Column, Cursor, Opened, Totals};
use super::ints::{Ints, put_column, take_column};
use super::marks;
use super::skeleton::{Head, Parts, Skeleton, quality_of};
use super::{Damage, MAX_ROWS, Unique};
use crate::reading::{Code, Decimal, Instant, MeterId, Reading, Unit};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::ops::Range;

const VERSION: u8 = 1;
const VERSION_WITH_MARKS: u8 = 2;

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
        put_column(&mut out, &self.times);
        put_column(&mut out, &self.qualities);
        put_column(&mut out, &self.layout_of);
        put_column(&mut out, &self.clocks);
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
            let (blob, totals) = column.finish(&key(series));
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

/// A span that was opened.
#[derive(Debug)]
pub(crate) struct Span {
    layouts: Vec<Layout>,
    pub(crate) times: Ints,
    qualities: Ints,
    layout_of: Ints,
    clocks: Ints,
    pub(crate) marks: marks::Packed,
    pub(crate) count: usize,
}

#[derive(Debug)]
struct Layout {
    head: Head,
    series: Vec<u32>,
}

impl Span {
    /// Opens the blob of a span of so many readings.
    pub(crate) fn parse(key: &[i64], blob: &[u8], count: usize) -> Result<Self, Damage> {
        Self::parse_body(unseal(key, blob)?, count)
    }

    /// The same behind the checksum.
    pub(crate) fn parse_body(body: &[u8], count: usize) -> Result<Self, Damage> {
        if count > MAX_ROWS {
            return Err(Damage("a span is too long"));
        }
        let mut source = Source::new(body);
        let version = source.byte()?;
        if !matches!(version, VERSION | VERSION_WITH_MARKS) {
            return Err(Damage("a span has an unknown form"));
        }
        let layouts = source.count()?;
        let layouts = (0..layouts).map(|_| Layout::take(&mut source)).collect::<Result<Vec<_>, _>>()?;
        let times = take_column(&mut source, count)?;
        let qualities = take_column(&mut source, count)?;
        let layout_of = take_column(&mut source, count)?;
        let (clocks, marks) = (Ints::Line(0, 0), marks::Packed::default());
        let mut span = Self { layouts, times, qualities, layout_of, clocks, marks, count };
        let clocks = match span.layout_of.constant() {
            Some(_) if count > 0 => count * span.layout(0)?.head.numbers(),
            _ => (0..count).try_fold(0, |clocks, row| Ok(clocks + span.layout(row)?.head.numbers()))?,
        };
        span.clocks = take_column(&mut source, clocks)?;
        if version == VERSION_WITH_MARKS {
            span.marks = marks::Packed::take(&mut source)?;
        }
        if source.is_empty() { Ok(span) } else { Err(Damage("a span is too long")) }
    }

    fn layout(&self, row: usize) -> Result<&Layout, Damage> {
        let index = self.layout_of.get(row).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.layouts.get(index)).ok_or(Damage("a reading has no layout"))
    }

    /// The series in it, each once.
    pub(crate) fn series(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.layouts.iter().flat_map(|layout| layout.series.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Which readings have a series, as their rows; `None` where all have it.
    pub(crate) fn rows_of(&self, series: u32) -> Result<Option<Vec<usize>>, Damage> {
        let has: Vec<bool> = self.layouts.iter().map(|layout| layout.series.contains(&series)).collect();
        if has.iter().all(|&has| has) {
            return Ok(None);
        }
        let mut rows = Vec::new();
        for row in 0..self.count {
            let layout = self.layout_of.get(row).and_then(|index| usize::try_from(index).ok());
            match layout.and_then(|layout| has.get(layout)) {
                Some(true) => rows.push(row),
                Some(false) => {}
                None => return Err(Damage("a reading has no layout")),
            }
        }
        Ok(Some(rows))
    }

    /// The time of a reading, in microseconds since 1970.
    pub(crate) fn time(&self, row: usize) -> Result<i64, Damage> {
        self.times.get(row).ok_or(Damage("a time is missing"))
    }

    /// The first row at or after a time.
    pub(crate) fn first_at(&self, time: i64) -> Result<usize, Damage> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            if self.time(middle)? < time { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// The quality of all readings, where they have the same.
    pub(crate) fn one_quality(&self) -> Result<Option<crate::reading::Quality>, Damage> {
        self.qualities.constant().map(quality_of).transpose()
    }

    /// The quality of a reading.
    pub(crate) fn quality(&self, row: usize) -> Result<crate::reading::Quality, Damage> {
        quality_of(self.qualities.get(row).ok_or(Damage("a quality is missing"))?)
    }
}

impl Layout {
    fn take(source: &mut Source<'_>) -> Result<Self, Damage> {
        let mut bytes = Source::new(source.bytes()?);
        let head = Head::take(&mut bytes)?;
        if !bytes.is_empty() {
            return Err(Damage("a head is too long"));
        }
        let count = source.count()?;
        let series = (0..count)
            .map(|_| u32::try_from(source.number()?).map_err(|_| Damage("no such series")))
            .collect::<Result<_, _>>()?;
        Ok(Self { head, series })
    }
}

/// A block with the name of its series.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) code: Code,
    pub(crate) unit: Option<Unit>,
    pub(crate) block: Opened,
}

/// Reads the readings of an opened span one after the other.
#[derive(Debug)]
pub(crate) struct Readings {
    span: Span,
    blocks: Vec<(Named, Cursor)>,
    /// By layout, the place of each of its registers in `blocks`.
    places: Vec<Vec<usize>>,
    /// By layout, whether all its registers are numbers and nothing else.
    plain: Vec<bool>,
    row: usize,
    clock: usize,
}

impl Readings {
    /// `open` gives the block of a series with so many rows.
    pub(crate) fn new<E: From<Damage>>(
        span: Span,
        mut open: impl FnMut(u32, usize) -> Result<Named, E>,
    ) -> Result<Self, E> {
        let series = span.series();
        let mut blocks = Vec::with_capacity(series.len());
        for &series in &series {
            let rows = span.rows_of(series)?.map_or(span.count, |rows| rows.len());
            let named = open(series, rows)?;
            let cursor = named.block.cursor();
            blocks.push((named, cursor));
        }
        let place = |of: &u32| series.binary_search(of).unwrap_or_default();
        let places: Vec<Vec<usize>> =
            span.layouts.iter().map(|layout| layout.series.iter().map(place).collect()).collect();
        let is_plain = |place: &usize| blocks.get(*place).is_some_and(|(named, _)| named.block.is_plain());
        let plain = places.iter().map(|places| places.iter().all(is_plain)).collect();
        Ok(Self { span, blocks, places, plain, row: 0, clock: 0 })
    }

    /// The time of the next reading; `None` behind the last.
    pub(crate) fn peek(&self) -> Option<i64> {
        (self.row < self.span.count).then(|| self.span.times.get(self.row)).flatten()
    }

    /// Moves on to the first reading at or after `at`, opening none before it.
    pub(crate) fn skip_until(&mut self, at: i64) -> Result<(), Damage> {
        while self.peek().is_some_and(|next| next < at) {
            let index = self.span.layout_of.get(self.row).and_then(|index| usize::try_from(index).ok());
            let missing = Damage("a reading has no layout");
            let index = index.ok_or(missing)?;
            self.clock += self.span.layouts.get(index).ok_or(missing)?.head.numbers();
            for &place in self.places.get(index).ok_or(missing)? {
                let (named, cursor) = self.blocks.get_mut(place).ok_or(Damage("a block is missing"))?;
                cursor.skip(&named.block)?;
            }
            self.row += 1;
        }
        Ok(())
    }

    /// The layout of the next reading, where that is made of numbers only and has its instant to itself in this span.
    pub(crate) fn plain_layout(&self) -> Option<usize> {
        let index = usize::try_from(self.span.layout_of.get(self.row)?).ok()?;
        let at = self.span.times.get(self.row)?;
        let alone = |row: Option<usize>| {
            row.filter(|&row| row < self.span.count).and_then(|row| self.span.times.get(row)) != Some(at)
        };
        let is_plain = *self.plain.get(index)?;
        (is_plain && alone(self.row.checked_sub(1)) && alone(Some(self.row + 1))).then_some(index)
    }

    /// Code and unit of each register of a layout.
    pub(crate) fn registers(&self, layout: usize) -> Vec<(Code, Option<Unit>)> {
        let places = self.places.get(layout).map(Vec::as_slice).unwrap_or_default();
        let blocks = places.iter().filter_map(|&place| self.blocks.get(place));
        blocks.map(|(named, _)| (named.code.clone(), named.unit)).collect()
    }

    /// Where the readings of a layout came from.
    pub(crate) fn source(&self, layout: usize) -> SmolStr {
        self.span.layouts.get(layout).map(|layout| layout.head.source.clone()).unwrap_or_default()
    }

    /// The numbers of the next reading, of a [plain layout](Self::plain_layout), in its order; its time and quality.
    pub(crate) fn next_numbers(
        &mut self,
        layout: usize,
        out: &mut Vec<Decimal>,
    ) -> Result<(i64, crate::reading::Quality), Damage> {
        let (at, quality) = (self.span.time(self.row)?, self.span.quality(self.row)?);
        self.row += 1;
        self.clock += self.span.layouts.get(layout).map_or(0, |layout| layout.head.numbers());
        out.clear();
        for &place in self.places.get(layout).map(Vec::as_slice).unwrap_or_default() {
            let (named, cursor) = self.blocks.get_mut(place).ok_or(Damage("a block is missing"))?;
            out.push(cursor.next_number(&named.block)?);
        }
        Ok((at, quality))
    }

    /// The next reading and its source.
    pub(crate) fn next(&mut self, meter: &MeterId) -> Result<Option<(Instant, Reading, SmolStr)>, Damage> {
        if self.row >= self.span.count {
            return Ok(None);
        }
        let row = self.row;
        self.row += 1;
        let at = Instant::from_unix_micros(self.span.time(row)?);
        let quality = self.span.quality(row)?;
        let index = self.span.layout_of.get(row).and_then(|index| usize::try_from(index).ok());
        let missing = Damage("a reading has no layout");
        let layout = index.and_then(|index| self.span.layouts.get(index)).ok_or(missing)?;
        let places = index.and_then(|index| self.places.get(index)).ok_or(missing)?;
        let mut clock = None;
        if layout.head.numbers() > 0 {
            clock = self.span.clocks.get(self.clock);
            self.clock += 1;
        }
        let (mut reading, source) = layout.head.fill(meter, at, quality, &mut clock.into_iter())?;
        reading.registers.reserve_exact(places.len());
        for &place in places {
            let (named, cursor) = self.blocks.get_mut(place).ok_or(Damage("a block is missing"))?;
            reading.registers.push(cursor.next(&named.block, &named.code, named.unit)?);
        }
        Ok(Some((at, reading, source)))
    }
}
