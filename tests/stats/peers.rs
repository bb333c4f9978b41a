//! A year's energies, percentiles, means and demands, worked out again by DuckDB from what `export` writes.

use crate::testenv::python::python_with;
use crate::testenv::{Place, Run, repository};
use crate::{Table, at, rows};
use serde_json::Value;
use std::process::Command;

/// A year at five minutes with readings left out, holes, and clocks that go after by seven seconds from summer on.
fn year(place: &Place) {
    let mut table = Table::new("energie_active_import,energie_active_export,puissance_active_totale");
    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    let mut next = |limit: i64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        i64::try_from(random >> 16).unwrap() % limit
    };
    let start = at("2024-12-31T22:00:00Z");
    let (mut import, mut export) = (154_320i64, 30_100i64);
    let mut hole = 0;
    for index in 0..105_400i64 {
        let second = start + index * 300 + if index > 52_000 { 7 } else { 0 };
        let hour = second.rem_euclid(86_400) / 3600;
        let power =
            150 + next(400) + if next(40) == 0 { 2500 } else { 0 } - if (9..15).contains(&hour) { 900 } else { 0 };
        import += (power.max(0) + next(12)) / 12;
        export += ((-power).max(0) + next(12)) / 12;
        hole = if hole > 0 {
            hole - 1
        } else if next(9000) == 0 {
            2 + next(100)
        } else {
            0
        };
        if hole > 0 || next(120) == 0 {
            continue;
        }
        let kwh = |wh: i64| format!("{}.{:03}", wh / 1000, wh % 1000);
        table.row(second, &format!("{},{},{power}", kwh(import), kwh(export)));
    }
    table.import(place, "E450001234");
}

#[test]
fn duckdb_finds_the_same() {
    let Some(python) = python_with("duckdb") else { return };
    let place = Place::new();
    year(&place);
    place.run(["export", "--db", "s.db", "-f", "csv", "-o", "year.csv"]).clean();
    let ours = place
        .run(["stats", "--db", "s.db", "--tz", "Europe/Brussels", "--by", "day", "--since", "2025", "--until", "2025"])
        .json();
    let script = repository().join("tests/stats/peers.py");
    let output = Command::new(python).arg(script).arg(place.path("year.csv")).output().unwrap();
    let theirs: Value = serde_json::from_str(&Run::of(output).clean()).unwrap();
    assert_eq!((rows(&ours).len(), theirs.as_object().unwrap().len()), (365, 365));
    let mut interpolated = 0;
    for row in rows(&ours) {
        let name = row["libelle"].as_str().unwrap();
        let power = &row["puissance_active_totale"];
        let own = [
            &row["energie_active_import"],
            &row["energie_active_export"],
            &row["nb_mesures"],
            &power["min"],
            &power["max"],
            &power["p50"],
            &power["p95"],
            &power["p99"],
            &power["moyenne"],
            &row["demande_15min"]["max"],
            &row["demande_15min"]["debut"],
        ];
        let own: Vec<String> = own.iter().map(|value| text(value)).collect();
        let other: Vec<String> = theirs[name].as_array().unwrap().iter().map(text).collect();
        assert_eq!(own, other, "{name}");
        interpolated += usize::from(row["interpole"]["energie_active_import"].as_f64() > Some(0.0));
    }
    assert!(interpolated > 150, "the second half of the year has no reading at midnight");
}

/// Numbers by their value: the trailing zeros of JSON numbers are lost in reading.
fn text(value: &Value) -> String {
    value.as_f64().map_or_else(|| value.to_string(), |number| number.to_string())
}
