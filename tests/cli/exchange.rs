//! Into the store and out of it again: the old application's file, archives, CSV, captures.

use crate::testenv::{Place, figures, fixture};
use rusqlite::Connection;
use std::fs;

/// A day of the old application, a reading a minute from 2025-11-06 12:00 on, in its own schema.
pub(crate) fn old_database(place: &Place, name: &str) {
    let old = Connection::open(place.path(name)).unwrap();
    old.execute_batch(
        "CREATE TABLE mesures_energie (id INTEGER PRIMARY KEY, timestamp DATETIME, energie_active_import FLOAT,
            energie_active_export FLOAT, puissance_active_totale FLOAT, tension_l1 FLOAT, tension_l2 FLOAT, tension_l3 FLOAT,
            courant_l1 FLOAT, courant_l2 FLOAT, courant_l3 FLOAT, frequence FLOAT, facteur_puissance FLOAT,
            source VARCHAR(50) DEFAULT 'e450', qualite VARCHAR(20) DEFAULT 'good');
         CREATE TABLE evenements_compteur (id INTEGER PRIMARY KEY, timestamp DATETIME, type_evenement VARCHAR(50) NOT NULL,
            severite VARCHAR(20), description TEXT, valeur_mesuree FLOAT, unite VARCHAR(10), code_obis VARCHAR(20),
            seuil_declencheur FLOAT);
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1439)
         INSERT INTO mesures_energie SELECT i + 1,
            strftime('%Y-%m-%d %H:%M:%S', 1762430400 + 60 * i, 'unixepoch') || printf('.%06d', (i % 3) * 250000),
            round(154.32 + i / 1000.0, 3), CASE i % 7 WHEN 0 THEN NULL ELSE 0.1 + 0.2 END, (i * 37) % 5000 - 1000,
            230 + (i % 50) / 10.0, 231.5, NULL, i % 13 / 100.0, 1e-05, 12.25, 50.01, 0.985,
            CASE i % 2 WHEN 0 THEN 'e450' ELSE 'simulation' END, CASE i % 11 WHEN 0 THEN 'suspect' ELSE 'good' END FROM n;",
    )
    .unwrap();
}

fn rows(place: &Place, name: &str) -> Vec<Vec<rusqlite::types::Value>> {
    let file = Connection::open(place.path(name)).unwrap();
    let mut statement = file
        .prepare(
            "SELECT timestamp, energie_active_import, energie_active_export, puissance_active_totale, tension_l1,
                tension_l2, tension_l3, courant_l1, courant_l2, courant_l3, frequence, facteur_puissance, source, qualite
             FROM mesures_energie ORDER BY timestamp",
        )
        .unwrap();
    let read = statement.query_map([], |row| (0..14).map(|column| row.get(column)).collect()).unwrap();
    read.map(Result::unwrap).collect()
}

