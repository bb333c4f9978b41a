//! Simulated DLMS servers, read by our own program and by others.

use crate::START;
use crate::testenv::python::python_with;
use crate::testenv::simulator::Simulator;
use crate::testenv::{Run, repository};
use releve::reading::{Instant, Zone};
use releve::simulate::works::{Event, Setup, Works};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

/// A meter at a port whose speed can be changed: over a bridge the speed of a sign-on stays 300 baud.
fn meter(name: &str, further: &[&str]) -> Simulator {
    let usual = [name, "--pty", "--start", START, "--write-keys", "keys"];
    Simulator::start(&[&usual, further].concat())
}

fn read(meter: &Simulator, arguments: &[&str]) -> Run {
    meter.place.write("password", "00000000\n");
    let usual = ["-q", "--tz", "Europe/Zurich", "read", "--port", &meter.address, "-f", "json"];
    meter.place.run([&usual, arguments].concat())
}

fn works() -> Works {
    Works::new(&Setup::new(1, Instant::parse_utc(START).unwrap()))
}

fn register<'a>(reading: &'a Value, code: &str) -> &'a Value {
    let registers = reading["registres"].as_array().unwrap();
    registers.iter().find(|register| register["obis"] == code).unwrap_or_else(|| panic!("no {code} in {reading}"))
}

/// The clients of every meter, and what each has to prove.
const CLIENTS: [&[&str]; 4] = [
    &[],
    &["--client", "1", "--password-file", "password"],
    &["--client", "2", "--key-file", "keys", "--security", "high"],
    &["--client", "3", "--key-file", "keys", "--security", "ciphered"],
];

#[test]
fn every_client_reads_what_the_household_used() {
    let counted = i64::try_from(works().counters().import_wh()).unwrap();
    let each = |name: &str, mode: &str, client: &[&str]| {
        let meter = meter(name, &[]);
        let reading = read(&meter, &[&["--mode", mode], client].concat()).json();
        let import = register(&reading, "1-0:1.8.0*255");
        let since = import["valeur"].as_i64().unwrap() - counted;
        assert!((0..10_000).contains(&since), "{name} {client:?}: {since} Wh after the start");
        assert_eq!((&import["unite"], &reading["qualite"]), (&"Wh".into(), &"good".into()));
        assert_eq!(register(&reading, "1-0:32.7.0*255")["unite"], "V");
        assert_eq!(reading["compteur"], format!("LGZ10306{}", works().serial()));
    };
    std::thread::scope(|scope| {
        for (name, mode) in [("dlms", "hdlc"), ("e450-optical", "e")] {
            for client in CLIENTS {
                scope.spawn(move || each(name, mode, client));
            }
        }
    });
}

#[test]
fn a_wrong_password_is_named_and_sent_once() {
    let meter = meter("dlms", &["-v"]);
    meter.place.write("wrong", "11111111\n");
    let run = read(&meter, &["--mode", "hdlc", "--client", "1", "--password-file", "wrong"]);
    assert_eq!((run.exit, run.stdout.as_str()), (77, ""), "{}", run.stderr);
    assert!(run.stderr.contains("the authentication failed"), "{}", run.stderr);
    let said = meter.end();
    assert_eq!(said.matches("31 31 31 31 31 31 31 31").count(), 1, "{said}");
}

#[test]
fn what_is_asked_for_by_time_is_the_profile_of_the_household_digit_for_digit() {
    let from = Instant::parse_utc("2025-11-03T00:00:00Z").unwrap();
    let until = Instant::parse_utc("2025-11-06T00:00:00Z").unwrap();
    let span = ["--since", "2025-11-03T00:00:00Z", "--until", "2025-11-06T00:00:00Z"];
    let expected: Vec<_> = works()
        .rows()
        .filter(|row| from <= row.end && row.end < until)
        .map(|row| {
            let counters = [row.counters.import_wh(), row.counters.export_wh()];
            (row.end.to_string(), i64::from(row.status), counters.map(|wh| i64::try_from(wh).unwrap()))
        })
        .collect();
    assert!(expected.len() > 250);
    for (name, client) in [("dlms", CLIENTS[0]), ("dlms", CLIENTS[3]), ("e450-optical", CLIENTS[1])] {
        let meter = meter(name, &[]);
        let rows = read(&meter, &[&["--profile"], &span[..], client].concat()).json();
        let number = |row: &Value, code| register(row, code)["valeur"].as_i64().unwrap();
        let told: Vec<_> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let counters = [number(row, "1-0:1.8.0*255"), number(row, "1-0:2.8.0*255")];
                (row["timestamp"].as_str().unwrap().to_owned(), number(row, "0-0:96.10.1*255"), counters)
            })
            .collect();
        assert_eq!(told, expected, "{name} {client:?}");
    }
}

