//! What must hold whatever the readings are.

use super::*;
use crate::reading::{Code, Protocol, Quality, Reading, Register, Unit};
use crate::store::{Break, Correction, Entry, Store};
use proptest::prelude::*;
use std::collections::BTreeMap;

const ALL: Wanted =
    Wanted { tariffs: true, power: true, demand: true, quality: true, surplus: true, parts: true, curve: true };

fn meter() -> MeterId {
    MeterId::new("E450001234").unwrap()
}

fn entry(at: i64, numbers: &[(&str, Decimal, &str)], quality: Quality) -> Entry {
    let mut reading = Reading::new(Protocol::Dlms);
    reading.meter = Some(meter());
    reading.quality = quality;
    let register = |&(code, number, unit): &(&str, Decimal, &str)| {
        Register::number(Code::parse(code.as_bytes()), number, Unit::parse(unit))
    };
    reading.registers = numbers.iter().map(register).collect();
    Entry { meter: meter(), at: Instant::from_unix(at), source: "cii".to_owned(), reading, derived: false }
}

struct Kept {
    store: Store,
    _folder: tempfile::TempDir,
}

/// A store of readings; sealed up to a time.
fn kept(entries: &[Entry], sealed: Option<i64>) -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(&folder.path().join("s.db")).unwrap();
    store.insert(entries).unwrap();
    if let Some(until) = sealed {
        store.seal(Instant::from_unix(until)).unwrap();
    }
    Kept { store, _folder: folder }
}

fn ask(calendar: Calendar, zone: &str) -> Ask {
    Ask {
        meter: meter(),
        span: Instant::from_unix(-10_000_000_000)..Instant::from_unix(10_000_000_000),
        calendar: Some(calendar),
        zone: Zone::parse(zone).unwrap(),
        now: Instant::from_unix(9_000_000_000),
        wanted: ALL,
    }
}

fn done(kept: &Kept, ask: &Ask) -> Analysis {
    analyse(&Past::new(&kept.store), ask).unwrap().unwrap()
}

