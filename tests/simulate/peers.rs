//! Second opinions: independent decoders read what the simulator sends, and say the same as ours.
//!
//! They are Python packages that `.ci/run` installs; where one is missing, a test says so and passes.

use crate::testenv::python::python_with;
use crate::testenv::{Place, repository};
use crate::{START, bytes_of, decode};
use releve::reading::Reading;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

const TELEGRAMS: u64 = 4;

/// What a decoder of `peers.py` prints, a line a telegram; `None`, with the reason printed, where it is not installed.
fn peer(package: &str, arguments: &[&str]) -> Option<Vec<Value>> {
    let python = python_with(package)?;
    let output =
        Command::new(python).arg(repository().join("tests/simulate/peers.py")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let objects = text.lines().filter(|line| line.starts_with('{'));
    Some(objects.map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// What the peer and our decoder make of the first telegrams of a meter.
fn both(package: &str, kind: &str, meter: &str, keys: &[&str]) -> Option<Vec<(Value, Reading)>> {
    let place = Place::new();
    let bytes = bytes_of(meter, TELEGRAMS, &[]);
    let file = place.write("telegrams", &bytes);
    let theirs = peer(package, &[&[kind, file.to_str().unwrap()], keys].concat())?;
    let (ours, _) = decode(&bytes);
    assert_eq!((theirs.len(), ours.len()), (4, 4), "{meter}");
    Some(theirs.into_iter().zip(ours).collect())
}

fn number(reading: &Reading, code: &str) -> f64 {
    let register = reading.register(code.parse().unwrap()).unwrap_or_else(|| panic!("no {code}"));
    register.as_number().unwrap().to_f64()
}

#[test]
fn smllib_reads_sml() {
    for (theirs, ours) in both("smllib", "sml", "sml", &[]).unwrap_or_default() {
        let theirs = theirs.as_object().unwrap();
        assert_eq!(theirs.len(), ours.registers.len());
        for (code, value) in theirs.iter().filter(|(_, value)| value[1].is_number()) {
            assert!((value[0].as_f64().unwrap() - number(&ours, code)).abs() < 1e-6, "{code}: {value}");
            assert_eq!(value[1].as_u64().unwrap(), {
                let register = ours.register(code.parse().unwrap()).unwrap();
                u64::from(register.unit.unwrap().dlms_code())
            });
        }
    }
}

#[test]
fn dsmr_parser_reads_p1() {
    let names = [
        ("ELECTRICITY_USED_TARIFF_1", "1-0:1.8.1"),
        ("ELECTRICITY_USED_TARIFF_2", "1-0:1.8.2"),
        ("ELECTRICITY_DELIVERED_TARIFF_1", "1-0:2.8.1"),
        ("ELECTRICITY_DELIVERED_TARIFF_2", "1-0:2.8.2"),
        ("CURRENT_ELECTRICITY_USAGE", "1-0:1.7.0"),
        ("CURRENT_ELECTRICITY_DELIVERY", "1-0:2.7.0"),
    ];
    for meter in ["p1", "p1-10s", "p1-v2"] {
        for (theirs, ours) in both("dsmr_parser", meter, meter, &[]).unwrap_or_default() {
            for (name, code) in names {
                let value: f64 = theirs[name].as_str().unwrap().parse().unwrap();
                assert!((value - number(&ours, code)).abs() < 1e-9, "{meter} {name}: {value}");
            }
            if meter != "p1-v2" {
                assert!(theirs["P1_MESSAGE_TIMESTAMP"].as_str().unwrap().starts_with("2025-11-07 14:30:"));
                assert!(theirs["POWER_EVENT_FAILURE_LOG"].as_str().unwrap().contains("'0-0:96.7.19'"));
            }
        }
    }
}

#[test]
fn gurux_reads_the_push_of_the_e450() {
    let keys = ["000102030405060708090A0B0C0D0E0F", "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"];
    for (meter, keys) in
        [("e450", &[][..]), ("e450-blocks", &[]), ("e450-ciphered", &keys), ("e450-blocks-ciphered", &keys)]
    {
        for (theirs, ours) in both("gurux_dlms", "e450", meter, keys).unwrap_or_default() {
            let numbers: Vec<_> = theirs.as_object().unwrap().iter().filter(|(_, value)| value.is_number()).collect();
            assert_eq!(numbers.len(), 12, "{meter}");
            for (code, value) in numbers {
                let [a, b, c, d, e, _] = code.split('.').collect::<Vec<_>>().try_into().unwrap();
                let register = ours.register(format!("{a}-{b}:{c}.{d}.{e}").parse().unwrap()).unwrap();
                assert_eq!(register.as_number().unwrap().mantissa(), value.as_i64().unwrap(), "{meter} {code}");
            }
            assert_eq!(theirs["0.8.25.9.0.255"], "0008190900ff");
        }
    }
}

#[test]
fn the_client_iec62056_21_reads_mode_c() {
    let place = Place::new();
    let mut simulator = place
        .command()
        .args(["simulate", "mode-c", "--listen", "127.0.0.1:0", "--speed", "10", "--start", START])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(simulator.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let (host, port) = address.trim().strip_prefix("tcp://").unwrap().split_once(':').unwrap();
    let said = peer("iec62056_21", &["mode-c", host, port]);
    simulator.kill().unwrap();
    simulator.wait().unwrap();
    let Some(said) = said else { return };
    let [readout, session] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(readout["0.9.2"], "0251107");
    assert!(readout["1.8.0"].as_str().unwrap().ends_with("*kWh"), "{readout}");
    assert_eq!((&session["prompt"], &session["acknowledged"]), (&"P0".into(), &true.into()));
    assert!(session["1.8.0"].as_str().unwrap().ends_with("*kWh"), "{session}");
}
