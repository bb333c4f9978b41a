//! How often a meter is read, and where it was not.
//!
//! The usual interval is worked out day by day (UTC): the median of the times from one reading to the next, so that a logger
//! that was told to read more often changes it from that day on. On a day of less than four readings it is the mean over all
//! readings of the meter. A reading that comes later than two usual intervals after the one before leaves a *hole*: the
//! reading before stands for one interval, and from there to the next one nothing is known.

use crate::store::Times;

const DAY: i64 = 86_400_000_000;
/// Readings a day has to have for a median of its own.
const ENOUGH: usize = 4;

/// The usual intervals of some readings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Clock {
    /// From which index on which interval is usual, in microseconds.
    intervals: Vec<(usize, i64)>,
    /// The readings behind which there is a hole.
    pub(super) holes: Vec<usize>,
}

impl Clock {
    /// `mean` is the interval for days that say too little.
    pub(super) fn of(times: &Times, mean: i64) -> Self {
        let mut clock = Self::default();
        let mut from = 0;
        while let Some(at) = times.get(from) {
            let midnight = at.div_euclid(DAY).saturating_add(1).saturating_mul(DAY);
            let until = times.position(midnight, from).max(from + 1);
            let interval = if until - from < ENOUGH { mean } else { median(times, from, until) };
            if clock.intervals.last().is_none_or(|(_, last)| *last != interval) {
                clock.intervals.push((from, interval));
            }
            let gaps = from..until.min(times.len() - 1);
            match times {
                Times::Even { step, .. } if !is_hole(*step, interval) => {}
                _ => clock.holes.extend(gaps.filter(|&index| is_hole(gap(times, index), interval))),
            }
            from = until;
        }
        clock
    }

    /// The usual interval at a reading.
    pub(super) fn interval(&self, index: usize) -> i64 {
        let behind = self.intervals.partition_point(|(from, _)| *from <= index);
        behind.checked_sub(1).and_then(|place| self.intervals.get(place)).map_or(0, |(_, interval)| *interval)
    }

    /// How long a reading stands that the next follows after `gap`.
    pub(super) fn stands(&self, index: usize, gap: i64) -> i64 {
        let interval = self.interval(index);
        if is_hole(gap, interval) { interval } else { gap }
    }
}

/// Whether a reading that comes so much later leaves a hole.
pub(super) const fn is_hole(gap: i64, interval: i64) -> bool {
    gap > interval.saturating_mul(2)
}

/// From the reading at an index to the next.
fn gap(times: &Times, index: usize) -> i64 {
    match (times.get(index), times.get(index + 1)) {
        (Some(at), Some(next)) => next - at,
        _ => 0,
    }
}

fn median(times: &Times, from: usize, until: usize) -> i64 {
    let listed = match times {
        Times::Even { step, .. } => return *step,
        Times::Listed(times) => times.get(from..until).unwrap_or_default(),
    };
    let mut gaps: Vec<i64> = listed.windows(2).filter_map(|pair| Some(pair.get(1)? - pair.first()?)).collect();
    let middle = gaps.len() / 2;
    match gaps.as_slice() {
        [first, rest @ ..] if rest.iter().all(|gap| gap == first) => *first,
        _ => *gaps.select_nth_unstable(middle).1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    #[test]
    fn a_reading_left_out_is_no_hole_and_two_are() {
        let at = |minutes: &[i64]| Times::Listed(minutes.iter().map(|minute| minute * MINUTE).collect());
        let clock = Clock::of(&at(&[0, 1, 2, 4, 5, 8, 9]), 7);
        assert_eq!((clock.interval(6), clock.holes.as_slice()), (MINUTE, &[4][..]));
        assert_eq!((clock.stands(2, 2 * MINUTE), clock.stands(4, 3 * MINUTE)), (2 * MINUTE, MINUTE));
    }

    #[test]
    fn each_day_has_its_interval() {
        let mut times: Vec<i64> = (0..96).map(|quarter| quarter * 15 * MINUTE).collect();
        times.extend((0..1440).map(|minute| DAY + minute * MINUTE));
        // A day that says nothing.
        times.extend([2 * DAY, 2 * DAY + 1000 * MINUTE]);
        let clock = Clock::of(&Times::Listed(times), 5 * MINUTE);
        assert_eq!([0, 95, 96, 1535, 1536].map(|index| clock.interval(index) / MINUTE), [15, 15, 1, 1, 5]);
        assert_eq!(clock.holes, [1536]);
    }

    #[test]
    fn it_makes_no_difference_how_times_are_kept() {
        for (step, count) in [(MINUTE, 5000), (7 * 3600 * 1_000_000, 40), (DAY, 9)] {
            let even = Times::Even { first: 12_345, step, count };
            let listed = Times::Listed((0..count).filter_map(|index| even.get(index)).collect());
            for mean in [1, MINUTE, DAY] {
                assert_eq!(Clock::of(&even, mean), Clock::of(&listed, mean), "{step} {mean}");
            }
        }
    }
}
