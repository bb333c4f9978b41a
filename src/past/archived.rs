//! The part of the past that only the archive has: one day at a time.

use super::{Past, PastError, Stopped, each_measure};
use crate::archive::{ArchiveError, Flaw, Gathered, Kind, Named, Period, Record, Whose, add};
use crate::document::{Values, reading_of};
use crate::reading::{Column, Decimal, Instant, MeterId, Quality};
use crate::store::{Kept, Sample, Series, Sheet, Totals};
use std::ops::Range;

impl Past<'_> {
    /// The part of a period that was pruned, and the part that is in the store.
    pub(super) fn split(
        &self,
        meter: &MeterId,
        period: &Range<Instant>,
    ) -> Result<(Range<Instant>, Range<Instant>), PastError> {
        let nothing = period.start..period.start;
        if self.archive.is_none() {
            return Ok((nothing, period.clone()));
        }
        let Some(until) = self.store.pruned(meter)?.filter(|until| *until > period.start) else {
            return Ok((nothing, period.clone()));
        };
        let until = until.min(period.end);
        Ok((period.start..until, until..period.end))
    }

    /// Each reading of a period that was pruned: what the files hold, and what came late into the store.
    pub(super) fn archived<E: From<PastError>>(
        &self,
        meter: &MeterId,
        period: Range<Instant>,
        mut sink: impl FnMut(Instant, &Record) -> Result<(), E>,
    ) -> Result<(), E> {
        for day in self.archived_days(meter, &period)? {
            let Gathered { records, .. } = self.day(meter, day)?;
            for (at, record) in records.range(period.clone()) {
                sink(*at, record)?;
            }
        }
        Ok(())
    }

    /// The days of a period that there is anything of.
    pub(super) fn archived_days(&self, meter: &MeterId, period: &Range<Instant>) -> Result<Vec<Period>, PastError> {
        let Some(tree) = self.archive.filter(|_| !period.is_empty()) else { return Ok(Vec::new()) };
        // Of open periods only what there is: millennia have many days.
        let named = tree.names(Kind::Day.folder()).into_iter().filter_map(|name| Named::parse(&name));
        let mut days: Vec<Period> =
            named.filter_map(|named| Period::containing(Kind::Day, named.period.start())).collect();
        // A file that is gone is noticed, too.
        for name in tree.all_listed(Kind::Day.folder())?.into_keys() {
            let named = Named::parse(&name);
            days.extend(named.and_then(|named| Period::containing(Kind::Day, named.period.start())));
        }
        let late = self.store.stock(meter, period.clone())?;
        days.extend(late.into_keys().filter_map(|hour| Period::containing(Kind::Day, hour)));
        days.sort_unstable();
        days.dedup();
        days.retain(|day| day.end() > period.start && day.start() < period.end);
        Ok(days)
    }

    /// All there is of a day.
    fn day(&self, meter: &MeterId, day: Period) -> Result<Gathered, PastError> {
        let Some(tree) = self.archive else { return Ok(Gathered::default()) };
        let known: Vec<String> = self.store.meters()?.iter().map(|meter| meter.as_str().to_owned()).collect();
        let whose = Whose { meter: meter.as_str(), is_default: known.len() <= 1, known: &known };
        let mut all = tree.gather(whose, day)?;
        // An answer without what a damaged file held would be a wrong one; hour files repeat what the day file has.
        let day_is_whole = |all: &Gathered| {
            let listed = tree.candidates(whose, day);
            !listed.is_empty() && listed.iter().all(|name| all.flaws.iter().all(|flaw| flaw.name != *name))
        };
        if !all.flaws.is_empty() && !day_is_whole(&all) {
            let Flaw { error, .. } = all.flaws.swap_remove(0);
            return Err(error.into());
        }
        for suffix in [None, Some(meter.as_str())] {
            let name = day.file_name(suffix);
            let listed = tree.listed(day, &name)?.filter(|listed| listed.meter == meter.as_str());
            if listed.is_some() && !tree.has(Kind::Day.folder(), &name) {
                return Err(ArchiveError::damaged(&tree.path(day, &name), "it is missing").into());
            }
        }
        each_measure(self.store, meter, day.range(), |at, values, quality, source| -> Result<(), Stopped<PastError>> {
            add(&mut all.records, at, Record { values: values.clone(), quality, source: source.into() });
            Ok(())
        })
        .map_err(Stopped::into)?;
        Ok(all)
    }

    /// The times of the first and the last reading that was pruned.
    pub(super) fn archived_extent(&self, meter: &MeterId) -> Result<Option<(Instant, Instant)>, PastError> {
        let ever = Instant::from_unix_micros(i64::MIN / 2)..Instant::from_unix_micros(i64::MAX);
        let (archived, _) = self.split(meter, &ever)?;
        let days = self.archived_days(meter, &archived)?;
        let mut ends = None;
        for day in days.iter().copied() {
            if let Some((&first, _)) = self.day(meter, day)?.records.range(archived.clone()).next() {
                ends = Some((first, first));
                break;
            }
        }
        for day in days.into_iter().rev() {
            if let Some((&last, _)) = self.day(meter, day)?.records.range(archived.clone()).next_back() {
                ends = ends.map(|(first, _)| (first, last));
                break;
            }
        }
        Ok(ends)
    }

    pub(super) fn archived_samples(
        &self,
        series: &Series,
        period: Range<Instant>,
        sink: &mut impl FnMut(Sample),
    ) -> Result<(), PastError> {
        if period.is_empty() || !self.stands_for_its_code(series)? {
            return Ok(());
        }
        self.archived(series.meter(), period, |at, record| -> Result<(), PastError> {
            if let Some(value) = number(series, &record.values) {
                sink(Sample { at, value, quality: record.quality });
            }
            Ok(())
        })
    }

    pub(super) fn archived_table(
        &self,
        meter: &MeterId,
        series: &[Series],
        period: Range<Instant>,
        sink: &mut impl FnMut(Instant, &[Option<Decimal>], Quality),
    ) -> Result<(), PastError> {
        if period.is_empty() {
            return Ok(());
        }
        let wanted: Vec<Option<&Series>> = series
            .iter()
            .filter(|series| series.meter() == meter)
            .map(|series| Ok(self.stands_for_its_code(series)?.then_some(series)))
            .collect::<Result<_, PastError>>()?;
        self.archived(meter, period, |at, record| -> Result<(), PastError> {
            let numbers: Vec<_> = wanted.iter().map(|series| number((*series)?, &record.values)).collect();
            sink(at, &numbers, record.quality);
            Ok(())
        })
    }

    pub(super) fn archived_totals(&self, series: &Series, period: Range<Instant>) -> Result<Vec<Totals>, PastError> {
        let mut all: Vec<Totals> = Vec::new();
        self.archived_samples(series, period, &mut |sample| {
            let Sample { at, value, .. } = sample;
            match all.last_mut().filter(|totals| totals.between.0.utc_day() == at.utc_day()) {
                Some(totals) => {
                    totals.between.1 = at;
                    totals.count += 1;
                    totals.last = value;
                    totals.min = totals.min.min(value);
                    totals.max = totals.max.max(value);
                    totals.sum = totals.sum.and_then(|sum| sum.checked_add(value));
                }
                None => all.push(Totals {
                    between: (at, at),
                    count: 1,
                    first: value,
                    last: value,
                    min: value,
                    max: value,
                    sum: Some(value),
                    is_steady: false,
                }),
            }
        })?;
        Ok(all)
    }

    /// The numbers of some series on one day of the archive, within a period.
    pub(super) fn sheet(
        &self,
        meter: &MeterId,
        series: &[Series],
        day: Period,
        within: &Range<Instant>,
    ) -> Result<Option<Sheet>, PastError> {
        let wanted: Vec<Option<&Series>> = series
            .iter()
            .map(|series| Ok(self.stands_for_its_code(series)?.then_some(series)))
            .collect::<Result<_, PastError>>()?;
        let Gathered { records, .. } = self.day(meter, day)?;
        let row = |(at, record): (&Instant, &Record)| {
            (*at, record.quality, wanted.iter().map(|series| number((*series)?, &record.values)).collect())
        };
        Ok(Sheet::of(series, records.range(within.clone()).map(row).collect()))
    }

    /// The times of the last reading of the archive before a time, and of the first from another time on.
    pub(super) fn archived_neighbours(
        &self,
        meter: &MeterId,
        around: &Range<Instant>,
    ) -> Result<(Option<Instant>, Option<Instant>), PastError> {
        let ever = Instant::from_unix_micros(i64::MIN / 2)..Instant::from_unix_micros(i64::MAX);
        let (archived, _) = self.split(meter, &ever)?;
        let (mut before, mut after) = (None, None);
        let earlier = archived.start..around.start.min(archived.end);
        for day in self.archived_days(meter, &earlier)?.into_iter().rev() {
            before = self.day(meter, day)?.records.range(earlier.clone()).next_back().map(|(at, _)| *at);
            if before.is_some() {
                break;
            }
        }
        let later = around.end.min(archived.end)..archived.end;
        for day in self.archived_days(meter, &later)? {
            after = self.day(meter, day)?.records.range(later.clone()).next().map(|(at, _)| *at);
            if after.is_some() {
                break;
            }
        }
        Ok((before, after))
    }

    /// Files have one number under a code: of several series of that code, in other units, it counts for the first.
    fn stands_for_its_code(&self, series: &Series) -> Result<bool, PastError> {
        let all = self.store.series(series.meter())?;
        let first = all.iter().find(|other| other.code == series.code && other.nth == series.nth);
        Ok(first.is_none_or(|first| first.unit == series.unit))
    }
}

