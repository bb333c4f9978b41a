//! The current day, sealed as its hours pass.

use super::*;
use crate::reading::{Code, Decimal, Protocol, Register, Unit};
use crate::store::{Entry, Inserted, Stretch};
use proptest::prelude::*;

/// The start of a day in the middle of a month, in seconds.
const MIDNIGHT: i64 = 1_763_164_800;

fn at(second: i64) -> Instant {
    Instant::from_unix(second)
}

fn ever() -> Range<Instant> {
    at(0)..at(1 << 36)
}

fn meter() -> MeterId {
    MeterId::new("E450001234").unwrap()
}

/// A reading of a counter and of a text that comes and goes.
fn entry(second: i64, value: i64) -> Entry {
    let mut reading = Reading::new(Protocol::Dsmr);
    reading.meter = Some(meter());
    reading.registers =
        vec![Register::number(Code::parse(b"1.8.0"), Decimal::new(154_320 + value, -3), Some(Unit::KWH))];
    if value % 3 > 0 {
        reading.registers.push(Register::text(Code::parse(b"F.F"), if value % 9 == 4 { "01" } else { "00" }));
    }
    Entry { meter: meter(), at: at(second), source: "p1".into(), reading, derived: false }
}

/// A reading each so many seconds from midnight on.
fn day(step: i64, until: i64) -> Vec<Entry> {
    (0..until / step).map(|index| entry(MIDNIGHT + index * step, index)).collect()
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(&folder.path().join("s.db")).unwrap();
    store.set_joining(false);
    (folder, store)
}

/// From when to when the spans reach, in seconds from midnight, and how many readings each holds.
fn spans(store: &Store) -> Vec<(i64, i64, usize)> {
    let rows = sealed::spans(&store.connection, 1, &(i64::MIN / 2..i64::MAX)).unwrap();
    let second = |micros: i64| micros / 1_000_000 - MIDNIGHT;
    rows.iter().map(|row| (second(row.period.start), second(row.period.end), row.count)).collect()
}

fn text(at: Instant, reading: &Reading) -> String {
    format!("{at} {reading:?}")
}

fn texts(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| text(entry.at, &entry.reading)).collect()
}

fn kept(store: &Store) -> Vec<String> {
    let mut kept = Vec::new();
    let sink = |one: super::super::Kept| {
        kept.push(text(one.at, &one.reading));
        Ok::<_, StoreError>(())
    };
    store.readings(&meter(), ever(), sink).unwrap();
    kept
}

/// What all the ways to read the store say.
fn told(store: &Store) -> Vec<String> {
    let mut told = kept(store);
    let series = store.series(&meter()).unwrap();
    store.table(&series, ever(), |at, numbers, quality| told.push(format!("{at} {numbers:?} {quality:?}"))).unwrap();
    for series in &series {
        store.samples(series, ever(), |sample| told.push(format!("{sample:?}"))).unwrap();
        let days: Vec<Instant> = (-5..20).map(|day| at(MIDNIGHT + day * 86_400)).collect();
        let ends = store.ends(series, &days).unwrap();
        told.extend(ends.iter().map(|ends| format!("{:?}", ends.map(|ends| (ends.first, ends.last)))));
    }
    told.push(format!("{:?}", store.stock(&meter(), ever()).unwrap()));
    told.push(format!("{:?} {:?}", store.instants(&meter(), ever()).unwrap(), store.extent(&meter()).unwrap()));
    told.push(format!("{:?}", store.segments(&meter()).unwrap()));
    // No sheet shares a day with another one, and together they have every reading.
    let (mut count, mut behind) = (0, i64::MIN);
    let mut sheet = |sheet: super::super::Sheet| {
        let last = sheet.times.len() - 1;
        assert!(behind.div_euclid(DAY) < sheet.times.get(0).unwrap().div_euclid(DAY));
        behind = sheet.times.get(last).unwrap();
        count += last + 1;
    };
    let whole_days = at(MIDNIGHT - 9 * 86_400)..at(MIDNIGHT + 99 * 86_400);
    for stretch in store.survey(&meter(), &series, whole_days).unwrap().stretches {
        match stretch {
            Stretch::Open(one) => sheet(one),
            Stretch::Sealed { period, .. } => store.sheets(&series, period, &mut sheet).unwrap(),
        }
    }
    told.push(format!("{count}"));
    told
}

