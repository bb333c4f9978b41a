//! Readings of the store in the contract's terms.

use crate::document::{Repeated, Values};
use crate::reading::{Decimal, Instant, MeterId, Quality, Reading, Register};
use crate::store::{Kept, Lean, Shape, Store, StoreError};
use std::ops::Range;
use std::sync::Arc;

/// Reads the store; telegrams of the same time (a push split over several lists) become one reading.
///
/// # Errors
/// [`StoreError`] naming the file, or what `sink` returns.
pub fn each_measure<E: From<StoreError>>(
    store: &Store,
    meter: &MeterId,
    period: Range<Instant>,
    mut sink: impl FnMut(Instant, &Values, Quality, &str) -> Result<(), E>,
) -> Result<(), E> {
    let mut memory = store.tariff_memory(meter)?;
    let mut open: Option<Kept> = None;
    let mut same: Option<(Arc<Shape>, Option<Repeated>)> = None;
    store.lean(meter, period, |next| -> Result<(), E> {
        let next = match next {
            Lean::Whole(kept) => kept,
            Lean::Numbers { at, quality, shape, numbers } => {
                if let Some(kept) = open.take() {
                    sink(kept.at, &Values::of(&kept.reading, &mut memory), kept.reading.quality, &kept.source)?;
                }
                if same.as_ref().is_none_or(|(before, _)| !Arc::ptr_eq(before, shape)) {
                    same = Some((Arc::clone(shape), Repeated::new(&shape.registers, &mut memory)));
                }
                let repeated = same.as_mut().and_then(|(_, repeated)| repeated.as_mut());
                if let Some(values) = repeated.and_then(|repeated| repeated.with(numbers)) {
                    return sink(at, values, quality, &shape.source);
                }
                whole(at, quality, shape, numbers)
            }
        };
        match &mut open {
            Some(kept) if kept.at == next.at => join(&mut kept.reading, next.reading),
            _ => {
                if let Some(kept) = open.replace(next) {
                    sink(kept.at, &Values::of(&kept.reading, &mut memory), kept.reading.quality, &kept.source)?;
                }
            }
        }
        Ok(())
    })?;
    match open {
        Some(kept) => sink(kept.at, &Values::of(&kept.reading, &mut memory), kept.reading.quality, &kept.source),
        None => Ok(()),
    }
}

/// A reading of numbers, put together.
fn whole(at: Instant, quality: Quality, shape: &Shape, numbers: &[Decimal]) -> Kept {
    let mut reading = Reading::new(crate::document::protocol_of(&shape.source));
    reading.quality = quality;
    let pairs = shape.registers.iter().zip(numbers);
    reading.registers = pairs.map(|((code, unit), number)| Register::number(code.clone(), *number, *unit)).collect();
    Kept { at, source: shape.source.clone(), reading }
}

/// Adds the registers of a second telegram of the same time; of a register in both, the better quality counts, and of
/// equal ones the later.
pub(super) fn join(reading: &mut Reading, next: Reading) {
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
