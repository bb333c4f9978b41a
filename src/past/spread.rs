//! Work on many readings, shared among the processor's cores.

use super::{Past, PastError, Series, Sheet, Store};
use crate::archive::Period;
use crate::reading::{Instant, MeterId};
use crate::store;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

/// Below so many readings another thread costs more than it saves.
const FEW: usize = 100_000;
/// More threads than this wait for each other.
const MOST: usize = 8;
/// Of the archive so many readings are kept from the survey on; the files of further days are read again.
const HELD: usize = 200_000;

/// What is there to be read; see [`store::Survey`].
#[derive(Debug)]
pub struct Survey {
    meter: MeterId,
    stretches: Vec<Stretch>,
    /// For each series that was asked for, the finest power of ten of its numbers.
    pub finest: Vec<Option<i8>>,
    /// How many readings the meter has altogether; of the archive only those of the period count.
    pub all: u64,
    /// How long these reach, in microseconds, without the time between what counts of the archive and the store.
    pub length: i64,
    /// Before which time the store was pruned.
    pruned: Option<Instant>,
}

/// A stretch of time, and where its readings lie.
#[derive(Debug)]
enum Stretch {
    Stored(store::Stretch),
    /// A day of the archive, and how many readings it has in the period.
    Archived(Period, Range<Instant>, usize),
}

impl Past<'_> {
    /// In which stretches the readings of a meter in `period` come.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn survey(&self, meter: &MeterId, series: &[Series], period: Range<Instant>) -> Result<Survey, PastError> {
        let _one_state = self.store.hold()?;
        let (archived, stored) = self.split(meter, &period)?;
        let pruned = self.store.pruned(meter)?;
        let mut length = self.store.extent(meter)?.map_or(0, |(first, last)| {
            let first = pruned.filter(|_| self.archive.is_some()).map_or(first, |pruned| first.max(pruned).min(last));
            last.unix_micros() - first.unix_micros()
        });
        let mut reach: Option<(i64, i64)> = None;
        let store::Survey { stretches, finest, all } = self.store.survey(meter, series, stored)?;
        let mut survey = Survey { meter: meter.clone(), stretches: Vec::new(), finest, all, length: 0, pruned };
        let mut held = 0;
        for day in self.archived_days(meter, &archived)? {
            let Some(sheet) = self.sheet(meter, series, day, &archived)? else { continue };
            let count = sheet.times.len();
            held += count;
            survey.all += count as u64;
            if let (Some(first), Some(last)) = (sheet.times.get(0), sheet.times.get(count - 1)) {
                reach = Some((reach.map_or(first, |(first, _)| first), last));
            }
            for (finest, exponent) in survey.finest.iter_mut().zip(sheet.exponents()) {
                *finest = finest.iter().copied().chain(exponent).min();
            }
            survey.stretches.push(if held <= HELD {
                Stretch::Stored(store::Stretch::Open(sheet))
            } else {
                Stretch::Archived(day, archived.clone(), count)
            });
        }
        length += reach.map_or(0, |(first, last)| last - first);
        survey.length = length;
        survey.stretches.extend(stretches.into_iter().map(Stretch::Stored));
        Ok(survey)
    }

    /// Hands the sheets of a survey to `map`, on several threads where there is enough to do, and what it makes of them to
    /// `sink`, in order of time.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn spread<T: Send>(
        &self,
        series: &[Series],
        survey: Survey,
        map: impl Fn(Sheet) -> T + Sync,
        mut sink: impl FnMut(T),
    ) -> Result<(), PastError> {
        let readings: usize = survey.stretches.iter().map(weight).sum();
        let cores = std::thread::available_parallelism().map_or(1, usize::from).min(MOST);
        let threads = if readings < FEW { 1 } else { cores.min(survey.stretches.len()) };
        if threads < 2 {
            for stretch in survey.stretches {
                self.each(&survey.meter, series, stretch, &mut |sheet| sink(map(sheet)))?;
            }
            return Ok(());
        }
        let (path, archive) = (self.store.path(), self.archive);
        let stretches: Vec<_> =
            survey.stretches.into_iter().enumerate().map(|indexed| Mutex::new(Some(indexed))).collect();
        let next = AtomicUsize::new(0);
        let work = |sender: mpsc::SyncSender<Done<T>>| {
            // A connection is of one thread.
            let store = match Store::open(path) {
                Ok(store) => store,
                Err(error) => return drop(sender.send(Err(error.into()))),
            };
            let state = store.hold().and_then(|held| Ok((held, store.pruned(&survey.meter)?)));
            let _one_state = match state {
                Ok((held, pruned)) if pruned == survey.pruned => held,
                Ok(_) => return drop(sender.send(Err(PastError::Moved(survey.meter.clone())))),
                Err(error) => return drop(sender.send(Err(error.into()))),
            };
            while let Some(slot) = stretches.get(next.fetch_add(1, Ordering::Relaxed)) {
                let Some((index, stretch)) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
                let mut made = Vec::new();
                let past = Past { store: &store, archive };
                let done = past.each(&survey.meter, series, stretch, &mut |sheet| made.push(map(sheet)));
                // Where nobody listens any more there was an error.
                if sender.send(done.map(|()| (index, made))).is_err() {
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel(2 * threads);
            for _ in 0..threads {
                let sender = sender.clone();
                scope.spawn(|| work(sender));
            }
            drop(sender);
            let mut waiting = BTreeMap::new();
            let mut turn = 0;
            for done in receiver {
                let (index, made) = done?;
                waiting.insert(index, made);
                while let Some(made) = waiting.remove(&turn) {
                    made.into_iter().for_each(&mut sink);
                    turn += 1;
                }
            }
            Ok(())
        })
    }
}

/// What was made of a stretch, and which it was.
type Done<T> = Result<(usize, Vec<T>), PastError>;

impl Past<'_> {
    fn each(
        &self,
        meter: &MeterId,
        series: &[Series],
        stretch: Stretch,
        sink: &mut impl FnMut(Sheet),
    ) -> Result<(), PastError> {
        match stretch {
            Stretch::Stored(store::Stretch::Sealed { period, .. }) => Ok(self.store.sheets(series, period, sink)?),
            Stretch::Stored(store::Stretch::Open(sheet)) => {
                sink(sheet);
                Ok(())
            }
            Stretch::Archived(day, within, _) => {
                if let Some(sheet) = self.sheet(meter, series, day, &within)? {
                    sink(sheet);
                }
                Ok(())
            }
        }
    }
}

fn weight(stretch: &Stretch) -> usize {
    match stretch {
        Stretch::Stored(store::Stretch::Sealed { readings, .. }) | Stretch::Archived(_, _, readings) => *readings,
        Stretch::Stored(store::Stretch::Open(sheet)) => sheet.times.len(),
    }
}
