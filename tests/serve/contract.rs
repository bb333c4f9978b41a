//! The old application's requests, answered as it answered them (archive-and-api, section 4).

use crate::world::{World, event, now};
use releve::reading::{Instant, Severity};
use serde_json::{Value, json};

/// The last reading is that of the contract's example; it was taken two minutes ago.
fn world() -> (World, Instant) {
    let last = now().plus_seconds(-120);
    (World::with_readings(last, 10), last)
}

fn measure(at: Instant, nth: i64) -> Value {
    json!({
        "timestamp": at.to_string(), "puissance_active": 2345 + nth,
        "tensions": {"l1": 231.5, "l2": 232.1, "l3": 230.8}, "courants": {"l1": 12.5, "l2": 11.8, "l3": 13.2},
        "frequence": 50.0, "facteur_puissance": 0.985,
    })
}

#[test]
fn readings_of_the_last_hours_the_oldest_first() {
    let (world, last) = world();
    let answer = world.get("/api/data");
    assert_eq!((&answer["nb_mesures"], &answer["periode"]["heures"]), (&json!(10), &json!(24)));
    assert_eq!(answer["mesures"].as_array().unwrap().len(), 10);
    assert_eq!(answer["mesures"][0], measure(last.plus_seconds(-540), 0));
    assert_eq!(answer["mesures"][9], measure(last, 9));
    assert_eq!(answer.get("suivant"), None);
    let [start, end] =
        ["debut", "fin"].map(|key| Instant::parse_utc(answer["periode"][key].as_str().unwrap()).unwrap());
    assert_eq!(end.unix_micros() - start.unix_micros(), 86_400_000_000);

    // `limit` cuts off the newest, and says where to go on.
    let page = world.get("/api/data?hours=24&limit=4");
    assert_eq!(page["mesures"][3], measure(last.plus_seconds(-360), 3));
    assert_eq!(page["nb_mesures"], 4);
    let next = page["suivant"].as_str().unwrap();
    let page = world.get(&format!("/api/data?hours=24&limit=6&apres={next}"));
    assert_eq!((&page["mesures"][0], &page["nb_mesures"]), (&measure(last.plus_seconds(-300), 4), &json!(6)));
    assert_eq!(page.get("suivant"), None);

    // Half an hour and less.
    let page = world.get("/api/data?hours=0.1&metrics=puissance_active");
    assert_eq!(page["periode"]["heures"], 0.1);
    assert_eq!(page["mesures"][0], json!({"timestamp": last.plus_seconds(-180).to_string(), "puissance_active": 2351}));
}

#[test]
fn metrics_keeps_keys_and_always_the_time() {
    let (world, last) = world();
    let one = |target: &str| world.get(target)["mesures"][9].clone();
    let at = last.to_string();
    assert_eq!(
        one("/api/data?metrics=tensions,frequence"),
        json!({"timestamp": at, "tensions": {"l1": 231.5, "l2": 232.1, "l3": 230.8}, "frequence": 50.0})
    );
    assert_eq!(one("/api/data?metrics=timestamp,unknown"), json!({"timestamp": at}));
    assert_eq!(one("/api/data?metrics="), measure(last, 9));
}

#[test]
fn numbers_have_the_digits_the_meter_sent() {
    let (world, _) = world();
    let run = world.place.run(["serve", "--db", "s.db", "--get", "/api/data/current"]).clean();
    assert!(run.contains("\"active_import\":154.329,\"active_export\":12.000"), "{run}");
    assert!(run.contains("\"tensions\":[231.5,232.1,230.8],\"courants\":[12.5,11.8,13.2]"), "{run}");
}

#[test]
fn the_newest_reading() {
    let (world, last) = world();
    assert_eq!(
        world.get("/api/data/current"),
        json!({
            "timestamp": last.to_string(), "puissance_active": 2354,
            "energies": {"active_import": 154.329, "active_export": 12.0},
            "tensions": [231.5, 232.1, 230.8], "courants": [12.5, 11.8, 13.2],
        })
    );
}

