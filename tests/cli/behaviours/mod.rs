//! What every command does alike: rows of a list of behaviours, each test named after its row.
//!
//! H help, E errors, P pipes, F forms of output, T times, C configuration, L long work, S cron and services, I no phone home.

mod config;
mod errors;
mod forms;
pub(crate) mod help;
mod long;
mod pipes;
mod times;

use crate::testenv::{Place, Run};
use releve::reading::Instant;
use std::fmt::Write as _;
use std::fs::File;
use std::process::Command;

/// A store `demo.db` of quarters of an hour over the end of summer time, and beside it what commands fail on.
pub(crate) fn demo() -> Place {
    let place = Place::new();
    let mut text = String::from("timestamp,energie_active_import,puissance_active_totale,tension_l1\n");
    let start = Instant::parse_utc("2026-10-19T22:00:00Z").unwrap();
    for quarter in 0..21 * 96 {
        let (at, wh) = (start.plus_seconds(quarter * 900), 154_320 + quarter * 150);
        let (power, volts) = (300 + quarter * 37 % 700, 230 + quarter % 7);
        writeln!(text, "{at},{}.{:03},{power},{volts}.5", wh / 1000, wh % 1000).unwrap();
    }
    place.write("table.csv", text);
    place.run(["import", "table.csv", "--db", "demo.db", "--meter", "E450001234", "-q"]).clean();
    place.run(["events", "add", "a note", "--db", "demo.db", "--at", "2026-11-01"]).clean();
    place.write("notes.txt", "only notes\n".repeat(400));
    for name in
        ["dsmr/smart5.txt", "iec62056/mode_c.txt", "dlms/e450_push.bin", "dlms/e450_ciphered.bin", "sml/push.bin"]
    {
        place.capture(name);
    }
    place
}

/// The words of a line; single quotes keep blanks together.
pub(crate) fn words(line: &str) -> Vec<&str> {
    let parts = line.split('\'').enumerate();
    parts.flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }).collect()
}

pub(crate) fn run(place: &Place, line: &str) -> Run {
    place.run(words(line))
}

/// The same with its output on a disk that is full; `None` where there is no such device.
pub(crate) fn on_a_full_disk(place: &Place, line: &str) -> Option<Run> {
    let full = File::options().write(true).open("/dev/full").ok()?;
    Some(Run::of(place.command().args(words(line)).stdout(full).stderr(std::process::Stdio::piped()).output().unwrap()))
}

/// Every command that prints data from what lies in [`demo`], and prints some.
pub(crate) const PRINTING: &[&str] = &[
    "read dsmr_smart5.txt",
    "read dsmr_smart5.txt -f table",
    "read dsmr_smart5.txt -f ndjson",
    "read dsmr_smart5.txt -f csv",
    "read dsmr_smart5.txt -f influx",
    "read dsmr_smart5.txt -f prometheus",
    "read iec62056_mode_c.txt -f table",
    "explain dlms_e450_push.bin",
    "explain sml_push.bin",
    "explain iec62056_mode_c.txt -f json",
    "obis 1.8",
    "obis 1.8 -f table",
    "export --db demo.db",
    "export --db demo.db -f ndjson",
    "export --db demo.db -f csv",
    "export --db demo.db -f history",
    "export --db demo.db -f influx",
    "import table.csv --db demo.db --meter E450001234",
    "stats --db demo.db",
    "stats --db demo.db -f table --by month",
    "stats --db demo.db -f table --curve",
    "stats --db demo.db -f csv",
    "events --db demo.db",
    "events --db demo.db -f table",
    "events detect --db demo.db",
    "check --db demo.db --max-age 20000d",
    "serve --db demo.db --get /api/data/current",
    "doctor -f table",
    "doctor",
    "config show",
    "config show -f table",
    "config default",
    "config check",
    "simulate",
    "simulate p1 --seed 1 --start 2025-06-21T10:00:00Z --count 3",
    "meters --db demo.db",
    "meters segments --db demo.db",
    "db info --db demo.db",
    "db check --db demo.db",
    "completions bash",
    "completions zsh",
    "completions fish",
    "help",
    "help read",
    "help port.missing",
    "read --help",
    "-h",
    "--version",
];

/// A command of the system, or a word about why what needs it is skipped.
pub(crate) fn installed(program: &str, argument: &str) -> bool {
    let there = Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success());
    if !there {
        println!("skipped: {program} is not installed");
    }
    there
}
