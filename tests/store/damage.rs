//! Damaged files: an answer is whole and right, or it is none.

use crate::testenv::check::{right_or_refused, same};
use crate::testenv::random::Random;
use crate::testenv::{Place, Run, control, figures};
use crate::{mixed_store, rounds};
use releve::store::{Entry, Store};
use std::fs;

const PAGE: usize = 1024;

fn damage(bytes: &mut Vec<u8>, random: &mut Random) -> String {
    let pages = bytes.len() / PAGE;
    match random.below(6) {
        0 | 1 => {
            let (at, bit) = (random.below(bytes.len()), random.below(8));
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at}")
        }
        2 => {
            let page = random.below(pages);
            bytes[page * PAGE..(page + 1) * PAGE].fill(0);
            format!("page {page} is zero")
        }
        3 => {
            let (one, other) = (random.below(pages), random.below(pages));
            let copy = bytes[one * PAGE..(one + 1) * PAGE].to_vec();
            bytes.copy_within(other * PAGE..(other + 1) * PAGE, one * PAGE);
            bytes[other * PAGE..(other + 1) * PAGE].copy_from_slice(&copy);
            format!("pages {one} and {other} are swapped")
        }
        4 => {
            let length = random.below(bytes.len());
            bytes.truncate(length);
            format!("cut to {length} bytes")
        }
        _ => {
            let at = random.below(bytes.len());
            let end = (at + 1 + random.below(600)).min(bytes.len());
            for byte in &mut bytes[at..end] {
                *byte = u8::try_from(random.below(256)).unwrap();
            }
            format!("noise from {at} to {end}")
        }
    }
}

#[test]
fn promise_p05_a_damaged_store_gives_the_whole_answer_or_an_error() {
    let place = Place::new();
    mixed_store(&place, "whole.db");
    let whole = fs::read(place.path("whole.db")).unwrap();
    let export = |place: &Place| place.run(["export", "--db", "s.db", "-f", "ndjson"]);
    place.write("s.db", &whole);
    let right = export(&place).clean();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut noticed, mut harmless) = (0, 0);
    for round in 0..rounds(60) {
        let mut bytes = whole.clone();
        let what = damage(&mut bytes, &mut random);
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(place.path(&format!("s.db{end}")));
        }
        place.write("s.db", &bytes);
        if random.below(4) == 0 {
            let noise: Vec<u8> = (0..20_000).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
            place.write("s.db-wal", noise);
        }
        let run = export(&place);
        let checked = place.run(["db", "check", "--db", "s.db", "-q"]);
        if right_or_refused(&run, &right).unwrap_or_else(|why| panic!("{round}: {what}: {why}")) {
            harmless += 1;
        } else {
            assert_ne!(checked.exit, 0, "{round}: {what}: export fails, the check does not: {}", run.stderr);
            noticed += 1;
        }
        // What is damaged is never written to by one who reads, nor replaced by one who writes.
        same(&what, &bytes, &fs::read(place.path("s.db")).unwrap()).unwrap();
    }
    assert!(noticed > harmless);
    figures(
        5,
        noticed + harmless,
        noticed + harmless,
        0,
        format_args!("damages, {noticed} noticed, {harmless} without consequence"),
    );
}

#[test]
fn promise_p05_what_is_damaged_is_not_overwritten_by_an_import() {
    let place = Place::new();
    mixed_store(&place, "s.db");
    let mut bytes = fs::read(place.path("s.db")).unwrap();
    bytes[..16].fill(0);
    place.write("s.db", &bytes);
    place.write("x.csv", "timestamp,tension_l1\n2025-11-07T00:00:00Z,231.5\n");
    let run = place.run(["import", "x.csv", "--meter", "M1", "--db", "s.db"]);
    assert_eq!(run.exit, 65, "{}", run.stderr);
    assert_eq!(fs::read(place.path("s.db")).unwrap(), bytes);
    let refused = |run: &Run| assert!(run.stderr.contains("[store.format]"), "{}", run.stderr);
    refused(&run);
    refused(&place.run(["db", "compact", "--db", "s.db"]));
    refused(&place.run(["db", "info", "--db", "s.db"]));
    figures(5, 1, 1, 0, "an import, a compaction and a question of a store without its head");
}

/// Stores of which a reading is missing, changed, or more than there was: whole by themselves, and the answer is another.
#[test]
fn promise_p05_control_answers_of_another_store_are_found_out() {
    let place = Place::new();
    let export = |db: &str| place.run(["export", "--db", db, "-f", "ndjson"]);
    let all = crate::entries(300, 288);
    Store::create(&place.path("right.db")).unwrap().insert(&all).unwrap();
    let right = export("right.db").clean();
    let with = |name: &str, change: fn(&mut Vec<Entry>)| {
        let mut entries = all.clone();
        change(&mut entries);
        Store::create(&place.path(name)).unwrap().insert(&entries).unwrap();
        right_or_refused(&export(name), &right)
    };
    assert_eq!(with("whole.db", |_| {}), Ok(true));
    let silent = Run { exit: 65, stdout: String::new(), stderr: String::new() };
    let panics = Run { exit: 101, stdout: String::new(), stderr: "error: it panicked".to_owned() };
    control(
        5,
        [
            ("a store without one reading", with("less.db", |all| drop(all.remove(7)))),
            (
                "a store with one reading changed",
                with("changed.db", |all| all[7].reading.registers = all[8].reading.registers.clone()),
            ),
            (
                "a store with a reading invented",
                with("more.db", |all| {
                    let mut one = all[7].clone();
                    one.at = one.at.plus_seconds(1);
                    all.push(one);
                }),
            ),
            ("an error without a word", right_or_refused(&silent, &right)),
            ("a panic", right_or_refused(&panics, &right)),
            ("a file that was replaced by an empty one", same("the file", &vec![1u8], &Vec::new()).map(|()| true)),
        ],
    );
}
