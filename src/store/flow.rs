//! A counter followed by whoever has its numbers already: the rules of `segment`, and what people said.

use super::meters::Correction;
use super::names::find_meter;
use super::segment::{Break, Found, Pace, Point, Tracker};
use super::{Store, StoreError};
use crate::reading::{Instant, MeterId, Unit};

/// Follows one counter through its values in order of time.
#[derive(Debug)]
pub struct Follower {
    tracker: Tracker,
    pace: Pace,
    corrections: Vec<(i64, Correction)>,
}

/// A value of a counter: microseconds since 1970, and its digits at one power of ten.
pub type Value = (i64, i64);

/// What a follower finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The counter went on from one good value to the next.
    Step {
        /// The good value before.
        from: Value,
        /// The next one.
        to: Value,
        /// By how much: last digits, never negative.
        amount: i64,
    },
    /// A segment begins; nothing is known of the time between.
    Break {
        /// The last value of the segment before.
        from: Value,
        /// The first of the new one.
        to: Value,
        /// Why.
        why: Break,
    },
}

impl Follower {
    /// A follower of numbers of a unit at a power of ten, which minds the corrections of its meter.
    #[must_use]
    pub fn new(unit: Option<Unit>, exponent: i8, corrections: &[(Instant, Correction)]) -> Self {
        let pace = Pace::of(unit, exponent);
        let corrections = corrections.iter().map(|&(at, what)| (at.unix_micros(), what)).collect();
        Self { tracker: Tracker::new(pace), pace, corrections }
    }

    /// The next value.
    pub fn push(&mut self, next: Value, sink: &mut impl FnMut(Flow)) {
        let point = |(at, value): Value| Point { at, value };
        let value = |point: Point| (point.at, point.value);
        if let Some(good) = self.tracker.good() {
            let said = |&(at, what): &(i64, Correction)| what == Correction::Split && good.at < at && at <= next.0;
            if self.corrections.iter().any(said) {
                sink(Flow::Break { from: value(good), to: next, why: Break::Said });
                self.tracker.jump(point(next));
                return;
            }
        }
        let corrections = &self.corrections;
        self.tracker.push(point(next), &mut |found| match found {
            Found::Step(from, to) => {
                sink(Flow::Step { from: value(from), to: value(to), amount: to.value.saturating_sub(from.value) });
            }
            Found::Begins(from, to, why) => {
                let (from, to) = (value(from), value(to));
                let merged = why != Break::Said && corrections.contains(&(to.0, Correction::Merge));
                match why {
                    // Somebody knows that the counter ran on here: what it rose by counts, and a fall is nothing.
                    _ if merged && to.1 >= from.1 => sink(Flow::Step { from, to, amount: to.1 - from.1 }),
                    _ if merged => {}
                    Break::Rollover { step } => {
                        sink(Flow::Step { from, to, amount: step });
                        sink(Flow::Break { from: to, to, why });
                    }
                    why => sink(Flow::Break { from, to, why }),
                }
            }
            Found::Outlier(..) => {}
        });
    }

    /// Takes a steady stretch in one go, from its first value to its last; only the step to the first goes to `sink`.
    /// `false`, and nothing is done, where it has to be looked at value by value.
    pub fn leap(&mut self, first: Value, last: Value, sink: &mut impl FnMut(Flow)) -> bool {
        let since = self.tracker.good().map_or(first.0, |good| good.at);
        if self.corrections.iter().any(|&(at, _)| since < at && at <= last.0) || !self.tracker.is_settled() {
            return false;
        }
        if let Some(good) = self.tracker.good() {
            let amount = first.1.saturating_sub(good.value);
            if amount < 0 || !self.pace.allows(amount, first.0 - good.at) {
                return false;
            }
            sink(Flow::Step { from: (good.at, good.value), to: first, amount });
        }
        self.tracker.jump(Point { at: last.0, value: last.1 });
        true
    }
}

impl Store {
    /// What people said of the segments of a meter.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn corrections(&self, meter: &MeterId) -> Result<Vec<(Instant, Correction)>, StoreError> {
        self.read(|connection, _| {
            let Some(meter) = find_meter(connection, meter)? else { return Ok(Vec::new()) };
            let said = super::meters::corrections(connection, meter.row)?;
            Ok(said.into_iter().map(|(at, what)| (Instant::from_unix_micros(at), what)).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(values: &[i64], corrections: &[(Instant, Correction)], leaping: bool) -> Vec<Flow> {
        let mut follower = Follower::new(Some(Unit::KWH), -3, corrections);
        let mut found = Vec::new();
        let points: Vec<Value> = (0i64..).map(|minute| minute * 60_000_000).zip(values.iter().copied()).collect();
        for pair in points.chunks(2) {
            let (Some(&first), Some(&last)) = (pair.first(), pair.last()) else { continue };
            let steady = first.1 <= last.1 && last.1 - first.1 < 1000;
            if !(leaping && steady && follower.leap(first, last, &mut |flow| found.push(flow))) {
                pair.iter().for_each(|&point| follower.push(point, &mut |flow| found.push(flow)));
            } else if first != last {
                found.push(Flow::Step { from: first, to: last, amount: last.1 - first.1 });
            }
        }
        found
    }

    #[test]
    fn leaping_over_what_is_steady_finds_the_same() {
        let level = [5000, 5010, 5020, 5030, 100, 110, 120, 130, 999_999_990, 140, 150, 160, 160, 170];
        let rolls = [999_999_980, 999_999_990, 10, 20, 30, 40];
        for values in [&level[..], &rolls[..]] {
            assert_eq!(flows(values, &[], true), flows(values, &[], false));
        }
        let said = [(Instant::from_unix(180), Correction::Split), (Instant::from_unix(240), Correction::Merge)];
        assert_eq!(flows(&level, &said, true), flows(&level, &said, false));
        assert!(flows(&level, &[], true).iter().any(|flow| matches!(flow, Flow::Break { why: Break::Lower, .. })));
    }
}
