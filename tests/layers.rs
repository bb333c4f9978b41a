//! The table of rooms in `src/lib.rs`, checked against the sources.
//!
//! Every room of `src/` is listed with the rooms it may name through `crate::`. A room that is missing here, or that
//! reaches upward, fails with the file and the name.

#![allow(missing_docs, clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};

/// Bottom to top. `cli` and `main` sit above everything and are not limited.
const LAYERS: &[(&str, &[&str])] = &[
    ("reading", &[]),
    ("wire", &["reading"]),
    ("transport", &["reading", "wire"]),
    ("dialogue", &["reading", "wire"]),
    ("acquire", &["reading", "wire"]),
    ("session", &["reading", "wire", "transport", "dialogue", "acquire"]),
    ("simulate", &["reading", "wire", "transport"]),
    ("store", &["reading"]),
    ("detect", &["reading", "acquire"]),
    ("events", &["reading", "detect", "store"]),
    ("logger", &["reading", "wire", "transport", "acquire", "session", "store", "detect", "events"]),
    ("document", &["reading"]),
    ("exchange", &["reading", "document"]),
    ("archive", &["reading", "document"]),
    ("past", &["reading", "store", "document", "archive"]),
    ("consolidate", &["reading", "store", "document", "exchange", "archive", "past"]),
    ("analyse", &["reading", "store", "past"]),
    ("serve", &["reading", "store", "document", "exchange", "archive", "past", "analyse"]),
];
const UNLIMITED: &[&str] = &["cli", "main", "lib"];
/// Every room but the command line.
const EVERY: &[&str] = &[
    "reading",
    "wire",
    "transport",
    "dialogue",
    "acquire",
    "session",
    "simulate",
    "store",
    "detect",
    "events",
    "logger",
    "document",
    "exchange",
    "archive",
    "past",
    "consolidate",
    "analyse",
    "serve",
];

fn sources() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    rust_files(&src)
        .into_iter()
        .map(|file| {
            let first = file.strip_prefix(&src).unwrap().components().next().unwrap();
            let room = first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_string();
            let text = fs::read_to_string(&file).unwrap();
            (room, file, text)
        })
        .collect()
}

#[test]
fn rooms_only_look_down() {
    let mut upward = Vec::new();
    for (room, file, text) in sources() {
        if UNLIMITED.contains(&room.as_str()) {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == room) else {
            panic!("{} is in no layer: add room `{room}` to LAYERS", file.display());
        };
        for used in rooms_named(&text) {
            if used != room && !allowed.contains(&used.as_str()) {
                upward.push(format!("{}: `{room}` may not use `{used}`", file.display()));
            }
        }
    }
    assert!(upward.is_empty(), "\n{}", upward.join("\n"));
}

/// What must be absent from a room, whatever it uses.
#[test]
fn rooms_keep_to_their_job() {
    const FORBIDDEN: &[(&str, &[&str])] = &[
        ("anyhow", EVERY),
        (
            "serde::",
            &[
                "reading",
                "wire",
                "transport",
                "dialogue",
                "acquire",
                "session",
                "simulate",
                "store",
                "detect",
                "events",
                "logger",
            ],
        ),
        (
            "rusqlite",
            &[
                "reading",
                "wire",
                "transport",
                "dialogue",
                "acquire",
                "session",
                "simulate",
                "detect",
                "events",
                "logger",
                "document",
                "archive",
                "serve",
            ],
        ),
        (
            "std::fs",
            &[
                "reading", "wire", "dialogue", "acquire", "session", "simulate", "detect", "events", "document",
                "exchange", "serve",
            ],
        ),
        ("std::io", &["reading", "wire", "dialogue", "acquire", "detect"]),
        (
            "std::net",
            &[
                "reading", "wire", "dialogue", "acquire", "session", "store", "logger", "document", "exchange",
                "archive",
            ],
        ),
        (
            "Instant::now",
            &["wire", "dialogue", "acquire", "store", "detect", "events", "document", "exchange", "archive"],
        ),
        (
            "chrono::",
            &[
                "wire",
                "transport",
                "dialogue",
                "acquire",
                "session",
                "simulate",
                "store",
                "logger",
                "document",
                "exchange",
                "archive",
                "cli",
                "serve",
            ],
        ),
        ("println!", EVERY),
        (
            "clap::",
            &[
                "wire",
                "transport",
                "dialogue",
                "acquire",
                "session",
                "simulate",
                "store",
                "logger",
                "document",
                "exchange",
                "archive",
                "serve",
            ],
        ),
    ];
    let mut found = Vec::new();
    for (room, file, text) in sources() {
        let code = without_comments(&text);
        for (word, rooms) in FORBIDDEN {
            if rooms.contains(&room.as_str()) && code.contains(word) {
                found.push(format!("{}: `{word}` has no place in `{room}`", file.display()));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_map_in_lib_rs_names_every_room() {
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for (room, allowed) in LAYERS {
        let line = map.lines().find(|line| line.starts_with(&format!("//! | [`{room}`]")));
        let line = line.unwrap_or_else(|| panic!("src/lib.rs does not list {room}"));
        for used in *allowed {
            assert!(line.contains(&format!("`{used}`")), "src/lib.rs: {room} may use {used}");
        }
    }
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code without comment lines, so that doc links and prose may name anything.
fn without_comments(source: &str) -> String {
    source.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect()
}

/// The first path segment after each `crate::`, groups (`crate::{a, b::c}`) included.
fn rooms_named(source: &str) -> Vec<String> {
    let code = without_comments(source);
    let mut named = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => named.extend(top_level_names(group)),
            None => named.extend(leading_name(rest)),
        }
    }
    named
}

fn top_level_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.extend(leading_name(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.extend(leading_name(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    names
}

/// Only lower-case names are rooms: `crate::Error` names an item of `lib.rs`.
fn leading_name(text: &str) -> Option<String> {
    let word: String = text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    word.starts_with(|c: char| c.is_ascii_lowercase()).then_some(word)
}

#[test]
fn the_reader_of_names_sees_groups() {
    assert_eq!(rooms_named("use crate::{store::Store, reading::{A, B}};"), ["store", "reading"]);
    assert_eq!(rooms_named("// crate::cli\nuse crate::wire::hdlc;"), ["wire"]);
}
