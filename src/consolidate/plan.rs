//! Which files are to be written: what is complete, and not in the archive as it should be. Nothing here touches a disk.

use super::work::MERGED;
use crate::archive::{Kind, Period, Standing};
use crate::reading::Instant;
use crate::store::Stock;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Readings are on their way for so long: a period is complete a minute after its end.
pub const GRACE_S: i64 = 60;

/// Means stand on the last reading before their period, if it is no older than a step.
pub const STEP_S: i64 = 900;

const DAY_S: i64 = 86_400;

/// Why a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is none yet.
    New,
    /// The store holds other readings of its time than when it was written, or the day files do.
    Late,
    /// It is listed, but gone.
    Missing,
    /// It is not what the manifest says.
    Damaged,
    /// Somebody asked for it.
    Asked,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its time.
    pub period: Period,
    /// Its name.
    pub name: String,
    /// Why.
    pub why: Why,
}

/// Tasks whose readings are read in one pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The time they reach over.
    pub range: Range<Instant>,
    /// The files, in the order they end.
    pub tasks: Vec<Task>,
}

/// What the archive has of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name of its file.
    pub name: String,
    /// The origin that the manifest tells, and how the file stands to it; `None` where it is not listed.
    pub listed: Option<(String, Standing)>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// What is complete and not archived yet.
    All,
    /// One period, complete or not.
    One(Period),
    /// What is complete and lies in this time, archived or not.
    Within(Range<Instant>),
}

/// What a plan is made from.
#[derive(Debug)]
pub struct Known<'a> {
    /// What the store holds of each hour.
    pub stock: &'a BTreeMap<Instant, Stock>,
    /// Days that only files have anything of, hour files and the old application's.
    pub filed: &'a BTreeSet<Period>,
    /// Hours of which the archive has files.
    pub hour_files: &'a BTreeSet<Period>,
    /// The current time.
    pub now: Instant,
    /// Hour files of all days, not only of today and yesterday.
    pub hours: bool,
}

/// The stock of a period.
#[must_use]
pub fn stock_of(stock: &BTreeMap<Instant, Stock>, period: Period) -> Stock {
    let mut all = Stock::default();
    stock.range(period.range()).for_each(|(_, hour)| all += *hour);
    all
}

/// What a manifest notes of the store's readings that a file was made of.
#[must_use]
pub fn mark(stock: Stock) -> String {
    format!("{}-{:016x}", stock.readings, stock.mark)
}

/// The files to be written, oldest first. `look` says what the archive has of a period, `sources` what a week or month
/// file made now would note as its origin.
///
/// # Errors
/// What `look` or `sources` return.
pub fn tasks<E>(
    known: &Known<'_>,
    ask: &Ask,
    mut look: impl FnMut(Period) -> Result<Place, E>,
    mut sources: impl FnMut(Period) -> Result<String, E>,
) -> Result<Vec<Task>, E> {
    let mut tasks = Vec::new();
    if let Ask::One(period) = ask {
        tasks.push(Task { period: *period, name: look(*period)?.name, why: Why::Asked });
        if known.hours && period.kind() == Kind::Day {
            for hour in Period::each(Kind::Hour, &period.range()) {
                tasks.push(Task { period: hour, name: look(hour)?.name, why: Why::Asked });
            }
        }
        return Ok(tasks);
    }
    let is_wanted = |period: &Period| {
        let inside = match ask {
            Ask::Within(range) => period.start() >= range.start && period.end() <= range.end,
            _ => true,
        };
        inside && period.end().plus_seconds(GRACE_S) <= known.now
    };
    let with_stock: BTreeSet<Period> =
        known.stock.keys().filter_map(|&hour| Period::containing(Kind::Day, hour)).collect();
    let days: BTreeSet<Period> = with_stock.union(known.filed).copied().collect();
    let asked = matches!(ask, Ask::Within(_));

    let recent = Period::containing(Kind::Day, known.now).map(|today| today.start().plus_seconds(-DAY_S));
    // Older hours are in their day; but files of them that are there stay as they should be.
    let is_due = |hour: &Period| {
        known.hours || known.hour_files.contains(hour) || recent.is_some_and(|recent| hour.start() >= recent)
    };
    let hours = known.stock.keys().filter_map(|&hour| Period::containing(Kind::Hour, hour)).filter(is_due);
    let mut stale_days: BTreeSet<Period> = BTreeSet::new();
    for period in days.iter().copied().chain(hours).filter(|period| is_wanted(period)) {
        let place = look(period)?;
        let stock = stock_of(known.stock, period);
        let why = match &place.listed {
            _ if asked => Some(Why::Asked),
            None => Some(Why::New),
            Some((_, Standing::Missing)) => Some(Why::Missing),
            Some((_, Standing::Other)) => Some(Why::Damaged),
            Some((_, Standing::Former)) => Some(Why::Late),
            // What was pruned since is in the file.
            Some((origin, Standing::Whole)) if stock.readings > 0 && origin.trim_end_matches(MERGED) != mark(stock) => {
                Some(Why::Late)
            }
            Some(_) => None,
        };
        if let Some(why) = why {
            if period.kind() == Kind::Day {
                stale_days.insert(period);
            }
            tasks.push(Task { period, name: place.name, why });
        }
    }
    for kind in [Kind::Week, Kind::Month] {
        let all: BTreeSet<Period> = days.iter().filter_map(|day| Period::containing(kind, day.start())).collect();
        for period in all.into_iter().filter(|period| is_wanted(period)) {
            let place = look(period)?;
            let made_of = period.start().plus_seconds(-DAY_S)..period.end();
            let is_stale = stale_days.iter().any(|day| made_of.contains(&day.start()));
            let why = match &place.listed {
                _ if asked => Some(Why::Asked),
                None => Some(Why::New),
                Some((_, Standing::Missing)) => Some(Why::Missing),
                Some((_, Standing::Other)) => Some(Why::Damaged),
                Some((_, Standing::Former)) => Some(Why::Late),
                Some(_) if is_stale => Some(Why::Late),
                Some((origin, _)) if *origin != sources(period)? => Some(Why::Late),
                Some(_) => None,
            };
            tasks.extend(why.map(|why| Task { period, name: place.name, why }));
        }
    }
    tasks.sort_by_key(|task| (task.period.end(), task.period.kind(), task.period.start()));
    Ok(tasks)
}

