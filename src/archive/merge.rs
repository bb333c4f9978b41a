//! Two lists of readings become one: union by time, nothing lost.

use crate::document::Measure;
use crate::reading::Instant;
use std::collections::BTreeMap;

/// Merges what an archive file holds with what the store has. Of two readings of one time the better quality is kept,
/// and of equal ones the store's. A reading whose time cannot be read is kept at the front rather than dropped.
#[must_use]
pub fn merge(archived: Vec<Measure>, stored: Vec<Measure>) -> Vec<Measure> {
    let mut untimed = Vec::new();
    let mut by_time: BTreeMap<Instant, Measure> = BTreeMap::new();
    for measure in archived.into_iter().chain(stored) {
        let Some(at) = measure.at() else {
            untimed.push(measure);
            continue;
        };
        let better = by_time.get(&at).is_none_or(|present| measure.quality() >= present.quality());
        if better {
            by_time.insert(at, measure);
        }
    }
    untimed.extend(by_time.into_values());
    untimed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Values;
    use crate::reading::Quality;

    fn measure(at: &str, quality: Quality, source: &str) -> Measure {
        Measure::new(Instant::parse_utc(at).unwrap(), &Values::default(), quality, source)
    }

    #[test]
    fn union_by_time_better_quality_first_then_the_store() {
        let archived = vec![
            measure("2025-11-07T00:00:00Z", Quality::Good, "archive"),
            measure("2025-11-07T00:01:00Z", Quality::Suspect, "archive"),
            measure("2025-11-07T00:02:00Z", Quality::Good, "archive"),
        ];
        let stored = vec![
            measure("2025-11-07T00:02:00Z", Quality::Suspect, "store"),
            measure("2025-11-07T00:01:00Z", Quality::Suspect, "store"),
            measure("2025-11-07T00:03:00Z", Quality::Good, "store"),
        ];
        let merged = merge(archived, stored);
        let sources: Vec<_> = merged.iter().map(|m| m.source.as_str()).collect();
        assert_eq!(sources, ["archive", "store", "archive", "store"]);
        assert!(merged.is_sorted_by_key(Measure::at));
    }
}
