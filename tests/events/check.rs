//! Whether readings come in.

use crate::powers;
use crate::testenv::Place;
use releve::reading::Instant;

#[test]
fn the_exit_status_says_whether_readings_come_in() {
    let place = Place::new();
    let run = place.run(["check", "--db", "s.db"]);
    assert_eq!(run.exit, 66, "{}", run.stderr);
    assert!(!place.path("s.db").exists());
    let now = Instant::now().plus_seconds(-30);
    place.write("n.csv", format!("timestamp,compteur,obis,valeur,unite,texte\n{now},M2,1-0:16.7.0*255,1,W,\n"));
    place.run(["import", "n.csv", "--db", "s.db"]).clean();
    let fresh = place.run(["check", "--db", "s.db", "--max-age", "5m", "-f", "table"]).clean();
    assert!(fresh.starts_with("ok: last reading of M2 3") && fresh.lines().count() == 1, "{fresh}");
    assert_eq!(place.run(["check", "--db", "s.db", "-q"]).clean(), "");
    // One of two meters has been silent for long.
    powers(&place, "M1", &[1]);
    let run = place.run(["check", "--db", "s.db", "-f", "table"]);
    assert_eq!((run.exit, run.stderr.as_str()), (1, ""));
    assert!(run.stdout.starts_with("too old: last reading of M1 "), "{}", run.stdout);
    assert_eq!(place.run(["check", "--db", "s.db", "--meter", "M2", "--max-age", "1h"]).exit, 0);
    let json = place.run(["check", "--db", "s.db", "--max-age", "90000d"]).json();
    assert_eq!((&json["ok"], &json["compteur"], &json["nb_compteurs"]), (&true.into(), &"M1".into(), &2.into()));
    assert_eq!(place.run(["check", "--db", "s.db", "--meter", "M9"]).exit, 66);
    assert_eq!(place.run(["check", "--db", "s.db", "--max-age", "soon"]).exit, 2);
}
