//! What waits to be written: so many readings and no more, the oldest given up first.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A bounded queue between the readers and the writer.
///
/// What the writer has taken and not yet written counts as well, so that the bound is the bound of all that is in memory.
#[derive(Debug)]
pub(super) struct Queue<T> {
    inside: Mutex<Inside<T>>,
    more: Condvar,
    fewer: Condvar,
}

#[derive(Debug)]
struct Inside<T> {
    waiting: VecDeque<T>,
    /// Taken by the writer, and not settled.
    taken: usize,
    limit: usize,
    /// Given up for want of room.
    dropped: u64,
    /// How many more are accepted.
    quota: Option<u64>,
    urgent: bool,
    /// Whether the writer is held up.
    stuck: bool,
    /// How often something came or it was closed.
    changes: u64,
    closed: bool,
}

/// What became of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits.
    Waits,
    /// It waits, and is the last that was wanted.
    Last,
    /// No more are wanted.
    Refused,
}

impl<T> Queue<T> {
    /// A queue of at most `limit`, that accepts `quota` in all.
    pub(super) fn new(limit: usize, quota: Option<u64>) -> Self {
        let waiting = VecDeque::new();
        let inside = Inside {
            waiting,
            taken: 0,
            limit,
            dropped: 0,
            quota,
            urgent: false,
            stuck: false,
            changes: 0,
            closed: false,
        };
        Self { inside: Mutex::new(inside), more: Condvar::new(), fewer: Condvar::new() }
    }

    fn inside(&self) -> MutexGuard<'_, Inside<T>> {
        // Nothing in here panics half way.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while more than `many` are in and the writer is getting on, so long at most: whoever sends faster than can be
    /// written is slowed down, and nobody waits for a writer who waits himself. Says whether it need not wait on.
    pub(super) fn wait_for_fewer(&self, many: usize, longest: Duration) -> bool {
        let full =
            |inside: &mut Inside<T>| !inside.closed && !inside.stuck && inside.waiting.len() + inside.taken > many;
        self.fewer.wait_timeout_while(self.inside(), longest, full).is_ok_and(|(_, waited)| !waited.timed_out())
    }

    /// Puts one in, and gives the oldest up where there is no room. An urgent one is to be written at once.
    pub(super) fn push(&self, item: T, urgent: bool) -> Pushed {
        let mut inside = self.inside();
        match &mut inside.quota {
            Some(0) => return Pushed::Refused,
            Some(left) => *left -= 1,
            None => {}
        }
        if inside.waiting.len() + inside.taken >= inside.limit && inside.waiting.pop_front().is_some() {
            inside.dropped += 1;
        }
        inside.waiting.push_back(item);
        inside.urgent |= urgent;
        inside.changes += 1;
        self.more.notify_all();
        if inside.quota == Some(0) { Pushed::Last } else { Pushed::Waits }
    }

    /// A number that is another one as soon as something comes or the queue is closed.
    pub(super) fn changes(&self) -> u64 {
        self.inside().changes
    }

    /// Waits until there has been a change since [`changes`](Self::changes) was `seen`, so long at most.
    pub(super) fn wait(&self, longest: Duration, seen: u64) {
        drop(self.more.wait_timeout_while(self.inside(), longest, |inside| inside.changes == seen));
    }

    /// Takes at most so many, the oldest first. They count until they are [settled](Self::settle).
    pub(super) fn take(&self, most: usize) -> Vec<T> {
        let mut inside = self.inside();
        let count = inside.waiting.len().min(most);
        inside.taken += count;
        inside.urgent &= inside.waiting.len() > count;
        inside.waiting.drain(..count).collect()
    }

    /// So many of those taken have been written.
    pub(super) fn settle(&self, count: usize) {
        let mut inside = self.inside();
        inside.taken = inside.taken.saturating_sub(count);
        inside.stuck = false;
        self.fewer.notify_all();
    }

    /// Those taken could not be written.
    pub(super) fn stuck(&self) {
        self.inside().stuck = true;
        self.fewer.notify_all();
    }

    /// Whether one that waits is to be written at once.
    pub(super) fn is_urgent(&self) -> bool {
        self.inside().urgent
    }

    /// How many wait or are being written.
    pub(super) fn len(&self) -> usize {
        let inside = self.inside();
        inside.waiting.len() + inside.taken
    }

    /// How many were given up so far.
    pub(super) fn dropped(&self) -> u64 {
        self.inside().dropped
    }

    /// Wakes whoever waits, for something beside what is in here.
    pub(super) fn wake(&self) {
        self.inside().changes += 1;
        self.more.notify_all();
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        let mut inside = self.inside();
        inside.closed = true;
        inside.changes += 1;
        self.more.notify_all();
        self.fewer.notify_all();
    }

    /// Whether nothing more comes.
    pub(super) fn is_closed(&self) -> bool {
        self.inside().closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way_and_is_counted() {
        let queue = Queue::new(3, None);
        for item in 0..5 {
            assert_eq!(queue.push(item, false), Pushed::Waits);
        }
        assert_eq!((queue.len(), queue.dropped()), (3, 2));
        assert_eq!(queue.take(9), [2, 3, 4]);
    }

    #[test]
    fn what_is_being_written_counts_and_is_never_given_up() {
        let queue = Queue::new(3, None);
        (0..3).for_each(|item| assert_eq!(queue.push(item, false), Pushed::Waits));
        assert_eq!(queue.take(2), [0, 1]);
        queue.push(3, false);
        queue.push(4, false);
        assert_eq!((queue.len(), queue.dropped()), (3, 2));
        queue.settle(2);
        assert_eq!(queue.take(9), [4]);
    }

    #[test]
    fn who_is_faster_than_the_writer_waits_for_him_unless_he_is_stuck() {
        let hour = Duration::from_secs(3600);
        let queue = Queue::new(10, None);
        (0..4).for_each(|item| assert_eq!(queue.push(item, false), Pushed::Waits));
        std::thread::scope(|scope| {
            scope.spawn(|| queue.settle(queue.take(2).len()));
            assert!(queue.wait_for_fewer(2, hour));
        });
        assert_eq!(queue.len(), 2);
        assert!(!queue.wait_for_fewer(1, Duration::from_millis(1)));
        queue.stuck();
        assert!(queue.wait_for_fewer(1, hour));
    }

    #[test]
    fn no_more_are_accepted_than_are_wanted() {
        let queue = Queue::new(10, Some(2));
        let pushed: Vec<_> = (0..4).map(|item| queue.push(item, false)).collect();
        assert_eq!(pushed, [Pushed::Waits, Pushed::Last, Pushed::Refused, Pushed::Refused]);
        assert_eq!(queue.take(9), [0, 1]);
    }

    #[test]
    fn whoever_waits_is_woken_by_the_next_and_by_the_end() {
        let hour = Duration::from_secs(3600);
        let queue = Queue::new(10, None);
        for change in
            [|queue: &Queue<i32>| assert_eq!(queue.push(0, false), Pushed::Waits), |queue: &Queue<i32>| queue.close()]
        {
            let seen = queue.changes();
            std::thread::scope(|scope| {
                scope.spawn(|| change(&queue));
                queue.wait(hour, seen);
            });
        }
        assert!(queue.is_closed());
    }

    #[test]
    fn an_urgent_one_is_so_until_it_is_taken() {
        let queue = Queue::new(10, None);
        queue.push(0, true);
        queue.push(1, false);
        assert!(queue.is_urgent());
        queue.take(2);
        assert!(!queue.is_urgent());
    }
}
