//! F: forms of output.

use super::{demo, run, words};
use crate::testenv::Run;
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn f1_the_same_word_for_json_everywhere() {
    let place = demo();
    for line in [
        "read dsmr_smart5.txt",
        "explain dsmr_smart5.txt",
        "obis 1.8",
        "export --db demo.db",
        "stats --db demo.db",
        "events --db demo.db",
        "events detect --db demo.db",
        "check --db demo.db --max-age 20000d",
        "config show",
        "meters --db demo.db",
        "meters segments --db demo.db",
        "db info --db demo.db",
        "doctor",
        "ports",
    ] {
        let long = run(&place, &format!("{line} -f json"));
        assert_eq!(long.exit, 0, "{line}: {}", long.stderr);
        let value: Value = serde_json::from_str(&long.stdout).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(value.is_object() || value.is_array(), "{line}");
        let short: Value = serde_json::from_str(&run(&place, &format!("{line} --json")).stdout).unwrap();
        let keys = |value: &Value| value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>());
        assert_eq!(keys(&value), keys(&short), "{line}");
        // In a pipe it is the form that nobody has to name; a dissection is for people, and no port is nothing at all.
        if !line.starts_with("explain") && line != "ports" {
            let piped = run(&place, line).stdout;
            let piped: Value = serde_json::from_str(&piped).unwrap_or_else(|error| panic!("{line}: {error}: {piped}"));
            assert_eq!((piped.is_object(), keys(&value)), (value.is_object(), keys(&piped)), "{line}");
        }
        let both = run(&place, &format!("{line} --json -f csv"));
        assert_eq!(both.exit, 2, "{line}");
        let wrong = run(&place, &format!("{line} -f jsn"));
        assert!(wrong.exit == 2 && wrong.stderr.contains("a similar value exists: 'json'"), "{line}: {}", wrong.stderr);
    }
}

#[test]
fn f2_json_keeps_the_digits_and_the_unit() {
    let place = demo();
    let text = run(&place, "read iec62056_mode_c.txt -f json").clean();
    let reading: Value = serde_json::from_str(&text).unwrap();
    let registers = reading["registres"].as_array().unwrap();
    let total = registers.iter().find(|register| register["obis"] == "1-0:1.8.0*255").unwrap();
    assert_eq!((total["valeur"].to_string().as_str(), total["unite"].as_str()), ("219.252", Some("kWh")));
    for line in ["export --db demo.db -f json", "stats --db demo.db -f json", "read sml_push.bin -f json"] {
        let text = run(&place, line).stdout;
        assert!(
            !text.is_empty() && !text.contains("00000000") && !text.contains("99999999"),
            "{line} has a rounded number"
        );
    }
}

/// The contract's keys: none may go, and a new one is to be written here. Documents of our own carry a version as well.
#[test]
fn f3_the_keys_of_each_document_only_grow() {
    let place = demo();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let known = |text: &str| text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
    let reading = run(&place, "read iec62056_mode_c.txt").json();
    assert_eq!(
        keys(&reading),
        known("compteur horodatage_compteur identification protocole qualite registres source timestamp valeurs")
    );
    let day = run(&place, "export --db demo.db").json();
    assert_eq!(keys(&day), known("mesures metadata nb_mesures"));
    assert_eq!(day["metadata"]["version"], "1.0");
    let stats = run(&place, "stats --db demo.db").json();
    assert_eq!(keys(&stats), known("compteur ensemble fuseau pas periodes schema unites"));
    assert_eq!(stats["schema"], "releve.stats/1");
    let report = serde_json::from_str::<Value>(&run(&place, "doctor -f json").stdout).unwrap();
    assert_eq!(keys(&report), known("verifications version"));
    let check = run(&place, "check --db demo.db --json --max-age 20000d").json();
    assert_eq!(keys(&check), known("age_s compteur date_derniere max_s nb_compteurs ok"));
}

/// `2026-11-21T12:00:00Z` or with an offset.
fn is_a_time(text: &str) -> bool {
    let (date, rest) = text.split_once('T').unwrap_or_default();
    let of = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(c, form)| if form == b'0' { c.is_ascii_digit() } else { c == form })
    };
    let zone = rest.find(['Z', '+', '-']).map_or("", |at| &rest[at..]);
    of(date, "0000-00-00") && (zone == "Z" || of(&zone.replacen('-', "+", 1), "+00:00"))
}

