use super::*;
use crate::reading::{Code, Decimal, Instant, MeterId, Protocol, Quality, Reading, Register, Unit};

fn entry(at: &str, counter: &str) -> Entry {
    let mut reading = Reading::new(Protocol::Sml);
    reading.quality = Quality::Suspect;
    let mut total = Register::number(Code::parse(b"1.8.0"), counter.parse().unwrap(), Some(Unit::WH));
    total.detail_mut().status = Some(u64::MAX);
    reading.registers = vec![
        total,
        Register::text(Code::parse(b"F.F"), "00"),
        Register::octets(Code::parse(b"0-0:96.1.0"), &[0x0A, 0x01]),
    ];
    Entry {
        meter: MeterId::new("E450001234").unwrap(),
        at: Instant::parse_utc(at).unwrap(),
        source: "sml".into(),
        reading,
        derived: false,
    }
}

fn all(store: &Store) -> Vec<Kept> {
    let meter = MeterId::new("E450001234").unwrap();
    let mut kept = Vec::new();
    let ever = Instant::from_unix(0)..Instant::from_unix(1 << 40);
    store
        .readings(&meter, ever, |reading| {
            kept.push(reading);
            Ok::<_, StoreError>(())
        })
        .unwrap();
    kept
}

#[test]
fn what_goes_in_comes_out_digit_for_digit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/releve.db");
    let sent = entry("2025-11-07T14:30:00.5Z", "154320.10");
    let mut store = Store::create(&path).unwrap();
    assert_eq!(store.insert(std::slice::from_ref(&sent)).unwrap(), Inserted { added: 1, known: 0 });
    drop(store);
    let kept = all(&Store::open(&path).unwrap());
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].at, sent.at);
    assert_eq!(kept[0].reading.registers, sent.reading.registers);
    assert_eq!(kept[0].reading.registers[0].as_number().map(Decimal::exponent), Some(-2));
    assert_eq!(kept[0].reading.quality, Quality::Suspect);
}

#[test]
fn the_same_reading_twice_is_one_and_two_of_one_second_are_two() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(&folder.path().join("a.db")).unwrap();
    let (one, two) = (entry("2025-11-07T14:30:00Z", "1.0"), entry("2025-11-07T14:30:00Z", "1.1"));
    store.insert(&[one.clone(), two]).unwrap();
    assert_eq!(store.insert(&[one]).unwrap(), Inserted { added: 0, known: 1 });
    assert_eq!(all(&store).len(), 2);
}

#[test]
fn reading_never_makes_a_store_and_a_foreign_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.db");
    assert!(matches!(Store::open(&missing), Err(StoreError::Missing(_))));
    assert!(!missing.exists());

    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "these are notes, longer than a page header so that SQLite reads them as one\n".repeat(9))
        .unwrap();
    let before = std::fs::read(&text).unwrap();
    assert!(matches!(Store::open(&text), Err(StoreError::Foreign(_))));
    assert!(matches!(Store::create(&text), Err(StoreError::Foreign(_))));
    assert_eq!(std::fs::read(&text).unwrap(), before);

    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(Store::create(&other), Err(StoreError::Foreign(_))));
}

#[test]
fn a_newer_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = Store::create(&path).unwrap();
    store.connection.pragma_update(None, "user_version", 99).unwrap();
    drop(store);
    assert!(matches!(Store::open(&path), Err(StoreError::Newer { found: 99, .. })));
    assert!(matches!(Store::create(&path), Err(StoreError::Newer { found: 99, .. })));
}

#[cfg(unix)]
#[test]
fn the_file_is_not_for_everybody() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    Store::create(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o027, 0);
}

#[test]
fn the_sqlite_inside_has_the_wal_fix() {
    // Before 3.51.3 two connections that write and checkpoint at the same instant can damage a WAL store.
    let parts: Vec<u32> = sqlite_version().split('.').map(|part| part.parse().unwrap()).collect();
    assert!(parts >= vec![3, 51, 3], "SQLite {}", sqlite_version());
}

/// A reading a `step` from 2025-10-30 on, `count` of them: over the end of a month.
fn run(step: i64, count: i64) -> Vec<Entry> {
    let start = Instant::parse_utc("2025-10-30T00:00:00Z").unwrap();
    let at = |index: i64| start.plus_seconds(index * step).to_string();
    (0..count).map(|index| entry(&at(index), &format!("{}.{}", 154_320 + index / 10, index % 10))).collect()
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("a.db")).unwrap();
    (folder, store)
}

