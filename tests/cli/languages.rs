//! What people read is in their language; what machines read is the same in every one.

use crate::testenv::{Place, Run, fixture};

const LOCALES: [&str; 3] = ["C", "fr_FR.UTF-8", "de_DE.UTF-8"];

/// A store with a quarter of an hour of readings, an event, and a capture beside it.
fn store() -> Place {
    let place = Place::new();
    place.capture("dsmr/smart5.txt");
    let simulate = ["simulate", "p1", "--seed", "7", "--start", "2025-06-21T10:00:00Z", "--count", "900"];
    place.run(simulate.into_iter().chain(["-o", "p1.bin", "-q"])).clean();
    place.run(["import", "p1.bin", "--db", "s.db", "-q"]).clean();
    let add = ["events", "add", "Panne", "--db", "s.db", "--type", "coupure", "--severity", "error"];
    place.run(add.into_iter().chain(["--at", "2025-06-21T10:05:00Z"])).clean();
    place
}

fn with(place: &Place, variables: &[(&str, &str)], line: &str) -> Run {
    let variables = variables.iter().copied();
    Run::of(place.command().envs(variables).args(line.split(' ')).output().unwrap())
}

/// A line in one locale, its output whatever came of it.
fn run(place: &Place, locale: &str, line: &str) -> Run {
    with(place, &[("LC_ALL", locale)], line)
}

fn without_digits(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

#[test]
fn what_machines_read_is_the_same_to_the_byte() {
    let place = store();
    let mut lines: Vec<String> = Vec::new();
    for format in ["json", "ndjson", "csv", "influx", "prometheus"] {
        lines.push(format!("read dsmr_smart5.txt -f {format}"));
    }
    for format in ["json", "ndjson", "csv", "history", "influx"] {
        lines.push(format!("export --db s.db -f {format}"));
    }
    for format in ["json", "ndjson", "csv"] {
        lines.push(format!("events --db s.db -f {format}"));
    }
    for rest in ["stats --db s.db -f json", "stats --db s.db -f csv", "stats --db s.db --curve -f json"] {
        lines.push(rest.to_owned());
    }
    for rest in ["ports -f json", "ports -f ndjson", "meters --db s.db --json", "meters --db s.db --json segments"] {
        lines.push(rest.to_owned());
    }
    for rest in ["db info --db s.db --json", "explain dsmr_smart5.txt -f json", "config show -f json"] {
        lines.push(rest.to_owned());
    }
    for line in &lines {
        let [english, french, german] = LOCALES.map(|locale| run(&place, locale, line));
        assert_eq!(english.exit, 0, "{line}: {}", english.stderr);
        assert!(!english.stdout.is_empty() || line.starts_with("ports"), "{line}");
        assert!(english.stdout == french.stdout && english.stdout == german.stdout, "{line}");
        assert_eq!((english.exit, english.exit), (french.exit, german.exit), "{line}");
    }
    // These two say what time it is.
    for line in ["check --db s.db --max-age 20000d --json", "doctor -f json"] {
        let [english, french, german] = LOCALES.map(|locale| run(&place, locale, line));
        assert_eq!(without_digits(&english.stdout), without_digits(&french.stdout), "{line}");
        assert_eq!(without_digits(&english.stdout), without_digits(&german.stdout), "{line}");
        assert_eq!((english.exit, english.exit), (french.exit, german.exit), "{line}");
    }
}

#[test]
fn a_failure_has_its_id_and_its_status_in_every_language_and_english_is_ascii() {
    let place = store();
    place.write("wrong.toml", "prot = \"x\"\n");
    place.write("noise.bin", b"nothing of use".repeat(20));
    for (line, id, exit) in [
        ("read nope.txt", "input.missing", 66),
        ("read -p /nope", "port.missing", 69),
        ("read noise.bin", "data.unknown", 76),
        ("stats --db none.db", "store.missing", 66),
        ("stats --db s.db --since then", "time.unknown", 2),
        ("stats --db s.db --fields tensoin", "stats.field", 2),
        ("stats --db s.db --tz Mars/Phobos", "time.zone", 2),
        ("export --db s.db --meter M9", "meter.missing", 66),
        ("events --db s.db --type pic_puisance", "event.type", 2),
        ("config check --config wrong.toml", "config.key", 78),
        ("obis -f table --fail-empty xyzzy", "obis.none", 1),
        ("consolidate --db s.db", "archive.unnamed", 2),
        ("serve --db s.db --listen 0.0.0.0:0", "serve.token", 2),
        ("simulate nobody", "simulate.meter", 2),
    ] {
        let said = LOCALES.map(|locale| {
            let run = run(&place, locale, line);
            assert_eq!((run.exit, run.stdout.as_str()), (exit, ""), "{line}: {}", run.stderr);
            assert!(run.stderr.contains(&format!("  [{id}]\n")), "{line}: {}", run.stderr);
            run.stderr
        });
        assert!(said[0].is_ascii() && said[0].contains("error: "), "{}", said[0]);
        assert!(said[1].contains("erreur : ") && said[2].contains("Fehler: "), "{said:?}");
        for words in ["error:", "cause:", "tip:"] {
            assert!(!said[1].contains(words) && !said[2].contains(words), "{said:?}");
        }
    }
    assert_eq!(
        run(&place, "fr_FR.UTF-8", "read nope.txt").stderr,
        "erreur : nope.txt n'existe pas  [input.missing]\n  conseil : nommez une capture, ou - pour l'entrée standard\n"
    );
    assert_eq!(
        run(&place, "de_DE.UTF-8", "read nope.txt").stderr,
        "Fehler: nope.txt gibt es nicht  [input.missing]\n  Tipp: eine Aufzeichnung nennen, oder - für die Standardeingabe\n"
    );
}

#[test]
fn the_language_is_that_of_the_option_then_of_the_locale_else_english() {
    let place = Place::new();
    place.write("fr.toml", "lang = \"fr\"\n");
    let said = |variables: &[(&str, &str)], line: &str| {
        let run = with(&place, variables, line);
        assert_eq!(run.stdout, "", "{line}");
        run.stderr
    };
    let (english, french, german) =
        ("error: there is no nope", "erreur : nope n'existe pas", "Fehler: nope gibt es nicht");
    for (variables, line, expected) in [
        (&[("LANG", "fr_FR.UTF-8")][..], "read nope", french),
        (&[("LANG", "fr_FR.UTF-8"), ("LC_MESSAGES", "de_AT.utf8")], "read nope", german),
        (&[("LANG", "fr_FR.UTF-8"), ("LC_MESSAGES", "fr_BE.UTF-8"), ("LC_ALL", "de_CH.UTF-8")], "read nope", german),
        (&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "")], "read nope", french),
        (&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "C")], "read nope", english),
        (&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "C.UTF-8")], "read nope", english),
        // Accents could not be shown there.
        (&[("LANG", "fr_FR.ISO-8859-1")], "read nope", english),
        (&[("LANG", "de_DE")], "read nope", english),
        (&[("LANG", "pt_PT.UTF-8")], "read nope", english),
        (&[("LANG", "de_DE")], "read nope --lang fr", french),
        (&[("LC_ALL", "fr_FR.UTF-8")], "read nope --lang en", english),
        (&[("LC_ALL", "de_DE.UTF-8")], "read nope --config fr.toml", french),
        (&[("LC_ALL", "C")], "read nope --config fr.toml --lang de", german),
    ] {
        let stderr = said(variables, line);
        assert!(stderr.starts_with(expected), "{variables:?} {line}: {stderr}");
        assert_eq!(stderr.lines().count(), 2, "no further word: {stderr}");
    }
    let ports = with(&place, &[("LANG", "pt_PT.UTF-8")], "obis 1.8 -f table");
    assert!(ports.clean().contains("Active energy import"));
}

