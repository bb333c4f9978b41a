//! A counter followed by whoever has its numbers already: the rules of `segment`, and what people said.

use super::boundaries::Boundaries;
use super::segment::{Break, Found, Pace, Point, Tracker};
use crate::reading::Unit;

/// Follows one counter through its values in order of time.
#[derive(Debug)]
pub struct Follower {
    tracker: Tracker,
    pace: Pace,
    boundaries: Boundaries,
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
    /// A follower of numbers of a unit at a power of ten, which minds what is known of the segments of its meter.
    #[must_use]
    pub fn new(unit: Option<Unit>, exponent: i8, boundaries: Boundaries) -> Self {
        let pace = Pace::of(unit, exponent);
        Self { tracker: Tracker::new(pace), pace, boundaries }
    }

    /// The next value.
    pub fn push(&mut self, next: Value, sink: &mut impl FnMut(Flow)) {
        let value = |point: Point| (point.at, point.value);
        self.follow(Point { at: next.0, value: next.1 }, &mut |found| match found {
            Found::Step(from, to) => {
                sink(Flow::Step { from: value(from), to: value(to), amount: to.value.saturating_sub(from.value) });
            }
            Found::Begins(from, to, why) => {
                let (from, to) = (value(from), value(to));
                if let Break::Rollover { step } = why {
                    sink(Flow::Step { from, to, amount: step });
                    sink(Flow::Break { from: to, to, why });
                } else {
                    sink(Flow::Break { from, to, why });
                }
            }
            Found::Outlier(..) => {}
        });
    }

    /// The next value, as the tracker tells it.
    pub(super) fn follow(&mut self, next: Point, sink: &mut impl FnMut(Found)) {
        if let Some(good) = self.tracker.good()
            && let Some(why) = self.boundaries.between(good, next)
        {
            sink(Found::Begins(good, next, why));
            self.tracker.jump(next);
            return;
        }
        let boundaries = &self.boundaries;
        self.tracker.push(next, &mut |found| {
            if let Some(found) = boundaries.correct(found) {
                sink(found);
            }
        });
    }

    /// Takes a steady stretch in one go, from its first value to its last; only the step to the first goes to `sink`.
    /// `false`, and nothing is done, where it has to be looked at value by value.
    pub fn leap(&mut self, first: Value, last: Value, sink: &mut impl FnMut(Flow)) -> bool {
        let since = self.tracker.good().map_or(first.0, |good| good.at);
        if self.boundaries.any(since, last.0) || !self.tracker.is_settled() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Correction;

    fn flows(values: &[i64], boundaries: Boundaries, leaping: bool) -> Vec<Flow> {
        let mut follower = Follower::new(Some(Unit::KWH), -3, boundaries);
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
        let none = Boundaries::default;
        for values in [&level[..], &rolls[..]] {
            assert_eq!(flows(values, none(), true), flows(values, none(), false));
        }
        let minute = 60_000_000;
        let said = || {
            let said = vec![(3 * minute, Correction::Split), (4 * minute, Correction::Merge)];
            Boundaries::of(said, vec![11 * minute])
        };
        assert_eq!(flows(&level, said(), true), flows(&level, said(), false));
        // Whoever says that it ran on over a rollover says nothing new.
        let ran_on = || Boundaries::of(vec![(2 * minute, Correction::Merge)], Vec::new());
        assert_eq!(flows(&rolls, ran_on(), false), flows(&rolls, none(), false));
        let is = |why: Break| move |flow: &Flow| matches!(flow, Flow::Break { why: found, .. } if *found == why);
        assert!(flows(&level, said(), true).iter().any(is(Break::Replaced)));
        assert!(flows(&level, none(), true).iter().any(is(Break::Lower)));
    }
}
