//! A guard against floods: from the twenty-first of a kind in an hour on they are one row that counts.

use super::{Finding, kinds};
use crate::reading::{Event, Instant, Origin};
use smol_str::{SmolStr, format_smolstr};

/// So many of a kind begin in an hour before they are counted only.
const MANY: usize = 20;
const HOUR: i64 = 3_600_000_000;

/// What an event is known by, beside its kind.
type Key = (Option<u8>, Instant, Origin);

/// Counts what begins of each kind in an hour.
#[derive(Debug, Default)]
pub struct Flood {
    kinds: Vec<Hour>,
}

/// What began in the newest hour of a kind.
#[derive(Debug)]
struct Hour {
    kind: SmolStr,
    hour: i64,
    told: Vec<Key>,
    /// Counted only, and not over yet.
    open: Vec<Key>,
    count: u32,
    /// The row that stands for those that are counted.
    sum: Option<Event>,
}

impl Flood {
    /// The finding, what stands for it, or nothing.
    pub fn pass(&mut self, finding: Finding) -> Option<Finding> {
        match finding {
            Finding::Event(event) => {
                let hour = self.hour_of(&event.kind);
                hour.event(event).map(Finding::Event)
            }
            Finding::Withdrawn { ref kind, phase, start, origin } => {
                let hour = self.hour_of(kind);
                let key = (phase, start, origin);
                hour.told.retain(|told| *told != key);
                let counted = hour.open.contains(&key);
                hour.open.retain(|open| *open != key);
                (!counted).then_some(finding)
            }
        }
    }

    fn hour_of(&mut self, kind: &SmolStr) -> &mut Hour {
        let at = self.kinds.iter().position(|hour| hour.kind == *kind).unwrap_or_else(|| {
            self.kinds.push(Hour {
                kind: kind.clone(),
                hour: i64::MIN,
                told: Vec::new(),
                open: Vec::new(),
                count: 0,
                sum: None,
            });
            self.kinds.len() - 1
        });
        &mut self.kinds[at]
    }
}

impl Hour {
    fn event(&mut self, event: Event) -> Option<Event> {
        let key = (event.phase, event.start, event.origin);
        let hour = event.start.unix_micros().div_euclid(HOUR);
        if self.open.contains(&key) {
            if event.end.is_some() {
                self.open.retain(|open| *open != key);
            }
            let sum = self.sum.as_mut().filter(|_| hour == self.hour)?;
            sum.end = sum.end.max(event.end);
            sum.severity = sum.severity.max(event.severity);
            return Some(sum.clone());
        }
        if hour < self.hour {
            return Some(event);
        }
        if hour > self.hour {
            self.hour = hour;
            self.told.clear();
            self.count = 0;
            self.sum = None;
        }
        if self.told.contains(&key) {
            return Some(event);
        }
        if self.told.len() < MANY {
            self.told.push(key);
            return Some(event);
        }
        if event.end.is_none() {
            // No more than one on each phase is open at a time.
            self.open.truncate(MANY);
            self.open.push(key);
        }
        self.count += 1;
        let end = event.end.or(Some(event.start));
        let sum = self.sum.get_or_insert(event);
        sum.end = sum.end.max(end);
        let repeated = if self.count == 1 { "répétition" } else { "répétitions" };
        sum.description = format_smolstr!("{} ({} {repeated})", kinds::title(&self.kind), self.count);
        Some(sum.clone())
    }
}
