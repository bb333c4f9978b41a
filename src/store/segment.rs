//! Segments: the stretches over which a counter runs on, so that differences make sense.
//!
//! A counter can roll over, be set back, belong to a new meter, or be misread once with a right checksum. Differences are
//! only taken inside a segment, so no sum is ever negative. The rules, in order, for a value after the last good one:
//!
//! | the value | is | what it does |
//! |---|---|---|
//! | no lower, and no faster than 100 kW | good | counts on |
//! | lower by one last digit | rounding between two telegram types | nothing |
//! | near zero after a value near the top of the digits, and the wrapped step is no faster than 100 kW | a rollover | begins a segment; the wrapped step counts |
//! | anything else | doubtful | waits |
//!
//! Doubtful values that are followed by a good one were misread: they are an *outlier* and do not count. Three doubtful
//! values in a row that go on from each other are a new level: a segment begins with the first of them, and nothing is
//! computed across. The top of the digits is a power of ten of the register's resolution, or 2^32 of it.

use crate::reading::{Quantity, Unit};

/// Why a segment begins, or a stretch does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// The digits ran out: the counter began again at zero, and went on by `step` of its last digits.
    Rollover {
        /// From the last value before to the first after, over the top.
        step: i64,
    },
    /// The counter stands lower than before, and stays there: set back, or another meter.
    Lower,
    /// The counter stands higher than it can have run, and stays there.
    Higher,
    /// Somebody said so.
    Said,
}

/// How fast a counter can run at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Power of ten of the mantissas, in kWh; `None` where any step is possible.
    kwh: Option<i32>,
}

/// More than any meter in a house or a small business carries, in kW.
const MAX_KW: i128 = 100;
/// This many doubtful values that go on from each other are a new level.
const SETTLED: usize = 3;

impl Pace {
    /// The pace of mantissas of a unit at an exponent.
    pub(super) fn of(unit: Option<Unit>, exponent: i8) -> Self {
        let energy = |unit: &Unit| {
            matches!(unit.quantity(), Quantity::ActiveEnergy | Quantity::ReactiveEnergy | Quantity::ApparentEnergy)
        };
        let kwh = unit.filter(energy).map(|unit| i32::from(exponent) + i32::from(unit.normal().1));
        Self { kwh }
    }

    /// Whether a counter can rise by `step` within so many microseconds; two last digits are always granted.
    pub(super) fn allows(self, step: i64, micros: i64) -> bool {
        let Some(power) = self.kwh else { return true };
        if step <= 2 {
            return true;
        }
        // step * 10^power kWh <= 100 kW * micros / 3.6e9 h
        let (ten, sides) = (10i128, (i128::from(step) * 3_600_000_000, MAX_KW * i128::from(micros.max(0))));
        let shift = ten.checked_pow(power.unsigned_abs());
        let (used, allowed) = match (shift, power < 0) {
            (Some(shift), true) => (Some(sides.0), sides.1.checked_mul(shift)),
            (Some(shift), false) => (sides.0.checked_mul(shift), Some(sides.1)),
            (None, negative) => return negative,
        };
        match (used, allowed) {
            (Some(used), Some(allowed)) => used <= allowed,
            (None, _) => false,
            (_, None) => true,
        }
    }
}

/// How many steps go back or are too fast: none in a stretch whose last value minus its first is what was used.
pub(super) fn falls(pace: Pace, times: &[i64], mantissas: &[i64]) -> i64 {
    let steps = times.windows(2).zip(mantissas.windows(2));
    let bad = steps.filter(|(times, values)| match (times, values) {
        ([before, after], [old, new]) => new < old || !pace.allows(new.saturating_sub(*old), after - before),
        _ => false,
    });
    i64::try_from(bad.count()).unwrap_or(i64::MAX)
}

/// A value of a counter: when, and its mantissa.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) at: i64,
    pub(super) value: i64,
}

/// What a tracker found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A segment begins at the second point; the first was the last of the one before.
    Begins(Point, Point, Break),
    /// The values from the first to the second time were misread.
    Outlier(i64, i64),
    /// The counter ran from one good value to the next.
    Step(Point, Point),
}

/// Follows one counter through its values in order of time.
#[derive(Debug)]
pub(super) struct Tracker {
    pace: Pace,
    good: Option<Point>,
    doubtful: Vec<Point>,
}

impl Tracker {
    pub(super) const fn new(pace: Pace) -> Self {
        Self { pace, good: None, doubtful: Vec::new() }
    }

    /// The last good value.
    pub(super) const fn good(&self) -> Option<Point> {
        self.good
    }

    /// Whether no value waits to be judged.
    pub(super) const fn is_settled(&self) -> bool {
        self.doubtful.is_empty()
    }

    /// Takes it on from a value that is known to be good, whatever came before.
    pub(super) fn jump(&mut self, to: Point) {
        self.good = Some(to);
        self.doubtful.clear();
    }

