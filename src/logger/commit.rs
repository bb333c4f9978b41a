//! When what waits is written.

use std::time::Duration;

/// Groups readings into transactions: after the window W at the latest, an urgent one at once.
///
/// Each transaction reaches the disk before it counts, so a power cut loses at most what came within the last W.
#[derive(Debug)]
pub(super) struct Commit {
    window: Duration,
    /// When the oldest of those that wait was first seen.
    oldest: Option<Duration>,
    /// How often in a row it failed, and when to try again.
    failed: Option<(u32, Duration)>,
}

/// A store that is locked or full is tried again after so long, then twice that, up to [`SLOWEST`].
const SOON: Duration = Duration::from_millis(250);
const SLOWEST: Duration = Duration::from_secs(2);

impl Commit {
    pub(super) const fn new(window: Duration) -> Self {
        Self { window, oldest: None, failed: None }
    }

    /// How long until something is to be written; `None` while nothing waits.
    pub(super) fn due(&mut self, waits: bool, urgent: bool, now: Duration) -> Option<Duration> {
        if !waits {
            self.oldest = None;
            return None;
        }
        let oldest = *self.oldest.get_or_insert(now);
        let wanted = if urgent { now } else { oldest + self.window };
        let allowed = self.failed.map_or(now, |(_, again)| again);
        Some(wanted.max(allowed).saturating_sub(now))
    }

    /// It has been written.
    pub(super) fn done(&mut self) {
        (self.oldest, self.failed) = (None, None);
    }

    /// It could not be written.
    pub(super) fn failed(&mut self, now: Duration) {
        let times = self.failed.map_or(0, |(times, _)| times.saturating_add(1));
        let wait = SOON.saturating_mul(1 << times.min(8)).min(SLOWEST);
        self.failed = Some((times, now + wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_group_is_written_when_its_first_is_as_old_as_the_window() {
        let mut commit = Commit::new(seconds(10));
        assert_eq!(commit.due(false, false, seconds(1)), None);
        assert_eq!(commit.due(true, false, seconds(2)), Some(seconds(10)));
        assert_eq!(commit.due(true, false, seconds(9)), Some(seconds(3)));
        assert_eq!(commit.due(true, false, seconds(13)), Some(Duration::ZERO));
        commit.done();
        assert_eq!(commit.due(true, false, seconds(14)), Some(seconds(10)));
    }

    #[test]
    fn an_urgent_one_takes_the_others_along_at_once() {
        let mut commit = Commit::new(seconds(10));
        assert_eq!(commit.due(true, false, seconds(2)), Some(seconds(10)));
        assert_eq!(commit.due(true, true, seconds(3)), Some(Duration::ZERO));
    }

    #[test]
    fn what_fails_is_tried_again_soon_and_then_every_two_seconds() {
        let mut commit = Commit::new(Duration::ZERO);
        let mut waits = Vec::new();
        for _ in 0..6 {
            commit.failed(seconds(5));
            waits.push(commit.due(true, true, seconds(5)).unwrap().as_millis());
        }
        assert_eq!(waits, [250, 500, 1000, 2000, 2000, 2000]);
        commit.done();
        assert_eq!(commit.due(true, false, seconds(5)), Some(Duration::ZERO));
    }
}
