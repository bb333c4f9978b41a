//! A reading as the detectors see it.

use super::Finding;
use super::machine::Episode;
use super::rules::Rule;
use crate::reading::{
    Column, Columns, Decimal, Event, Instant, Obis, Origin, Quality, Reading, Severity, TariffMemory,
};
use smol_str::SmolStr;

/// What has to be known of the readings before.
#[derive(Debug, Default)]
pub(super) struct View {
    memory: TariffMemory,
    last: Option<Instant>,
}

impl View {
    /// Goes on to a time: the one before, or `None` where this one is older.
    pub(super) fn step(&mut self, at: Instant) -> Option<Option<Instant>> {
        if self.last.is_some_and(|last| at < last) {
            return None;
        }
        Some(self.last.replace(at))
    }
}

/// A reading, and what its place among the others says.
#[derive(Debug)]
pub(super) struct Seen<'r> {
    pub(super) at: Instant,
    /// The time of the reading before.
    pub(super) before: Option<Instant>,
    /// Nothing was heard for so long that whatever was going on is over.
    pub(super) broken: bool,
    pub(super) reading: &'r Reading,
    pub(super) columns: Columns,
    /// Whether its values may begin an electrical event.
    pub(super) is_good: bool,
}

impl<'r> Seen<'r> {
    pub(super) fn of(
        view: &mut View,
        at: Instant,
        before: Option<Instant>,
        broken: bool,
        reading: &'r Reading,
    ) -> Self {
        let columns = Columns::of(reading, &mut view.memory);
        Self { at, before, broken, reading, columns, is_good: reading.quality == Quality::Good }
    }

    /// The value of a column, where the reading can be trusted.
    pub(super) fn good(&self, column: Column) -> Option<Decimal> {
        self.columns.get(column).filter(|_| self.is_good)
    }

    /// The values of all phases.
    pub(super) fn phases(&self, columns: [Column; 3]) -> [Option<Decimal>; 3] {
        columns.map(|column| self.good(column))
    }
}

pub(super) const VOLTAGES: [Column; 3] = [Column::VoltageL1, Column::VoltageL2, Column::VoltageL3];
pub(super) const CURRENTS: [Column; 3] = [Column::CurrentL1, Column::CurrentL2, Column::CurrentL3];

/// The number of a phase as people count.
pub(super) fn phase_number(index: usize) -> Option<u8> {
    u8::try_from(index + 1).ok()
}

/// An event without anything that need not be there.
pub(super) fn bare(rule: &Rule, start: Instant, description: impl Into<SmolStr>) -> Event {
    Event {
        meter: None,
        kind: SmolStr::new_static(rule.kind),
        severity: rule.severity,
        start,
        end: Some(start),
        description: description.into(),
        value: None,
        unit: None,
        code: None,
        threshold: None,
        phase: None,
        origin: Origin::Readings,
    }
}

/// The event of an episode of a value against a threshold.
pub(super) fn of_episode(
    rule: &Rule,
    episode: &Episode,
    (phase, code): (Option<u8>, Option<Obis>),
    threshold: Decimal,
    description: SmolStr,
) -> Event {
    Event {
        severity: rule.severity(episode.is_grave),
        end: episode.end,
        value: Some(super::exact::rounded(episode.extreme, 3)),
        unit: Some(SmolStr::new_static(rule.unit)),
        code: code.map(Obis::key),
        threshold: Some(threshold),
        phase,
        ..bare(rule, episode.start, description)
    }
}

/// Puts in an event of a rule that is on.
pub(super) fn tell(found: &mut Vec<Finding>, rule: &Rule, event: Event) {
    if rule.on {
        found.push(Finding::Event(event));
    }
}

/// The same with another severity.
pub(super) fn graver(event: Event, severity: Severity) -> Event {
    Event { severity: event.severity.max(severity), ..event }
}
