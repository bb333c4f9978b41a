//! `contrib/debian/copyright`: under which licence everything stands that is linked into the program, and whose it is.
//!
//! `UPDATE=1 cargo test --test cli notices` rewrites it, from the sources that cargo has fetched.

use crate::testenv::repository;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

const FILE: &str = "contrib/debian/copyright";

/// Where Debian keeps texts; the others stand in the file.
const COMMON: [&str; 2] = ["Apache-2.0", "MPL-2.0"];

/// What cargo knows of the packages for Linux on x86-64, whose list is that of all Linux machines.
fn metadata() -> Option<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version=1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(repository())
        .output()
        .unwrap();
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
}

/// The packages that end up in the program: neither what only builds or tests it, nor macros.
fn linked(metadata: &Value) -> Vec<&Value> {
    let list = |value: &Value| value.as_array().unwrap().clone();
    let packages: BTreeMap<&str, &Value> =
        metadata["packages"].as_array().unwrap().iter().map(|one| (one["id"].as_str().unwrap(), one)).collect();
    let nodes: BTreeMap<_, _> = list(&metadata["resolve"]["nodes"])
        .into_iter()
        .map(|one| (one["id"].as_str().unwrap().to_owned(), one))
        .collect();
    let mut found = BTreeSet::new();
    let mut ahead = vec![metadata["resolve"]["root"].as_str().unwrap().to_owned()];
    while let Some(id) = ahead.pop() {
        for dependency in list(&nodes[&id]["deps"]) {
            let is_normal = list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
            let id = dependency["pkg"].as_str().unwrap().to_owned();
            let is_macro = list(&packages[id.as_str()]["targets"])
                .iter()
                .any(|target| list(&target["kind"]).contains(&"proc-macro".into()));
            if is_normal && !is_macro && found.insert(id.clone()) {
                ahead.push(id);
            }
        }
    }
    found.iter().map(|id| packages[id.as_str()]).collect()
}

/// A licence as Debian writes it, of which we take what is free of conditions on our own files.
fn licence(expression: &str) -> String {
    let expression = expression.replace('/', " OR ");
    let of_all = expression.split(" AND ").map(|part| {
        let mut choices: Vec<_> = part.trim_matches(['(', ')']).split(" OR ").collect();
        choices.retain(|choice| !choice.starts_with("GPL") && !choice.contains(" WITH "));
        choices.sort_unstable();
        choices.dedup();
        choices.join(" or ")
    });
    of_all.collect::<Vec<_>>().join(" and ")
}

/// The notices in the licence files of a package, without the word and the sign, else its authors.
fn notices(package: &Value) -> BTreeSet<String> {
    let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().to_uppercase();
        let is_ours = ["LICEN", "COPY", "UNLICENSE", "NOTICE"].iter().any(|start| name.starts_with(start));
        if !is_ours || name.contains("GPL") || !path.is_file() {
            continue;
        }
        for line in String::from_utf8_lossy(&fs::read(&path).unwrap()).lines() {
            let line = line.trim();
            let Some(rest) = line.strip_prefix("Copyright ").or(line.starts_with("(C) ").then_some(line)) else {
                continue;
            };
            let mark = ["(c) ", "(C) ", "© "].iter().find_map(|mark| rest.strip_prefix(mark));
            if mark.is_some() || rest.starts_with(|first: char| first.is_ascii_digit()) {
                let notice = mark.unwrap_or(rest).trim_end_matches("All rights reserved.").trim().to_owned();
                let names_nobody = !notice.contains(char::is_alphabetic);
                let of = if names_nobody {
                    format!(" the {} authors", package["name"].as_str().unwrap())
                } else {
                    String::new()
                };
                found.insert(notice + &of);
            }
        }
    }
    if found.is_empty() {
        found.extend(package["authors"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()));
    }
    if found.is_empty() {
        found.insert(format!("the {} authors", package["name"].as_str().unwrap()));
    }
    found
}

/// The paragraphs between the head and the texts: one for each package.
fn paragraphs(packages: &[&Value]) -> String {
    let mut all: BTreeMap<&str, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for package in packages {
        // Two versions of a package are one entry: whose it is does not change with them.
        let (licences, holders) = all.entry(package["name"].as_str().unwrap()).or_default();
        licences.insert(licence(package["license"].as_str().unwrap()));
        holders.extend(notices(package));
    }
    let paragraph = |(name, (licences, holders)): (&str, (BTreeSet<String>, BTreeSet<String>))| {
        assert_eq!(licences.len(), 1, "{name}: {licences:?}");
        let holders = Vec::from_iter(holders).join("\n           ");
        format!("Files: crates/{name}/*\nCopyright: {holders}\nLicense: {}\n\n", licences.first().unwrap())
    };
    all.into_iter().map(paragraph).collect()
}

const BEGIN: &str = "Files: crates/";
const END: &str = "\n\nLicense: Apache-2.0\n";

#[test]
fn what_is_linked_in_is_named_with_its_licence_and_holders() {
    let Some(metadata) = metadata() else {
        println!("skipped: cargo does not have all sources");
        return;
    };
    let path = repository().join(FILE);
    let kept = fs::read_to_string(&path).unwrap();
    let (begin, end) = (kept.find(BEGIN).unwrap(), kept.find(END).unwrap() + 2);
    let made = format!("{}{}{}", &kept[..begin], paragraphs(&linked(&metadata)), &kept[end..]);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert!(
        made == kept || std::env::var_os("UPDATE").is_some(),
        "{FILE} is out of step: UPDATE=1 cargo test --test cli notices"
    );
}

#[test]
fn every_licence_that_is_named_has_its_text() {
    let kept = fs::read_to_string(repository().join(FILE)).unwrap();
    let (named, texts): (Vec<_>, Vec<_>) = kept.split("\n\n").partition(|part| part.starts_with("Files:"));
    let texts: BTreeMap<_, _> =
        texts.iter().filter_map(|part| part.trim_start().strip_prefix("License: ")?.split_once('\n')).collect();
    let licence_of =
        |part: &str| part.lines().find_map(|line| Some(line.strip_prefix("License: ")?.to_owned())).unwrap();
    let names: BTreeSet<String> = named
        .iter()
        .flat_map(|part| licence_of(part).replace(" and ", " or ").split(" or ").map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(named.len() > 100 && names.contains("MPL-2.0"), "{names:?}");
    assert_eq!(Vec::from_iter(&names), Vec::from_iter(&texts.keys().map(|&name| name.to_owned()).collect::<Vec<_>>()));
    for name in COMMON {
        assert!(texts[name].contains(&format!("/usr/share/common-licenses/{name}")), "{name}");
    }
    let serialport = named.iter().find(|part| part.starts_with("Files: crates/serialport/")).unwrap();
    assert_eq!(licence_of(serialport), "MPL-2.0");
}

#[test]
fn a_choice_of_licences_is_read() {
    assert_eq!(licence("MIT/Apache-2.0"), "Apache-2.0 or MIT");
    assert_eq!(licence("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"), "Apache-2.0 or MIT");
    assert_eq!(licence("MIT OR GPL-3.0-only"), "MIT");
    assert_eq!(licence("MIT AND BSD-3-Clause"), "MIT and BSD-3-Clause");
}
