use super::*;
use crate::cli::diagnosis;
use crate::reading::{Anomaly, AnomalyCode};
use crate::session::Cause;
use crate::wire::Line;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// Every id that a source names, with the statuses that stand right before it.
fn ids_of_the_sources() -> BTreeMap<String, BTreeSet<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("src/session/diagnosis.rs")];
    sources(&root.join("src/cli"), &mut files);
    let mut found: BTreeMap<String, BTreeSet<u8>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let literals: Vec<(usize, &str)> = code.match_indices('"').map(|(at, _)| (at, &code[at + 1..])).collect();
        for (at, rest) in literals {
            let id = rest.split('"').next().unwrap();
            if !is_id(id) {
                continue;
            }
            let statuses = found.entry(id.to_owned()).or_default();
            let before = code[..at].trim_end().strip_suffix(',').unwrap_or_default();
            let name = before.rsplit(|c: char| !c.is_ascii_uppercase() && c != '_').next().unwrap();
            statuses.extend(status(name));
        }
    }
    found
}

/// `group.name`, and not the name of a file.
fn is_id(text: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let ends = ["db", "toml", "json", "bin", "gz"];
    text == "other"
        || text != "releve.key"
            && text.split_once('.').is_some_and(|(group, name)| word(group) && word(name) && !ends.contains(&name))
}

fn status(name: &str) -> Option<u8> {
    Some(match name {
        "OTHER" => failure::OTHER,
        "USAGE" => failure::USAGE,
        "DATA" => failure::DATA,
        "NO_INPUT" => failure::NO_INPUT,
        "NO_METER" => failure::NO_METER,
        "WRITE" => failure::WRITE,
        "BUSY" => failure::BUSY,
        "NOT_A_METER" => failure::NOT_A_METER,
        "DENIED" => failure::DENIED,
        "CONFIG" => failure::CONFIG,
        _ => return None,
    })
}

/// The statuses that a section ends with: `Exit status 66 or 77.`
fn statuses(id: &str) -> BTreeSet<u8> {
    let text = section(id).unwrap_or_else(|| panic!("{id} has no section"));
    let last = text.lines().next_back().unwrap();
    let list = last.strip_prefix("Exit status ").and_then(|rest| rest.strip_suffix('.'));
    let list = list.unwrap_or_else(|| panic!("{id} does not end with its status: {last}"));
    list.split([',', ' ']).filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn e7_every_id_has_its_section_and_no_section_is_stale() {
    let ids = ids_of_the_sources();
    assert!(ids.len() > 100, "{}", ids.len());
    let documented: BTreeSet<&str> = sections().map(|(id, _)| id).collect();
    assert_eq!(documented.len(), sections().count(), "an id has two sections");
    let missing: Vec<_> = ids.keys().filter(|id| !documented.contains(id.as_str())).collect();
    assert!(missing.is_empty(), "docs/ERRORS.md lacks {missing:?}");
    let stale: Vec<_> = documented.iter().filter(|id| !ids.contains_key(**id)).collect();
    assert!(stale.is_empty(), "docs/ERRORS.md explains what nobody says: {stale:?}");
    for (id, text) in sections() {
        let lines: Vec<&str> = text.lines().collect();
        assert!((2..=8).contains(&lines.len()), "{id}: {} lines", lines.len());
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{id} is wider than a terminal");
    }
}

#[test]
fn e7_the_status_of_a_section_is_that_of_the_code() {
    for (id, found) in ids_of_the_sources() {
        let written = statuses(&id);
        assert!(found.is_subset(&written), "{id}: the code says {found:?}, docs/ERRORS.md {written:?}");
    }
    let words = || SmolStr::new_static("x");
    let fault = || Anomaly::new(AnomalyCode::Checksum, 0, "x");
    let right = Line::eight_none(9600);
    for cause in [
        Cause::Silent,
        Cause::EchoOnly,
        Cause::WrongSpeed { right },
        Cause::WrongParity { right },
        Cause::Misplaced { fault: None },
        Cause::NoData { identification: words() },
        Cause::ModeEOnly { identification: words(), refusal: None },
        Cause::Refused { words: words() },
        Cause::KeyMissing { fault: fault() },
        Cause::KeyMismatch { fault: fault() },
        Cause::PushOff,
        Cause::NotAMeter { sample: Vec::new() },
        Cause::PinMissing,
    ] {
        let failure = diagnosis::failure(&cause, "/dev/ttyUSB0", &[]);
        assert!(statuses(failure.id).contains(&failure.exit), "{} ends with {}", failure.id, failure.exit);
        assert!(failure.to_string().lines().count() <= 6, "{failure}");
    }
}

#[test]
fn h6_every_command_stands_under_exactly_one_heading() {
    let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    grouped.sort_unstable();
    let tree = crate::cli::command();
    let mut there: Vec<&str> = tree.get_subcommands().map(clap::Command::get_name).collect();
    there.sort_unstable();
    assert_eq!(grouped, there);
}
