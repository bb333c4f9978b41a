//! A year at one minute into the archive, against `sqlite3 -json | gzip` and DuckDB's gzip JSON over the same rows; and a
//! year of twelve registers.
//!
//! `cargo bench --bench archive`. Ratios are of one run on one machine; `sqlite3` and a Python with `duckdb` (the system's, or
//! the one under `target/python`) are compared with where they are installed.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    unreachable_pub,
    dead_code
)]

#[path = "../store/household.rs"]
mod household;

use household::Household;
use releve::document::Values;
use releve::exchange::old_database::OldDatabaseWriter;
use releve::reading::{Instant, Quality, TariffMemory};
use releve::store::Store;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const START: i64 = 1_704_067_200;
/// Of 2024, a leap year.
const MINUTES: usize = 366 * 1440;
const ROUNDS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    old_schema(&place("old.db"));
    let releve = |command: &str, store: &str| {
        let mut releve = Command::new(env!("CARGO_BIN_EXE_releve"));
        releve.args([command, "-q", "--db"]).arg(place(store));
        releve
    };
    // The same rows on both sides.
    assert!(
        releve("import", "year.db").args(["--meter", "E450001234"]).arg(place("old.db")).status().unwrap().success()
    );
    fill(&place("twelve.db"));
    let consolidate_from = |store: &str, archive: &Path, more: &[&str]| {
        let mut command = releve("consolidate", store);
        command.arg("--archive").arg(archive).args(more);
        command
    };
    let consolidate = |archive: &Path, more: &[&str]| consolidate_from("year.db", archive, more);
    let mut best = [f64::MAX; 6];
    let mut peak = 0;
    // One after the other, so that what else the machine does falls on all of them.
    for round in 0..ROUNDS {
        let archive = place(&format!("archive{round}"));
        let (took, kilobytes) = timed(&mut consolidate(&archive, &[])).unwrap();
        (best[0], peak) = (best[0].min(took), peak.max(kilobytes));
        best[1] = best[1].min(timed(&mut consolidate(&place(&format!("compact{round}")), &["--compact"])).unwrap().0);
        best[2] = best[2].min(timed(&mut consolidate(&archive, &["--verify"])).unwrap().0);
        let mut sqlite = Command::new("sh");
        let script =
            "command -v sqlite3 >/dev/null && sqlite3 -json \"$1\" 'SELECT * FROM mesures_energie' | gzip > \"$2\"";
        sqlite.args(["-c", script, "-"]).arg(place("old.db")).arg(place("rows.json.gz"));
        if let Some((took, _)) = timed(&mut sqlite) {
            best[3] = best[3].min(took);
        }
        let mut jq = Command::new("sh");
        let script =
            "command -v jq >/dev/null && gzip -dc \"$1\"/quotidien/jour_*.json.gz | jq '.mesures | length' >/dev/null";
        jq.args(["-c", script, "-"]).arg(&archive);
        if let Some((took, _)) = timed(&mut jq) {
            best[5] = best[5].min(took);
        }
        if let Some(took) = duck(&place("old.db"), &place("duck.json.gz")) {
            best[4] = best[4].min(took);
        }
    }
    let twelve = timed(&mut consolidate_from("twelve.db", &place("twelve"), &[])).unwrap().0;
    consolidate_from("twelve.db", &place("twelve_compact"), &["--compact"]).status().unwrap();
    let per = |name: &str| days(&place(name)) as f64 / MINUTES as f64;
    println!("a year of the old application at one minute: 366 days, 53 weeks, 12 months");
    println!(
        "  consolidated: {:.2} s, peak {:.1} MiB (aim 32); compact {:.2} s",
        best[0],
        peak as f64 / 1024.0,
        best[1]
    );
    println!("  day files: {:.1} bytes a reading indented, {:.1} compact", per("archive0"), per("compact0"));
    println!("  verified, every file unpacked and its readings counted: {:.2} s", best[2]);
    if best[5] < f64::MAX {
        println!("    gzip -dc | jq, counting those of the days: {:.2} s, {:.1} times", best[5], best[5] / best[2]);
    }
    println!(
        "  with twelve registers: {twelve:.2} s, {:.1} bytes a reading indented, {:.1} compact",
        per("twelve"),
        per("twelve_compact")
    );
    for (what, took, aim) in [("sqlite3 -json | gzip", best[3], 5.0), ("DuckDB COPY, gzip JSON", best[4], 3.0)] {
        if took < f64::MAX {
            println!("  {what}: {took:.2} s, {:.1} times (aim {aim})", took / best[0]);
        } else {
            println!("  {what}: not installed");
        }
    }
}

