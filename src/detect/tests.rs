//! Each detector on made series with known answers.

mod properties;

use super::*;
use crate::reading::{Code, Decimal, MeterTime, Quality, Register, Severity, Unit};
use crate::reading::{Offset, Protocol, Value};
use std::collections::BTreeMap;

const START: &str = "2025-11-07T12:00:00Z";

fn start() -> Instant {
    Instant::parse_utc(START).unwrap()
}

fn setting() -> Setting {
    Setting { zone: Zone::CENTRAL_EUROPE, family: None }
}

/// A series that is being made.
#[derive(Default)]
struct Series {
    readings: Vec<(Instant, Reading)>,
}

impl Series {
    /// A reading so many seconds after the start.
    fn at(&mut self, second: i64, registers: &[(&str, &str)]) -> &mut Reading {
        let mut reading = Reading::new(Protocol::Dsmr);
        for (code, value) in registers {
            let code = Code::parse(code.as_bytes());
            reading.registers.push(match value.split_once(' ') {
                Some((number, unit)) => {
                    let mut register = Register::number(code, number.parse().unwrap(), Unit::parse(unit));
                    register.width = u8::try_from(number.len()).unwrap();
                    register
                }
                None => Register::text(code, *value),
            });
        }
        self.readings.push((start().plus_seconds(second), reading));
        &mut self.readings.last_mut().unwrap().1
    }

    /// A value under one code, every so many seconds from a second on.
    fn every(&mut self, step: i64, from: i64, code: &str, unit: &str, values: &[&str]) -> &mut Self {
        for (second, value) in (from..).step_by(usize::try_from(step).unwrap()).zip(values) {
            self.at(second, &[(code, &format!("{value} {unit}"))]);
        }
        self
    }
}

/// The events of a meter by what they are known by, as a store would keep them.
type Rows = BTreeMap<(String, Option<u8>, Instant, Origin), Event>;

fn keep(rows: &mut Rows, finding: Finding) {
    match finding {
        Finding::Event(event) => {
            rows.insert((event.kind.to_string(), event.phase, event.start, event.origin), event);
        }
        Finding::Withdrawn { kind, phase, start, origin } => {
            rows.remove(&(kind.to_string(), phase, start, origin));
        }
    }
}

fn detector(rules: &Rules) -> Detector {
    Detector::new(MeterId::new("M1").unwrap(), rules, setting())
}

fn run_with(rules: &Rules, readings: &[(Instant, Reading)]) -> Rows {
    let (mut rows, mut detector) = (Rows::new(), detector(rules));
    for (at, reading) in readings {
        detector.push(*at, reading, &mut |finding| keep(&mut rows, finding));
    }
    rows
}

/// The same with restarts in between: each time a new detector is shown all there was, and what it then says is old.
fn run_with_restarts(rules: &Rules, readings: &[(Instant, Reading)], restarts: &[usize]) -> Rows {
    let (mut rows, mut current) = (Rows::new(), detector(rules));
    for (index, (at, reading)) in readings.iter().enumerate() {
        if restarts.contains(&index) {
            current = detector(rules);
            for (at, reading) in &readings[..index] {
                current.push(*at, reading, &mut |_| {});
            }
        }
        current.push(*at, reading, &mut |finding| keep(&mut rows, finding));
    }
    rows
}

/// The events of a kind: start and end in seconds (`?` while it lasts, nothing for a moment), phase, extreme, severity.
fn of(kind: &str, rows: &Rows) -> Vec<String> {
    let second = |at: Instant| at.unix_seconds() - start().unix_seconds();
    let rows = rows.values().filter(|event| event.kind == kind);
    let told = rows.map(|event| {
        let phase = event.phase.map(|phase| format!(" L{phase}")).unwrap_or_default();
        let end = match event.end {
            None => "?".to_owned(),
            Some(end) if end == event.start => String::new(),
            Some(end) => second(end).to_string(),
        };
        let value = event.value.map(|value| format!(" {value}")).unwrap_or_default();
        format!("{}..{end}{phase}{value} {}", second(event.start), event.severity)
    });
    told.collect()
}