#[test]
fn the_old_database_comes_back_row_by_row() {
    let place = Place::new();
    old_database(&place, "old.db");
    let import = ["import", "old.db", "--db", "s.db", "--meter", "E450001234"];
    assert_eq!(place.run(import).clean(), "old.db  1440 read, 1440 added, 0 already there, 0 refused\n");
    assert_eq!(place.run(import).clean(), "old.db  1440 read, 0 added, 1440 already there, 0 refused\n");
    place.run(["db", "check", "--db", "s.db"]).clean();
    place.run(["export", "--db", "s.db", "-f", "sqlite", "-o", "back.db"]).clean();
    let (old, back) = (rows(&place, "old.db"), rows(&place, "back.db"));
    assert_eq!(old.len(), back.len());
    for (old, back) in old.iter().zip(&back) {
        assert_eq!(old, back);
    }
    let index: String = Connection::open(place.path("back.db"))
        .unwrap()
        .query_row("SELECT group_concat(name, ' ') FROM sqlite_schema WHERE sql LIKE 'CREATE INDEX%'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(index, "ix_mesures_energie_timestamp ix_evenements_compteur_timestamp");
    assert_eq!(place.run(["import", "old.db", "--db", "t.db"]).exit, 2, "whose readings are they?");
}

/// The cells of a table that are not empty, under their heads.
fn cells(table: &str) -> Vec<(&str, &str)> {
    let head: Vec<&str> = table.lines().next().unwrap().split(',').collect();
    let cells = table.lines().skip(1).flat_map(|line| head.clone().into_iter().zip(line.split(',')));
    cells.filter(|(_, cell)| !cell.is_empty()).collect()
}

#[test]
fn every_text_format_comes_back_as_it_went_out() {
    let place = Place::new();
    place.capture("dsmr/stream.txt");
    place.run(["import", "dsmr_stream.txt", "--db", "a.db", "-q"]);
    for (format, file) in [("json", "x.json"), ("json", "x.json.gz"), ("ndjson", "x.ndjson"), ("csv", "x.csv")] {
        let export = |db: &str| place.run(["export", "--db", db, "-f", format, "-q"]).clean();
        place.run(["export", "--db", "a.db", "-f", format, "-o", file]).clean();
        let fresh = format!("{file}.db");
        let said = place.run(["import", file, "--db", &fresh, "--meter", "E001234567890"]).clean();
        assert!(said.ends_with("  3 read, 3 added, 0 already there, 0 refused\n"), "{file}: {said}");
        if format == "csv" {
            assert_eq!(cells(&export(&fresh)), cells(&export("a.db")));
        } else {
            assert_eq!(export(&fresh), export("a.db"), "{file}");
        }
        // What was made of its own readings adds nothing to a store.
        let said = place.run(["import", file, "--db", "a.db", "--meter", "E001234567890"]).clean();
        assert!(said.ends_with("  3 read, 0 added, 3 already there, 0 refused\n"), "{file}: {said}");
    }
}

#[test]
fn an_archive_comes_back_to_the_byte() {
    let place = Place::new();
    place.capture("dsmr/stream.txt");
    place.run(["import", "dsmr_stream.txt", "--db", "a.db", "-q"]);
    let consolidate = |db: &str, folder: &str| {
        place.run(["consolidate", "--db", db, "--archive", folder, "--day", "2025-11-07"]).clean()
    };
    consolidate("a.db", "one");
    fs::create_dir_all(place.path("one/mensuel")).unwrap();
    place.write("one/mensuel/mois_202511.json.gz", "means are no readings");
    place.write("one/quotidien/jour_20251106.json.gz.corrompu", "set aside");
    let said = place.run(["import", "one", "--db", "b.db"]).clean();
    assert!(said.contains("3 read, 3 added"), "{said}");
    consolidate("b.db", "two");
    let day = "quotidien/jour_20251107.json.gz";
    assert_eq!(fs::read(place.path("one").join(day)).unwrap(), fs::read(place.path("two").join(day)).unwrap());
}

#[test]
fn files_of_the_old_application_are_read() {
    let place = Place::new();
    place.write(
        "mesure_20240301_10.json",
        r#"{"timestamp": "2024-03-01T10:00:00.123456", "donnees": {"tension_l1": 231.5, "courant_l1": null},
            "metadata": {"version": "1.0", "source": "e450"}}"#,
    );
    place.write(
        "export_2024-03-01.json",
        r#"{"date": "2024-03-01", "nb_mesures": 1, "mesures": [{"timestamp": "2024-03-01T11:00:00Z", "puissance": 2345.0,
            "tension_l1": 231.5, "courant_l1": 12.5}]}"#,
    );
    let files = ["mesure_20240301_10.json", "export_2024-03-01.json"];
    place.run([&["import", "--db", "s.db", "--meter", "M1", "-q"], &files[..]].concat()).clean();
    let lines = place.run(["export", "--db", "s.db", "-f", "ndjson"]).clean();
    assert_eq!(
        lines,
        "{\"timestamp\":\"2024-03-01T10:00:00.123456Z\",\"valeurs\":{\"tension_l1\":231.5},\"qualite\":\"good\",\"source\":\"e450\"}\n\
         {\"timestamp\":\"2024-03-01T11:00:00Z\",\"valeurs\":{\"puissance_active_totale\":2345.0,\"tension_l1\":231.5,\"courant_l1\":12.5},\"qualite\":\"good\",\"source\":\"import\"}\n"
    );
}

