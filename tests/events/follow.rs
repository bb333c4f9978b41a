//! New events as they come.

use crate::testenv::Place;
use crate::{PEAKS, powers};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// A running `events --follow`, and its lines with the time they came.
fn follow(place: &Place, arguments: &[&str]) -> (Child, Receiver<(String, Instant)>) {
    let mut command = place.command();
    command.args(["events", "--db", "s.db", "--follow"]).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (lines, coming) = channel();
    std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            if lines.send((line, Instant::now())).is_err() {
                break;
            }
        }
    });
    (child, coming)
}

fn add(place: &Place, text: &str) {
    place.run(["events", "add", text, "--db", "s.db"]).clean();
}

#[test]
fn a_new_one_is_shown_within_a_second_and_ctrl_c_ends_it() {
    let place = Place::new();
    powers(&place, "M1", &PEAKS);
    add(&place, "avant");
    let (mut child, lines) = follow(&place, &[]);
    let (first, _) = lines.recv_timeout(PATIENCE).unwrap();
    assert!(first.contains("\"description\":\"avant\""), "{first}");
    add(&place, "après");
    let added = Instant::now();
    let (line, came) = lines.recv_timeout(PATIENCE).unwrap();
    assert!(line.contains("\"description\":\"après\""), "{line}");
    // The promise is a second; a machine that is busy with other things may take longer.
    let waited = came.saturating_duration_since(added);
    println!("shown {waited:?} after it was added");
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let status = child.wait().unwrap();
    // As a shell sees it: 130.
    assert!(status.signal() == Some(2) || status.code() == Some(130), "{status:?}");
}

#[test]
fn only_what_was_asked_for_is_shown() {
    let place = Place::new();
    powers(&place, "M1", &PEAKS);
    let (mut child, lines) = follow(&place, &["--search", "orage", "-f", "table"]);
    std::thread::sleep(Duration::from_millis(500));
    add(&place, "soleil");
    add(&place, "Orage");
    let (header, _) = lines.recv_timeout(PATIENCE).unwrap();
    assert!(header.starts_with("time"), "{header}");
    assert!(lines.recv_timeout(PATIENCE).unwrap().0.ends_with("Orage"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_command_gets_each_new_one_as_json() {
    let place = Place::new();
    powers(&place, "M1", &PEAKS);
    add(&place, "avant");
    let (mut child, lines) = follow(&place, &["--exec", "cat >> told.ndjson"]);
    lines.recv_timeout(PATIENCE).unwrap();
    add(&place, "après");
    lines.recv_timeout(PATIENCE).unwrap();
    let since = Instant::now();
    let told = loop {
        let told = std::fs::read_to_string(place.path("told.ndjson")).unwrap_or_default();
        if told.ends_with('\n') || since.elapsed() > PATIENCE {
            break told;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    // Not for what was there before.
    assert_eq!(told.lines().count(), 1);
    let event: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&event["description"], &event["type"]), (&"après".into(), &"note".into()));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let place = Place::new();
    powers(&place, "M1", &PEAKS);
    let mut command = place.command();
    command.args(["events", "--db", "s.db", "--follow"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    std::thread::sleep(Duration::from_millis(300));
    add(&place, "après");
    let run = crate::testenv::Run::of(child.wait_with_output().unwrap());
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""));
}
