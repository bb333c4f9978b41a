//! E: errors, one shape for all.

use super::{demo, on_a_full_disk, run};
use crate::testenv::{Place, Run, fixture};
use std::fs;

/// What fails in [`demo`]: the line, its id, its status, and what the error has to name.
const FAILING: &[(&str, &str, i32, &str)] = &[
    ("read none.bin", "input.missing", 66, "none.bin"),
    ("read .", "input.directory", 66, "."),
    ("read notes.txt", "data.unknown", 76, "notes.txt"),
    ("read -p /nope", "port.missing", 69, "/nope"),
    ("read -p ./notes.txt", "port.kind", 2, "notes.txt"),
    ("read -p tcp://", "port.name", 2, "tcp://"),
    ("read -p tcp://127.0.0.1:1", "port.missing", 69, "127.0.0.1:1"),
    ("read -p rfc2217://127.0.0.1:1", "port.missing", 69, "127.0.0.1:1"),
    ("read dsmr_smart5.txt --since 2d", "read.span", 2, "period"),
    ("read dsmr_smart5.txt --tz Mars/Phobos", "time.zone", 2, "Mars/Phobos"),
    ("read dsmr_smart5.txt --save --db /proc/no/s.db", "store.write", 74, "/proc/no"),
    ("read dsmr_smart5.txt --save --db .", "store.format", 65, "."),
    ("read dsmr_smart5.txt --capture none/c.bin", "capture.write", 74, "none/c.bin"),
    ("read iec62056_mode_c.txt --key-file none.key", "key.file", 66, "none.key"),
    ("read iec62056_mode_c.txt --key-file notes.txt -q", "key.format", 78, "notes.txt"),
    ("read dlms_e450_ciphered.bin", "key.missing", 65, "dlms_e450_ciphered.bin"),
    ("explain none.bin", "input.missing", 66, "none.bin"),
    ("explain", "read.source", 2, "capture"),
    ("import none", "input.missing", 66, "none"),
    ("import table.csv --db new.db", "meter.unknown", 2, "table.csv"),
    ("import notes.txt --db new.db", "data.unknown", 76, "notes.txt"),
    ("export --db none.db", "store.missing", 66, "none.db"),
    ("export --db notes.txt", "store.format", 65, "notes.txt"),
    ("export --db demo.db --meter X1", "meter.missing", 66, "X1"),
    ("export --db demo.db --fields tension_l4", "export.field", 2, "tension_l4"),
    ("export --db demo.db -f sqlite", "export.file", 2, "SQLite"),
    ("export --db demo.db -o none/x.json", "write.failed", 74, "none/x.json"),
    ("export --db demo.db --from-archive none", "archive.missing", 66, "none"),
    ("stats --db none.db", "store.missing", 66, "none.db"),
    ("stats --db demo.db --fields couvertur", "stats.field", 2, "couvertur"),
    ("stats --db demo.db --since 2026-02-30", "time.unknown", 2, "2026-02-30"),
    ("stats --db demo.db --since '2026-03-29 02:30' --tz Europe/Brussels", "time.gap", 2, "Europe/Brussels"),
    ("stats --db demo.db --since 2026-11 --until 2026-10", "time.order", 2, "--since"),
    ("stats --db demo.db --meter X1", "meter.missing", 66, "X1"),
    ("events --db none.db", "store.missing", 66, "none.db"),
    ("events --db demo.db --type surtensin", "event.type", 2, "surtensin"),
    ("events --db demo.db --meter X1", "meter.missing", 66, "X1"),
    ("events add '' --db demo.db", "event.text", 2, "text"),
    ("events add x --db none.db", "store.missing", 66, "none.db"),
    ("events detect --db none.db", "store.missing", 66, "none.db"),
    ("check --db none.db", "store.missing", 66, "none.db"),
    ("consolidate --db demo.db", "archive.unnamed", 2, "archive"),
    ("consolidate --archive a --db none.db", "store.missing", 66, "none.db"),
    ("consolidate --archive none --verify", "archive.missing", 66, "none"),
    ("consolidate --archive a --db demo.db --day hier", "time.unknown", 2, "hier"),
    ("consolidate --archive a --db demo.db --keep 2y --prune --keep-archive 1y", "consolidate.keep", 2, "--keep"),
    ("serve --db none.db", "store.missing", 66, "none.db"),
    ("serve --db demo.db --listen 0.0.0.0:0", "serve.token", 2, "token"),
    ("serve --db demo.db --token-file none", "serve.token", 66, "none"),
    ("serve --db demo.db --get /api/live", "serve.live", 2, "/api/live"),
    ("config check --config none.toml", "config.missing", 66, "none.toml"),
    ("config check --config key.toml", "config.key", 78, "prot"),
    ("config check --config zone.toml", "config.value", 78, "zone.toml"),
    ("config check --config syntax.toml", "config.syntax", 78, "syntax.toml line 1"),
    ("simulate e45x", "simulate.meter", 2, "e45x"),
    ("simulate mode-c -o x.bin", "simulate.asked", 2, "mode-c"),
    ("simulate sml --write-keys k", "simulate.keys", 2, "sml"),
    ("simulate sml --link none/port --count 1", "simulate.pty", 74, "none/port"),
    ("simulate sml --listen 192.0.2.1:0 --count 1", "simulate.listen", 2, "192.0.2.1"),
    ("meters --db none.db", "store.missing", 66, "none.db"),
    ("meters name '' --db demo.db", "meter.name", 2, "''"),
    ("db check --db none.db", "store.missing", 66, "none.db"),
    ("db backup table.csv --db demo.db", "backup.exists", 74, "table.csv"),
    ("db compact --db none.db", "store.missing", 66, "none.db"),
    ("db redecode --db none.db", "store.missing", 66, "none.db"),
    ("man notes.txt", "man.write", 74, "notes.txt"),
    ("help port.misssing", "help.unknown", 2, "port.misssing"),
    ("log -p ./notes.txt --db new.db -q", "port.kind", 2, "notes.txt"),
];

