//! Help that is true: its examples run, it fits the screen, and the bare command teaches.

use crate::behaviours::help::commands;
use crate::testenv::simulator::Simulator;
use crate::testenv::{Place, repository, shell};
use std::process::Command;

const COMMANDS: &[&str] = &[
    "ports",
    "read",
    "log",
    "doctor",
    "simulate",
    "explain",
    "obis",
    "import",
    "export",
    "stats",
    "events",
    "check",
    "consolidate",
    "serve",
    "meters",
    "db",
    "config",
    "completions",
    "man",
    "help",
];

#[test]
fn the_bare_command_teaches_on_stderr() {
    let run = Place::new().run([]);
    assert_eq!((run.exit, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("Usage: releve") && run.stderr.matches("  releve ").count() >= 2, "{}", run.stderr);
}

#[test]
fn help_is_on_stdout_and_fits() {
    let place = Place::new();
    for command in COMMANDS {
        let short = place.run([*command, "-h"]).clean();
        assert!(short.lines().count() <= 60, "{command} -h has {} lines", short.lines().count());
        assert!(short.lines().all(|line| line.chars().count() <= 120), "{short}");
        assert_eq!(place.run(["help", command]).clean(), place.run([*command, "--help"]).clean());
    }
    assert!(place.run(["-V"]).clean().starts_with("releve "));
    let long = place.run(["--version"]).clean();
    assert!(long.contains("sqlite: 3.") && !long.contains(": \n"), "{long}");
}

/// Every line under `Examples:` of every help.
fn examples() -> Vec<String> {
    let place = Place::new();
    let mut found = Vec::new();
    for command in commands().iter().map(String::as_str).chain([""]) {
        let help = place.run(command.split_whitespace().chain(["--help"])).clean();
        let lines = help.split("Examples:\n").nth(1).unwrap_or_else(|| panic!("{command} has no examples"));
        found.extend(lines.lines().take_while(|line| line.starts_with("  ")).map(|line| line.trim().to_owned()));
    }
    assert!(found.len() > 15, "{found:?}");
    found
}

/// A copy of the repository's root, in which the examples find what they name.
fn root() -> (Place, Simulator) {
    let place = Place::new();
    std::fs::create_dir_all(place.path("target")).unwrap();
    copy(&repository().join("fixtures"), &place.path("fixtures"));
    // What the examples of `read` and `doctor` find at target/meter.
    let meter = Simulator::start_at(&place.path(""), &["sml", "--link", "target/meter"]);
    // What the examples of `export` and `consolidate` work on.
    let save = "releve read fixtures/dsmr/smart5.txt --save --db target/example.db";
    assert_eq!(shell(&place.path(""), save).exit, 0);
    (place, meter)
}

#[test]
fn every_example_of_the_help_runs() {
    let (place, _meter) = root();
    for line in examples() {
        let run = shell(&place.path(""), &line);
        assert_eq!(run.exit, 0, "{line}: {}", run.stderr);
        let silent =
            [" > ", "releve man", "releve ports", "meters split", "meters merge", "meters name", "meters segments"];
        let may_be_empty = silent.iter().any(|part| line.contains(part));
        assert!(!run.stdout.is_empty() || may_be_empty, "{line} prints nothing");
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &target) } else { drop(std::fs::copy(entry.path(), target)) }
    }
}

/// No command looks for updates, resolves a name or opens a socket to anywhere, unless it is told to.
#[test]
fn nothing_calls_home() {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    if !traced.is_ok_and(|status| status.success()) {
        println!("skipped: strace is not installed, or may not trace");
        return;
    }
    let (place, _meter) = root();
    let trace = |line: &str| {
        let quoted = line.replace('\'', "'\\''");
        let run = shell(&place.path(""), &format!("strace -f -qq -e trace=network -o trace sh -c '{quoted}'"));
        assert_eq!(run.exit, 0, "{line}: {}", run.stderr);
        std::fs::read_to_string(place.path("trace")).unwrap()
    };
    let is_told_to = |line: &str| line.contains("--listen");
    for line in examples() {
        assert_eq!(trace(&line).contains("AF_INET"), is_told_to(&line), "{line}");
    }
}
