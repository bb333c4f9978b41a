//! Readings one after the other in the contract's terms: those of one instant are one, and the reader may stop.

use super::failure::Failure;
use crate::document::Values;
use crate::past::{Past, PastError};
use crate::reading::{Instant, MeterId, Quality};
use crate::store::Kept;
use std::ops::{ControlFlow, Range};

/// The reader has enough, or something is wrong.
enum Stop {
    Enough,
    Failed(Failure),
}

impl From<PastError> for Stop {
    fn from(error: PastError) -> Self {
        Self::Failed(error.into())
    }
}

fn ended(done: Result<(), Stop>) -> Result<(), Failure> {
    match done {
        Ok(()) | Err(Stop::Enough) => Ok(()),
        Err(Stop::Failed(failure)) => Err(failure),
    }
}

fn go_on(flow: ControlFlow<()>) -> Result<(), Stop> {
    if flow.is_break() { Err(Stop::Enough) } else { Ok(()) }
}

/// Each time of a period that has readings, in order, with their values.
pub(super) fn each_values(
    past: Past<'_>,
    meter: &MeterId,
    period: Range<Instant>,
    mut sink: impl FnMut(Instant, &Values, Quality) -> ControlFlow<()>,
) -> Result<(), Failure> {
    ended(past.measures(meter, period, |at, values, quality, _| go_on(sink(at, values, quality))))
}

/// Each time of a period that has readings, in order, with all their registers.
pub(super) fn each_reading(
    past: Past<'_>,
    meter: &MeterId,
    period: Range<Instant>,
    mut sink: impl FnMut(&Kept) -> ControlFlow<()>,
) -> Result<(), Failure> {
    ended(past.joined(meter, period, |kept| go_on(sink(kept))))
}

/// The time of the newest reading that a right clock can have made: what lies more than a day ahead is not.
pub(super) fn newest_credible(past: Past<'_>, meter: &MeterId, now: Instant) -> Result<Option<Instant>, Failure> {
    let soon = now.plus_seconds(86_400);
    match past.last(meter)? {
        Some(last) if last >= soon => Ok(past.neighbours(meter, &(soon..soon))?.0),
        last => Ok(last),
    }
}

/// The newest reading of a meter.
pub(super) fn newest(past: Past<'_>, meter: &MeterId) -> Result<Option<Kept>, Failure> {
    let Some(at) = past.last(meter)? else { return Ok(None) };
    let mut found = None;
    each_reading(past, meter, at..Instant::from_unix_micros(at.unix_micros().saturating_add(1)), |kept| {
        found = Some(kept.clone());
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