fn fill(path: &Path) {
    let mut store = Store::create(path).unwrap();
    let mut house = Household::new(60);
    let mut import = store.import(Instant::from_unix(START + 5000 * 86_400)).unwrap();
    for _ in 0..MINUTES {
        import.add(&house.entry()).unwrap();
    }
    import.finish().unwrap();
}

fn old_schema(path: &Path) {
    let writer = OldDatabaseWriter::create(path).unwrap();
    let mut house = Household::new(60);
    let mut memory = TariffMemory::default();
    for _ in 0..MINUTES {
        let entry = house.entry();
        let values = Values::of(&entry.reading, &mut memory);
        writer.add(entry.at, &values, Quality::Good, "e450").unwrap();
    }
    writer.finish().unwrap();
}

/// The bytes of the day files.
fn days(archive: &Path) -> u64 {
    let files = fs::read_dir(archive.join("quotidien")).unwrap().map(|file| file.unwrap());
    let days = files.filter(|file| file.file_name().to_string_lossy().starts_with("jour_"));
    days.map(|file| file.metadata().unwrap().len()).sum()
}

/// Seconds by the wall clock and the largest memory in kilobytes; `None` where the program is not there.
fn timed(command: &mut Command) -> Option<(f64, u64)> {
    // What others wrote is not to be flushed in the time of this one.
    let _ = Command::new("sync").status();
    let script = "import resource, subprocess, sys, time\n\
        t = time.perf_counter()\n\
        c = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode\n\
        print(time.perf_counter() - t, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, c)";
    let program = command.get_program().to_owned();
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let output = Command::new("python3").args(["-c", script]).arg(&program).args(&arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let mut said = said.split_whitespace();
    let (took, peak, code) = (said.next()?.parse().ok()?, said.next()?.parse().ok()?, said.next()?);
    (code == "0").then_some((took, peak))
}

/// Seconds of DuckDB's `COPY` out of a table of its own.
fn duck(old: &Path, to: &Path) -> Option<f64> {
    let script = "import sys, time, os, sqlite3, csv\n\
        import duckdb\n\
        old, to = sys.argv[1:]\n\
        db = old + '.duck'\n\
        if not os.path.exists(db):\n\
        \x20c = sqlite3.connect(old).execute('select * from mesures_energie')\n\
        \x20w = csv.writer(open(db + '.csv', 'w', newline=''))\n\
        \x20w.writerow([d[0] for d in c.description])\n\
        \x20w.writerows(c)\n\
        \x20d = duckdb.connect(db)\n\
        \x20d.execute(f\"create table t as select * from read_csv_auto('{db}.csv')\")\n\
        \x20d.close()\n\
        d = duckdb.connect(db, read_only=True)\n\
        t = time.perf_counter()\n\
        d.execute(f\"COPY t TO '{to}' (FORMAT json, COMPRESSION gzip)\")\n\
        print(time.perf_counter() - t)";
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
    [own, PathBuf::from("python3")].into_iter().find_map(|python| {
        let output = Command::new(python).args(["-c", script]).args([old, to]).stderr(Stdio::null()).output().ok()?;
        let took: f64 = String::from_utf8_lossy(&output.stdout).split_whitespace().next_back()?.parse().ok()?;
        Duration::try_from_secs_f64(took).ok().map(|took| took.as_secs_f64())
    })
}
