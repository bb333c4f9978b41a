//! From a capture to the archive: `read --save`, `export`, `consolidate --day`.

use crate::testenv::{Place, Run, fixture};
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

fn saved(place: &Place, names: &[&str]) {
    for name in names {
        let capture = place.capture(name);
        let run = place.run(["read", capture.to_str().unwrap(), "--save", "--db", "s.db", "-q", "-f", "csv"]);
        assert_eq!(run.exit, 0, "{}", run.stderr);
    }
}

#[test]
fn what_is_saved_comes_out_in_the_archives_form() {
    let place = Place::new();
    saved(&place, &["dsmr/stream.txt"]);
    let file = place.run(["export", "--db", "s.db", "-f", "json"]).json();
    assert_eq!(file["metadata"]["version"], "1.0");
    assert_eq!(file["metadata"]["compteur_id"], "E001234567890");
    assert_eq!(file["nb_mesures"], 3);
    let measures = file["mesures"].as_array().unwrap();
    assert_eq!(measures[0]["timestamp"], "2025-11-07T14:30:02Z");
    // No total is ever sent: the sum of the tariffs.
    assert_eq!(measures[0]["valeurs"]["energie_active_import"].to_string(), "2124.69");
    assert_eq!(measures[0]["valeurs"]["1-0:1.8.1"].to_string(), "1234.567");
    assert_eq!(file["unites"]["1-0:1.8.1"], "kWh");
    assert_eq!(measures[0]["source"], "p1");
}

#[test]
fn saving_twice_adds_nothing() {
    let place = Place::new();
    saved(&place, &["dsmr/smart5.txt", "dsmr/smart5.txt"]);
    let lines = place.run(["export", "--db", "s.db", "-f", "ndjson"]).clean();
    assert_eq!(lines.lines().count(), 1);
    let capture = place.capture("dsmr/smart5.txt");
    let run = place.run(["read", capture.to_str().unwrap(), "--save", "--db", "s.db", "-v"]);
    assert!(run.stderr.contains("stored 0 readings, 1 was there already"), "{}", run.stderr);
}

#[test]
fn the_default_store_is_in_the_users_data_folder() {
    let place = Place::new();
    let capture = place.capture("dsmr/smart5.txt");
    place.run(["read", capture.to_str().unwrap(), "--save"]).clean();
    assert!(place.path(".local/share/releve/releve.db").exists());
    place.run(["export"]).clean();
    let output = place.command().args(["export"]).env("RELEVE_DB", "none.db").output().unwrap();
    assert_eq!(Run::of(output).exit, 66);
}

#[test]
fn a_period_is_half_open_and_a_bare_day_reaches_its_end() {
    let place = Place::new();
    saved(&place, &["dsmr/stream.txt"]);
    let count = |arguments: &[&str]| {
        let run = place.run([&["export", "--db", "s.db", "-f", "ndjson", "-q"], arguments].concat());
        assert_eq!(run.exit, 0, "{}", run.stderr);
        run.stdout.lines().count()
    };
    assert_eq!(count(&["--since", "2025-11-07T14:30:03Z"]), 2);
    assert_eq!(count(&["--until", "2025-11-07T14:30:03Z"]), 1);
    assert_eq!(count(&["--since", "2025-11-07", "--until", "2025-11-07"]), 3);
    assert_eq!(count(&["--until", "2025-11-06"]), 0);
    assert_eq!(place.run(["export", "--db", "s.db", "--since", "2025-02-30"]).exit, 2);
    assert_eq!(place.run(["export", "--db", "s.db", "--since", "2026-01-01", "--until", "2025-01-01"]).exit, 2);
    assert_eq!(place.run(["export", "--db", "s.db", "--until", "2025-01-01", "--fail-empty"]).exit, 1);
}

#[test]
fn a_command_that_reads_never_makes_a_store() {
    let place = Place::new();
    for arguments in
        [&["export", "--db", "none.db"][..], &["consolidate", "--archive", "a", "--day", "today", "--db", "none.db"]]
    {
        let run = place.run(arguments.iter().copied());
        assert_eq!(run.exit, 66);
        assert!(run.stderr.contains("[store.missing]") && run.stderr.contains("none.db"), "{}", run.stderr);
    }
    assert!(!place.path("none.db").exists() && !place.path("a").exists());
    place.write("notes.txt", "only notes\n".repeat(200));
    assert!(place.run(["export", "--db", "notes.txt"]).stderr.contains("[store.format]"));
}

#[test]
fn several_meters_have_to_be_told_apart() {
    let place = Place::new();
    saved(&place, &["dsmr/smart5.txt", "dlms/e450_push.bin"]);
    let run = place.run(["export", "--db", "s.db"]);
    assert_eq!(run.exit, 2);
    assert!(run.stderr.contains("E001234567890") && run.stderr.contains("LGZ1030650001234"), "{}", run.stderr);
    let file = place.run(["export", "--db", "s.db", "--meter", "LGZ1030650001234"]).json();
    assert_eq!(file["mesures"][0]["valeurs"]["energie_active_import"].to_string(), "12345.678");
    assert_eq!(place.run(["export", "--db", "s.db", "--meter", "X"]).exit, 66);
}