#[test]
fn the_current_day_is_one_span_that_grows_by_the_hour() {
    let (_folder, mut store) = store();
    let all = day(60, 2 * 86_400);
    for (index, one) in all.iter().enumerate() {
        store.insert(std::slice::from_ref(one)).unwrap();
        let second = 60 * i64::try_from(index).unwrap();
        if second % 600 != 0 {
            continue;
        }
        let sealed = store.seal(at(MIDNIGHT + second)).unwrap();
        // Ten minutes after it is over, and never before.
        let over = (second - 600).max(0) / 3600 * 3600;
        assert_eq!(sealed.spans > 0, second > 600 && second % 3600 == 600, "{second}");
        let days = [(0, over.min(86_400)), (86_400, over)];
        let expected = days.into_iter().filter(|(from, until)| from < until);
        let expected: Vec<_> = expected.map(|(from, until)| (from, until, ((until - from) / 60) as usize)).collect();
        assert_eq!(spans(&store), expected, "{second}");
        assert_eq!(store.info().unwrap().hot as usize, index + 1 - (over / 60) as usize);
    }
    store.seal(at(MIDNIGHT + 2 * 86_400 + 600)).unwrap();
    assert_eq!(spans(&store), [(0, 86_400, 1440), (86_400, 172_800, 1440)]);
    assert_eq!(kept(&store), texts(&all));
    assert_eq!(store.check().unwrap().readings, all.len());
    assert_eq!(store.insert(&all).unwrap(), Inserted { added: 0, known: all.len() });
}

#[test]
fn few_readings_wait_for_more_and_the_end_of_the_day_for_none() {
    let (_folder, mut store) = store();
    let all = day(900, 86_400);
    store.insert(&all).unwrap();
    let mut hours = Vec::new();
    for hour in 1..=24 {
        if store.seal(at(MIDNIGHT + hour * 3600 + 600)).unwrap().readings > 0 {
            hours.push(hour);
        }
    }
    assert_eq!(hours, [8, 16, 24]);
    assert_eq!(spans(&store), [(0, 86_400, 96)]);
}

#[test]
fn late_readings_of_a_sealed_hour_come_back_in_order_and_do_not_have_the_day_written_anew_one_by_one() {
    let (_folder, mut store) = store();
    let mut all = day(10, 36_000);
    let late: Vec<Entry> = (0..200).map(|index| entry(MIDNIGHT + 7 + index * 170, 9000 + index)).collect();
    store.insert(&all).unwrap();
    let now = at(MIDNIGHT + 36_600);
    store.seal(now).unwrap();
    assert_eq!(spans(&store), [(0, 36_000, 3600)]);
    let mut sealed = 0;
    for one in &late {
        all.push(one.clone());
        all.sort_by_key(|entry| entry.at);
        let one = std::slice::from_ref(one);
        assert_eq!(store.insert(one).unwrap(), Inserted { added: 1, known: 0 });
        assert_eq!(store.insert(one).unwrap(), Inserted { added: 0, known: 1 });
        if store.seal(now).unwrap().readings > 0 {
            sealed += 1;
            assert_eq!(store.insert(one).unwrap(), Inserted { added: 0, known: 1 });
        }
    }
    // One for each 24 that are sealed.
    assert_eq!((sealed, spans(&store)), (1, vec![(0, 36_000, 3750)]));
    assert_eq!(kept(&store), texts(&all));
    // The next hour takes the others along.
    store.insert(&[entry(MIDNIGHT + 36_001, 0)]).unwrap();
    store.seal(at(MIDNIGHT + 90_000)).unwrap();
    assert_eq!(spans(&store), [(0, 86_400, 3801)]);
    store.check().unwrap();
}

