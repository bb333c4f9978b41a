//! Which registers of a meter make up which quantity.
//!
//! The rules are those of the columns (`reading::Columns`): a quantity's own register goes before those that stand in for it.
//! Counters are never added up before they are followed, for each of them may have its own segments.

use crate::reading::{Obis, Quantity};
use crate::store::{Numbers, Series, Sheet};

/// One register, in whatever units the meter sent it.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) obis: Obis,
    /// Its series and by how much their point moves to the normal unit.
    members: Vec<(usize, i8)>,
    /// The power of ten of its values, in the normal unit.
    pub(super) exponent: i8,
}

/// Values of a track in a sheet: digits at one power of ten, and the rows that have them.
pub(super) type Values = (Option<Vec<usize>>, Vec<i64>);

/// A number of each of these, to be added with its sign.
pub(super) type Formula = Vec<(i64, Track)>;

/// All that is analysed of a meter.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    /// The registers that make up the energy taken.
    pub(super) import: Vec<Track>,
    pub(super) export: Vec<Track>,
    /// Tariffs beside a total.
    pub(super) tariffs: Vec<Track>,
    /// By preference.
    pub(super) power: Vec<Formula>,
    pub(super) voltages: [Option<Track>; 3],
    pub(super) currents: [Option<Track>; 3],
    pub(super) frequency: Option<Track>,
    pub(super) factor: Option<Track>,
}

/// The series that are needed, and who looks for what among them.
struct Finder<'s> {
    all: &'s [Series],
}

impl Finder<'_> {
    fn track(&self, c: u8, d: u8, e: u8, quantity: Option<Quantity>) -> Option<Track> {
        let of = |series: &Series| {
            let [1, channel, own, of, tariff, 255] = series.code.obis()?.octets() else { return None };
            let tariff = if of == 7 && tariff == 255 { 0 } else { tariff };
            let fits = match quantity {
                Some(quantity) => series.unit.is_some_and(|unit| unit.quantity() == quantity),
                None => series.unit.is_none(),
            };
            ((own, of, tariff) == (c, d, e) && fits && series.nth == 0).then_some(channel)
        };
        let lowest = self.all.iter().filter_map(of).min()?;
        let members = self.all.iter().enumerate().filter(|(_, series)| of(series) == Some(lowest));
        let members = members.map(|(index, series)| (index, series.unit.map_or(0, |unit| unit.normal().1))).collect();
        Some(Track { obis: Obis::new(1, lowest, c, d, e, 255), members, exponent: 0 })
    }

    /// The total, or else the tariffs, or else the phases; and the tariffs beside a total.
    fn energy(&self, c: u8) -> (Vec<Track>, Vec<Track>) {
        let counter = |c, e| self.track(c, 8, e, Some(Quantity::ActiveEnergy));
        let tariffs: Vec<Track> = (1..=63).filter_map(|tariff| counter(c, tariff)).collect();
        match counter(c, 0) {
            Some(total) => (vec![total], tariffs),
            None if tariffs.is_empty() => {
                let phases = [20, 40, 60].map(|phase| counter(phase + c, 0));
                (phases.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default(), Vec::new())
            }
            None => (tariffs, Vec::new()),
        }
    }

    fn power(&self) -> Vec<Formula> {
        let watts = |c: u8| self.track(c, 7, 0, Some(Quantity::ActivePower));
        let mut formulas = Vec::new();
        formulas.extend(watts(16).map(|net| vec![(1, net)]));
        match (watts(1), watts(2)) {
            (Some(import), Some(export)) => formulas.push(vec![(1, import), (-1, export)]),
            (Some(import), None) => formulas.push(vec![(1, import)]),
            (None, Some(export)) => formulas.push(vec![(-1, export)]),
            (None, None) => {}
        }
        let phase = |base: u8| match (watts(36 + base), watts(21 + base), watts(22 + base)) {
            (Some(net), ..) => vec![(1, net)],
            (None, Some(import), Some(export)) => vec![(1, import), (-1, export)],
            (None, import, export) => {
                import.map(|import| (1, import)).into_iter().chain(export.map(|export| (-1, export))).collect()
            }
        };
        let phases = [0, 20, 40].map(phase);
        let three = phases.iter().all(|terms| !terms.is_empty());
        let one = phases.get(1..).is_some_and(|others| others.iter().all(Vec::is_empty));
        if three || (one && !self.is_three_phase()) {
            let terms: Formula = phases.into_iter().flatten().collect();
            formulas.extend((!terms.is_empty()).then_some(terms));
        }
        formulas.extend(watts(15).map(|absolute| vec![(1, absolute)]));
        formulas
    }

    fn is_three_phase(&self) -> bool {
        let of_others = |series: &Series| {
            series.code.obis().is_some_and(|obis| obis.a() == 1 && matches!(obis.c(), 41..=80 | 124..=126))
        };
        self.all.iter().any(of_others)
    }

    fn phases(&self, codes: [u8; 3], any: u8, quantity: Quantity) -> [Option<Track>; 3] {
        let mut phases = codes.map(|c| self.track(c, 7, 0, Some(quantity)));
        if let [first @ None, ..] = &mut phases
            && !self.is_three_phase()
        {
            *first = self.track(any, 7, 0, Some(quantity));
        }
        phases
    }
}

