//! The programs that are measured: ours, `sqlite3`, and DuckDB by way of Python.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant as Clock};

/// The interpreter that the tests' second opinions are installed for, or the system's.
fn python() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
    if own.exists() { own } else { PathBuf::from("python3") }
}

/// The program as its users build it.
pub fn releve() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_releve"));
    command.stdout(Stdio::null());
    command
}

/// Runs a program three times; the shortest wall clock, and its largest memory in megabytes where the system says so.
/// `before` sets the stage for each run.
pub fn timed(command: &mut Command, before: impl Fn()) -> (Duration, u64) {
    let program = command.get_program().to_owned();
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    before();
    let script = "import resource, subprocess, sys\n\
        c = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode\n\
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, c)";
    let output = Command::new(python()).args(["-c", script]).arg(&program).args(&arguments).output();
    let peak = output.ok().and_then(|output| {
        let said = String::from_utf8(output.stdout).ok()?;
        let (peak, code) = said.trim().split_once(' ')?;
        assert_eq!(code, "0", "{arguments:?}");
        peak.parse::<u64>().ok()
    });
    let mut best = Duration::MAX;
    for _ in 0..3 {
        before();
        let clock = Clock::now();
        assert!(command.status().unwrap().success(), "{arguments:?}");
        best = best.min(clock.elapsed());
    }
    (best, peak.unwrap_or(0) / 1024)
}

pub fn sqlite(path: &Path, flag: &str, sql: &str) -> Option<Duration> {
    let run = || Command::new("sqlite3").arg(flag).arg(path).arg(sql).stdout(Stdio::null()).status();
    best(|| run().ok().filter(|status| status.success()).map(drop))
}

/// A statement on the old schema, each cell of its answer looked at; without starting a program, opening or printing.
pub fn plain_sql(connection: &rusqlite::Connection, sql: &str) {
    let mut statement = connection.prepare_cached(sql).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        for column in 0..columns {
            std::hint::black_box(row.get_ref(column).unwrap());
        }
    }
}

/// The shortest of three runs at least, and of as many as a fifth of a second has room for.
pub fn best(mut run: impl FnMut() -> Option<()>) -> Option<Duration> {
    let since = Clock::now();
    let mut best = Duration::MAX;
    let mut runs = 0;
    while runs < 3 || since.elapsed() < Duration::from_millis(200) {
        let clock = Clock::now();
        run()?;
        best = best.min(clock.elapsed());
        runs += 1;
    }
    Some(best)
}

/// The time of a statement on the old schema as its application asks it, and as DuckDB is asked here: in Python, every row an
/// object.
pub fn python_sql(old: &Path, sql: &str) -> Option<Duration> {
    let script = "import sys, time, sqlite3\n\
        old, sql = sys.argv[1:]\n\
        c = sqlite3.connect(old)\n\
        best, runs, since = 1e9, 0, time.perf_counter()\n\
        while runs < 3 or time.perf_counter() - since < 0.2:\n\
        \x20t = time.perf_counter()\n\
        \x20c.execute(sql).fetchall()\n\
        \x20best, runs = min(best, time.perf_counter() - t), runs + 1\n\
        print(best)";
    let output = Command::new(python()).args(["-c", script]).arg(old).arg(sql).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(Duration::from_secs_f64(said.trim().parse().ok()?))
}

/// The time of a statement inside DuckDB, on a table of its own.
pub fn duck(old: &Path, sql: &str) -> Option<Duration> {
    let table = PathBuf::from(format!("{}.csv", old.display()));
    let script = "import sys, time, sqlite3, csv, os\n\
        try:\n import duckdb\nexcept ImportError:\n sys.exit(3)\n\
        old, table, sql = sys.argv[1:]\n\
        db = old + '.duck'\n\
        if not os.path.exists(db):\n\
        \x20c = sqlite3.connect(old).execute('select * from mesures_energie')\n\
        \x20w = csv.writer(open(table, 'w', newline=''))\n\
        \x20w.writerow([d[0] for d in c.description])\n\
        \x20w.writerows(c)\n\
        \x20d = duckdb.connect(db)\n\
        \x20d.execute(f\"create table t as select * from read_csv_auto('{table}')\")\n\
        \x20d.close()\n\
        d = duckdb.connect(db, read_only=True)\n\
        best, runs, since = 1e9, 0, time.perf_counter()\n\
        while runs < 3 or time.perf_counter() - since < 0.2:\n\
        \x20t = time.perf_counter()\n\
        \x20r = d.execute(sql)\n\
        \x20r.fetchall() if not sql.startswith('COPY') else None\n\
        \x20best, runs = min(best, time.perf_counter() - t), runs + 1\n\
        print(best)";
    let output = Command::new(python()).args(["-c", script]).arg(old).arg(&table).arg(sql).output().ok()?;
    if !output.status.success() {
        print!("; DuckDB: {}", String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("not installed"));
        return None;
    }
    // Before the answer may stand a progress bar.
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(Duration::from_secs_f64(said.split_whitespace().next_back()?.parse().ok()?))
}

pub fn ratio(theirs: Duration, ours: Duration) -> f64 {
    theirs.as_secs_f64() / ours.as_secs_f64()
}
