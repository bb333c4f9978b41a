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

/// Every line under `Examples:` of every help, run by a shell in a copy of the repository's root.
#[test]
fn every_example_of_the_help_runs() {
    let place = Place::new();
    let root = place.path("root");
    std::fs::create_dir_all(root.join("target")).unwrap();
    copy(&repository().join("fixtures"), &root.join("fixtures"));
    let shell = |line: &str| shell(&root, line);
    // What the examples of `read` and `doctor` find at target/meter.
    let _meter = Simulator::start_at(&root, &["sml", "--link", "target/meter"]);
    // What the examples of `export` and `consolidate` work on.
    assert_eq!(shell("releve read fixtures/dsmr/smart5.txt --save --db target/example.db").exit, 0);
    let mut count = 0;
    for command in commands().iter().map(String::as_str).chain([""]) {
        let help = place.run(command.split_whitespace().chain(["--help"])).clean();
        let examples = help.split("Examples:\n").nth(1).unwrap_or_else(|| panic!("{command} has no examples"));
        for line in examples.lines().take_while(|line| line.starts_with("  ")) {
            let run = shell(line.trim());
            assert_eq!(run.exit, 0, "{line}: {}", run.stderr);
            let silent =
                [" > ", "releve man", "releve ports", "meters split", "meters merge", "meters name", "meters segments"];
            let may_be_empty = silent.iter().any(|part| line.contains(part));
            assert!(!run.stdout.is_empty() || may_be_empty, "{line} prints nothing");
            count += 1;
        }
    }
    assert!(count > 15, "{count} examples");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &target) } else { drop(std::fs::copy(entry.path(), target)) }
    }
}

#[test]
fn start_up_touches_no_network() {
    let Ok(probe) = Command::new("strace").arg("-V").output() else {
        println!("skipped: strace is not installed");
        return;
    };
    assert!(probe.status.success());
    let place = Place::new();
    let capture = place.capture("dsmr/smart5.txt");
    let output = Command::new("strace")
        .args(["-f", "-e", "trace=network", env!("CARGO_BIN_EXE_releve"), "read"])
        .arg(capture)
        .output()
        .unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("AF_INET"));
}
