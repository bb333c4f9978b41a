use super::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// A string literal at the beginning of a source text, as the compiler reads it.
fn literal(source: &str) -> Option<String> {
    let mut letters = source.strip_prefix('"')?.chars().peekable();
    let mut text = String::new();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => match letters.next()? {
                'n' => text.push('\n'),
                '\n' => while letters.next_if(|letter| letter.is_whitespace()).is_some() {},
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

/// Every text that the sources of this room say.
fn said() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli"), &mut files);
    let mut texts = BTreeSet::new();
    for file in files.iter().filter(|file| !file.ends_with("words/mod.rs") && !file.ends_with("words/tests.rs")) {
        let source = fs::read_to_string(file).unwrap();
        // Not the end of `include_str!`.
        let begins = |at: usize| !source[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        for (at, _) in source.match_indices("tr!(").filter(|(at, _)| begins(*at)) {
            let text = literal(source[at + 4..].trim_start());
            texts.insert(text.unwrap_or_else(|| panic!("{}: byte {at}: tr! wants a literal", file.display())));
        }
    }
    texts
}

fn gaps(text: &str) -> BTreeSet<String> {
    let plain = text.replace("{{", "").replace("}}", "");
    plain.split('{').skip(1).map(|rest| rest.split_once('}').expect(text).0.to_owned()).collect()
}

#[test]
fn every_text_exists_in_every_language_with_the_same_gaps() {
    let said = said();
    assert!(said.len() > 10);
    for (name, file) in [("fr.toml", include_str!("fr.toml")), ("de.toml", include_str!("de.toml"))] {
        let texts: Catalogue = toml::from_str(file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let missing: Vec<_> = said.iter().filter(|text| !texts.contains_key(*text)).collect();
        assert!(missing.is_empty(), "{name} lacks {missing:#?}");
        let stale: Vec<_> = texts.keys().filter(|text| !said.contains(*text)).collect();
        assert!(stale.is_empty(), "{name} has what nobody says: {stale:#?}");
        for (english, other) in &texts {
            assert_eq!(gaps(english), gaps(other), "{name}: {english}");
            let ends = |text: &str| (text.starts_with(' '), text.ends_with(' '), text.ends_with('\n'));
            assert_eq!(ends(english), ends(other), "{name}: {english}");
        }
        let keys: Vec<&str> = file.lines().skip(1).collect();
        assert!(keys.is_sorted(), "{name} is not sorted");
    }
}

/// Into a pipe English goes as plain ASCII.
#[test]
fn english_is_ascii() {
    let said = said();
    let other: Vec<_> = said.iter().filter(|text| !text.is_ascii()).collect();
    assert!(other.is_empty(), "{other:#?}");
}

#[test]
fn gaps_are_filled_wherever_they_stand() {
    let values: [(&str, &dyn Display); 2] = [("a", &1), ("b", &"{a}")];
    assert_eq!(fill("{b} and {a}, {{a}} {a", &values), "{a} and 1, {a} 1");
    assert_eq!(fill("größer: {a}", &values), "größer: 1");
    assert_eq!(fill("", &values), "");
}

#[test]
fn english_is_what_the_source_says() {
    let port = "/dev/ttyUSB0";
    assert_eq!(tr!("no port {port} of {n}", port, n = 2), "no port /dev/ttyUSB0 of 2");
}
