//! Answers over pruned periods, and a store that is rebuilt from the archive alone.

use crate::testenv::Place;
use crate::{METER, consolidate, entries, store, tree};
use releve::analyse::{Ask, Wanted, analyse};
use releve::archive::Tree;
use releve::past::Past;
use releve::reading::{Calendar, Instant, MeterId, Zone};
use releve::store::{Series, Store};
use std::fs;
use std::ops::Range;

/// All that can be asked of a past, as text.
fn answers(past: Past<'_>, period: &Range<Instant>) -> Vec<String> {
    let meter = MeterId::new(METER).unwrap();
    let mut all = vec![format!("{:?}", past.extent(&meter).unwrap())];
    let numbers = |series: &Series| series.unit.is_some();
    let series: Vec<Series> = past.series_in(&meter, period.clone()).unwrap().into_iter().filter(numbers).collect();
    all.push(format!("{:?}", past.instants(&meter, period.clone()).unwrap()));
    for series in &series {
        // Stretches differ; what they come to does not.
        let totals = past.totals(series, period.clone()).unwrap();
        let count: usize = totals.iter().map(|totals| totals.count).sum();
        let (min, max) = (totals.iter().map(|t| t.min).min(), totals.iter().map(|t| t.max).max());
        let ends = totals.first().map(|t| (t.between.0, t.first)).zip(totals.last().map(|t| (t.between.1, t.last)));
        all.push(format!("{} {count} {min:?} {max:?} {ends:?}", series.code));
    }
    let wanted =
        Wanted { tariffs: true, power: true, demand: true, quality: true, surplus: true, parts: true, curve: true };
    let ask = Ask {
        meter: meter.clone(),
        span: period.clone(),
        calendar: Some(Calendar::Day),
        zone: Zone::CENTRAL_EUROPE,
        now: period.end,
        wanted,
    };
    all.push(format!("{:#?}", analyse(&past, &ask).unwrap()));
    past.table(&series, period.clone(), |at, numbers, quality| {
        let numbers: Vec<_> = numbers.iter().map(|number| number.map(|number| number.to_string())).collect();
        all.push(format!("{at} {numbers:?} {quality:?}"));
    })
    .unwrap();
    past.measures(&meter, period.clone(), |at, values, quality, source| -> Result<(), releve::past::PastError> {
        all.push(format!(
            "{at} {:?} {quality:?} {source}",
            values.numbers().map(|(k, v)| format!("{k} {v}")).collect::<Vec<_>>()
        ));
        Ok(())
    })
    .unwrap();
    all
}

#[test]
fn a_pruned_store_answers_as_the_whole_one() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2025-11-01T00:00:00Z", "2025-12-10T00:00:00Z", 3600));
    fs::copy(place.path("s.db"), place.path("whole.db")).unwrap();
    // Everything up to the 20th or so: the data are older than a year by now, so the days are counted from today.
    consolidate(&place, &["-q"]).clean();
    let meter = MeterId::new(METER).unwrap();
    let cutoff = Instant::parse_utc("2025-11-20T00:00:00Z").unwrap();
    let mut open = Store::create(&place.path("s.db")).unwrap();
    let mut held = releve::store::Stock::default();
    open.stock(&meter, Instant::from_unix(0)..cutoff).unwrap().into_values().for_each(|hour| held += hour);
    assert_eq!(held.readings, 19 * 24);
    let mut wrong = held;
    wrong.mark ^= 1;
    assert_eq!(open.prune(&meter, cutoff, wrong).unwrap(), None, "other readings than were seen");
    assert_eq!(open.prune(&meter, cutoff, held).unwrap().unwrap().readings, 19 * 24);
    drop(open);

    let whole = Store::open(&place.path("whole.db")).unwrap();
    let pruned = Store::open(&place.path("s.db")).unwrap();
    let tree = Tree::open(&place.path("a"), true).unwrap();
    let past = Past::with_archive(&pruned, &tree);
    for (from, until) in [
        ("1970-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
        ("2025-11-19T12:30:00Z", "2025-11-20T06:00:00Z"),
        ("2025-11-03T00:00:00Z", "2025-11-04T00:00:00Z"),
        ("2025-12-01T00:00:00Z", "2025-12-02T00:00:00Z"),
    ] {
        let period = Instant::parse_utc(from).unwrap()..Instant::parse_utc(until).unwrap();
        let expected = answers(Past::new(&whole), &period);
        let found = answers(past, &period);
        assert_eq!(found.len(), expected.len(), "{from}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{from}");
        }
    }
    // In every format an export is what it was.
    for format in ["json", "ndjson", "csv", "history", "influx"] {
        let export = |db: &str| place.run(["export", "--db", db, "-f", format, "--from-archive", "a"]).clean();
        assert_eq!(export("s.db"), export("whole.db"), "{format}");
    }
    assert_eq!(Past::new(&pruned).blind_before(&meter).unwrap(), Some(cutoff));
}

#[test]
fn an_archive_rebuilds_the_store() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2025-10-25T00:00:00Z", "2025-12-02T07:00:00Z", 900));
    consolidate(&place, &["--hours", "-q"]).clean();
    let before = tree(&place.path("a"));
    let said = place.run(["import", "a", "--db", "r.db"]).clean();
    assert!(!said.contains("mesure_20251107"), "hours are in their day: {said}");
    let export = |db: &str, format: &str| place.run(["export", "--db", db, "-f", format]).clean();
    for format in ["json", "csv", "history"] {
        assert_eq!(export("r.db", format), export("s.db", format), "{format}");
    }
    place.run(["consolidate", "--db", "r.db", "--archive", "b", "--hours", "-q"]).clean();
    let after = tree(&place.path("b"));
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert!(after == before, "the archive of the rebuilt store is the same to the byte");
    // Means are refused gently.
    let run = place.run(["import", "a/mensuel/mois_202511.json.gz", "a/quotidien", "--db", "r.db", "-q"]);
    assert_eq!((run.exit, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    let alone = place.run(["import", "a/mensuel/mois_202511.json.gz", "--db", "r.db"]);
    assert!(alone.exit == 65 && alone.stderr.contains("[archive.derived]"), "{}", alone.stderr);
    // A day that is damaged comes from its hours.
    fs::write(place.path("a/quotidien/jour_20251107.json.gz"), "x").unwrap();
    fs::remove_file(place.path("r.db")).unwrap();
    let run = place.run(["import", "a", "--db", "r.db", "-q"]);
    assert_eq!(run.exit, 65);
    assert!(run.stderr.contains("jour_20251107.json.gz is damaged"), "{}", run.stderr);
    assert_eq!(export("r.db", "json"), export("s.db", "json"));
}
