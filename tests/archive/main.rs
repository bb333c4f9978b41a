//! What the archive promises, shown with the built program; its files are read with Python and jq as well as by ourselves.

#![allow(missing_docs, clippy::print_stdout)]

#[path = "../testenv/mod.rs"]
mod testenv;

mod calendar;
mod damage;
mod forms;
mod hostile;
mod injected;
mod killed;
mod logged;
mod past;
mod plan;
mod prune;

use crate::testenv::{Place, Run};
use flate2::read::GzDecoder;
use releve::reading::{Code, Decimal, Instant, MeterId, Protocol, Quality, Reading, Register, Unit};
use releve::store::{Entry, Store};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

const METER: &str = "E450001234";

fn at(text: &str) -> Instant {
    Instant::parse_utc(text).unwrap()
}

/// A reading whose values follow from its time.
fn entry(meter: &str, at: Instant) -> Entry {
    let meter = MeterId::new(meter).unwrap();
    let index = at.unix_seconds().rem_euclid(1 << 30) / 60;
    let mut reading = Reading::new(Protocol::Dsmr);
    reading.meter = Some(meter.clone());
    let number = |code: &str, mantissa, exponent, unit| {
        Register::number(Code::parse(code.as_bytes()), Decimal::new(mantissa, exponent), Unit::parse(unit))
    };
    reading.registers = vec![
        number("1.8.0", 154_320 + index, -3, "kWh"),
        number("2.8.0", 1000 + index / 7, -3, "kWh"),
        number("16.7.0", 2345 - index * 7919 % 4000, -3, "kW"),
        number("32.7.0", 2300 + index * 31 % 40, -1, "V"),
        number("31.7.0", 1250 + index % 7, -2, "A"),
        number("5.8.0", 12_004 + index, -3, "kvarh"),
        Register::text(Code::parse(b"F.F"), "00"),
    ];
    if index % 97 == 0 {
        reading.quality = Quality::Suspect;
    }
    Entry { meter, at, source: "p1".to_owned(), reading, derived: false }
}

/// Readings of a meter each `step` seconds.
fn entries(meter: &str, from: &str, until: &str, step: i64) -> Vec<Entry> {
    let (from, until) = (at(from), at(until));
    (0..).map(|index| from.plus_seconds(index * step)).take_while(|at| *at < until).map(|at| entry(meter, at)).collect()
}

/// A store of these, sealed as it would be in use.
fn store(place: &Place, name: &str, entries: &[Entry]) {
    let mut store = Store::create(&place.path(name)).unwrap();
    store.insert(entries).unwrap();
    store.seal(at("2026-11-01T00:00:00Z")).unwrap();
    store.compact().unwrap();
}

fn consolidate(place: &Place, more: &[&str]) -> Run {
    place.run([&["consolidate", "--db", "s.db", "--archive", "a"][..], more].concat())
}

/// Every file of a tree with its bytes.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn unpack(path: &Path) -> String {
    let mut text = String::new();
    GzDecoder::new(&fs::read(path).unwrap()[..]).read_to_string(&mut text).unwrap();
    text
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&unpack(path)).unwrap()
}

/// The lines of an export of everything.
fn everything(place: &Place, more: &[&str]) -> String {
    place.run([&["export", "--db", "s.db", "-f", "ndjson", "-q"][..], more].concat()).clean()
}

/// How often to try: `LONG=1` asks for more.
fn rounds(short: usize, long: usize) -> usize {
    if std::env::var_os("LONG").is_some_and(|value| value == "1") { long } else { short }
}

fn unpack_bytes(packed: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut text).unwrap();
    text
}