/// A reading of the archive as the store would give it.
pub(super) fn kept(meter: &MeterId, at: Instant, record: &Record) -> Kept {
    let mut reading = reading_of(&record.values, record.quality, &record.source);
    reading.meter = Some(meter.clone());
    Kept { at, source: record.source.clone(), reading }
}

/// Whether a series is among some values, as a number or a text.
pub(super) fn has(series: &Series, values: &Values) -> bool {
    let key = series.code.key();
    number(series, values).is_some() || (series.nth == 0 && values.texts.iter().any(|(text, _)| *text == key))
}

/// The number of a series among some values, in the unit of the series.
fn number(series: &Series, values: &Values) -> Option<Decimal> {
    let column = series.code.obis().and_then(Column::of_register).filter(|_| series.nth == 0);
    let found = match column {
        Some(column) => values.column(column)?,
        None => {
            let code = series.code.key();
            let numbered = (series.nth > 0).then(|| format!("{code}#{}", series.nth + 1));
            let key = numbered.as_deref().unwrap_or(&code);
            values.extras.iter().find(|extra| extra.key == key)?.value
        }
    };
    let (_, shift) = series.unit.map_or((None, 0), |unit| {
        let (normal, shift) = unit.normal();
        (Some(normal), shift)
    });
    found.shifted(shift.checked_neg()?)
}
