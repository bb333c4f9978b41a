//! What may leave the store: only what a file of the archive, read now, is seen to hold. And what may leave the archive.

use super::ConsolidateError;
use super::run::{Done, Wishes, place_of};
use crate::archive::{ArchiveError, Kind, Named, Period, Records, Tree, add, layout, read_bytes, record};
use crate::document::{Values, write_measure};
use crate::past::each_measure;
use crate::reading::{Instant, MeterId, Quality};
use crate::store::{Stock, Store};
use std::collections::{BTreeMap, BTreeSet};

/// Pruning that is going on.
pub(super) struct Pruning<'a> {
    pub(super) wishes: &'a Wishes,
    pub(super) tree: &'a Tree,
    /// What is older may go.
    pub(super) cutoff: Instant,
    pub(super) known: &'a [String],
    /// The files that this run has written: a dry run takes them for whole.
    pub(super) written: &'a BTreeSet<String>,
}

impl Pruning<'_> {
    /// Up to when each meter was pruned.
    pub(super) fn run(
        &self,
        store: &Store,
        meters: &[MeterId],
        tell: &mut dyn FnMut(Done),
    ) -> Result<BTreeMap<MeterId, Instant>, ConsolidateError> {
        let mut done = BTreeMap::new();
        // Whole days only.
        let Some(last) = Period::containing(Kind::Day, self.cutoff) else { return Ok(done) };
        let wanted = |meter: &&MeterId| self.wishes.meter.as_ref().is_none_or(|wanted| wanted == *meter);
        for meter in meters.iter().filter(wanted) {
            done.extend(self.meter(store, meter, last.start(), tell)?.map(|until| (meter.clone(), until)));
        }
        // Telegrams as they came are older than what every meter has given away.
        let mut oldest = Some(last.start());
        for meter in meters {
            let until = store.pruned(meter)?;
            oldest = oldest.zip(until).map(|(one, other)| one.min(other));
        }
        if let Some(before) = oldest.filter(|_| !self.wishes.dry) {
            Store::create(&self.wishes.store)?.forget_raw(before)?;
        }
        Ok(done)
    }

    fn meter(
        &self,
        store: &Store,
        meter: &MeterId,
        cutoff: Instant,
        tell: &mut dyn FnMut(Done),
    ) -> Result<Option<Instant>, ConsolidateError> {
        let ever = Instant::from_unix_micros(i64::MIN / 2)..cutoff;
        let stock = store.stock(meter, ever)?;
        let mut days: BTreeMap<Period, Stock> = BTreeMap::new();
        let mut until = cutoff;
        for (hour, held) in &stock {
            match Period::containing(Kind::Day, *hour) {
                Some(day) => *days.entry(day).or_default() += *held,
                // No file can hold a time beyond the calendar, and what is before it does not go either.
                None => until = until.min(*hour),
            }
        }
        let mut safe = Stock::default();
        for (day, held) in days.into_iter().filter(|(day, _)| day.end() <= until || day.start() < until) {
            if let Err(why) = self.is_safe(store, meter, day)? {
                tell(Done::Kept { meter: meter.clone(), day, why });
                until = until.min(day.start());
                break;
            }
            safe += held;
        }
        if safe == Stock::default() {
            return Ok(None);
        }
        let done = if self.wishes.dry {
            Some(store.prunable(meter, until)?)
        } else {
            Store::create(&self.wishes.store)?.prune(meter, until, safe)?
        };
        match done {
            Some(done) => {
                let (readings, bytes) = (done.readings, done.bytes);
                tell(Done::Pruned { meter: meter.clone(), until, readings, bytes });
                Ok(Some(until))
            }
            None => {
                if let Some(day) = Period::containing(Kind::Day, until.plus_seconds(-1)) {
                    let why = "readings came while it was being checked: the next run takes them in".to_owned();
                    tell(Done::Kept { meter: meter.clone(), day, why });
                }
                Ok(None)
            }
        }
    }

    /// Whether the archive holds every reading of a day as the store has it, or a better one; else why not.
    fn is_safe(&self, store: &Store, meter: &MeterId, day: Period) -> Result<Result<(), String>, ConsolidateError> {
        let is_default = self.wishes.default_meter.as_ref().map_or(self.known.len() == 1, |default| default == meter);
        let (name, listed) = place_of(self.tree, meter, is_default, day)?;
        let Some(listed) = listed else { return Ok(Err(format!("there is no {name}"))) };
        if self.wishes.dry && self.written.contains(&name) {
            return Ok(Ok(()));
        }
        let path = self.tree.path(day, &name);
        let held = self.tree.verify(day, &name, &listed).and_then(|bytes| {
            let mut held = Records::new();
            read_bytes(&path, bytes, |found| -> Result<(), ArchiveError> {
                if let Some(at) = found.filed.at() {
                    add(&mut held, at, record(found.filed, found.units));
                }
                Ok(())
            })?;
            Ok(held)
        });
        let held = match held {
            Ok(held) => held,
            Err(error) => return Ok(Err(why(&error))),
        };
        let mut missing = None;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        each_measure(store, meter, day.range(), |at, values, quality, source| -> Result<(), ConsolidateError> {
            let is_held = held.get(&at).is_some_and(|file| {
                file.quality > quality || {
                    write(&mut ours, at, values, quality, source);
                    write(&mut theirs, at, &file.values, file.quality, &file.source);
                    ours == theirs
                }
            });
            if !is_held {
                missing.get_or_insert(at);
            }
            Ok(())
        })?;
        Ok(match missing {
            Some(at) => {
                // The mark tells times and qualities only: the next run writes the day anew.
                self.tree.set_origins(vec![(day, name.clone(), "-".to_owned())])?;
                Err(format!("{name} has not the reading of {at} as the store has it: the next run writes it anew"))
            }
            None => Ok(()),
        })
    }
}

