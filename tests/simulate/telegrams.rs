//! What the meters send: decoded by our own decoder, added up, compared with the household.

use crate::testenv::Place;
use crate::{START, bytes_for, bytes_of, decode, digits, time};
use proptest::prelude::*;
use releve::reading::{Instant, Quality, Zone};
use releve::simulate::catalogue::TABLE;
use releve::simulate::household::Household;
use releve::simulate::line::reframe;
use releve::simulate::works::{Setup, Works};
use releve::wire::{Line, crc};

/// The meters that push.
fn pushing() -> impl Iterator<Item = &'static str> {
    TABLE.iter().filter(|row| row.pushes && row.name != "gps").map(|row| row.name)
}

#[test]
fn every_push_is_read_whole_and_good() {
    for name in pushing() {
        let (readings, faults) = decode(&bytes_of(name, 20, &[]));
        assert_eq!((readings.len(), faults.as_slice()), (20, &[][..]), "{name}");
        for reading in &readings {
            assert_eq!((reading.quality, reading.anomalies.as_slice()), (Quality::Good, &[][..]), "{name}");
            assert!(reading.meter.is_some(), "{name}");
        }
    }
}

#[test]
fn the_same_seed_and_start_give_the_same_bytes_for_ever() {
    // Length and two checksums of the first three telegrams. A change here breaks a promise.
    let expected = [
        ("e450", 1_323, 24_252, 3_666),
        ("e450-ciphered", 1_413, 60_940, 45_622),
        ("e450-blocks", 1_515, 32_319, 2_031),
        ("e450-blocks-ciphered", 1_662, 10_747, 39_736),
        ("mode-d", 1_962, 52_108, 45_484),
        ("p1", 2_337, 6_921, 63_864),
        ("p1-10s", 2_202, 8_673, 4_877),
        ("p1-v2", 933, 60_635, 22_299),
        ("sml", 1_272, 53_901, 23_463),
        ("gps", 417, 55_642, 32_999),
    ];
    let made = TABLE.iter().filter(|row| row.pushes).map(|row| {
        let bytes = bytes_of(row.name, 3, &[]);
        (row.name, bytes.len(), crc::x25(&bytes), crc::arc(&bytes))
    });
    assert_eq!(made.collect::<Vec<_>>(), expected);
}

#[test]
fn another_seed_is_another_household_and_the_program_says_the_same_as_the_library() {
    let place = Place::new();
    let run = |seed| {
        let output = place
            .command()
            .args(["simulate", "p1", "--start", START, "--seed", seed, "--count", "3"])
            .env("TZ", "Asia/Tokyo")
            .output()
            .unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        output.stdout
    };
    assert_eq!(run("1"), bytes_of("p1", 3, &[]));
    assert_ne!(run("2"), run("1"));
}

/// Counters at one second can only be cut sums of the powers if one fraction of the first fits them all.
fn add_up(counters: &[i64], watts: &[i64], per_unit: i64) {
    let (mut least, mut most) = (0, per_unit - 1);
    let mut sum = 0;
    for (counter, watts) in counters.iter().zip(watts).skip(1) {
        sum += watts;
        let steps = counter - counters[0];
        // steps = floor((fraction + sum) / per_unit)
        least = least.max(steps * per_unit - sum);
        most = most.min((steps + 1) * per_unit - 1 - sum);
        assert!(least <= most, "no fraction fits: {steps} steps after {sum} Ws");
    }
    assert!(most - least < per_unit / 8, "the test says something: {least}..{most}");
}

#[test]
fn the_counters_of_p1_add_up_exactly_to_its_powers() {
    let (readings, _) = decode(&bytes_for("p1", 1800, &["feed-in@15m"]));
    assert_eq!(readings.len(), 1800);
    let column = |code: &str| readings.iter().map(|reading| digits(reading, code).unwrap()).collect::<Vec<_>>();
    add_up(&column("1-0:1.8.2"), &column("1-0:1.7.0"), 3600);
    add_up(&column("1-0:2.8.2"), &column("1-0:2.7.0"), 3600);
    assert!(column("1-0:1.8.1").windows(2).all(|pair| pair[0] == pair[1]), "the low tariff stands still");
    let phases: Vec<_> = ["21", "41", "61", "22", "42", "62"].map(|c| column(&format!("1-0:{c}.7.0"))).into();
    for (n, (import, export)) in column("1-0:1.7.0").iter().zip(column("1-0:2.7.0")).enumerate() {
        let net: i64 =
            phases[..3].iter().map(|phase| phase[n]).sum::<i64>() - phases[3..].iter().map(|p| p[n]).sum::<i64>();
        assert_eq!(import - export, net);
    }
}

