//! Keeping readings in the store, in groups.

use super::args::Globals;
use super::failure::{self, Failure};
use crate::reading::{Instant, Reading};
use crate::store::{Entry, Inserted, Store};

/// How many readings go into one transaction.
const GROUP: usize = 1000;

pub(super) struct Saver {
    store: Store,
    waiting: Vec<Entry>,
    done: Inserted,
}

impl Saver {
    pub(super) fn open(globals: &Globals) -> anyhow::Result<Self> {
        let store = Store::create(&globals.store_path()?)?;
        Ok(Self { store, waiting: Vec::new(), done: Inserted::default() })
    }

    pub(super) fn keep(&mut self, reading: &Reading, at: Instant, source: &str) -> anyhow::Result<()> {
        let Some(meter) = reading.meter.clone() else {
            return Err(Failure::new(failure::USAGE, "meter.unknown", "the telegram does not name its meter")
                .tip("name it: --meter ID")
                .into());
        };
        self.waiting.push(Entry { meter, at, source: source.to_owned(), reading: reading.clone() });
        if self.waiting.len() >= GROUP { self.flush() } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> anyhow::Result<Inserted> {
        self.flush()?;
        Ok(self.done)
    }

    /// Commits what waits.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let done = self.store.insert(&self.waiting)?;
        self.waiting.clear();
        self.done.added += done.added;
        self.done.known += done.known;
        Ok(())
    }
}
