//! Events found again in what is stored.

use crate::testenv::Place;
use crate::{PEAKS, events, kinds, powers};

fn detect(place: &Place, arguments: &[&str]) -> String {
    place.run(["events", "detect", "--db", "s.db", "-f", "table"].iter().chain(arguments).copied()).clean()
}

#[test]
fn once_more_adds_nothing() {
    let place = Place::new();
    powers(&place, "M1", &PEAKS);
    assert_eq!(detect(&place, &[]), "M1  30 readings, 2 events: 2 new, 0 changed, 0 removed\n");
    assert_eq!(detect(&place, &[]), "M1  30 readings, 2 events: 0 new, 0 changed, 0 removed\n");
    let found = events(&place, &[]);
    assert_eq!(kinds(&found), ["pic_puissance", "pic_puissance"]);
    let event = &found[1];
    assert_eq!(event["timestamp"], "2025-11-07T12:00:20Z");
    assert_eq!((&event["valeur"], &event["unite"], &event["seuil"]), (&4600.into(), &"W".into(), &4000.into()));
    assert_eq!((&event["fin"], &event["duree_s"]), (&"2025-11-07T12:00:40Z".into(), &20.into()));
    assert_eq!(
        (&event["severite"], &event["origine"], &event["code_obis"]),
        (&"warning".into(), &"mesures".into(), &"1-0:16.7.0".into())
    );
    assert_eq!(event["description"], "Pic de puissance : 4600 W (limite 4000 W), durée 20 s");
    place.run(["db", "check", "--db", "s.db"]).clean();
}

#[test]
fn a_changed_threshold_finds_its_own_events_anew_and_leaves_the_others_alone() {
    let place = Place::new();
    let mut watts = PEAKS.to_vec();
    watts.extend([100; 20]);
    powers(&place, "M1", &watts);
    // A gap, for an event of another kind.
    place.write(
        "gap.csv",
        "timestamp,compteur,obis,valeur,unite,texte\n2025-11-07T13:00:00Z,M1,1-0:16.7.0*255,100,W,\n",
    );
    place.run(["import", "gap.csv", "--db", "s.db"]).clean();
    place.run(["events", "add", "Panne électrique", "--db", "s.db", "--at", "2025-11-07T12:00:20Z"]).clean();
    place
        .run(["events", "add", "Vu un pic", "--type", "pic_puissance", "--db", "s.db", "--at", "2025-11-07T12:01:00Z"])
        .clean();
    detect(&place, &[]);
    let before = events(&place, &[]);
    assert_eq!(before.len(), 5, "{before:#?}");
    place.write("c.toml", "[evenements.pic_puissance]\nseuil = 6000\n");
    assert_eq!(detect(&place, &["--config", "c.toml"]), "M1  51 readings, 2 events: 0 new, 1 changed, 1 removed\n");
    let after = events(&place, &[]);
    // The manual ones, the gap, and the higher peak under its own number and a new threshold.
    assert_eq!(after.len(), 4);
    for event in &after {
        let old = before.iter().find(|old| old["id"] == event["id"]).unwrap();
        if event["origine"] == "mesures" && event["type"] == "pic_puissance" {
            assert_eq!((&event["seuil"], &event["valeur"]), (&6000.into(), &6500.into()));
        } else {
            assert_eq!(event, old);
        }
    }
    // And back again.
    detect(&place, &[]);
    assert_eq!(events(&place, &[]).len(), 5);
}

#[test]
fn only_what_began_since_a_time_is_found_anew() {
    let place = Place::new();
    powers(&place, "M1", &PEAKS);
    detect(&place, &[]);
    place.write("c.toml", "[evenements.pic_puissance]\nseuil = 9000\n");
    let said = detect(&place, &["--config", "c.toml", "--since", "2025-11-07T12:01:00Z"]);
    assert_eq!(said, "M1  30 readings, 0 events: 0 new, 0 changed, 1 removed\n");
    assert_eq!(events(&place, &[])[0]["valeur"], 4600);
}

#[test]
fn several_meters_have_their_own_and_an_empty_store_has_none() {
    let place = Place::new();
    powers(&place, "M1", &PEAKS);
    powers(&place, "M2", &[5000; 3]);
    let said = detect(&place, &[]);
    assert_eq!(said.lines().count(), 2, "{said}");
    assert_eq!(events(&place, &["--meter", "M2"]).len(), 1);
    assert_eq!(events(&place, &["--meter", "M2"])[0]["compteur"], "M2");
    assert_eq!(events(&place, &[]).len(), 3);
    assert_eq!(detect(&place, &["--meter", "M1"]), "M1  30 readings, 2 events: 0 new, 0 changed, 0 removed\n");
    let run = place.run(["events", "detect", "--db", "none.db"]);
    assert_eq!((run.exit, run.stdout.as_str()), (66, ""));
    assert!(!place.path("none.db").exists());
}

#[test]
fn an_import_finds_events_where_it_is_asked_to() {
    let place = Place::new();
    place
        .write("p.csv", "timestamp,compteur,obis,valeur,unite,texte\n2025-11-07T13:00:00Z,M1,1-0:16.7.0*255,4500,W,\n");
    place.run(["import", "p.csv", "--db", "s.db", "--events"]).clean();
    assert_eq!(kinds(&events(&place, &[])), ["pic_puissance"]);
}

#[test]
fn a_rule_that_is_misspelt_is_named_with_what_was_meant() {
    let place = Place::new();
    powers(&place, "M1", &[100]);
    place.write("c.toml", "[evenements.pic_puisance]\nseuil = 6000\n");
    let run = place.run(["events", "detect", "--db", "s.db", "--config", "c.toml"]);
    assert_eq!(run.exit, 78);
    assert!(
        run.stderr.contains("c.toml line 1") && run.stderr.contains("did you mean 'pic_puissance'?"),
        "{}",
        run.stderr
    );
}
