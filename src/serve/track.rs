//! The quantities of a history: where each comes from, and steps made of their values.

use super::app::Question;
use super::failure::Failure;
use super::measures::each_values;
use super::step::Pace;
use crate::document::{Values, column_key};
use crate::reading::{
    Code, Column, Decimal, Instant, Kind, MeterId, Protocol, Reading, Register, TariffMemory, Unit, Zone, kind_of,
};
use crate::store::Series;
use std::ops::{ControlFlow, Range};

/// A quantity that a history can be of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Column(Column),
    /// A register, by its reduced code.
    Code(String),
}

impl Name {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == "puissance_active" {
            return Some(Self::Column(Column::PowerTotal));
        }
        let column = Column::ALL.into_iter().find(|&column| column_key(column) == text);
        column.map(Self::Column).or_else(|| {
            let code = Code::parse(text.as_bytes());
            code.obis().map(|_| Self::Code(code.key().to_string()))
        })
    }

    /// The key in an answer.
    pub(super) fn key(&self) -> &str {
        match self {
            // The one name that differs from the column's, as in the archive.
            Self::Column(Column::PowerTotal) => "puissance_active",
            Self::Column(column) => column_key(*column),
            Self::Code(code) => code,
        }
    }
}

/// Where the values of a quantity come from.
#[derive(Debug, Clone)]
enum Source {
    /// The meter never sends it.
    Nowhere,
    /// A register; a series for each unit it ever had.
    Register(Vec<Series>),
    /// Import less export.
    Difference(Vec<Series>, Vec<Series>),
    /// What the rules of the columns make of each reading.
    Rules,
}

/// A quantity of a meter.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) name: Name,
    pub(super) unit: Option<Unit>,
    pub(super) is_counter: bool,
    source: Source,
}

impl Track {
    /// What there is of a quantity, `series` being all the meter ever sent.
    pub(super) fn of(name: Name, series: &[Series], memory: TariffMemory) -> Self {
        match name {
            Name::Code(ref code) => {
                let own: Vec<Series> =
                    series.iter().filter(|s| s.nth == 0 && s.code.key() == code.as_str()).cloned().collect();
                let unit = own.first().and_then(|series| series.unit).map(|unit| unit.normal().0);
                let is_counter = own.first().is_some_and(|series| kind_of(&series.code) == Some(Kind::Counter));
                let source = if own.is_empty() { Source::Nowhere } else { Source::Register(own) };
                Self { name, unit, is_counter, source }
            }
            Name::Column(column) => {
                let is_counter = matches!(column, Column::EnergyImport | Column::EnergyExport);
                Self { name, unit: column.unit(), is_counter, source: Source::of(column, series, memory) }
            }
        }
    }

    /// The series whose numbers it is made of; `None` where whole readings are needed.
    pub(super) fn series(&self) -> Option<Vec<Series>> {
        match &self.source {
            Source::Nowhere => Some(Vec::new()),
            Source::Register(own) => Some(own.clone()),
            Source::Difference(import, export) => Some(import.iter().chain(export).cloned().collect()),
            Source::Rules => None,
        }
    }

    /// Its value in a row that has the numbers of [`Track::series`].
    fn value(&self, row: &[Option<Decimal>]) -> Option<Decimal> {
        let first = |series: &[Series], row: &[Option<Decimal>]| {
            series.iter().zip(row).find_map(|(series, number)| {
                let shift = series.unit.map_or(0, |unit| unit.normal().1);
                (*number)?.shifted(shift)
            })
        };
        match &self.source {
            Source::Register(own) => {
                // A factor above one is no factor.
                first(own, row)
                    .filter(|value| self.name != Name::Column(Column::PowerFactor) || value.abs() <= Decimal::from(1))
            }
            Source::Difference(import, export) => {
                let (ours, theirs) = row.split_at_checked(import.len())?;
                let import = first(import, ours)?;
                first(export, theirs).map_or(Some(import), |export| import.checked_sub(export))
            }
            Source::Nowhere | Source::Rules => None,
        }
    }
}

