//! Ended by a signal: soon, with everything stored, and with 0.

use crate::meter::{House, Log, assert_whole};
use rustix::process::Signal;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn everything_that_was_received_is_stored_before_the_end() {
    for signal in [Signal::TERM, Signal::INT] {
        let house = House::new();
        let meter = house.meter(50);
        let log = house.log(&[]);
        log.says("first reading", 1, 20);
        std::thread::sleep(Duration::from_secs(1));
        meter.speak(false);
        std::thread::sleep(Duration::from_millis(300));
        // Only the first is written at once: the group is written because of the end.
        assert_eq!(house.stored().len(), 1);
        let said = log.end_by(signal);
        let stored = house.stored();
        assert_whole(&stored);
        assert_eq!(stored.last(), Some(&meter.last()));
        assert_eq!(said.lines().last().unwrap(), format!("stored {} readings", stored.len()));
        assert_eq!(house.tails(), 0);
    }
}

#[test]
fn it_ends_as_soon_while_the_port_is_not_there() {
    let house = House::new();
    let log = house.log(&[]);
    log.says("there is no ./meter, waiting for it", 1, 5);
    log.end();
    let log = Log::start(house.command().args(["--port", "tcp://192.0.2.1:9"]));
    std::thread::sleep(Duration::from_millis(300));
    log.end();
}

#[test]
fn it_ends_as_soon_while_the_meter_is_silent() {
    let house = House::new();
    let meter = house.meter(50);
    meter.speak(false);
    let log = house.log(&[]);
    std::thread::sleep(Duration::from_secs(4));
    log.end_by(Signal::INT);
}

#[test]
fn it_ends_as_soon_while_nobody_reads_what_it_prints() {
    let house = House::new();
    let meter = house.meter(2);
    let mut log = Log::start(house.command().args(["--port", "./meter", "--print", "ndjson"]).stdout(Stdio::piped()));
    // More than a pipe holds.
    log.until("stuck", 20, |_| meter.sent().len() > 1000);
    let stdout = log.child.stdout.take();
    let said = log.end();
    drop(stdout);
    assert!(house.stored().len() > 900, "{said}");
}

#[test]
fn a_hang_up_without_a_terminal_is_no_end() {
    let house = House::new();
    let _meter = house.meter(50);
    let log = house.log(&[]);
    log.says("first reading", 1, 20);
    log.signal(Signal::HUP);
    std::thread::sleep(Duration::from_millis(300));
    log.end();
}