#[test]
fn promise_p18_a_file_that_breaks_off_adds_nothing_and_does_not_stop_the_others() {
    let place = Place::new();
    let good = |hour: u32| {
        format!("{{\"timestamp\": \"2024-03-01T{hour:02}:00:00Z\", \"valeurs\": {{\"tension_l1\": 231.5}}}}\n")
    };
    let many: String = (0..20).map(good).collect();
    place.write("1.ndjson", &many);
    place.write("2.ndjson", many.replace("01T", "02T") + "{\"timestamp\": \"2024-03-02T21:");
    place.write("3.csv", "timestamp,tension_l1\n2024-03-03T00:00:00Z,230.1\n2024-03-03T00:01:00Z,high\nyesterday,1\n");
    let run = place.run(["import", "1.ndjson", "2.ndjson", "3.csv", "--db", "s.db", "--meter", "M1"]);
    assert_eq!(run.exit, 65, "{}", run.stderr);
    assert!(run.stdout.contains("1.ndjson  20 read, 20 added"), "{}", run.stdout);
    assert!(run.stdout.contains("3.csv  1 read, 1 added, 0 already there, 2 refused"), "{}", run.stdout);
    assert!(run.stderr.contains("2.ndjson is damaged  [archive.damaged]"), "{}", run.stderr);
    assert!(run.stderr.contains("row 3: 'high'"), "{}", run.stderr);
    assert_eq!(place.run(["export", "--db", "s.db", "-f", "ndjson"]).clean().lines().count(), 21);
    assert_eq!(place.run(["import", "none.json", "--db", "s.db"]).exit, 66);
    place.write("noise.bin", [0u8; 5000]);
    assert_eq!(place.run(["import", "noise.bin", "--db", "s.db"]).exit, 76);
    figures(18, 5, 5, 0, "files that break off, hold rubbish or are not there");
}

#[test]
fn steps_fields_and_files() {
    let place = Place::new();
    old_database(&place, "old.db");
    place.run(["import", "old.db", "--db", "s.db", "--meter", "M1", "-q"]).clean();
    let export = |arguments: &[&str]| place.run([&["export", "--db", "s.db"], arguments].concat());
    let csv = export(&["-f", "csv", "--by", "1h", "--fields", "tension_l2,energie_active_import"]).clean();
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("timestamp,tension_l2,energie_active_import,qualite,source"));
    assert_eq!(lines.next(), Some("2025-11-06T12:00:00Z,231.5,154.32,suspect,e450"));
    assert_eq!(lines.clone().count(), 23);
    assert!(lines.next().unwrap().starts_with("2025-11-06T13:00:00Z,231.5,154.3"), "{csv}");
    let history: serde_json::Value = export(&["-f", "history", "--since", "2025-11-07"]).json();
    assert_eq!(history["compteur"], "M1");
    assert_eq!(history["series"]["tension_l2"]["valeurs"][0][0], "2025-11-06T23:00:00Z");
    assert_eq!(history["series"]["puissance_active"]["unite"], "W");
    let unknown = export(&["--fields", "tension_l9"]);
    assert_eq!(unknown.exit, 2);
    assert!(unknown.stderr.contains("tension_l1"), "{}", unknown.stderr);
    assert_eq!(export(&["-f", "sqlite"]).exit, 2);
    // A file is there whole or not at all.
    assert_eq!(export(&["-f", "csv", "-o", "none/x.csv"]).exit, 74);
    export(&["-f", "csv", "-o", "x.csv"]).clean();
    assert_eq!(fs::read_to_string(place.path("x.csv")).unwrap(), export(&["-f", "csv"]).clean());
    let left: Vec<_> = fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".releve-")), "{left:?}");
}

