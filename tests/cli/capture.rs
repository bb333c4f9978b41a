//! Captures with direction and time, as the recorder writes them, in the commands that read captures.

use crate::testenv::{Place, fixture};
use std::fmt::Write as _;
use std::fs;

/// A telegram as if it had been received in pieces of 100 octets, after a request of ours.
fn recorded(name: &str) -> String {
    let mut text =
        "releve capture 1 2026-11-21T14:30:00Z /dev/ttyUSB0\n+0.01 = 300,7E1\n+0.02 > 2F3F210D0A\n".to_owned();
    for (at, piece) in fs::read(fixture(name)).unwrap().chunks(100).enumerate() {
        let octets: String = piece.iter().map(|octet| format!("{octet:02X}")).collect();
        writeln!(text, "+{at}.5 < {octets}").unwrap();
    }
    text
}

#[test]
fn a_recorded_telegram_is_read_like_a_raw_one_and_stamped_when_it_came() {
    let place = Place::new();
    place.write("c.txt", recorded("iec62056/worked_example.txt"));
    let raw = place.capture("iec62056/worked_example.txt");
    let mut read = place.run(["read", "c.txt", "-f", "json"]).json();
    let mut expected = place.run(["read", raw.to_str().unwrap(), "-f", "json"]).json();
    assert_eq!(expected["timestamp"].take(), "2025-11-07T14:30:00Z", "the meter sends no clock, the file has a time");
    let stamp = read["timestamp"].take();
    assert!(stamp.as_str().unwrap().starts_with("2026-11-21T14:30:"), "{stamp}");
    assert_eq!(read, expected);
}

#[test]
fn explain_takes_apart_what_was_received() {
    let place = Place::new();
    place.write("c.txt", recorded("dsmr/smart5.txt"));
    let raw = place.capture("dsmr/smart5.txt");
    let read = place.run(["explain", "c.txt"]).clean();
    assert_eq!(read, place.run(["explain", raw.to_str().unwrap()]).clean());
}

#[test]
fn a_damaged_line_is_an_error_that_names_it() {
    let place = Place::new();
    place.write("c.txt", recorded("dsmr/smart5.txt").replace("+1.5 <", "+1.5 ?"));
    for command in ["read", "explain"] {
        let run = place.run([command, "c.txt"]);
        assert_eq!((run.exit, run.stdout.as_str()), (65, ""), "{}", run.stderr);
        assert!(run.stderr.contains("c.txt  [capture.damaged]") && run.stderr.contains("line 5"), "{}", run.stderr);
    }
}

#[test]
fn a_line_cut_off_by_a_power_cut_is_noted_and_costs_nothing_before_it() {
    let place = Place::new();
    let text = recorded("dsmr/smart5.txt");
    place.write("c.txt", format!("{text}+99.5 < 2F4"));
    let run = place.run(["read", "c.txt", "-f", "ndjson"]);
    assert_eq!((run.exit, run.stdout.lines().count()), (0, 1), "{}", run.stderr);
    let cut = format!("line {} of the capture was cut off", text.lines().count() + 1);
    assert!(run.stderr.contains(&cut), "{}", run.stderr);
}