fn place() -> Place {
    let place = demo();
    place.write("key.toml", "[meters.home]\nprot = \"x\"\n");
    place.write("zone.toml", "tz = \"Mars\"\n");
    place.write("syntax.toml", "x = = 1\n");
    place
}

/// `error: …  [id]`, then a cause, then tips; at most six lines.
fn has_the_shape(said: &str) -> bool {
    let mut lines = said.lines();
    let is_error = |line: &str| line.starts_with("error: ") && line.ends_with(']') && line.contains("  [");
    let rest = |line: &str| line.starts_with("  cause: ") || line.starts_with("  tip: ");
    said.ends_with('\n') && lines.next().is_some_and(is_error) && lines.all(rest) && said.lines().count() <= 6
}

#[test]
fn e1_e2_e3_every_failure_has_one_shape_and_names_the_thing() {
    let place = place();
    for &(line, id, exit, named) in FAILING {
        let failed = Run::of(place.command().args(super::words(line)).env("RUST_BACKTRACE", "1").output().unwrap());
        assert_eq!(failed.exit, exit, "{line}: {}", failed.stderr);
        assert!(has_the_shape(&failed.stderr), "{line}: {}", failed.stderr);
        let first = failed.stderr.lines().next().unwrap();
        assert!(first.ends_with(&format!("  [{id}]")) && first.contains(named), "{line}: {first}");
        assert!(failed.stderr.is_ascii() && !failed.stderr.contains('\u{1b}'), "{line}: {}", failed.stderr);
        for trace in ["backtrace", ".rs:", "panicked"] {
            assert!(!failed.stderr.contains(trace), "{line}: {}", failed.stderr);
        }
        assert_eq!(failed.stdout, "", "{line}");
    }
}

