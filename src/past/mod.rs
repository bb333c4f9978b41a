//! The past of a meter: what the store holds of it, and the archive where the store was pruned.
//!
//! Whoever asks about a meter (statistics, exports, the API) asks here and need not know where a reading lies. Of the
//! archive one day at a time is in memory.

mod archived;
mod measures;
mod spread;

pub use measures::each_measure;
pub use spread::Survey;

use crate::archive::{ArchiveError, Tree};
use crate::document::Values;
use crate::reading::{Decimal, Instant, MeterId, Quality, TariffMemory};
use crate::store::{Boundaries, EventQuery, Kept, KeptEvent, Lean, Series, Sheet, Store, StoreError, Totals};
use std::ops::Range;

/// Why the past cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PastError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the archive cannot be used, and the store no longer has what it holds.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// While the question was being answered readings were given to the archive: it can be asked again.
    #[error("readings of {0} were given to the archive meanwhile")]
    Moved(MeterId),
}

/// All that is known of meters.
#[derive(Debug, Clone, Copy)]
pub struct Past<'s> {
    store: &'s Store,
    archive: Option<&'s Tree>,
}

impl<'s> Past<'s> {
    /// What a store holds.
    #[must_use]
    pub const fn new(store: &'s Store) -> Self {
        Self { store, archive: None }
    }

    /// What a store holds, and before the time it was pruned to, what an archive does.
    #[must_use]
    pub const fn with_archive(store: &'s Store, archive: &'s Tree) -> Self {
        Self { store, archive: Some(archive) }
    }