fn kwh(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A minute's readings of a day and more: 1 kW, from 2025-11-06T22:00Z on.
fn even(minutes: i64) -> Vec<Entry> {
    let start = 1_762_466_400;
    let number = |minute: i64| Decimal::new(100_000 + minute * 1000 / 60, -3);
    (0..minutes).map(|minute| entry(start + minute * 60, &[("1.8.0", number(minute), "kWh")], Quality::Good)).collect()
}

#[test]
fn a_bound_without_a_reading_divides_the_step_and_says_so() {
    // Half of the step from 23:59:00 to 00:01:00 lies on each side.
    let entries = [(-60, "10.000"), (60, "10.005"), (120, "10.006")]
        .map(|(at, value)| entry(1_762_473_600 + at, &[("1.8.0", kwh(value), "kWh")], Quality::Good));
    let analysis = done(&kept(&entries, None), &ask(Calendar::Day, "UTC"));
    let energies: Vec<Energies> = analysis.rows.iter().map(|row| row.import.unwrap()).collect();
    assert_eq!(energies[0], Energies { energy: kwh("0.003"), interpolated: kwh("0.003"), in_holes: kwh("0") });
    assert_eq!(energies[1], Energies { energy: kwh("0.003"), interpolated: kwh("0.002"), in_holes: kwh("0") });
    assert_eq!(analysis.whole.import.unwrap().interpolated, kwh("0"));
}

#[test]
fn energy_in_a_hole_is_said_to_be_in_one() {
    let mut entries = even(1440);
    entries.drain(600..720);
    let analysis = done(&kept(&entries, None), &ask(Calendar::Hour, "UTC"));
    assert_eq!(analysis.rows.len(), 24);
    let row = &analysis.rows[10];
    assert_eq!((row.cover.holes, row.cover.covered, row.readings), (1, 0, 0));
    assert_eq!((row.import.unwrap().energy, row.import.unwrap().in_holes), (kwh("1.000"), kwh("1.000")));
    assert_eq!(analysis.whole.cover.holes, 1);
    assert_eq!(analysis.whole.import.unwrap().in_holes, kwh("2.017"));
    assert_eq!(analysis.whole.mean_power.unwrap(), Decimal::from(1000));
}

#[test]
fn demand_is_that_of_quarters_that_are_known() {
    let mut entries = even(1440);
    // 4 kW from 08:00 to 08:15 local time, that is from 07:00 UTC.
    for (index, entry) in entries.iter_mut().enumerate().skip(541) {
        let extra = 50 * (index.min(555) - 540);
        let base = entry.reading.registers[0].as_number().unwrap();
        let more = base.checked_add(Decimal::new(i64::try_from(extra).unwrap(), -3)).unwrap();
        entry.reading.registers[0] = Register::number(Code::parse(b"1.8.0"), more, Some(Unit::KWH));
    }
    let analysis = done(&kept(&entries, None), &ask(Calendar::Day, "Europe/Brussels"));
    let row = &analysis.rows[1];
    let demand = row.demand.unwrap();
    assert_eq!((demand.power, demand.at.to_string().as_str()), (Decimal::from(4000), "2025-11-07T07:00:00Z"));
    // The digits of the counter: an hour of 1 kW is 1000 or 1001 Wh.
    assert_eq!(row.base_load.unwrap(), Decimal::from(1000));
    // 94 quarters of 1 kW and the one of 4 kW.
    assert_eq!(row.load_factor.unwrap(), kwh("0.258"));
}

#[test]
fn a_meter_of_tariffs_only_adds_up_what_each_went_on_by() {
    let entries: Vec<Entry> = (0..200)
        .map(|minute: i64| {
            let (high, low) = (Decimal::new(5000 + minute, -3), Decimal::new(70_000 + minute / 2, -2));
            entry(1_762_500_000 + minute * 60, &[("1.8.1", high, "kWh"), ("1.8.2", low, "kWh")], Quality::Good)
        })
        .collect();
    let whole = done(&kept(&entries, None), &ask(Calendar::Day, "UTC")).whole;
    assert_eq!(whole.import.unwrap().energy, kwh("0.199").checked_add(kwh("0.99")).unwrap());
    assert!(whole.tariffs.is_empty() && whole.export.is_none() && whole.power.is_none());
}

#[test]
fn power_is_that_of_the_columns() {
    let row = |numbers: &[(&str, i64)]| {
        let numbers: Vec<_> = numbers.iter().map(|&(code, watts)| (code, Decimal::from(watts), "W")).collect();
        let entries: Vec<Entry> =
            (0..10).map(|minute| entry(1_762_500_000 + minute * 60, &numbers, Quality::Good)).collect();
        done(&kept(&entries, None), &ask(Calendar::Day, "UTC")).whole.power.map(|power| power.max.to_string())
    };
    assert_eq!(row(&[("1.7.0", 512), ("2.7.0", 1204)]).unwrap(), "-692");
    assert_eq!(row(&[("16.7.0", 7), ("1.7.0", 512)]).unwrap(), "7");
    assert_eq!(row(&[("21.7.0", 5), ("41.7.0", 6), ("61.7.0", 7)]).unwrap(), "18");
    assert_eq!(row(&[("2.7.0", 100)]).unwrap(), "-100");
    assert_eq!(row(&[("21.7.0", 5), ("41.7.0", 6)]), None, "a phase is missing");
}

#[test]
fn what_is_bad_does_not_count_and_what_is_doubtful_is_counted() {
    let mut entries: Vec<Entry> = (0..10)
        .map(|minute| entry(1_762_500_000 + minute * 60, &[("32.7.0", Decimal::new(2300, -1), "V")], Quality::Good))
        .collect();
    entries[4] = entry(1_762_500_240, &[("32.7.0", Decimal::new(9999, -1), "V")], Quality::Bad);
    let whole = done(&kept(&entries, None), &ask(Calendar::Day, "UTC")).whole;
    let volts = whole.voltages[0].unwrap();
    assert_eq!((volts.max, volts.within, whole.doubtful, whole.readings), (kwh("230"), Some((1, 1)), 1, 10));
}

#[test]
fn one_reading_and_none() {
    let one = kept(&even(1), None);
    let analysis = done(&one, &ask(Calendar::Month, "UTC"));
    assert_eq!((analysis.rows.len(), analysis.whole.readings, analysis.whole.import), (1, 1, None));
    let mut before = ask(Calendar::Month, "UTC");
    before.span = Instant::from_unix(0)..Instant::from_unix(1000);
    assert!(analyse(&Past::new(&one.store), &before).unwrap().is_none());
}

/// A household's counters as they come: gaps, a new meter, digits that run out, misread values.
#[derive(Debug, Clone)]
enum Happens {
    Runs { readings: usize, step: i64, each: i64 },
    Pause(i64),
    NewMeter(i64),
    Misread(i64),
    NearTop,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => (1usize..80, prop::sample::select(vec![60i64, 61, 300, 900, 3600, 7000]), 0i64..40)
            .prop_map(|(readings, step, each)| Happens::Runs { readings, step, each }),
        2 => (1i64..400_000).prop_map(Happens::Pause),
        1 => (0i64..90_000_000).prop_map(Happens::NewMeter),
        1 => (0i64..999_999_999).prop_map(Happens::Misread),
        1 => Just(Happens::NearTop),
    ]
}