#[test]
fn e4_a_typing_error_gets_a_suggestion_and_makes_no_file() {
    let place = place();
    let before = files(&place);
    for (line, meant) in [
        ("red", "'read'"),
        ("evnts", "'events'"),
        ("db chek", "'check'"),
        ("config shw", "'show'"),
        ("meters segmnts --db demo.db", "'segments'"),
        ("stats --by mnth", "'month'"),
        ("stats --sicne 2d", "'--since'"),
        ("stats --db demo.db --fields couvertur", "did you mean couverture?"),
        ("stats --db demo.db --tz Europe/Brusels", "'Europe/Brussels'"),
        ("export --db demo.db --fields tension_1", "did you mean 'tension_l1'?"),
        ("export --db demo.db -f ndjsn", "'ndjson'"),
        ("events --db demo.db --type surtensin", "'surtension'"),
        ("events --db demo.db --severity warnin", "'warning'"),
        ("read x --protocol dsm", "'dsmr'"),
        ("read x --formt json", "'--format'"),
        ("completions bsh", "'bash'"),
        ("simulate smll", "'sml'"),
        ("simulate sml --fault nois", "did you mean noise?"),
        ("consolidate --mnth 2026-10", "'--month'"),
        ("config check --config key.toml", "did you mean 'port'?"),
        ("help evnts", "did you mean 'events'?"),
        ("help port.misssing", "did you mean 'port.missing'?"),
        ("export --db demo.db --meter E45000123", "E450001234"),
    ] {
        let failed = run(&place, line);
        let exit = if line.contains("key.toml") {
            78
        } else if line.contains("--meter") {
            66
        } else {
            2
        };
        assert_eq!((failed.exit, failed.stdout.as_str()), (exit, ""), "{line}: {}", failed.stderr);
        assert!(failed.stderr.contains(meant), "{line}: {}", failed.stderr);
    }
    assert_eq!(files(&place), before);
}

fn files(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.path("")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    // What SQLite keeps beside a store that is open for reading.
    names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    names.sort();
    names
}

#[test]
fn e5_reading_never_creates() {
    let place = Place::new();
    place.capture("dsmr/smart5.txt");
    let before = files(&place);
    for line in [
        "stats",
        "export",
        "events",
        "events detect",
        "events add x",
        "check",
        "meters",
        "meters segments",
        "meters name x",
        "db info",
        "db check",
        "db compact",
        "db redecode",
        "db backup copy.db",
        "serve",
        "serve --get /api/stats",
        "consolidate --archive a",
        "consolidate --archive a -n",
        "consolidate --archive a --verify",
        "export --archive a",
        "events --follow",
        "read -p /nope --save",
        "doctor",
        "config show",
        "config check",
        "ports",
        "read dsmr_smart5.txt",
        "explain dsmr_smart5.txt",
        "import nothing-here",
    ] {
        let done = run(&place, &format!("{line} --db none.db"));
        assert!([0, 1, 66, 69].contains(&done.exit), "{line}: {}", done.stderr);
        assert_eq!(files(&place), before, "{line}");
    }
    let missing = run(&place, "stats --db none.db");
    assert!(
        missing.exit == 66 && missing.stderr.contains("tip: `releve read FILE --save` makes one"),
        "{}",
        missing.stderr
    );
}