/// What is wanted of the registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) tariffs: bool,
    pub(super) power: bool,
    pub(super) quality: bool,
}

impl Tracks {
    /// What a meter's series say, as far as it is wanted; and the series that takes, to which the tracks refer.
    pub(super) fn of(all: &[Series], chosen: Chosen) -> (Self, Vec<Series>) {
        let finder = Finder { all };
        let ((import, mut tariffs), (export, more)) = (finder.energy(1), finder.energy(2));
        tariffs.extend(more);
        let mut tracks = Self { import, export, ..Self::default() };
        if chosen.tariffs {
            tracks.tariffs = tariffs;
        }
        if chosen.power {
            tracks.power = finder.power();
        }
        if chosen.quality {
            tracks.voltages = finder.phases([32, 52, 72], 12, Quantity::Voltage);
            tracks.currents = finder.phases([31, 51, 71], 11, Quantity::Current);
            tracks.frequency = finder.track(14, 7, 0, Some(Quantity::Frequency));
            tracks.factor = finder.track(13, 7, 0, None).or_else(|| {
                let of_l1 = finder.track(33, 7, 0, None);
                of_l1.filter(|_| !finder.is_three_phase())
            });
        }
        let mut used: Vec<usize> = Vec::new();
        // The power last, so that it can be left away.
        for track in tracks.each().chain(tracks.power.iter().flatten().map(|(_, track)| track)) {
            for (index, _) in &track.members {
                if !used.contains(index) {
                    used.push(*index);
                }
            }
        }
        for track in tracks.each_mut() {
            for (index, _) in &mut track.members {
                *index = used.iter().position(|used| used == index).unwrap_or_default();
            }
        }
        let series = used.into_iter().filter_map(|index| all.get(index).cloned()).collect();
        (tracks, series)
    }

    /// All but those of the power.
    fn each(&self) -> impl Iterator<Item = &Track> {
        let counters = self.import.iter().chain(&self.export).chain(&self.tariffs);
        let phases = self.voltages.iter().chain(&self.currents).flatten();
        counters.chain(phases).chain(&self.frequency).chain(&self.factor)
    }

    /// Leaves the power and its series away.
    pub(super) fn leave_power(&mut self, series: &mut Vec<Series>) {
        self.power.clear();
        let kept = self.each().flat_map(|track| track.members.iter().map(|(index, _)| index + 1)).max();
        // One is always left: without any, there would be no readings.
        series.truncate(kept.unwrap_or(1));
    }

    fn each_mut(&mut self) -> impl Iterator<Item = &mut Track> {
        let counters = self.import.iter_mut().chain(&mut self.export).chain(&mut self.tariffs);
        let power = self.power.iter_mut().flatten().map(|(_, track)| track);
        let phases = self.voltages.iter_mut().chain(&mut self.currents).flatten();
        counters.chain(power).chain(phases).chain(&mut self.frequency).chain(&mut self.factor)
    }

