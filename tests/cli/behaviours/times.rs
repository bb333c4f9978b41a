//! T: time arguments.

use super::{demo, words};
use crate::testenv::{Place, Run};

/// In the customer's zone.
fn brussels(place: &Place, line: &str) -> Run {
    Run::of(place.command().env("TZ", "Europe/Brussels").args(words(line)).output().unwrap())
}

#[test]
fn t1_all_the_forms_of_a_time_are_taken() {
    let place = demo();
    for text in [
        "now",
        "today",
        "yesterday",
        "tomorrow",
        "'yesterday 18:00'",
        "'today 07:30'",
        "14:30",
        "2d",
        "36h",
        "2w",
        "1mo",
        "2y",
        "'2d ago'",
        "'36h ago'",
        "-2d",
        "-36h",
        "2026-10-25",
        "'2026-10-25 14:30'",
        "2026-10-25T14:30:00Z",
        "2026-10-25T14:30:00+01:00",
        "2026-10",
        "2026-W43",
        "'last month'",
        "@1793000000",
    ] {
        for command in ["export -f ndjson", "stats", "events"] {
            let done = brussels(&place, &format!("{command} --db demo.db --since {text}"));
            assert_eq!(done.exit, 0, "{command} --since {text}: {}", done.stderr);
        }
    }
}

#[test]
fn t2_two_days_are_two_days_however_they_are_written() {
    let place = demo();
    // Relative to now, so of readings from now.
    place.write("now.csv", format!("timestamp,puissance_active_totale\n{},1\n", releve::reading::Instant::now()));
    brussels(&place, "import now.csv --db now.db --meter M1 -q").clean();
    let found =
        |text: &str| brussels(&place, &format!("export --db now.db -f csv --since {text}")).clean().lines().count();
    for text in ["2d", "'2d ago'", "-2d"] {
        assert_eq!(found(text), 2, "{text}");
    }
}

#[test]
fn t3_what_is_no_time_is_refused_with_the_forms() {
    let place = demo();
    for text in ["2026-02-30", "1h30", "10", "hier", "2026-13", "2026-W54", "25:00", "''", "'2026-11-07 14:61'", "soon"]
    {
        for command in ["export", "stats", "events"] {
            let failed = brussels(&place, &format!("{command} --db demo.db --since {text}"));
            assert_eq!((failed.exit, failed.stdout.as_str()), (2, ""), "{command} --since {text}");
            assert!(failed.stderr.contains("[time.unknown]"), "{}", failed.stderr);
            for form in ["2d", "yesterday", "2025-11-07", "2025-W45"] {
                assert!(failed.stderr.contains(form), "{}", failed.stderr);
            }
        }
    }
}

#[test]
fn t4_days_are_the_customers_days() {
    let place = demo();
    let day = |day: &str, zone: &str| {
        let line = format!("stats --db demo.db --by day --since {day} --until {day} --tz {zone} -f json");
        brussels(&place, &line).json()["periodes"][0].clone()
    };
    let long = day("2026-10-25", "Europe/Brussels");
    assert_eq!((&long["duree_s"], &long["nb_mesures"]), (&90_000.into(), &100.into()));
    // Four quarters an hour of 150 Wh.
    assert_eq!(long["energie_active_import"].to_string(), "15.0");
    assert_eq!(day("2026-10-25", "UTC")["duree_s"], 86_400);
    assert_eq!(day("2026-10-26", "Europe/Brussels")["energie_active_import"].to_string(), "14.4");
}

#[test]
fn t5_a_time_that_never_was_is_refused_and_one_that_came_twice_is_settled() {
    let place = demo();
    let failed = brussels(&place, "stats --db demo.db --since '2026-03-29 02:30'");
    assert_eq!(failed.exit, 2);
    assert!(failed.stderr.contains("did not exist") && failed.stderr.contains("[time.gap]"), "{}", failed.stderr);
    let said = |end: &str| brussels(&place, &format!("export --db demo.db -f csv -v {end} '2026-10-25 02:30'"));
    let (since, until) = (said("--since"), said("--until"));
    assert!(
        since.stderr.contains("came twice") && since.stderr.contains("T02:30:00+02:00 is taken"),
        "{}",
        since.stderr
    );
    assert!(
        until.stderr.contains("came twice") && until.stderr.contains("T02:30:00+01:00 is taken"),
        "{}",
        until.stderr
    );
    assert_eq!(since.stdout.lines().nth(1).unwrap().split(',').next(), Some("2026-10-25T00:30:00Z"));
    assert_eq!(until.stdout.lines().last().unwrap().split(',').next(), Some("2026-10-25T01:15:00Z"));
}

#[test]
fn t6_a_bare_month_reaches_its_end_and_the_interval_is_said() {
    let place = demo();
    for command in ["stats", "export -f csv", "events -f csv"] {
        let done = brussels(&place, &format!("{command} --db demo.db --since 2026-10 --until 2026-10 -v"));
        assert!(
            done.stderr.contains("from 2026-10-01T00:00:00+02:00 to 2026-11-01T00:00:00+01:00"),
            "{command}: {}",
            done.stderr
        );
    }
}

#[test]
fn t7_the_zone_is_the_flags_then_the_files_then_the_environments() {
    let place = demo();
    place.write("zone.toml", "tz = \"Asia/Tokyo\"\n");
    let zone = |line: &str| brussels(&place, &format!("stats --db demo.db {line}")).json()["fuseau"].clone();
    assert_eq!(zone(""), "Europe/Brussels");
    assert_eq!(zone("--config zone.toml"), "Asia/Tokyo");
    assert_eq!(zone("--config zone.toml --tz America/New_York"), "America/New_York");
    let unknown =
        Run::of(place.command().env("TZ", "Mars/Phobos").args(["stats", "--db", "demo.db"]).output().unwrap());
    assert_eq!((unknown.exit, unknown.stderr.matches("warning: TZ=Mars/Phobos").count()), (0, 1), "{}", unknown.stderr);
    assert!(unknown.stderr.contains(" is used"), "{}", unknown.stderr);
    assert_eq!(brussels(&place, "stats --db demo.db --tz Mars/Phobos").exit, 2);
}
