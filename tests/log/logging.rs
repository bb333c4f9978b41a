//! What is logged, when nothing goes wrong.

use crate::meter::{House, Log, METER, Port, assert_whole, stored, telegram};
use crate::testenv::{figures, fixture};
use releve::reading::Instant;
use rustix::process::Signal;
use std::process::Stdio;
use std::time::{Duration, Instant as Clock};

#[test]
fn a_meter_that_sends_is_stored_and_said_in_three_lines() {
    let house = House::new();
    let meter = house.meter(50);
    let (code, said) = house.log(&["--count", "20"]).ended();
    assert_eq!(code, Some(0), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert_eq!(lines[0], "logging ./meter into a.db, written every 10 s");
    assert!(lines[1].starts_with(&format!("meter {METER} (LGF5\\2E360-EXAMPLE), first reading ")), "{said}");
    assert_eq!(lines[2], "stored 20 readings");
    let seconds = house.stored();
    assert_eq!(seconds.len(), 20);
    assert_whole(&seconds);
    assert_eq!(house.tails(), 0);
    drop(meter);
}

#[test]
fn each_reading_is_printed_as_it_comes() {
    let house = House::new();
    let _meter = house.meter(20);
    let mut log = Log::start(
        house.command().args(["--port", "./meter", "--count", "5", "--print", "ndjson", "-q"]).stdout(Stdio::piped()),
    );
    let printed = log.stdout();
    let (code, said) = log.ended();
    assert_eq!((code, said.as_str()), (Some(0), ""));
    let readings: Vec<serde_json::Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(readings.len(), 5);
    assert_eq!(readings[0]["compteur"], METER);
    assert_eq!(readings[4]["valeurs"]["puissance_active_totale"], 2345);
}

#[test]
fn promise_p19_a_closed_pipe_is_a_quiet_end() {
    let house = House::new();
    let _meter = house.meter(20);
    let mut log = Log::start(house.command().args(["--port", "./meter", "--print", "ndjson"]).stdout(Stdio::piped()));
    drop(log.child.stdout.take());
    let (code, said) = log.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("readings\n") && !said.contains("error"), "{said}");
    assert!(!house.stored().is_empty());
    figures(19, 1, 1, 0, "a closed pipe of the log");
}

#[test]
fn promise_p19_an_output_that_cannot_be_written_ends_it_with_what_was_received_stored() {
    let house = House::new();
    let _meter = house.meter(20);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let (code, said) =
        Log::start(house.command().args(["--port", "./meter", "--print", "ndjson"]).stdout(full)).ended();
    assert_eq!(code, Some(74), "{said}");
    assert!(said.contains("[write.failed]"), "{said}");
    assert!(!house.stored().is_empty());
    figures(19, 1, 1, 0, "a full device as output of the log");
}

#[test]
fn with_an_interval_one_reading_of_each_is_kept() {
    let house = House::new();
    let _meter = house.meter(5);
    let (code, said) = house.log(&["--interval", "60s", "--count", "4"]).ended();
    assert_eq!(code, Some(0), "{said}");
    let seconds = house.stored();
    // The first is whatever came first; then the full minutes of the meter's clock.
    assert_eq!(seconds[1..].iter().map(|second| second % 60).collect::<Vec<_>>(), [0, 0, 0], "{seconds:?}");
    assert_eq!((seconds[2] - seconds[1], seconds[3] - seconds[2]), (60, 60));
}

#[test]
fn several_meters_of_the_settings_file_are_logged_by_one_process() {
    let house = House::new();
    let _home = crate::meter::Meter::sending_every(house.place.path("one"), Duration::from_millis(30));
    let _shed = crate::meter::Meter::sending_every(house.place.path("two"), Duration::from_millis(30));
    let settings =
        "[meters.home]\nport = \"./one\"\n[meters.shed]\nport = \"./two\"\nid = \"SHED1\"\ninterval = \"10s\"\n";
    house.place.write("c.toml", settings);
    let log = Log::start(house.command().args(["--config", "c.toml", "--commit", "100ms"]));
    let db = house.place.path("a.db");
    log.says("first reading", 2, 20);
    log.until("stored", 20, |_| stored(&db, METER).len() > 10 && stored(&db, "SHED1").len() > 1);
    let said = log.end();
    assert!(said.starts_with("logging 2 meters into a.db"), "{said}");
    assert!(said.contains(&format!("home: meter {METER}")) && said.contains("shed: meter SHED1"), "{said}");
    assert_whole(&stored(&db, METER));
    let steps: Vec<_> = stored(&db, "SHED1").windows(2).skip(1).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| *step == 10), "{steps:?}");
}

