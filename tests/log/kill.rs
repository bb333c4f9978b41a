//! Killed at any instant.

use crate::long;
use crate::meter::{House, Log, METER, Meter, first_of_yesterday, stored};
use crate::testenv::check::has_all;
use crate::testenv::figures;
use rustix::process::Signal;
use std::time::{Duration, Instant as Clock};

#[test]
fn promise_p01_a_kill_at_any_instant_costs_no_telegram_older_than_a_second_and_doubles_none() {
    if !std::path::Path::new("/dev/shm").is_dir() {
        println!("skipped: there is no /dev/shm, so what is not in the store yet is lost by a kill");
        return;
    }
    let house = House::new();
    // Readings of yesterday: each log begins by sealing what the one before has stored.
    let meter = Meter::sending_from(first_of_yesterday(), house.place.path("meter"), Duration::from_millis(25));
    let mut runs = Vec::new();
    let kills = long(500, 10);
    for kill in 0..kills {
        let started = Clock::now();
        // From before it has opened anything to well after the first commit.
        let wait = if kill % 4 == 0 { kill * 7 % 100 } else { kill * 397 % 2600 + 300 };
        let log = house.log(&["--commit", if kill % 2 == 0 { "10s" } else { "1s" }]);
        std::thread::sleep(Duration::from_millis(wait));
        let visible = house.stored();
        log.signal(Signal::KILL);
        let killed = Clock::now();
        let (code, said) = log.ended();
        assert_eq!(code, None, "{said}");
        runs.push((started, killed, visible));
    }
    let (code, said) = house.log(&["--count", "1"]).ended();
    assert_eq!(code, Some(0), "{said}");
    let stored = house.stored();
    let (mut checked, mut oldest) = (0, 0);
    let sent = meter.sent();
    for (started, killed, visible) in &runs {
        has_all(visible, &stored).unwrap();
        let during: Vec<_> = sent.iter().filter(|(_, at)| at > started && at < killed).collect();
        let of_run = |second: &i64| stored.binary_search(second).is_ok();
        let Some(first) = during.iter().position(|(second, _)| of_run(second)) else { continue };
        for (second, at) in &during[first..] {
            let age = *killed - *at;
            if age > Duration::from_secs(1) {
                has_all(&[*second], &stored).unwrap_or_else(|why| panic!("sent {age:?} before the kill: {why}"));
                checked += 1;
            } else if !of_run(second) {
                oldest = oldest.max(age.as_millis());
            }
        }
    }
    assert!(checked > 20, "{checked}");
    figures(
        1,
        kills,
        kills,
        0,
        format_args!("{checked} telegrams older than 1 s; the oldest lost was {oldest} ms old"),
    );
}

#[test]
fn promise_p01_a_kill_during_the_very_first_start_leaves_nothing_that_is_in_the_way_of_the_next() {
    let mut found = [0; 2];
    let kills = long(100, 6);
    for kill in 0..kills {
        let house = House::new();
        let _meter = house.meter(25);
        let log = Log::start(house.command().args(["--port", "./meter", "--db", "new/a.db", "--commit", "50ms"]));
        // The store is made within the first milliseconds; the first reading is in it after some hundred.
        let wait = if kill % 2 == 0 { kill * 1009 % 30_000 } else { kill * 7919 % 1_500_000 };
        std::thread::sleep(Duration::from_micros(wait));
        log.signal(Signal::KILL);
        log.ended();
        let checked = house.place.run(["db", "check", "--db", "new/a.db"]);
        match checked.exit {
            0 => found[1] += 1,
            66 => found[0] += 1,
            _ => panic!("after {wait} µs: {}", checked.stderr),
        }
        let before = stored(&house.place.path("new/a.db"), METER).len();
        let (code, said) =
            Log::start(house.command().args(["--port", "./meter", "--db", "new/a.db", "--count", "1"])).ended();
        assert_eq!(code, Some(0), "after {wait} µs: {said}");
        assert!(stored(&house.place.path("new/a.db"), METER).len() > before, "after {wait} µs: {said}");
        house.place.run(["db", "check", "-q", "--db", "new/a.db"]).clean();
    }
    let [none, whole] = found;
    figures(
        1,
        kills,
        none + whole,
        0,
        format_args!("first starts killed, {none} without a store yet, {whole} with a whole one"),
    );
}

#[test]
fn promise_p01_what_a_killed_log_had_received_is_stored_by_the_next() {
    if !std::path::Path::new("/dev/shm").is_dir() {
        println!("skipped: there is no /dev/shm");
        return;
    }
    let house = House::new();
    let meter = house.meter(50);
    let log = house.log(&["--commit", "1h"]);
    log.says("first reading", 1, 20);
    std::thread::sleep(Duration::from_secs(2));
    meter.speak(false);
    std::thread::sleep(Duration::from_millis(300));
    log.signal(Signal::KILL);
    log.ended();
    // What was first is written at once, the rest within the hour.
    assert!(house.stored().len() < 10);
    let last = meter.last();
    meter.speak(true);
    let (code, said) = house.log(&["--count", "1"]).ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("readings that were received before the last end"), "{said}");
    let stored = house.stored();
    assert!(stored.len() > 20, "{stored:?}");
    has_all(&[last], &stored).unwrap();
    assert_eq!(house.tails(), 0);
    figures(1, 1, 1, 0, "what had been received within an hour's window");
}