#[test]
fn e6_exit_statuses_are_those_of_the_contract_and_written_down() {
    let place = place();
    let mut seen: Vec<i32> = FAILING.iter().map(|(_, _, exit, _)| *exit).collect();
    seen.push(run(&place, "obis nonsense --fail-empty -q").exit);
    seen.push(on_a_full_disk(&place, "obis 1.8").map_or(74, |full| full.exit));
    // Busy: somebody holds the lock. Not allowed: tests/port/causes.rs.
    let lock = fs::File::create(place.path("demo.db.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    seen.push(run(&place, "consolidate --archive a --db demo.db").exit);
    let manual = fs::read_to_string(crate::testenv::repository().join("man/releve.1")).unwrap();
    let help = run(&place, "--help").clean();
    for (status, what) in [
        (1, "anything else"),
        (2, "usage"),
        (65, "data that does not check"),
        (66, "input or store missing"),
        (69, "no port or no answer"),
        (74, "a write failed"),
        (75, "busy"),
        (76, "not a meter"),
        (77, "not allowed"),
        (78, "configuration"),
    ] {
        assert!(status == 77 || seen.contains(&status), "nothing ends with {status}");
        let row = |text: &str| {
            text.lines().any(|line| line.trim_start().starts_with(&format!("{status} ")) && line.contains(what))
        };
        assert!(row(&help), "--help does not say {status} {what}");
        assert!(row(&manual), "man releve does not say {status} {what}");
    }
}

#[test]
fn e7_every_id_can_be_asked_about() {
    let place = place();
    for &(line, id, exit, _) in FAILING {
        let text = run(&place, &format!("help {id}")).clean();
        assert!(text.starts_with(&format!("{id}\n\n")) && text.lines().count() >= 4, "{text}");
        let statuses = text.trim_end().lines().next_back().unwrap().strip_prefix("Exit status ").unwrap().to_owned();
        let mut numbers = statuses.trim_end_matches('.').split([',', ' ']).filter_map(|word| word.parse::<i32>().ok());
        assert!(numbers.any(|number| number == exit), "{line} ends with {exit}, help {id} says {statuses}");
    }
    let two = run(&place, "help port.missing port.busy");
    assert_eq!((two.exit, two.stdout.as_str()), (2, ""));
    assert!(two.stderr.contains("'port.busy' behind port.missing"), "{}", two.stderr);
}

#[test]
fn e8_a_wrong_key_is_a_failure_and_no_value_is_printed() {
    let place = demo();
    let wrong = fixture("dlms/wrong.key");
    for format in ["table", "json", "csv"] {
        let failed =
            place.run(["read", "dlms_e450_ciphered.bin", "--key-file", wrong.to_str().unwrap(), "-q", "-f", format]);
        assert_eq!((failed.exit, failed.stdout.as_str()), (65, ""));
        assert!(failed.stderr.contains("[key.mismatch]") && has_the_shape(&failed.stderr), "{}", failed.stderr);
    }
}

#[test]
fn e9_bad_bytes_are_shown_where_they_are() {
    let place = demo();
    let mut bytes = fs::read(fixture("iec62056/mode_c.txt")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    place.write("bcc.txt", &bytes);
    let failed = run(&place, "read bcc.txt");
    assert_eq!(failed.exit, 65);
    assert!(
        failed.stderr.starts_with("error: bcc.txt: byte ") && failed.stderr.contains(" sent, "),
        "{}",
        failed.stderr
    );
    assert!(failed.stderr.contains("tip: see which bytes: releve explain bcc.txt"), "{}", failed.stderr);
}

#[test]
fn e10_a_part_that_fails_does_not_hide_the_rest() {
    let place = demo();
    run(&place, "consolidate --db demo.db --archive a -q").clean();
    let path = place.path("a/quotidien/jour_20261025.json.gz");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&path, bytes).unwrap();
    let checked = run(&place, "consolidate --archive a --verify");
    assert_eq!(checked.exit, 65, "{}", checked.stderr);
    assert!(checked.stdout.contains(" files whole, ") && checked.stdout.contains("; 1 damaged"), "{}", checked.stdout);
    assert!(checked.stderr.contains("jour_20261025.json.gz") && checked.stderr.contains("[archive.damaged]"));
}

/// Errors in the words of the argument parser are led in by the same words.
#[test]
fn e1_usage_errors_use_the_same_words() {
    let place = Place::new();
    for line in ["stats --by mnth", "read --nope", "nope", "log --count x"] {
        let failed = run(&place, line);
        assert!(
            failed.exit == 2 && failed.stdout.is_empty() && failed.stderr.starts_with("error: "),
            "{}",
            failed.stderr
        );
    }
}
