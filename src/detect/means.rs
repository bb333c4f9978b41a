//! Means over windows laid from the hour on, weighted by time.
//!
//! A value holds until the next one, but not longer than two minutes: of what lies further apart there is no mean. A
//! window is judged where at least 90 % of it is covered.

use super::exact::{divided, millionths};
use crate::reading::{Decimal, Instant};

/// No value holds longer than this, in microseconds.
const LONGEST: i64 = 120_000_000;
/// The share of a window that must be covered, in percent.
const COVERED: i64 = 90;

/// The mean of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mean {
    pub(super) from: Instant,
    pub(super) until: Instant,
    /// To a thousandth, half to even.
    pub(super) value: Decimal,
}

/// The window that is being filled.
#[derive(Debug, Clone)]
pub(super) struct Means {
    width: i64,
    window: i64,
    last: Option<(i64, i64)>,
    sum: i128,
    covered: i64,
}

impl Means {
    /// Windows of so many seconds, at least two minutes.
    pub(super) fn new(seconds: i64) -> Self {
        Self { width: seconds.max(1) * 1_000_000, window: i64::MIN, last: None, sum: 0, covered: 0 }
    }

    /// The next value, or that there is none; the mean of the window that is over with it.
    pub(super) fn push(&mut self, at: Instant, value: Option<Decimal>) -> Option<Mean> {
        let at = at.unix_micros();
        let window = at - at.rem_euclid(self.width);
        let before = self.last.take();
        let hold = |since: i64| if at - since <= LONGEST { at } else { since };
        if let Some((since, value)) = before {
            let end = self.window.saturating_add(self.width);
            self.add(hold(since).min(end) - since, value);
        }
        let done = (window != self.window).then(|| self.close(window)).flatten();
        if let Some((since, value)) = before
            && since < window
        {
            // What a short window is covered by from before it.
            self.add((hold(since) - window).max(0), value);
        }
        self.last = value.and_then(millionths).map(|value| (at, value));
        done
    }

    fn add(&mut self, time: i64, value: i64) {
        if time > 0 {
            self.sum += i128::from(value) * i128::from(time);
            self.covered += time;
        }
    }

    fn close(&mut self, next: i64) -> Option<Mean> {
        let (sum, covered) = (std::mem::take(&mut self.sum), std::mem::take(&mut self.covered));
        let window = std::mem::replace(&mut self.window, next);
        if covered == 0 || covered * 100 < self.width * COVERED {
            return None;
        }
        let thousandths = i64::try_from(divided(sum, i128::from(covered) * 1000)).ok()?;
        Some(Mean {
            from: Instant::from_unix_micros(window),
            until: Instant::from_unix_micros(window + self.width),
            value: Decimal::new(thousandths, -3),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(values: impl IntoIterator<Item = (i64, Option<i64>)>) -> Vec<(i64, String)> {
        let mut means = Means::new(600);
        let pushed = values.into_iter().filter_map(|(second, value)| {
            means.push(Instant::from_unix(second), value.map(|value| Decimal::new(value, -1)))
        });
        pushed.map(|mean| (mean.from.unix_seconds(), mean.value.to_string())).collect()
    }

    #[test]
    fn a_value_counts_for_as_long_as_it_holds() {
        // 60 s of 2300, then 540 s of 2500, each as tenths.
        let values = (0..=60).map(|step| (step * 10, Some(if step < 6 { 2300 } else { 2500 })));
        assert_eq!(means(values), [(0, "248.000".to_owned())]);
    }

    #[test]
    fn a_window_with_a_hole_has_no_mean() {
        let with_hole = |seconds: i64| {
            (0..=60)
                .map(move |step| step * 10)
                .filter(move |at| *at < 120 || *at >= 120 + seconds)
                .map(|at| (at, Some(1)))
        };
        // A pause of up to two minutes is bridged by the value before it.
        assert_eq!(means(with_hole(100)).len(), 1);
        assert_eq!(means(with_hole(140)).len(), 0);
        // What is known to be missing is not.
        assert_eq!(means((0..=60).map(|step| (step * 10, (step % 8 > 0).then_some(1)))).len(), 0);
        assert_eq!(means((0..=60).map(|step| (step * 10, (step % 16 > 0).then_some(1)))).len(), 1);
    }

    #[test]
    fn readings_a_minute_apart_make_means_and_a_quarter_of_an_hour_apart_none() {
        let minutes = means((0..=20).map(|minute| (minute * 60 + 7, Some(2310))));
        assert_eq!(minutes, [(0, "231.000".to_owned()), (600, "231.000".to_owned())]);
        assert_eq!(means((0..=20).map(|quarter| (quarter * 900, Some(2310)))), []);
    }
}