#[test]
fn f4_times_are_rfc_3339_with_an_offset() {
    fn look(value: &Value, line: &str, count: &mut usize) {
        match value {
            Value::Array(all) => all.iter().for_each(|value| look(value, line, count)),
            Value::Object(all) => {
                for (key, value) in all {
                    let is_time =
                        ["timestamp", "debut", "fin", "horodatage", "horodatage_compteur", "instant", "creation"];
                    if let (true, Some(text)) = (is_time.contains(&key.as_str()), value.as_str()) {
                        assert!(is_a_time(text), "{line}: {key} is {text}");
                        *count += 1;
                    }
                    look(value, line, count);
                }
            }
            _ => {}
        }
    }
    let place = demo();
    for line in
        ["read dsmr_smart5.txt -f json", "export --db demo.db", "stats --db demo.db", "events --db demo.db --json"]
    {
        let mut count = 0;
        look(&run(&place, line).json(), line, &mut count);
        assert!(count > 0, "{line}");
    }
    // The meter's time and the time of the reading are two fields.
    let reading = run(&place, "read dsmr_smart5.txt").json();
    assert!(is_a_time(reading["timestamp"].as_str().unwrap()));
    assert_eq!(reading["horodatage_compteur"], "2025-11-07T15:30:02+01:00");
    for line in ["export --db demo.db -f csv", "stats --db demo.db -f csv"] {
        let text = run(&place, line).clean();
        assert!(text.lines().skip(1).all(|row| is_a_time(row.split(',').next().unwrap())), "{line}");
    }
}

#[test]
fn f6_colour_is_flag_then_no_color_then_clicolor_force_then_the_terminal() {
    let place = demo();
    for line in
        ["-h", "read -h", "help read", "stats --nope", "read dsmr_smart5.txt -f table", "stats --db demo.db -f table"]
    {
        let coloured = |variables: &[(&str, &str)], more: &[&str]| {
            let mut command = place.command();
            command.envs(variables.iter().copied()).args(more).args(words(line));
            let done = Run::of(command.output().unwrap());
            (done.stdout + &done.stderr).contains('\u{1b}')
        };
        assert!(!coloured(&[], &[]), "{line}: a pipe");
        assert!(coloured(&[("CLICOLOR_FORCE", "1")], &[]), "{line}: CLICOLOR_FORCE");
        assert!(!coloured(&[("CLICOLOR_FORCE", "0")], &[]), "{line}: CLICOLOR_FORCE=0");
        assert!(!coloured(&[("CLICOLOR_FORCE", "")], &[]), "{line}: CLICOLOR_FORCE is empty");
        assert!(!coloured(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], &[]), "{line}: NO_COLOR");
        assert!(coloured(&[("NO_COLOR", ""), ("CLICOLOR_FORCE", "1")], &[]), "{line}: NO_COLOR is empty");
        assert!(coloured(&[("NO_COLOR", "1")], &["--color", "always"]), "{line}: --color always");
        assert!(!coloured(&[("CLICOLOR_FORCE", "1")], &["--color=never"]), "{line}: --color never");
    }
}

#[test]
fn f7_fields_are_chosen_by_name_in_order() {
    let place = demo();
    let head = |line: &str| run(&place, line).clean().lines().next().unwrap().to_owned();
    assert_eq!(
        head("export --db demo.db -f csv --fields puissance_active_totale,energie_active_import"),
        "timestamp,puissance_active_totale,energie_active_import,qualite,source"
    );
    assert_eq!(
        head("stats --db demo.db -f csv --fields couverture,energie_active_import"),
        "debut,fin,couverture,energie_active_import"
    );
}

#[test]
fn f8_tables_are_not_cut_in_a_pipe() {
    let place = demo();
    let rows = run(&place, "obis 1.8 -f table").clean();
    let names = run(&place, "obis 1.8 -f json").json().as_array().unwrap().len();
    assert_eq!(rows.lines().count(), names + 1, "{rows}");
}
