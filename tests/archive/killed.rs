//! `kill -9` while consolidating and pruning: at every moment each reading is in the store or in a whole file.

use crate::testenv::check::each_once;
use crate::testenv::random::Random;
use crate::testenv::{Place, figures};
use crate::{METER, entries, everything, rounds, store, tree};
use std::fs;
use std::time::Duration;

const RUN: [&str; 9] = ["consolidate", "--db", "s.db", "--archive", "a", "--keep", "6mo", "--prune", "-q"];

/// Each time is in the store, or in a day file that is what its manifest says.
fn nothing_is_lost(place: &Place, all: &str, what: &str) {
    place.run(["db", "check", "--db", "s.db", "-q"]).clean();
    // Half-written files have other names, and never one of the archive's.
    for (name, bytes) in tree(&place.path("a")) {
        let is_final = name.ends_with(".json.gz");
        let is_whole = flate2::read::GzDecoder::new(&bytes[..]).bytes_are_whole();
        assert!(!is_final || is_whole, "{what}: {name} is half a file");
    }
    let archive: &[&str] = if place.path("a").is_dir() { &["--from-archive", "a"] } else { &[] };
    let told = everything(place, archive);
    each_once(all.lines(), told.lines()).unwrap_or_else(|why| panic!("{what}: {why}"));
}

trait Whole {
    fn bytes_are_whole(self) -> bool;
}

impl<R: std::io::Read> Whole for R {
    fn bytes_are_whole(mut self) -> bool {
        std::io::copy(&mut self, &mut std::io::sink()).is_ok()
    }
}

#[test]
fn promise_p04_a_run_that_is_killed_loses_nothing_and_the_next_one_ends_it() {
    let place = Place::new();
    store(&place, "full.db", &entries(METER, "2025-09-20T00:00:00Z", "2025-11-20T00:00:00Z", 600));
    let fresh = fs::read(place.path("full.db")).unwrap();
    let reset = |place: &Place| {
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(place.path(&format!("s.db{end}")));
        }
        place.write("s.db", &fresh);
        let _ = fs::remove_dir_all(place.path("a"));
    };
    reset(&place);
    let all = everything(&place, &[]);
    let begun = releve::reading::Instant::now().unix_micros();
    place.run(RUN).clean();
    let took = usize::try_from(releve::reading::Instant::now().unix_micros() - begun).unwrap();
    let done = tree(&place.path("a"));
    let mut random = Random(0x1234_5678);
    let (mut finished, mut kills) = (0, 0);
    for round in 0..rounds(40, 300) {
        reset(&place);
        // Sometimes over and over, until it is done.
        for again in 0..1 + round % 3 {
            let mut child = place.command().args(RUN).spawn().unwrap();
            std::thread::sleep(Duration::from_micros(u64::try_from(random.below(took * 11 / 10)).unwrap()));
            finished += usize::from(child.try_wait().unwrap().is_some());
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            nothing_is_lost(&place, &all, &format!("round {round}.{again}"));
        }
        place.run(RUN).clean();
        nothing_is_lost(&place, &all, &format!("round {round}, after"));
        place.run(["consolidate", "--archive", "a", "--verify", "-q"]).clean();
        assert!(tree(&place.path("a")) == done, "round {round}: another archive, or a stray file");
    }
    figures(4, kills, kills, 0, format_args!("kills, {finished} of them after the end of the run"));
}
