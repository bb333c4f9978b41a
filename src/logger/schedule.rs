//! When a polled meter is asked next: on the wall clock's grid, counted by the monotonic one.

use crate::reading::Instant;
use std::time::Duration;

/// The times of a meter that is asked every so often.
///
/// With an interval of 60 s they are the full minutes of the wall clock (UTC). What is waited for is a time of the monotonic
/// clock, so that a wall clock that is put forward or back delays nothing by more than an interval; the time after that is on
/// the new grid again.
#[derive(Debug)]
pub(super) struct Schedule {
    interval: Duration,
    last: Option<Duration>,
}

impl Schedule {
    pub(super) const fn new(interval: Duration) -> Self {
        Self { interval, last: None }
    }

    /// The next time, by the monotonic clock that shows `now` while the wall clock shows `wall`.
    pub(super) fn next(&mut self, wall: Instant, now: Duration) -> Duration {
        let interval = i64::try_from(self.interval.as_micros()).unwrap_or(i64::MAX).max(1);
        let since = wall.unix_micros().rem_euclid(interval);
        let wait = Duration::from_micros((interval - since).unsigned_abs());
        let mut next = now + wait;
        // A wall clock that is a little slow shows the time that has just been as still to come.
        if self.last.is_some_and(|last| next < last + self.interval / 2) {
            next += self.interval;
        }
        self.last = Some(next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn wall(text: &str) -> Instant {
        Instant::parse_utc(text).unwrap()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn every_60_s_is_every_full_minute() {
        let mut schedule = Schedule::new(MINUTE);
        assert_eq!(schedule.next(wall("2025-11-07T14:30:12Z"), seconds(100)), seconds(148));
        assert_eq!(schedule.next(wall("2025-11-07T14:31:00.2Z"), Duration::from_millis(148_200)), seconds(208));
    }

    #[test]
    fn a_visit_that_takes_longer_than_the_interval_skips_times_and_keeps_the_grid() {
        let mut schedule = Schedule::new(seconds(10));
        assert_eq!(schedule.next(wall("2025-11-07T14:30:05Z"), seconds(5)), seconds(10));
        assert_eq!(schedule.next(wall("2025-11-07T14:30:43Z"), seconds(43)), seconds(50));
    }

    #[test]
    fn a_clock_that_shows_59_999_after_the_full_minute_does_not_ask_twice() {
        let mut schedule = Schedule::new(MINUTE);
        let first = schedule.next(wall("2025-11-07T14:30:59Z"), seconds(59));
        assert_eq!(first, seconds(60));
        assert_eq!(schedule.next(wall("2025-11-07T14:30:59.999Z"), first), Duration::from_millis(120_001));
    }

    #[test]
    fn promise_p08_steps_of_the_wall_clock_delay_nothing_by_more_than_an_interval_and_a_half() {
        for step in ["1970-01-01T00:00:07Z", "2025-11-07T13:31:01Z", "2025-11-08T14:31:00Z", "2040-01-01T00:00:59.9Z"] {
            let mut schedule = Schedule::new(MINUTE);
            let before = schedule.next(wall("2025-11-07T14:30:01Z"), seconds(1));
            assert_eq!(before, seconds(60));
            let after = schedule.next(wall(step), before);
            assert!(after > before && after <= before + MINUTE * 3 / 2, "{step}: {after:?}");
        }
    }
}
