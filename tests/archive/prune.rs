//! What leaves the store: only what the archive is seen to hold, and never more than was asked.

use crate::testenv::Place;
use crate::{METER, consolidate, entries, entry, everything, store, tree};
use releve::reading::MeterId;
use releve::store::{RawPiece, Store};
use std::fs;

const PRUNE: [&str; 4] = ["--keep", "12mo", "--prune", "-q"];

/// Readings around the day from which 12 months are kept.
fn place() -> (Place, releve::reading::Instant) {
    let today = releve::reading::Instant::now().unix_seconds() / 86_400 * 86_400;
    let (year, month, day) = releve::reading::Instant::from_unix(today).utc_day();
    // A year ago today, or the 28th for a leap day.
    let cutoff =
        (1..=day).rev().find_map(|day| releve::reading::Instant::start_of_utc_day(year - 1, month, day)).unwrap();
    let place = Place::new();
    let from = cutoff.plus_seconds(-40 * 86_400).to_string();
    let until = cutoff.plus_seconds(20 * 86_400).to_string();
    store(&place, "s.db", &entries(METER, &from, &until, 1800));
    (place, cutoff)
}

fn first(place: &Place) -> String {
    let line = everything(place, &[]);
    line.lines().next().unwrap_or_default().get(14..34).unwrap_or_default().to_owned()
}

#[test]
fn whole_days_older_than_asked_leave_and_are_still_told() {
    let (place, cutoff) = place();
    let before = everything(&place, &[]);
    let info = |place: &Place| place.run(["db", "info", "--json", "--db", "s.db"]).json();
    let raw = |at| RawPiece { stream: 1, at, is_live: true, meter: None, bytes: b"telegram".to_vec() };
    let mut open = Store::create(&place.path("s.db")).unwrap();
    open.keep_raw(&[raw(cutoff.plus_seconds(-60)), raw(cutoff.plus_seconds(60))]).unwrap();
    drop(open);
    let said = consolidate(&place, &["--keep", "12mo", "--prune"]).clean();
    let line = said.lines().last().unwrap();
    assert!(line.starts_with(&format!("{METER}  before {cutoff}: 1920 readings out of the store, ")), "{line}");
    assert_eq!(first(&place), cutoff.to_string());
    place.run(["db", "check", "--db", "s.db", "-q"]).clean();
    assert!(info(&place).to_string().contains("960"), "{}", info(&place));
    let open = Store::open(&place.path("s.db")).unwrap();
    assert_eq!(open.pruned(&MeterId::new(METER).unwrap()).unwrap(), Some(cutoff));
    let kept = open.next_raw(None).unwrap().unwrap();
    assert_eq!((kept.1.at, open.next_raw(Some(kept.0)).unwrap()), (cutoff.plus_seconds(60), None));
    drop(open);
    // Every answer is what it was, by the flag and by the settings.
    assert_eq!(everything(&place, &["--from-archive", "a"]), before);
    place.write("c.toml", "archive = \"a\"\n");
    assert_eq!(everything(&place, &["--config", "c.toml"]), before);
    let blind = place.run(["export", "--db", "s.db", "-f", "ndjson"]);
    assert!(blind.stderr.contains("are in the archive only"), "{}", blind.stderr);
    // And nothing is left to do.
    let now = tree(&place.path("a"));
    assert_eq!(consolidate(&place, &PRUNE).clean(), "");
    assert_eq!(tree(&place.path("a")), now);
}

#[test]
fn nothing_leaves_whose_file_does_not_verify() {
    let (place, cutoff) = place();
    consolidate(&place, &["-q"]).clean();
    let held = everything(&place, &[]);
    let day = cutoff.plus_seconds(-10 * 86_400);
    let name = format!("jour_{}.json.gz", day.to_string()[..10].replace('-', ""));
    let path = place.path("a/quotidien").join(&name);
    let whole = fs::read(&path).unwrap();
    let elsewhere = ["--day", "2020-01-01"];
    let damages: [(&str, Option<Vec<u8>>); 4] = [
        ("cut", Some(whole[..whole.len() - 4].to_vec())),
        ("gone", None),
        ("changed", Some(whole.iter().map(|byte| byte ^ 1).collect())),
        ("empty", Some(Vec::new())),
    ];
    for (what, bytes) in damages {
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        // A period that has nothing: the file is not mended first.
        let run = consolidate(&place, &[&elsewhere[..], &PRUNE[..]].concat());
        assert_eq!(run.exit, 65, "{what}: {}", run.stderr);
        assert!(run.stderr.contains("leaves the store") && run.stderr.contains(&name), "{what}: {}", run.stderr);
        assert_eq!(first(&place), day.to_string(), "{what}");
        let now = everything(&place, &[]);
        assert!(held.ends_with(&now) && now.lines().count() == (10 + 20) * 48, "{what}");
    }
    consolidate(&place, &PRUNE);
    fs::remove_file(place.path("a/quotidien").join(format!("{name}.corrompu"))).unwrap_or_default();
    assert_eq!(first(&place), cutoff.to_string());
    assert_eq!(everything(&place, &["--from-archive", "a"]), held);
}

#[test]
fn a_reading_that_came_late_stays_until_it_is_archived_too() {
    let (place, cutoff) = place();
    consolidate(&place, &PRUNE).clean();
    let late = cutoff.plus_seconds(-5 * 86_400 + 77);
    let mut open = Store::create(&place.path("s.db")).unwrap();
    open.insert(&[entry(METER, late)]).unwrap();
    drop(open);
    let elsewhere = ["--day", "2020-01-01"];
    let run = consolidate(&place, &[&elsewhere[..], &PRUNE[..]].concat());
    assert_eq!(run.exit, 65);
    assert!(run.stderr.contains(&format!("has not the reading of {late}")), "{}", run.stderr);
    assert_eq!(first(&place), late.to_string());
    let both = everything(&place, &["--from-archive", "a"]);
    assert!(both.contains(&late.to_string()));
    consolidate(&place, &PRUNE).clean();
    assert_eq!(first(&place), cutoff.to_string());
    assert_eq!(everything(&place, &["--from-archive", "a"]), both);
}

#[test]
fn the_archive_forgets_what_is_older_than_asked() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2013-11-01T00:00:00Z", "2013-11-20T00:00:00Z", 3600));
    consolidate(&place, &["-q"]).clean();
    assert!(place.path("a/quotidien/jour_20131107.json.gz").exists());
    let run = consolidate(&place, &["--keep", "10y", "--prune", "--keep-archive", "9y"]);
    assert_eq!(run.exit, 2, "{}", run.stderr);
    // As long as the store has the readings their files stay, or they would be written again.
    assert_eq!(consolidate(&place, &["--keep-archive", "10y", "-q"]).clean(), "");
    assert!(place.path("a/quotidien/jour_20131107.json.gz").exists());
    let forget = ["--keep", "2y", "--prune", "--keep-archive", "10y"];
    let dry = consolidate(&place, &[&forget[..], &["-n"]].concat());
    let said = consolidate(&place, &forget).clean();
    assert_eq!(dry.stdout, said);
    assert_eq!(said.lines().filter(|line| line.contains("removed")).count(), 19 + 5, "{said}");
    assert!(tree(&place.path("a")).is_empty(), "{:?}", tree(&place.path("a")).keys());
    assert_eq!(consolidate(&place, &["--keep-archive", "10y", "-q"]).clean(), "");
}
