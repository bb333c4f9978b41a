//! What readers, the writer and the one who watches over them share.

use super::notice::Event;
use super::queue::{Pushed, Queue};
use super::tail::Tail;
use super::writer::GROUP;
use crate::reading;
use crate::session::{Stop, Stopwatch};
use crate::store::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many readings are kept in memory while the store cannot be written.
const IN_MEMORY: usize = 10_000;

/// A reader that has not stirred for so long hangs. Nothing that a reader does takes as long without a sign of life.
const HANGING: Duration = Duration::from_secs(300);

/// So long a reader waits for a writer who is getting on, before it reads on all the same.
const SLOW: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Shared {
    watch: Stopwatch,
    pub(super) stop: Stop,
    pub(super) queue: Queue<Entry>,
    tail: Mutex<Tail>,
    /// W.
    window: Duration,
    events: SyncSender<Event>,
    /// Events of the readers that are to be stored.
    notes: Mutex<Vec<reading::Event>>,
    /// When each reader stirred last, in milliseconds since the start.
    beats: Vec<AtomicU64>,
}

impl Shared {
    pub(super) fn new(
        stop: Stop,
        events: SyncSender<Event>,
        tail: Tail,
        window: Duration,
        count: Option<u64>,
        readers: usize,
    ) -> Self {
        Self {
            watch: Stopwatch::start(),
            stop,
            queue: Queue::new(IN_MEMORY, count),
            tail: Mutex::new(tail),
            window,
            events,
            notes: Mutex::default(),
            beats: (0..readers).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The time since the start, by the monotonic clock.
    pub(super) fn now(&self) -> Duration {
        self.watch.elapsed()
    }

    /// Lets time pass, at most until somebody wishes to stop.
    pub(super) fn pause(&self, wait: Duration) {
        const GLANCE: Duration = Duration::from_millis(50);
        let until = self.now() + wait;
        while !self.stop.is_set() && self.now() < until {
            std::thread::sleep(GLANCE.min(until.saturating_sub(self.now())));
        }
    }

    /// A reader has stirred.
    pub(super) fn beat(&self, reader: usize) {
        if let Some(beat) = self.beats.get(reader) {
            beat.store(u64::try_from(self.now().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// Whether every reader has stirred of late.
    pub(super) fn is_alive(&self) -> bool {
        let oldest = self.now().saturating_sub(HANGING).as_millis();
        self.beats.iter().all(|beat| u128::from(beat.load(Ordering::Relaxed)) >= oldest)
    }

    /// Tells what happened. Whoever listens must not hold up whoever reads: what he cannot take is lost to him.
    pub(super) fn tell(&self, event: Event) {
        drop(self.events.try_send(event));
    }

    /// Hands a reading to the writer; the next is expected after `cadence`.
    pub(super) fn keep(&self, entry: Entry, cadence: Duration) -> Pushed {
        const GLANCE: Duration = Duration::from_millis(100);
        let until = self.now() + SLOW;
        while !self.queue.wait_for_fewer(2 * GROUP, GLANCE) && !self.stop.is_set() && self.now() < until {}
        // The tail has to hold whatever is in the queue, so both are filled in one go.
        let mut tail = self.tail();
        tail.keep(&entry);
        self.queue.push(entry, cadence >= self.window)
    }

    /// Has events stored that a reader noticed.
    pub(super) fn note(&self, events: Vec<reading::Event>) {
        if !events.is_empty() {
            self.note_later(events);
            self.queue.wake();
        }
    }

    /// The same for events that could not be stored just now: nobody need be woken.
    pub(super) fn note_later(&self, events: Vec<reading::Event>) {
        const MANY: usize = 1000;
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        // While the store cannot be written the first say most.
        let room = MANY.saturating_sub(notes.len());
        notes.extend(events.into_iter().take(room));
    }

    /// The events that were noticed since they were asked for last.
    pub(super) fn notes(&self) -> Vec<reading::Event> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something was written. What the tail held as well may go, if nothing waits any more.
    pub(super) fn written(&self) {
        let mut tail = self.tail();
        if self.queue.len() == 0 {
            tail.settle();
        }
    }

    pub(super) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
