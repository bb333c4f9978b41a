//! The store against its figures, and against SQLite's own tool on the old schema and DuckDB on a table of its own.
//!
//! `cargo bench --bench store` takes a few minutes; `STORE_YEARS=1` and `STORE_SECONDS=0` shorten it, `STORE_FOLDER` names
//! an empty folder to keep the files in. Ratios are of one run on one machine. `sqlite3` and Python's `duckdb`
//! (`benches/requirements.txt`) are compared with where they are installed.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    unreachable_pub
)]

mod household;
mod rivals;

use household::{Household, REGISTERS};
use releve::document::Values;
use releve::exchange::old_database::OldDatabaseWriter;
use releve::reading::{Code, Instant, MeterId, Quality, TariffMemory};
use releve::store::{Ends, Series, Store};
use rivals::{best, duck, plain_sql, python_sql, ratio, releve, sqlite, timed};
use std::fs;
use std::path::{Path, PathBuf};

const START: i64 = 1_704_067_200;
const MINUTES: u32 = 525_600;

/// Long after the last reading: everything is over.
fn now() -> Instant {
    Instant::from_unix(START + 5000 * 86_400)
}

fn env(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() {
    let temporary = tempfile::tempdir().unwrap();
    // For a profiler: the files stay in a folder that is named.
    let folder = std::env::var_os("STORE_FOLDER").map_or(temporary.path().to_owned(), PathBuf::from);
    let place = |name: &str| folder.join(name);
    let years = env("STORE_YEARS", 10);

    println!("size, bytes a reading of twelve registers, times, quality, source and file included");
    reference();
    let days = fill(&place("days.db"), 60, MINUTES, false);
    let months = fill(&place("months.db"), 60, MINUTES, true);
    report("one year at one minute, sealed by day", days.per_reading, 7.5);
    report("one year at one minute, months joined", months.per_reading, 6.0);
    let long = fill(&place("long.db"), 60, MINUTES * years, true);
    report(&format!("{years} years at one minute"), long.per_reading, 6.0);
    let seconds = env("STORE_SECONDS", 31_536_000);
    if seconds > 0 {
        let second = fill(&place("second.db"), 1, seconds, true);
        let mb = second.per_reading * f64::from(seconds) / 1e6;
        println!("  {seconds} readings at one second: {mb:.1} MB ({:.2} a reading)", second.per_reading);
        fs::remove_file(place("second.db")).unwrap();
    }

    for (what, step, group) in
        [("one a second, a commit each ten seconds", 1, 10), ("one a minute, each committed", 60, 1)]
    {
        if let Some((system, disk)) = written_a_day(&place("flash.db"), step, group) {
            println!("  written in a day of {what}: {system:.1} MB, in pages of the disk {disk:.1} MB");
        }
    }

    let old = place("old.db");
    old_schema(&old, years);
    let one = place("old1.db");
    old_schema(&one, 1);
    println!("\nthe old application's file: {:.0} bytes a reading", size(&one) as f64 / f64::from(MINUTES));

    println!("\nimport and export, one year ({MINUTES} readings); the whole process, by its wall clock");
    let store = place("imported.db");
    let command = |arguments: &[&str]| {
        let mut command = releve();
        command.args(arguments).arg("--db").arg(&store).args(["--meter", "E450001234"]);
        command
    };
    let run = |arguments: &[&str]| timed(&mut command(arguments), || ());
    let afresh = || drop(fs::remove_file(&store));
    let (import, peak) = timed(&mut command(&["import", one.to_str().unwrap()]), afresh);
    println!("  import of the old file: {:.0} readings/s, peak {peak} MB", f64::from(MINUTES) / import.as_secs_f64());
    println!("  its size: {:.2} bytes a reading", size(&store) as f64 / f64::from(MINUTES));
    let (again, _) = run(&["import", one.to_str().unwrap()]);
    println!("  the same again, nothing added: {:.0} readings/s", f64::from(MINUTES) / again.as_secs_f64());
    for (format, flag) in [("ndjson", "-json"), ("csv", "-csv")] {
        let (ours, peak) = run(&["export", "-f", format]);
        print!("  export -f {format}: {} ms, peak {peak} MB", ours.as_millis());
        if let Some(theirs) = sqlite(&one, flag, "SELECT * FROM mesures_energie") {
            print!("; sqlite3 {flag}: {} ms, {:.1} times", theirs.as_millis(), ratio(theirs, ours));
        }
        if let Some(theirs) =
            duck(&one, &format!("COPY t TO '/dev/null' (FORMAT {})", if format == "csv" { "csv" } else { "json" }))
        {
            print!("; DuckDB COPY: {} ms, {:.1} times", theirs.as_millis(), ratio(theirs, ours));
        }
        println!();
    }
    let (whole, peak) = timed(releve().args(["export", "-f", "ndjson", "--db"]).arg(place("long.db")), || ());
    println!("  export of {years} years: {} ms, peak {peak} MB", whole.as_millis());

    println!("\nquestions: ours, the same SQL on the old schema, DuckDB on its own table");
    let year = Store::open(&place("months.db")).unwrap();
    let decade = Store::open(&place("long.db")).unwrap();
    let volts = series(&year, "32.7.0");
    let counter = series(&decade, "1.8.0");
    let end = START + 60 * i64::from(MINUTES);
    ask(
        "hourly means of a register over a year",
        &one,
        || hourly(&year, &volts),
        "SELECT strftime('%Y-%m-%d %H', timestamp), avg(tension_l1) FROM mesures_energie GROUP BY 1",
        "SELECT date_trunc('hour', timestamp), avg(tension_l1) FROM t GROUP BY 1",
    );
    ask(
        &format!("daily energy over {years} years"),
        &old,
        || daily(&decade, &counter, years),
        "SELECT date(timestamp), max(energie_active_import) - min(energie_active_import) FROM mesures_energie GROUP BY 1",
        "SELECT date_trunc('day', timestamp), max(energie_active_import) - min(energie_active_import) FROM t GROUP BY 1",
    );
    let power = series(&year, "16.7.0");
    let june = (START + 152 * 86_400, START + 182 * 86_400);
    let between = format!("timestamp >= '{}' AND timestamp < '{}'", text(june.0), text(june.1));
    ask(
        "a month's min, max, mean, p95",
        &one,
        || month(&year, &power, june),
        &format!(
            "WITH m AS (SELECT puissance_active_totale p FROM mesures_energie WHERE {between}) SELECT min(p), max(p), avg(p), (SELECT p FROM m ORDER BY p LIMIT 1 OFFSET (SELECT count(*) * 95 / 100 FROM m)) FROM m"
        ),
        &format!(
            "SELECT min(puissance_active_totale), max(puissance_active_totale), avg(puissance_active_totale), quantile_disc(puissance_active_totale, 0.95) FROM t WHERE {between}"
        ),
    );
    // As it is in use: at noon half of the day before is wanted, today is sealed up to the hour before, and the rest are rows;
    // at midnight it is one span that is still growing. And without any row, for comparison.
    let noon = end - 43_200;
    for (what, until, sealed_at) in [
        ("the last 24 hours of all columns, at noon", noon, noon),
        ("the same at midnight", end, end),
        ("the same of a day that is over and sealed", end, end + 86_400),
    ] {
        let day = format!("timestamp >= '{}' AND timestamp < '{}'", text(until - 86_400), text(until));
        let path = place("fresh.db");
        let _ = fs::remove_file(&path);
        let fresh = recent(&path, until, sealed_at);
        ask(
            what,
            &one,
            || last_day(&fresh, until),
            &format!("SELECT * FROM mesures_energie WHERE {day} ORDER BY timestamp"),
            &format!("SELECT * FROM t WHERE {day} ORDER BY timestamp"),
        );
    }
}

struct Filled {
    per_reading: f64,
}

fn fill(path: &Path, step: i64, count: u32, months: bool) -> Filled {
    let mut store = Store::create(path).unwrap();
    store.set_joining(months);
    let mut house = Household::new(step);
    let mut import = store.import(now()).unwrap();
    for _ in 0..count {
        import.add(&house.entry()).unwrap();
    }
    import.finish().unwrap();
    drop(store);
    Filled { per_reading: size(path) as f64 / f64::from(count) }
}

/// Megabytes that a day of readings hands to the system, log and file together, and of these to the disk in its pages; `None`
/// where the system does not say. It is the second day, so that there is room in the file to be used again, and hours are
/// sealed as `log` does.
fn written_a_day(path: &Path, step: i64, group: usize) -> Option<(f64, f64)> {
    let written = || -> Option<[u64; 2]> {
        let said = fs::read_to_string("/proc/self/io").ok()?;
        let of = |name: &str| said.lines().find_map(|line| line.strip_prefix(name))?.parse().ok();
        Some([of("wchar: ")?, of("write_bytes: ")?])
    };
    let _ = fs::remove_file(path);
    let mut store = Store::create(path).unwrap();
    let mut house = Household::new(step);
    let count = usize::try_from(86_400 / step).unwrap();
    let mut day = |_| (0..count).map(|_| house.entry()).collect::<Vec<_>>();
    let [first, second] = [0, 1].map(&mut day);
    for commit in first.chunks(1000) {
        store.insert(commit).unwrap();
    }
    let midnight = Instant::from_unix(START + 86_400);
    store.seal(midnight.plus_seconds(900)).unwrap();
    let before = written()?;
    let mut tidy = midnight.plus_seconds(1500);
    for commit in second.chunks(group) {
        let now = commit.last()?.at;
        store.insert(commit).unwrap();
        if now >= tidy {
            store.seal(now).unwrap();
            tidy = now.plus_seconds(600);
        }
    }
    store.seal(midnight.plus_seconds(87_300)).unwrap();
    drop(store);
    let after = written()?;
    let [system, disk] = [0, 1].map(|of: usize| (after[of] - before[of]) as f64 / 1e6);
    Some((system, disk))
}

/// What pco alone makes of the same columns, as 64-bit numbers, without any store around them.
fn reference() {
    let mut house = Household::new(60);
    let mut columns = vec![Vec::new(); 13];
    for _ in 0..MINUTES {
        let (second, values) = house.values();
        columns[12].push(second);
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    let config = pco::ChunkConfig::default();
    let packed = |values: &[i64]| pco::standalone::simple_compress(values, &config).unwrap().len();
    let whole: usize = columns.iter().map(|column| packed(column)).sum();
    let days: usize = columns.iter().flat_map(|column| column.chunks(1440)).map(packed).sum();
    let per = |bytes: usize| bytes as f64 / f64::from(MINUTES);
    println!("  for comparison, pco alone: {:.2} over day columns, {:.2} over whole columns", per(days), per(whole));
}

fn report(what: &str, found: f64, aim: f64) {
    println!("  {what}: {found:.2} (aim {aim:.1})");
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

fn text(second: i64) -> String {
    Instant::from_unix(second).to_string().replace('T', " ").replace('Z', ".000000")
}

fn old_schema(path: &Path, years: u32) {
    let writer = OldDatabaseWriter::create(path).unwrap();
    let mut house = Household::new(60);
    let mut memory = TariffMemory::default();
    for _ in 0..MINUTES * years {
        let entry = house.entry();
        let values = Values::of(&entry.reading, &mut memory);
        writer.add(entry.at, &values, Quality::Good, "e450").unwrap();
    }
    writer.finish().unwrap();
}

/// Ten days up to a time of the last one, as they stand once they have been sealed as of another.
fn recent(path: &Path, end: i64, sealed_at: i64) -> Store {
    let mut store = Store::create(path).unwrap();
    let mut house = Household::new(60);
    let sealed_at = Instant::from_unix(sealed_at);
    let mut import = store.import(sealed_at).unwrap();
    for _ in 0..MINUTES {
        let entry = house.entry();
        if (end - 10 * 86_400..end).contains(&entry.at.unix_seconds()) {
            import.add(&entry).unwrap();
        }
    }
    import.finish().unwrap();
    store.seal(sealed_at).unwrap();
    store
}

fn ask(what: &str, old: &Path, mut ours: impl FnMut() -> usize, sql: &str, duck_sql: &str) {
    let mut count = 0;
    let ours = best(|| {
        count = ours();
        Some(())
    })
    .unwrap();
    print!("  {what}: {:.2} ms for {count} rows", ours.as_secs_f64() * 1e3);
    let connection = rusqlite::Connection::open(old).unwrap();
    let theirs = best(|| {
        plain_sql(&connection, sql);
        Some(())
    })
    .unwrap();
    print!("; SQL {:.1} ms, {:.1} times", theirs.as_secs_f64() * 1e3, ratio(theirs, ours));
    if let Some(theirs) = python_sql(old, sql) {
        print!(", by Python {:.1} ms, {:.1} times", theirs.as_secs_f64() * 1e3, ratio(theirs, ours));
    }
    if let Some(theirs) = duck(old, duck_sql) {
        print!("; DuckDB {:.1} ms, {:.1} times", theirs.as_secs_f64() * 1e3, ratio(theirs, ours));
    }
    println!();
}

fn meter() -> MeterId {
    MeterId::new("E450001234").unwrap()
}

fn series(store: &Store, code: &str) -> Series {
    let code = Code::parse(code.as_bytes());
    store.series(&meter()).unwrap().into_iter().find(|series| series.code == code).unwrap()
}

fn ever() -> std::ops::Range<Instant> {
    Instant::from_unix(0)..Instant::from_unix(1 << 36)
}

fn hourly(store: &Store, series: &Series) -> usize {
    let mut means: Vec<f64> = Vec::new();
    let (mut hour, mut sum, mut count) = (i64::MIN, 0i64, 0i64);
    let mut close = |sum: i64, count: i64| {
        if count > 0 {
            means.push(sum as f64 / count as f64);
        }
    };
    store
        .samples(series, ever(), |sample| {
            let of = sample.at.unix_seconds() / 3600;
            if of != hour {
                close(sum, count);
                (hour, sum, count) = (of, 0, 0);
            }
            sum += sample.value.mantissa();
            count += 1;
        })
        .unwrap();
    close(sum, count);
    means.len()
}

fn daily(store: &Store, series: &Series, years: u32) -> usize {
    let days: Vec<_> = (0..=i64::from(years) * 365).map(|day| Instant::from_unix(START + 86_400 * day)).collect();
    let ends = store.ends(series, &days).unwrap();
    let amount = |ends: Ends| ends.last.value.checked_sub(ends.first.value);
    ends.into_iter().filter_map(|ends| ends.and_then(amount)).count()
}

fn month(store: &Store, series: &Series, (from, until): (i64, i64)) -> usize {
    let mut all = Vec::new();
    store
        .samples(series, Instant::from_unix(from)..Instant::from_unix(until), |sample| {
            all.push(sample.value.mantissa())
        })
        .unwrap();
    let mean = all.iter().sum::<i64>() as f64 / all.len() as f64;
    let place = all.len() * 95 / 100;
    let (_, p95, _) = all.select_nth_unstable(place);
    let p95 = *p95;
    let (min, max) = (all.iter().min(), all.iter().max());
    assert!(min.is_some() && max.is_some() && mean.is_finite() && p95 > 0);
    all.len()
}

fn last_day(store: &Store, end: i64) -> usize {
    let mut count = 0;
    let all = store.series(&meter()).unwrap();
    assert_eq!(all.len(), REGISTERS.len());
    let period = Instant::from_unix(end - 86_400)..Instant::from_unix(end);
    store.table(&all, period, |_, numbers, _| count += usize::from(numbers.iter().all(Option::is_some))).unwrap();
    count
}
