//! Each fault does what the table says, and nothing else.

use crate::{START, bytes_for, bytes_of, decode, digits, time};
use releve::reading::{Instant, Reading};

fn readings(name: &str, seconds: i64, faults: &[&str]) -> (Vec<Reading>, Vec<String>) {
    decode(&bytes_for(name, seconds, faults))
}

fn after_start(reading: &Reading) -> i64 {
    time(reading).unix_seconds() - Instant::parse_utc(START).unwrap().unix_seconds()
}

#[test]
fn noise_and_lost_bytes_and_parity_cost_telegrams_and_never_change_a_number() {
    let (sound, _) = readings("p1", 300, &[]);
    for fault in ["noise:3000", "lost:3000", "parity:3000"] {
        let (damaged, faults) = readings("p1", 300, &[fault]);
        assert!((100..290).contains(&damaged.len()), "{fault}: {} of 300", damaged.len());
        assert!(faults.len() > 10, "{fault}");
        for reading in damaged {
            assert!(sound.iter().any(|right| right.registers == reading.registers), "{fault}");
        }
    }
}

#[test]
fn a_fault_begins_when_it_is_told_to() {
    let (sound, spoilt) = (bytes_of("sml", 10, &[]), bytes_of("sml", 10, &["noise@5s:20"]));
    let half = sound.len() / 2;
    assert_eq!(sound[..half], spoilt[..half]);
    assert_ne!(sound, spoilt);
}

#[test]
fn a_wrong_checksum_is_refused() {
    for name in ["p1", "sml", "e450", "e450-blocks", "e450-ciphered"] {
        let (all, faults) = decode(&bytes_of(name, 4, &["checksum"]));
        assert_eq!(all.len(), 0, "{name}");
        assert!(faults.len() >= 4, "{name}: {faults:?}");
        let (some, _) = decode(&bytes_of(name, 4, &["checksum:2"]));
        assert_eq!(some.len(), 2, "{name}");
    }
}

#[test]
fn silence_is_silence_and_over_when_it_is() {
    let (readings, faults) = readings("p1", 30, &["silence@10s:5"]);
    let times: Vec<_> = readings.iter().map(after_start).collect();
    assert_eq!(times, (0..10).chain(15..30).collect::<Vec<_>>());
    assert_eq!(faults, [""; 0]);
}

#[test]
fn a_misplaced_head_gives_no_reading_and_some_nul() {
    let bytes = bytes_of("p1", 3, &["misplaced"]);
    assert_eq!(decode(&bytes).0.len(), 0);
    assert!(bytes.iter().filter(|&&byte| byte == 0).count() > bytes.len() / 6);
}

#[test]
fn a_power_cut_silences_the_meter_and_is_counted() {
    let (readings, _) = readings("p1", 400, &["cut@10s:240"]);
    let times: Vec<_> = readings.iter().map(after_start).collect();
    assert_eq!(times, (0..=10).chain(251..400).collect::<Vec<_>>());
    let count = |reading: &Reading, code| digits(reading, code).unwrap();
    let (first, last) = (&readings[0], &readings[readings.len() - 1]);
    assert_eq!(count(last, "0-0:96.7.21") - count(first, "0-0:96.7.21"), 1);
    assert_eq!(count(last, "0-0:96.7.9") - count(first, "0-0:96.7.9"), 1, "longer than three minutes");
    let entries = releve::acquire::log::entries(last);
    assert!(entries.iter().any(|entry| entry.values.iter().any(|(_, value)| value == "0000000240*s")), "{entries:?}");
}

#[test]
fn the_clock_steps_and_drifts() {
    let (readings_, _) = readings("p1", 20, &["clock@10s:-75"]);
    let times: Vec<_> = readings_.iter().map(after_start).collect();
    assert_eq!(times[..11], (0..=10).collect::<Vec<_>>());
    assert_eq!(times[11..], (-64..-55).collect::<Vec<_>>());
    let (readings, _) = readings("p1-10s", 7200, &["drift:8640"]);
    assert_eq!(after_start(&readings[719]), 7190 + 719, "a tenth too fast");
}

#[test]
fn another_meter_takes_over() {
    let (readings, _) = readings("e450", 60, &["swap@30s"]);
    let ids: Vec<_> = readings.iter().map(|reading| reading.meter.clone().unwrap()).collect();
    assert!(ids[..7].iter().all(|id| *id == ids[0]) && ids[7..].iter().all(|id| *id == ids[7]));
    assert_ne!(ids[0], ids[7]);
    assert!(digits(&readings[6], "1-1:1.8.0").unwrap() > 1_000_000);
    assert!(digits(&readings[7], "1-1:1.8.0").unwrap() < 10);
}

#[test]
fn a_counter_turns_over() {
    for (name, code) in [("p1", "1-0:1.8.2"), ("e450", "1-1:1.8.0"), ("mode-d", "1-0:1.8.0")] {
        let (readings, _) = readings(name, 900, &["rollover:5"]);
        let counters: Vec<_> = readings.iter().map(|reading| digits(reading, code).unwrap()).collect();
        assert_eq!(counters[0], 999_999_995, "{name}");
        assert!(*counters.last().unwrap() < 5_000, "{name}");
        assert_eq!(counters.windows(2).filter(|pair| pair[1] < pair[0]).count(), 1, "{name}");
    }
}

#[test]
fn power_flows_into_the_grid() {
    let (readings, _) = readings("sml", 120, &["feed-in@1m:30"]);
    let export: Vec<_> = readings.iter().map(|reading| digits(reading, "1-0:16.7.0").unwrap() < -2000).collect();
    let expected: Vec<_> = (0..120).map(|second| (60..90).contains(&second)).collect();
    assert_eq!(export, expected);
}

#[test]
fn without_its_pin_a_meter_keeps_its_power_to_itself() {
    let (readings, _) = decode(&bytes_of("sml", 3, &["no-pin"]));
    assert_eq!(readings.len(), 3);
    for reading in readings {
        assert_eq!(digits(&reading, "1-0:16.7.0"), None);
        let import = reading.register("1-0:1.8.0".parse().unwrap()).unwrap().as_number().unwrap();
        assert_eq!(import.exponent(), 3, "whole kWh");
    }
}

#[test]
fn a_push_that_is_not_enabled_sends_only_stray_frames() {
    let bytes = bytes_of("e450", 3, &["no-push"]);
    assert_eq!(bytes, [0x10, 0x40, 0x01, 0x41, 0x16].repeat(3));
    assert_eq!(decode(&bytes).0.len(), 0);
}

#[test]
fn two_meters_come_in_turn() {
    for name in ["p1", "sml", "e450"] {
        let (readings, faults) = decode(&bytes_of(name, 6, &["two-meters"]));
        let ids: Vec<_> = readings.iter().map(|reading| reading.meter.clone().unwrap()).collect();
        assert_eq!((ids.len(), faults.len()), (6, 0), "{name}");
        assert!(ids[0] != ids[1] && ids[0] == ids[2] && ids[1] == ids[3], "{name}: {ids:?}");
    }
}

#[test]
fn what_is_no_meter_gives_no_reading() {
    let bytes = bytes_of("gps", 5, &[]);
    assert_eq!(decode(&bytes).0.len(), 0);
    assert!(String::from_utf8(bytes).unwrap().starts_with("$GPRMC,143000.00,A,"));
}
