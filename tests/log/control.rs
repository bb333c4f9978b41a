//! The checks of this folder are given results that break the promises: logs that lose, double, hang or never rest.

use crate::meter::{House, Log, stored};
use crate::port::{IDLE, RESIDENT};
use crate::testenv::check::{at_most, gapless, has_all, same};
use crate::testenv::{Place, control};
use releve::reading::{Instant, MeterId, Protocol, Reading};
use releve::store::{Entry, Store};
use rustix::process::Signal;
use std::process::Command;
use std::time::{Duration, Instant as Clock};

/// What is found in a store of these seconds.
fn found(seconds: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let place = Place::new();
    let meter = MeterId::new("M1").unwrap();
    let entry = |second: i64| {
        let mut reading = Reading::new(Protocol::Dsmr);
        reading.meter = Some(meter.clone());
        Entry { meter: meter.clone(), at: Instant::from_unix(second), source: "p1".to_owned(), reading, derived: false }
    };
    let entries: Vec<_> = seconds.into_iter().map(entry).collect();
    Store::create(&place.path("s.db")).unwrap().insert(&entries).unwrap();
    stored(&place.path("s.db"), "M1")
}

const SENT: std::ops::Range<i64> = 1_762_525_800..1_762_525_900;

#[test]
fn promise_p01_control_a_log_that_loses_or_doubles_is_found_out() {
    let sent: Vec<i64> = SENT.collect();
    let mut doubled = found(SENT);
    assert!(has_all(&sent, &doubled).is_ok());
    doubled.insert(50, doubled[50]);
    let lossy = found(SENT.filter(|second| second % 50 != 7));
    control(1, [("one of fifty lost", has_all(&sent, &lossy)), ("one doubled", has_all(&sent, &doubled))]);
}

/// The same checks hold what was sent over steps of clocks, full disks and locks.
#[test]
fn promise_p08_p13_p16_control_a_gap_is_found_out() {
    let (gap, late) = (found(SENT.filter(|second| *second != SENT.start + 40)), found(SENT.skip(3)));
    assert!(gapless(&found(SENT)).is_ok());
    let sent: Vec<i64> = SENT.collect();
    for promise in [8, 13, 16] {
        control(promise, [("one lost in between", gapless(&gap)), ("the first three lost", has_all(&sent, &late))]);
    }
}

#[test]
fn promise_p10_control_a_descriptor_for_each_replug_and_too_many_words_are_found_out() {
    let results = [
        ("a descriptor more for each replug", same("how many descriptors", &12, &72)),
        ("a line for each try", at_most("lines said", 600, 3 + 5 * 60).map(drop)),
    ];
    control(10, results);
}

/// A stand-in that tries the port again and again without a pause.
#[test]
fn promise_p11_control_a_log_that_never_rests_is_found_out() {
    let log = Log::start(Command::new("sh").args(["-c", "while :; do :; done"]));
    let since = Clock::now();
    log.until("busy", 60, |_| log.ticks() >= 50);
    let per_mille = log.ticks() * 10_000 / u64::try_from(since.elapsed().as_millis()).unwrap();
    control(11, [("a log that never rests", at_most("thousandths of a core", per_mille, IDLE))]);
}

#[test]
fn promise_p12_control_what_keeps_all_rubbish_is_found_out() {
    let hoards = "x=$(head -c 90000000 /dev/zero | tr '\\0' x); read y";
    let log = Log::start(Command::new("sh").args(["-c", hoards]).stdin(std::process::Stdio::piped()));
    log.until("full", 60, |_| log.proc("status", "VmHWM") > 80_000);
    control(12, [("90 MB of rubbish kept", at_most("kB resident", log.proc("status", "VmHWM"), RESIDENT))]);
}

#[test]
fn promise_p14_control_who_does_not_end_or_ends_badly_is_found_out() {
    let stand_in = |script: &str| {
        let log = Log::start(Command::new("sh").args(["-c", script]));
        log.says("ready", 1, 20);
        log.takes_leave(Signal::TERM)
    };
    control(
        14,
        [
            ("a log that is deaf to TERM", stand_in("trap '' TERM; echo ready >&2; sleep 3")),
            ("a log that TERM kills", stand_in("echo ready >&2; exec sleep 30")),
            ("a log that ends with 1", stand_in("trap 'exit 1' TERM; echo ready >&2; while :; do sleep 0.1; done")),
        ],
    );
    // A real one takes its leave.
    let house = House::new();
    let log = house.log(&[]);
    log.says("waiting for it", 1, 20);
    assert!(log.takes_leave(Signal::TERM).is_ok());
    assert!(at_most("time to the end", Duration::from_secs(3), Duration::from_secs(2)).is_err());
}
