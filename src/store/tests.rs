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
