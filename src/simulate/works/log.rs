//! What the meter remembers to have happened.

use crate::reading::Instant;
use std::collections::VecDeque;

/// Entries of the event log, as DSMR asks for.
const MAX_ENTRIES: usize = 100;
/// Entries of the log of long power failures, likewise.
const MAX_FAILURES: usize = 10;

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "said by their names")]
pub enum Event {
    LogCleared,
    PowerDown,
    PowerUp,
    /// Summer time begins or ends.
    Season,
    /// The clock was set: its time before.
    ClockBefore,
    /// The clock was set: its time after.
    ClockAfter,
    CoverOpened,
    CoverClosed,
}

/// An entry of the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// By the meter's clock.
    pub at: Instant,
    /// What happened.
    pub event: Event,
}

/// A long power failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// When the mains were back, by the meter's clock.
    pub end: Instant,
    /// How long they were away, s.
    pub seconds: i64,
}

/// The logs of a meter, each a ring.
#[derive(Debug, Clone)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    failures: VecDeque<Failure>,
    counts: [u32; 2],
}

impl Log {
    /// That of a new meter: the first entry of a log always says that it was cleared.
    pub(super) fn new(at: Instant) -> Self {
        let entries = VecDeque::from([Entry { at, event: Event::LogCleared }]);
        Self { entries, failures: VecDeque::new(), counts: [0; 2] }
    }

    pub(super) fn add(&mut self, at: Instant, event: Event) {
        if self.entries.len() == MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { at, event });
    }

    pub(super) fn power_up(&mut self, at: Instant, seconds: i64, long: i64) {
        self.add(at, Event::PowerUp);
        self.counts[0] += 1;
        if seconds > long {
            self.counts[1] += 1;
            if self.failures.len() == MAX_FAILURES {
                self.failures.pop_front();
            }
            self.failures.push_back(Failure { end: at, seconds });
        }
    }

    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }

    pub(super) fn long_failures(&self) -> impl DoubleEndedIterator<Item = &Failure> + ExactSizeIterator {
        self.failures.iter()
    }

    pub(super) const fn counts(&self) -> [u32; 2] {
        self.counts
    }
}