impl Source {
    fn of(column: Column, series: &[Series], memory: TariffMemory) -> Self {
        let quantity = column.unit().map(Unit::quantity);
        // The first channel that has it, as in the columns of one telegram.
        let register = |wanted: crate::reading::Obis| -> Vec<Series> {
            let fits = |series: &&Series, channel: u8| {
                series.nth == 0
                    && series.unit.map(Unit::quantity) == quantity
                    && series.code.obis().map(crate::reading::Obis::octets).is_some_and(|octets| {
                        let [1, b, c, d, e, 255] = octets else { return false };
                        let [_, _, wc, wd, we, _] = wanted.octets();
                        b == channel && (c, d) == (wc, wd) && (e == we || (d == 7 && e == 255))
                    })
            };
            let channels = (0..=u8::MAX).map(|channel| series.iter().filter(|s| fits(s, channel)).cloned().collect());
            channels.into_iter().find(|found: &Vec<Series>| !found.is_empty()).unwrap_or_default()
        };
        let own = register(column.register());
        if !own.is_empty() {
            return Self::Register(own);
        }
        // What a telegram of every register there ever was would give.
        let mut all = Reading::new(Protocol::Sml);
        let small = Decimal::new(1, -1);
        all.registers = series.iter().map(|s| Register::number(s.code.clone(), small, s.unit)).collect();
        let mut memory = memory;
        if Values::of(&all, &mut memory).column(column).is_none() {
            // The sign of 15.7.0 comes with a status word.
            let absolute = crate::reading::Obis::electricity(15, 7, 0);
            let is_signed = column == Column::PowerTotal && series.iter().any(|s| s.code.obis() == Some(absolute));
            return if is_signed { Self::Rules } else { Self::Nowhere };
        }
        if column == Column::PowerTotal {
            let power = |c| register(crate::reading::Obis::electricity(c, 7, 0));
            let (import, export) = (power(1), power(2));
            if !import.is_empty() {
                return Self::Difference(import, export);
            }
        }
        Self::Rules
    }
}

/// A value stands until the next one, for so long at most.
pub(super) const STANDS: i64 = 15 * 60 * 1_000_000;

/// A step of a quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) min: Decimal,
    pub(super) max: Decimal,
    pub(super) first: Decimal,
    pub(super) last: Decimal,
    sum: i128,
    exponent: i8,
    weight: i64,
}

impl Cell {
    fn new((start, end): (i64, i64), value: Decimal) -> Self {
        let exponent = value.exponent().min(0);
        Self { start, end, min: value, max: value, first: value, last: value, sum: 0, exponent, weight: 0 }
    }

    /// A value stood for so long in it.
    fn add(&mut self, value: Decimal, micros: i64) {
        if micros > 0 {
            self.add_scaled(i128::from(value.mantissa()) * i128::from(micros), value.exponent(), micros);
        }
    }

    fn add_scaled(&mut self, mut sum: i128, exponent: i8, weight: i64) {
        let finest = self.exponent.min(exponent);
        let scale = |exponent: i8| 10i128.checked_pow(u32::from(exponent.abs_diff(finest)));
        if exponent != self.exponent {
            let Some((own, other)) = scale(self.exponent).zip(scale(exponent)) else { return };
            let Some((ours, theirs)) = self.sum.checked_mul(own).zip(sum.checked_mul(other)) else { return };
            (self.sum, sum, self.exponent) = (ours, theirs, finest);
        }
        if let Some(total) = self.sum.checked_add(sum) {
            (self.sum, self.weight) = (total, self.weight.saturating_add(weight));
        }
    }

    /// Takes in what follows in the same step, or in one that is to be part of it.
    pub(super) fn join(&mut self, next: &Self) {
        self.min = self.min.min(next.min);
        self.max = self.max.max(next.max);
        self.last = next.last;
        self.add_scaled(next.sum, next.exponent, next.weight);
    }

