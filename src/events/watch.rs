//! Events found while readings come in.

use super::again::is_found;
use super::{NEVER, change};
use crate::detect::{Detector, Rules, Setting};
use crate::reading::{Instant, MeterId, Register};
use crate::store::{Entry, EventChange, EventQuery, Kept, Store, StoreError};

/// An episode may have begun so long before the last reading; what is older than that is taken for over, in seconds.
const LONGEST: i64 = 60 * 86_400;

/// What was found in readings, in their order.
pub type Found = Vec<EventChange>;

/// The detectors of all meters that readings come from.
#[derive(Debug)]
pub struct Watch {
    rules: Rules,
    setting: Setting,
    meters: Vec<Follower>,
}

/// The detector of one meter, and the readings of its newest instant.
#[derive(Debug)]
struct Follower {
    meter: MeterId,
    detector: Detector,
    at: Option<Instant>,
    there: Vec<Vec<Register>>,
}

impl Watch {
    /// A watch that has seen nothing yet.
    #[must_use]
    pub const fn new(rules: Rules, setting: Setting) -> Self {
        Self { rules, setting, meters: Vec::new() }
    }

    /// The rules in force.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What is found in readings that are about to be put into the store. Of a meter that is new here, the last readings
    /// in the store are looked at first.
    ///
    /// # Errors
    /// [`StoreError`], naming the file; the readings are then to be shown again.
    pub fn follow(&mut self, store: &Store, entries: &[Entry]) -> Result<Found, StoreError> {
        for entry in entries {
            if !self.meters.iter().any(|follower| follower.meter == entry.meter) {
                let follower = Follower::warmed_up(store, &entry.meter, &self.rules, self.setting)?;
                self.meters.push(follower);
            }
        }
        let mut found = Found::new();
        for entry in entries {
            let follower = self.meters.iter_mut().find(|follower| follower.meter == entry.meter);
            let Some(follower) = follower else { continue };
            follower.push(entry.at, &entry.reading, &mut |change| found.push(change));
        }
        Ok(found)
    }
}

impl Follower {
    pub(super) fn new(meter: &MeterId, rules: &Rules, setting: Setting) -> Self {
        let detector = Detector::new(meter.clone(), rules, setting);
        Self { meter: meter.clone(), detector, at: None, there: Vec::new() }
    }

    /// One that knows the last readings in the store.
    fn warmed_up(store: &Store, meter: &MeterId, rules: &Rules, setting: Setting) -> Result<Self, StoreError> {
        let mut follower = Self::new(meter, rules, setting);
        let mut warm_up = || {
            let Some((_, last)) = store.extent(meter)? else { return Ok(()) };
            let from = beginning(store, meter, last)?;
            store.readings(meter, from..NEVER, |Kept { at, reading, .. }| {
                follower.push(at, &reading, &mut |_| {});
                Ok::<_, StoreError>(())
            })
        };
        match warm_up() {
            // What is damaged in the past must not hold up what comes now.
            Ok(()) | Err(StoreError::Damaged { .. }) => Ok(follower),
            Err(error) => Err(error),
        }
    }

    /// The next reading; one that is there already is none.
    fn push(&mut self, at: Instant, reading: &crate::reading::Reading, sink: &mut dyn FnMut(EventChange)) {
        if self.at != Some(at) {
            self.at = self.at.max(Some(at));
            self.there.clear();
        } else if self.there.contains(&reading.registers) {
            return;
        }
        self.there.push(reading.registers.clone());
        let meter = &self.meter;
        self.detector.push(at, reading, &mut |finding| sink(change(finding, meter)));
    }
}

/// From when on readings have to be looked at to know what is going on at a time.
pub(super) fn beginning(store: &Store, meter: &MeterId, at: Instant) -> Result<Instant, StoreError> {
    let memory = at.plus_seconds(-Detector::MEMORY_S);
    let query = EventQuery {
        meter: Some(meter.clone()),
        period: Some(at.plus_seconds(-LONGEST)..NEVER),
        open: true,
        oldest_first: true,
        ..EventQuery::default()
    };
    let open = store.events(&query)?.into_iter().find(|kept| is_found(&kept.event));
    let open = open.map(|kept| kept.event.start.plus_seconds(-Detector::MARGIN_S));
    Ok(open.map_or(memory, |open| open.min(memory)))
}