fn same(kept: &[Kept], entries: &[Entry]) -> bool {
    let text = |at: &Instant, source: &str, reading: &Reading| format!("{at} {source} {reading:?}");
    let strip = |reading: &Reading| Reading { meter: None, ..reading.clone() };
    kept.iter()
        .map(|kept| text(&kept.at, &kept.source, &strip(&kept.reading)))
        .eq(entries.iter().map(|entry| text(&entry.at, &entry.source, &strip(&entry.reading))))
}

pub(super) fn later() -> Instant {
    Instant::parse_utc("2026-02-01T12:00:00Z").unwrap()
}

#[test]
fn sealing_changes_nothing_that_can_be_read() {
    let (_folder, mut store) = store();
    let entries = run(600, 600);
    store.insert(&entries).unwrap();
    // In the middle of the third day: two are over, and so is their month, and eleven hours.
    let noon = Instant::parse_utc("2025-11-01T12:00:00Z").unwrap();
    assert_eq!(store.seal(noon).unwrap(), Sealed { readings: 288 + 66, spans: 4 });
    assert!(same(&all(&store), &entries));
    assert_eq!(store.info().unwrap().hot, 246);
    // Months later: the other three days, joined to one span.
    assert_eq!(store.seal(later()).unwrap(), Sealed { readings: 246, spans: 4 });
    assert!(same(&all(&store), &entries));
    let info = store.info().unwrap();
    assert_eq!((info.hot, info.sealed, info.spans), (0, 600, 2));
    assert_eq!(store.seal(later()).unwrap(), Sealed::default());
    assert_eq!(store.check().unwrap(), Checked { spans: 2, readings: 600 });
    assert_eq!(store.insert(&entries).unwrap(), Inserted { added: 0, known: 600 });
}

#[test]
fn a_late_reading_reopens_its_span() {
    let (_folder, mut store) = store();
    let mut entries = run(600, 600);
    let late: Vec<Entry> = [500, 300, 7].map(|index| entries.remove(index)).into();
    store.insert(&entries).unwrap();
    store.seal(later()).unwrap();
    assert_eq!(store.insert(&late).unwrap().added, 3);
    entries.extend(late.clone());
    entries.sort_by_key(|entry| entry.at);
    assert!(same(&all(&store), &entries), "hot beside sealed");
    assert_eq!(store.seal(later()).unwrap().readings, 3);
    assert!(same(&all(&store), &entries), "sealed");
    assert_eq!(store.check().unwrap().readings, 600);
    assert_eq!(store.insert(&late).unwrap(), Inserted { added: 0, known: 3 });
    assert_eq!(store.info().unwrap().spans, 2);
}

#[test]
fn an_import_in_order_is_sealed_at_once_and_one_in_disorder_comes_to_the_same() {
    let entries = run(600, 600);
    let mut shuffled = entries.clone();
    shuffled.reverse();
    shuffled.extend(entries.iter().step_by(7).cloned());
    let mut dumps = Vec::new();
    for order in [&entries, &shuffled] {
        let (_folder, mut store) = store();
        let mut import = store.import(later()).unwrap();
        let added = order.iter().filter(|entry| import.add(entry).unwrap()).count();
        assert_eq!(added, 600);
        import.finish().unwrap();
        assert!(same(&all(&store), &entries));
        store.seal(later()).unwrap();
        store.join(later()).unwrap();
        store.check().unwrap();
        assert_eq!(store.info().unwrap().spans, 2);
        dumps.push(format!("{:?}", all(&store)));
    }
    assert_eq!(dumps[0], dumps[1]);
}

#[test]
fn an_import_that_is_dropped_leaves_nothing() {
    let (_folder, mut store) = store();
    let mut import = store.import(later()).unwrap();
    for entry in run(600, 600) {
        import.add(&entry).unwrap();
    }
    drop(import);
    assert!(store.meters().unwrap().is_empty());
    store.insert(&run(600, 3)).unwrap();
    assert_eq!(all(&store).len(), 3);
}

