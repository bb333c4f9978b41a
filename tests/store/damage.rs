//! Damaged files: an answer is whole and right, or it is none.

use crate::testenv::{Place, Run};
use crate::{Random, mixed_store, rounds};
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
fn a_damaged_store_gives_the_whole_answer_or_an_error() {
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
        if run.exit == 0 {
            assert!(run.stdout == right, "{round}: {what}: exit 0 with another answer");
            harmless += 1;
        } else {
            assert!(run.stderr.starts_with("error: "), "{round}: {what}: {}", run.stderr);
            assert_ne!(checked.exit, 0, "{round}: {what}: export fails, the check does not: {}", run.stderr);
            noticed += 1;
        }
        // What is damaged is never written to by one who reads, nor replaced by one who writes.
        assert!(fs::read(place.path("s.db")).unwrap() == bytes, "{round}: {what}: the file was changed");
    }
    println!("{noticed} damages noticed, {harmless} without consequence");
    assert!(noticed > harmless);
}

#[test]
fn what_is_damaged_is_not_overwritten_by_an_import() {
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
}
