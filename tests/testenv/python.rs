//! Python programs that give a second opinion, with packages that `.ci/run` installs.

use super::repository;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A Python that has `module`: the one `.ci/run` sets up under `target/python`, or the system's.
///
/// `None` prints why the test is skipped.
pub fn python_with(module: &str) -> Option<PathBuf> {
    let own = repository().join("target/python/bin/python");
    let found = [own, PathBuf::from("python3")].into_iter().find(|python| {
        let check = Command::new(python).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
        check.is_ok_and(|status| status.success())
    });
    if found.is_none() {
        println!("skipped: no Python with {module}; .ci/run installs it");
    }
    found
}
