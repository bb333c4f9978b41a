//! `releve obis`.

use crate::testenv::Place;

#[test]
fn codes_and_names_are_found_in_three_languages() {
    let place = Place::new();
    let found = place.run(["obis", "1.8.0", "-f", "json"]).json();
    assert_eq!(found[0]["obis"], "1-0:1.8.0");
    assert_eq!(found[0]["unite"], "kWh");
    assert_eq!(found[0]["colonne"], "energie_active_import");
    for (language, words) in [("en", "voltage"), ("fr", "tension"), ("de", "spannung")] {
        let table = place.run(["obis", words, "--lang", language, "-f", "table"]).clean();
        assert!(table.contains("1-0:32.7.0 "), "{language}: {table}");
    }
    let accents = place.run(["obis", "energie", "--lang", "fr", "-f", "table"]).clean();
    assert!(accents.contains("nergie active"), "{accents}");
}

#[test]
fn nothing_found_is_said_and_counts_when_asked() {
    let place = Place::new();
    let run = place.run(["obis", "zzzz", "-f", "table"]);
    assert_eq!((run.exit, run.stdout.as_str()), (0, ""));
    assert!(run.stderr.contains("zzzz"));
    assert_eq!(place.run(["obis", "zzzz", "-f", "json"]).stdout, "[]\n");
    assert_eq!(place.run(["obis", "zzzz", "--fail-empty"]).exit, 1);
}
