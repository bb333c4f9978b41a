//! Adding readings: nothing twice, and all of a call or none of it.

use super::block::builder::Builder;
use super::block::skeleton::quality_number;
use super::known::{self, Known};
use super::names::Names;
use super::seal::{self, DAY_ROWS, MONTH_ROWS, Sealing, end_of_day, same_day};
use super::{Store, StoreError, Trouble, hot, sealed};
use crate::reading::{Instant, MeterId, Reading};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::ops::Range;
use std::path::PathBuf;

/// A reading to be kept.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The meter it is of.
    pub meter: MeterId,
    /// The time it counts under.
    pub at: Instant,
    /// Where it came from.
    pub source: String,
    /// What it says.
    pub reading: Reading,
    /// It is no telegram but what another program made of one (an archive, a table): it adds nothing where the readings of
    /// its instant already have its values, whatever registers and digits they have them in.
    pub derived: bool,
}

/// What an insertion did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Readings that were not there before.
    pub added: usize,
    /// Readings that were there already.
    pub known: usize,
}

impl std::ops::AddAssign for Inserted {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.known += other.known;
    }
}

impl Store {
    /// Keeps readings: all of them or, on an error, none. A reading that is already there is not added again.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn insert(&mut self, entries: &[Entry]) -> Result<Inserted, StoreError> {
        self.write(|connection, names| insert_all(connection, names, entries))
    }

    /// Begins to take in very many readings, in one transaction. Those of days that are over `now` are sealed at once
    /// where they come in order of time.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn import(&mut self, now: Instant) -> Result<Import<'_>, StoreError> {
        let path = self.path.clone();
        let sealing = self.sealing(now);
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(|source| Trouble::from(source).at(&path))?;
        self.names.refresh(&transaction).map_err(|trouble| trouble.at(&path))?;
        self.names.shrink();
        self.names.doubt();
        Ok(Import {
            transaction,
            names: &mut self.names,
            path,
            sealing,
            known: Known::default(),
            open: Vec::new(),
            numbers: Vec::new(),
        })
    }
}

/// Adds readings as hot rows.
pub(super) fn insert_all(connection: &Connection, names: &mut Names, entries: &[Entry]) -> Result<Inserted, Trouble> {
    let mut known = Known::default();
    let mut done = Inserted::default();
    for entry in entries {
        if insert_hot(connection, names, &mut known, entry)? {
            done.added += 1;
        } else {
            done.known += 1;
        }
    }
    Ok(done)
}

/// Adds a reading as a hot row; `false` where it is there already.
pub(super) fn insert_hot(
    connection: &Connection,
    names: &mut Names,
    known: &mut Known,
    entry: &Entry,
) -> Result<bool, Trouble> {
    let meter = names.meter(connection, &entry.meter)?;
    let (there, nth) = known.find(connection, names, meter, entry)?;
    if there {
        return Ok(false);
    }
    let mut numbers = Vec::new();
    let skeleton = names.encode(connection, meter, (&entry.reading, &entry.source, entry.at), &mut numbers)?;
    hot::insert(connection, names, (meter, entry.at, nth), &entry.reading, skeleton, &numbers)?;
    Ok(true)
}

/// An insertion of very many readings that is going on. Nothing of it is there before [`Import::finish`], and never if it is
/// dropped.
#[derive(Debug)]
pub struct Import<'s> {
    transaction: Transaction<'s>,
    names: &'s mut Names,
    path: PathBuf,
    sealing: Sealing,
    known: Known,
    open: Vec<Open>,
    numbers: Vec<i64>,
}

/// So many meters may take turns without cutting each other's spans short.
const MAX_OPEN: usize = 4;

/// The span that readings of a meter go into while they come in order.
#[derive(Debug)]
struct Open {
    id: MeterId,
    meter: i64,
    period: Range<i64>,
    builder: Builder,
    /// Skeleton and numbers of the readings of the newest instant.
    newest: Vec<(u32, Vec<i64>)>,
    /// How many readings there were when the newest day began.
    before_day: usize,
}

