//! Simulated meters, from the library and as the built program: what they send is decoded, added up and compared.

#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods)]

#[path = "../testenv/mod.rs"]
mod testenv;

mod dlms;
mod faults;
mod peers;
mod ports;
mod telegrams;

use releve::acquire::{Decoder, Outcome, Settings};
use releve::reading::{Instant, Reading, Zone};
use releve::simulate::cable::{Cable, Said};
use releve::simulate::catalogue::Profile;
use releve::simulate::fault::{Fault, Faults};
use releve::simulate::host::{End, File, Pace, Run, run};
use releve::simulate::meter::Tempo;
use releve::simulate::works::Setup;
use releve::wire::dlms::Keys;
use std::sync::atomic::AtomicBool;

/// A Friday afternoon.
pub const START: &str = "2025-11-07T14:30:00Z";

/// What a meter sends in its first telegrams.
pub fn bytes_of(name: &str, count: u64, faults: &[&str]) -> Vec<u8> {
    sent(name, START, End { telegrams: Some(count), at: None }, faults)
}

/// What a meter sends in so many seconds.
pub fn bytes_for(name: &str, seconds: i64, faults: &[&str]) -> Vec<u8> {
    let start = Instant::parse_utc(START).unwrap();
    sent(name, START, End { telegrams: None, at: Some(start.plus_seconds(seconds)) }, faults)
}

pub fn sent(name: &str, start: &str, end: End, faults: &[&str]) -> Vec<u8> {
    let start = Instant::parse_utc(start).unwrap();
    let faults = Faults::new(faults.iter().map(|text| text.parse::<Fault>().unwrap()).collect());
    let mut setup = Setup::new(1, start);
    faults.set_up(&mut setup);
    let mut meter = Profile::parse(name).unwrap().build(&setup, &faults, Tempo::new(start, 1));
    let mut cable = Cable::new(start, faults.on_the_line(1, start, Tempo::new(start, 1)));
    let mut bytes = Vec::new();
    let settings = Run { start, pace: Pace::Max, end, unplugged: Vec::new() };
    let stop = AtomicBool::new(false);
    run(meter.as_mut(), &mut cable, &mut File(&mut bytes), &settings, &stop, &mut |_: Said| {}).unwrap();
    bytes
}

/// Every reading in it, and every fault.
pub fn decode(bytes: &[u8]) -> (Vec<Reading>, Vec<String>) {
    let keys = Keys {
        encryption: "000102030405060708090a0b0c0d0e0f".parse().ok(),
        authentication: "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf".parse().ok(),
        title: None,
    };
    let mut decoder = Decoder::new(Settings { keys, ..Settings::default() });
    let (mut readings, mut faults) = (Vec::new(), Vec::new());
    let mut sink = |outcome| match outcome {
        Outcome::Reading(reading) => readings.push(reading),
        Outcome::Fault(fault) => faults.push(fault.to_string()),
    };
    decoder.push(bytes, &mut sink);
    decoder.finish(&mut sink);
    (readings, faults)
}

/// The number of a register in its last digit, whatever its unit: 12.345 kWh is 12345.
pub fn digits(reading: &Reading, code: &str) -> Option<i64> {
    let register = reading.register(code.parse().unwrap())?;
    register.as_number().map(|number| number.mantissa())
}

/// When a reading says it was made.
pub fn time(reading: &Reading) -> Instant {
    reading.clock.unwrap().resolve(Zone::CENTRAL_EUROPE).earliest()
}