#[test]
fn the_rows_of_a_whole_day_that_the_former_program_left_are_sealed_and_it_goes_on() {
    let (_folder, mut store) = store();
    let all = day(60, 3 * 86_400);
    let (before, after) = all.split_at(2 * 1440 + 700);
    let mut import = store.import(at(MIDNIGHT + 86_400 + 700)).unwrap();
    before.iter().for_each(|entry| assert!(import.add(entry).unwrap()));
    import.finish().unwrap();
    assert_eq!((spans(&store), store.info().unwrap().hot), (vec![(0, 86_400, 1440)], 1440 + 700));
    let was = told(&store);
    store.seal(at(MIDNIGHT + 2 * 86_400 + 700 * 60)).unwrap();
    assert_eq!(spans(&store), [(0, 86_400, 1440), (86_400, 172_800, 1440), (172_800, 212_400, 660)]);
    assert_eq!(told(&store), was);
    store.insert(after).unwrap();
    store.set_joining(true);
    store.seal(at(MIDNIGHT + 40 * 86_400)).unwrap();
    assert_eq!(spans(&store), [(0, 3 * 86_400, 3 * 1440)]);
    assert_eq!(kept(&store), texts(&all));
    store.check().unwrap();
}

#[test]
fn what_is_left_of_a_day_goes_on_where_it_ended_whoever_brings_it() {
    for by_import in [false, true] {
        let (_folder, mut store) = store();
        let all = day(60, 2 * 86_400);
        let (before, after) = all.split_at(600);
        store.insert(before).unwrap();
        store.seal(at(MIDNIGHT + 36_600)).unwrap();
        assert_eq!((spans(&store), store.info().unwrap().hot), (vec![(0, 36_000, 600)], 0));
        // Days later.
        let now = at(MIDNIGHT + 9 * 86_400);
        if by_import {
            let mut import = store.import(now).unwrap();
            after.iter().for_each(|entry| assert!(import.add(entry).unwrap()));
            import.finish().unwrap();
        } else {
            store.insert(after).unwrap();
        }
        store.seal(now).unwrap();
        assert_eq!(spans(&store).len(), if by_import { 3 } else { 2 });
        assert_eq!(kept(&store), texts(&all));
        assert!(told(&store).contains(&"2880".to_owned()));
        store.check().unwrap();
        store.set_joining(true);
        store.join(at(MIDNIGHT + 40 * 86_400)).unwrap();
        assert_eq!(spans(&store), [(0, 2 * 86_400, 2880)]);
        assert_eq!(kept(&store), texts(&all));
    }
}

#[test]
fn a_day_of_very_many_readings_is_cut_and_only_its_end_grows() {
    let (_folder, mut store) = store();
    let step = 100_000;
    let all: Vec<Entry> = (0..150_000)
        .map(|index| Entry {
            at: Instant::from_unix_micros(MIDNIGHT * 1_000_000 + index * step),
            ..entry(0, index * 3)
        })
        .collect();
    for hour in all.chunks(36_000) {
        store.insert(hour).unwrap();
        store.seal(hour[hour.len() - 1].at.plus_seconds(601)).unwrap();
    }
    let cut = 13_107;
    assert_eq!(spans(&store), [(0, cut, DAY_ROWS), (cut, 14_400, 144_000 - DAY_ROWS)]);
    store.seal(at(MIDNIGHT + 86_400 + 600)).unwrap();
    assert_eq!(spans(&store), [(0, cut, DAY_ROWS), (cut, 86_400, 150_000 - DAY_ROWS)]);
    assert_eq!(store.check().unwrap().readings, all.len());
}

#[test]
fn a_seal_that_does_not_come_to_its_end_changes_nothing() {
    let (_folder, mut store) = store();
    let all = day(60, 50_000);
    store.insert(&all).unwrap();
    store.seal(at(MIDNIGHT + 22_000)).unwrap();
    let (was, spans_were) = (told(&store), spans(&store));
    // The last block cannot be written.
    let refuse = "CREATE TEMP TRIGGER no BEFORE INSERT ON main.block WHEN new.id % 1048576 = 2
                  BEGIN SELECT raise(ABORT, 'no'); END";
    store.connection.execute_batch(refuse).unwrap();
    assert!(store.seal(at(MIDNIGHT + 50_000)).is_err());
    assert_eq!((told(&store), spans(&store)), (was.clone(), spans_were));
    store.connection.execute_batch("DROP TRIGGER no").unwrap();
    store.seal(at(MIDNIGHT + 50_000)).unwrap();
    assert_eq!((told(&store), spans(&store)), (was, vec![(0, 46_800, 780)]));
    store.check().unwrap();
}