impl Import<'_> {
    /// Keeps a reading; `false` where it is there already.
    ///
    /// # Errors
    /// [`StoreError`], naming the file; the whole import is then to be dropped.
    pub fn add(&mut self, entry: &Entry) -> Result<bool, StoreError> {
        self.try_add(entry).map_err(|trouble| trouble.at(&self.path))
    }

    /// Makes everything that was added last.
    ///
    /// # Errors
    /// [`StoreError`], naming the file; nothing was added then.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let mut finish = || -> Result<(), Trouble> {
            while let Some(open) = self.open.pop() {
                self.write(open)?;
            }
            Ok(())
        };
        let done = finish().and_then(|()| Ok(self.transaction.commit()?));
        match done {
            Ok(()) => {
                self.names.settle();
                Ok(())
            }
            Err(trouble) => Err(trouble.at(&self.path)),
        }
    }

    fn try_add(&mut self, entry: &Entry) -> Result<bool, Trouble> {
        let at = entry.at.unix_micros();
        let mut place = self.open.iter().position(|open| open.id == entry.meter);
        if let Some(index) = place
            && !self.open.get(index).is_some_and(|open| open.takes(at))
        {
            let mut open = self.open.swap_remove(index);
            if open.period.contains(&at) && open.builder.last().is_some_and(|last| same_day(last, at) && last < at) {
                // The day is too long for one span: it is cut here.
                open.period.end = at;
            }
            self.write(open)?;
            place = None;
        }
        if place.is_none()
            && self.open.len() < MAX_OPEN
            && let Some(open) = self.open_for(entry)?
        {
            place = Some(self.open.len());
            self.open.push(open);
        }
        match place.and_then(|place| self.open.get_mut(place)) {
            Some(open) => open.add(&self.transaction, self.names, entry, &mut self.numbers),
            None => insert_hot(&self.transaction, self.names, &mut self.known, entry),
        }
    }

    /// A span for the reading, where its day is over and nothing is there yet.
    fn open_for(&mut self, entry: &Entry) -> Result<Option<Open>, Trouble> {
        let meter = self.names.meter(&self.transaction, &entry.meter)?;
        let at = entry.at.unix_micros();
        let Some(period) = seal::vacancy(&self.transaction, meter, at, self.sealing)? else { return Ok(None) };
        if hot::any(&self.transaction, meter, &period)? {
            return Ok(None);
        }
        let (id, builder) = (entry.meter.clone(), Builder::default());
        Ok(Some(Open { id, meter, period, builder, newest: Vec::new(), before_day: 0 }))
    }

    fn write(&mut self, open: Open) -> Result<(), Trouble> {
        if let Some(last) = open.builder.last() {
            let until = end_of_day(last).min(open.period.end);
            self.known.forget();
            sealed::write(&self.transaction, self.names, open.meter, open.period.start..until, open.builder)?;
        }
        if self.open.is_empty() {
            self.names.shrink();
        }
        Ok(())
    }
}

impl Open {
    /// Whether the reading at `at` can be added.
    fn takes(&self, at: i64) -> bool {
        if !self.period.contains(&at) {
            return false;
        }
        let Some(last) = self.builder.last() else { return true };
        if at < last {
            return false;
        }
        let count = self.builder.len();
        if same_day(last, at) {
            at == last || count < DAY_ROWS
        } else {
            // Another day like the last one has to fit.
            count + (count - self.before_day) <= MONTH_ROWS
        }
    }

    fn add(
        &mut self,
        connection: &Connection,
        names: &mut Names,
        entry: &Entry,
        numbers: &mut Vec<i64>,
    ) -> Result<bool, Trouble> {
        let at = entry.at.unix_micros();
        match self.builder.last() {
            Some(last) if last == at => {
                let mut there = Vec::new();
                for (skeleton, numbers) in &self.newest {
                    let (reading, _) =
                        names.fill(connection, &entry.meter, (entry.at, entry.reading.quality), *skeleton, numbers)?;
                    there.push(reading);
                }
                if known::is_among(&there.iter().collect::<Vec<_>>(), entry) {
                    return Ok(false);
                }
            }
            last => {
                if last.is_none_or(|last| !same_day(last, at)) {
                    self.before_day = self.builder.len();
                }
                self.newest.truncate(1);
            }
        }
        let id = names.encode(connection, self.meter, (&entry.reading, &entry.source, entry.at), numbers)?;
        let (bytes, skeleton) = names.skeleton(id)?;
        let quality = quality_number(entry.reading.quality);
        self.builder.push(id, (&bytes, &skeleton), at, quality, numbers)?;
        match self.newest.first_mut() {
            Some((first, kept)) if self.builder.is_new_instant() => {
                *first = id;
                kept.clone_from(numbers);
            }
            _ => self.newest.push((id, numbers.clone())),
        }
        Ok(true)
    }
}
