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

use super::bytes::{Source, unseal};
use super::column::{Cursor, Opened};
use super::ints::{Ints, take_column};
use super::skeleton::{Head, quality_of};
use super::{Damage, MAX_ROWS, marks};
use crate::reading::{Code, Decimal, Instant, MeterId, Reading, Unit};
use smol_str::SmolStr;

pub(super) const VERSION: u8 = 1;
pub(super) const VERSION_WITH_MARKS: u8 = 2;

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

    /// The place of the first at or after a time among some rows, or among all.
    pub(crate) fn first_at(&self, rows: Option<&[usize]>, time: i64) -> Result<usize, Damage> {
        let (mut low, mut high) = (0, rows.map_or(self.count, <[usize]>::len));
        while low < high {
            let middle = low.midpoint(high);
            let row = rows.map_or(Some(middle), |rows| rows.get(middle).copied());
            if self.time(row.unwrap_or(usize::MAX))? < time { low = middle + 1 } else { high = middle }
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
        if let (Some(0), [true], [layout]) = (self.span.layout_of.constant(), &self.plain[..], &self.span.layouts[..]) {
            // Every row is a number in each of the blocks.
            let count = self.span.first_at(None, at)?.saturating_sub(self.row);
            self.row += count;
            self.clock += count * layout.head.numbers();
            self.blocks.iter_mut().for_each(|(_, cursor)| cursor.pass(count));
            return Ok(());
        }
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
