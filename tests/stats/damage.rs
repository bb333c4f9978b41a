//! Damaged stores: the right figures, or an error.

use crate::Table;
use crate::testenv::check::right_or_refused;
use crate::testenv::{Place, figures};
use releve::reading::{Code, Decimal, Instant, MeterId, Protocol, Reading, Register, Unit};
use releve::store::{Entry, Store};
use std::fs;

const START: i64 = 1_761_350_400;

/// Ten days of which the last is of rows, and a late row.
fn store(place: &Place) {
    let meter = MeterId::new("E450001234").unwrap();
    let entry = |index: i64| {
        let mut reading = Reading::new(Protocol::Dsmr);
        reading.meter = Some(meter.clone());
        reading.registers = vec![
            Register::number(Code::parse(b"1.8.0"), Decimal::new(154_320 + index * 40, -3), Some(Unit::KWH)),
            Register::number(Code::parse(b"16.7.0"), Decimal::from(300 + index * 7919 % 997), Some(Unit::W)),
        ];
        let at = Instant::from_unix(START + index * 300);
        Entry { meter: meter.clone(), at, source: "p1".to_owned(), reading, derived: false }
    };
    let all: Vec<Entry> = (0..10 * 288).map(entry).collect();
    let mut store = Store::create(&place.path("s.db")).unwrap();
    store.insert(&all).unwrap();
    store.seal(Instant::from_unix(START + 9 * 86_400 + 3600)).unwrap();
    let mut late = all[1000].clone();
    late.at = late.at.plus_seconds(7);
    store.insert(&[late]).unwrap();
    store.compact().unwrap();
}

#[test]
fn promise_p05_a_damaged_store_gives_the_right_figures_or_an_error() {
    let place = Place::new();
    store(&place);
    let whole = fs::read(place.path("s.db")).unwrap();
    let run = || place.run(["stats", "--db", "s.db", "--by", "day"]);
    let right = run().clean();
    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    let mut below = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 11).unwrap() % limit
    };
    let (mut noticed, rounds) = (0, if std::env::var_os("LONG").is_some() { 300 } else { 60 });
    for round in 0..rounds {
        let mut bytes = whole.clone();
        let (page, other) = (below(bytes.len() / 4096) * 4096, below(bytes.len() / 4096) * 4096);
        match round % 3 {
            0 => bytes[below(whole.len())] ^= 1 << below(8),
            1 => bytes[page..page + 4096].fill(0),
            _ => bytes.copy_within(page..page + 4096, other),
        }
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(place.path(&format!("s.db{end}")));
        }
        place.write("s.db", &bytes);
        let run = run();
        if !right_or_refused(&run, &right).unwrap_or_else(|why| panic!("{round}: {why}")) {
            assert!(run.stderr.contains("[store."), "{round}: {}", run.stderr);
            // A letter of the schema that is another makes a statement fail, which SQLite does not call damage.
            let is_schema = run.exit == 1 && run.stderr.contains("[store.sqlite]");
            assert!(is_schema || run.exit == 65 || run.exit == 66, "{round}: {} {}", run.exit, run.stderr);
            noticed += 1;
        }
    }
    assert!(noticed > rounds / 3);
    figures(5, rounds, rounds, 0, format_args!("damages, {noticed} noticed, the figures of the others right"));
}

/// A reading of the year 9999, as a meter with a wrong clock sends it, must not make millions of empty rows.
#[test]
fn a_span_of_millennia_is_refused_with_the_way_out() {
    let place = Place::new();
    let mut table = Table::new("energie_active_import,puissance_active_totale");
    for minute in 0..2880 {
        let wh = 154_320 + minute * 10;
        table.row(START + minute * 60, &format!("{}.{:03},600", wh / 1000, wh % 1000));
    }
    table.row(253_380_000_000, "400.000,600");
    table.import(&place, "E450001234");
    let run = |arguments: &[&str]| place.run([&["stats", "--db", "s.db"], arguments].concat());
    for refused in [&["--by", "hour"][..], &["--by", "day"], &["-f", "table"], &["--json"], &["--by", "year"]] {
        let run = run(refused);
        assert_eq!(run.exit, 2, "{refused:?} {}", run.stderr);
        assert!(
            run.stderr.contains("[stats.span]") && run.stderr.contains("to 9999-04-17T21:20:00Z"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains("--until") && run.stdout.is_empty(), "{}", run.stderr);
    }
    let energies = ["--fields", "energie_active_import", "-f", "csv"];
    // What costs little is told, and so is what the tip names.
    assert_eq!(run(&[&["--by", "year"], &energies[..]].concat()).clean().lines().count(), 1 + 9999 - 2025 + 1);
    let named = run(&[&["--by", "day", "--until", "2025-10-26"], &energies[..]].concat()).clean();
    assert_eq!(named.lines().count(), 1 + 2, "{named}");
}
