//! A full disk and a failing one: every write, flush and rename fails once, made by `strace`.

use crate::testenv::check::each_once;
use crate::testenv::{Place, figures};
use crate::{METER, entries, everything, rounds, store, tree};
use std::fs;
use std::process::{Command, Output};

const RUN: [&str; 9] = ["consolidate", "--db", "s.db", "--archive", "a", "--keep", "6mo", "--prune", "-q"];

fn strace(place: &Place, options: &[&str]) -> Output {
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "trace.txt"]).args(options).arg(env!("CARGO_BIN_EXE_releve")).args(RUN);
    command.current_dir(place.path("")).env_clear().env("HOME", place.path("")).output().unwrap()
}

#[test]
fn promise_p04_every_failing_write_is_said_and_loses_nothing() {
    let place = Place::new();
    if !Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success()) {
        println!("skipped: strace is not installed or may not trace");
        return;
    }
    store(&place, "full.db", &entries(METER, "2025-11-02T00:00:00Z", "2025-11-11T00:00:00Z", 1800));
    let before = fs::read(place.path("full.db")).unwrap();
    let fresh = |place: &Place| {
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(place.path(&format!("s.db{end}")));
        }
        place.write("s.db", &before);
        let _ = fs::remove_dir_all(place.path("a"));
    };
    fresh(&place);
    let all = everything(&place, &[]);
    place.run(RUN).clean();
    let done = tree(&place.path("a"));
    let mut tried = 0;
    for (call, error, is_lasting) in [
        ("write", "ENOSPC", true),
        ("write", "EIO", false),
        ("pwrite64", "ENOSPC", true),
        ("fsync", "EIO", false),
        ("fsync", "EIO", true),
        ("renameat", "EIO", false),
        ("mkdir", "ENOSPC", false),
        ("openat", "ENOSPC", false),
    ] {
        fresh(&place);
        let trace = format!("trace={call}");
        assert!(strace(&place, &["-e", &trace]).status.success());
        let calls = fs::read_to_string(place.path("trace.txt")).unwrap().matches(&format!("{call}(")).count();
        assert!(calls > 0, "there is no {call} that could fail");
        let step = (calls / rounds(5, 200)).max(1);
        for when in (1..=calls).step_by(step) {
            fresh(&place);
            let lasting = if is_lasting { "+" } else { "" };
            let inject = format!("inject={call}:error={error}:when={when}{lasting}");
            let output = strace(&place, &["-e", &trace, "-e", &inject]);
            let what = format!("{call} {error} at the {when}.");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!said.contains("panicked"), "{what}: {said}");
            if !output.status.success() && call != "openat" {
                assert!([65, 74, 75].contains(&output.status.code().unwrap_or(-1)), "{what}: {said}");
                // What fails in writing fails in saying so, too.
                assert!(!said.is_empty() || call == "write", "{what}");
            }
            place.run(["db", "check", "--db", "s.db", "-q"]).clean();
            let archive: &[&str] = if place.path("a").is_dir() { &["--from-archive", "a"] } else { &[] };
            let told = everything(&place, archive);
            each_once(all.lines(), told.lines()).unwrap_or_else(|why| panic!("{what}: {why}"));
            // Space is back: the next run ends it.
            place.run(RUN).clean();
            assert!(everything(&place, &["--from-archive", "a"]) == all, "{what}, after");
            assert!(tree(&place.path("a")) == done, "{what}: another archive, or a stray file");
            tried += 1;
        }
    }
    assert!(tried >= 25);
    figures(4, tried, tried, 0, "failing writes, syncs, renames and new files");
}
