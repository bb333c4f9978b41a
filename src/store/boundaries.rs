//! Where segments of a meter's counters begin or do not, whatever a counter says: what people said, and serial numbers.

use super::names::{Names, find_meter};
use super::segment::{Break, Found, Point};
use super::{Correction, Store, StoreError, Trouble, correction, replaced, sealed};
use crate::reading::MeterId;
use rusqlite::Connection;
use std::ops::Range;

/// What is known of the segments of a meter's counters without looking at them.
#[derive(Debug, Clone, Default)]
pub struct Boundaries {
    corrections: Vec<(i64, Correction)>,
    /// Where segments begin.
    splits: Vec<(i64, Break)>,
}

impl Boundaries {
    /// By what people said, and the times from which on another serial number was sent.
    pub(super) fn of(corrections: Vec<(i64, Correction)>, replaced: Vec<i64>) -> Self {
        let said = corrections.iter().filter(|(_, what)| *what == Correction::Split).map(|(at, _)| (*at, Break::Said));
        let mut splits: Vec<_> = said.collect();
        splits.extend(replaced.into_iter().map(|at| (at, Break::Replaced)));
        Self { corrections, splits }
    }

    /// Whether a segment begins between two values, and why.
    pub(super) fn between(&self, good: Point, next: Point) -> Option<Break> {
        let denied = self.runs_on(next.at);
        let begins = |&&(at, why): &&(i64, Break)| good.at < at && at <= next.at && !(denied && why == Break::Replaced);
        self.splits.iter().find(begins).map(|&(_, why)| why)
    }

    /// Whether there is anything between two times.
    pub(super) fn any(&self, since: i64, until: i64) -> bool {
        let inside = |at: i64| since < at && at <= until;
        self.corrections.iter().any(|&(at, _)| inside(at)) || self.splits.iter().any(|&(at, _)| inside(at))
    }

    /// What somebody who knows that the counter ran on makes of a finding: what it rose by counts, and a fall is nothing.
    pub(super) fn correct(&self, found: Found) -> Option<Found> {
        match found {
            // Over a rollover it ran on already: the wrapped step counts.
            Found::Begins(_, _, Break::Rollover { .. }) => Some(found),
            Found::Begins(from, to, why) if why != Break::Said && self.runs_on(to.at) => {
                (to.value >= from.value).then_some(Found::Step(from, to))
            }
            found => Some(found),
        }
    }

    fn runs_on(&self, at: i64) -> bool {
        self.corrections.contains(&(at, Correction::Merge))
    }
}

impl Store {
    /// What is known of the segments of a meter's counters without looking at them.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn boundaries(&self, meter: &MeterId) -> Result<Boundaries, StoreError> {
        self.read(|connection, names| match find_meter(connection, meter)? {
            Some(meter) => sealed::balance(connection, &meter)
                .and_then(|()| read(connection, names, (meter.row, &meter.identifier), &(i64::MIN / 2..i64::MAX))),
            None => Ok(Boundaries::default()),
        })
    }
}

pub(super) fn read(
    connection: &Connection,
    names: &mut Names,
    meter: (i64, &MeterId),
    period: &Range<i64>,
) -> Result<Boundaries, Trouble> {
    let corrections = correction::of_meter(connection, meter.0)?;
    Ok(Boundaries::of(corrections, replaced::times(connection, names, meter, period)?))
}
