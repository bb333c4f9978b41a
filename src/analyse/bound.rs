//! How long a span may be: a single reading of the year 9999 must not make millions of empty rows.

use super::Ask;
use super::grid::Finer;
use crate::past::{Past, PastError};
use crate::reading::{Calendar, Instant};
use std::ops::Range;

/// So many rows at most: 57 years of hours.
const ROWS: i64 = 500_000;
/// So many moments at which counters are looked at: 57 years of quarters of an hour.
const MARKS: i64 = 4 * ROWS;

/// Why an analysis cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnalyseError {
    /// The readings cannot be had.
    #[error(transparent)]
    Past(#[from] PastError),
    /// The span has more rows, or quarters of an hour, than are worked out at once.
    #[error("from {first} to {last} are {periods} {}, and {most} at most are worked out", if *.quarters { "quarters of an hour" } else { "rows" })]
    TooLong {
        /// The first reading, or where the span begins.
        first: Instant,
        /// The last reading, or where the span ends.
        last: Instant,
        /// How many there are, more or less.
        periods: i64,
        /// How many there may be.
        most: i64,
        /// Whether it is the quarters of an hour, which the maximum demand is made of.
        quarters: bool,
    },
}

/// Refuses a span that is too long to be worked out. Where the reading that makes it so is damaged, that is said instead: a
/// flipped bit of a time must not look like an odd clock.
pub(super) fn check(
    past: &Past<'_>,
    ask: &Ask,
    asked: &Range<Instant>,
    calendar: Calendar,
    finer: Finer,
) -> Result<(), AnalyseError> {
    let seconds = asked.end.unix_seconds().saturating_sub(asked.start.unix_seconds());
    let rows = seconds / shortest(calendar);
    let quarters = if finer.quarters { seconds / 900 } else { 0 };
    let (periods, most, quarters) = match () {
        () if rows > ROWS => (rows, ROWS, false),
        () if quarters > MARKS => (quarters, MARKS, true),
        () => return Ok(()),
    };
    past.prove_extent(&ask.meter)?;
    let last = Instant::from_unix_micros(asked.end.unix_micros().saturating_sub(1));
    Err(AnalyseError::TooLong { first: asked.start, last, periods, most, quarters })
}

/// The seconds of the shortest period of a calendar, clocks put forward aside.
const fn shortest(calendar: Calendar) -> i64 {
    match calendar {
        Calendar::Hour => 3600,
        Calendar::Day => 86_400,
        Calendar::Week => 7 * 86_400,
        Calendar::Month => 28 * 86_400,
        Calendar::Year => 365 * 86_400,
    }
}
