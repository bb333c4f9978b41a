//! Several programs on one store, and places where it may not be written.

use crate::testenv::check::same;
use crate::testenv::{Place, Run, control, figures};
use crate::{entries, mixed_store};
use releve::reading::{Instant, MeterId};
use releve::store::{Entry, Store, StoreError};
use rusqlite::Connection;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn count(store: &Store) -> usize {
    let mut count = 0;
    let ever = Instant::from_unix(0)..Instant::from_unix(1 << 36);
    store
        .readings(&MeterId::new("E450001234").unwrap(), ever, |_| {
            count += 1;
            Ok::<_, StoreError>(())
        })
        .unwrap();
    count
}

#[test]
fn promise_p16_two_writers_take_turns_and_a_reader_sees_whole_states() {
    let place = Place::new();
    let path = place.path("s.db");
    let mut one = Store::create(&path).unwrap();
    let mut other = Store::create(&path).unwrap();
    let reader = Store::open(&path).unwrap();
    let all = entries(600, 600);
    for (turn, chunk) in all.chunks(50).enumerate() {
        let writer = if turn % 2 == 0 { &mut one } else { &mut other };
        assert_eq!(writer.insert(chunk).unwrap().added, chunk.len());
        if turn % 3 == 0 {
            writer.seal(chunk[0].at).unwrap();
        }
        assert_eq!(count(&reader), (turn + 1) * 50);
    }
    assert_eq!(one.insert(&all).unwrap().known, all.len());
    assert_eq!(reader.check().unwrap().readings, all.len());
    figures(16, 12, 12, 0, "turns of two writers beside a reader");
}

