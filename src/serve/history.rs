//! `/api/data/history`: series at any step, so that a year is one small answer.

use super::app::Question;
use super::data::{Period, quoted};
use super::failure::Failure;
use super::reply::Reply;
use super::rollup;
use super::step::Pace;
use super::track::{Cell, Fold, Name, Track, each_value};
use crate::reading::{Instant, MeterId};
use std::fmt::Write as _;

/// A page holds so many steps of each series.
const PAGE: i64 = 20_000;
/// So many series at once.
const MAX_SERIES: usize = 16;

/// `GET /api/data/history`.
pub(super) fn history(question: &Question<'_>) -> Result<Reply, Failure> {
    let params = &question.params;
    let meter = question.meter()?;
    let mut period = Period::of(params, question.now);
    let mut names = Vec::new();
    for text in params.list("series") {
        let name = Name::parse(text)
            .ok_or_else(|| Failure::parameter("series", format!("ne connaît pas {}", quoted(text))))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        names.extend(Name::parse("puissance_active"));
    }
    if names.len() > MAX_SERIES {
        return Err(Failure::parameter("series", format!("nomme plus de {MAX_SERIES} séries")));
    }
    let extent = match &meter {
        Some(meter) => question.past().extent(meter)?,
        None => None,
    };
    // Where nothing says from when on, from the first reading on.
    let is_open = params.time("debut").is_none() && params.hours().is_none();
    if let (Some((first, _)), true) = (extent, is_open) {
        period.range.start = first.min(period.range.end);
    }
    let mut range = period.range.clone();
    if let Some((first, last)) = extent {
        range.start = range.start.max(first).min(range.end);
        range.end = range.end.min(last.plus_seconds(1)).max(range.start);
    }
    let points = params.whole("points").unwrap_or(600);
    let seconds = (period.range.end.unix_micros().saturating_sub(period.range.start.unix_micros())) / 1_000_000;
    let pace = match params.text("pas").and_then(Pace::parse).unwrap_or(Pace::Auto) {
        Pace::Auto => Pace::fitting(seconds.min(range_seconds(extent)), points),
        pace => pace,
    };
    if let Some(after) = params.cursor(0) {
        range.start = range.start.max(Instant::from_unix_micros(after)).min(range.end);
    }
    let mut tracks = Vec::new();
    let (mut cells, mut next) = (Vec::new(), None);
    if let Some(meter) = &meter {
        let (series, memory) = (question.past().series(meter)?, question.past().tariff_memory(meter)?);
        tracks = names.into_iter().map(|name| Track::of(name, &series, memory)).collect();
        if range.start < range.end {
            (cells, next) =
                steps(question, meter, &tracks, pace, (range.start.unix_micros(), range.end.unix_micros()))?;
        }
    }
    let mut out = String::from("{\"compteur\":");
    out.push_str(&meter.map_or_else(|| "null".to_owned(), |meter| quoted(meter.as_str())));
    out.push(',');
    period.write(&mut out);
    let zone = question.app.settings.zone;
    let _ = write!(out, ",\"pas\":\"{}\",\"fuseau\":{}", pace.name(), quoted(zone.name()));
    if let Some(next) = next {
        let _ = write!(out, ",\"suivant\":\"{next}\"");
    }
    out.push_str(",\"series\":{");
    for (index, track) in tracks.iter().enumerate() {
        let unit = track.unit.map(|unit| unit.symbol().to_string()).unwrap_or_default();
        let columns = if track.is_counter { "debut\",\"fin\"" } else { "min\",\"moyenne\",\"max\"" };
        let _ = write!(
            out,
            "{}{}:{{\"unite\":{},\"colonnes\":[\"timestamp\",\"{columns}],\"valeurs\":[",
            if index == 0 { "" } else { "," },
            quoted(track.name.key()),
            quoted(&unit),
        );
        write_cells(&mut out, cells.get(index).map_or(&[], Vec::as_slice), track.is_counter);
        out.push_str("]}");
    }
    out.push_str("}}");
    let reply = Reply::json(out);
    Ok(if period.is_fixed { reply } else { reply.of_the_moment() })
}

fn range_seconds(extent: Option<(Instant, Instant)>) -> i64 {
    extent.map_or(i64::MAX, |(first, last)| (last.unix_seconds() - first.unix_seconds()).max(60))
}

fn write_cells(out: &mut String, cells: &[Cell], is_counter: bool) {
    for (index, cell) in cells.iter().enumerate() {
        out.push_str(if index == 0 { "[\"" } else { ",[\"" });
        Instant::from_unix_micros(cell.start).write_to(out);
        out.push_str("\",");
        if is_counter {
            cell.first.write_to(out);
            out.push(',');
            // A counter runs on until the next step begins.
            let next = cells.get(index + 1).filter(|next| next.start == cell.end);
            next.map_or(cell.last, |next| next.first).write_to(out);
        } else {
            cell.min.write_to(out);
            out.push(',');
            cell.mean().write_to(out);
            out.push(',');
            cell.max.write_to(out);
        }
        out.push(']');
    }
}

/// The steps of each quantity that a period touches, whole ones, and the cursor of the next page.
type Steps = (Vec<Vec<Cell>>, Option<i64>);

fn steps(
    question: &Question<'_>,
    meter: &MeterId,
    tracks: &[Track],
    pace: Pace,
    (start, end): (i64, i64),
) -> Result<Steps, Failure> {
    let zone = question.app.settings.zone;
    let Pace::Seconds(seconds) = pace else {
        let mut all = Vec::new();
        for track in tracks {
            let mut cells: Vec<Cell> = Vec::new();
            for mut day in rollup::days(question, meter, track)? {
                (day.start, day.end) = pace.around(day.start, zone);
                match cells.last_mut() {
                    Some(last) if last.start == day.start => last.join(&day),
                    _ => cells.push(day),
                }
            }
            cells.retain(|cell| cell.start < end && cell.end > start);
            all.push(cells);
        }
        return Ok((all, None));
    };
    let (start, _) = pace.around(start, zone);
    let last = pace.around(end.saturating_sub(1), zone).1;
    let until = last.min(start.saturating_add(PAGE * seconds * 1_000_000));
    // What stood before the first step stands into it.
    let from = start.saturating_sub(super::track::STANDS);
    let mut folds: Vec<Fold> = tracks.iter().map(|_| Fold::new(pace, zone, None)).collect();
    let period = Instant::from_unix_micros(from)..Instant::from_unix_micros(until);
    each_value(question, meter, tracks, period, |index, at, value| {
        if let Some(fold) = folds.get_mut(index) {
            fold.push(at, value);
        }
    })?;
    let cells = folds.into_iter().map(|fold| {
        let mut cells = fold.finish();
        cells.retain(|cell| cell.start >= start);
        cells
    });
    Ok((cells.collect(), (until < last).then_some(until)))
}
