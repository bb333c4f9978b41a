//! The one who writes: groups of readings into the store, again and again until they are in.

use super::commit::Commit;
use super::leftover;
use super::notice::Notice;
use super::queue::Queue;
use super::quiet::Quiet;
use crate::events::{Found, Watch};
use crate::reading::{Event, Instant, MeterId};
use crate::store::{Entry, EventQuery, Inserted, KeptEvent, PutEvents, Store, StoreError};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// How many readings go into one transaction at most.
pub(super) const GROUP: usize = 1000;

/// How often to look for hours that are over, so that they are sealed some minutes after.
const TIDY: Duration = Duration::from_secs(600);

/// Something that keeps readings: all of them, or none and an error.
pub(super) trait Keeper {
    fn keep(&mut self, entries: &[Entry]) -> Result<Inserted, StoreError>;

    /// Seals hours or a day that are over, and says whether there may be more.
    fn tidy(&mut self) -> Result<bool, StoreError>;
}

/// The store, opened when it is first needed and again after trouble.
#[derive(Debug)]
pub(super) struct StoreKeeper {
    path: PathBuf,
    store: Option<Store>,
    /// Something has been sealed, and what follows is not done yet.
    has_sealed: bool,
    watch: Watch,
    /// The meters of which nothing is left open that an earlier process noticed.
    greeted: BTreeSet<MeterId>,
    /// What was found in the readings that are being kept, until they are.
    found: Option<Found>,
    /// Events that are new.
    new: Vec<KeptEvent>,
    /// The time of the newest reading.
    newest: Option<Instant>,
}

/// What was over longer ago than this is no news, in seconds: the log of a meter may go back for years.
const NEWS: i64 = 86_400;

impl StoreKeeper {
    pub(super) const fn new(path: PathBuf, watch: Watch) -> Self {
        Self {
            path,
            store: None,
            has_sealed: false,
            watch,
            greeted: BTreeSet::new(),
            found: None,
            new: Vec::new(),
            newest: None,
        }
    }

    /// Opens the store, and makes it if there is none.
    pub(super) fn open(&mut self) -> Result<&mut Store, StoreError> {
        let store = match self.store.take() {
            Some(store) => store,
            None => Store::create(&self.path)?,
        };
        Ok(self.store.insert(store))
    }

    /// After a write that failed the connection may remember what is no longer so; a lock only passes.
    fn forget_unless<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if !matches!(done, Ok(_) | Err(StoreError::Locked(_))) {
            self.store = None;
        }
        done
    }
}

impl Keeper for StoreKeeper {
    fn keep(&mut self, entries: &[Entry]) -> Result<Inserted, StoreError> {
        let done = self.keep_with_events(entries);
        self.forget_unless(done)
    }

    fn tidy(&mut self) -> Result<bool, StoreError> {
        let now = Instant::now();
        let has_sealed = self.has_sealed;
        let store = self.open()?;
        let done = match store.seal_next(now) {
            Ok(Some(_)) => Ok(true),
            Ok(None) if has_sealed => store.seal_rest(now).map(|_| false),
            Ok(None) => Ok(false),
            Err(error) => Err(error),
        };
        if let Ok(more) = done {
            self.has_sealed = more;
        }
        self.forget_unless(done)
    }
}

impl StoreKeeper {
    /// Keeps readings, and in the same transaction the events that they make.
    fn keep_with_events(&mut self, entries: &[Entry]) -> Result<Inserted, StoreError> {
        self.open()?;
        let Some(store) = &mut self.store else { return Ok(Inserted::default()) };
        let found = match self.found.take() {
            Some(found) => found,
            None => {
                let mut found = self.watch.follow(store, entries)?;
                for entry in entries {
                    if !self.greeted.contains(&entry.meter) {
                        let rules = self.watch.rules();
                        let (ended, is_all) = leftover::ended_by(store, rules, &entry.meter, entry.at)?;
                        found.extend(ended);
                        if is_all {
                            self.greeted.insert(entry.meter.clone());
                        }
                    }
                }
                found
            }
        };
        match store.keep(entries, &found) {
            Ok((done, put)) => {
                self.newest = self.newest.max(entries.iter().map(|entry| entry.at).max());
                self.tell(&put);
                Ok(done)
            }
            Err(error) => {
                // The same readings come again, and must not be looked at twice.
                self.found = Some(found);
                Err(error)
            }
        }
    }

    /// Keeps events that no reading makes.
    pub(super) fn note(&mut self, events: &[Event]) -> Result<(), StoreError> {
        let put = self.open()?.put_events(events)?;
        self.tell(&put);
        Ok(())
    }

    /// Remembers what is news.
    fn tell(&mut self, put: &PutEvents) {
        let Some((store, first)) = self.store.as_ref().zip(put.added.first()) else { return };
        let query = EventQuery { above: Some(first - 1), oldest_first: true, ..EventQuery::default() };
        // They are in the store, whether they can be read back or not.
        let kept = store.events(&query).unwrap_or_default();
        let since = self.newest.map(|newest| newest.plus_seconds(-NEWS));
        let is_news = |kept: &KeptEvent| {
            put.added.contains(&kept.id)
                && since.is_none_or(|since| kept.event.end.unwrap_or(kept.event.start) >= since)
        };
        self.new.extend(kept.into_iter().filter(is_news));
    }
}

