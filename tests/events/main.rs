//! `releve events` and `releve check`: what is found, kept, listed, followed, and told to others.

#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods)]

#[path = "../testenv/mod.rs"]
mod testenv;

#[allow(dead_code)]
#[path = "../log/meter.rs"]
mod meter;

mod check;
mod detect;
mod docs;
mod follow;
mod import;
mod list;
mod live;

use testenv::Place;

/// A series of powers of a meter, every ten seconds from 2025-11-07T12:00:00Z on, put into `s.db` as CSV.
fn powers(place: &Place, meter: &str, watts: &[i64]) {
    let mut csv = String::from("timestamp,compteur,obis,valeur,unite,texte\n");
    let start = releve::reading::Instant::parse_utc("2025-11-07T12:00:00Z").unwrap();
    for (step, watts) in (0..).zip(watts) {
        csv.push_str(&format!("{},{meter},1-0:16.7.0*255,{watts},W,\n", start.plus_seconds(step * 10)));
    }
    place.write("p.csv", csv);
    let run = place.run(["import", "p.csv", "--db", "s.db"]);
    assert_eq!(run.exit, 0, "{}", run.stderr);
}

/// Two peaks, one of them above 6000 W.
const PEAKS: [i64; 30] = [
    100, 100, 4500, 4600, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 6500, 100, 100, 100, 100, 100, 100, 100,
    100, 100, 100, 100, 100, 100, 100, 100,
];

/// The events of a store as JSON, the newest first.
fn events(place: &Place, arguments: &[&str]) -> Vec<serde_json::Value> {
    let all = ["events", "--db", "s.db", "--json"].iter().chain(arguments).copied();
    let run = place.run(all);
    assert_eq!(run.exit, 0, "{}", run.stderr);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let events = json["evenements"].as_array().unwrap().clone();
    assert_eq!(json["nb_evenements"], events.len());
    events
}

/// What kind of events these are.
fn kinds(events: &[serde_json::Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}