/// A meter of mode C: it answers a sign-on, and sends its readout at whatever speed.
pub(crate) fn answer(port: &Port, readout: &[u8], asked: &mut Vec<u8>) {
    asked.extend(port.receive());
    let line = readout.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    if asked.ends_with(b"!\r\n") {
        asked.clear();
        assert!(port.send(&readout[..line]));
    } else if asked.first() == Some(&0x06) && asked.ends_with(b"\r\n") {
        asked.clear();
        assert!(port.send(&readout[line..]));
    }
}

#[test]
fn a_meter_that_has_to_be_asked_is_asked_on_the_clocks_grid_and_written_at_once() {
    let house = House::new();
    let port = Port::new(house.place.path("meter"));
    // The capture begins with what was asked.
    let readout = std::fs::read(fixture("iec62056/mode_c.txt")).unwrap().split_off(b"/?!\r\n".len());
    let log = house.log(&["--mode", "c", "--interval", "3s"]);
    let mut asked = Vec::new();
    let db = house.place.path("a.db");
    let mut seconds = Vec::new();
    let since = Clock::now();
    while seconds.len() < 4 {
        assert!(since.elapsed() < Duration::from_secs(40), "{}", log.said());
        answer(&port, &readout, &mut asked);
        std::thread::sleep(Duration::from_millis(5));
        seconds = stored(&db, "00188123");
    }
    log.end_by(Signal::INT);
    let steps: Vec<_> = seconds.windows(2).skip(1).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| (2..=4).contains(step)), "{seconds:?}");
}

#[test]
fn a_meter_that_has_to_be_asked_is_asked_again_as_soon_as_its_port_is_back() {
    let house = House::new();
    let mut port = Port::new(house.place.path("meter"));
    let readout = std::fs::read(fixture("iec62056/mode_c.txt")).unwrap().split_off(b"/?!\r\n".len());
    let log = house.log(&["--mode", "c", "--interval", "1h"]);
    let (mut asked, db) = (Vec::new(), house.place.path("a.db"));
    for count in 1..4 {
        let since = Clock::now();
        while stored(&db, "00188123").len() < count {
            assert!(since.elapsed() < Duration::from_secs(5), "{}", log.said());
            answer(&port, &readout, &mut asked);
            std::thread::sleep(Duration::from_millis(5));
        }
        port.unplug();
        std::thread::sleep(Duration::from_millis(500));
        port.plug();
    }
    log.end();
}

#[test]
fn a_telegram_without_a_name_needs_one() {
    let house = House::new();
    let port = Port::new(house.place.path("meter"));
    let log = house.log(&[]);
    let since = Clock::now();
    let mut log = log;
    while log.child.try_wait().unwrap().is_none() {
        assert!(since.elapsed() < Duration::from_secs(20), "{}", log.said());
        port.send(b"/LGF5E360\r\n\r\n1-0:1.8.0(000219.252*kWh)\r\n!\r\n");
        std::thread::sleep(Duration::from_millis(200));
    }
    let (code, said) = log.ended();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("[meter.unknown]") && said.contains("--meter ID"), "{said}");
}

#[test]
fn promise_p08_whatever_the_clock_of_the_meter_says_nothing_is_discarded() {
    let house = House::new();
    let port = Port::new(house.place.path("meter"));
    let mut log = house.log(&["--count", "24"]);
    let clocks = ["2000-01-01T00:00:00Z", "1999-12-31T22:59:58Z", "2038-01-19T03:14:08Z", "2098-07-01T12:00:00Z"];
    let since = Clock::now();
    let mut sent = 0;
    while log.child.try_wait().unwrap().is_none() {
        assert!(since.elapsed() < Duration::from_secs(40), "{}", log.said());
        let clock = Instant::parse_utc(clocks[sent % clocks.len()]).unwrap();
        port.send(&telegram(clock.plus_seconds(i64::try_from(sent / 8).unwrap())));
        sent += 1;
        std::thread::sleep(Duration::from_millis(50));
    }
    let (code, said) = log.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("stored 24 readings\n"), "{said}");
    assert!(sent < 24 + 5, "{sent} sent");
    figures(8, clocks.len(), clocks.len(), 0, "clocks of the meter, from 1999 to 2098");
}