#[test]
fn a_period_is_half_open_wherever_its_ends_fall() {
    let (_folder, mut store) = store();
    let entries = run(600, 600);
    store.insert(&entries).unwrap();
    store.seal(Instant::parse_utc("2025-11-02T12:00:00Z").unwrap()).unwrap();
    let meter = MeterId::new("E450001234").unwrap();
    for (from, until) in [(0, 600), (3, 4), (100, 500), (431, 433), (5, 5)] {
        let at = |index: usize| entries.get(index).map_or(later(), |entry| entry.at);
        let mut found = Vec::new();
        let sink = |kept| {
            found.push(kept);
            Ok::<_, StoreError>(())
        };
        store.readings(&meter, at(from)..at(until), sink).unwrap();
        assert!(same(&found, &entries[from..until]), "{from}..{until}");
        let series = &store.series(&meter).unwrap()[0];
        let mut samples = 0;
        store.samples(series, at(from)..at(until), |_| samples += 1).unwrap();
        assert_eq!(samples, until - from);
        let all = store.series(&meter).unwrap();
        let mut rows = 0;
        store
            .table(&all, at(from)..at(until), |when, numbers, quality| {
                let entry = &entries[from + rows];
                assert_eq!((when, quality), (entry.at, Quality::Suspect));
                assert_eq!(format!("{:?}", numbers[0]), format!("{:?}", entry.reading.registers[0].as_number()));
                assert_eq!(numbers[1..], [None, None]);
                rows += 1;
            })
            .unwrap();
        assert_eq!(rows, until - from);
        let totals = store.totals(series, at(from)..at(until)).unwrap();
        assert_eq!(totals.iter().map(|totals| totals.count).sum::<usize>(), until - from);
    }
}

#[test]
fn totals_are_those_of_the_numbers() {
    let (_folder, mut store) = store();
    store.insert(&run(600, 600)).unwrap();
    let meter = MeterId::new("E450001234").unwrap();
    let ever = Instant::from_unix(0)..Instant::from_unix(1 << 40);
    let sum = |store: &Store| {
        let series = &store.series(&meter).unwrap()[0];
        let totals = store.totals(series, ever.clone()).unwrap();
        let add = |sum: Decimal, totals: &Totals| sum.checked_add(totals.sum.unwrap()).unwrap();
        (totals.first().unwrap().first, totals.last().unwrap().last, totals.iter().fold(Decimal::ZERO, add))
    };
    let hot = sum(&store);
    store.seal(later()).unwrap();
    assert_eq!(sum(&store), hot);
    assert!(
        store.totals(&store.series(&meter).unwrap()[0], ever.clone()).unwrap().iter().all(|totals| totals.is_steady)
    );
}

#[test]
fn segments_and_steps_of_a_counter_that_was_set_back() {
    let (_folder, mut store) = store();
    let mut entries = run(600, 600);
    for entry in &mut entries[400..] {
        let value = entry.reading.registers[0].as_number().unwrap();
        let lower = value.checked_sub(Decimal::from(154_300)).unwrap();
        entry.reading.registers[0].value = crate::reading::Value::Number(lower);
    }
    store.insert(&entries).unwrap();
    let meter = MeterId::new("E450001234").unwrap();
    for sealed in [false, true] {
        if sealed {
            store.seal(later()).unwrap();
        }
        let (series, segments) = store.segments(&meter).unwrap().remove(0);
        assert_eq!(segments.len(), 2, "{segments:?}");
        assert_eq!(segments[1].begins, Some(Break::Lower));
        assert_eq!(segments[1].between.0, entries[400].at);
        let mut used = Decimal::ZERO;
        let ever = Instant::from_unix(0)..Instant::from_unix(1 << 40);
        store.steps(&series, ever, |step| used = used.checked_add(step.amount).unwrap()).unwrap();
        // 399 steps of 0.1 before and 199 after.
        assert_eq!(used, "59.8".parse().unwrap());
    }
    assert!(store.correct(&meter, entries[400].at, Correction::Merge).unwrap());
    assert!(store.correct(&meter, entries[100].at, Correction::Split).unwrap());
    let (_, segments) = store.segments(&meter).unwrap().remove(0);
    assert_eq!(segments.len(), 2);
    assert_eq!(segments[1].begins, Some(Break::Said));
}

#[test]
fn a_derived_reading_adds_nothing_to_the_telegram_it_was_made_of() {
    let (_folder, mut store) = store();
    let sent = entry("2025-11-07T14:30:00Z", "154320.10");
    store.insert(std::slice::from_ref(&sent)).unwrap();
    let mut derived = sent.clone();
    derived.derived = true;
    derived.reading.registers =
        vec![Register::number(Code::parse(b"1.8.0"), "154.3201".parse().unwrap(), Some(Unit::KWH))];
    assert_eq!(store.insert(std::slice::from_ref(&derived)).unwrap(), Inserted { added: 0, known: 1 });
    derived.reading.registers[0].value = crate::reading::Value::Number("154.3202".parse().unwrap());
    assert_eq!(store.insert(&[derived]).unwrap(), Inserted { added: 1, known: 0 });
}

