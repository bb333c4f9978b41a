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
