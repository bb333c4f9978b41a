//! Work on many readings, shared among the processor's cores.

use super::{Past, PastError, Series, Sheet, Store};
use crate::store::{Stretch, Survey};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

/// Below so many readings another thread costs more than it saves.
const FEW: usize = 100_000;
/// More threads than this wait for each other.
const MOST: usize = 8;

impl Past<'_> {
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
                each(self.store, series, stretch, &mut |sheet| sink(map(sheet)))?;
            }
            return Ok(());
        }
        let path = self.store.path();
        let stretches: Vec<_> =
            survey.stretches.into_iter().enumerate().map(|indexed| Mutex::new(Some(indexed))).collect();
        let next = AtomicUsize::new(0);
        let work = |sender: mpsc::SyncSender<Done<T>>| {
            // A connection is of one thread.
            let store = match Store::open(path) {
                Ok(store) => store,
                Err(error) => return drop(sender.send(Err(error.into()))),
            };
            while let Some(slot) = stretches.get(next.fetch_add(1, Ordering::Relaxed)) {
                let Some((index, stretch)) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
                let mut made = Vec::new();
                let done = each(&store, series, stretch, &mut |sheet| made.push(map(sheet)));
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

fn each(store: &Store, series: &[Series], stretch: Stretch, sink: &mut impl FnMut(Sheet)) -> Result<(), PastError> {
    match stretch {
        Stretch::Sealed { period, .. } => Ok(store.sheets(series, period, sink)?),
        Stretch::Open(sheet) => {
            sink(sheet);
            Ok(())
        }
    }
}

fn weight(stretch: &Stretch) -> usize {
    match stretch {
        Stretch::Sealed { readings, .. } => *readings,
        Stretch::Open(sheet) => sheet.times.len(),
    }
}