#[test]
fn events_the_newest_first_by_severity_type_and_words() {
    let (world, last) = world();
    let events = [
        event(last.plus_seconds(-900), "pic_puissance", Severity::Warning, "Pic de puissance"),
        event(last.plus_seconds(-600), "surtension", Severity::Error, "Surtension élevée sur L2"),
        event(last.plus_seconds(-300), "pic_puissance", Severity::Info, "Pic léger"),
    ];
    world.store().put_events(&events).unwrap();
    let ids = |target: &str| -> Vec<i64> {
        let answer = world.get(target);
        let events = answer["evenements"].as_array().unwrap();
        assert_eq!(answer["nb_evenements"], events.len());
        events.iter().map(|event| event["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids("/api/events"), [3, 2, 1]);
    assert_eq!(ids("/api/events?severity=&type=&limit=50"), [3, 2, 1]);
    assert_eq!(ids("/api/events?severity=warning"), [1]);
    assert_eq!(ids("/api/events?type=pic_puissance&limit=1"), [3]);
    assert_eq!(ids("/api/events?q=ELEVEE"), [2]);
    assert_eq!(ids("/api/events?type=rien"), [0; 0]);
    let day = format!("/api/events?debut={}&fin={}", last.plus_seconds(-700), last.plus_seconds(-400));
    assert_eq!(ids(&day), [2]);
    let first = &world.get("/api/events?severity=warning")["evenements"][0];
    assert_eq!(
        *first,
        json!({
            "id": 1, "timestamp": last.plus_seconds(-900).to_string(), "type": "pic_puissance", "severite": "warning",
            "description": "Pic de puissance", "valeur": 4500, "unite": "W", "code_obis": "1-0:16.7.0", "seuil": 4000,
            "fin": last.plus_seconds(-840).to_string(), "duree_s": 60, "phase": null, "origine": "mesures",
            "compteur": "E450001234",
        })
    );
    // Page by page all of them come once.
    let (mut seen, mut target) = (Vec::new(), "/api/events?limit=1".to_owned());
    for _ in 0..3 {
        seen.extend(ids(&target));
        match world.get(&target)["suivant"].as_str() {
            Some(next) => target = format!("/api/events?limit=1&apres={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [3, 2, 1]);
}

#[test]
fn what_there_is() {
    let (world, last) = world();
    world.store().put_events(&[event(last, "surtension", Severity::Error, "x")]).unwrap();
    let mut stats = world.get("/api/stats");
    let at = stats.as_object_mut().unwrap().remove("timestamp").unwrap();
    assert!((Instant::now().unix_seconds() - Instant::parse_utc(at.as_str().unwrap()).unwrap().unix_seconds()) < 60);
    assert_eq!(
        stats,
        json!({
            "nb_mesures": 10, "date_premiere": last.plus_seconds(-540).to_string(), "date_derniere": last.to_string(),
            "nb_evenements": 1, "periode_jours": 0, "status": "online",
        })
    );
    let long = World::with_readings(last, 60 * 24 * 2 + 2);
    assert_eq!(long.get("/api/stats")["periode_jours"], 2);
}

#[test]
fn a_store_without_a_reading() {
    let world = World::empty();
    let run = |target| world.place.run(["serve", "--db", "s.db", "--get", target]);
    let current = run("/api/data/current");
    assert_eq!(current.exit, 1);
    assert_eq!(serde_json::from_str::<Value>(&current.stdout).unwrap(), json!({"error": "Aucune donnée disponible"}));
    assert!(current.stderr.contains("status 404"));
    let data = world.get("/api/data");
    assert_eq!((&data["nb_mesures"], &data["mesures"]), (&json!(0), &json!([])));
    assert_eq!(world.get("/api/events"), json!({"nb_evenements": 0, "evenements": []}));
    let stats = world.get("/api/stats");
    assert_eq!(
        (&stats["nb_mesures"], &stats["date_premiere"], &stats["date_derniere"], &stats["periode_jours"]),
        (&json!(0), &json!(null), &json!(null), &json!(0))
    );
    assert_eq!(world.get("/api/data/history")["series"], json!({}));
    assert_eq!(world.get("/api/meters"), json!({"nb_compteurs": 0, "compteurs": []}));
    assert_eq!(run("/healthz").exit, 1);
}

#[test]
fn a_bad_parameter_is_named() {
    let (world, _) = world();
    for (target, name) in [
        ("/api/data?hours=0", "hours"),
        ("/api/data?hours=abc", "hours"),
        ("/api/data?hours=175321", "hours"),
        ("/api/data?limit=0", "limit"),
        ("/api/data?limit=100001", "limit"),
        ("/api/data?limit=", "limit"),
        ("/api/data?debut=hier", "debut"),
        ("/api/data?order=up", "order"),
        ("/api/events?severity=fatal", "severity"),
        ("/api/events?limit=-1", "limit"),
        ("/api/data/history?pas=3", "pas"),
        ("/api/data/history?series=volts", "series"),
        ("/api/data?meter=unknown", "meter"),
    ] {
        let run = world.place.run(["serve", "--db", "s.db", "--get", target]);
        let body: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(body["parametre"], name, "{target}");
        assert!(body["error"].as_str().unwrap().contains(name), "{target}: {body}");
        assert!(run.stderr.contains(if name == "meter" { "404" } else { "400" }), "{target}: {}", run.stderr);
    }
}

#[test]
fn more_than_the_old_application_gave() {
    let (world, last) = world();
    let whole = &world.get("/api/data?limit=1&registres=all")["mesures"][0];
    let registers = whole["registres"].as_array().unwrap();
    assert_eq!(registers.len(), 12);
    assert_eq!(registers[11], json!({"obis": "1-0:5.8.0*255", "valeur": 12.004, "unite": "kvarh"}));
    let newest = world.get("/api/data?order=desc&limit=3");
    let times: Vec<&str> =
        newest["mesures"].as_array().unwrap().iter().map(|m| m["timestamp"].as_str().unwrap()).collect();
    assert_eq!(times, [0, -60, -120].map(|seconds| last.plus_seconds(seconds).to_string()));
    let next = newest["suivant"].as_str().unwrap();
    let older = world.get(&format!("/api/data?order=desc&limit=100&apres={next}"));
    assert_eq!((&older["nb_mesures"], older.get("suivant")), (&json!(7), None));
    let span = format!("/api/data?debut={}&fin={}", last.plus_seconds(-120), last);
    assert_eq!(world.get(&span)["nb_mesures"], 2, "the end is not part of it");
    let meters = world.get("/api/meters");
    assert_eq!((&meters["nb_compteurs"], &meters["compteurs"][0]["nb_mesures"]), (&json!(1), &json!(10)));
}

#[test]
fn of_two_meters_the_one_that_is_named() {
    let (world, last) = world();
    let mut other = crate::world::entry(last, 55);
    other.meter = releve::reading::MeterId::new("B2").unwrap();
    world.store().insert(&[other]).unwrap();
    let run = world.place.run(["serve", "--db", "s.db", "--get", "/api/data/current"]);
    assert!(run.stdout.contains("doit dire lequel : B2, E450001234"), "{}", run.stdout);
    assert_eq!(world.get("/api/data/current?meter=B2")["puissance_active"], 2400);
    let chosen = world.place.run(["serve", "--db", "s.db", "--meter", "B2", "--get", "/api/data/current"]).json();
    assert_eq!(chosen["puissance_active"], 2400);
}
