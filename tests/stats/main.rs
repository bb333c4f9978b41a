//! `releve stats`: rows of the local calendar, what is said of incomplete readings, and second opinions.

#![allow(missing_docs, clippy::print_stdout)]

#[path = "../testenv/mod.rs"]
mod testenv;

mod counters;
mod damage;
mod meters;
mod output;
mod peers;

use crate::testenv::Place;
use releve::reading::Instant;
use serde_json::Value;
use std::fmt::Write as _;

/// A table as `import` takes it.
pub struct Table {
    text: String,
}

impl Table {
    pub fn new(keys: &str) -> Self {
        Self { text: format!("timestamp,{keys}\n") }
    }

    pub fn row(&mut self, second: i64, cells: &str) {
        writeln!(self.text, "{},{cells}", Instant::from_unix(second)).unwrap();
    }

    /// Into the store `s.db`.
    pub fn import(&self, place: &Place, meter: &str) {
        let path = place.write("table.csv", &self.text);
        place.run(["import", path.to_str().unwrap(), "--db", "s.db", "--meter", meter, "-q"]).clean();
    }
}

pub fn at(text: &str) -> i64 {
    Instant::parse_utc(text).unwrap().unix_seconds()
}

/// A counter of 600 W at one minute, in a place of its own.
pub fn even(from: &str, minutes: i64) -> Place {
    let place = Place::new();
    let mut table = Table::new("energie_active_import,puissance_active_totale,tension_l1");
    for minute in 0..minutes {
        let wh = 154_320 + minute * 10;
        table.row(at(from) + minute * 60, &format!("{}.{:03},600,230.5", wh / 1000, wh % 1000));
    }
    table.import(&place, "E450001234");
    place
}

pub fn stats(place: &Place, arguments: &[&str]) -> Value {
    place.run([&["stats", "--db", "s.db", "--tz", "Europe/Brussels"], arguments].concat()).json()
}

pub fn rows(document: &Value) -> &Vec<Value> {
    document["periodes"].as_array().unwrap()
}
