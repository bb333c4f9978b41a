//! P: pipes.

use super::{PRINTING, demo, installed, on_a_full_disk, run, words};
use crate::testenv::{Place, Run, shell};
use std::fs::{self, File};
use std::io::Read as _;
use std::process::Stdio;

#[test]
fn p1_a_closed_pipe_ends_quietly() {
    let place = demo();
    for line in PRINTING {
        let mut child =
            place.command().args(words(line)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Nobody reads a single byte.
        drop(child.stdout.take());
        let ended = Run::of(child.wait_with_output().unwrap());
        let as_ever = run(&place, line);
        assert_eq!((ended.exit, &ended.stderr), (0, &as_ever.stderr), "{line}");
    }
}

#[test]
fn p2_a_full_disk_is_an_error_for_small_output_too() {
    let place = demo();
    for line in PRINTING {
        let Some(ended) = on_a_full_disk(&place, line) else { return };
        assert_eq!(ended.exit, 74, "{line}: {}", ended.stderr);
        let last = ended.stderr.lines().next_back().unwrap_or_default();
        assert!(last.starts_with("error: cannot write the output: No space left"), "{line}: {}", ended.stderr);
    }
}

#[test]
fn p3_standard_input_is_the_source_only_when_asked() {
    let place = demo();
    let with_input = |line: &str| {
        let input = File::open(place.path("dsmr_smart5.txt")).unwrap();
        Run::of(place.command().args(words(line)).stdin(input).output().unwrap())
    };
    for line in ["read - -f csv", "explain -"] {
        assert!(with_input(line).clean().lines().count() > 1, "{line}");
    }
    // Without `-` what stands there is left alone: the position of the file is where it was.
    let mut input = File::open(place.path("dsmr_smart5.txt")).unwrap();
    let left = input.try_clone().unwrap();
    let status = place.command().args(["read", "-p", "/nope", "-q"]).stdin(left).output().unwrap().status;
    let mut rest = Vec::new();
    input.read_to_end(&mut rest).unwrap();
    assert_eq!((status.code(), rest), (Some(69), fs::read(place.path("dsmr_smart5.txt")).unwrap()));
}

#[test]
fn p3_on_a_terminal_it_says_what_it_waits_for() {
    if !installed("script", "--version") {
        return;
    }
    let said = shell(&demo().path(""), "echo | script -qec 'releve read -' /dev/null").stdout;
    assert!(said.contains("standard input"), "{said}");
}

#[test]
fn p4_stdout_holds_data_only() {
    let place = demo();
    // What is said beside the data stands on stderr, and the data can be taken as it is.
    let json = |line: &str| {
        let done = run(&place, line);
        serde_json::from_str::<serde_json::Value>(&done.stdout).unwrap_or_else(|error| panic!("{line}: {error}"))
    };
    json("read dsmr_smart5.txt -f json -vv");
    json("stats --db demo.db -f json -v --since 2026-10-25 --until 2026-10-25");
    let nothing = run(&place, "export --db demo.db -f ndjson --since 2030-01-01");
    assert_eq!((nothing.exit, nothing.stdout.as_str()), (0, ""));
    assert!(nothing.stderr.contains("no reading"), "{}", nothing.stderr);
    let nothing = run(&place, "events --db demo.db --since 2030-01-01 -f ndjson");
    assert!(nothing.exit == 0 && nothing.stdout.is_empty() && !nothing.stderr.is_empty(), "{nothing:?}");
    let ports = run(&place, "ports");
    assert!(ports.stdout.is_empty() || ports.stdout.starts_with('['), "{}", ports.stdout);
}

#[test]
fn p5_no_colour_and_no_drawing_into_a_pipe() {
    let place = demo();
    let by_people = |line: &&&str| {
        !line.contains("completions")
            && !line.starts_with("help")
            && !line.contains("-h")
            && !line.contains("config default")
    };
    for line in PRINTING.iter().filter(by_people) {
        let done = run(&place, line);
        let all = done.stdout + &done.stderr;
        // A person's own words are data.
        assert!(!all.contains('\u{1b}') && (all.is_ascii() || line.starts_with("events")), "{line}: {all}");
    }
    for line in
        ["consolidate --db demo.db --archive a", "log -p ./none --db new.db --count 1", "stats --nope", "read -p /nope"]
    {
        let mut command = place.command();
        // A log waits for its port: what it says first is enough.
        let child = command.args(words(line)).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        if line.starts_with("log") {
            std::thread::sleep(std::time::Duration::from_millis(500));
            rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
                .unwrap();
        }
        let done = Run::of(child.wait_with_output().unwrap());
        let all = done.stdout + &done.stderr;
        assert!(!all.is_empty() && all.is_ascii() && !all.contains('\u{1b}') && !all.contains('\r'), "{line}: {all:?}");
    }
}

#[test]
fn p7_two_dashes_end_the_options() {
    let place = demo();
    fs::copy(place.path("dsmr_smart5.txt"), place.path("-odd-name.bin")).unwrap();
    assert_eq!(run(&place, "read -f json -- -odd-name.bin").json()["compteur"], "E001234567890");
}

#[test]
fn p8_ports_have_a_form_of_names_only() {
    let place = Place::new();
    let names = run(&place, "ports --name-only");
    assert_eq!(names.exit, 0);
    assert!(names.stdout.lines().all(|name| name.starts_with('/') && !name.contains(' ')), "{}", names.stdout);
}
