//! What a run does: missed nights, dry runs, one at a time.

use crate::testenv::check::each_once;
use crate::testenv::random::Random;
use crate::testenv::{Place, Run, control, figures};
use crate::{METER, consolidate, entries, everything, rounds, store, tree};
use std::fs;
use std::process::Stdio;

#[test]
fn missed_nights_are_made_up_the_oldest_first() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2025-11-01T00:00:00Z", "2025-11-20T10:00:00Z", 900));
    consolidate(&place, &["--day", "2025-11-03"]).clean();
    let said = consolidate(&place, &[]).clean();
    let names: Vec<&str> = said.lines().filter_map(|line| line.split("jour_").nth(1)?.get(..8)).collect();
    assert_eq!(names.len(), 19, "{said}");
    assert!(names.is_sorted() && !names.contains(&"20251103"), "{names:?}");
    assert_eq!(consolidate(&place, &[]).stderr, "everything that is complete is in the archive\n");
    assert_eq!(consolidate(&place, &["--day", "2025-12-24"]).stderr, "no reading of 2025-12-24, nothing written\n");
    assert_eq!(consolidate(&place, &["-q"]).clean(), "");
}

#[test]
fn what_a_dry_run_says_is_what_a_real_one_does() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2024-01-15T00:00:00Z", "2025-11-20T10:00:00Z", 7200));
    // An archive in every state: some days there, one damaged, one gone, one of an old program, one too old to stay.
    consolidate(&place, &["--since", "2025-10", "--until", "2025-10"]).clean();
    fs::write(place.path("a/quotidien/jour_20251005.json.gz"), "nothing").unwrap();
    fs::remove_file(place.path("a/quotidien/jour_20251006.json.gz")).unwrap();
    fs::write(
        place.path("a/quotidien/mesure_20251103_07.json"),
        r#"{"timestamp": "2025-11-03T07:00:01", "donnees": {"tension_l1": 231.5}}"#,
    )
    .unwrap();
    fs::copy(place.path("a/quotidien/jour_20251004.json.gz"), place.path("a/quotidien/jour_20131004.json.gz")).unwrap();
    for more in [
        &[][..],
        &["--keep", "18mo", "--prune", "--keep-archive", "10y"],
        &["--since", "2025-11-01", "--until", "2025-11-10", "--compact"],
        &["--keep", "17mo", "--prune"],
        &["--day", "2025-11-07", "--hours"],
    ] {
        let everything_there = || -> Vec<(String, Vec<u8>)> {
            // What readers of a store share in memory comes and goes.
            tree(&place.path("")).into_iter().filter(|(name, _)| !name.starts_with("s.db-")).collect()
        };
        let before = everything_there();
        let dry = consolidate(&place, &[more, &["-n"]].concat());
        assert!(everything_there() == before, "{more:?}");
        let real = consolidate(&place, more);
        assert_eq!(dry.stdout, real.stdout, "{more:?}");
        assert_eq!(dry.exit, real.exit, "{more:?}");
        assert!(!real.stdout.is_empty(), "{more:?}");
        assert_eq!(dry.stderr.replace("nothing was changed\n", ""), real.stderr, "{more:?}");
        // The bytes are those of the files.
        for line in real.stdout.lines().filter(|line| line.contains(" readings, ") && line.contains(".json.gz")) {
            let (path, rest) = line.split_once("  ").unwrap();
            let bytes = rest.split(", ").nth(1).and_then(|bytes| bytes.split(' ').next()?.parse::<u64>().ok());
            if let (Some(bytes), Ok(metadata)) = (bytes, fs::metadata(place.path(path))) {
                assert_eq!(metadata.len(), bytes, "{line}");
            }
        }
    }
    assert!(!place.path("a/quotidien/jour_20131004.json.gz").exists());
}

#[test]
fn promise_p16_a_second_run_leaves_with_75_and_six_at_once_do_no_harm() {
    let place = Place::new();
    let all = entries(METER, "2025-09-01T00:00:00Z", "2025-11-20T00:00:00Z", 300);
    store(&place, "full.db", &all);
    let fresh = fs::read(place.path("full.db")).unwrap();
    place.write("s.db", &fresh);
    let before = everything(&place, &[]);
    let (mut random, mut killed) = (Random(16), 0);
    for round in 0..rounds(4, 40) {
        let _ = fs::remove_dir_all(place.path("a"));
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(place.path(&format!("s.db{end}")));
        }
        place.write("s.db", &fresh);
        let children: Vec<_> = (0..6)
            .map(|_| {
                let mut command = place.command();
                command.args(["consolidate", "--db", "s.db", "--archive", "a", "--keep", "12mo", "--prune", "-q"]);
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        let mut done = 0;
        for (index, mut child) in children.into_iter().enumerate() {
            if round > 0 && index % 2 == round % 2 {
                std::thread::sleep(std::time::Duration::from_millis(random.below(60) as u64));
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
                continue;
            }
            let run = Run::of(child.wait_with_output().unwrap());
            assert!([0, 75].contains(&run.exit), "{run:?}");
            assert!(run.exit == 0 || run.stderr.contains(".busy]") || run.stderr.contains("locked"), "{run:?}");
            done += usize::from(run.exit == 0);
        }
        assert!(round > 0 || done >= 1, "nobody did the work");
        consolidate(&place, &["--keep", "12mo", "--prune", "-q"]).clean();
        place.run(["consolidate", "--archive", "a", "--verify", "-q"]).clean();
        each_once(before.lines(), everything(&place, &["--from-archive", "a"]).lines()).unwrap();
        let stray: Vec<_> = tree(&place.path("a")).into_keys().filter(|name| name.contains("/.")).collect();
        assert!(stray.is_empty(), "{stray:?}");
    }
    let runs = 6 * rounds(4, 40);
    figures(16, runs, runs, 0, format_args!("consolidations, six at once, {killed} of them killed"));
}

/// What two runs without a lock might leave: a reading lost, one twice, one of nobody.
#[test]
fn promise_p16_control_a_reading_lost_doubled_or_invented_is_found_out() {
    let place = Place::new();
    let mut all = entries(METER, "2025-11-01T00:00:00Z", "2025-11-02T00:00:00Z", 3600);
    store(&place, "s.db", &all);
    let right = everything(&place, &[]);
    all.pop();
    store(&place, "less.db", &all);
    let less = place.run(["export", "--db", "less.db", "-f", "ndjson", "-q"]).clean();
    let twice = format!("{right}{}", right.lines().next().unwrap());
    let changed = right.replacen("230.", "231.", 1);
    control(
        16,
        [
            ("a store without its last reading", each_once(right.lines(), less.lines())),
            ("a reading twice", each_once(right.lines(), twice.lines())),
            ("a reading changed", each_once(right.lines(), changed.lines())),
        ],
    );
}
