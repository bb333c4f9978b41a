//! The units in contrib/: systemd finds them sound and well closed in, and what they run is understood.

use crate::testenv::{Place, repository};
use std::fs;
use std::process::Command;

/// The files of a folder of contrib/, by name.
fn files(folder: &str) -> Vec<(String, String)> {
    let mut found: Vec<_> = fs::read_dir(repository().join("contrib").join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    found.sort();
    found
}

#[test]
fn systemd_finds_the_units_sound_and_well_closed_in() {
    let place = Place::new();
    let units = files("systemd");
    assert_eq!(units.len(), 4, "{units:?}");
    for (name, text) in &units {
        // The program need not be installed to check the rest.
        place.write(name, text.replace("ExecStart=releve ", "ExecStart=/bin/true "));
    }
    let analyze =
        |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).current_dir(place.path("")).output();
    for (name, _) in &units {
        let name = format!("./{name}");
        let Ok(verified) = analyze(&["verify", "--man=no", &name]) else {
            println!("skipped: systemd-analyze is not installed");
            return;
        };
        let said = String::from_utf8_lossy(&verified.stderr);
        assert!(verified.status.success() && !said.contains("releve"), "{name}: {said}");
        if name.ends_with(".service") {
            let security = analyze(&["security", "--offline=true", "--threshold=20", &name]).unwrap();
            assert!(security.status.success(), "{name}: {}", String::from_utf8_lossy(&security.stdout));
        }
    }
}

#[test]
fn what_units_run_is_understood() {
    let place = Place::new();
    let mut commands = Vec::new();
    for (_, text) in files("systemd") {
        for line in text.lines().filter_map(|line| line.strip_prefix("ExecStart=releve ")) {
            let arguments = line.replace("/var/lib/releve/", "./");
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            commands.push(arguments[0].to_owned());
            match arguments[0] {
                // There is no store here, which is another matter than usage.
                "consolidate" => assert_eq!(place.run(arguments).exit, 66, "{line}"),
                _ => drop(place.run(arguments.into_iter().chain(["--help"])).clean()),
            }
        }
    }
    assert_eq!(commands, ["consolidate", "log", "serve"]);
}