#[test]
fn a_store_of_the_first_schema_is_brought_up_with_every_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("migrations/0001_readings.sql")).unwrap();
    old.execute_batch(
        "PRAGMA application_id = 1919249526; PRAGMA user_version = 1;
         INSERT INTO meter VALUES (1, 'E450001234');
         INSERT INTO register VALUES (1, 1, '1-0:1.8.0*255', 'Wh'), (2, 1, '1-0:F.F*255', ''), (3, 1, '0-0:96.1.0*255', ''),
             (4, 1, '1-0:32.32.0*255', '');
         INSERT INTO reading VALUES (1, 1, 1762525800500000, 'sml', 'sml', 'suspect', 7),
             (2, 1, 1762525801000000, 'dsmr', 'p1', 'good', 8);
         INSERT INTO value VALUES (1, 0, 1, 15432010, -2, NULL, NULL, -1), (1, 1, 2, NULL, NULL, '00', NULL, NULL),
             (1, 2, 3, NULL, NULL, NULL, x'0A01', NULL), (2, 0, 4, 5, 0, '00005', NULL, NULL);",
    )
    .unwrap();
    drop(old);
    assert!(matches!(Store::open(&path), Err(StoreError::Older(_))));
    let store = Store::create(&path).unwrap();
    let kept = all(&store);
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].reading.registers, entry("2025-11-07T14:30:00.5Z", "154320.10").reading.registers);
    assert_eq!((kept[0].reading.quality, kept[0].source.as_str()), (Quality::Suspect, "sml"));
    assert_eq!(kept[1].reading.registers[0].sent_text().unwrap(), "00005");
    store.check().unwrap();
}

#[test]
fn raw_telegrams_come_back_in_order_and_are_forgotten() {
    let (_folder, mut store) = store();
    let piece = |stream, second, bytes: &[u8]| RawPiece {
        stream,
        at: Instant::from_unix(second),
        is_live: true,
        meter: MeterId::new("HOME"),
        bytes: bytes.to_vec(),
    };
    let first = store.new_stream().unwrap();
    store.keep_raw(&[piece(first, 1, b"/ISK5"), piece(first + 1, 2, b"other"), piece(first, 3, b"\\2M550")]).unwrap();
    let read = |store: &Store| {
        let mut all = Vec::new();
        let mut place = None;
        while let Some((next, piece)) = store.next_raw(place).unwrap() {
            all.extend(piece.bytes);
            place = Some(next);
        }
        all
    };
    assert_eq!(read(&store), b"/ISK5\\2M550other");
    assert_eq!(store.forget_raw(Instant::from_unix(3)).unwrap(), 2);
    assert_eq!(read(&store), b"\\2M550");
}

#[test]
fn what_a_better_decoder_makes_stands_in_place_of_the_former() {
    let (_folder, mut store) = store();
    let entries = run(600, 300);
    store.insert(&entries).unwrap();
    store.seal(later()).unwrap();
    let mut better = entries[17].clone();
    better.reading.registers[0].unit = Some(Unit::KWH);
    let done = store.replace(&[entries[16].clone(), better.clone()]).unwrap();
    assert_eq!(done, Replaced { same: 1, added: 0, changed: 1 });
    store.seal(later()).unwrap();
    let mut expected = entries;
    expected[17] = better;
    assert!(same(&all(&store), &expected));
    store.check().unwrap();
}

#[test]
fn a_store_may_be_handed_to_a_thread_of_its_own() {
    const fn may_move<T: Send>() {}
    may_move::<Store>();
}

#[test]
fn a_backup_is_a_whole_store_and_never_replaces_a_file() {
    let (folder, mut store) = store();
    store.insert(&run(600, 300)).unwrap();
    let copy = folder.path().join("copy.db");
    assert_eq!(store.backup(&copy).unwrap().readings, 300);
    assert_eq!(all(&Store::open(&copy).unwrap()).len(), 300);
    assert!(store.backup(&copy).is_err());
    let names =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.starts_with(".releve-")), "something is left beside the copy");
    store.compact().unwrap();
    assert_eq!(all(&store).len(), 300);
}

