//! Which of a meter's pushes are kept.

use crate::reading::{Instant, MeterTime};
use std::time::Duration;

/// Thins what a meter pushes out to an interval.
#[derive(Debug)]
pub(super) struct Thinner {
    interval: Option<Duration>,
    /// The last that was kept.
    kept: Option<Kept>,
    /// What has been saved up for readings of the same second of the meter, in time.
    credit: Duration,
    /// When the last reading came, by the monotonic clock.
    seen: Duration,
}

#[derive(Debug)]
struct Kept {
    at: Instant,
    clock: Option<[u16; 6]>,
    /// By the monotonic clock.
    now: Duration,
}

/// The cadence of a meter that is not thinned out.
const SECOND: Duration = Duration::from_secs(1);

impl Thinner {
    /// Keeps one reading an interval, the first; `None` keeps everything up to one a second.
    pub(super) const fn new(interval: Option<Duration>) -> Self {
        Self { interval, kept: None, credit: SECOND, seen: Duration::ZERO }
    }

    /// Whether to keep a reading that counts under `at`, with the meter's own `clock`, at `now` of the monotonic clock.
    pub(super) fn keeps(&mut self, at: Instant, clock: Option<MeterTime>, now: Duration) -> bool {
        let clock = clock.map(|clock| {
            let [year, month, day, hour, minute, second, _] = clock.civil.fields();
            [year, month, day, hour, minute, second]
        });
        self.credit = (self.credit + now.saturating_sub(self.seen)).min(2 * SECOND);
        self.seen = now;
        let keeps = match (&self.kept, self.interval) {
            (None, _) => true,
            // Telegrams that were held up on the way come all at once, and tell their seconds by themselves.
            (Some(kept), None) => (clock.is_some() && clock != kept.clock) || self.credit >= SECOND,
            (Some(kept), Some(interval)) => {
                // A clock that stands still must not end the log.
                slot(at, interval) != slot(kept.at, interval) || now.saturating_sub(kept.now) >= 2 * interval
            }
        };
        if keeps {
            self.credit = self.credit.saturating_sub(SECOND);
            self.kept = Some(Kept { at, clock, now });
        }
        keeps
    }
}

/// The number of the interval a time falls into.
fn slot(at: Instant, interval: Duration) -> i64 {
    at.unix_micros().div_euclid(i64::try_from(interval.as_micros()).unwrap_or(i64::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Zone;

    /// How many of the readings that come every `step` for `total` are kept; `clock` is the meter's at a time.
    fn kept(interval: Option<u64>, step: u64, total: u64, clock: impl Fn(u64) -> Option<Instant>) -> Vec<u64> {
        let mut thinner = Thinner::new(interval.map(Duration::from_secs));
        let start = Instant::parse_utc("2025-11-07T14:30:00Z").unwrap().unix_micros();
        let at = |ms: u64| Instant::from_unix_micros(start + i64::try_from(ms).unwrap() * 1000);
        let times = (0..total * 1000 / step).map(|count| count * step);
        times
            .filter(|&ms| {
                let clock = clock(ms);
                thinner.keeps(
                    clock.unwrap_or(at(ms)),
                    clock.map(|at| at.meter_time(Zone::UTC)),
                    Duration::from_millis(ms),
                )
            })
            .collect()
    }

    #[test]
    fn by_default_every_telegram_of_a_meter_that_sends_once_a_second_is_kept() {
        assert_eq!(kept(None, 1000, 60, |_| None).len(), 60);
        // Late and early by turns.
        let mut thinner = Thinner::new(None);
        let at = Instant::from_unix(0);
        assert!((0..60).all(|second| {
            let late = if second % 2 == 0 { 0 } else { 700 };
            thinner.keeps(at, None, Duration::from_millis(second * 1000 + late))
        }));
    }

    #[test]
    fn by_default_a_meter_that_sends_four_times_a_second_is_kept_once_a_second() {
        let count = kept(None, 250, 60, |_| None).len();
        assert!((60..=62).contains(&count), "{count}");
        let count = kept(None, 250, 60, |ms| Some(Instant::from_unix(i64::try_from(ms / 1000).unwrap()))).len();
        assert!((60..=62).contains(&count), "{count}");
    }

    #[test]
    fn telegrams_that_come_all_at_once_after_a_stall_are_kept_by_their_own_clock() {
        let mut thinner = Thinner::new(None);
        let now = Duration::from_secs(100);
        for second in 0..50 {
            let at = Instant::from_unix(second);
            assert!(thinner.keeps(at, Some(at.meter_time(Zone::UTC)), now));
        }
    }

    #[test]
    fn with_an_interval_the_first_of_each_is_kept_on_the_clocks_grid() {
        let minutes = kept(Some(60), 1000, 300, |_| None);
        assert_eq!(minutes, [0, 60_000, 120_000, 180_000, 240_000]);
        let quarter = kept(Some(900), 10_000, 3600, |_| None);
        assert_eq!(quarter.len(), 4);
    }

    #[test]
    fn a_clock_that_stands_still_or_steps_does_not_end_the_log() {
        let frozen = Some(Instant::from_unix(946_684_800));
        assert_eq!(kept(None, 1000, 60, |_| frozen).len(), 60);
        assert_eq!(kept(Some(60), 1000, 600, |_| frozen).len(), 5);
        let back = kept(Some(60), 1000, 600, |ms| {
            let second = i64::try_from(ms / 1000).unwrap();
            Some(Instant::from_unix(if second < 300 { 7200 + second } else { second }))
        });
        assert_eq!(back.len(), 10);
    }
}