#[test]
fn its_logs_say_what_happened_to_the_household() {
    let meter = meter("dlms", &[]);
    let entries = read(&meter, &["--log", "--mode", "hdlc"]).json();
    let told: Vec<(String, String)> = entries
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["journal"] == "0-0:99.98.0*255")
        .map(|entry| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&entry["horodatage"]), text(&entry["valeurs"][0]["texte"]))
        })
        .collect();
    let works = works();
    let expected: Vec<(String, String)> = works
        .events()
        .filter_map(|entry| {
            let number = match entry.event {
                Event::LogCleared => "255",
                Event::PowerDown => "1",
                Event::PowerUp => "2",
                Event::Season => "3",
                _ => return None,
            };
            let time = entry.at.meter_time(Zone::CENTRAL_EUROPE).rfc3339(Zone::CENTRAL_EUROPE);
            Some((time, number.to_owned()))
        })
        .collect();
    assert!(expected.len() > 2);
    assert_eq!(told, expected, "{entries}");
    let failures = entries.as_array().unwrap().iter().filter(|entry| entry["journal"] == "1-0:99.97.0*255").count();
    assert_eq!(failures, works.long_failures().len());
}

#[test]
fn a_closed_meter_tells_its_values_to_those_with_keys_only() {
    let meter = meter("e450-optical", &["--fault", "mode-e-only"]);
    let run = meter.place.run(["-q", "doctor", "--port", &meter.address, "-f", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let checks = report["verifications"].as_array().unwrap();
    let meters = checks.iter().find(|check| check["sujet"] == "meter").unwrap();
    assert_eq!((meters["id"].as_str(), run.exit), (Some("meter.mode_e"), 1), "{report}");
    let reading = read(&meter, &[&["--mode", "e"], CLIENTS[2]].concat()).json();
    assert_eq!(register(&reading, "1-0:1.8.0*255")["unite"], "Wh");
}

/// In real time: the change of speed is the reader's as much as the meter's.
#[test]
fn without_a_word_about_it_a_meter_is_found_at_a_pseudo_terminal() {
    for name in ["e450-optical", "dlms"] {
        let meter = Simulator::start(&[name, "--pty", "-v", "--write-keys", "keys"]);
        let run = read(&meter, &[]);
        assert_eq!(run.exit, 0, "{name}: {}", run.stderr);
        let reading: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(register(&reading, "1-0:2.8.0*255")["unite"], "Wh");
        let said = meter.end();
        assert_eq!(said.contains("9600,7E1 < \\u{6}252\\r\\n"), name == "e450-optical", "{said}");
        assert!(said.lines().any(|line| line.contains("9600,8N1 < 7e a0 07 21 03 73")), "{said}");
    }
}

#[test]
fn whoever_is_interrupted_between_two_requests_takes_leave_and_is_let_go() {
    let mut meter = Simulator::start(&["dlms", "--listen", "127.0.0.1:0", "-v", "--write-keys", "keys"]);
    let mut said = BufReader::new(meter.child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let arguments = ["read", "--mode", "hdlc", "--port", &meter.address];
    let mut reader = meter.place.command().args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // In the middle of its requests (GET), not at a time that another machine would not keep.
    said.find(|line| line.starts_with('>') && line.contains("e6 e6 00 c0")).unwrap();
    kill_process(Pid::from_child(&reader), Signal::INT).unwrap();
    assert_eq!(reader.wait().unwrap().signal(), Some(Signal::INT.as_raw()));
    assert!(said.any(|line| line.starts_with('>') && line.contains("7e a0 07 03 21 53")), "no DISC");
    // Behind the answer that was on its way, or alone.
    assert!(said.any(|line| line.contains(" < ") && line.contains("7e a0 07 21 03 73")), "and it is answered");
}

#[test]
fn a_simulated_meter_that_is_interrupted_as_soon_as_it_is_there_leaves_nothing() {
    let mut meter = Simulator::start(&["dlms", "--link", "meter", "--write-keys", "keys"]);
    let link = meter.place.path("meter");
    assert!(link.is_symlink());
    kill_process(Pid::from_child(&meter.child), Signal::INT).unwrap();
    assert!(!meter.ended().contains("error"));
    assert!(!link.is_symlink());
}

#[test]
fn gurux_reads_the_whole_meter() {
    let Some(python) = python_with("gurux_dlms") else { return };
    for (mode, client) in [("none", "16"), ("gmac", "2"), ("ciphered", "3")] {
        // It counts its APDUs from 1, which a meter takes once.
        let meter = Simulator::start(&["dlms", "--listen", "127.0.0.1:0", "--start", START]);
        let port = meter.address.rsplit(':').next().unwrap();
        let script = repository().join("tests/peers/gurux_client.py");
        let output = Command::new(&python).arg(script).args([port, mode, client, "1"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let facts: Vec<&str> = text.lines().collect();
        assert_eq!(facts.len(), 10, "{mode}: {text}{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(facts[0], "objects 28");
        assert!(facts[1].starts_with("clock 2025-11-07T15:3"), "{text}");
        assert_eq!(facts[2], format!("name LGZ10306{}", works().serial()));
        assert!(facts[3].starts_with("energy ") && facts[3].ends_with(" unit 30"));
        assert_eq!(facts[5], "columns ['0.0.1.0.0.255', '0.0.96.10.1.255', '1.0.1.8.0.255', '1.0.2.8.0.255']");
        let from = Instant::parse_utc("2025-11-06T09:00:00Z").unwrap();
        let rows: Vec<u64> = works()
            .rows()
            .filter(|row| (0..=36_000).contains(&(row.end.unix_seconds() - from.unix_seconds())))
            .map(|row| row.counters.import_wh())
            .collect();
        assert_eq!(facts[6], format!("by range {}: {:?}", rows.len(), &rows[..3]));
        assert_eq!(facts[9], "blocks True, segments True");
    }
}