    /// The mean by time, with the decimals of the finest value, rounded half to even.
    pub(super) fn mean(&self) -> Decimal {
        let weight = i128::from(self.weight);
        if weight == 0 {
            return self.last;
        }
        let (down, rest) = (self.sum.div_euclid(weight), self.sum.rem_euclid(weight));
        let up = match (rest * 2).cmp(&weight) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => down % 2 != 0,
        };
        i64::try_from(down + i128::from(up)).map_or(self.last, |mantissa| Decimal::new(mantissa, self.exponent))
    }
}

/// Makes steps of values in order of time.
#[derive(Debug)]
pub(super) struct Fold {
    pace: Pace,
    zone: Zone,
    pub(super) cells: Vec<Cell>,
    before: Option<(i64, Decimal)>,
}

impl Fold {
    /// `before` is the value that came last before the first.
    pub(super) const fn new(pace: Pace, zone: Zone, before: Option<(i64, Decimal)>) -> Self {
        Self { pace, zone, cells: Vec::new(), before }
    }

    pub(super) fn push(&mut self, at: i64, value: Decimal) {
        let before = self.before.replace((at, value));
        // How far the value before stands.
        let stood = before.map(|(then, value)| (then, at.min(then.saturating_add(STANDS)), value));
        match self.cells.last_mut() {
            Some(cell) if at < cell.end => {
                if let Some((from, until, value)) = stood {
                    cell.add(value, until - from.max(cell.start));
                }
                cell.min = cell.min.min(value);
                cell.max = cell.max.max(value);
                cell.last = value;
                return;
            }
            Some(cell) => {
                if let Some((from, until, value)) = stood {
                    cell.add(value, until.min(cell.end) - from.max(cell.start));
                }
            }
            None => {}
        }
        let mut cell = Cell::new(self.pace.around(at, self.zone), value);
        if let Some((from, until, value)) = stood {
            cell.add(value, until - from.max(cell.start));
        }
        self.cells.push(cell);
    }

    /// The steps; the last value stands on to the end of its own.
    pub(super) fn finish(mut self) -> Vec<Cell> {
        if let (Some(cell), Some((at, value))) = (self.cells.last_mut(), self.before) {
            cell.add(value, at.saturating_add(STANDS).min(cell.end) - at);
        }
        self.cells
    }

    /// The steps as far as the values go: what follows them is another's.
    pub(super) fn break_off(self) -> Vec<Cell> {
        self.cells
    }
}