/// Takes readings out of the queue and keeps them.
#[derive(Debug)]
pub(super) struct Writer<K> {
    keeper: K,
    commit: Commit,
    quiet: Quiet,
    /// Taken out of the queue and not kept yet.
    group: Vec<Entry>,
    /// What the group was left by: an earlier process, not the queue.
    is_left: bool,
    done: Inserted,
    /// When to look for hours and days to seal.
    tidy_at: Duration,
    untidy: Quiet,
}

impl<K: Keeper> Writer<K> {
    /// A writer that first keeps what an earlier process has `left`.
    pub(super) fn new(keeper: K, window: Duration, left: Vec<Entry>) -> Self {
        let is_left = !left.is_empty();
        Self {
            keeper,
            commit: Commit::new(window),
            quiet: Quiet::default(),
            group: left,
            is_left,
            done: Inserted::default(),
            tidy_at: Duration::ZERO,
            untidy: Quiet::default(),
        }
    }

    /// What has been kept so far.
    pub(super) const fn done(&self) -> Inserted {
        self.done
    }

    /// How long until there is something to write; `None` while nothing waits.
    pub(super) fn due(&mut self, queue: &Queue<Entry>, now: Duration) -> Option<Duration> {
        let waiting = queue.len();
        let hurry = queue.is_closed() || !self.group.is_empty() || queue.is_urgent() || waiting >= GROUP;
        self.commit.due(waiting > 0 || !self.group.is_empty(), hurry, now)
    }

    /// Writes what waits, as far as it can be written, and says whether it could.
    pub(super) fn write(&mut self, queue: &Queue<Entry>, now: Duration, tell: &mut dyn FnMut(Notice)) -> bool {
        loop {
            if self.group.is_empty() {
                self.group = queue.take(GROUP);
            }
            if self.group.is_empty() {
                self.commit.done();
                return true;
            }
            match self.keeper.keep(&self.group) {
                Ok(done) => {
                    if std::mem::take(&mut self.is_left) {
                        tell(Notice::Recovered { count: done.added });
                    } else {
                        queue.settle(self.group.len());
                        self.done.added += done.added;
                        self.done.known += done.known;
                    }
                    self.group.clear();
                    if let Some(after) = self.quiet.works(now) {
                        tell(Notice::StoreBack { after, lost: queue.dropped() });
                    }
                }
                Err(error) => {
                    self.commit.failed(now);
                    queue.stuck();
                    let kind = match error {
                        StoreError::Locked(_) => "locked",
                        StoreError::Write { .. } => "write",
                        _ => "other",
                    };
                    if self.quiet.fails(kind, 1, now).is_some() {
                        tell(Notice::StoreAway { error, waiting: queue.len(), lost: queue.dropped() });
                    }
                    return false;
                }
            }
        }
    }
}

impl<K: Keeper> Writer<K> {
    /// Seals hours or a day that are over, if it is time to look for them: to be called when nothing waits to be written.
    pub(super) fn tidy(&mut self, now: Duration, tell: &mut dyn FnMut(Notice)) {
        if now < self.tidy_at {
            return;
        }
        match self.keeper.tidy() {
            Ok(more) => {
                let _ = self.untidy.works(now);
                // What has come meanwhile is written first.
                if !more {
                    self.tidy_at = now + TIDY;
                }
            }
            Err(error) => {
                self.tidy_at = now + TIDY;
                let passes = matches!(error, StoreError::Locked(_));
                if !passes && self.untidy.fails("seal", 1, now).is_some() {
                    tell(Notice::Unsealed { error });
                }
            }
        }
    }

    /// How long until it is time to look for hours and days to seal.
    pub(super) const fn tidy_in(&self, now: Duration) -> Duration {
        self.tidy_at.saturating_sub(now)
    }
}

