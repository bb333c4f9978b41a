//! Every fixture has its expected readings beside it, `NAME.expected.json`.
//!
//! `UPDATE=1 cargo test --test golden` rewrites them; look at the difference before you commit it.

#![allow(missing_docs, clippy::print_stdout)]

mod testenv;

use std::fs;
use testenv::{Place, captures, fixture};

#[test]
fn every_fixture_reads_as_expected() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for (name, path) in captures() {
        let place = Place::new();
        let capture = place.capture(&name);
        let key = place.write("key", fs::read(fixture("dlms/example.key")).unwrap());
        restrict(&key);
        let output = place
            .command()
            .arg("read")
            .arg(capture.file_name().unwrap())
            .args(["-f", "json", "--key-file", "key"])
            .output()
            .unwrap();
        let run = testenv::Run::of(output);
        let expected = path.with_extension("expected.json");
        if update {
            fs::write(&expected, &run.stdout).unwrap();
        }
        let found = fs::read_to_string(&expected).unwrap_or_default();
        if found != run.stdout || run.exit != 0 {
            wrong.push(format!("{name}: exit {}\n{}\n{}", run.exit, run.stderr, run.stdout));
        }
    }
    assert!(wrong.is_empty(), "{} fixtures differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[cfg(unix)]
fn restrict(key: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn restrict(_: &std::path::Path) {}