#[test]
fn a_reader_is_not_disturbed_by_sealing() {
    let place = Place::new();
    let path = place.path("s.db");
    let mut store = Store::create(&path).unwrap();
    let all = entries(600, 600);
    store.insert(&all).unwrap();
    let reader = Store::open(&path).unwrap();
    let mut seen = 0;
    let ever = Instant::from_unix(0)..Instant::from_unix(1 << 36);
    let meter = MeterId::new("E450001234").unwrap();
    reader
        .readings(&meter, ever, |kept| {
            if seen == 10 {
                store.seal(Instant::from_unix(1 << 33)).unwrap();
            }
            assert_eq!(kept.at, all[seen].at);
            seen += 1;
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert_eq!(seen, all.len());
}

#[test]
fn promise_p16_many_programs_that_start_on_no_store_at_once_make_one_and_nobody_takes_it_for_something_else() {
    for round in 0..crate::rounds(30) {
        let place = Place::new();
        let path = place.path("new/s.db");
        let all = entries(600, 8);
        let (start, over) = (Barrier::new(10), AtomicBool::new(false));
        let write = |entry: &Entry| {
            start.wait();
            Store::create(&path)?.insert(std::slice::from_ref(entry))
        };
        let read = || {
            start.wait();
            let mut most = 0;
            while !over.load(Ordering::Relaxed) {
                match Store::open(&path) {
                    Ok(store) => most = count(&store),
                    Err(StoreError::Missing(_)) if most == 0 => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(most)
        };
        std::thread::scope(|scope| {
            let writers: Vec<_> = all.iter().map(|entry| scope.spawn(|| write(entry))).collect();
            let readers = [scope.spawn(read), scope.spawn(read)];
            let written: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
            over.store(true, Ordering::Relaxed);
            let seen: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
            assert!(written.iter().all(Result::is_ok) && seen.iter().all(Result::is_ok), "{written:?} {seen:?}");
        });
        assert_eq!(Store::open(&path).unwrap().check().unwrap().readings, 8, "round {round}");
    }
    figures(16, crate::rounds(30), crate::rounds(30), 0, "first starts of ten programs at once");
}

#[test]
fn promise_p16_a_locked_store_says_so() {
    let place = Place::new();
    let path = place.path("s.db");
    let mut store = Store::create(&path).unwrap();
    store.insert(&entries(600, 10)).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.set_patience(Duration::from_millis(50)).unwrap();
    assert!(matches!(store.insert(&entries(600, 20)), Err(StoreError::Locked(_))));
    // Reading goes on beside the one who writes.
    assert_eq!(count(&Store::open(&path).unwrap()), 10);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.insert(&entries(600, 20)).unwrap().added, 10);
    figures(16, 1, 1, 0, "a write to a locked store, refused; reading goes on");
}

#[test]
fn promise_p16_two_imports_at_once_add_both() {
    let place = Place::new();
    for (name, hour) in [("a.csv", 0), ("b.csv", 6)] {
        let rows: String = (0..3000)
            .map(|row| format!("2025-12-{:02}T{:02}:{:02}:30Z,{row}\n", 1 + row / 240, hour + row / 60 % 4, row % 60))
            .collect();
        place.write(name, format!("timestamp,tension_l1\n{rows}"));
    }
    let import = |name: &str| {
        let mut command = place.command();
        command.args(["import", name, "--db", "s.db", "--meter", "M1", "-q"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [import("a.csv"), import("b.csv")];
    for child in both {
        Run::of(child.wait_with_output().unwrap()).clean();
    }
    place.run(["db", "check", "--db", "s.db", "-q"]).clean();
    assert_eq!(place.run(["export", "--db", "s.db", "-f", "csv"]).clean().lines().count(), 6001);
    figures(16, 1, 1, 0, "two imports at once");
}

#[test]
fn promise_p20_a_store_on_media_that_cannot_be_written_is_read() {
    let place = Place::new();
    std::fs::create_dir(place.path("card")).unwrap();
    mixed_store(&place, "card/s.db");
    let program = env!("CARGO_BIN_EXE_releve");
    let script = format!(
        "mount --bind card card && mount -o remount,ro,bind card && {program} export --db card/s.db -f ndjson -q && \
         ! touch card/x 2>/dev/null"
    );
    let output = Command::new("unshare")
        .args(["-m", "-r", "sh", "-c", &script])
        .env("LC_ALL", "C")
        .current_dir(place.path(""))
        .output();
    match output {
        Ok(output) if output.status.success() => {
            assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 12 * 288 + 1);
            figures(20, 1, 1, 0, "media that cannot be written are read");
        }
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("releve") => {
            panic!("{}", String::from_utf8_lossy(&output.stderr))
        }
        _ => println!("skipped: no mount of our own can be made here"),
    }
}

#[test]
fn promise_p20_odd_paths_and_files_are_told_apart() {
    let place = Place::new();
    place.write("notes.txt", "only notes\n".repeat(900));
    place.write("empty.db", "");
    let exit = |arguments: &[&str]| place.run(arguments.iter().copied()).exit;
    for command in [&["db", "check"][..], &["db", "info"], &["meters"], &["export"], &["db", "compact"]] {
        assert_eq!(exit(&[command, &["--db", "none/none.db"]].concat()), 66, "{command:?}");
        assert_eq!(exit(&[command, &["--db", "notes.txt"]].concat()), 65, "{command:?}");
    }
    assert!(!place.path("none").exists());
    let notes = "only notes\n".repeat(900).into_bytes();
    same("notes.txt", &notes, &std::fs::read(place.path("notes.txt")).unwrap()).unwrap();
    let empty = place.run(["export", "--db", "empty.db"]);
    assert_eq!(empty.exit, 66);
    assert!(
        empty.stderr.contains("empty.db is empty, there is no store in it yet  [store.missing]"),
        "{}",
        empty.stderr
    );
    Connection::open(place.path("other.db")).unwrap().execute_batch("PRAGMA application_id = 7").unwrap();
    assert_eq!(exit(&["export", "--db", "other.db"]), 65);
    assert!(Store::create(&place.path("other.db")).is_err());
    mixed_store(&place, "s.db");
    Connection::open(place.path("s.db")).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let newer = place.run(["export", "--db", "s.db"]);
    assert_eq!(newer.exit, 65);
    assert!(newer.stderr.contains("newer releve (schema 99, this one knows 3)"), "{}", newer.stderr);
    place.run(["db", "backup", "copy.db", "--db", "s.db"]);
    assert!(!place.path("copy.db").exists());
    figures(20, 13, 13, 0, "odd paths and files told apart and left alone");
}

/// What others may do with a file of ours: nothing but read it, if they are of the group.
fn is_private(path: &std::path::Path) -> Result<(), String> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777;
    if mode & !0o640 == 0 { Ok(()) } else { Err(format!("{} has mode {mode:o}", path.display())) }
}

#[test]
fn promise_p20_files_are_nobody_elses_whatever_the_umask() {
    let place = Place::new();
    place.write("x.csv", "timestamp,tension_l1\n2025-11-07T00:00:00Z,230.1\n2025-11-08T00:00:00Z,230.2\n");
    let program = env!("CARGO_BIN_EXE_releve");
    let script = format!(
        "umask 0; {program} import x.csv --db s.db --meter M1 -q && {program} db backup copy.db --db s.db -q && \
         {program} consolidate --db s.db --archive a -q"
    );
    let output =
        Command::new("sh").args(["-c", &script]).current_dir(place.path("")).env("HOME", place.path("")).output();
    Run::of(output.unwrap()).clean();
    let mut files = vec![place.path("s.db"), place.path("copy.db"), place.path("s.db.lock")];
    for folder in ["quotidien", "hebdomadaire", "mensuel"] {
        files.extend(std::fs::read_dir(place.path("a").join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    assert!(files.len() >= 8, "{files:?}");
    files.iter().for_each(|path| is_private(path).unwrap());
    figures(20, files.len(), files.len(), 0, "files of mode 640 or less under a umask of 0");
}

#[test]
fn promise_p20_control_files_for_all_and_notes_overwritten_are_found_out() {
    let place = Place::new();
    let open = place.write("open.db", "x");
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let notes = "only notes\n".repeat(900).into_bytes();
    // Who takes whatever there is for a place of his own.
    std::fs::write(place.path("notes.txt"), &notes).unwrap();
    std::fs::write(place.path("notes.txt"), b"SQLite format 3\0").unwrap();
    let now = std::fs::read(place.path("notes.txt")).unwrap();
    control(
        20,
        [("a store that all may read", is_private(&open)), ("notes overwritten", same("notes.txt", &notes, &now))],
    );
}
