//! The dashboard in Chromium, see `browser.py`.

use crate::testenv::python::python_with;
use crate::testenv::repository;
use crate::world::{World, entry, event, now};
use releve::reading::Severity;
use releve::store::Entry;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The script of axe-core, where `.ci/run` puts it.
fn axe() -> Option<PathBuf> {
    let axe = repository().join("target/npm/node_modules/axe-core/axe.min.js");
    axe.exists().then_some(axe)
}

/// A year of half-hours and a day of minutes, so that there is something to zoom into.
fn world() -> World {
    let world = World::empty();
    let last = now();
    let mut entries: Vec<Entry> = Vec::new();
    for nth in 0..17_520 {
        let mut one = entry(last.plus_seconds(-1800 * (17_520 - nth) - 86_400), nth / 24);
        if let Some(power) = one.reading.registers.get_mut(2) {
            // By day the sun is stronger than the house.
            let watts = 600 + nth % 97 - if (16..32).contains(&(nth % 48)) { 1900 } else { 0 };
            power.value = releve::reading::Value::Number(watts.into());
        }
        entries.push(one);
    }
    entries.extend((0..1440).map(|nth| entry(last.plus_seconds(60 * (nth - 1439)), 730 + nth)));
    let mut store = world.store();
    for part in entries.chunks(2000) {
        store.insert(part).unwrap();
    }
    store.seal(last).unwrap();
    let kinds =
        [("surtension", Severity::Error), ("pic_puissance", Severity::Warning), ("changement_heure", Severity::Info)];
    let events: Vec<_> = kinds
        .iter()
        .zip(1..)
        .map(|(&(kind, severity), nth)| event(last.plus_seconds(-9000 * nth), kind, severity, &format!("Essai {kind}")))
        .collect();
    store.put_events(&events).unwrap();
    world
}

#[test]
fn the_dashboard_works_in_a_browser() {
    let Some(python) = python_with("playwright") else { return };
    let (Some(axe), true) = (axe(), Path::new("/usr/bin/chromium").exists()) else {
        println!("skipped: no Chromium or no axe-core; .ci/run installs them");
        return;
    };
    let server = world().serve(&[]);
    // Kept, to be looked at.
    let shots = repository().join("target/dashboard");
    std::fs::create_dir_all(&shots).unwrap();
    let mut child = Command::new(python)
        .arg(repository().join("tests/serve/browser.py"))
        .arg(format!("http://{}", server.address))
        .arg(axe)
        .arg(&shots)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    if let Some(Ok(line)) = lines.next() {
        if line == "ready" {
            server.world.store().insert(&[entry(now(), 5000)]).unwrap();
            let mut stdin = child.stdin.take().unwrap();
            writeln!(stdin, "7345").unwrap();
        }
        said.push(line);
    }
    said.extend(lines.map(|line| line.unwrap()));
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.last().is_some_and(|line| line == "done"), "{said:?}\n{errors}");
}