/// Something that happens to a store.
#[derive(Debug, Clone)]
enum Happens {
    /// So many readings, so many seconds apart.
    Run { count: i64, step: i64 },
    /// Nothing, for so long.
    Pause(i64),
    /// A reading of so long ago.
    Late(i64),
    /// The last so many readings come again.
    Again(usize),
    /// It is sealed as of so many seconds after the newest reading.
    Seal(i64),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => (1i64..90, prop::sample::select(vec![1i64, 10, 60, 600])).prop_map(|(count, step)| Happens::Run { count, step }),
        1 => (1i64..60_000).prop_map(Happens::Pause),
        2 => (1i64..100_000).prop_map(Happens::Late),
        1 => (1usize..100).prop_map(Happens::Again),
        3 => prop::sample::select(vec![0i64, 600, 4000, 90_000]).prop_map(Happens::Seal),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_comes_and_whenever_it_is_sealed_the_same_is_read(story in prop::collection::vec(happens(), 1..40)) {
        let (_folder, mut store) = store();
        // In the order they came in; one instant may have several.
        let mut all: Vec<Entry> = Vec::new();
        let (mut newest, mut value) = (MIDNIGHT + 70_000, 0);
        for what in story {
            match what {
                Happens::Run { count, step } => {
                    let run: Vec<Entry> = (0..count).map(|index| entry(newest + index * step, value + index)).collect();
                    prop_assert_eq!(store.insert(&run).unwrap().added, run.len());
                    all.extend(run);
                    (newest, value) = (newest + count * step, value + count);
                }
                Happens::Pause(seconds) => newest += seconds,
                Happens::Late(ago) => {
                    value += 1;
                    let late = entry(newest - ago, value);
                    store.insert(std::slice::from_ref(&late)).unwrap();
                    all.push(late);
                }
                Happens::Again(count) => {
                    let again = &all[all.len().saturating_sub(count)..];
                    prop_assert_eq!(store.insert(again).unwrap(), Inserted { added: 0, known: again.len() });
                }
                Happens::Seal(after) if !all.is_empty() => {
                    let (now, was) = (at(newest + after), told(&store));
                    store.seal(now).unwrap();
                    prop_assert_eq!(told(&store), was);
                    // Nothing of a day that is over is left, little of the current one, and a day is one span.
                    let over = newest + after - 600;
                    let (today, hour) = (over / 86_400 * 86_400, over / 3600 * 3600);
                    let spans = spans(&store);
                    prop_assert!(spans.iter().all(|&(from, until, _)| from % 86_400 == 0 && until <= from + 86_400));
                    let sealed = spans.iter().find(|&&(from, ..)| from == today - MIDNIGHT).map_or(0, |&(.., count)| count);
                    let hot = |from: i64, until: i64| {
                        let count = "SELECT count(*) FROM hot WHERE at >= ?1 AND at < ?2";
                        let period = [from, until].map(|second| second * 1_000_000);
                        store.connection.query_row(count, period, |row| row.get::<_, i64>(0)).unwrap()
                    };
                    prop_assert_eq!(hot(0, today), 0);
                    prop_assert!(hot(today, hour) < ENOUGH.max(sealed / SHARE) as i64);
                }
                Happens::Seal(_) => {}
            }
        }
        let mut sorted = all.clone();
        sorted.sort_by_key(|entry| entry.at);
        prop_assert_eq!(kept(&store), texts(&sorted));
        prop_assert_eq!(store.check().unwrap().readings, all.len());
        store.set_joining(true);
        store.seal(at(newest + 40 * 86_400)).unwrap();
        store.join(at(newest + 40 * 86_400)).unwrap();
        prop_assert_eq!(kept(&store), texts(&sorted));
        prop_assert_eq!(store.check().unwrap().readings, all.len());
    }
}
