//! `releve read --port` and nothing else.

use crate::side_by_side;
use crate::testenv::Place;
use crate::testenv::simulator::Simulator;
use serde_json::Value;

/// Every simulated meter, the protocol it is read by, and a register it has.
const METERS: &[(&str, &str, &str)] = &[
    ("e450", "dlms", "1-1:1.8.0*255"),
    ("e450-blocks", "dlms", "1-1:1.8.0*255"),
    ("e450-optical", "dlms", "1-0:1.8.0*255"),
    ("dlms", "dlms", "1-0:1.8.0*255"),
    ("mode-a", "iec62056-21", "1-0:1.8.0*255"),
    ("mode-b", "iec62056-21", "1-0:1.8.0*255"),
    ("mode-c", "iec62056-21", "1-0:1.8.0*255"),
    ("mode-d", "iec62056-21", "1-0:1.8.0*255"),
    ("p1", "dsmr", "1-0:1.8.1*255"),
    ("p1-10s", "dsmr", "1-0:1.8.1*255"),
    ("p1-v2", "dsmr", "1-0:1.8.1*255"),
    ("sml", "sml", "1-0:1.8.0*255"),
];

fn is_read(meter: &str, protocol: &str, register: &str, how: &[&str]) {
    let simulator = Simulator::start(&[&[meter], how].concat());
    let run = Place::new().run(["read", "--port", &simulator.address, "-v"]);
    assert_eq!(run.exit, 0, "{meter} {how:?}: {}", run.stderr);
    let reading: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(reading["protocole"], protocol, "{meter} {how:?}");
    let registers = reading["registres"].as_array().unwrap();
    let found = registers.iter().find(|found| found["obis"] == register);
    assert!(found.is_some_and(|found| found["valeur"].is_number()), "{meter} {how:?}: {registers:#?}");
    println!("{meter} {how:?}: {}", run.stderr.lines().last().unwrap_or_default());
}

#[test]
fn each_meter_is_read_from_a_serial_port_by_its_name_alone() {
    side_by_side(METERS, |(meter, protocol, register)| is_read(meter, protocol, register, &["--pty"]));
}

#[test]
fn each_meter_is_read_over_tcp_by_its_address_alone() {
    side_by_side(METERS, |(meter, protocol, register)| {
        is_read(meter, protocol, register, &["--listen", "127.0.0.1:0"]);
    });
}

#[test]
fn a_ciphered_meter_needs_no_more_than_its_key() {
    let place = Place::new();
    let keys = place.path("home.key");
    let simulator = Simulator::start_in(place, &["e450-ciphered", "--pty", "--write-keys", "home.key"]);
    let run = Place::new().run(["read", "--port", &simulator.address, "--key-file", keys.to_str().unwrap()]);
    let reading = run.json();
    assert!(reading["valeurs"]["energie_active_import"].is_number(), "{reading:#}");
}

#[test]
fn a_load_profile_and_a_log_are_read_over_a_period() {
    let start = "2025-11-07T14:30:00Z";
    let simulator = Simulator::start(&["mode-c", "--pty", "--start", start, "--tz", "Europe/Zurich"]);
    let read = |arguments: &[&str]| {
        let all = [&["read", "--port", &simulator.address, "--mode", "c"], arguments].concat();
        Place::new().run(all)
    };
    let rows =
        read(&["--profile", "--since", "2025-11-07 12:00", "--until", "2025-11-07 13:00", "-f", "ndjson"]).clean();
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let times: Vec<&str> = rows.iter().map(|row| row["timestamp"].as_str().unwrap()).collect();
    let quarters = ["2025-11-07T11:00:00Z", "2025-11-07T11:15:00Z", "2025-11-07T11:30:00Z", "2025-11-07T11:45:00Z"];
    assert_eq!(times, quarters);
    assert!(rows.iter().all(|row| row["registres"][0]["valeur"].is_number()), "{rows:#?}");

    let csv = read(&["--profile", "--since", "2025-11-07 12:00", "--until", "2025-11-07 13:00", "-f", "csv"]).clean();
    assert!(csv.starts_with("timestamp,compteur,obis,valeur,unite,texte\n2025-11-07T11:00:00Z,"), "{csv}");

    let log: Value = serde_json::from_str(&read(&["--log"]).clean()).unwrap();
    let entries = log.as_array().unwrap();
    assert!(!entries.is_empty() && entries.iter().all(|entry| entry["horodatage"].is_string()), "{log:#}");

    let none = read(&["--profile", "--since", "2001", "--until", "2001"]);
    assert_eq!((none.exit, none.stdout.as_str()), (0, "[]\n"));
    assert!(none.stderr.contains("no records of that period"), "{}", none.stderr);
}

#[test]
fn what_was_captured_at_a_port_reads_the_same_again() {
    let simulator = Simulator::start(&["mode-c", "--pty"]);
    let place = Place::new();
    let live = place.run(["read", "--port", &simulator.address, "--capture", "c.releve"]).json();
    let again = place.run(["read", "c.releve"]).json();
    assert_eq!((&again["valeurs"], &again["registres"]), (&live["valeurs"], &live["registres"]));
    let text = std::fs::read_to_string(place.path("c.releve")).unwrap();
    assert!(text.contains(" = 300,7E1") && text.contains(" > 2F3F210D0A"), "{text}");
}
