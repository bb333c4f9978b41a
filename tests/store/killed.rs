//! `kill -9` at any instant: what was acknowledged is there, nothing is there twice or by half.

use crate::testenv::Place;
use crate::testenv::random::Random;
use crate::{entries, rounds};
use releve::reading::Instant;
use releve::store::{Entry, Store, StoreError};
use std::fs;
use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;

fn count(place: &Place) -> usize {
    let checked = place.run(["db", "check", "--db", "s.db", "-q"]);
    if checked.exit == 66 && checked.stderr.contains("is empty, there is no store in it yet") {
        return 0;
    }
    checked.clean();
    let run = place.run(["export", "--db", "s.db", "-f", "ndjson", "-q"]);
    if run.exit == 66 { 0 } else { run.clean().lines().count() }
}

#[test]
fn an_import_that_is_killed_has_added_whole_files_and_all_it_said() {
    const FILES: usize = 40;
    const ROWS: usize = 500;
    let place = Place::new();
    let names: Vec<String> = (0..FILES).map(|file| format!("{file:02}.csv")).collect();
    for (file, name) in names.iter().enumerate() {
        // Two files share each day, so that spans are opened again.
        let rows = (0..ROWS).map(|row| {
            let second = 1_709_251_200 + (file / 2) * 86_400 + row * 120 + file % 2 * 60;
            format!("{},{}.{}\n", Instant::from_unix(i64::try_from(second).unwrap()), 200 + row % 37, file % 10)
        });
        place.write(name, format!("timestamp,tension_l1\n{}", rows.collect::<String>()));
    }
    let mut random = Random(7);
    for round in 0..rounds(12) {
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(place.path(&format!("s.db{end}")));
        }
        let mut command = place.command();
        command.args(["import", "--db", "s.db", "--meter", "M1"]).args(&names);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(u64::try_from(random.below(400_000)).unwrap()));
        child.kill().unwrap();
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        child.wait().unwrap();
        let acknowledged = said.lines().filter(|line| line.contains(" added")).count().min(FILES);
        // Killed before it had a table, it is a file of SQLite's and nothing more, and the next start goes on with it.
        let unmade = matches!(Store::open(&place.path("s.db")), Err(StoreError::Missing(_) | StoreError::Foreign(_)));
        assert!(!unmade || acknowledged == 0, "round {round}: {acknowledged} files said, and no store");
        if !unmade {
            let found = count(&place);
            assert_eq!(found % ROWS, 0, "round {round}: part of a file");
            assert!(found >= acknowledged * ROWS, "round {round}: {acknowledged} files said, {found} readings there");
        }
        place.run(
            [
                &["import", "--db", "s.db", "--meter", "M1", "-q"],
                &names.iter().map(String::as_str).collect::<Vec<_>>()[..],
            ]
            .concat(),
        );
        assert_eq!(count(&place), FILES * ROWS, "round {round}");
    }
}

#[test]
fn sealing_and_compacting_that_are_killed_lose_nothing() {
    let place = Place::new();
    let mut all = entries(60, 20 * 1440);
    // Yesterday and today, of which some hours are sealed: their span grows.
    let now = Instant::now();
    let shift = now.unix_seconds() / 86_400 * 86_400 - 86_400 - all[0].at.unix_seconds();
    let recent = entries(60, 2 * 1440).into_iter().map(|entry| Entry { at: entry.at.plus_seconds(shift), ..entry });
    all.extend(recent.filter(|entry| entry.at < now));
    {
        let mut store = Store::create(&place.path("rows.db")).unwrap();
        store.insert(&all[20 * 1440..]).unwrap();
        store.seal(now.plus_seconds(-4 * 3600)).unwrap();
        store.insert(&all[..20 * 1440]).unwrap();
        store.compact().unwrap();
    }
    let rows = fs::read(place.path("rows.db")).unwrap();
    let mut random = Random(11);
    for round in 0..rounds(8) {
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(place.path(&format!("s.db{end}")));
        }
        place.write("s.db", &rows);
        let mut child = place.command().args(["db", "compact", "--db", "s.db", "-q"]).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(u64::try_from(random.below(900_000)).unwrap()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(count(&place), all.len(), "round {round}");
        place.run(["db", "compact", "--db", "s.db", "-q"]).clean();
        assert_eq!(count(&place), all.len(), "round {round}, after");
    }
}
