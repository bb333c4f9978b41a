//! `/api/data/history`: series at any step.

use crate::world::{World, entry, now};
use releve::reading::Instant;
use releve::store::Entry;
use serde_json::json;

fn at(text: &str) -> Instant {
    Instant::parse_utc(text).unwrap()
}

/// A reading a minute over so many hours from a time on; its power is its number.
fn world(from: &str, minutes: i64) -> World {
    let world = World::empty();
    let start = at(from);
    let entries: Vec<Entry> = (0..minutes).map(|nth| entry(start.plus_seconds(60 * nth), nth)).collect();
    world.store().insert(&entries).unwrap();
    world
}

#[test]
fn lowest_mean_and_highest_of_each_step() {
    let world = world("2025-11-07T00:00:00Z", 120);
    let answer = world.get("/api/data/history?pas=1h&debut=2025-11-07T00:00:00Z&fin=2025-11-07T02:00:00Z");
    assert_eq!(answer["pas"], "1h");
    assert_eq!(
        answer["series"]["puissance_active"],
        // The means of 2345…2404 and 2405…2464 lie between two numbers: the even one.
        json!({"unite": "W", "colonnes": ["timestamp", "min", "moyenne", "max"], "valeurs": [
            ["2025-11-07T00:00:00Z", 2345, 2374, 2404], ["2025-11-07T01:00:00Z", 2405, 2434, 2464],
        ]})
    );
    let counters = world.get("/api/data/history?pas=1h&series=energie_active_import,1-0:5.8.0&debut=2025-11-07T00:00:00Z&fin=2025-11-07T02:00:00Z");
    assert_eq!(
        counters["series"]["energie_active_import"],
        json!({"unite": "kWh", "colonnes": ["timestamp", "debut", "fin"], "valeurs": [
            ["2025-11-07T00:00:00Z", 154.320, 154.380], ["2025-11-07T01:00:00Z", 154.380, 154.439],
        ]})
    );
    assert_eq!(counters["series"]["1-0:5.8.0"]["unite"], "kvarh");
}

#[test]
fn days_are_those_of_the_zone_and_late_readings_count() {
    // The place is Zurich: the day of the change of the clock begins at 22:00 UTC and has 25 hours.
    let world = world("2025-10-24T22:00:00Z", 3 * 1440);
    let days = |world: &World| {
        let target = "/api/data/history?pas=jour&debut=2025-10-24T00:00:00Z&fin=2025-10-30T00:00:00Z";
        world.get(target)["series"]["puissance_active"]["valeurs"].clone()
    };
    let first = json!(["2025-10-24T22:00:00Z", 2345, 3064, 2345 + 1439]);
    assert_eq!(days(&world)[0], first);
    assert_eq!(days(&world)[1], json!(["2025-10-25T22:00:00Z", 2345 + 1440, 4534, 2345 + 1440 + 1499]));
    assert_eq!(days(&world)[2][0], "2025-10-26T23:00:00Z");

    // Sealed or not, the same.
    let hot = days(&world);
    world.store().seal(now()).unwrap();
    assert_eq!(days(&world), hot);

    // A server that has worked the days out notices a late reading.
    let server = world.serve(&[]);
    let target = "/api/data/history?pas=jour&debut=2025-10-24T00:00:00Z&fin=2025-10-30T00:00:00Z";
    assert_eq!(server.get(target).json()["series"]["puissance_active"]["valeurs"], hot);
    let late = entry(at("2025-10-25T00:00:30Z"), 90_000);
    server.world.store().insert(&[late]).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(120));
    let changed = server.get(target).json()["series"]["puissance_active"]["valeurs"].clone();
    assert_eq!((&changed[0][3], &changed[1]), (&json!(92_345), &hot[1]));
}

#[test]
fn weeks_and_months_are_made_of_days_and_a_step_without_a_reading_is_left_out() {
    let world = world("2025-09-30T22:00:00Z", 40 * 1440);
    let values =
        |pas: &str| world.get(&format!("/api/data/history?pas={pas}"))["series"]["puissance_active"]["valeurs"].clone();
    assert_eq!(values("mois")[0][0], "2025-09-30T22:00:00Z");
    assert_eq!(values("mois")[1][0], "2025-10-31T23:00:00Z");
    assert_eq!(values("semaine")[0][0], "2025-09-28T22:00:00Z", "Monday, though the first reading is of Wednesday");
    world.store().insert(&[entry(at("2025-12-24T12:00:00Z"), 1)]).unwrap();
    let months = values("mois");
    assert_eq!(months.as_array().unwrap().len(), 3);
    assert_eq!(months[2], json!(["2025-11-30T23:00:00Z", 2346, 2346, 2346]));
    // As many steps as fit: nobody asked for a length.
    let auto = world.get("/api/data/history?points=100&debut=2025-10-01T00:00:00Z&fin=2025-10-02T00:00:00Z");
    assert_eq!(
        (&auto["pas"], auto["series"]["puissance_active"]["valeurs"].as_array().unwrap().len()),
        (&json!("15m"), 96)
    );
}

#[test]
fn a_long_answer_comes_in_pages() {
    let world = world("2025-11-07T00:00:00Z", 600);
    let (mut target, mut count, mut pages) = ("/api/data/history?pas=1s".to_owned(), 0, 0);
    loop {
        let page = world.get(&target);
        count += page["series"]["puissance_active"]["valeurs"].as_array().unwrap().len();
        pages += 1;
        match page["suivant"].as_str() {
            Some(next) => target = format!("/api/data/history?pas=1s&apres={next}"),
            None => break,
        }
    }
    assert_eq!((count, pages), (600, 2));
}