fn found(kind: &str, series: &Series) -> Vec<String> {
    of(kind, &run_with(&Rules::default(), &series.readings))
}

const L1: &str = "1-0:32.7.0";
const L2: &str = "1-0:52.7.0";
const P: &str = "1-0:16.7.0";

/// Readings every ten seconds, each window of ten minutes with one value.
fn windows(code: &str, means: &[&str]) -> Series {
    let mut series = Series::default();
    for (window, mean) in (0..).zip(means) {
        series.every(10, window * 600, code, "V", &[*mean; 60]);
    }
    let end = 600 * i64::try_from(means.len()).unwrap();
    series.every(10, end, code, "V", &["230.0"]);
    series
}

// The worked examples of the page, one by one.

#[test]
fn means_of_ten_minutes_make_one_swell_with_its_extreme() {
    let series = windows(L2, &["252.6", "254.0", "256.1", "249.9", "248.0"]);
    let rows = run_with(&Rules::default(), &series.readings);
    assert_eq!(of("surtension", &rows), ["600..2400 L2 256.1 error"]);
    let event = rows.values().find(|event| event.kind == "surtension").unwrap();
    assert_eq!(event.description, "Surtension L2 : 256,1 V en moyenne sur 10 min (limite 253 V), durée 30 min");
    assert_eq!((event.threshold, event.unit.as_deref()), (Some(Decimal::new(253, 0)), Some("V")));
    assert_eq!(event.code.as_deref(), Some("1-0:52.7.0"));
    // The short swell inside is part of it.
    assert_eq!(of("surtension_breve", &rows), Vec::<String>::new());
}

#[test]
fn one_reading_above_is_a_peak_and_less_than_the_margin_below_does_not_end_it() {
    let mut series = Series::default();
    series.every(
        10,
        0,
        P,
        "W",
        &["3900", "4100", "4500", "3700", "3500", "3500", "3500", "3500", "3500", "3500", "3500"],
    );
    let rows = run_with(&Rules::default(), &series.readings);
    assert_eq!(of("pic_puissance", &rows), ["10..40 4500 warning"]);
    let event = rows.values().next().unwrap();
    assert_eq!(event.threshold, Some(Decimal::new(4000, 0)));
    assert_eq!(event.description, "Pic de puissance : 4500 W (limite 4000 W), durée 30 s");
    // One that is not over yet has no end.
    assert_eq!(of("pic_puissance", &run_with(&Rules::default(), &series.readings[..6])), ["10..? 4100 warning"]);
}

#[test]
fn a_line_of_the_power_failure_log_says_the_end() {
    let mut series = Series::default();
    let texts = ["1", "0-0:96.7.19", "251107152415W", "0000000240*s"].map(|text| Value::Text(text.into()));
    let log = Register::new(Code::parse(b"1-0:99.97.0"), Value::List(texts.into()), None);
    series.at(8400, &[]).registers.push(log);
    let rows = run_with(&Rules::default(), &series.readings);
    let event = rows.values().next().unwrap();
    assert_eq!(event.start, Instant::parse_utc("2025-11-07T14:20:15Z").unwrap());
    assert_eq!((event.kind.as_str(), event.severity, event.origin), ("coupure", Severity::Error, Origin::Meter));
    assert_eq!((event.value, event.code.as_deref()), (Some(Decimal::new(240, 0)), Some("1-0:99.97.0")));
}