#[test]
fn tables_and_the_sentences_around_them_are_translated_and_numbers_keep_their_dot() {
    let place = store();
    place.write("c.txt", std::fs::read(fixture("iec62056/mode_c.txt")).unwrap());
    let has = |locale: &str, line: &str, words: &[&str]| {
        let text = run(&place, locale, line).clean();
        for word in words {
            assert!(text.contains(word), "{line}: no {word}: {text}");
        }
    };
    let (french, german) = ("fr_FR.UTF-8", "de_DE.UTF-8");
    has(french, "read c.txt -f table", &["Compteur", "grandeur", "Énergie active importée", "219.252"]);
    has(german, "read c.txt -f table", &["Zähler", "Größe", "Wirkenergie Bezug", "219.252"]);
    has(french, "stats --db s.db -f table", &["Compteur ", " du 2025-06-21 au ", "soutirage kWh", "lu %"]);
    has(german, "stats --db s.db -f table", &["Zähler ", "2025-06-21 bis ", "Bezug kWh", "gelesen %"]);
    has(french, "events --db s.db -f table", &["gravité", "type", "description", "erreur", "coupure", "Panne"]);
    has(german, "events --db s.db -f table", &["Schwere", "Art", "Beschreibung", "Fehler", "Stromausfall", "Panne"]);
    // The word of the table is understood, and the kind's own name.
    for line in ["events --db s.db -f csv --type stromausfall", "events --db s.db -f csv --type coupure"] {
        assert_eq!(run(&place, german, line).clean().lines().count(), 2, "{line}");
    }
    has(french, "meters --db s.db -f table", &["900 relevés, de 2025-06-21T10:00:0"]);
    has(german, "meters --db s.db -f table", &["900 Ablesungen, 2025-06-21T10:00:0", " bis "]);
    has(french, "db info --db s.db -f table", &["base ", "relevés ", " en lignes, "]);
    has(german, "db check --db s.db", &["in Ordnung: 900 Ablesungen"]);
    has(french, "check --db s.db --max-age 20000d -f table", &["ok : dernier relevé de ", " il y a "]);
    has(german, "obis 1.8 -f table", &["Name", "Einheit", "Spalte", "Wirkenergie Bezug"]);
    has(french, "config show -f table", &["clé", "valeur", "origine", "par défaut"]);
    has(german, "explain c.txt", &["Offset", "Bytes", "Bedeutung"]);
    has(german, "consolidate --db s.db --archive a --day 2025-06-21 -q", &[]);
    has(german, "consolidate --archive a --verify", &[" unversehrt, 900 Ablesungen in Tagesdateien; 0 beschädigt"]);
    let doctor = run(&place, french, "doctor -f table");
    assert!(doctor.stdout.contains("omis") && doctor.stdout.contains("Europe/Zurich, il est "), "{}", doctor.stdout);
    let imported = run(&place, french, "import p1.bin --db s.db").clean();
    assert_eq!(imported, "p1.bin  lus : 900, ajoutés : 0, déjà présents : 900, refusés : 0\n");
    let empty = run(&place, german, "events --db s.db --since 2026-01-01 -f table");
    assert_eq!((empty.exit, empty.stdout.as_str(), empty.stderr.as_str()), (0, "", "kein solches Ereignis\n"));
}
