//! Days of a quantity, worked out once: ten years of minutes are read in a second, but nobody waits for a second.
//!
//! What the store says of each sealed stretch without opening it (count, first, last, lowest, highest, sum) tells whether
//! the days made of it still hold. The current days are read each time.

use super::app::{Question, lock};
use super::failure::Failure;
use super::step::Pace;
use super::track::{Cell, Fold, Track, each_value};
use crate::reading::{Decimal, Instant, MeterId};
use crate::store::Totals;
use axum::http::StatusCode;
use std::collections::HashMap;
use std::sync::Arc;

/// Quantities whose days are kept.
const KEPT: usize = 256;

/// The days of quantities, by meter and key.
#[derive(Debug, Default)]
pub(super) struct Rollups(HashMap<(MeterId, String), Arc<Vec<Chunk>>>);

/// The days of a stretch.
#[derive(Debug, Clone)]
struct Chunk {
    /// The stretch as it was when they were made.
    mark: Mark,
    cells: Vec<Cell>,
    /// Its last value.
    last: Option<(i64, Decimal)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Mark {
    totals: Vec<Totals>,
    before: Option<(i64, Decimal)>,
}

/// All days of a quantity, oldest first.
pub(super) fn days(question: &Question<'_>, meter: &MeterId, track: &Track) -> Result<Vec<Cell>, Failure> {
    let zone = question.app.settings.zone;
    let ever = super::EVER;
    let (year, month, day) = question.now.utc_day();
    let today = Instant::start_of_utc_day(year, month, day).unwrap_or(question.now);
    let current = today.plus_seconds(-86_400);
    let key = (meter.clone(), track.name.key().to_owned());
    let known = lock(&question.app.rollups).0.get(&key).cloned().unwrap_or_default();
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut before = None;
    if let Some(series) = track.series() {
        let mut all = Vec::new();
        for series in &series {
            all.push(question.past().totals(series, Instant::from_unix(ever.start)..current)?);
        }
        let starts = starts(&all);
        let mut known: HashMap<i64, &Chunk> = known
            .iter()
            .filter_map(|chunk| Some((chunk.mark.totals.iter().map(|t| t.between.0.unix_micros()).min()?, chunk)))
            .collect();
        for (index, &start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(current.unix_micros());
            let inside = |totals: &&Totals| (start..end).contains(&totals.between.0.unix_micros());
            let mark = Mark { totals: all.iter().flatten().filter(inside).cloned().collect(), before };
            let (chunk, is_new) = match known.remove(&start).filter(|chunk| chunk.mark == mark) {
                Some(chunk) => (chunk.clone(), false),
                None => {
                    let mut fold = Fold::new(Pace::Day, zone, before);
                    let mut last = None;
                    let period = Instant::from_unix_micros(start)..Instant::from_unix_micros(end);
                    each_value(question, meter, std::slice::from_ref(track), period, |_, at, value| {
                        fold.push(at, value);
                        last = Some((at, value));
                    })?;
                    (Chunk { mark, cells: fold.break_off(), last }, true)
                }
            };
            before = chunk.last.or(before);
            chunks.push(chunk);
            if is_new && question.is_late() {
                // Those behind it may still hold; their marks are compared next time.
                chunks.extend(known.into_values().cloned());
                // What is done is kept, so that the next one who asks gets further.
                keep(question, key, chunks);
                let message = "L'historique est encore en préparation ; réessayez";
                return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, message));
            }
        }
    }
    let mut days: Vec<Cell> = Vec::new();
    let mut add = |cell: &Cell| match days.last_mut() {
        Some(last) if last.start == cell.start => last.join(cell),
        _ => days.push(cell.clone()),
    };
    chunks.iter().flat_map(|chunk| &chunk.cells).for_each(&mut add);
    // What the rules have to work out of whole readings is worked out each time.
    let from = if track.series().is_some() { current } else { Instant::from_unix(ever.start) };
    let mut fold = Fold::new(Pace::Day, zone, before);
    let period = from..Instant::from_unix(ever.end);
    each_value(question, meter, std::slice::from_ref(track), period, |_, at, value| fold.push(at, value))?;
    fold.finish().iter().for_each(&mut add);
    keep(question, key, chunks);
    Ok(days)
}

fn keep(question: &Question<'_>, key: (MeterId, String), chunks: Vec<Chunk>) {
    let mut rollups = lock(&question.app.rollups);
    if rollups.0.len() >= KEPT {
        rollups.0.clear();
    }
    rollups.0.insert(key, Arc::new(chunks));
}

/// Where stretches begin: those of the first series, and of the others what lies outside them.
fn starts(all: &[Vec<Totals>]) -> Vec<i64> {
    let mut starts: Vec<i64> = Vec::new();
    for totals in all {
        for one in totals {
            let (from, until) = (one.between.0.unix_micros(), one.between.1.unix_micros());
            if !starts.iter().any(|start| (from..=until).contains(start)) {
                starts.push(from);
            }
        }
        starts.sort_unstable();
    }
    starts
}