/// A reading as a file has it, units included.
fn write(out: &mut Vec<u8>, at: Instant, values: &Values, quality: Quality, source: &str) {
    out.clear();
    write_measure(out, at, values, quality, source);
    for extra in &values.extras {
        out.push(b' ');
        if let Some(unit) = extra.unit {
            out.extend_from_slice(unit.symbol().as_bytes());
        }
    }
}

fn why(error: &ArchiveError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Removes files that end before a time, and of whose time the store has nothing (`held` are the hours it has).
pub(super) fn archive(
    tree: &Tree,
    (wishes, known): (&Wishes, &[String]),
    cutoff: Instant,
    held: &BTreeSet<Instant>,
    tell: &mut dyn FnMut(Done),
) -> Result<(), ConsolidateError> {
    let is_held = |period: Period| held.range(period.range()).next().is_some();
    let mut old: Vec<(Period, String)> = Vec::new();
    for folder in layout::FOLDERS {
        for name in tree.names(folder) {
            let named = Named::parse(&name).filter(|named| named.period.kind().folder() == folder);
            let Some(named) = named.filter(|named| named.period.end() <= cutoff && !is_held(named.period)) else {
                continue;
            };
            // What is not this store's, or was not asked for, stays.
            let owner = tree.listed(named.period, &name)?.map(|listed| listed.meter).or(named.suffix);
            let is_wanted = match (&owner, &wishes.meter) {
                (Some(owner), Some(meter)) => owner == meter.as_str(),
                (Some(owner), None) => known.contains(owner),
                (None, wanted) => wanted.is_none(),
            };
            if is_wanted {
                old.push((named.period, name));
            }
        }
    }
    old.sort_by(|a, b| (a.0.end(), &a.1).cmp(&(b.0.end(), &b.1)));
    let sizes: Vec<u64> = old
        .iter()
        .map(|(period, name)| std::fs::metadata(tree.path(*period, name)).map_or(0, |metadata| metadata.len()))
        .collect();
    tree.remove(&old)?;
    for ((period, name), bytes) in old.into_iter().zip(sizes) {
        tell(Done::Removed { path: tree.path(period, &name), bytes });
    }
    Ok(())
}