/// Times and mantissas of import and export.
fn life(start: i64, story: &[Happens]) -> Vec<Entry> {
    let (mut at, mut import, mut export) = (start, 5_000_000i64, 100_000i64);
    let mut all = BTreeMap::new();
    let mut put = |at: i64, import: i64, export: i64| {
        let numbers = [
            ("1.8.0", Decimal::new(import % 1_000_000_000, -3), "kWh"),
            ("2.8.0", Decimal::new(export, -2), "kWh"),
            ("16.7.0", Decimal::from(import % 977 - export % 555), "W"),
            ("32.7.0", Decimal::new(2000 + import % 600, -1), "V"),
        ];
        all.insert(at, entry(at, &numbers, Quality::Good));
    };
    for event in story {
        match event {
            Happens::Runs { readings, step, each } => {
                for turn in 0..*readings {
                    at += step;
                    import += each;
                    export += i64::try_from(turn % 3).unwrap();
                    put(at, import, export);
                }
            }
            Happens::Pause(length) => {
                at += length;
                import += length / 100;
            }
            Happens::NewMeter(value) => import = *value,
            Happens::Misread(value) => {
                at += 60;
                put(at, *value, export);
            }
            Happens::NearTop => import = 999_999_000,
        }
    }
    all.into_values().collect()
}

/// What the segments of the store come to: last minus first, and the steps over the top of the digits.
fn by_segments(store: &Store, code: &str) -> Decimal {
    let code = Code::parse(code.as_bytes());
    let (_, segments) = store.segments(&meter()).unwrap().into_iter().find(|(series, _)| series.code == code).unwrap();
    segments.iter().fold(Decimal::ZERO, |sum, segment| {
        let within = segment.last.checked_sub(segment.first).unwrap();
        let over = match segment.begins {
            Some(Break::Rollover { step }) => Decimal::new(step, segment.first.exponent()),
            _ => Decimal::ZERO,
        };
        sum.checked_add(within).unwrap().checked_add(over).unwrap()
    })
}

fn sum(energies: impl Iterator<Item = Option<Energies>>) -> Decimal {
    energies.flatten().fold(Decimal::ZERO, |sum, energies| sum.checked_add(energies.energy).unwrap())
}

