//! `/api/live`: readings that another process stores are told within moments.

use crate::world::{World, entry, event, now};
use releve::reading::Severity;
use std::io::{BufRead as _, BufReader, Write as _};

#[test]
fn readings_and_events_are_told_as_they_come() {
    let server = World::with_readings(now().plus_seconds(-60), 3).serve(&[]);
    let mut stream = server.connect();
    stream.write_all(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(|line| line.unwrap());
    let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    assert!(head.iter().any(|line| line == "content-type: text/event-stream"), "{head:?}");
    let mut next = |kind: &str| -> serde_json::Value {
        lines.find(|line| line == &format!("event: {kind}")).unwrap();
        let data = lines.find(|line| line.starts_with("data: ")).unwrap();
        serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap()
    };
    // The newest one at once.
    let first = next("mesure");
    assert_eq!((&first["puissance_active"], &first["compteur"]), (&2347.into(), &"E450001234".into()));
    // Two come in one commit, then an event.
    std::thread::sleep(std::time::Duration::from_millis(1200));
    let mut store = server.world.store();
    store.insert(&[entry(now().plus_seconds(-2), 100), entry(now().plus_seconds(-1), 101)]).unwrap();
    assert_eq!([next("mesure"), next("mesure")].map(|m| m["puissance_active"].as_i64().unwrap()), [2445, 2446]);
    store.put_events(&[event(now(), "surtension", Severity::Error, "Surtension L2")]).unwrap();
    assert_eq!(next("evenement")["description"], "Surtension L2");
}

#[test]
fn answers_are_as_new_as_the_store() {
    let server = World::with_readings(now().plus_seconds(-3600), 3).serve(&[]);
    let mut store = server.world.store();
    for nth in 10..20 {
        store.insert(&[entry(now().plus_seconds(nth), nth)]).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(60));
        assert_eq!(server.get("/api/data/current").json()["puissance_active"], 2345 + nth);
        let newest =
            server.get("/api/data?order=desc&limit=1&debut=2020-01-01T00:00:00Z&fin=2099-01-01T00:00:00Z").json();
        assert_eq!(newest["mesures"][0]["puissance_active"], 2345 + nth);
    }
}
