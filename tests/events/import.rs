//! The old application's events, in and out.

use crate::testenv::Place;
use crate::{PEAKS, events, powers};
use rusqlite::Connection;

fn old(place: &Place) {
    let old = Connection::open(place.path("old.db")).unwrap();
    old.execute_batch(
        "CREATE TABLE mesures_energie (id INTEGER PRIMARY KEY, timestamp DATETIME, puissance_active_totale FLOAT);
         INSERT INTO mesures_energie (timestamp, puissance_active_totale) VALUES ('2025-11-07 12:00:00.000000', 4500.0);
         CREATE TABLE evenements_compteur (id INTEGER PRIMARY KEY, timestamp DATETIME, type_evenement VARCHAR(50) NOT NULL,
            severite VARCHAR(20), description TEXT, valeur_mesuree FLOAT, unite VARCHAR(10), code_obis VARCHAR(20),
            seuil_declencheur FLOAT);
         INSERT INTO evenements_compteur (timestamp, type_evenement, severite, description, valeur_mesuree, unite,
            code_obis, seuil_declencheur) VALUES
            ('2025-11-07 12:00:00.000000', 'pic_puissance', 'warning', 'Pic détecté', 4500.0, 'W', '1-0:16.7.0', 4000.0),
            ('2025-11-07 12:00:00.000000', 'pic_puissance', 'warning', 'Pic détecté, encore', 4501.0, 'W', NULL, NULL),
            ('2025-11-07 13:00:00.250000', 'panne_maison', NULL, NULL, NULL, NULL, NULL, NULL),
            (NULL, 'sans_heure', 'info', 'perdu', NULL, NULL, NULL, NULL);",
    )
    .unwrap();
}

#[test]
fn the_old_events_come_in_once_and_go_out_as_they_were() {
    let place = Place::new();
    old(&place);
    let import = || place.run(["import", "old.db", "--db", "s.db", "--meter", "M1", "-v"]);
    let run = import();
    assert_eq!(run.stdout, "old.db  1 read, 1 added, 0 already there, 1 refused, 3 events added\n", "{}", run.stderr);
    assert_eq!(import().stdout, "old.db  1 read, 0 added, 1 already there, 1 refused\n");
    let all = events(&place, &[]);
    assert_eq!(all.len(), 3);
    assert_eq!(
        (&all[0]["type"], &all[0]["severite"], &all[0]["origine"]),
        (&"panne_maison".into(), &"info".into(), &"import".into())
    );
    assert_eq!(all[2]["valeur"], 4500);
    assert!(all[2]["fin"].is_null());
    // A kind that only they have can be asked for.
    assert_eq!(events(&place, &["--type", "panne_maison"]).len(), 1);
    place.run(["export", "--db", "s.db", "-f", "sqlite", "-o", "back.db"]).clean();
    let rows = |name: &str| {
        let file = Connection::open(place.path(name)).unwrap();
        let mut statement = file
            .prepare(
                "SELECT substr(timestamp, 1, 22), type_evenement, coalesce(severite, 'info'), coalesce(description, ''),
                    valeur_mesuree, unite, code_obis, seuil_declencheur
                 FROM evenements_compteur WHERE timestamp IS NOT NULL ORDER BY timestamp, id",
            )
            .unwrap();
        let read = statement.query_map([], |row| (0..8).map(|column| row.get(column)).collect()).unwrap();
        read.map(Result::unwrap).collect::<Vec<Vec<rusqlite::types::Value>>>()
    };
    assert_eq!(rows("old.db"), rows("back.db"));
}

#[test]
fn what_was_exported_is_not_doubled_by_coming_back() {
    let place = Place::new();
    powers(&place, "M1", &PEAKS);
    place.run(["events", "detect", "--db", "s.db", "-q"]).clean();
    place.run(["export", "--db", "s.db", "-f", "sqlite", "-o", "back.db"]).clean();
    let run = place.run(["import", "back.db", "--db", "s.db", "--meter", "M1"]).clean();
    assert!(!run.contains("event"), "{run}");
    assert_eq!(events(&place, &[]).len(), 2);
    // Another store takes them as the other program's.
    place.run(["import", "s.db", "--db", "t.db"]).clean();
    let of = |db: &str| place.run(["events", "--db", db, "-f", "ndjson"]).clean();
    assert_eq!(of("s.db"), of("t.db"));
}
