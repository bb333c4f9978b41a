//! Events out of readings: what happened, found by rules that know nothing but the readings and their times.
//!
//! ```text
//! reading ─► clock ─► identity ─► counters ─► plausible? ─► voltage, power ─► the meter's signs and logs ─► flood guard ─► findings
//! ```
//!
//! | part | what it finds |
//! |---|---|
//! | `rules`, `table`, `kinds` | thresholds and names, as data |
//! | `machine`, `means`, `exact` | the state machine of all episodes, means over windows, whole-number arithmetic |
//! | `gaps` | missing readings, how often they usually come |
//! | `clock` | the meter's clock, seen from its readings, and from the receiver's |
//! | `counters` | counters that fall, jump, roll over, stand still; another meter |
//! | `voltage`, `three_phase`, `quality` | voltages and outages, episodes and weeks |
//! | `power` | power, current, frequency, power factor |
//! | `signs`, `sent`, `logs` | what the meter itself says: registers of errors, counts of failures, event logs |
//! | `flood` | more than twenty of a kind an hour |
//!
//! A [`Detector`] is of one meter and takes its readings in order of time. Live or again from the store: the same readings
//! give the same findings, since no rule looks at a clock. What it remembers is bounded, and comes back by showing it the
//! readings of the last days ([`Detector::MEMORY_S`]) and since an event that is not over began.

mod clock;
mod counters;
mod exact;
mod flood;
mod gaps;
mod kinds;
mod logs;
mod machine;
mod means;
mod power;
mod quality;
mod rules;
mod seen;
mod sent;
mod signs;
mod table;
#[cfg(test)]
mod tests;
mod three_phase;
mod voltage;
mod words;

pub use clock::ClockWatch;
pub use kinds::{EventKind, KINDS, title};
pub use logs::log_events;
pub use rules::{ALWAYS, Change, Margin, Rule, RuleError, Rules};
pub use words::length as length_in_words;

use crate::acquire::quirks::events::Family;
use crate::reading::{Event, Instant, MeterId, Origin, Reading, Zone};
pub use flood::Flood;
use seen::{Seen, View};
use smol_str::SmolStr;

/// What a detector found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An event; one of the same kind, phase, start and origin before it is told more fully.
    Event(Event),
    /// An event told before is part of a longer one and goes.
    Withdrawn {
        /// Its kind.
        kind: SmolStr,
        /// Its phase.
        phase: Option<u8>,
        /// When it began.
        start: Instant,
        /// Who said so.
        origin: Origin,
    },
}

/// What is known of a meter beside its readings.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The zone of its clock, and of calendar weeks.
    pub zone: Zone,
    /// What the numbers in its logs mean.
    pub family: Option<Family>,
}

/// The detectors of one meter.
#[derive(Debug)]
pub struct Detector {
    meter: MeterId,
    view: View,
    gaps: gaps::Gaps,
    clock: clock::Clock,
    counters: counters::Counters,
    voltage: voltage::Voltage,
    quality: quality::Quality,
    power: power::Power,
    signs: signs::Signs,
    logs: logs::Logs,
    flood: Flood,
    found: Vec<Finding>,
}

impl Detector {
    /// What a detector remembers is settled by the readings of so many seconds: a calendar week and an hour.
    pub const MEMORY_S: i64 = 7 * 86_400 + 3600;
    /// Before an episode began, so much has to be seen to find it again: a day, for what is usual.
    pub const MARGIN_S: i64 = 86_400 + 3600;

    /// A detector that has seen nothing yet.
    #[must_use]
    pub fn new(meter: MeterId, rules: &Rules, setting: Setting) -> Self {
        Self {
            meter,
            view: View::default(),
            gaps: gaps::Gaps::new(rules),
            clock: clock::Clock::new(rules),
            counters: counters::Counters::new(rules),
            voltage: voltage::Voltage::new(rules),
            quality: quality::Quality::new(rules, setting.zone),
            power: power::Power::new(rules),
            signs: signs::Signs::new(rules),
            logs: logs::Logs::new(rules, setting),
            flood: Flood::default(),
            found: Vec::new(),
        }
    }

    /// The next reading, and the time it counts under. One that is older than the last one seen is passed over.
    pub fn push(&mut self, at: Instant, reading: &Reading, sink: &mut dyn FnMut(Finding)) {
        let Some(before) = self.view.step(at) else { return };
        let found = &mut self.found;
        let broken = self.gaps.push(before, at, found);
        let mut seen = Seen::of(&mut self.view, at, before, broken, reading);
        self.clock.push(&seen, found);
        self.counters.push(&mut seen, found);
        let outage = self.voltage.push(&seen, found);
        if !outage {
            self.quality.push(&seen, found);
        }
        self.power.push(&seen, found);
        let failures = self.logs.push(&seen, found);
        self.signs.push(&seen, failures, found);
        for finding in self.found.drain(..) {
            if let Some(finding) = self.flood.pass(finding.of(&self.meter)) {
                sink(finding);
            }
        }
    }
}

impl Finding {
    /// The same, of this meter.
    fn of(self, meter: &MeterId) -> Self {
        match self {
            Self::Event(event) => Self::Event(Event { meter: Some(meter.clone()), ..event }),
            withdrawn @ Self::Withdrawn { .. } => withdrawn,
        }
    }
}
