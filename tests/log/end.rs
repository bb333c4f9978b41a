//! Ended by a signal: soon, with everything stored, and with 0.

use crate::meter::{House, Log, Meter, assert_whole, stored};
use crate::testenv::figures;
use rustix::process::Signal;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn promise_p14_everything_that_was_received_is_stored_before_the_end() {
    for signal in [Signal::TERM, Signal::INT] {
        let house = House::new();
        let meter = house.meter(50);
        let log = house.log(&[]);
        log.says("first reading", 1, 20);
        std::thread::sleep(Duration::from_secs(1));
        meter.speak(false);
        std::thread::sleep(Duration::from_millis(300));
        // Only what was first is written at once: the group is written because of the end.
        assert!(house.stored().len() < 10);
        let said = log.end_by(signal);
        let stored = house.stored();
        assert_whole(&stored);
        assert_eq!(stored.last(), Some(&meter.last()));
        assert_eq!(said.lines().last().unwrap(), format!("stored {} readings", stored.len()));
        assert_eq!(house.tails(), 0);
    }
    figures(14, 2, 2, 0, "ends by TERM and INT, within 2 s, everything stored");
}

#[test]
fn promise_p14_it_ends_as_soon_while_the_port_is_not_there() {
    let house = House::new();
    let log = house.log(&[]);
    log.says("there is no ./meter, waiting for it", 1, 5);
    log.end();
    let log = Log::start(house.command().args(["--port", "tcp://192.0.2.1:9"]));
    std::thread::sleep(Duration::from_millis(300));
    log.end();
    figures(14, 1, 1, 0, "an end while unplugged");
}

#[test]
fn promise_p14_it_ends_as_soon_while_the_meter_is_silent() {
    let house = House::new();
    let meter = house.meter(50);
    meter.speak(false);
    let log = house.log(&[]);
    std::thread::sleep(Duration::from_secs(4));
    log.end_by(Signal::INT);
    figures(14, 1, 1, 0, "an end while the meter is silent");
}

#[test]
fn promise_p14_it_ends_as_soon_while_nobody_reads_what_it_prints() {
    let house = House::new();
    let meter = house.meter(2);
    let mut log = Log::start(house.command().args(["--port", "./meter", "--print", "ndjson"]).stdout(Stdio::piped()));
    // More than a pipe holds.
    log.until("stuck", 20, |_| meter.sent().len() > 1000);
    let stdout = log.child.stdout.take();
    let said = log.end();
    drop(stdout);
    assert!(house.stored().len() > 900, "{said}");
    figures(14, 1, 1, 0, "an end while nobody reads its output");
}

#[test]
fn a_hang_up_without_a_terminal_is_no_end_but_a_wish_that_the_settings_are_read_again() {
    let house = House::new();
    let _one = Meter::sending_every(house.place.path("one"), Duration::from_millis(50));
    let _two = Meter::sending_every(house.place.path("two"), Duration::from_millis(50));
    house.place.write("c.toml", "[meters.home]\nport = \"./one\"\nid = \"HOME\"\n");
    let log = Log::start(house.command().args(["--config", "c.toml", "--commit", "1h"]));
    log.says("first reading", 1, 20);
    std::thread::sleep(Duration::from_secs(1));
    let db = house.place.path("a.db");
    // What is first is written at once, the rest within the hour.
    let first = stored(&db, "HOME").len();
    assert!(first < 10, "{first}");

    // Settings that make no sense disturb nothing.
    house.place.write("c.toml", "[meters.home]\nport = \"./one\"\ninterval = \"often\"\n");
    log.signal(Signal::HUP);
    log.says("the settings are not read again: ", 1, 5);
    log.says("[config.value]; logging on by the old ones", 1, 5);
    assert_eq!(stored(&db, "HOME").len(), first);

    // Another meter, and another interval.
    let settings = "[meters.home]\nport = \"./one\"\nid = \"HOME\"\ninterval = \"20s\"\n\
                    [meters.shed]\nport = \"./two\"\nid = \"SHED\"\n";
    house.place.write("c.toml", settings);
    log.signal(Signal::HUP);
    log.says("settings read again: logging 2 meters into a.db", 1, 5);
    let before = stored(&db, "HOME");
    assert!(before.len() > 15, "what had been received is stored: {before:?}");
    assert_whole(&before);
    log.says("meter SHED", 1, 20);
    log.until("stored", 20, |_| !stored(&db, "SHED").is_empty());
    std::thread::sleep(Duration::from_secs(3));
    let said = log.end();
    let after = stored(&db, "HOME").split_off(before.len());
    // The first is whatever came first.
    assert!(after.len() >= 2 && after[1..].iter().all(|second| second % 20 == 0), "{after:?}");
    let shed = stored(&db, "SHED");
    assert_whole(&shed);
    let all = before.len() + after.len() + shed.len();
    assert_eq!(said.lines().last().unwrap(), format!("stored {all} readings"), "{said}");
    assert_eq!(house.tails(), 0);
}
