//! What contrib/ ships: units that systemd finds sound and well closed in, and lines for cron, all of which run the program as it is.

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
        place.write(name, text.replace("/usr/bin/releve", "/bin/true"));
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
fn what_units_and_crontab_run_is_understood() {
    let place = Place::new();
    let mut count = 0;
    for (_, text) in files("systemd").into_iter().chain([crontab()]) {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((_, rest)) = line.split_once("releve consolidate ") else { continue };
            let arguments = rest.replace("/var/lib/releve/", "./");
            let run = place.run(std::iter::once("consolidate").chain(arguments.split_whitespace()));
            // There is no store here, which is another matter than usage.
            assert_eq!(run.exit, 66, "{line}: {}", run.stderr);
            count += 1;
        }
        for command in ["log", "serve"] {
            if text.contains(&format!("ExecStart=/usr/bin/releve {command}\n")) {
                place.run([command, "--help"]).clean();
                count += 1;
            }
        }
    }
    assert_eq!(count, 5);
}

fn crontab() -> (String, String) {
    ("crontab".to_owned(), fs::read_to_string(repository().join("contrib/crontab")).unwrap())
}
