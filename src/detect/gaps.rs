//! Readings that are missing, seen from how often they usually come.

use super::Finding;
use super::exact::seconds_between;
use super::rules::{Rule, Rules};
use super::seen::{bare, tell};
use super::words;
use crate::reading::{Decimal, Event, Instant};
use smol_str::SmolStr;
use std::collections::VecDeque;

/// The usual period is the median of so many intervals.
const INTERVALS: usize = 100;
/// With fewer than this nothing is usual yet.
const FEW: usize = 3;
/// After so long without a reading what was going on is over, in microseconds.
const BREAK: i64 = 600_000_000;

#[derive(Debug)]
pub(super) struct Gaps {
    rule: Rule,
    intervals: VecDeque<i64>,
}

impl Gaps {
    pub(super) fn new(rules: &Rules) -> Self {
        Self { rule: rules.get("donnees_manquantes"), intervals: VecDeque::with_capacity(INTERVALS) }
    }

    /// Whether what was going on before is over.
    pub(super) fn push(&mut self, before: Option<Instant>, at: Instant, found: &mut Vec<Finding>) -> bool {
        let Some(before) = before else { return false };
        let gap = at.unix_micros().saturating_sub(before.unix_micros());
        if gap == 0 {
            return false;
        }
        let least = super::exact::millionths(self.rule.limit()).unwrap_or(0);
        let mut is_break = gap > BREAK;
        if gap > least.min(BREAK) {
            let usual = self.usual();
            // Where readings come every quarter of an hour, one that comes then breaks nothing.
            is_break = gap > BREAK.max(usual.map_or(0, |usual| usual.saturating_mul(3)));
            if let Some(usual) = usual {
                let limit = least.max(usual.saturating_mul(3));
                if gap > limit {
                    tell(found, &self.rule, self.event(before, at, (usual, limit)));
                }
            }
        }
        if self.intervals.len() == INTERVALS {
            self.intervals.pop_front();
        }
        self.intervals.push_back(gap);
        is_break
    }

    fn usual(&self) -> Option<i64> {
        if self.intervals.len() < FEW {
            return None;
        }
        let mut sorted: Vec<i64> = self.intervals.iter().copied().collect();
        let middle = sorted.len() / 2;
        Some(*sorted.select_nth_unstable(middle).1)
    }

    fn event(&self, before: Instant, at: Instant, (usual, limit): (i64, i64)) -> Event {
        let length = seconds_between(before, at);
        let usual = words::length(usual.saturating_add(500_000) / 1_000_000);
        let text = format!(
            "Données manquantes pendant {}, d'habitude toutes les {usual}",
            words::length(words::between(before, at))
        );
        Event {
            severity: self.rule.severity(self.rule.severe.is_some_and(|severe| length >= severe)),
            end: Some(at),
            value: Some(length),
            unit: Some(SmolStr::new_static("s")),
            threshold: Some(super::exact::rounded(Decimal::new(limit, -6), 3)),
            ..bare(&self.rule, before, text)
        }
    }
}
