//! A running logger keeps the archive up to date.

use crate::testenv::Place;
use crate::{METER, entries, store, tree};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn the_logger_archives_what_is_complete_beside_its_work() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2025-11-01T00:00:00Z", "2025-11-12T00:00:00Z", 3600));
    // A meter that says nothing.
    let meter = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("tcp://{}", meter.local_addr().unwrap());
    let mut command = place.command();
    command.args(["log", "--db", "s.db", "--archive", "a", "--protocol", "dsmr", "--port", &port]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..300 {
        std::thread::sleep(Duration::from_millis(100));
        if place.path("a/hebdomadaire/manifeste_2025.json").exists() {
            break;
        }
    }
    std::thread::sleep(Duration::from_millis(300));
    let stopped = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(stopped.success() && child.wait().unwrap().success());
    let days = tree(&place.path("a")).into_keys().filter(|name| name.contains("jour_")).count();
    assert_eq!(days, 11);
    place.run(["consolidate", "--archive", "a", "--verify", "-q"]).clean();
}

#[test]
fn the_units_are_sound() {
    let contrib = crate::testenv::repository().join("contrib");
    let place = Place::new();
    let unit = std::fs::read_to_string(contrib.join("releve-consolidate.service")).unwrap();
    // The program need not be installed to check the rest.
    place.write("releve-consolidate.service", unit.replace("/usr/bin/releve", "/bin/true"));
    place.write("releve-consolidate.timer", std::fs::read(contrib.join("releve-consolidate.timer")).unwrap());
    let analyze =
        |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).current_dir(place.path("")).output();
    let Ok(verified) = analyze(&["verify", "--man=no", "./releve-consolidate.service", "./releve-consolidate.timer"])
    else {
        println!("skipped: systemd-analyze is not installed");
        return;
    };
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let security = analyze(&["security", "--offline=true", "--threshold=20", "./releve-consolidate.service"]).unwrap();
    assert!(security.status.success(), "{}", String::from_utf8_lossy(&security.stdout));
    // What the units and the crontab run is understood.
    let crontab = std::fs::read_to_string(contrib.join("crontab")).unwrap();
    let lines = crontab
        .lines()
        .chain(unit.lines())
        .filter_map(|line| line.split_once("releve consolidate ").map(|(_, rest)| rest));
    let mut count = 0;
    for line in lines {
        let arguments = line.replace("/var/lib/releve/", "./");
        let run = place.run(std::iter::once("consolidate").chain(arguments.split_whitespace()));
        assert_eq!(run.exit, 66, "{line}: {}", run.stderr);
        count += 1;
    }
    assert_eq!(count, 3);
}