impl Writer<StoreKeeper> {
    /// Opens the store.
    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        self.keeper.open().map(drop)
    }

    /// The events that are new since they were asked for last.
    pub(super) fn new_events(&mut self) -> Vec<KeptEvent> {
        std::mem::take(&mut self.keeper.new)
    }

    /// Keeps events that a reader noticed; those that could not be are given back.
    pub(super) fn note(&mut self, events: Vec<Event>) -> Vec<Event> {
        if events.is_empty() || self.keeper.note(&events).is_ok() { Vec::new() } else { events }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{MeterId, Protocol, Reading};

    /// A store that is locked until it is told otherwise.
    #[derive(Debug, Default)]
    struct Fake {
        locked: bool,
        kept: Vec<Instant>,
        transactions: usize,
        tidied: usize,
    }

    impl Keeper for &mut Fake {
        fn keep(&mut self, entries: &[Entry]) -> Result<Inserted, StoreError> {
            if self.locked {
                return Err(StoreError::Locked("a.db".into()));
            }
            self.transactions += 1;
            self.kept.extend(entries.iter().map(|entry| entry.at));
            Ok(Inserted { added: entries.len(), known: 0 })
        }

        fn tidy(&mut self) -> Result<bool, StoreError> {
            self.tidied += 1;
            if self.locked { Err(StoreError::Locked("a.db".into())) } else { Ok(!self.tidied.is_multiple_of(4)) }
        }
    }

    fn entry(second: i64) -> Entry {
        Entry {
            meter: MeterId::new("E450001234").unwrap(),
            at: Instant::from_unix(second),
            source: "p1".into(),
            reading: Reading::new(Protocol::Dsmr),
            derived: false,
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn ten_readings_in_ten_seconds_are_one_transaction() {
        let mut fake = Fake::default();
        let queue = Queue::new(100, None);
        let mut writer = Writer::new(&mut fake, seconds(10), Vec::new());
        let mut tell = |notice| panic!("{notice:?}");
        for second in 0..20 {
            queue.push(entry(second), false);
            let now = seconds(second.unsigned_abs());
            if writer.due(&queue, now) == Some(Duration::ZERO) {
                writer.write(&queue, now, &mut tell);
            }
        }
        assert_eq!((fake.transactions, fake.kept.len()), (1, 11));
    }

    #[test]
    fn what_an_earlier_process_left_is_kept_first() {
        let mut fake = Fake::default();
        let queue = Queue::new(100, None);
        let mut told = Vec::new();
        let mut writer = Writer::new(&mut fake, seconds(10), vec![entry(1), entry(2)]);
        queue.push(entry(3), false);
        assert_eq!(writer.due(&queue, seconds(0)), Some(Duration::ZERO));
        assert!(writer.write(&queue, seconds(0), &mut |notice| told.push(notice)));
        assert_eq!((queue.len(), writer.done().added), (0, 1));
        assert!(matches!(told.as_slice(), [Notice::Recovered { count: 2 }]), "{told:?}");
        assert_eq!(fake.kept.len(), 3);
    }

    #[test]
    fn days_that_are_over_are_looked_for_every_ten_minutes_and_sealed_one_by_one() {
        let mut fake = Fake::default();
        let mut writer = Writer::new(&mut fake, Duration::ZERO, Vec::new());
        let mut tell = |notice| panic!("{notice:?}");
        // Three days at first, and then nothing to do for ten minutes.
        for _ in 0..10 {
            writer.tidy(seconds(5), &mut tell);
        }
        assert_eq!((writer.keeper.tidied, writer.tidy_in(seconds(5))), (4, TIDY));
        writer.keeper.locked = true;
        writer.tidy(seconds(604), &mut tell);
        assert_eq!(writer.keeper.tidied, 4);
        writer.tidy(seconds(605), &mut tell);
        writer.tidy(seconds(606), &mut tell);
        assert_eq!(writer.keeper.tidied, 5);
    }

    #[test]
    fn a_locked_store_costs_nothing_and_is_said_once() {
        let mut fake = Fake { locked: true, ..Fake::default() };
        let queue = Queue::new(100, None);
        let mut told = Vec::new();
        let mut writer = Writer::new(&mut fake, Duration::ZERO, Vec::new());
        for second in 0..40 {
            queue.push(entry(second), false);
            writer.write(&queue, seconds(second.unsigned_abs()), &mut |notice| told.push(notice));
        }
        assert_eq!(queue.len(), 40);
        writer.keeper.locked = false;
        queue.push(entry(40), false);
        assert!(writer.write(&queue, seconds(40), &mut |notice| told.push(notice)));
        assert_eq!((queue.len(), writer.done().added), (0, 41));
        assert!(
            matches!(
                told.as_slice(),
                [Notice::StoreAway { error: StoreError::Locked(_), waiting: 1, lost: 0 }, Notice::StoreBack { after, lost: 0 }]
                if *after == seconds(40)
            ),
            "{told:?}"
        );
        let order: Vec<_> = (0..=40).map(Instant::from_unix).collect();
        assert_eq!(fake.kept, order);
    }

    #[test]
    fn what_does_not_fit_into_memory_is_counted_and_the_newest_are_kept() {
        let mut fake = Fake { locked: true, ..Fake::default() };
        let queue = Queue::new(10, None);
        let mut told = Vec::new();
        let mut writer = Writer::new(&mut fake, Duration::ZERO, Vec::new());
        queue.push(entry(0), false);
        writer.write(&queue, seconds(0), &mut |notice| told.push(notice));
        for second in 1..25 {
            queue.push(entry(second), false);
        }
        writer.keeper.locked = false;
        writer.write(&queue, seconds(30), &mut |notice| told.push(notice));
        assert!(matches!(told.last(), Some(Notice::StoreBack { lost: 15, .. })), "{told:?}");
        let seconds: Vec<_> = fake.kept.iter().map(|at| at.unix_seconds()).collect();
        assert_eq!(seconds, [0, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
    }
}
