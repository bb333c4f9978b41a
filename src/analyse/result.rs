//! What an analysis gives.

use crate::reading::{Calendar, Decimal, Instant, MeterId, Obis, Zone};
use crate::store::Break;
use std::ops::Range;

/// A meter over a time.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// Which meter.
    pub meter: MeterId,
    /// The zone of the rows.
    pub zone: Zone,
    /// What a row is.
    pub calendar: Calendar,
    /// The rows, in order of time, without gaps between them.
    pub rows: Vec<Row>,
    /// All of them together.
    pub whole: Row,
    /// Where segments of the counters begin within the rows.
    pub breaks: Vec<Breach>,
    /// The duration curve of the power, where it was asked for and there is power.
    pub curve: Option<Vec<Level>>,
}

/// A segment of a counter begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breach {
    /// The counter.
    pub register: Obis,
    /// The first value of the segment.
    pub at: Instant,
    /// Why.
    pub why: Break,
}

/// A point of a duration curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Per mille of all readings.
    pub share: u64,
    /// The power, in W, that so many of them reach or exceed.
    pub power: Decimal,
}

/// One period.
#[derive(Debug, Clone)]
pub struct Row {
    /// From when to when.
    pub period: Range<Instant>,
    /// Whether it is over.
    pub is_over: bool,
    /// How many readings there are.
    pub readings: u64,
    /// How many of them are doubtful.
    pub doubtful: u64,
    /// How complete the readings are.
    pub cover: Cover,
    /// Active energy taken, in kWh.
    pub import: Option<Energies>,
    /// Active energy fed in, in kWh.
    pub export: Option<Energies>,
    /// Energies of the tariffs beside a total, in kWh.
    pub tariffs: Vec<(Obis, Option<Energies>)>,
    /// How many segments begin in it; rollovers are not counted.
    pub breaks: u64,
    /// The mean power that the energies come to, export negative, in W.
    pub mean_power: Option<Decimal>,
    /// The readings of the power, in W.
    pub power: Option<Spread>,
    /// Median, and the values that 95 and 99 of 100 readings of the power do not exceed.
    pub percentiles: Option<[Decimal; 3]>,
    /// The highest mean over a quarter of an hour, in W.
    pub demand: Option<Demand>,
    /// What is drawn all the time, in W.
    pub base_load: Option<Decimal>,
    /// Mean over maximum demand.
    pub load_factor: Option<Decimal>,
    /// What feeding in says about one's own consumption.
    pub surplus: Option<Surplus>,
    /// Voltages of the phases, in V.
    pub voltages: [Option<Spread>; 3],
    /// Currents of the phases, in A.
    pub currents: [Option<Spread>; 3],
    /// Hz.
    pub frequency: Option<Spread>,
    /// The power factor.
    pub factor: Option<Spread>,
    /// In per cent, by how much the mean voltage of a phase is off the mean of the three.
    pub voltage_unbalance: Option<Decimal>,
    /// The same of the currents.
    pub current_unbalance: Option<Decimal>,
    /// The energy taken in parts of the row: days of a month, hours of a day.
    pub parts: Vec<Option<Decimal>>,
}

/// Energies of a counter in a row, in kWh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Energies {
    /// All of it.
    pub energy: Decimal,
    /// As much of it was divided at the ends of the row, because no reading lies there.
    pub interpolated: Decimal,
    /// As much of it was counted in holes, so that nobody knows when.
    pub in_holes: Decimal,
}

/// How complete readings are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cover {
    /// The length of what is over, in microseconds.
    pub elapsed: i64,
    /// As much of it has readings.
    pub covered: i64,
    /// How many holes reach into it.
    pub holes: u64,
}

impl Cover {
    /// The share that has readings, rounded down to four decimals; `None` where nothing is over.
    #[must_use]
    pub fn share(self) -> Option<Decimal> {
        let scaled = i128::from(self.covered) * 10_000;
        let share = scaled.checked_div(i128::from(self.elapsed))?;
        Some(Decimal::new(i64::try_from(share).ok()?, -4))
    }
}

/// Values over a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// The mean over time, with one digit more than the values; `None` where none stood for any time.
    pub mean: Option<Decimal>,
    /// The lowest.
    pub min: Decimal,
    /// When it came first.
    pub min_at: Instant,
    /// The highest.
    pub max: Decimal,
    /// When it came first.
    pub max_at: Instant,
    /// Of how many means over ten minutes, how many are within 230 V ± 10 %.
    pub within: Option<(u64, u64)>,
}

/// The highest mean over a quarter of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// W.
    pub power: Decimal,
    /// When the quarter begins.
    pub at: Instant,
    /// Whether it was worked out of the counter; else of the readings of the power.
    pub is_counted: bool,
}

/// Hints for one's own consumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surplus {
    /// kWh that were fed in and taken again on the same day.
    pub shiftable: Decimal,
    /// The share of quarters of an hour in which something was fed in.
    pub share: Option<Decimal>,
}

/// `a × p` in per cent of `b × q`, rounded half to even to one decimal; `None` where `b` or `q` is nothing.
#[must_use]
pub fn ratio(a: Decimal, b: Decimal, (p, q): (i64, i64)) -> Option<Decimal> {
    let exponent = a.exponent().min(b.exponent());
    let at = |number: Decimal, times: i64| {
        let power = 10i128.checked_pow(u32::from(number.exponent().abs_diff(exponent)))?;
        i128::from(number.mantissa()).checked_mul(power)?.checked_mul(i128::from(times))
    };
    let (above, below) = (at(a, p)?.checked_mul(100)?, at(b, q)?);
    super::part::rounded(above * below.signum(), below.checked_abs()?, 0, -1)
}
