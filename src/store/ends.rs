//! What a counter showed first and last in each of many stretches of time: days of years, from the marks of spans where
//! they have them.

use super::block::{Damage, marks};
use super::names::{Names, meter_of_row};
use super::sealed::{self, SpanRow};
use super::segment::Pace;
use super::series::{Sample, Series, each};
use super::{Store, StoreError, Trouble, hot};
use crate::reading::{Decimal, Instant};
use rusqlite::Connection;
use std::ops::Range;

/// The first and the last number of a series in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// The first.
    pub first: Sample,
    /// The last.
    pub last: Sample,
    /// For a counter: it only rose in between, and no faster than a meter can, so that the difference is what was used.
    /// Where it is not so, and where people said something of its segments, [`Store::steps`] tells what was.
    pub is_steady: bool,
}

impl Store {
    /// The first and the last number of a series from each of `times` to before the next; `None` where there is none. The
    /// times are in ascending order, and there is an answer less than there are times.
    ///
    /// Joined months of many readings are not opened where the times are full hours, so ten years of days take as long as
    /// opening one month does.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn ends(&self, series: &Series, times: &[Instant]) -> Result<Vec<Option<Ends>>, StoreError> {
        let times: Vec<i64> = times.iter().map(|time| time.unix_micros()).collect();
        let (Some(&start), Some(&end)) = (times.first(), times.last()) else { return Ok(Vec::new()) };
        self.read(|connection, names| {
            sealed::balance(connection, &meter_of_row(connection, series.row)?)?;
            let mut found = Stretches { series, times: &times, at: 0, ends: vec![None; times.len() - 1] };
            let mut from = start;
            for row in sealed::spans(connection, series.row, &(start..end))? {
                let (begins, until) = (row.period.start.max(start), row.period.end.min(end));
                found.gather(connection, names, from..begins)?;
                if !found.take_marks(connection, &row)? {
                    found.gather(connection, names, begins..until)?;
                }
                from = until;
            }
            found.gather(connection, names, from..end)?;
            Ok(found.ends)
        })
    }
}

/// Ends that are being collected in order of time.
struct Stretches<'s> {
    series: &'s Series,
    times: &'s [i64],
    /// The stretch of the newest number.
    at: usize,
    ends: Vec<Option<Ends>>,
}

impl Stretches<'_> {
    /// Takes the numbers of a period one by one.
    fn gather(&mut self, connection: &Connection, names: &mut Names, period: Range<i64>) -> Result<(), Trouble> {
        if period.is_empty() {
            return Ok(());
        }
        let series = self.series;
        each(connection, names, series, &period, &mut |sample| {
            self.add(Ends { first: sample, last: sample, is_steady: true });
        })
    }

    /// Takes the marks of a span, if they tell everything; says whether they did.
    fn take_marks(&mut self, connection: &Connection, row: &SpanRow) -> Result<bool, Trouble> {
        // From the stretch that the span begins in to the time behind the one that it ends in.
        let first = self.times.partition_point(|&time| time <= row.period.start).saturating_sub(1);
        let behind = self.times.partition_point(|&time| time < row.period.end);
        let Some(times) = self.times.get(first..(behind + 1).min(self.times.len())) else { return Ok(false) };
        let inside = |time: i64| time.clamp(row.period.start, row.period.end);
        let Some(places) =
            times.iter().map(|&time| marks::place(&row.period, inside(time))).collect::<Option<Vec<_>>>()
        else {
            return Ok(false);
        };
        let span = sealed::open(connection, row)?;
        let Some(marks) = span.marks.open(self.series.id)? else { return Ok(false) };
        if hot::any(connection, self.series.row, &row.period)? {
            return Ok(false);
        }
        let falls = sealed::totals(connection, row, self.series.id)?.and_then(|(_, falls)| falls);
        let rows = span.rows_of(self.series.id)?;
        let sample = |index: usize, mantissa: i64| -> Result<Sample, Trouble> {
            let row = rows.as_ref().map_or(Some(index), |rows| rows.get(index).copied());
            let row = row.ok_or(Damage("a time is missing"))?;
            let (at, value) = (Instant::from_unix_micros(span.time(row)?), Decimal::new(mantissa, marks.exponent));
            Ok(Sample { at, value, quality: span.quality(row)? })
        };
        // Which of the series' numbers is the first at or after a time.
        let index_at = |time: i64| span.first_at(rows.as_deref(), inside(time));
        let mut index = index_at(times.first().copied().unwrap_or_default())?;
        for (pair, places) in times.windows(2).zip(places.windows(2)) {
            let ([_, until], [from, to]) = (pair, places) else { continue };
            let next = index_at(*until)?;
            if index < next {
                let (first, last) = (marks.first(*from)?, marks.last_before(*to)?);
                let ends =
                    Ends { first: sample(index, first)?, last: sample(next - 1, last)?, is_steady: falls == Some(0) };
                self.add(ends);
            }
            index = next;
        }
        Ok(true)
    }

    /// Adds what comes next.
    fn add(&mut self, next: Ends) {
        let at = next.first.at.unix_micros();
        while self.times.get(self.at + 1).is_some_and(|&time| time <= at) {
            self.at += 1;
        }
        let Some(open) = self.ends.get_mut(self.at) else { return };
        match open {
            None => *open = Some(next),
            Some(ends) => {
                ends.is_steady &= next.is_steady && rises(self.series, ends.last, next.first);
                ends.last = next.last;
            }
        }
    }
}

/// Whether a counter can have risen from one number to the next.
fn rises(series: &Series, from: Sample, to: Sample) -> bool {
    let Some(step) = to.value.checked_sub(from.value) else { return false };
    let micros = to.at.unix_micros().saturating_sub(from.at.unix_micros());
    step.mantissa() >= 0 && Pace::of(series.unit, step.exponent()).allows(step.mantissa(), micros)
}