#[test]
fn a_counter_of_six_digits_rolls_over() {
    let mut series = Series::default();
    series.at(0, &[("1-0:1.8.0", "999998.120 kWh")]);
    series.at(900, &[("1-0:1.8.0", "000001.340 kWh")]);
    let rows = run_with(&Rules::default(), &series.readings);
    assert_eq!(of("retour_a_zero", &rows), ["900.. 3.220 info"]);
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_counter_that_falls_makes_its_reading_doubtful() {
    let mut series = Series::default();
    series.at(0, &[("1-0:1.8.0", "012345.678 kWh"), (P, "100 W")]);
    series.at(900, &[("1-0:1.8.0", "012345.600 kWh"), (P, "9000 W")]);
    let rows = run_with(&Rules::default(), &series.readings);
    assert_eq!(of("compteur_recule", &rows), ["900.. 12345.600 error"]);
    assert_eq!(of("pic_puissance", &rows), Vec::<String>::new());
    // One last digit is rounding.
    let mut series = Series::default();
    series.at(0, &[("1-0:1.8.0", "012345.678 kWh")]);
    series.at(900, &[("1-0:1.8.0", "012345.677 kWh")]);
    assert!(run_with(&Rules::default(), &series.readings).is_empty());
}

#[test]
fn a_binary_counter_of_32_bits_rolls_over() {
    let mut series = Series::default();
    for (second, value) in [(0, 4_294_967_290), (900, 14)] {
        let register = Register::number(Code::parse(b"1-0:1.8.0"), Decimal::new(value, 0), Some(Unit::WH));
        series.at(second, &[]).registers.push(register);
    }
    assert_eq!(found("retour_a_zero", &series), ["900.. 0.020 info"]);
}

// Each rule just below, at and just above its threshold, with flicker and with a gap.

#[test]
fn the_mean_counts_above_the_threshold_and_not_at_it() {
    for (mean, count) in [("252.9", 0), ("253.0", 0), ("253.1", 1)] {
        assert_eq!(found("surtension", &windows(L1, &["230.0", mean, "230.0"])).len(), count, "{mean}");
    }
    for (mean, count) in [("207.1", 0), ("207.0", 0), ("206.9", 1)] {
        assert_eq!(found("sous_tension", &windows(L1, &["230.0", mean, "230.0"])).len(), count, "{mean}");
    }
    assert_eq!(
        found("sous_tension", &windows(L1, &["230.0", "195.4", "208.0", "211.6"])),
        ["600..1800 L1 195.4 error"]
    );
    assert_eq!(found("surtension", &windows(L1, &["254.0", "248.5", "254.0", "248.4"])), ["0..1800 L1 254 error"]);
}

#[test]
fn a_gap_in_a_window_leaves_it_without_a_verdict_and_a_long_one_ends_the_episode() {
    let mut series = windows(L1, &["255.0", "255.0", "255.0"]);
    series.readings.retain(|(at, _)| !(700..900).contains(&(at.unix_seconds() - start().unix_seconds())));
    // The window with the hole is skipped; the third keeps it going.
    assert_eq!(found("surtension", &series), ["0..? L1 255 error"]);
    let mut series = windows(L1, &["255.0"]);
    series.every(10, 4000, L1, "V", &["255.0"; 10]);
    assert_eq!(found("surtension", &series), ["0..600 L1 255 error"]);
}

#[test]
fn short_dips_and_swells_need_two_readings_and_a_very_high_voltage_none() {
    let dip = |values: &[&str]| {
        let mut series = Series::default();
        series.every(1, 0, L1, "V", values);
        series
    };
    assert_eq!(
        found("creux_tension", &dip(&["230", "206.9", "206.9", "208", "211.6", "211.6"])),
        ["1..4 L1 206.9 warning"]
    );
    assert!(found("creux_tension", &dip(&["230", "206.9", "207", "206.9", "230"])).is_empty());
    assert_eq!(found("surtension_breve", &dip(&["230", "253.1", "255", "248.4", "248.4"])), ["1..3 L1 255 warning"]);
    assert!(found("surtension_breve", &dip(&["230", "253", "253", "253"])).is_empty());
    assert_eq!(found("surtension_breve", &dip(&["230", "276.1", "230", "230"])), ["1..2 L1 276.1 critical"]);
    assert_eq!(found("surtension_breve", &dip(&["230", "276", "230", "230"])), Vec::<String>::new());
}

fn three(series: &mut Series, second: i64, volts: [&str; 3]) {
    let volts = volts.map(|volts| format!("{volts} V"));
    series.at(second, &[(L1, &volts[0]), (L2, &volts[1]), ("1-0:72.7.0", &volts[2])]);
}

#[test]
fn a_lost_phase_is_no_dip_and_one_that_never_was_is_not_lost() {
    let mut series = Series::default();
    (0..5).for_each(|second| three(&mut series, second, ["230", "230", "230"]));
    (5..20).for_each(|second| three(&mut series, second, ["230", "3", "230"]));
    (20..40).for_each(|second| three(&mut series, second, ["230", "230", "230"]));
    assert_eq!(found("coupure_phase", &series), ["5..20 L2 3 error"]);
    assert!(found("creux_tension", &series).is_empty());
    let mut series = Series::default();
    (0..60).for_each(|second| three(&mut series, second, ["230", "0", "230"]));
    assert!(run_with(&Rules::default(), &series.readings).is_empty());
    // Nine seconds are too short.
    let mut series = Series::default();
    (0..5).for_each(|second| three(&mut series, second, ["230", "230", "230"]));
    (5..15).for_each(|second| three(&mut series, second, ["230", "3", "230"]));
    (15..40).for_each(|second| three(&mut series, second, ["230", "230", "230"]));
    assert!(found("coupure_phase", &series).is_empty());
}

#[test]
fn all_voltages_gone_is_an_outage_and_nothing_else() {
    for (length, severity) in [(180, "warning"), (181, "error")] {
        let mut series = Series::default();
        (0..5).for_each(|second| three(&mut series, second, ["230", "231", "232"]));
        (5..5 + length).for_each(|second| three(&mut series, second, ["100", "20", "160"]));
        (5 + length..20 + length).for_each(|second| three(&mut series, second, ["230", "231", "232"]));
        let rows = run_with(&Rules::default(), &series.readings);
        assert_eq!(of("coupure", &rows), [format!("5..{} {length} {severity}", 5 + length)]);
        assert_eq!(rows.len(), 1, "{rows:?}");
    }
}

#[test]
fn a_lost_neutral_is_told_at_once_where_it_is_dangerous() {
    let lost = |volts: [&str; 3], seconds: i64| {
        let mut series = Series::default();
        (0..3).for_each(|second| three(&mut series, second, ["230", "230", "230"]));
        (3..3 + seconds).for_each(|second| three(&mut series, second, volts));
        series
    };
    assert_eq!(found("perte_neutre", &lost(["85", "314", "351"], 1)), ["3..? 351 critical"]);
    assert_eq!(found("perte_neutre", &lost(["185", "260", "260"], 61)), ["3..? 260 critical"]);
    assert!(found("perte_neutre", &lost(["185", "260", "260"], 60)).is_empty());
    // The rule does not see this one; the text of the others says what to look at.
    let series = lost(["199", "237", "258"], 10);
    let rows = run_with(&Rules::default(), &series.readings);
    assert!(of("perte_neutre", &rows).is_empty());
    let hinted =
        |kind: &str| rows.values().any(|event| event.kind == kind && event.description.contains("neutre à vérifier"));
    assert!(hinted("creux_tension") && hinted("surtension_breve"), "{rows:?}");
}

#[test]
fn unbalance_is_a_mean_of_ten_minutes() {
    for (third, count) in [("225", 0), ("207", 1)] {
        let mut series = Series::default();
        (0..=60).for_each(|step| three(&mut series, step * 10, ["240", "230", third]));
        assert_eq!(found("desequilibre_tension", &series).len(), count, "{third}");
    }
}

#[test]
fn the_week_is_judged_when_it_is_over() {
    let run = |bad_hours: i64| {
        let monday = Instant::parse_utc("2025-11-02T23:00:00Z").unwrap();
        let mut series = Series::default();
        for minute in 0..=7 * 1440 + 10 {
            let bad = minute < bad_hours * 60;
            series.at(0, &[(L1, if bad { "206 V" } else { "231 V" })]);
            series.readings.last_mut().unwrap().0 = monday.plus_seconds(minute * 60);
        }
        run_with(&Rules::default(), &series.readings)
    };
    // 8.4 hours of 168 are five percent.
    assert!(of("qualite_tension", &run(8)).is_empty());
    let rows = run(9);
    let event = rows.values().find(|event| event.kind == "qualite_tension").unwrap();
    assert_eq!(event.start, Instant::parse_utc("2025-11-02T23:00:00Z").unwrap());
    assert_eq!(event.value.unwrap().to_string(), "94.64");
}

#[test]
fn frequency_is_judged_as_means_of_ten_seconds() {
    let run = |hertz: &str, seconds: usize| {
        let mut series = Series::default();
        series.every(1, 0, "1-0:14.7.0", "Hz", &["50.00"; 10]);
        series.every(1, 10, "1-0:14.7.0", "Hz", &vec![hertz; seconds]);
        series.every(1, 10 + i64::try_from(seconds).unwrap(), "1-0:14.7.0", "Hz", &["50.00"; 61]);
        found("deviation_frequence", &series)
    };
    assert_eq!(run("50.51", 20), ["10..30 50.51 warning"]);
    assert_eq!(run("49.49", 30), ["10..40 49.49 warning"]);
    assert_eq!(run("46.9", 30), ["10..40 46.9 error"]);
    assert_eq!(run("52.1", 30), ["10..40 52.1 error"]);
    assert!(run("50.5", 60).is_empty() && run("50.51", 10).is_empty());
}

#[test]
fn current_is_held_against_the_fuse_that_the_meter_or_the_user_names() {
    let mut series = Series::default();
    series.every(5, 0, "1-0:31.7.0", "A", &["25.1", "25.1", "25.1"]);
    assert!(found("seuil_courant", &series).is_empty());
    let mut rules = Rules::default();
    rules.change("seuil_courant", &Change { threshold: Some(Decimal::new(25, 0)), ..Change::default() }).unwrap();
    assert_eq!(of("seuil_courant", &run_with(&rules, &series.readings)), ["0..? L1 25.1 warning"]);
    series.readings[0].1.registers.push(Register::number(
        Code::parse(b"1-0:31.4.0"),
        Decimal::new(20, 0),
        Some(Unit::A),
    ));
    assert_eq!(found("seuil_courant", &series), ["0..? L1 25.1 error"]);
}

#[test]
fn the_mean_of_a_quarter_of_an_hour_is_held_against_the_contract() {
    let mut rules = Rules::default();
    rules
        .change("puissance_souscrite_depassee", &Change { threshold: Some(Decimal::new(3000, 0)), ..Change::default() })
        .unwrap();
    let mut series = Series::default();
    series.every(10, 0, P, "W", &["3100"; 90]).every(10, 900, P, "W", &["2000"; 91]);
    assert_eq!(of("puissance_souscrite_depassee", &run_with(&rules, &series.readings)), ["0..900 3100 warning"]);
}

#[test]
fn missing_readings_are_told_by_what_is_usual() {
    let mut series = Series::default();
    series.every(10, 0, P, "W", &["100"; 10]).every(10, 90 + 60, P, "W", &["100"; 3]);
    assert!(found("donnees_manquantes", &series).is_empty());
    series.every(10, 170 + 61, P, "W", &["100"]).every(10, 231 + 3600, P, "W", &["100"]);
    assert_eq!(found("donnees_manquantes", &series), ["170..231 61 warning", "231..3831 3600 error"]);
    // Every quarter of an hour is usual where it is usual.
    let mut series = Series::default();
    series.every(900, 0, P, "W", &["5000"; 20]);
    let rows = run_with(&Rules::default(), &series.readings);
    assert!(of("donnees_manquantes", &rows).is_empty());
    assert_eq!(of("pic_puissance", &rows).len(), 4, "{rows:?}");
}

#[test]
fn counters_that_jump_stand_still_or_disagree() {
    let mut series = Series::default();
    series.every(900, 0, "1-0:1.8.0", "kWh", &["000100.000", "000126.000", "000100.100", "000100.200"]);
    // 26 kWh in a quarter of an hour are 104 kW.
    assert_eq!(found("saut_index", &series), ["900.. 104000 warning"]);
    let mut series = Series::default();
    series.every(900, 0, "1-0:1.8.0", "kWh", &["000100.000", "000125.000"]);
    assert!(found("saut_index", &series).is_empty());
    let mut series = Series::default();
    series.every(900, 0, "1-0:1.8.0", "kWh", &["000500.000", "000020.000", "000020.100", "000020.200", "000020.300"]);
    let rows = run_with(&Rules::default(), &series.readings);
    assert_eq!(of("compteur_recule", &rows), ["900.. 20.000 error"]);
    assert_eq!(of("index_modifie", &rows), ["900.. 20.200 warning"]);
    let mut series = Series::default();
    for minute in 0..=1441 {
        series.at(minute * 60, &[("1-0:1.8.0", "000500.000 kWh"), (P, "101 W")]);
    }
    assert_eq!(found("index_fige", &series), ["60..? 101 error"]);
    series.readings.truncate(1441);
    assert!(found("index_fige", &series).is_empty());
    let mut series = Series::default();
    for (second, total, tariff) in [(0, "10.000", "9.900"), (900, "11.000", "9.950"), (1800, "12.000", "9.999")] {
        let (total, tariff) = (format!("{total} kWh"), format!("{tariff} kWh"));
        series.at(second, &[("1-0:1.8.0", &total), ("1-0:1.8.1", &tariff)]);
    }
    assert_eq!(found("tarif_incoherent", &series), ["1800.. 1.901 info"]);
}

#[test]
fn another_serial_number_is_another_meter_and_its_counters_begin_anew() {
    let mut series = Series::default();
    series.at(0, &[("C.1.0", "A0000001"), ("1-0:1.8.0", "000900.000 kWh")]);
    series.at(900, &[("C.1.0", "B0000002"), ("1-0:1.8.0", "000001.000 kWh")]);
    let rows = run_with(&Rules::default(), &series.readings);
    assert_eq!(of("compteur_remplace", &rows), ["900.. warning"]);
    assert_eq!(rows.len(), 1, "{rows:?}");
}

#[test]
fn the_clock_of_the_meter_is_watched() {
    let mut series = Series::default();
    for (second, offset, doubtful) in
        [(0, Offset::Summer, false), (60, Offset::Winter, true), (120, Offset::Winter, false)]
    {
        let mut clock = start().plus_seconds(second).meter_time_at(60);
        (clock.offset, clock.doubtful) = (offset, doubtful);
        series.at(second, &[]).clock = Some(clock);
    }
    let rows = run_with(&Rules::default(), &series.readings);
    assert_eq!(of("changement_heure", &rows), ["60.. info"]);
    assert_eq!(of("horloge_invalide", &rows), ["60..120 error"]);
    let old =
        MeterTime { civil: Instant::from_unix(0).meter_time_at(60).civil, offset: Offset::Unknown, doubtful: false };
    series.at(180, &[]).clock = Some(old);
    assert_eq!(found("horloge_invalide", &series).len(), 2);
}

#[test]
fn counts_of_failures_and_dips_are_told_when_they_rise() {
    let mut series = Series::default();
    let counts = |any, long, sags| [("0-0:96.7.21", any), ("0-0:96.7.9", long), ("1-0:52.32.0", sags)];
    series.at(0, &counts("00004", "00002", "00001"));
    series.at(10, &counts("00004", "00002", "00003"));
    series.at(20, &counts("00006", "00002", "00003"));
    series.at(30, &counts("00007", "00003", "00003"));
    let rows = run_with(&Rules::default(), &series.readings);
    assert_eq!(of("coupure", &rows), ["10..20 warning", "20..30 error"]);
    assert_eq!(of("creux_tension", &rows), ["0..10 L2 warning"]);
    let text = rows.values().find(|event| event.kind == "creux_tension").unwrap().description.clone();
    assert_eq!(text, "2 creux de tension L2 depuis la dernière lecture");
}

#[test]
fn a_failure_in_the_log_and_in_the_count_is_told_once() {
    let log = |ends: &[&str]| {
        let count = ends.len().to_string();
        let mut texts = vec![count.as_str(), "0-0:96.7.19"];
        for end in ends {
            texts.extend([*end, "0000000300*s"]);
        }
        let texts: Vec<Value> = texts.into_iter().map(|text| Value::Text(text.into())).collect();
        Register::new(Code::parse(b"1-0:99.97.0"), Value::List(texts.into()), None)
    };
    let mut series = Series::default();
    series.at(0, &[("0-0:96.7.21", "00001")]).registers.push(log(&["251101152415W"]));
    series.at(900, &[("0-0:96.7.21", "00002")]).registers.push(log(&["251107131400W", "251101152415W"]));
    let rows = run_with(&Rules::default(), &series.readings);
    assert_eq!(of("coupure", &rows).len(), 2, "{rows:?}");
    assert!(rows.values().all(|event| event.code.as_deref() == Some("1-0:99.97.0")));
}

#[test]
fn what_the_meter_says_of_itself_is_told_when_it_changes() {
    let mut series = Series::default();
    let said = |error, breaker, text| {
        [("F.F", error), ("0-0:96.3.10", breaker), ("0-0:96.13.0", text), ("0-0:97.98.0", error)]
    };
    series.at(0, &said("00000000", "1", ""));
    series.at(10, &said("00000102", "0", "4D6173746572"));
    series.at(20, &said("00000102", "1", "4D6173746572"));
    series.at(30, &said("00000000", "1", ""));
    let rows = run_with(&Rules::default(), &series.readings);
    assert_eq!(of("erreur_compteur", &rows).len(), 1, "{rows:?}");
    assert_eq!(of("pile_faible", &rows), ["10..30 warning"]);
    assert_eq!(of("disjoncteur", &rows), ["10..20 warning"]);
    let message = rows.values().find(|event| event.kind == "message_gestionnaire").unwrap();
    assert_eq!(message.description, "Message du gestionnaire de réseau : Master");
}

#[test]
fn a_mean_of_the_meters_own_goes_before_ours() {
    let mut series = Series::default();
    series.at(0, &[(L1, "230 V")]);
    series.at(600, &[(L1, "230 V"), ("1-0:32.24.0", "100 V"), ("1-0:32.25.0", "254 V")]);
    series.at(605, &[(L1, "230 V"), ("1-0:32.25.0", "254 V")]);
    series.at(1200, &[(L1, "230 V"), ("1-0:32.25.0", "230 V")]);
    assert_eq!(found("surtension", &series), ["0..600 L1 254 error"]);
    // One that comes in the middle of a window says nothing of it.
    let mut series = Series::default();
    series.at(0, &[(L1, "230 V")]);
    series.at(300, &[(L1, "230 V"), ("1-0:32.25.0", "254 V")]);
    assert!(found("surtension", &series).is_empty());
}

#[test]
fn a_rotary_field_that_turns_the_other_way_is_told_after_a_minute() {
    let mut series = Series::default();
    series.every(10, 0, "1-0:81.7.1", "deg", &["120"; 3]);
    series.every(10, 30, "1-0:81.7.1", "deg", &["240"; 8]);
    series.every(10, 110, "1-0:81.7.1", "deg", &["120"; 8]);
    assert_eq!(found("inversion_phases", &series), ["30..110 error"]);
    series.readings.drain(8..11);
    assert!(found("inversion_phases", &series).is_empty());
}

#[test]
fn a_gap_after_which_the_meter_counts_its_time_anew_was_probably_an_outage() {
    let mut series = Series::default();
    for (second, hours) in [(0, "500"), (10, "500"), (20, "500"), (30, "500"), (400, "3"), (410, "3")] {
        series.at(second, &[("0-0:96.8.0", hours)]);
    }
    assert_eq!(found("coupure_probable", &series), ["30..400 370 warning"]);
}

#[test]
fn swells_stay_where_nobody_wants_the_means() {
    let mut rules = Rules::default();
    rules.change("surtension", &Change { on: Some(false), ..Change::default() }).unwrap();
    let rows = run_with(&rules, &windows(L2, &["230.0", "256.0", "230.0"]).readings);
    assert_eq!(of("surtension_breve", &rows), ["600..1200 L2 256 warning"]);
    assert!(of("surtension", &rows).is_empty());
}

#[test]
fn a_status_word_of_sml_tells_what_its_bits_mean() {
    let mut series = Series::default();
    for (second, status) in [(0, 0x1C_0104), (10, 0x1C_8304), (20, 0x18_0104), (30, 0x1C_0104)] {
        let reading = series.at(second, &[("1-0:1.8.0", "1.0 kWh")]);
        reading.protocol = Protocol::Sml;
        reading.registers[0].detail_mut().status = Some(status);
    }
    let rows = run_with(&Rules::default(), &series.readings);
    assert_eq!(of("champ_magnetique", &rows), ["10..20 critical"]);
    assert_eq!(of("inversion_phases", &rows), ["10..20 error"]);
    assert_eq!(of("coupure_phase", &rows), ["20..30 error"]);
}

#[test]
fn doubtful_readings_begin_no_electrical_event() {
    let mut series = Series::default();
    series.every(10, 0, P, "W", &["5000"; 6]);
    series.readings.iter_mut().for_each(|(_, reading)| reading.quality = Quality::Suspect);
    assert!(run_with(&Rules::default(), &series.readings).is_empty());
}

#[test]
fn of_a_flood_one_row_counts() {
    let mut series = Series::default();
    for peak in 0..40 {
        series.every(10, peak * 80, P, "W", &["5000", "100", "100", "100", "100", "100", "100", "100"]);
    }
    let rows = run_with(&Rules::default(), &series.readings);
    assert_eq!(of("pic_puissance", &rows).len(), 21);
    let sum = rows.values().last().unwrap();
    assert_eq!(sum.description, "Pic de puissance (20 répétitions)");
}

#[test]
fn a_rule_that_is_off_tells_nothing() {
    let mut rules = Rules::default();
    rules.change("pic_puissance", &Change { on: Some(false), ..Change::default() }).unwrap();
    let mut series = Series::default();
    series.every(10, 0, P, "W", &["5000"; 6]);
    assert!(run_with(&rules, &series.readings).is_empty());
}

#[test]
fn a_threshold_of_zero_is_off_and_falsifies_no_other_rule() {
    // What dips and swells say of the neutral goes by the threshold of both, also where one is not told.
    let mut rules = Rules::default();
    let before = rules.find("surtension_breve").unwrap().threshold;
    rules.change("surtension_breve", &Change { threshold: Some(Decimal::ZERO), ..Change::default() }).unwrap();
    let rule = rules.find("surtension_breve").unwrap();
    assert!(!rule.on && rule.threshold == before && before.is_some_and(|threshold| !threshold.is_zero()));
}
