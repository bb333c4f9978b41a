//! The list, and what people add to it.

use crate::testenv::Place;
use crate::{PEAKS, events, kinds, powers};

fn store() -> Place {
    let place = Place::new();
    powers(&place, "M1", &PEAKS);
    place.run(["events", "detect", "--db", "s.db", "-q"]).clean();
    let add =
        ["events", "add", "Panne électrique au réseau", "--db", "s.db", "--type", "coupure", "--severity", "error"];
    place.run(add.into_iter().chain(["--at", "2025-11-07T11:00:00Z", "--until", "2025-11-07T11:30:00Z"])).clean();
    place
}

#[test]
fn words_are_found_whatever_their_accents_and_case() {
    let place = store();
    for words in ["électrique", "ELECTRIQUE", "panne res", "Réseau panne"] {
        assert_eq!(kinds(&events(&place, &["--search", words])), ["coupure"], "{words}");
    }
    assert!(events(&place, &["--search", "panne pic"]).is_empty());
    assert!(events(&place, &["--search", "\"OR* NEAR("]).is_empty());
}

#[test]
fn the_list_is_narrowed_by_severity_kind_time_and_number() {
    let place = store();
    assert_eq!(kinds(&events(&place, &[])), ["pic_puissance", "pic_puissance", "coupure"]);
    assert_eq!(events(&place, &["--severity", "error"]).len(), 1);
    assert_eq!(events(&place, &["--severity", "error,warning"]).len(), 3);
    assert_eq!(events(&place, &["--type", "pic_puissance", "--limit", "1"])[0]["valeur"], 6500);
    // One that began before and was not over counts.
    assert_eq!(events(&place, &["--since", "2025-11-07T11:15:00Z", "--until", "2025-11-07T11:20:00Z"]).len(), 1);
    assert!(events(&place, &["--since", "2025-11-07T11:45:00Z", "--until", "2025-11-07T11:50:00Z"]).is_empty());
    let run = place.run(["events", "--db", "s.db", "--since", "2025-12-01", "--until", "2025-11-01"]);
    assert_eq!(run.exit, 2);
}

#[test]
fn what_there_is_not_is_named_with_what_was_meant() {
    let place = store();
    let run = place.run(["events", "--db", "s.db", "--type", "pic_puisance"]);
    assert_eq!((run.exit, run.stdout.as_str()), (2, ""));
    assert!(
        run.stderr.contains("[event.type]") && run.stderr.contains("did you mean 'pic_puissance'?"),
        "{}",
        run.stderr
    );
    let run = place.run(["events", "--db", "s.db", "--severity", "eror"]);
    assert_eq!(run.exit, 2);
    assert!(run.stderr.contains("error") && run.stderr.contains("eror"), "{}", run.stderr);
    let run = place.run(["events", "--db", "none.db"]);
    assert_eq!(run.exit, 66);
    assert!(!place.path("none.db").exists());
    let run = place.run(["events", "--db", "s.db", "--meter", "M9"]);
    assert_eq!(run.exit, 66, "{}", run.stderr);
}

#[test]
fn no_event_is_an_empty_answer_with_a_word_beside_it() {
    let place = Place::new();
    powers(&place, "M1", &[100]);
    let run = place.run(["events", "--db", "s.db", "--json"]);
    assert_eq!((run.exit, run.stderr.as_str()), (0, "no such event\n"));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap()["nb_evenements"], 0);
    assert_eq!(place.run(["events", "--db", "s.db", "--json", "--fail-empty"]).exit, 1);
    assert_eq!(place.run(["events", "--db", "s.db", "-f", "table", "-q"]).clean(), "");
}

#[test]
fn a_table_says_the_severity_as_a_word_and_colour_says_it_again() {
    let place = store();
    let table = place.run(["events", "--db", "s.db", "-f", "table"]).clean();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(lines[0].starts_with("time                 severity  type        what"), "{table}");
    assert_eq!(lines[3], "2025-11-07 12:00:00  error     outage      Panne électrique au réseau");
    let coloured = place.run(["events", "--db", "s.db", "-f", "table", "--color", "always"]).clean();
    assert!(coloured.contains("\u{1b}[31merror   \u{1b}[0m"), "{coloured:?}");
    let mut plain = coloured;
    for code in ["\u{1b}[31m", "\u{1b}[33m", "\u{1b}[1m", "\u{1b}[0m"] {
        plain = plain.replace(code, "");
    }
    assert_eq!(plain, table);
}

#[test]
fn lines_and_rows_say_the_same() {
    let place = store();
    let lines = place.run(["events", "--db", "s.db", "-f", "ndjson"]).clean();
    let objects: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects, events(&place, &[]));
    let table = place.run(["events", "--db", "s.db", "-f", "csv"]).clean();
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let header = reader.headers().unwrap().clone();
    for (row, object) in reader.records().map(Result::unwrap).zip(&objects) {
        for (key, cell) in header.iter().zip(&row) {
            let value = match &object[key] {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(cell, value, "{key}");
        }
    }
}

#[test]
fn two_notes_of_the_same_moment_are_two() {
    let place = store();
    for _ in 0..2 {
        let added = place.run(["events", "add", "Travaux", "--db", "s.db", "--at", "2025-11-07T11:00:00Z"]).json();
        assert_eq!(
            (&added["type"], &added["origine"], &added["compteur"]),
            (&"note".into(), &"manuel".into(), &"M1".into())
        );
    }
    assert_eq!(events(&place, &["--search", "travaux"]).len(), 2);
    let bad = |arguments: &[&str]| place.run(["events", "add", "--db", "s.db"].iter().chain(arguments).copied());
    assert_eq!(bad(&[" \n "]).exit, 2);
    assert_eq!(bad(&["x", "--severity", "grave"]).exit, 2);
    let run = bad(&["x", "--type", "surtensoin"]);
    assert!(run.exit == 2 && run.stderr.contains("did you mean 'surtension'?"), "{}", run.stderr);
    assert_eq!(bad(&["x", "--type", "Travaux!"]).exit, 2);
    assert_eq!(bad(&["x", "--type", "chantier_rue"]).exit, 0);
    assert_eq!(events(&place, &["--type", "chantier_rue"]).len(), 1);
    assert_eq!(bad(&["x", "--at", "2025-11-07T11:00:00Z", "--until", "2025-11-07T10:00:00Z"]).exit, 2);
}