/// The day file against the contract, read by Python's gzip and json.
#[test]
fn the_day_file_is_what_the_contract_says() {
    let place = Place::new();
    saved(&place, &["dsmr/stream.txt"]);
    let run = ["consolidate", "--db", "s.db", "--archive", "archive", "--day", "2025-11-07"];
    let said = place.run(run).clean();
    assert!(said.starts_with("archive/quotidien/jour_20251107.json.gz  3 readings, "), "{said}");
    let path = place.path("archive/quotidien/jour_20251107.json.gz");
    let bytes = fs::read(&path).unwrap();
    assert_eq!(&bytes[..4], b"\x1f\x8b\x08\x00", "no name in the header");
    assert_eq!(&bytes[4..8], &[0; 4], "no time in the header");
    let program = "import gzip,json,sys\n\
        text=gzip.open(sys.argv[1],'rt',encoding='utf-8').read()\n\
        assert text.startswith('{\\n  \"metadata\"'), text[:40]\n\
        d=json.loads(text)\n\
        assert list(d)[:3]==['metadata','date','nb_mesures'], list(d)\n\
        assert d['metadata']=={'version':'1.0','compteur_id':'E001234567890','creation':'2025-11-07T14:30:05Z'}, d['metadata']\n\
        assert d['date']=='2025-11-07' and d['nb_mesures']==len(d['mesures'])==3\n\
        assert [m['timestamp'] for m in d['mesures']]==sorted({m['timestamp'] for m in d['mesures']})\n\
        assert all(set(m)<={'timestamp','valeurs','textes','qualite','source'} for m in d['mesures'])\n\
        assert '\"energie_active_import\": 2124.690,' in text\n\
        print('ok')";
    match Command::new("python3").args(["-c", program]).arg(&path).output() {
        Ok(output) => assert_eq!(Run::of(output).clean(), "ok\n"),
        Err(_) => println!("skipped: python3 is not installed"),
    }
    // Twice changes nothing, to the byte; a further reading is merged in.
    let again = place.run(run).clean();
    assert!(again.contains("  3 readings, ") && again.ends_with(" bytes, unchanged\n"), "{again}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
    let more = String::from_utf8(fs::read(fixture("dsmr/worked_example.txt")).unwrap()).unwrap();
    assert!(more.contains("251107143000W"));
    let capture = place.capture("dsmr/worked_example.txt");
    let save = ["read", capture.to_str().unwrap(), "--save", "--db", "s.db", "--meter", "E001234567890", "-q"];
    assert_eq!(place.run(save).exit, 0);
    assert!(place.run(run).clean().contains("  4 readings, "));
    assert_eq!(place.run([&run[..], &["-q"]].concat()).clean(), "");
}

#[test]
fn a_day_without_readings_writes_nothing() {
    let place = Place::new();
    saved(&place, &["dsmr/smart5.txt"]);
    let run = place.run(["consolidate", "--db", "s.db", "--archive", "archive", "--day", "2024-02-29"]);
    assert_eq!((run.exit, run.stdout.as_str()), (0, ""));
    assert!(run.stderr.contains("2024-02-29"));
    assert!(!place.path("archive").exists());
    for day in ["2025-02-29", "2025-13-01", "hier"] {
        let run = place.run(["consolidate", "--db", "s.db", "--archive", "archive", "--day", day]);
        assert_eq!(run.exit, 2, "{day}");
        assert!(run.stderr.contains("[time.unknown]"), "{}", run.stderr);
    }
}

#[test]
fn a_telegram_that_names_no_meter_needs_a_name() {
    let place = Place::new();
    let capture = place.capture("iec62056/worked_example.txt");
    let run = place.run(["read", capture.to_str().unwrap(), "--save", "--db", "s.db"]);
    assert_eq!(run.exit, 2);
    assert!(run.stderr.contains("[meter.unknown]"), "{}", run.stderr);
    place.run(["read", capture.to_str().unwrap(), "--save", "--db", "s.db", "--meter", "HOME"]).clean();
    assert_eq!(place.run(["export", "--db", "s.db"]).json()["metadata"]["compteur_id"], "HOME");
}

#[test]
fn readings_before_one_that_cannot_be_kept_are_kept() {
    let place = Place::new();
    let both = ["dsmr/smart5.txt", "iec62056/worked_example.txt"].map(|name| fs::read(fixture(name)).unwrap()).concat();
    place.write("both.bin", both);
    let run = place.run(["read", "both.bin", "--save", "--db", "s.db"]);
    assert_eq!(run.exit, 2, "{}", run.stderr);
    assert_eq!(place.run(["export", "--db", "s.db"]).json()["metadata"]["compteur_id"], "E001234567890");
}

#[test]
fn a_reading_off_a_pipe_is_in_the_store_while_the_pipe_is_open() {
    let place = Place::new();
    let mut child = place
        .command()
        .args(["read", "-", "--save", "--db", "s.db"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(&fs::read(fixture("dsmr/smart5.txt")).unwrap()).unwrap();
    let is_stored = || place.run(["export", "--db", "s.db"]).stdout.contains("E001234567890");
    let found = (0..300).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        is_stored()
    });
    // No end, no signal to catch: what is there now is all that will ever be.
    child.kill().unwrap();
    child.wait().unwrap();
    drop(pipe);
    assert!(found, "nothing stored before the end");
    assert_eq!(place.run(["export", "--db", "s.db"]).json()["metadata"]["compteur_id"], "E001234567890");
}
