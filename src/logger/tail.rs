//! What came within the window and is not in the store yet, in memory that outlives the process.
//!
//! Group commits spare flash, but a process that is killed would lose what it holds. So each reading is also put into a small
//! store on a tmpfs, which costs no flash, and whatever a killed process left there is stored by the next one. A power cut takes
//! the tail with it: against that there is the window.

use crate::reading::Instant;
use crate::store::{Entry, Store, StoreError};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// The tail of one process, and those it found.
#[derive(Debug, Default)]
pub(super) struct Tail {
    own: Option<Slot>,
    /// Left behind by others, and read; to be removed once it is in the store.
    found: Vec<Slot>,
}

/// A file that nobody else has.
#[derive(Debug)]
struct Slot {
    path: PathBuf,
    /// Held for as long as this lives.
    _lock: File,
    store: Option<Store>,
    count: usize,
}

/// After so many readings a new tail is begun as soon as the old one is in the store.
const LONG: usize = 2000;

/// A store that cannot be written for long must not fill the memory.
const LONGEST: usize = 20_000;

/// So many processes may log into one store.
const SLOTS: usize = 64;

impl Tail {
    /// Takes a tail of the store `name`d so in `folder`, and what earlier processes left in theirs.
    pub(super) fn open(folder: &Path, name: &str) -> (Self, Vec<Entry>) {
        let (mut tail, mut left) = (Self::default(), Vec::new());
        for number in 0..SLOTS {
            let path = folder.join(format!("{name}-{number}.db"));
            if tail.own.is_some() && !path.exists() {
                continue;
            }
            let Some(mut slot) = Slot::take(path) else { continue };
            // What cannot be read was not whole: there is nothing to be had from it.
            let entries = slot.entries().unwrap_or_default();
            slot.count = entries.len();
            left.extend(entries);
            if tail.own.is_none() {
                tail.own = Some(slot);
            } else {
                tail.found.push(slot);
            }
        }
        (tail, left)
    }

    /// Puts a reading in. Where that fails, or it has become too long, there is no tail any more; what it holds stays for the
    /// next process.
    pub(super) fn keep(&mut self, entry: &Entry) {
        if self.own.as_mut().is_some_and(|slot| slot.count >= LONGEST || slot.keep(entry).is_err()) {
            self.own = None;
        }
    }

    /// All that was put in, or found, is in the store.
    pub(super) fn settle(&mut self) {
        self.found.drain(..).for_each(Slot::remove);
        if let Some(slot) = self.own.as_mut().filter(|slot| slot.count >= LONG) {
            slot.clear();
        }
    }

    /// All is in the store, and nothing more comes.
    pub(super) fn end(&mut self) {
        self.found.drain(..).chain(self.own.take()).for_each(Slot::remove);
    }

    /// Whether there is one, which then holds all that is not in the store.
    pub(super) const fn exists(&self) -> bool {
        self.own.is_some()
    }
}

impl Slot {
    /// Takes the file, if no other process has it.
    fn take(path: PathBuf) -> Option<Self> {
        let lock = File::options().write(true).create(true).truncate(false).open(path.with_extension("lock")).ok()?;
        match lock.try_lock() {
            Ok(()) => Some(Self { path, _lock: lock, store: None, count: 0 }),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
        }
    }

    fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let store = Store::open(&self.path)?;
        let mut entries = Vec::new();
        for meter in store.meters()? {
            let ever = Instant::from_unix_micros(i64::MIN)..Instant::from_unix_micros(i64::MAX);
            store.readings(&meter, ever, |kept| {
                let crate::store::Kept { at, source, reading, .. } = kept;
                entries.push(Entry { meter: meter.clone(), at, source: source.to_string(), reading, derived: false });
                Ok::<_, StoreError>(())
            })?;
        }
        Ok(entries)
    }

    fn keep(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let store = match self.store.take() {
            Some(store) => store,
            None => Store::create(&self.path)?,
        };
        self.count += 1;
        self.store.insert(store).insert(std::slice::from_ref(entry)).map(drop)
    }

    /// Begins anew.
    fn clear(&mut self) {
        self.store = None;
        self.count = 0;
        for suffix in ["", "-wal", "-shm"] {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            drop(std::fs::remove_file(name));
        }
    }

    /// Removes it. The lock goes last, so that nobody finds half of it.
    fn remove(mut self) {
        self.clear();
        drop(std::fs::remove_file(self.path.with_extension("lock")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Code, Decimal, MeterId, Protocol, Reading, Register, Unit};

    fn entry(second: i64) -> Entry {
        let mut reading = Reading::new(Protocol::Dsmr);
        reading.registers.push(Register::number(Code::parse(b"1-0:1.8.0"), Decimal::new(second, -3), Some(Unit::KWH)));
        Entry {
            meter: MeterId::new("E450001234").unwrap(),
            at: Instant::from_unix(second),
            source: "p1".into(),
            reading,
            derived: false,
        }
    }

    fn times(entries: &[Entry]) -> Vec<i64> {
        entries.iter().map(|entry| entry.at.unix_seconds()).collect()
    }

    fn files(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn what_a_killed_process_left_is_found_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let (mut first, left) = Tail::open(folder.path(), "a");
        assert!(left.is_empty() && first.exists());
        (0..3).for_each(|second| first.keep(&entry(second)));
        // A second process beside it has a tail of its own, and another store none of it.
        let (mut second, left) = Tail::open(folder.path(), "a");
        second.keep(&entry(9));
        assert!(left.is_empty() && Tail::open(folder.path(), "b").1.is_empty());
        drop((first, second));
        let (mut next, left) = Tail::open(folder.path(), "a");
        assert_eq!(times(&left), [0, 1, 2, 9]);
        assert_eq!(left[1].reading.registers, entry(1).reading.registers);
        next.keep(&entry(10));
        drop(next);
        // Nothing was said to be in the store yet.
        let (mut next, left) = Tail::open(folder.path(), "a");
        assert_eq!(times(&left), [0, 1, 2, 10, 9]);
        next.settle();
        next.end();
        assert!(Tail::open(folder.path(), "a").1.is_empty());
    }

    #[test]
    fn a_tail_that_is_in_the_store_does_not_grow() {
        let folder = tempfile::tempdir().unwrap();
        let (mut tail, _) = Tail::open(folder.path(), "a");
        let slot = tail.own.as_mut().unwrap();
        slot.keep(&entry(1)).unwrap();
        slot.count = LONG;
        tail.settle();
        assert_eq!((tail.own.as_ref().unwrap().count, files(folder.path())), (0, 1));
        tail.keep(&entry(2));
        tail.end();
        assert_eq!(files(folder.path()), 0);
    }

    #[test]
    fn rubbish_where_a_tail_should_be_is_no_tail_and_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a-0.db"), [7; 9000]).unwrap();
        let (mut tail, left) = Tail::open(folder.path(), "a");
        tail.keep(&entry(1));
        assert!(left.is_empty() && !tail.exists());
    }
}