    /// The time before which nothing can be told of a meter, since it was pruned and no archive is named.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn blind_before(&self, meter: &MeterId) -> Result<Option<Instant>, PastError> {
        Ok(if self.archive.is_some() { None } else { self.store.pruned(meter)? })
    }

    /// The meters, by identifier.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn meters(&self) -> Result<Vec<MeterId>, PastError> {
        Ok(self.store.meters()?)
    }

    /// See [`Store::extent`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn extent(&self, meter: &MeterId) -> Result<Option<(Instant, Instant)>, PastError> {
        let _one_state = self.store.hold()?;
        let stored = self.store.extent(meter)?;
        let archived = self.archived_extent(meter)?;
        let first = stored.iter().chain(&archived).map(|(first, _)| *first).min();
        let last = stored.iter().chain(&archived).map(|(_, last)| *last).max();
        Ok(first.zip(last))
    }

    /// Reads all that the store has of a meter, so that a damaged time is told as damage, not believed.
    ///
    /// # Errors
    /// [`PastError`]; also where the readings do not reach as far as the store says.
    pub fn prove_extent(&self, meter: &MeterId) -> Result<(), PastError> {
        let _one_state = self.store.hold()?;
        let Some((first, last)) = self.store.extent(meter)? else { return Ok(()) };
        let just_behind = Instant::from_unix_micros(last.unix_micros().saturating_add(1));
        let mut seen: Option<(Instant, Instant)> = None;
        self.store.lean(meter, first..just_behind, |lean| {
            let at = match lean {
                Lean::Whole(kept) => kept.at,
                Lean::Numbers { at, .. } => at,
            };
            seen = Some((seen.map_or(at, |(first, _)| first), at));
            Ok::<_, StoreError>(())
        })?;
        if seen == Some((first, last)) {
            return Ok(());
        }
        let what = format!("its readings do not reach from {first} to {last}, as it says");
        Err(StoreError::Damaged { path: self.store.path().to_owned(), what }.into())
    }

    /// See [`Store::events`]; they are never pruned.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn events(&self, wanted: &EventQuery) -> Result<Vec<KeptEvent>, PastError> {
        Ok(self.store.events(wanted)?)
    }

    /// The time of the newest reading. The archive is opened only where the store has none behind what was pruned.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn last(&self, meter: &MeterId) -> Result<Option<Instant>, PastError> {
        let pruned = self.store.pruned(meter)?;
        match self.store.extent(meter)? {
            Some((_, last)) if pruned.is_none_or(|until| last >= until) => Ok(Some(last)),
            _ => Ok(self.extent(meter)?.map(|(_, last)| last)),
        }
    }

    /// The readings in the contract's terms, in order of time; those of one instant as one.
    ///
    /// # Errors
    /// [`PastError`], or what `sink` returns.
    pub fn measures<E: From<PastError>>(
        &self,
        meter: &MeterId,
        period: Range<Instant>,
        mut sink: impl FnMut(Instant, &Values, Quality, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        let _one_state = self.store.hold().map_err(PastError::from)?;
        let (archived, stored) = self.split(meter, &period)?;
        self.archived(meter, archived, |at, record| sink(at, &record.values, record.quality, &record.source))?;
        each_measure(self.store, meter, stored, |at, values, quality, source| {
            sink(at, values, quality, source).map_err(Stopped::Sink)
        })
        .map_err(Stopped::into)
    }

    /// See [`Store::tariff_memory`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn tariff_memory(&self, meter: &MeterId) -> Result<TariffMemory, PastError> {
        Ok(self.store.tariff_memory(meter)?)
    }

    /// See [`Store::series`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn series(&self, meter: &MeterId) -> Result<Vec<Series>, PastError> {
        Ok(self.store.series(meter)?)
    }

    /// See [`Store::instants`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn instants(&self, meter: &MeterId, period: Range<Instant>) -> Result<(u64, Option<Instant>), PastError> {
        let _one_state = self.store.hold().map_err(PastError::from)?;
        let (archived, stored) = self.split(meter, &period)?;
        let (mut count, mut newest) = (0, None);
        self.archived(meter, archived, |at, _| -> Result<(), PastError> {
            count += 1;
            newest = Some(at);
            Ok(())
        })?;
        let (more, last) = self.store.instants(meter, stored)?;
        Ok((count + more, last.or(newest)))
    }

    /// See [`Store::series_in`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn series_in(&self, meter: &MeterId, period: Range<Instant>) -> Result<Vec<Series>, PastError> {
        let _one_state = self.store.hold().map_err(PastError::from)?;
        let (archived, stored) = self.split(meter, &period)?;
        let mut there = self.store.series_in(meter, stored)?;
        if archived.is_empty() {
            return Ok(there);
        }
        let mut others = self.store.series(meter)?;
        others.retain(|series| !there.contains(series));
        self.archived(meter, archived, |_, record| -> Result<(), PastError> {
            others.retain(|series| {
                let is_there = archived::has(series, &record.values);
                if is_there {
                    there.push(series.clone());
                }
                !is_there
            });
            Ok(())
        })?;
        // In the order they were first seen, as the store gives them.
        let order = self.store.series(meter)?;
        there.sort_by_key(|series| order.iter().position(|other| other == series));
        Ok(there)
    }

    /// See [`Store::readings`]. Of the archive each is in the contract's terms.
    ///
    /// # Errors
    /// [`PastError`], or what `sink` returns.
    pub fn readings<E: From<PastError>>(
        &self,
        meter: &MeterId,
        period: Range<Instant>,
        mut sink: impl FnMut(Kept) -> Result<(), E>,
    ) -> Result<(), E> {
        let _one_state = self.store.hold().map_err(PastError::from)?;
        let (archived, stored) = self.split(meter, &period)?;
        self.archived(meter, archived, |at, record| sink(archived::kept(meter, at, record)))?;
        self.store.readings(meter, stored, |kept| sink(kept).map_err(Stopped::Sink)).map_err(Stopped::into)
    }

    /// The same, but those of one instant as one.
    ///
    /// # Errors
    /// [`PastError`], or what `sink` returns.
    pub fn joined<E: From<PastError>>(
        &self,
        meter: &MeterId,
        period: Range<Instant>,
        mut sink: impl FnMut(&Kept) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut open: Option<Kept> = None;
        self.readings(meter, period, |next| -> Result<(), E> {
            match &mut open {
                Some(kept) if kept.at == next.at => measures::join(&mut kept.reading, next.reading),
                _ => {
                    if let Some(kept) = open.replace(next) {
                        sink(&kept)?;
                    }
                }
            }
            Ok(())
        })?;
        open.iter().try_for_each(sink)
    }

    /// See [`Store::table`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn table(
        &self,
        series: &[Series],
        period: Range<Instant>,
        mut sink: impl FnMut(Instant, &[Option<Decimal>], Quality),
    ) -> Result<(), PastError> {
        let Some(meter) = series.first().map(Series::meter) else { return Ok(()) };
        let _one_state = self.store.hold().map_err(PastError::from)?;
        let (archived, stored) = self.split(meter, &period)?;
        self.archived_table(meter, series, archived, &mut sink)?;
        Ok(self.store.table(series, stored, sink)?)
    }

    /// See [`Store::totals`]. Of the archive there is one entry for each day.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn totals(&self, series: &Series, period: Range<Instant>) -> Result<Vec<Totals>, PastError> {
        let _one_state = self.store.hold().map_err(PastError::from)?;
        let (archived, stored) = self.split(series.meter(), &period)?;
        let mut totals = self.archived_totals(series, archived)?;
        totals.extend(self.store.totals(series, stored)?);
        Ok(totals)
    }

    /// See [`Store::boundaries`]. Serial numbers of what was pruned are not looked at.
    ///
    /// # Errors
    /// [`PastError`].
    pub fn boundaries(&self, meter: &MeterId) -> Result<Boundaries, PastError> {
        Ok(self.store.boundaries(meter)?)
    }

    /// See [`Store::neighbours`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn neighbours(
        &self,
        meter: &MeterId,
        period: &Range<Instant>,
    ) -> Result<(Option<Instant>, Option<Instant>), PastError> {
        let (before, after) = self.store.neighbours(meter, period)?;
        let (archived_before, archived_after) = self.archived_neighbours(meter, period)?;
        let last = before.into_iter().chain(archived_before).max();
        let first = after.into_iter().chain(archived_after).min();
        Ok((last, first))
    }
}

/// Either the store or the one who reads it stops.
enum Stopped<E> {
    Store(StoreError),
    Sink(E),
}

impl<E> From<StoreError> for Stopped<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E: From<PastError>> Stopped<E> {
    fn into(self) -> E {
        match self {
            Self::Store(error) => PastError::from(error).into(),
            Self::Sink(error) => error,
        }
    }
}
