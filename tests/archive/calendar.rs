//! Clock changes, leap day, week 53, a year that ends inside a week: the archive is UTC, and each reading is in one day.

use crate::testenv::{Place, control, figures};
use crate::{METER, consolidate, entries, json, store, tree};
use std::collections::BTreeSet;

/// How many readings the day files have.
fn days(place: &Place) -> Vec<(String, usize)> {
    in_one_day_each(place).unwrap()
}

/// The same; an error is a time that is in another day's file, or comes twice.
fn in_one_day_each(place: &Place) -> Result<Vec<(String, usize)>, String> {
    let mut seen = BTreeSet::new();
    let files = tree(&place.path("a")).into_keys().filter(|name| name.contains("/jour_"));
    files
        .map(|name| {
            let file = json(&place.path("a").join(&name));
            let date = file["date"].as_str().unwrap().to_owned();
            let mesures = file["mesures"].as_array().unwrap();
            for mesure in mesures {
                let time = mesure["timestamp"].as_str().unwrap();
                if !time.starts_with(&date) || !seen.insert(time.to_owned()) {
                    return Err(format!("{time} in {name}"));
                }
            }
            Ok((date, mesures.len()))
        })
        .collect()
}

#[test]
fn promise_p07_the_days_of_the_clock_change_hold_1440_minutes() {
    for (from, until) in [("2025-10-25", "2025-10-28"), ("2025-03-29", "2025-04-01")] {
        let place = Place::new();
        let all = entries(METER, &format!("{from}T00:00:00Z"), &format!("{until}T00:00:00Z"), 60);
        store(&place, "s.db", &all);
        // In a zone that changes its clock then.
        let mut command = place.command();
        command.env("TZ", "Europe/Brussels").args(["consolidate", "--db", "s.db", "--archive", "a", "-q"]);
        assert!(command.status().unwrap().success());
        let found = days(&place);
        assert_eq!(found.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [1440; 3], "{found:?}");
    }
    figures(7, 2, 2, 0, "clock changes, each reading in one day file");
}

/// An archive that files the doubled hour twice, and one that files it in another day.
#[test]
fn promise_p07_control_a_reading_in_two_days_is_found_out() {
    let broken = |from: &str, to: &str| {
        let place = Place::new();
        store(&place, "s.db", &entries(METER, "2025-10-25T00:00:00Z", "2025-10-27T00:00:00Z", 3600));
        consolidate(&place, &["-q"]).clean();
        let path = place.path("a/quotidien/jour_20251026.json.gz");
        let text = crate::unpack(&path).replacen(from, to, 1);
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut packer, text.as_bytes()).unwrap();
        std::fs::write(path, packer.finish().unwrap()).unwrap();
        in_one_day_each(&place)
    };
    control(
        7,
        [
            ("an hour twice", broken("2025-10-26T03:00:00Z", "2025-10-26T02:00:00Z")),
            ("an hour in the file of the next day", broken("2025-10-26T00:00:00Z", "2025-10-25T23:59:59Z")),
        ],
    );
}

#[test]
fn promise_p07_leap_day_week_53_and_a_year_that_ends_inside_a_week() {
    let cases: [(&str, &str, &[&str]); 4] = [
        (
            "2024-02-28T00:00:00Z",
            "2024-03-02T00:00:00Z",
            &["mensuel/mois_202402", "quotidien/jour_20240228", "quotidien/jour_20240229", "quotidien/jour_20240301"],
        ),
        ("2023-02-28T00:00:00Z", "2023-03-02T00:00:00Z", &["quotidien/jour_20230228", "quotidien/jour_20230301"]),
        ("2020-12-28T00:00:00Z", "2021-01-04T00:00:00Z", &["hebdomadaire/semaine_2020-W53", "quotidien/jour_20201231"]),
        ("2024-12-30T00:00:00Z", "2025-01-06T00:00:00Z", &["hebdomadaire/semaine_2025-W01", "mensuel/mois_202501"]),
    ];
    for (from, until, expected) in cases {
        let place = Place::new();
        let all = entries(METER, from, until, 900);
        store(&place, "s.db", &all);
        consolidate(&place, &[]).clean();
        let files = tree(&place.path("a"));
        for name in expected {
            assert!(files.contains_key(&format!("{name}.json.gz")), "{name} of {:?}", files.keys());
        }
        let found = days(&place);
        assert_eq!(found.iter().map(|(_, count)| count).sum::<usize>(), all.len());
        assert!(found.iter().all(|(_, count)| *count == 96), "{found:?}");
    }
    figures(7, 4, 4, 0, "a leap day, a year without, week 53, a year that ends inside a week");
}

#[test]
fn promise_p07_the_week_over_new_year_is_whole_in_its_file_and_split_between_the_months() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2024-12-01T00:00:00Z", "2025-02-01T00:00:00Z", 900));
    consolidate(&place, &[]).clean();
    let steps = |name: &str| -> BTreeSet<String> {
        let file = json(&place.path("a").join(name));
        let values = file["series"]["tension_l1"]["valeurs"].as_array().unwrap().clone();
        values.iter().map(|step| step.to_string()).collect()
    };
    let week = steps("hebdomadaire/semaine_2025-W01.json.gz");
    assert_eq!(week.len(), 7 * 96);
    let months = [steps("mensuel/mois_202412.json.gz"), steps("mensuel/mois_202501.json.gz")];
    assert_eq!(months.iter().map(BTreeSet::len).collect::<Vec<_>>(), [31 * 96; 2]);
    assert!(months[0].is_disjoint(&months[1]));
    assert!(week.iter().all(|step| months[0].contains(step) || months[1].contains(step)));
    figures(7, 1, 1, 0, "a week over new year");
}

#[test]
fn promise_p07_days_that_do_not_exist_are_refused() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2024-02-28T00:00:00Z", "2024-03-02T00:00:00Z", 3600));
    let cases = [
        ["--day", "2025-02-29"],
        ["--day", "2025-11-31"],
        ["--day", "2025-13-01"],
        ["--day", "2025-00-10"],
        ["--day", "0000-00-00"],
        ["--week", "2021-W53"],
        ["--week", "2025-W54"],
        ["--week", "2025-W00"],
        ["--month", "2025-13"],
        ["--month", "2025-00"],
    ];
    for case in cases {
        let run = consolidate(&place, &case);
        assert_eq!((run.exit, run.stdout.as_str()), (2, ""), "{case:?}: {}", run.stderr);
        assert!(run.stderr.contains("[time.unknown]"), "{case:?}: {}", run.stderr);
    }
    assert!(!place.path("a").exists());
    // The one that exists is in its month.
    let said = consolidate(&place, &["--day", "2024-02-29"]).clean();
    assert!(said.contains("jour_20240229.json.gz  24 readings"), "{said}");
    figures(7, cases.len(), cases.len(), 0, "days, weeks and months that do not exist, refused");
}