#[test]
fn the_day_form_streams_what_the_archive_has() {
    let place = Place::new();
    place.capture("dsmr/stream.txt");
    place.run(["import", "dsmr_stream.txt", "--db", "a.db", "-q"]);
    let streamed = place.run(["export", "--db", "a.db"]).clean();
    assert!(streamed.starts_with("{\n  \"metadata\": {\n    \"version\": \"1.0\",\n"), "{streamed}");
    assert!(streamed.ends_with("\n    }\n  ]\n}\n"), "{streamed}");
    let parsed: serde_json::Value = serde_json::from_str(&streamed).unwrap();
    assert_eq!(parsed["nb_mesures"], 3);
    assert_eq!(parsed["metadata"]["creation"], parsed["mesures"][2]["timestamp"]);
    assert_eq!(parsed["unites"]["1-0:1.8.1"], "kWh");
    let none = place.run(["export", "--db", "a.db", "--until", "2020-01-01", "-q"]).json();
    assert_eq!((none["nb_mesures"].clone(), none["mesures"].clone()), (0.into(), serde_json::json!([])));
}

#[test]
fn raw_telegrams_are_kept_and_decoded_again() {
    let place = Place::new();
    place.write("now.txt", fs::read(fixture("dsmr/smart5.txt")).unwrap());
    let read = ["read", "now.txt", "--save", "--db", "s.db", "-q", "-f", "csv"];
    assert_eq!(place.run([&read[..], &["--keep-raw", "soon"]].concat()).exit, 2);
    assert_eq!(place.run([&read[..], &["--keep-raw", "100y"]].concat()).exit, 0);
    assert_eq!(place.run(["db", "redecode", "--db", "s.db"]).clean(), "1 the same, 0 added, 0 changed\n");
    // Older than they are to be kept: forgotten.
    assert_eq!(place.run([&read[..], &["--keep-raw", "1d"]].concat()).exit, 0);
    assert_eq!(place.run(["db", "redecode", "--db", "s.db"]).clean(), "0 the same, 0 added, 0 changed\n");
}

#[test]
fn meters_have_names_and_segments() {
    let place = Place::new();
    let line = |minute: u32, kwh: &str| format!("2024-03-01T00:{minute:02}:00Z,{kwh}\n");
    let values = ["100.0", "100.1", "100.2", "0.5", "0.6", "0.7", "0.8"];
    let rows: String = values.iter().enumerate().map(|(at, kwh)| line(u32::try_from(at).unwrap(), kwh)).collect();
    place.write("x.csv", format!("timestamp,energie_active_import\n{rows}"));
    place.run(["import", "x.csv", "--db", "s.db", "--meter", "E450001234", "-q"]).clean();
    let segments = || place.run(["meters", "segments", "--db", "s.db", "-f", "table"]).clean();
    assert_eq!(
        segments(),
        "1-0:1.8.0  2024-03-01T00:00:00Z to 2024-03-01T00:02:00Z  100.0 to 100.2 kWh\n\
         1-0:1.8.0  2024-03-01T00:03:00Z to 2024-03-01T00:06:00Z  0.5 to 0.8 kWh, lower than before\n"
    );
    place.run(["meters", "split", "2024-03-01T00:01:00Z", "--db", "s.db"]).clean();
    assert_eq!(segments().lines().count(), 3);
    place.run(["meters", "merge", "2024-03-01T00:01:00Z", "--db", "s.db"]).clean();
    assert_eq!(segments().lines().count(), 2);
    place.run(["meters", "name", "maison", "--db", "s.db"]).clean();
    let list = place.run(["meters", "--db", "s.db", "-f", "table"]).clean();
    assert_eq!(list, "E450001234 (maison)  7 readings, 2024-03-01T00:00:00Z to 2024-03-01T00:06:00Z\n");
    assert_eq!(place.run(["export", "--db", "s.db", "--meter", "maison", "-f", "ndjson"]).clean().lines().count(), 7);
}
