//! A full disk and a failing one: every write and every flush fails once, made by `strace`.

use crate::testenv::Place;
use crate::{mixed_store, rounds};
use std::fs;
use std::process::{Command, Output};

fn strace(place: &Place, options: &[&str], arguments: &[&str]) -> Output {
    Command::new("strace")
        .args(["-f", "-o", "trace.txt"])
        .args(options)
        .arg(env!("CARGO_BIN_EXE_releve"))
        .args(arguments)
        .current_dir(place.path(""))
        .env_clear()
        .env("HOME", place.path(""))
        .output()
        .unwrap()
}

#[test]
fn every_failing_write_is_said_and_loses_nothing() {
    let place = Place::new();
    if !Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success()) {
        println!("skipped: strace is not installed or may not trace");
        return;
    }
    mixed_store(&place, "before.db");
    let before = fs::read(place.path("before.db")).unwrap();
    let rows: String = (0..3000)
        .map(|row| {
            format!("2025-12-{:02}T{:02}:{:02}:00Z,{}\n", 1 + row / 1440, row / 60 % 24, row % 60, 200 + row % 40)
        })
        .collect();
    place.write("x.csv", format!("timestamp,tension_l1\n{rows}"));
    let import = ["import", "x.csv", "--db", "s.db", "--meter", "E450001234", "-q"];
    let fresh = |place: &Place| {
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(place.path(&format!("s.db{end}")));
        }
        place.write("s.db", &before);
    };
    let count = |place: &Place| {
        place.run(["db", "check", "--db", "s.db", "-q"]).clean();
        place.run(["export", "--db", "s.db", "-f", "ndjson", "-q"]).clean().lines().count()
    };
    fresh(&place);
    let held = count(&place);
    let mut tried = 0;
    for (call, error) in [("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("fsync", "EIO"), ("ftruncate", "EIO")] {
        fresh(&place);
        let trace = format!("trace={call}");
        assert!(strace(&place, &["-e", &trace], &import).status.success());
        let calls = fs::read_to_string(place.path("trace.txt")).unwrap().matches(&format!("{call}(")).count();
        // All of them, or some from the first to the last.
        let step = (calls / rounds(6).max(1)).max(1);
        for when in (1..=calls).step_by(step) {
            fresh(&place);
            let inject = format!("inject={call}:error={error}:when={when}+");
            let output = strace(&place, &["-e", &trace, "-e", &inject], &import);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let place_of = format!("{call} {error} from the {when}. on");
            assert!(!said.contains("panicked"), "{place_of}: {said}");
            if output.status.success() {
                // Behind the commit: moving it from the log into the file can wait.
                assert_eq!(count(&place), held + 3000, "{place_of}");
            } else {
                assert_eq!(output.status.code(), Some(74), "{place_of}: {said}");
                assert!(said.contains("error: cannot write s.db  [store.write]"), "{place_of}: {said}");
                assert!([held, held + 3000].contains(&count(&place)), "{place_of}");
            }
            // Space is back.
            place.run(import).clean();
            assert_eq!(count(&place), held + 3000, "{place_of}, after");
            tried += 1;
        }
    }
    println!("{tried} failures injected");
    assert!(tried >= 10);
}
