//! L: long work; S: cron and services; I: no phone home.

use super::{demo, installed, run, words};
use crate::testenv::{Place, Run};
use rustix::fs::{FlockOperation, flock};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

fn tree(place: &Place, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for sub in ["quotidien", "hebdomadaire", "mensuel"] {
        for entry in fs::read_dir(place.path(folder).join(sub)).into_iter().flatten() {
            let path = entry.unwrap().path();
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    assert!(!found.is_empty());
    found
}

#[test]
fn l2_no_progress_into_a_pipe() {
    let place = demo();
    let done = run(&place, "consolidate --db demo.db --archive a");
    assert_eq!((done.exit, done.stderr.as_str()), (0, ""));
    assert!(done.stdout.lines().count() > 20);
}

#[test]
fn l4_a_killed_export_leaves_the_old_file_or_the_new_one() {
    let place = demo();
    place.write("out.csv", "what was there\n");
    let whole = run(&place, "export --db demo.db -f csv").clean();
    let mut finished = 0;
    for round in 0..40_u64 {
        let mut child = place.command().args(words("export --db demo.db -f csv -o out.csv -q")).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(round * 4));
        child.kill().unwrap();
        child.wait().unwrap();
        let there = fs::read_to_string(place.path("out.csv")).unwrap();
        assert!(there == "what was there\n" || there == whole, "half a file of {} bytes", there.len());
        finished += usize::from(there == whole);
    }
    println!("{finished} of 40 were faster than the kill");
    run(&place, "export --db demo.db -f csv -o out.csv").clean();
    assert_eq!(fs::read_to_string(place.path("out.csv")).unwrap(), whole);
}

#[test]
fn l5_doing_it_twice_changes_nothing() {
    let place = demo();
    run(&place, "consolidate --db demo.db --archive a -q").clean();
    let before = tree(&place, "a");
    let again = run(&place, "consolidate --db demo.db --archive a");
    assert_eq!((again.exit, again.stdout.as_str()), (0, ""));
    assert_eq!(again.stderr, "everything that is complete is in the archive\n");
    assert_eq!(tree(&place, "a"), before);
    let exported = run(&place, "export --db demo.db").clean();
    let again = run(&place, "import table.csv --db demo.db --meter E450001234").clean();
    assert!(again.contains(" 0 added"), "{again}");
    run(&place, "events detect --db demo.db").clean();
    assert_eq!(run(&place, "export --db demo.db").clean(), exported);
}

#[test]
fn l6_what_is_destructive_shows_first_and_asks_nothing() {
    let place = demo();
    let before = run(&place, "export --db demo.db -f ndjson").clean();
    let plan = run(&place, "consolidate --db demo.db --archive a --keep 1d --prune -n");
    assert!(plan.exit == 0 && plan.stderr.contains("nothing was changed"), "{plan:?}");
    assert!(!place.path("a").exists());
    assert_eq!(run(&place, "export --db demo.db -f ndjson").clean(), before);
    // No terminal, nothing on standard input, and no question: it does what was planned.
    let done = run(&place, "consolidate --db demo.db --archive a --keep 1d --prune");
    let pruned = |text: &str| {
        text.lines()
            .filter(|line| line.contains(" out of the store"))
            .map(|line| line.split(", ").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!((done.exit, pruned(&done.stdout)), (0, pruned(&plan.stdout)), "{}", done.stderr);
    assert_eq!(run(&place, "export --db demo.db --from-archive a -f ndjson").clean(), before);
}

#[test]
fn s1_quiet_is_silent_on_success_and_loud_on_failure() {
    let place = demo();
    for line in [
        "consolidate --db demo.db --archive a -q",
        "consolidate --db demo.db --archive a -q",
        "consolidate --archive a --verify -q",
        "import table.csv --db demo.db --meter E450001234 -q",
        "db check --db demo.db -q",
        "db compact --db demo.db -q",
        "events detect --db demo.db -q",
        "export --db demo.db -o x.json.gz -q",
        "db backup copy.db --db demo.db -q",
    ] {
        assert_eq!(run(&place, line).clean(), "", "{line}");
    }
    let failed = run(&place, "consolidate --db demo.db --archive /proc/none/archive -q");
    assert_eq!((failed.exit, failed.stdout.as_str()), (74, ""), "{}", failed.stderr);
    assert!(failed.stderr.starts_with("error: "), "{}", failed.stderr);
}

#[test]
fn s2_a_second_run_leaves_with_75_names_the_first_and_waits_if_told() {
    let place = demo();
    let mut lock = File::create(place.path("demo.db.lock")).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
    writeln!(lock, "4711 {}", releve::reading::Instant::now().unix_seconds() - 3).unwrap();
    let line = "consolidate --db demo.db --archive a -q";
    let busy = run(&place, line);
    assert_eq!(busy.exit, 75);
    assert!(busy.stderr.contains("[consolidate.busy]") && busy.stderr.contains("process 4711"), "{}", busy.stderr);
    assert!(!place.path("a").exists());
    // One that is told to waits, and goes on as soon as the first is over.
    let mut waiting = place.command();
    waiting.args(words(line)).args(["--wait", "60s"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut waiting = waiting.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    assert!(waiting.try_wait().unwrap().is_none(), "it did not wait");
    drop(lock);
    assert_eq!(Run::of(waiting.wait_with_output().unwrap()).clean(), "");
    tree(&place, "a");
    let left = fs::read_to_string(place.path("demo.db.lock")).unwrap();
    assert!(left.split_whitespace().next().unwrap().parse::<u32>().is_ok() && !left.starts_with("4711 "), "{left}");
}

#[test]
fn s3_days_that_were_missed_are_made_up() {
    let place = demo();
    run(&place, "consolidate --db demo.db --archive a --until 2026-10-30 -q").clean();
    let days = || {
        fs::read_dir(place.path("a/quotidien"))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("jour_"))
            .count()
    };
    let before = days();
    run(&place, "consolidate --db demo.db --archive a -q").clean();
    assert!(days() > before + 3, "{before} and then {}", days());
}

#[test]
fn s7_more_is_said_only_when_asked() {
    let place = demo();
    let said = |more: &str| run(&place, &format!("read dsmr_smart5.txt --save --db new.db {more}")).stderr;
    assert_eq!(said(""), "");
    assert!(said("-v").contains("stored 0 readings"), "{}", said("-v"));
    assert_eq!(said("-q"), "");
}

#[test]
fn i6_nothing_but_what_has_to_speaks_over_a_network() {
    if !installed("strace", "-V") {
        return;
    }
    let place = demo();
    let lines = super::PRINTING.iter().copied().filter(|line| !line.starts_with("completions"));
    for line in
        lines.chain(["ports", "consolidate --db demo.db --archive a", "read -p /nope", "db backup b.db --db demo.db"])
    {
        let trace = place.path("trace");
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq", "-e", "trace=network", "-o"]).arg(&trace).arg(env!("CARGO_BIN_EXE_releve"));
        let child =
            traced.args(words(line)).current_dir(place.path("")).env("HOME", place.path("")).stdin(Stdio::null());
        child.output().unwrap();
        let calls = fs::read_to_string(&trace).unwrap();
        assert!(!calls.contains("AF_INET"), "{line}: {calls}");
    }
}