const ZONES: [&str; 6] =
    ["Europe/Brussels", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago", "UTC"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn hours_make_up_days_and_days_what_the_counters_say(
        // Around the clock changes of 2025 and into 2026.
        start in 1_742_000_000i64..1_768_000_000,
        story in prop::collection::vec(happens(), 1..12),
        place in prop::sample::select(ZONES.to_vec()),
        sealed in 0i64..3,
        split in prop::option::of(0i64..400_000),
    ) {
        let entries = life(start, &story);
        prop_assume!(entries.len() > 1);
        let last = entries.last().unwrap().at.unix_seconds();
        let mut kept = kept(&entries, (sealed > 0).then_some(last + (sealed - 1) * 90 * 86_400));
        if let Some(split) = split {
            kept.store.correct(&meter(), Instant::from_unix(start + split), Correction::Split).unwrap();
        }
        let calendars = [Calendar::Hour, Calendar::Day, Calendar::Week, Calendar::Month, Calendar::Year];
        let analyses = calendars.map(|calendar| done(&kept, &ask(calendar, place)));
        for (code, of) in [("1.8.0", (|row: &Row| row.import) as fn(&Row) -> Option<Energies>), ("2.8.0", |row: &Row| row.export)] {
            let exact = by_segments(&kept.store, code);
            for analysis in &analyses {
                prop_assert_eq!(sum(analysis.rows.iter().map(of)), exact, "{} by {:?}", code, analysis.calendar);
                prop_assert_eq!(sum([of(&analysis.whole)].into_iter()), exact);
            }
            // Each longer period is the sum of the shorter ones in it.
            for (fine, coarse) in [(0, 1), (1, 2), (1, 3), (3, 4)] {
                for row in &analyses[coarse].rows {
                    let within = analyses[fine].rows.iter().filter(|part| row.period.contains(&part.period.start));
                    let parts: Vec<&Row> = within.collect();
                    prop_assert_eq!(sum(parts.iter().map(|part| of(part))), of(row).map_or(Decimal::ZERO, |all| all.energy));
                }
            }
        }
        for analysis in &analyses {
            prop_assert!(analysis.rows.windows(2).all(|pair| pair[0].period.end == pair[1].period.start));
            prop_assert_eq!(analysis.rows.iter().map(|row| row.readings).sum::<u64>(), entries.len() as u64);
            let covered: i64 = analysis.rows.iter().map(|row| row.cover.covered).sum();
            prop_assert_eq!(covered, analysis.whole.cover.covered);
            for row in &analysis.rows {
                let all = [row.import, row.export];
                prop_assert!(all.iter().flatten().all(|one| one.interpolated >= Decimal::ZERO && one.energy >= one.in_holes));
                prop_assert!(row.cover.covered <= row.cover.elapsed && row.cover.covered >= 0);
                let parts = row.parts.iter().flatten().fold(Decimal::ZERO, |sum, part| sum.checked_add(*part).unwrap());
                prop_assert_eq!(parts, row.import.map_or(Decimal::ZERO, |import| import.energy));
            }
        }
    }

    #[test]
    fn it_makes_no_difference_what_is_sealed(
        start in 1_742_000_000i64..1_768_000_000,
        story in prop::collection::vec(happens(), 1..12),
        calendar in prop::sample::select(vec![Calendar::Hour, Calendar::Day, Calendar::Month]),
        // Days, joined to months; or hours of the last day.
        after in prop::sample::select(vec![90 * 86_400i64, 0, -3600, -20_000]),
    ) {
        let entries = life(start, &story);
        prop_assume!(entries.len() > 1);
        let last = entries.last().unwrap().at.unix_seconds();
        let question = ask(calendar, "Europe/Brussels");
        let hot = done(&kept(&entries, None), &question);
        // A late reading among what is sealed.
        let (late, rest) = entries.split_at(1);
        let mut sealed = kept(rest, Some(last + after));
        sealed.store.insert(late).unwrap();
        let sealed = done(&sealed, &question);
        for (hot, sealed) in hot.rows.iter().zip(&sealed.rows) {
            prop_assert_eq!(format!("{hot:?}"), format!("{sealed:?}"));
        }
        prop_assert_eq!(format!("{:?}", hot.whole), format!("{:?}", sealed.whole));
        prop_assert_eq!(hot.curve, sealed.curve);
    }

    #[test]
    fn a_span_in_the_middle_says_the_same_as_the_whole(
        start in 1_742_000_000i64..1_768_000_000,
        story in prop::collection::vec(happens().prop_filter("segments may begin at the edge", |event| matches!(event, Happens::Runs { .. } | Happens::Pause(_))), 3..12),
    ) {
        let entries = life(start, &story);
        prop_assume!(entries.len() > 3);
        let last = entries.last().unwrap().at.unix_seconds();
        let kept = kept(&entries, Some(last + 86_400));
        let question = ask(Calendar::Day, "Europe/Brussels");
        let all = done(&kept, &question);
        let middle = &all.rows[all.rows.len() / 2];
        let one = Ask { span: middle.period.clone(), ..question };
        let alone = analyse(&Past::new(&kept.store), &one).unwrap();
        match alone.map(|alone| alone.whole) {
            Some(alone) => {
                prop_assert_eq!(alone.import, middle.import);
                prop_assert_eq!(alone.demand, middle.demand);
                prop_assert_eq!((alone.readings, alone.mean_power), (middle.readings, middle.mean_power));
                prop_assert_eq!(alone.power.map(|power| (power.min, power.max)), middle.power.map(|power| (power.min, power.max)));
            }
            None => prop_assert_eq!(middle.readings, 0),
        }
    }
}
