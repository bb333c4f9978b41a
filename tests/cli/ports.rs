//! `releve ports`, on whatever machine this is.

use crate::testenv::{Place, Run};

#[test]
fn every_form_lists_the_same_ports() {
    let place = Place::new();
    let run = |arguments: &[&str]| -> Run {
        let run = place.run([&["ports"], arguments].concat());
        assert_eq!(run.exit, 0, "{}", run.stderr);
        run
    };
    let rows = serde_json::from_str::<serde_json::Value>(&run(&["-f", "json"]).stdout).unwrap();
    let listed: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["port"].as_str().unwrap().to_owned()).collect();
    assert_eq!(run(&["--name-only"]).stdout.lines().collect::<Vec<_>>(), listed);
    assert_eq!(run(&["-f", "ndjson"]).stdout.lines().count(), listed.len());
    let table = run(&["-f", "table"]);
    assert_eq!(table.stdout.lines().filter(|line| line.starts_with("/dev/")).count(), listed.len());
    // Nothing plugged in: nothing on stdout, and a word on stderr.
    let piped = run(&[]);
    assert_eq!(piped.stdout.is_empty(), listed.is_empty());
    assert_eq!(piped.stderr.contains("no serial port is plugged in"), listed.is_empty());
    assert_eq!(place.run(["ports", "-q", "--fail-empty"]).exit, i32::from(listed.is_empty()));
}