/// Tasks grouped into pieces: what touches is read together, and what is long is cut at ends of months. Each piece is half a
/// share of what is left for the `workers`, so that the last are short and nobody waits long for them.
#[must_use]
pub fn pieces(mut tasks: Vec<Task>, workers: usize) -> Vec<Piece> {
    let mut stretches: Vec<Range<Instant>> = Vec::new();
    let mut ranges: Vec<Range<Instant>> = tasks.iter().map(|task| task.period.range()).collect();
    ranges.sort_by_key(|range| range.start);
    for range in ranges {
        match stretches.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => stretches.push(range),
        }
    }
    let mut ends = Vec::new();
    for stretch in stretches {
        // The week that a stretch may end with is no piece of its own.
        let last = stretch.end.plus_seconds(-7 * DAY_S);
        let months: Vec<Instant> =
            Period::each(Kind::Month, &stretch).map(Period::end).filter(|end| *end < last).collect();
        let shares = 2 * i64::try_from(workers.max(1)).unwrap_or(1);
        let mut from = stretch.start.unix_seconds();
        let nearest = |from: i64| {
            let wanted = from + (stretch.end.unix_seconds() - from) / shares;
            let ahead = months.iter().filter(|end| end.unix_seconds() > from);
            ahead.min_by_key(|end| (end.unix_seconds() - wanted).abs()).copied()
        };
        while let Some(end) = nearest(from) {
            from = end.unix_seconds();
            ends.push(end);
        }
        ends.push(stretch.end);
    }
    tasks.sort_by_key(|task| (task.period.end(), task.period.kind(), task.period.start()));
    let mut pieces: Vec<Piece> = Vec::new();
    let mut open: Option<usize> = None;
    for task in tasks {
        let place = ends.partition_point(|end| *end < task.period.end());
        let range = task.period.range();
        match pieces.last_mut().filter(|_| open == Some(place)) {
            Some(piece) => {
                piece.range = piece.range.start.min(range.start)..piece.range.end.max(range.end);
                piece.tasks.push(task);
            }
            None => pieces.push(Piece { range, tasks: vec![task] }),
        }
        open = Some(place);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn at(text: &str) -> Instant {
        Instant::parse_utc(text).unwrap()
    }

    /// Minutes from one time to another.
    fn minutes(from: &str, until: &str) -> BTreeMap<Instant, Stock> {
        let hours = Period::each(Kind::Hour, &(at(from)..at(until)));
        hours.map(|hour| (hour.start(), Stock { instants: 60, readings: 60, mark: 7 })).collect()
    }

    fn names(
        stock: &BTreeMap<Instant, Stock>,
        now: &str,
        ask: &Ask,
        mut listed: impl FnMut(&str) -> Option<(String, Standing)>,
    ) -> Vec<String> {
        let none = BTreeSet::new();
        let known = Known { stock, filed: &none, hour_files: &none, now: at(now), hours: false };
        let look = |period: Period| {
            let name = period.file_name(None);
            Ok::<_, Infallible>(Place { listed: listed(&name), name })
        };
        let Ok(tasks) = tasks(&known, ask, look, |_| Ok("days".to_owned()));
        tasks.into_iter().map(|task| task.name.replace(".json.gz", "")).collect()
    }

    #[test]
    fn what_is_complete_and_missing_is_made_up_oldest_first() {
        let stock = minutes("2025-12-27T00:00:00Z", "2026-01-01T02:30:00Z");
        let found = names(&stock, "2026-01-01T02:30:00Z", &Ask::All, |_| None);
        let days: Vec<_> = found.iter().filter(|name| !name.starts_with("mesure")).map(String::as_str).collect();
        assert_eq!(
            days,
            [
                "jour_20251227",
                "jour_20251228",
                "semaine_2025-W52",
                "jour_20251229",
                "jour_20251230",
                "jour_20251231",
                "mois_202512"
            ]
        );
        // Hours of yesterday and today that are over; older ones are in their day's file.
        assert_eq!(found.iter().filter(|name| name.starts_with("mesure")).count(), 26);
        assert_eq!(found[4], "jour_20251230");
    }

    #[test]
    fn a_minute_must_have_passed_and_a_day_that_is_as_noted_stays() {
        let stock = minutes("2025-11-07T00:00:00Z", "2025-11-08T00:00:00Z");
        let day = "jour_20251107";
        let has = |now: &str, listed: Option<(&str, Standing)>| {
            let listed = listed.map(|(origin, standing)| (origin.to_owned(), standing));
            let look = |name: &str| listed.clone().filter(|_| name.starts_with(day));
            names(&stock, now, &Ask::All, look).contains(&day.to_owned())
        };
        assert!(!has("2025-11-08T00:00:59Z", None));
        assert!(has("2025-11-08T00:01:00Z", None));
        let now = "2025-11-10T00:00:00Z";
        let good = mark(stock_of(&stock, Period::containing(Kind::Day, at("2025-11-07T00:00:00Z")).unwrap()));
        assert!(!has(now, Some((&good, Standing::Whole))));
        assert!(has(now, Some(("1439-0000000000000000", Standing::Whole))));
        for standing in [Standing::Missing, Standing::Other, Standing::Former] {
            assert!(has(now, Some((&good, standing))));
        }
    }

    #[test]
    fn an_old_hour_is_looked_after_where_it_has_a_file() {
        let stock = minutes("2025-11-07T00:00:00Z", "2025-11-08T00:00:00Z");
        let (none, hour) = (BTreeSet::new(), Period::containing(Kind::Hour, at("2025-11-07T05:00:00Z")).unwrap());
        let (hour_files, now) = (BTreeSet::from([hour]), at("2025-11-20T00:00:00Z"));
        let known = Known { stock: &stock, filed: &none, hour_files: &hour_files, now, hours: false };
        let look = |period: Period| {
            let listed = (period == hour).then(|| ("59-0000000000000000".to_owned(), Standing::Whole));
            Ok::<_, Infallible>(Place { listed, name: period.file_name(None) })
        };
        let Ok(all) = tasks(&known, &Ask::All, look, |_| Ok(String::new()));
        let hours = all.iter().filter(|task| task.period.kind() == Kind::Hour);
        assert_eq!(hours.map(|task| (task.period, task.why)).collect::<Vec<_>>(), [(hour, Why::Late)]);
    }

    #[test]
    fn a_span_holds_the_complete_ones_in_it() {
        let stock = minutes("2025-10-30T00:00:00Z", "2025-11-20T00:00:00Z");
        let ask = Ask::Within(at("2025-11-03T00:00:00Z")..at("2025-11-10T00:00:00Z"));
        let found = names(&stock, "2025-12-24T00:00:00Z", &ask, |_| None);
        assert_eq!(found.len(), 8);
        assert_eq!(found.last().unwrap(), "semaine_2025-W45");
        let one = Ask::One(Period::containing(Kind::Month, at("2025-11-03T00:00:00Z")).unwrap());
        assert_eq!(names(&stock, "2025-11-12T00:00:00Z", &one, |_| None), ["mois_202511"]);
    }

    #[test]
    fn a_year_is_cut_into_pieces_that_hold_every_task_once() {
        let stock = minutes("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z");
        let (none, now) = (BTreeSet::new(), at("2025-11-07T00:00:00Z"));
        let known = Known { stock: &stock, filed: &none, hour_files: &none, now, hours: false };
        let look = |period: Period| Ok::<_, Infallible>(Place { listed: None, name: period.file_name(None) });
        let Ok(all) = tasks(&known, &Ask::All, look, |_| Ok(String::new()));
        let count = |kind| all.iter().filter(|task| task.period.kind() == kind).count();
        assert_eq!((count(Kind::Day), count(Kind::Week), count(Kind::Month)), (366, 53, 12));
        let pieces = pieces(all.clone(), 2);
        let months = pieces.iter().map(|piece| {
            let days = (piece.range.end.unix_seconds() - piece.range.start.unix_seconds()) / 86_400;
            // At most a week reaches into them.
            days / 30
        });
        assert_eq!(months.collect::<Vec<_>>(), [3, 2, 2, 1, 1, 1, 1, 1]);
        assert_eq!(pieces.iter().map(|piece| piece.tasks.len()).sum::<usize>(), all.len());
        for piece in &pieces {
            assert!(
                piece
                    .tasks
                    .iter()
                    .all(|task| { piece.range.start <= task.period.start() && task.period.end() <= piece.range.end })
            );
        }
    }
}