    /// Tells the tracks how fine the numbers of each series are.
    pub(super) fn settle(&mut self, finest: &[Option<i8>]) {
        for track in self.each_mut() {
            let normal = |&(index, shift): &(usize, i8)| {
                finest.get(index).copied().flatten().map(|exponent| exponent.saturating_add(shift))
            };
            track.exponent = track.members.iter().filter_map(normal).min().unwrap_or_default();
        }
    }
}

impl Track {
    /// Its values in a sheet, and whether a counter only rose; taken out where they can be.
    pub(super) fn values(&self, sheet: &mut Sheet) -> Option<(Values, bool)> {
        let there = |(index, _): &&(usize, i8)| sheet.numbers.get(*index).is_some_and(Option::is_some);
        let &(index, shift) = self.members.iter().find(there)?;
        let numbers = sheet.numbers.get_mut(index)?.take()?;
        let places = i16::from(numbers.exponent) + i16::from(shift) - i16::from(self.exponent);
        let Numbers { mut mantissas, mut rows, is_steady, .. } = numbers;
        if places == 0 {
            return Some(((rows, mantissas), is_steady));
        }
        // What does not fit at the finest scale of all is no value of a household's meter.
        let power = u32::try_from(places).ok().and_then(|places| 10i64.checked_pow(places));
        let scaled: Vec<Option<i64>> =
            mantissas.iter().map(|mantissa| mantissa.checked_mul(power.unwrap_or(i64::MAX))).collect();
        if scaled.contains(&None) {
            let own = rows.unwrap_or_else(|| (0..mantissas.len()).collect());
            rows = Some(own.into_iter().zip(&scaled).filter_map(|(row, value)| value.map(|_| row)).collect());
        }
        mantissas = scaled.into_iter().flatten().collect();
        // At a finer scale a step may be too fast that was within the last two digits before.
        Some(((rows, mantissas), false))
    }
}

/// The power of ten of a formula's values.
pub(super) fn exponent_of(formula: &Formula) -> i8 {
    formula.iter().map(|(_, track)| track.exponent).min().unwrap_or_default()
}

/// What a formula comes to in a sheet, at a power of ten; `None` where a term is missing.
pub(super) fn combine(formula: &Formula, exponent: i8, sheet: &mut Sheet) -> Option<Values> {
    let there =
        |track: &Track| track.members.iter().any(|(index, _)| sheet.numbers.get(*index).is_some_and(Option::is_some));
    if !formula.iter().all(|(_, track)| there(track)) {
        return None;
    }
    let mut sum: Option<Values> = None;
    for (sign, track) in formula {
        let ((rows, mut values), _) = track.values(sheet)?;
        let places = u32::try_from(i16::from(track.exponent) - i16::from(exponent)).ok()?;
        let power = 10i64.checked_pow(places)?.checked_mul(*sign)?;
        if power != 1 {
            values.iter_mut().for_each(|value| *value = value.saturating_mul(power));
        }
        sum = Some(match sum {
            None => (rows, values),
            Some(before) => add(before, (rows, values)),
        });
    }
    sum.filter(|(_, values)| !values.is_empty())
}

/// The sums in the rows that have both.
fn add(a: Values, b: Values) -> Values {
    if a.0 == b.0 {
        return (a.0, a.1.iter().zip(&b.1).map(|(a, b)| a.saturating_add(*b)).collect());
    }
    let rows_of = |(rows, values): &Values| rows.clone().unwrap_or_else(|| (0..values.len()).collect());
    let (rows_a, rows_b) = (rows_of(&a), rows_of(&b));
    let (mut rows, mut sums) = (Vec::new(), Vec::new());
    let mut other = rows_b.iter().zip(&b.1).peekable();
    for (row, value) in rows_a.iter().zip(&a.1) {
        while other.next_if(|(behind, _)| *behind < row).is_some() {}
        if let Some((_, more)) = other.next_if(|(same, _)| *same == row) {
            rows.push(*row);
            sums.push(value.saturating_add(*more));
        }
    }
    (Some(rows), sums)
}