/// A counter each five minutes that stands still for a day, is replaced in the second month, and has other registers beside
/// it; joined by month but for the last days, some of them rows.
fn counted(folder: &Path) -> Store {
    let mut store = Store::create(&folder.join("counted.db")).unwrap();
    let start = Instant::parse_utc("2025-01-01T00:02:00Z").unwrap();
    let mut import = store.import(start.plus_seconds(64 * 86_400)).unwrap();
    let mut value = 1_000_000;
    for index in 0..70 * 288 {
        let at = start.plus_seconds(300 * index);
        let day = index / 288;
        if day == 11 || (200..230).contains(&index) {
            continue;
        }
        value += index % 7;
        if day == 40 && index % 288 == 100 {
            value = 17;
        }
        let mut entry = entry("2025-01-01T00:00:00Z", "0");
        entry.at = at;
        let number = |code: &str, value| Register::number(Code::parse(code.as_bytes()), value, Some(Unit::KWH));
        entry.reading.registers = vec![number("1.8.0", Decimal::new(value, -3))];
        if index % 3 > 0 {
            entry.reading.registers.push(number("2.8.0", Decimal::new(index, -2)));
            // One that drops its zeros has no marks.
            let trimmed = if index % 10 == 0 { Decimal::new(index / 10, 0) } else { Decimal::new(index, -1) };
            entry.reading.registers.push(number("3.8.0", trimmed));
        }
        import.add(&entry).unwrap();
    }
    import.finish().unwrap();
    // A late one, in the first month.
    let mut late = entry("2025-01-05T10:00:01Z", "1000");
    late.reading.registers = vec![Register::number(Code::parse(b"2.8.0"), Decimal::new(1250, -2), Some(Unit::KWH))];
    store.insert(&[late]).unwrap();
    store
}

#[test]
fn the_ends_of_days_are_those_of_their_samples() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = counted(folder.path());
    let meter = MeterId::new("E450001234").unwrap();
    let steps = [86_400, 3600, 86_400 * 9, 1800, 7];
    let mut marked = 0;
    for sealed_again in [false, true] {
        if sealed_again {
            store.seal(Instant::parse_utc("2025-03-05T00:00:00Z").unwrap()).unwrap();
        }
        store.check().unwrap();
        for series in store.series(&meter).unwrap() {
            for (start, step) in [("2024-12-30T23:00:00Z", 0), ("2025-01-15T22:00:00Z", 0), ("2025-02-03T00:00:00Z", 1)]
                .into_iter()
                .flat_map(|(start, odd)| steps.map(|step| (start, step + odd)))
            {
                let start = Instant::parse_utc(start).unwrap();
                let times: Vec<_> = (0..100).map(|index| start.plus_seconds(step * index)).collect();
                let found = store.ends(&series, &times).unwrap();
                assert_eq!(found.len(), 99);
                for (pair, found) in times.windows(2).zip(found) {
                    let mut samples = Vec::new();
                    store.samples(&series, pair[0]..pair[1], |sample| samples.push(sample)).unwrap();
                    let both = found.map(|ends| (ends.first, ends.last));
                    assert_eq!(both, samples.first().copied().zip(samples.last().copied()), "{series:?} {pair:?}");
                    let falls = samples.windows(2).any(|pair| pair[1].value < pair[0].value);
                    assert!(!falls || !found.unwrap().is_steady, "{series:?} {pair:?}");
                    marked += usize::from(found.is_some_and(|ends| ends.is_steady));
                }
            }
        }
    }
    assert!(marked > 1000, "{marked}");
}

#[test]
fn marks_tell_of_days_without_opening_a_block() {
    let folder = tempfile::tempdir().unwrap();
    let store = counted(folder.path());
    let meter = MeterId::new("E450001234").unwrap();
    // In the month that has no late reading.
    let start = Instant::parse_utc("2025-02-01T23:00:00Z").unwrap();
    let days: Vec<_> = (0..27).map(|day| start.plus_seconds(86_400 * day)).collect();
    let ends = |code: &[u8]| {
        let code = Code::parse(code);
        let series = store.series(&meter).unwrap().into_iter().find(|series| series.code == code).unwrap();
        store.ends(&series, &days)
    };
    store.connection.execute("UPDATE block SET data = x'00'", []).unwrap();
    assert!(ends(b"1.8.0").unwrap().iter().all(Option::is_some));
    assert!(matches!(ends(b"3.8.0"), Err(StoreError::Damaged { .. })));
}
