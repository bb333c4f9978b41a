//! Events found anew in what is stored.

use super::watch::beginning;
use super::{ALWAYS, NEVER, change};
use crate::detect::{Detector, Rules, Setting};
use crate::reading::{Event, Instant, MeterId, Origin};
use crate::store::{EventChange, EventQuery, Kept, Store, StoreError};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What running the detectors again came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Again {
    /// Readings that were looked at.
    pub readings: u64,
    /// Events that were found.
    pub found: usize,
    /// Of these, those that were not there.
    pub added: usize,
    /// Those that are told otherwise now.
    pub changed: usize,
    /// Those that were there and are found no more.
    pub dropped: usize,
}

impl std::ops::AddAssign for Again {
    fn add_assign(&mut self, other: Self) {
        self.readings += other.readings;
        self.found += other.found;
        self.added += other.added;
        self.changed += other.changed;
        self.dropped += other.dropped;
    }
}

/// What an event is known by.
type Key = (SmolStr, Option<u8>, Instant, Origin);

fn key(event: &Event) -> Key {
    (event.kind.clone(), event.phase, event.start, event.origin)
}

/// Finds the events of a meter that begin from `since` on once more, and puts the store right in one transaction.
/// `progress` is told of the time reached now and then, and stops it by `false`: nothing is changed then.
///
/// # Errors
/// [`StoreError`], naming the file; nothing was changed then.
pub fn again(
    store: &mut Store,
    meter: &MeterId,
    since: Option<Instant>,
    (rules, setting): (&Rules, Setting),
    progress: &mut dyn FnMut(Instant) -> bool,
) -> Result<Option<Again>, StoreError> {
    let Some((first, mut last)) = store.extent(meter)? else { return Ok(Some(Again::default())) };
    // Before the first reading that is left nothing can be found again.
    let since = since.unwrap_or(ALWAYS).max(first);
    let from = beginning(store, meter, since)?.min(overlapping(store, meter, since)?);
    let mut rows: BTreeMap<Key, Event> = BTreeMap::new();
    let mut detector = Detector::new(meter.clone(), rules, setting);
    let mut done = Again::default();
    let mut goes_on = true;
    // A log may write meanwhile: what it has found since must not be taken for wrong. So on to where nothing new comes.
    let mut next = from;
    loop {
        let before = done.readings;
        store.readings(meter, next..NEVER, |Kept { at, reading, .. }| {
            if !goes_on {
                return Ok(());
            }
            (last, next) = (at, Instant::from_unix_micros(at.unix_micros().saturating_add(1)));
            done.readings += 1;
            if done.readings % 8192 == 0 {
                goes_on = progress(at);
            }
            detector.push(at, &reading, &mut |finding| match change(finding, meter) {
                EventChange::Put(event) => {
                    rows.insert(key(&event), event);
                }
                EventChange::Drop(event) => {
                    rows.remove(&key(&event));
                }
            });
            Ok::<_, StoreError>(())
        })?;
        if !goes_on {
            return Ok(None);
        }
        if done.readings == before {
            break;
        }
    }
    rows.retain(|_, event| event.start >= since || is_logged(event));
    done.found = rows.len();
    let mut changes = Vec::new();
    for event in stored(store, meter, since, last)? {
        if event.start < since {
            // It began before the oldest reading that is left: what is found of it there is no event of its own.
            if event.end.is_none_or(|end| end > first) {
                rows.remove(&(event.kind, event.phase, first, event.origin));
            }
        } else if !rows.contains_key(&key(&event)) {
            changes.push(EventChange::Drop(event));
        }
    }
    changes.extend(rows.into_values().map(EventChange::Put));
    let (_, put) = store.keep(&[], &changes)?;
    done.added = put.added.len();
    done.changed = put.changed;
    done.dropped = put.dropped;
    Ok(Some(done))
}

/// The events that a detector found in readings of this period, or of before and not over in it.
fn stored(store: &Store, meter: &MeterId, since: Instant, last: Instant) -> Result<Vec<Event>, StoreError> {
    let mut there = Vec::new();
    for origin in [Origin::Readings, Origin::Meter] {
        let query = EventQuery {
            meter: Some(meter.clone()),
            period: Some(since..last.plus_seconds(1)),
            origin: Some(origin),
            ..EventQuery::default()
        };
        let events = store.events(&query)?.into_iter().map(|kept| kept.event);
        there.extend(events.filter(|event| event.meter.as_ref() == Some(meter) && !is_logged(event)));
    }
    Ok(there)
}

/// Whether a log of the meter says so: those may have been asked for and stand in no reading.
fn is_logged(event: &Event) -> bool {
    event.origin == Origin::Meter
        && event
            .code
            .as_deref()
            .is_some_and(|code| [":99.", ":99:", ":P.9", ":L.9"].iter().any(|log| code.contains(log)))
}

/// Whether a detector found it in readings, so that it can be found there again.
pub(super) fn is_found(event: &Event) -> bool {
    matches!(event.origin, Origin::Readings | Origin::Meter) && !is_logged(event)
}

/// The beginning of the oldest episode that was going on at a time, with what comes before it.
fn overlapping(store: &Store, meter: &MeterId, at: Instant) -> Result<Instant, StoreError> {
    let query = EventQuery {
        meter: Some(meter.clone()),
        period: Some(at..at.plus_seconds(1)),
        oldest_first: true,
        ..EventQuery::default()
    };
    let oldest = store.events(&query)?.into_iter().find(|kept| is_found(&kept.event));
    Ok(oldest.map_or(at, |kept| kept.event.start.plus_seconds(-Detector::MARGIN_S)))
}
