//! Sheets held against the other ways to the same numbers.

use super::rows::rows_of;
use super::*;
use crate::reading::{Code, Protocol, Reading, Register, Unit, Value};
use crate::store::Entry;
use proptest::prelude::*;

fn entry(at: i64, registers: Vec<Register>) -> Entry {
    let meter = MeterId::new("E1").unwrap();
    let mut reading = Reading::new(Protocol::Dlms);
    reading.meter = Some(meter.clone());
    reading.registers = registers;
    if at % 7 == 0 {
        reading.quality = Quality::Suspect;
    }
    Entry { meter, at: Instant::from_unix(at), source: "cii".to_owned(), reading, derived: false }
}

/// What a sheet says, a row for each reading.
fn told(sheet: &Sheet) -> Vec<(i64, Quality, Vec<Option<Decimal>>)> {
    rows_of(sheet).into_iter().map(|row| (row.at, row.quality, row.numbers)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn sheets_say_what_the_table_says(
        gaps in prop::collection::vec(prop::sample::select(vec![60i64, 60, 60, 61, 9000, 90_000]), 1..200),
        late in prop::collection::vec(0usize..200, 0..4),
        sealed in 0i64..4,
        (since, until) in (0i64..400_000, 0i64..2_000_000),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::create(&folder.path().join("s.db")).unwrap();
        let mut at = 1_761_350_400;
        let mut all = Vec::new();
        for (index, gap) in (0i64..).zip(&gaps) {
            at += gap;
            let mut registers = vec![Register::number(Code::parse(b"1.8.0"), Decimal::new(5_000 + index, -3), Some(Unit::KWH))];
            // Sometimes missing, sometimes a text, sometimes with fewer digits.
            match index % 5 {
                0 => registers.push(Register::number(Code::parse(b"32.7.0"), Decimal::new(2300 + index, -1), Some(Unit::V))),
                1 => registers.push(Register::new(Code::parse(b"32.7.0"), Value::Text("--".into()), Some(Unit::V))),
                2 => registers.push(Register::number(Code::parse(b"32.7.0"), Decimal::new(230, 0), Some(Unit::V))),
                _ => {}
            }
            all.push(entry(at, registers));
        }
        let late: Vec<Entry> = late.into_iter().filter(|&index| index < all.len() && all.len() > 5).map(|index| {
            let mut late = all[index].clone();
            late.at = late.at.plus_seconds(1);
            late
        }).collect();
        store.insert(&all).unwrap();
        match sealed {
            0 => {}
            // The last day in part.
            3 => drop(store.seal(Instant::from_unix(at - 4000)).unwrap()),
            _ => drop(store.seal(Instant::from_unix(at + (sealed - 1) * 40 * 86_400)).unwrap()),
        }
        store.insert(&late).unwrap();
        let meter = MeterId::new("E1").unwrap();
        let series = store.series(&meter).unwrap();
        let period = Instant::from_unix(1_761_350_400 + since)..Instant::from_unix(1_761_350_400 + since + until);
        let mut table = Vec::new();
        store.table(&series, period.clone(), |at, numbers, quality| table.push((at.unix_micros(), quality, numbers.to_vec()))).unwrap();
        let mut sheets = Vec::new();
        store.sheets(&series, period.clone(), |sheet| sheets.extend(told(&sheet))).unwrap();
        prop_assert_eq!(&sheets, &table);
        // The same by way of the survey.
        let survey = store.survey(&meter, &series, period).unwrap();
        let mut surveyed = Vec::new();
        for stretch in survey.stretches {
            match stretch {
                Stretch::Open(sheet) => surveyed.extend(told(&sheet)),
                Stretch::Sealed { period, .. } => store.sheets(&series, period, |sheet| surveyed.extend(told(&sheet))).unwrap(),
            }
        }
        prop_assert_eq!(&surveyed, &table);
        let finest = |place: usize| table.iter().filter_map(|row| row.2[place]).map(Decimal::exponent).min();
        for (place, found) in survey.finest.iter().enumerate() {
            // A span may hold a finer one outside the period.
            prop_assert!(found.is_some() == finest(place).is_some() || finest(place).is_none());
            prop_assert!(found.unwrap_or(i8::MIN) <= finest(place).unwrap_or(i8::MAX));
        }
        prop_assert_eq!(survey.all as usize, store.instants(&meter, Instant::from_unix(0)..Instant::from_unix(1 << 36)).unwrap().0 as usize);
    }
}

#[test]
fn positions_are_found_from_anywhere() {
    let listed = Times::Listed((0..1000).map(|index| index * 10).collect());
    let even = Times::Even { first: 0, step: 10, count: 1000 };
    for at in [-5, 0, 1, 10, 4321, 9990, 9991, 20_000] {
        for from in [0, 1, 400, 999, 1000] {
            let expected = (from..1000).find(|&index| i64::try_from(index).unwrap() * 10 >= at).unwrap_or(1000);
            assert_eq!((listed.position(at, from), even.position(at, from)), (expected, expected), "{at} from {from}");
        }
    }
}
