//! The fuzz targets, run without a fuzzer: over seeds of what each of them reads, over mutations of those that a fixed seed
//! chooses, and over everything that a fuzzer has once found.
//!
//! With cargo-fuzz the same targets run for as long as one likes, see docs/reliability.md; `FUZZ_CORPUS=fuzz/corpus` writes the
//! seeds where it looks for them.

#![allow(missing_docs, clippy::print_stdout)]

mod testenv;

#[path = "../fuzz/seeds.rs"]
#[allow(unreachable_pub)]
mod seeds;
#[path = "../fuzz/targets.rs"]
#[allow(unreachable_pub)]
mod targets;

use std::fs;
use std::path::Path;
use testenv::random::Random;
use testenv::{captures, repository};

/// Mutations of each fixture for each target; `FUZZ_ROUNDS` asks for more.
fn rounds() -> usize {
    std::env::var("FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(40)
}

/// By target, what it starts from.
fn corpora() -> Vec<(&'static str, targets::Target, Vec<Vec<u8>>)> {
    let mut bytes: Vec<_> = captures().into_iter().map(|(_, path)| fs::read(path).unwrap()).collect();
    bytes.push(b"\xff\xfd\x2c/ISK\xff\xff5\xff\xfa\x2c\x65\0\0\x01\x2c\xff\xf0\r\n\xff\xfb\x03".to_vec());
    bytes.push(b"releve capture 1 2026-11-21T14:30:00Z x\n+0.1 = 300,7E1\n+0.2 > 2F3F\n+1.5 < 2F4C\n+9 # y\n".to_vec());
    targets::TARGETS.iter().map(|&(name, target)| (name, target, seeds::seeds(name, &bytes))).collect()
}

#[test]
fn targets_hold_on_seeds_and_their_mutations() {
    for (name, target, corpus) in corpora() {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut runs = 0;
        for seed in &corpus {
            target(seed);
            for _ in 0..rounds() {
                target(&mutate(seed, &corpus, &mut random));
                runs += 1;
            }
        }
        println!("fuzz {name}: {runs} mutations");
    }
}

/// `fixtures/fuzz/TARGET/` has an input for each failure that a fuzzer found; none may come back.
#[test]
fn what_a_fuzzer_found_once_holds() {
    let found = repository().join("fixtures/fuzz");
    for folder in fs::read_dir(&found).into_iter().flatten() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let target = targets::TARGETS.iter().find(|(other, _)| *other == name);
        let (_, target) = target.unwrap_or_else(|| panic!("there is no target {name}"));
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            println!("fuzz {name}: {}", path.display());
            target(&fs::read(path).unwrap());
        }
    }
}

/// Each target of the table has its file and its entry for the fuzzer, and there is no other.
#[test]
fn the_fuzzer_knows_every_target() {
    let folder = repository().join("fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let files = fs::read_dir(folder.join("fuzz_targets")).unwrap().count();
    assert_eq!(files, targets::TARGETS.len());
    assert_eq!(manifest.matches("[[bin]]").count(), files);
    for (name, _) in targets::TARGETS {
        assert!(folder.join(format!("fuzz_targets/{name}.rs")).exists(), "{name}");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
    }
}

/// Writes the seeds, a folder for each target, where `FUZZ_CORPUS` says.
#[test]
fn seeds_are_written_where_a_fuzzer_looks_for_them() {
    let own = tempfile::tempdir().unwrap();
    let named = std::env::var_os("FUZZ_CORPUS").map(|folder| repository().join(folder));
    let folder = named.as_deref().unwrap_or(own.path());
    for (name, _, corpus) in corpora() {
        write(&folder.join(name), &corpus);
        assert!(fs::read_dir(folder.join(name)).unwrap().count() >= corpus.len(), "{name}");
    }
}

fn write(folder: &Path, corpus: &[Vec<u8>]) {
    fs::create_dir_all(folder).unwrap();
    for (index, seed) in corpus.iter().enumerate() {
        fs::write(folder.join(format!("seed-{index:02}")), seed).unwrap();
    }
}

/// What a careless wire does: bits flipped, bytes lost, doubled and inserted, pieces of other telegrams spliced in.
fn mutate(seed: &[u8], corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        match random.below(7) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, bytes[at]),
            3 => bytes[at] = [0x00, 0xFF, 0x1B, 0x7E, b'/', b'!', b'(', 0x80][random.below(8)],
            4 => bytes.truncate(at),
            5 => drop(bytes.drain(..at)),
            _ => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len());
                let to = from + random.below(other.len() - from);
                bytes.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
    bytes
}
