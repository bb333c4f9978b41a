//! The past of a meter: what the store holds of it.
//!
//! Whoever asks about a meter (statistics, exports, the API) asks here and need not know where a reading lies.

use crate::reading::{Decimal, Instant, MeterId, Quality, TariffMemory};
use crate::store::{Correction, Kept, Lean, Sample, Series, Sheet, Step, Store, StoreError, Survey, Totals};
use std::ops::Range;

mod spread;

/// Why the past cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PastError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All that is known of meters.
#[derive(Debug, Clone, Copy)]
pub struct Past<'s> {
    store: &'s Store,
}

impl<'s> Past<'s> {
    /// What a store holds.
    #[must_use]
    pub const fn new(store: &'s Store) -> Self {
        Self { store }
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
        Ok(self.store.extent(meter)?)
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

    /// See [`Store::readings`].
    ///
    /// # Errors
    /// [`PastError`], or what `sink` returns.
    pub fn readings<E: From<PastError>>(
        &self,
        meter: &MeterId,
        period: Range<Instant>,
        mut sink: impl FnMut(Kept) -> Result<(), E>,
    ) -> Result<(), E> {
        self.store.readings(meter, period, |kept| sink(kept).map_err(Stopped::Sink)).map_err(Stopped::into)
    }

    /// See [`Store::lean`].
    ///
    /// # Errors
    /// [`PastError`], or what `sink` returns.
    pub fn lean<E: From<PastError>>(
        &self,
        meter: &MeterId,
        period: Range<Instant>,
        mut sink: impl FnMut(Lean<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.store.lean(meter, period, |lean| sink(lean).map_err(Stopped::Sink)).map_err(Stopped::into)
    }

    /// See [`Store::samples`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn samples(&self, series: &Series, period: Range<Instant>, sink: impl FnMut(Sample)) -> Result<(), PastError> {
        Ok(self.store.samples(series, period, sink)?)
    }

    /// See [`Store::table`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn table(
        &self,
        series: &[Series],
        period: Range<Instant>,
        sink: impl FnMut(Instant, &[Option<Decimal>], Quality),
    ) -> Result<(), PastError> {
        Ok(self.store.table(series, period, sink)?)
    }

    /// See [`Store::totals`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn totals(&self, series: &Series, period: Range<Instant>) -> Result<Vec<Totals>, PastError> {
        Ok(self.store.totals(series, period)?)
    }

    /// See [`Store::steps`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn steps(&self, series: &Series, period: Range<Instant>, sink: impl FnMut(Step)) -> Result<(), PastError> {
        Ok(self.store.steps(series, period, sink)?)
    }

    /// See [`Store::corrections`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn corrections(&self, meter: &MeterId) -> Result<Vec<(Instant, Correction)>, PastError> {
        Ok(self.store.corrections(meter)?)
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
        Ok(self.store.neighbours(meter, period)?)
    }

    /// See [`Store::survey`].
    ///
    /// # Errors
    /// [`PastError`].
    pub fn survey(&self, meter: &MeterId, series: &[Series], period: Range<Instant>) -> Result<Survey, PastError> {
        Ok(self.store.survey(meter, series, period)?)
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
