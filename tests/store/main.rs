//! What the store promises when things go wrong: killed programs, full disks, damaged files, other programs in the way.

#![allow(missing_docs, clippy::print_stdout)]

#[path = "../testenv/mod.rs"]
mod testenv;

mod damage;
mod injected;
mod killed;
mod shared;

use crate::testenv::Place;
use releve::reading::{Code, Decimal, Instant, MeterId, Protocol, Reading, Register, Unit};
use releve::store::{Entry, Store};

/// 2025-10-25: over the end of a month within ten days.
const START: i64 = 1_761_350_400;

/// Readings of a counter, a voltage and a text, `step` seconds apart.
fn entries(step: i64, count: i64) -> Vec<Entry> {
    let meter = MeterId::new("E450001234").unwrap();
    let entry = |index: i64| {
        let mut reading = Reading::new(Protocol::Dsmr);
        reading.meter = Some(meter.clone());
        reading.registers = vec![
            Register::number(Code::parse(b"1.8.0"), Decimal::new(154_320 + index, -3), Some(Unit::KWH)),
            Register::number(Code::parse(b"32.7.0"), Decimal::new(2300 + index * 7919 % 31, -1), Some(Unit::V)),
            Register::text(Code::parse(b"F.F"), "00"),
        ];
        let at = Instant::from_unix(START + index * step);
        Entry { meter: meter.clone(), at, source: "p1".to_owned(), reading, derived: false }
    };
    (0..count).map(entry).collect()
}

/// A store with a month that is joined, days that are sealed, and the rows of a day that is not.
fn mixed_store(place: &Place, name: &str) {
    let mut store = Store::create(&place.path(name)).unwrap();
    let all = entries(300, 12 * 288);
    store.insert(&all).unwrap();
    store.seal(Instant::from_unix(START + 11 * 86_400 + 3600)).unwrap();
    // A late one among the sealed, too.
    let mut late = all[1000].clone();
    late.at = late.at.plus_seconds(7);
    store.insert(&[late]).unwrap();
    let info = store.info().unwrap();
    assert!(info.spans >= 3 && info.hot > 280, "{info:?}");
    store.compact().unwrap();
}

/// How often to try; `LONG=1` asks for more.
fn rounds(usual: usize) -> usize {
    if std::env::var_os("LONG").is_some() { usual * 5 } else { usual }
}