/// The values of several quantities in a period, in order of time: which, when, what.
pub(super) fn each_value(
    question: &Question<'_>,
    meter: &MeterId,
    tracks: &[Track],
    period: Range<Instant>,
    mut sink: impl FnMut(usize, i64, Decimal),
) -> Result<(), Failure> {
    let (mut series, mut places, mut by_rules) = (Vec::new(), Vec::new(), Vec::new());
    for (index, track) in tracks.iter().enumerate() {
        match track.series() {
            Some(own) => {
                let from = series.len();
                series.extend(own);
                places.push((index, from..series.len()));
            }
            None => by_rules.push(index),
        }
    }
    if !series.is_empty() {
        for part in months(question, meter, &period)? {
            question.past().table(&series, part, |at, row, _| {
                for (index, place) in &places {
                    let value =
                        tracks.get(*index).zip(row.get(place.clone())).and_then(|(track, row)| track.value(row));
                    if let Some(value) = value {
                        sink(*index, at.unix_micros(), value);
                    }
                }
            })?;
            question.go_on()?;
        }
    }
    if !by_rules.is_empty() {
        each_values(question.past(), meter, period, |at, values, _| {
            for &index in &by_rules {
                let column = match tracks.get(index).map(|track| &track.name) {
                    Some(Name::Column(column)) => values.column(*column),
                    _ => None,
                };
                if let Some(value) = column {
                    sink(index, at.unix_micros(), value);
                }
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(())
}

/// A period in its UTC months, as far as there are readings: the store seals no stretch beyond one.
fn months(question: &Question<'_>, meter: &MeterId, period: &Range<Instant>) -> Result<Vec<Range<Instant>>, Failure> {
    let Some((first, last)) = question.past().extent(meter)? else { return Ok(Vec::new()) };
    let end = period.end.min(Instant::from_unix_micros(last.unix_micros().saturating_add(1)));
    let mut start = period.start.max(first);
    let mut parts = Vec::new();
    // Centuries, which only wrong clocks make, in longer parts.
    let years = end.utc_day().0.saturating_sub(start.utc_day().0) / 100;
    while start < end {
        let (year, month, _) = start.utc_day();
        let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let year = year.saturating_add(years);
        let next = Instant::start_of_utc_day(year, month, 1).unwrap_or(end).min(end);
        parts.push(start..next);
        start = next;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(values: &[(i64, &str)]) -> Vec<(i64, String)> {
        let mut fold = Fold::new(Pace::Seconds(60), Zone::UTC, None);
        for (second, value) in values {
            fold.push(second * 1_000_000, value.parse().unwrap());
        }
        fold.finish()
            .iter()
            .map(|cell| (cell.start / 1_000_000, format!("{} {} {}", cell.min, cell.mean(), cell.max)))
            .collect()
    }

    #[test]
    fn a_value_weighs_as_long_as_it_stood_and_a_step_without_one_is_left_out() {
        assert_eq!(
            fold(&[(0, "100"), (30, "200"), (50, "300"), (70, "0"), (300, "5")]),
            [
                (0, "100 167 300".to_owned()), // (100·30 + 200·20 + 300·10) / 60 = 166.67
                (60, "0 50 0".to_owned()),     // 300 stood for ten seconds of it
                (300, "5 5 5".to_owned()),
            ]
        );
    }

    #[test]
    fn means_have_the_decimals_of_the_values_and_are_rounded_half_to_even() {
        assert_eq!(fold(&[(0, "1"), (30, "2.0")])[0].1, "1 1.5 2.0");
        assert_eq!(fold(&[(0, "1"), (30, "2")])[0].1, "1 2 2");
        assert_eq!(fold(&[(0, "2"), (30, "3")])[0].1, "2 2 3");
        assert_eq!(fold(&[(0, "-3"), (30, "-2")])[0].1, "-3 -2 -2");
    }

    #[test]
    fn steps_that_are_made_in_parts_are_those_made_at_once() {
        let values: Vec<(i64, Decimal)> =
            (0..500).map(|n| (n * 7_000_000, Decimal::new(n * 37 % 101, i8::try_from(n % 2).unwrap() - 1))).collect();
        let mut whole = Fold::new(Pace::Seconds(60), Zone::UTC, None);
        values.iter().for_each(|&(at, value)| whole.push(at, value));
        let whole = whole.finish();
        for cut in [1, 100, 257, 499] {
            let mut first = Fold::new(Pace::Seconds(60), Zone::UTC, None);
            values[..cut].iter().for_each(|&(at, value)| first.push(at, value));
            let mut second = Fold::new(Pace::Seconds(60), Zone::UTC, values.get(cut - 1).copied());
            values[cut..].iter().for_each(|&(at, value)| second.push(at, value));
            let mut cells = first.break_off();
            for cell in second.finish() {
                match cells.last_mut() {
                    Some(last) if last.start == cell.start => last.join(&cell),
                    _ => cells.push(cell),
                }
            }
            // The value before the cut stands into the next step only in the second part.
            let shown =
                |cells: &[Cell]| cells.iter().map(|c| (c.start, c.min, c.max, c.first, c.last)).collect::<Vec<_>>();
            assert_eq!(shown(&cells), shown(&whole), "cut at {cut}");
        }
    }
}
