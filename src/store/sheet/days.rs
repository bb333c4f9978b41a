//! Sheets of whole days: what is sealed of a day and what is not, side by side, become one.

use super::rows::{Row, even, rows_of, sink_rows};
use super::{Numbers, Sheet, Times, mantissa_at};
use crate::reading::Decimal;
use crate::store::seal::{end_of_day, same_day, start_of_day};
use crate::store::sealed::SpanRow;
use crate::store::segment::{Pace, falls};
use crate::store::series::Series;
use std::ops::Range;

/// Spans that share a day, and the whole days they reach into. Whoever works something out by the day needs all of it in
/// one sheet: the current day is sealed in part, and one of very many readings is cut.
pub(super) struct Days {
    pub(super) spans: Vec<SpanRow>,
    pub(super) period: Range<i64>,
}

impl Days {
    pub(super) fn of(spans: Vec<SpanRow>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for span in spans {
            let last = span.period.end.saturating_sub(1);
            match all.last_mut() {
                Some(days) if same_day(days.period.end.saturating_sub(1), span.period.start) => {
                    days.period.end = end_of_day(last);
                    days.spans.push(span);
                }
                _ => all.push(Self { period: start_of_day(span.period.start)..end_of_day(last), spans: vec![span] }),
            }
        }
        all
    }
}

/// What is sealed of some days, in order of time, and their hot rows, as one sheet into `sink`.
pub(super) fn sink_days(sealed: Vec<Sheet>, late: &[Row], series: &[Series], sink: &mut impl FnMut(Sheet)) {
    let last = |sheet: &Sheet| sheet.times.get(sheet.times.len().checked_sub(1)?);
    let behind = sealed.iter().filter_map(last).max();
    let mut whole: Option<Sheet> = None;
    if late.first().zip(behind).is_some_and(|(first, behind)| first.at < behind) {
        let mut all: Vec<Row> = sealed.iter().flat_map(rows_of).collect();
        all.extend_from_slice(late);
        // Stable: of one instant the sealed ones first.
        all.sort_by_key(|row| row.at);
        return sink_rows(&all, series, sink);
    }
    let mut add = |sheet| match &mut whole {
        Some(whole) => append(whole, sheet, series),
        None => whole = Some(sheet),
    };
    sealed.into_iter().for_each(&mut add);
    sink_rows(late, series, &mut add);
    whole.into_iter().for_each(sink);
}

/// Puts a sheet behind another one.
fn append(whole: &mut Sheet, mut next: Sheet, series: &[Series]) {
    let counts = (whole.times.len(), next.times.len());
    let mut columns = std::mem::take(&mut whole.numbers);
    for ((column, more), series) in columns.iter_mut().zip(std::mem::take(&mut next.numbers)).zip(series) {
        let end = |numbers: &Option<Numbers>| numbers.as_ref()?.row(numbers.as_ref()?.mantissas.len().checked_sub(1)?);
        let begin = more.as_ref().and_then(|numbers| numbers.row(0));
        let times = end(column).and_then(|row| whole.times.get(row)).zip(begin.and_then(|row| next.times.get(row)));
        let Some((mut numbers, place)) = both(column.take(), more, counts) else { continue };
        // From the last of the one to the first of the other.
        let pair = place.checked_sub(1).and_then(|at| numbers.mantissas.get(at..at + 2));
        if let Some(((from, to), pair)) = times.zip(pair) {
            numbers.is_steady &= falls(Pace::of(series.unit, numbers.exponent), &[from, to], pair) == 0;
        }
        *column = Some(numbers);
    }
    whole.numbers = columns;
    if whole.qualities.len() != 1 || whole.qualities != next.qualities {
        let each = |sheet: &Sheet| (0..sheet.times.len()).map(|row| sheet.quality(row)).collect::<Vec<_>>();
        whole.qualities = [each(whole), each(&next)].concat();
    }
    let each = |times: &Times| (0..times.len()).filter_map(|row| times.get(row)).collect::<Vec<_>>();
    whole.times = even([each(&whole.times), each(&next.times)].concat());
}

/// The numbers of one sheet and of the one behind it, of so many rows each, at the finer exponent; and how many are of the
/// first.
fn both(one: Option<Numbers>, other: Option<Numbers>, counts: (usize, usize)) -> Option<(Numbers, usize)> {
    let exponent = one.iter().chain(&other).map(|numbers| numbers.exponent).min()?;
    let mut all = Numbers { exponent, mantissas: Vec::new(), rows: None, is_steady: true };
    let (mut rows, mut place) = (Vec::new(), 0);
    for (numbers, before) in [(one, 0), (other, counts.0)] {
        place = all.mantissas.len();
        let Some(numbers) = numbers else { continue };
        all.is_steady &= numbers.is_steady;
        for (index, &mantissa) in numbers.mantissas.iter().enumerate() {
            match (mantissa_at(Decimal::new(mantissa, numbers.exponent), exponent), numbers.row(index)) {
                (Some(mantissa), Some(row)) => {
                    all.mantissas.push(mantissa);
                    rows.push(before + row);
                }
                // It does not fit beside the finer ones.
                _ => all.is_steady = false,
            }
        }
    }
    all.rows = (rows.len() < counts.0 + counts.1).then_some(rows);
    Some((all, place))
}

impl Numbers {
    /// Which row a number stands in.
    fn row(&self, index: usize) -> Option<usize> {
        self.rows.as_ref().map_or(Some(index), |rows| rows.get(index).copied())
    }
}
