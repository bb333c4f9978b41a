//! Completions and manual pages stand in the repository as the definition of the command makes them.
//!
//! `UPDATE=1 cargo test --test cli generated` rewrites them.

use crate::testenv::{Place, repository};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

fn compare(folder: &str, made: &BTreeMap<String, String>) {
    let kept = repository().join(folder);
    if std::env::var_os("UPDATE").is_some() {
        let _ = fs::remove_dir_all(&kept);
        fs::create_dir_all(&kept).unwrap();
        for (name, text) in made {
            fs::write(kept.join(name), text).unwrap();
        }
    }
    let same = files(&kept) == *made;
    assert!(same, "{folder}/ is out of step: UPDATE=1 cargo test --test cli generated");
}

#[test]
fn completions_are_in_step() {
    let place = Place::new();
    let names = [("bash", "releve.bash"), ("zsh", "_releve"), ("fish", "releve.fish")];
    let made = names.map(|(shell, name)| (name.to_owned(), place.run(["completions", shell]).clean()));
    compare("completions", &BTreeMap::from(made));
}

#[test]
fn manual_pages_are_in_step_and_name_every_option() {
    let place = Place::new();
    place.run(["man", "pages"]).clean();
    let made = files(&place.path("pages"));
    for command in [
        "ports",
        "read",
        "log",
        "doctor",
        "simulate",
        "explain",
        "obis",
        "import",
        "export",
        "consolidate",
        "serve",
        "meters",
        "db",
        "config",
    ] {
        let page = &made[&format!("releve-{command}.1")];
        let help = place.run([command, "--help"]).clean();
        for word in help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2) {
            let flag: String = word.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            assert!(page.contains(&flag.replace('-', "\\-")), "releve-{command}.1 does not name {flag}");
        }
    }
    compare("man", &made);
}
