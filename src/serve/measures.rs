//! Readings one after the other in the contract's terms: those of one instant are one, and the reader may stop.

use super::failure::Failure;
use crate::document::{Repeated, Values, protocol_of};
use crate::past::{Past, PastError};
use crate::reading::{Decimal, Instant, MeterId, Quality, Reading, Register};
use crate::store::{Kept, Lean, Shape};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

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

/// Each time of a period that has readings, in order, with their values.
pub(super) fn each_values(
    past: Past<'_>,
    meter: &MeterId,
    period: Range<Instant>,
    mut sink: impl FnMut(Instant, &Values, Quality) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut memory = past.tariff_memory(meter)?;
    let mut open: Option<Kept> = None;
    let mut same: Option<(Arc<Shape>, Option<Repeated>)> = None;
    let done = past.lean(meter, period, |next| -> Result<(), Stop> {
        let pass = |flow: ControlFlow<()>| if flow.is_break() { Err(Stop::Enough) } else { Ok(()) };
        match next {
            Lean::Whole(next) => match &mut open {
                Some(kept) if kept.at == next.at => join(&mut kept.reading, next.reading),
                _ => {
                    if let Some(kept) = open.replace(next) {
                        pass(sink(kept.at, &Values::of(&kept.reading, &mut memory), kept.reading.quality))?;
                    }
                }
            },
            // It has its instant to itself.
            Lean::Numbers { at, quality, shape, numbers } => {
                if let Some(kept) = open.take() {
                    pass(sink(kept.at, &Values::of(&kept.reading, &mut memory), kept.reading.quality))?;
                }
                if same.as_ref().is_none_or(|(before, _)| !Arc::ptr_eq(before, shape)) {
                    same = Some((Arc::clone(shape), Repeated::new(&shape.registers, &mut memory)));
                }
                let repeated = same.as_mut().and_then(|(_, repeated)| repeated.as_mut());
                let flow = match repeated.and_then(|repeated| repeated.with(numbers)) {
                    Some(values) => sink(at, values, quality),
                    None => sink(at, &Values::of(&whole(shape, numbers), &mut memory), quality),
                };
                pass(flow)?;
            }
        }
        Ok(())
    });
    let was_stopped = matches!(done, Err(Stop::Enough));
    ended(done)?;
    if let (Some(kept), false) = (open, was_stopped) {
        let _ = sink(kept.at, &Values::of(&kept.reading, &mut memory), kept.reading.quality);
    }
    Ok(())
}

/// Each time of a period that has readings, in order, with all their registers.
pub(super) fn each_reading(
    past: Past<'_>,
    meter: &MeterId,
    period: Range<Instant>,
    mut sink: impl FnMut(&Kept) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut open: Option<Kept> = None;
    let done = past.readings(meter, period, |next| -> Result<(), Stop> {
        match &mut open {
            Some(kept) if kept.at == next.at => join(&mut kept.reading, next.reading),
            _ => {
                if let Some(kept) = open.replace(next)
                    && sink(&kept).is_break()
                {
                    open = None;
                    return Err(Stop::Enough);
                }
            }
        }
        Ok(())
    });
    ended(done)?;
    if let Some(kept) = &open {
        let _ = sink(kept);
    }
    Ok(())
}

/// The newest reading of a meter.
pub(super) fn newest(past: Past<'_>, meter: &MeterId) -> Result<Option<Kept>, Failure> {
    let Some((_, at)) = past.extent(meter)? else { return Ok(None) };
    let mut found = None;
    each_reading(past, meter, at..Instant::from_unix_micros(at.unix_micros().saturating_add(1)), |kept| {
        found = Some(kept.clone());
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// A reading of numbers, put together.
fn whole(shape: &Shape, numbers: &[Decimal]) -> Reading {
    let mut reading = Reading::new(protocol_of(&shape.source));
    let pairs = shape.registers.iter().zip(numbers);
    reading.registers = pairs.map(|((code, unit), number)| Register::number(code.clone(), *number, *unit)).collect();
    reading
}

/// Adds the registers of a second telegram of the same time; of a register in both, the better quality counts, and of
/// equal ones the later.
fn join(reading: &mut Reading, next: Reading) {
    let replaces = next.quality >= reading.quality;
    for register in next.registers {
        match reading.registers.iter_mut().find(|present| present.code == register.code) {
            Some(present) if replaces => *present = register,
            Some(_) => {}
            None => reading.registers.push(register),
        }
    }
    reading.quality = Quality::min(reading.quality, next.quality);
}
