//! Events kept beside the readings they were found in: as readings come in, and again over what is stored.
//!
//! A [`Watch`] follows readings on their way into the store. What it has to remember it reads back from the store, so that
//! a restart in the middle of an episode changes nothing. [`again()`] runs the same detectors over stored readings and puts
//! right what differs; what a person said, what the reader noticed, and the meter's logs stay.

mod again;
mod watch;

pub use again::{Again, again};
pub use watch::{Found, Watch};

use crate::detect::Finding;
use crate::reading::{Event, Instant, MeterId, Severity};
use crate::store::EventChange;

/// What a finding does to the store.
fn change(finding: Finding, meter: &MeterId) -> EventChange {
    match finding {
        Finding::Event(event) => EventChange::Put(event),
        Finding::Withdrawn { kind, phase, start, origin } => EventChange::Drop(Event {
            meter: Some(meter.clone()),
            kind,
            severity: Severity::Info,
            start,
            end: None,
            description: "".into(),
            value: None,
            unit: None,
            code: None,
            threshold: None,
            phase,
            origin,
        }),
    }
}

/// Later than any reading.
const NEVER: Instant = Instant::from_unix(253_402_300_800);
/// Earlier than any reading.
const ALWAYS: Instant = Instant::from_unix(-62_135_596_800);