    /// The next value; what it settles goes to `sink`.
    pub(super) fn push(&mut self, next: Point, sink: &mut impl FnMut(Found)) {
        let Some(good) = self.good else {
            self.good = Some(next);
            return;
        };
        if next.value >= good.value && self.follows(good, next) {
            self.take_back(sink);
            sink(Found::Step(good, next));
            self.good = Some(next);
            return;
        }
        if next.value == good.value.wrapping_sub(1) && self.doubtful.is_empty() {
            return;
        }
        if self.doubtful.is_empty()
            && let Some(step) = self.rollover(good, next)
        {
            sink(Found::Begins(good, next, Break::Rollover { step }));
            self.good = Some(next);
            return;
        }
        if let Some(&last) = self.doubtful.last()
            && !self.follows(last, next)
        {
            // Not one new level: what came before was a misreading of its own.
            self.take_back(sink);
        }
        self.doubtful.push(next);
        if self.doubtful.len() >= SETTLED
            && let Some(&first) = self.doubtful.first()
        {
            let kind = if first.value < good.value { Break::Lower } else { Break::Higher };
            sink(Found::Begins(good, first, kind));
            let level = std::mem::take(&mut self.doubtful);
            for pair in level.windows(2) {
                if let [old, new] = pair {
                    sink(Found::Step(*old, *new));
                }
            }
            self.good = Some(next);
        }
    }

    fn follows(&self, old: Point, new: Point) -> bool {
        new.value >= old.value && self.pace.allows(new.value.saturating_sub(old.value), new.at - old.at)
    }

    /// The doubtful values were misread.
    fn take_back(&mut self, sink: &mut impl FnMut(Found)) {
        if let (Some(first), Some(last)) = (self.doubtful.first(), self.doubtful.last()) {
            sink(Found::Outlier(first.at, last.at));
        }
        self.doubtful.clear();
    }

    /// The step over the top of the digits, where it is one.
    fn rollover(&self, old: Point, new: Point) -> Option<i64> {
        self.pace.kwh?;
        let tops = (3..18).filter_map(|digits| 10i64.checked_pow(digits)).chain([1i64 << 32]);
        tops.filter_map(|top| {
            let fits = old.value < top && old.value > top / 10 * 9 && new.value >= 0 && new.value < top / 10;
            let step = fits.then(|| top - old.value + new.value)?;
            self.pace.allows(step, new.at - old.at).then_some(step)
        })
        .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values a minute apart; what was found, and the sum of what counts, in last digits.
    fn follow(values: &[i64]) -> (Vec<Found>, i64) {
        let mut tracker = Tracker::new(Pace::of(Some(Unit::KWH), -3));
        let (mut found, mut sum) = (Vec::new(), 0);
        for (minute, &value) in values.iter().enumerate() {
            let at = i64::try_from(minute).unwrap() * 60_000_000;
            tracker.push(Point { at, value }, &mut |what| match what {
                Found::Step(old, new) => sum += new.value - old.value,
                Found::Begins(.., Break::Rollover { step }) => {
                    sum += step;
                    found.push(what);
                }
                _ => found.push(what),
            });
        }
        (found, sum)
    }

    #[test]
    fn a_counter_that_runs_on_is_one_segment() {
        assert_eq!(follow(&[5000, 5010, 5010, 5100]), (vec![], 100));
    }

    #[test]
    fn a_rollover_counts_its_wrapped_step() {
        let (found, sum) = follow(&[999_999_980, 999_999_990, 10, 30]);
        assert!(matches!(found[..], [Found::Begins(_, _, Break::Rollover { step: 20 })]), "{found:?}");
        assert_eq!(sum, 50);
        // 2^32 Wh.
        assert_eq!(follow(&[4_294_967_290, 14]).1, 20);
    }

    #[test]
    fn a_zero_that_is_not_repeated_does_not_count() {
        let (found, sum) = follow(&[5000, 5010, 0, 5020, 5030]);
        assert!(matches!(found[..], [Found::Outlier(120_000_000, 120_000_000)]), "{found:?}");
        assert_eq!(sum, 30);
    }

    #[test]
    fn an_absurd_value_does_not_count() {
        assert_eq!(follow(&[5000, 5010, 987_654_321, 5020, 5030]).1, 30);
        assert_eq!(follow(&[5000, 5010, 987_654_321, 0, 5020, 5030]).1, 30);
    }

    #[test]
    fn a_new_level_begins_a_segment() {
        let (found, sum) = follow(&[5000, 5010, 100, 110, 120, 130]);
        assert!(matches!(found[..], [Found::Begins(_, Point { value: 100, .. }, Break::Lower)]), "{found:?}");
        assert_eq!(sum, 40);
        let (found, sum) = follow(&[5000, 5010, 9_000_000, 9_000_010, 9_000_020]);
        assert!(matches!(found[..], [Found::Begins(_, _, Break::Higher)]), "{found:?}");
        assert_eq!(sum, 30);
    }

    #[test]
    fn one_last_digit_less_is_rounding() {
        assert_eq!(follow(&[5000, 4999, 5000, 5001]), (vec![], 1));
    }

    proptest::proptest! {
        #[test]
        fn no_sum_is_ever_negative(values in proptest::collection::vec(0i64..2_000_000_000, 0..60)) {
            proptest::prop_assert!(follow(&values).1 >= 0);
        }
    }
}
