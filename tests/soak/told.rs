//! What the program tells of the year.

use crate::Age;
use releve::reading::{Decimal, Instant};
use std::collections::BTreeMap;
use std::path::Path;

/// A period of the statistics.
#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) begin: String,
    /// Import and export, in kWh.
    pub(crate) energies: [Decimal; 2],
}

const FIELDS: &str = "energie_active_import,energie_active_export";

/// The energies of each month or year.
pub(crate) fn stats(age: &Age, by: &str) -> Vec<Row> {
    let text = age.run(&["stats", "--by", by, "-f", "csv", "--fields", FIELDS]).clean();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("debut,fin,energie_active_import,energie_active_export"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        Row { begin: cells[0].to_owned(), energies: [cells[2], cells[3]].map(number) }
    };
    lines.map(row).collect()
}

/// The counters of all readings, by second.
pub(crate) fn exported(age: &Age) -> BTreeMap<i64, [Decimal; 2]> {
    let text = age.run(&["export", "-f", "csv", "--fields", FIELDS, "-q"]).clean();
    let mut lines = text.lines();
    let header = lines.next().unwrap();
    assert!(header.starts_with("timestamp,energie_active_import,energie_active_export,"), "{header}");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        (Instant::parse_utc(cells[0]).unwrap().unix_seconds(), [cells[1], cells[2]].map(number))
    };
    let all: BTreeMap<_, _> = lines.map(row).collect();
    assert_eq!(all.len() + 1, text.lines().count(), "two readings of one second");
    all
}

/// A period with one reading at its beginning has no energies.
fn number(text: &str) -> Decimal {
    let text = if text.is_empty() { "0" } else { text };
    text.parse().unwrap_or_else(|_| panic!("'{text}' is no number"))
}

/// The bytes of all files of a folder.
pub(crate) fn archive_size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { archive_size(&path) } else { path.metadata().unwrap().len() }).sum()
}
