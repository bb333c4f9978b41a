//! `releve stats` as whole processes, against its figures and against SQLite's tool and DuckDB.
//!
//! `cargo bench --bench stats` makes its stores first, which takes a few minutes; `STATS_YEARS=1` and `STATS_SECONDS=0`
//! shorten it, `STATS_FOLDER` keeps them for the next time, and `STATS_PROGRAM` measures another build. A time is the
//! shortest of seven; ratios are of one run on one machine.

#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, clippy::cast_precision_loss, unreachable_pub)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap)]

#[path = "../store/household.rs"]
mod household;

use household::Household;
use releve::document::Values;
use releve::exchange::old_database::OldDatabaseWriter;
use releve::reading::{Instant, Quality, TariffMemory};
use releve::store::Store;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant as Clock};

const MINUTES: u32 = 525_600;

fn env(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("STATS_FOLDER").map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    let years = env("STATS_YEARS", 10);
    let seconds = env("STATS_SECONDS", 31_536_000);

    let long = folder.join(format!("minutes{years}.db"));
    fill(&long, 60, MINUTES * years, None);
    println!("{years} years at one minute, {} readings, each question one process", MINUTES * years);
    let aim = |ms: f64| if years == 10 { format!(" (aim below {ms} ms)") } else { String::new() };
    ask("month table", &long, &["--by", "month", "-f", "table"], &aim(100.0));
    ask("month table in csv, energies and coverage", &long, &["--by", "month", "-f", "csv", "--fields", ENERGIES], "");
    ask("year table", &long, &["--by", "year", "-f", "table"], "");
    ask("day table", &long, &["--by", "day", "-f", "table"], "");
    ask("months, everything there is", &long, &["--by", "month", "-f", "json"], "");
    ask("duration curve", &long, &["--curve", "-f", "csv"], "");

    if seconds > 0 {
        let second = folder.join(format!("seconds{seconds}.db"));
        fill(&second, 1, seconds, None);
        println!("{seconds} readings at one second");
        ask("month table", &second, &["--by", "month", "-f", "table"], " (aim below 1000 ms)");
        ask("days, everything there is", &second, &["--by", "day", "-f", "json"], "");
    }

    // As it is in use, at noon: today is sealed up to the hour before, the day before as a whole.
    let noon = 1_704_067_200 + 364 * 86_400 + 43_200;
    let fresh = folder.join("fresh.db");
    fill(&fresh, 60, 364 * 1440 + 720, Some(noon));
    println!("a store in use, the year's readings at one minute");
    let since = Instant::from_unix(noon - 86_400).to_string();
    ask("the last 24 hours", &fresh, &["--since", &since, "--by", "hour", "-f", "table"], " (aim below 10 ms)");
    ask("the last 24 hours, everything there is", &fresh, &["--since", &since, "--by", "hour", "-f", "json"], "");

    let year = folder.join("minutes1.db");
    fill(&year, 60, MINUTES, None);
    let old = folder.join("old.db");
    old_schema(&old);
    println!("one year at one minute, months, each a process of its own");
    let ours = ask("energies of the months", &year, &["--by", "month", "-f", "csv", "--fields", ENERGIES], "");
    let sql = "SELECT strftime('%Y-%m', timestamp), max(energie_active_import) - min(energie_active_import),
        max(energie_active_export) - min(energie_active_export), count(*) FROM mesures_energie GROUP BY 1";
    theirs("sqlite3", Command::new("sqlite3").arg("-csv").arg(&old).arg(sql), ours);
    let ours = ask(
        "percentiles of the months",
        &year,
        &["--by", "month", "-f", "csv", "--fields", "puissance_active_totale"],
        "",
    );
    if let Some(table) = duck_table(&old, &folder) {
        let sql = "SELECT date_trunc('month', timestamp), min(puissance_active_totale), max(puissance_active_totale),
            avg(puissance_active_totale), quantile_disc(puissance_active_totale, [0.5, 0.95, 0.99]) FROM t GROUP BY 1";
        let script = "import duckdb, sys; duckdb.connect(sys.argv[1], read_only=True).execute(sys.argv[2]).fetchall()";
        theirs("DuckDB in Python", Command::new(python()).args(["-c", script]).arg(&table).arg(sql), ours);
        theirs("Python with nothing to do", Command::new(python()).args(["-c", "import duckdb"]), ours);
    } else {
        println!("    DuckDB is not installed");
    }
}

const ENERGIES: &str = "energie_active_import,energie_active_export,couverture";

fn fill(path: &Path, step: i64, count: u32, now: Option<i64>) {
    if path.exists() {
        return;
    }
    let making = path.with_extension("making");
    let _ = std::fs::remove_file(&making);
    let mut store = Store::create(&making).unwrap();
    let mut house = Household::new(step);
    let mut import = store.import(Instant::from_unix(now.unwrap_or(2_208_988_800))).unwrap();
    for _ in 0..count {
        import.add(&house.entry()).unwrap();
    }
    import.finish().unwrap();
    if let Some(now) = now {
        store.seal(Instant::from_unix(now)).unwrap();
    }
    drop(store);
    std::fs::rename(making, path).unwrap();
}

fn old_schema(path: &Path) {
    if path.exists() {
        return;
    }
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

fn python() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
    if own.exists() { own } else { PathBuf::from("python3") }
}

fn duck_table(old: &Path, folder: &Path) -> Option<PathBuf> {
    let table = folder.join("old.duck");
    if !table.exists() {
        let script = "import sys, sqlite3, duckdb, csv\n\
            old, table = sys.argv[1:]\n\
            c = sqlite3.connect(old).execute('select * from mesures_energie')\n\
            w = csv.writer(open(table + '.csv', 'w', newline=''))\n\
            w.writerow([d[0] for d in c.description]); w.writerows(c)\n\
            duckdb.connect(table).execute(f\"create table t as select * from read_csv_auto('{table}.csv')\")";
        let made = Command::new(python()).args(["-c", script]).arg(old).arg(&table).stderr(Stdio::null()).status();
        made.ok().filter(std::process::ExitStatus::success)?;
    }
    Some(table)
}

fn ask(what: &str, store: &Path, arguments: &[&str], aim: &str) -> Duration {
    let program = std::env::var_os("STATS_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_releve").into());
    let mut command = Command::new(program);
    command.args(["stats", "--tz", "Europe/Brussels", "--db"]).arg(store).args(arguments);
    let took = shortest(&mut command).unwrap_or_else(|| panic!("{what} failed"));
    println!("  {what}: {:.1} ms{aim}", took.as_secs_f64() * 1e3);
    took
}

fn theirs(who: &str, command: &mut Command, ours: Duration) {
    match shortest(command) {
        Some(took) => {
            println!(
                "    {who}: {:.1} ms, {:.1} times",
                took.as_secs_f64() * 1e3,
                took.as_secs_f64() / ours.as_secs_f64()
            );
        }
        None => println!("    {who} is not installed"),
    }
}

fn shortest(command: &mut Command) -> Option<Duration> {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let run = |command: &mut Command| {
        let clock = Clock::now();
        command.status().ok().filter(std::process::ExitStatus::success).map(|_| clock.elapsed())
    };
    (0..7).map(|_| run(command)).collect::<Option<Vec<_>>>()?.into_iter().min()
}
