//! The rows of an analysis, and the finer marks at which counters are looked at.

use crate::reading::{Calendar, Instant, Zone};
use std::ops::Range;

/// A quarter of an hour, in microseconds.
pub(super) const QUARTER: i64 = 900_000_000;

/// Where rows begin and end, and at which moments the counters' values are wanted.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) calendar: Calendar,
    /// The rows, one behind the other without gap.
    pub(super) rows: Vec<Range<i64>>,
    /// Every moment at which a counter is looked at; the rows' bounds are among them.
    pub(super) marks: Vec<i64>,
    /// Local midnights, where they are wanted.
    pub(super) days: Vec<i64>,
    /// Where the parts of rows begin that a sparkline shows.
    pub(super) parts: Vec<i64>,
}

/// What is wanted of a grid besides the rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finer {
    pub(super) quarters: bool,
    pub(super) days: bool,
    pub(super) parts: bool,
}

impl Grid {
    /// The rows of a calendar in `span`, cut at its ends; with quarters between the first and the last reading.
    pub(super) fn new(
        calendar: Calendar,
        zone: Zone,
        span: &Range<Instant>,
        extent: (Instant, Instant),
        finer: Finer,
    ) -> Self {
        let micros = |bounds: Vec<Instant>| bounds.into_iter().map(Instant::unix_micros);
        let (since, until) = (span.start.unix_micros(), span.end.unix_micros());
        let cut = |bounds: Vec<Instant>| -> Vec<i64> {
            let mut bounds: Vec<i64> = micros(bounds).map(|bound| bound.clamp(since, until)).collect();
            bounds.dedup();
            bounds
        };
        let bounds = cut(calendar.bounds(zone, span));
        let rows = bounds.windows(2).filter_map(|pair| Some(*pair.first()?..*pair.get(1)?)).collect();
        let within = |bounds: Vec<i64>| -> Vec<i64> {
            bounds.into_iter().filter(|bound| (since..=until).contains(bound)).collect()
        };
        let days = if finer.days { within(micros(Calendar::Day.bounds(zone, span)).collect()) } else { Vec::new() };
        let known = extent.0.unix_micros().max(since)..extent.1.unix_micros().min(until);
        let quarters: Vec<i64> = {
            let first = known.start.div_euclid(QUARTER);
            let last = known.end.div_euclid(QUARTER) + 1;
            let all = (first..=last).map(|quarter| quarter * QUARTER);
            if finer.quarters { all.filter(|quarter| (since..=until).contains(quarter)).collect() } else { Vec::new() }
        };
        let parts = match (finer.parts, calendar) {
            (false, _) => Vec::new(),
            (true, Calendar::Hour) => {
                bounds.iter().flat_map(|hour| (0..4).map(move |part| hour + part * QUARTER)).collect()
            }
            (true, Calendar::Day) => cut(Calendar::Hour.bounds(zone, span)),
            (true, Calendar::Week | Calendar::Month) => cut(Calendar::Day.bounds(zone, span)),
            (true, Calendar::Year) => cut(Calendar::Month.bounds(zone, span)),
        };
        let mut parts = within(parts);
        parts.sort();
        parts.dedup();
        // Runs in order, which sorting merges in no time.
        let mut marks = [bounds.as_slice(), &days, &parts, &quarters].concat();
        marks.sort();
        marks.dedup();
        Self { calendar, rows, marks, days, parts }
    }

    /// The mark at exactly this moment.
    pub(super) fn mark(&self, at: i64) -> Option<usize> {
        self.marks.binary_search(&at).ok()
    }

    /// The row a moment is in.
    pub(super) fn row(&self, at: i64) -> Option<usize> {
        let row = self.rows.partition_point(|row| row.end <= at);
        self.rows.get(row).filter(|row| row.contains(&at)).map(|_| row)
    }

    /// The rows that a stretch reaches into.
    pub(super) fn rows_in(&self, from: i64, until: i64) -> Range<usize> {
        let first = self.rows.partition_point(|row| row.end <= from);
        let end = self.rows.partition_point(|row| row.start < until);
        first..end.max(first)
    }
}