#[test]
fn the_counters_of_sml_add_up_exactly_to_its_power() {
    let (readings, _) = decode(&bytes_for("sml", 1200, &["feed-in@10m"]));
    let column = |code: &str| readings.iter().map(|reading| digits(reading, code).unwrap()).collect::<Vec<_>>();
    let power = column("1-0:16.7.0");
    add_up(&column("1-0:1.8.0"), &power.iter().map(|&watts| watts.max(0)).collect::<Vec<_>>(), 360);
    add_up(&column("1-0:2.8.0"), &power.iter().map(|&watts| (-watts).max(0)).collect::<Vec<_>>(), 360);
    let status: Vec<_> = readings
        .iter()
        .map(|reading| reading.register("1-0:1.8.0".parse().unwrap()).unwrap().detail.as_ref().unwrap().status.unwrap())
        .collect();
    for (status, power) in status.iter().zip(&power) {
        assert_eq!(status & 0x800 != 0, *power < 0, "bit 11 says that power flows out");
    }
}

#[test]
fn every_register_shows_the_works() {
    let start = Instant::parse_utc(START).unwrap();
    for name in pushing() {
        let (readings, _) = decode(&bytes_of(name, 5, &[]));
        let mut works = Works::new(&Setup::new(1, start));
        let mut house = Household::new(1, Zone::CENTRAL_EUROPE);
        let is_sml = name == "sml";
        for (n, reading) in (0i64..).zip(&readings) {
            let period = if reading.clock.is_some() { time(reading).unix_seconds() - start.unix_seconds() } else { n };
            works.advance(start.plus_seconds(period));
            let (counters, load) = (works.counters(), house.at(start.unix_seconds() + period));
            let wh = |codes: [&str; 2]| codes.iter().find_map(|code| digits(reading, code));
            let expected = if is_sml { counters.import_tenths_wh() } else { counters.import_wh() };
            match wh(["1-0:1.8.0", "1-1:1.8.0"]) {
                Some(import) => assert_eq!(import.unsigned_abs(), expected, "{name}"),
                None => {
                    let tariffs = ["1-0:1.8.1", "1-0:1.8.2"].map(|code| digits(reading, code).unwrap().unsigned_abs());
                    assert!(tariffs.iter().sum::<u64>().abs_diff(expected) <= 1, "{name}");
                }
            }
            if let Some(import) = digits(reading, "1-0:1.7.0").filter(|_| name != "p1-v2") {
                assert_eq!(import, i64::from(load.watts().max(0)), "{name}");
            }
            let current = digits(reading, "1-0:31.7.0").filter(|_| !name.starts_with("p1"));
            if let Some(current) = current {
                assert_eq!(current.unsigned_abs(), load.phases[0].milliamperes() / 10, "{name}");
            }
        }
    }
}

#[test]
fn telegrams_come_at_their_period_by_the_meters_clock() {
    for (name, period) in [("p1", 1), ("p1-10s", 10), ("e450", 5), ("mode-d", 5)] {
        let (readings, _) = decode(&bytes_of(name, 4, &[]));
        let times: Vec<_> = readings.iter().map(|reading| time(reading).to_string()).collect();
        let start = Instant::parse_utc(START).unwrap();
        let expected: Vec<_> = (0..4).map(|n| start.plus_seconds(n * period).to_string()).collect();
        assert_eq!(times, expected, "{name}");
    }
}

#[test]
fn the_clock_change_of_autumn_is_told() {
    let end = releve::simulate::host::End { telegrams: Some(4), at: None };
    let (readings, _) = decode(&crate::sent("p1", "2025-10-26T00:59:58Z", end, &[]));
    let times: Vec<_> = readings.iter().map(|reading| time(reading).to_string()).collect();
    assert_eq!(times, ["2025-10-26T00:59:58Z", "2025-10-26T00:59:59Z", "2025-10-26T01:00:00Z", "2025-10-26T01:00:01Z"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// What a real receiver makes of a wrong setting never comes out as another number.
    #[test]
    fn a_wrong_setting_never_gives_a_wrong_number(
        which in 0usize..8, baud in prop::sample::select(vec![300u32, 1200, 2400, 4800, 9600, 19_200, 115_200]),
        frame in prop::sample::select(vec!["8N1", "7E1", "8E1", "7O1", "8O1"])
    ) {
        let name = ["p1", "p1-10s", "sml", "e450", "e450-blocks", "e450-ciphered", "e450-blocks-ciphered", "p1"][which];
        let line = if name.starts_with('e') { "2400,8E1" } else if name == "sml" { "9600,8N1" } else { "115200,8N1" };
        let sent = bytes_of(name, 2, &[]);
        let other: Line = format!("{baud},{frame}").parse().unwrap();
        let (right, _) = decode(&sent);
        let (readings, _) = decode(&reframe(&sent, line.parse().unwrap(), other));
        for reading in readings {
            prop_assert!(right.iter().any(|r| r.registers == reading.registers), "{} {}: {:?}", name, other, reading);
        }
    }
}
