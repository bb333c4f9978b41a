//! Meters and stores of every kind: short, new, replaced, of tariffs only, that only feed in.

use crate::testenv::{Place, figures};
use crate::{Table, at, even, rows, stats};
use serde_json::{Value, json};

#[test]
fn promise_p07_days_have_as_many_hours_as_they_have() {
    let place = even("2026-10-23T22:00:00Z", 3 * 1440 + 61);
    let document = stats(&place, &["--by", "day"]);
    let lengths: Vec<&Value> = rows(&document).iter().map(|row| &row["duree_s"]).collect();
    // The last reading, at midnight, belongs to the next day.
    assert_eq!(lengths, [86_400, 90_000, 86_400, 86_400]);
    let day = &rows(&document)[1];
    assert_eq!(day["periode"], json!({"debut": "2026-10-25T00:00:00+02:00", "fin": "2026-10-26T00:00:00+01:00"}));
    // 600 W for 25 hours, each reading where it belongs, nothing guessed.
    let text = place.run(["stats", "--db", "s.db", "--tz", "Europe/Brussels", "--by", "day"]).clean();
    assert!(text.contains("\"energie_active_import\":15.000,") && text.contains("\"couverture\":1.0000,"), "{text}");
    assert_eq!((&day["nb_mesures"], &day["interpole"]["energie_active_import"]), (&json!(1500), &json!(0.0)));
    let hours = stats(&place, &["--by", "hour", "--since", "2026-10-25", "--until", "2026-10-25"]);
    let names: Vec<&str> = rows(&hours).iter().map(|row| row["libelle"].as_str().unwrap()).collect();
    assert_eq!((names.len(), names[2], names[3]), (25, "2026-10-25 02:00+02:00", "2026-10-25 02:00+01:00"));
    let spring = even("2026-03-28T23:00:00Z", 23 * 60 + 1);
    let document = stats(&spring, &["--by", "day"]);
    assert_eq!((&rows(&document)[0]["duree_s"], &rows(&document)[0]["couverture"]), (&json!(82_800), &json!(1.0)));
    figures(7, 2, 2, 0, "the day of 25 hours and that of 23, both 02:30 told apart");
}

#[test]
fn promise_p09_a_new_meter_and_digits_that_run_out_never_count_backwards() {
    let place = Place::new();
    let mut table = Table::new("energie_active_import");
    let start = at("2026-01-01T00:00:00Z");
    let mut minute = 0;
    // Up to the top of the digits and over it, then another meter, which has run before.
    for from in [999_998_000i64, 1_000] {
        for step in 0..2880 {
            let wh = (from + step * 2) % 1_000_000_000;
            table.row(start + minute * 60, &format!("{}.{:03}", wh / 1000, wh % 1000));
            minute += 1;
        }
    }
    table.import(&place, "E450001234");
    let document = stats(&place, &["--by", "day"]);
    // Twice two days of 2 Wh a minute; the minute between the meters is not known.
    let whole = document["ensemble"]["energie_active_import"].to_string();
    assert_eq!((whole.as_str(), &document["ensemble"]["ruptures"]), ("11.516", &json!(1)));
    let reasons: Vec<&Value> = document["ruptures"].as_array().unwrap().iter().map(|one| &one["raison"]).collect();
    assert_eq!(reasons, ["retour_a_zero", "compteur_recule"]);
    let segments = place.run(["meters", "segments", "--db", "s.db", "--meter", "E450001234", "--json"]);
    assert_eq!(segments.json()[0]["segments"].as_array().unwrap().len(), 3);
    figures(9, 2, 2, 0, "digits that ran out and a new meter, to the watt-hour");
}

#[test]
fn a_meter_of_tariffs_one_phase_and_no_power() {
    let place = Place::new();
    let measure = |minute: i64| {
        let values = format!(
            r#"{{"1-0:1.8.1": 100.{:03}, "1-0:1.8.2": 200.{:03}, "tension_l1": 229.{}}}"#,
            minute * 3,
            minute,
            minute % 10
        );
        format!(
            r#"{{"timestamp": "2026-01-05T10:{minute:02}:00Z", "valeurs": {values}, "qualite": "good", "source": "p1"}}"#
        )
    };
    let measures: Vec<String> = (0..60).map(measure).collect();
    let day = format!(
        r#"{{"metadata": {{"version": "1.0", "compteur_id": "T1"}}, "date": "2026-01-05", "nb_mesures": 60,
            "unites": {{"1-0:1.8.1": "kWh", "1-0:1.8.2": "kWh"}}, "mesures": [{}]}}"#,
        measures.join(",")
    );
    place.write("jour_20260105.json", day);
    place.run(["import", "jour_20260105.json", "--db", "s.db", "-q"]).clean();
    let document = stats(&place, &["--by", "day"]);
    let whole = &document["ensemble"];
    // 3 Wh and 1 Wh a minute, 59 minutes; the mean power comes from the energy.
    assert_eq!(whole["energie_active_import"].to_string(), "0.236");
    assert_eq!((&whole["puissance_moyenne"], &whole["demande_15min"]["max"]), (&json!(240), &json!(240)));
    assert_eq!((&whole["energie_active_export"], &whole["puissance_active_totale"]), (&Value::Null, &Value::Null));
    assert!(whole.get("tension_l1").is_some() && whole.get("tension_l2").is_none());
    assert_eq!(whole.get("desequilibre_tension"), None);
}

#[test]
fn a_meter_that_only_feeds_in() {
    let place = Place::new();
    let mut table = Table::new("energie_active_export,puissance_active_totale");
    for minute in 0..120 {
        table.row(at("2026-06-01T10:00:00Z") + minute * 60, &format!("5.{:03},-600", minute * 8));
    }
    table.import(&place, "PV");
    let document = stats(&place, &["--by", "day"]);
    let whole = &document["ensemble"];
    assert_eq!(whole["energie_active_export"].to_string(), "0.952");
    assert_eq!((&whole["energie_active_import"], &whole["puissance_moyenne"]), (&Value::Null, &json!(-480)));
    let table = place.run(["stats", "--db", "s.db", "-f", "table"]).clean();
    assert!(table.contains("export kWh") && !table.contains("import kWh") && table.contains("export by"), "{table}");
}

#[test]
fn one_reading_says_no_more_than_it_does() {
    let place = even("2026-01-05T10:00:00Z", 1);
    let document = stats(&place, &[]);
    let whole = &document["ensemble"];
    assert_eq!(
        (&whole["nb_mesures"], &whole["energie_active_import"], &whole["couverture"]),
        (&json!(1), &Value::Null, &json!(0.0))
    );
    assert_eq!(whole["puissance_active_totale"]["max"], json!(600));
}

#[test]
fn several_meters_are_asked_for() {
    let place = even("2026-01-05T10:00:00Z", 5);
    let mut table = Table::new("energie_active_import");
    table.row(at("2026-01-05T10:00:00Z"), "1.000");
    table.import(&place, "OTHER");
    let run = place.run(["stats", "--db", "s.db"]);
    assert_eq!((run.exit, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("--meter one of: E450001234, OTHER"), "{}", run.stderr);
    assert_eq!(stats(&place, &["--meter", "OTHER"])["compteur"], "OTHER");
}

#[test]
fn what_is_not_there_is_said() {
    let place = even("2026-01-05T10:00:00Z", 5);
    let run = place.run(["stats", "--db", "s.db", "--since", "2027", "--until", "2027"]);
    assert_eq!(run.exit, 0);
    assert!(run.stderr.contains("no reading of E450001234 in that period"), "{}", run.stderr);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap()["periodes"], json!([]));
    let run = place.run(["stats", "--db", "s.db", "--since", "2027", "--fail-empty", "-f", "csv"]);
    assert_eq!((run.exit, run.stdout.as_str()), (1, ""));
    let run = place.run(["stats", "--db", "s.db", "--since", "2026-02", "--until", "2026-01"]);
    assert!(run.exit == 2 && run.stderr.contains("[time.order]"), "{}", run.stderr);
    let run = place.run(["stats", "--db", "none.db"]);
    assert!(run.exit == 66 && run.stderr.contains("[store.missing]"), "{}", run.stderr);
    assert!(!place.path("none.db").exists());
    place.run(["meters", "--db", "s.db"]).clean();
    let run = place.run(["stats", "--db", "s.db", "--by", "mnth"]);
    assert!(run.exit == 2 && run.stderr.contains("'month'"), "{}", run.stderr);
    let run = place.run(["stats", "--db", "s.db", "--fields", "energie_active_inport"]);
    assert!(run.exit == 2 && run.stderr.contains("did you mean energie_active_import?"), "{}", run.stderr);
}

#[test]
fn holes_and_what_was_used_in_them_are_told() {
    let place = Place::new();
    let mut table = Table::new("energie_active_import");
    // Two days of 600 W, nothing read from 22:00 on the first to 02:00 on the second.
    for minute in (0..2880).filter(|minute| !(1320..1560).contains(minute)) {
        let wh = 1000 + minute * 10;
        table.row(at("2026-01-05T00:00:00Z") + minute * 60, &format!("{}.{:03}", wh / 1000, wh % 1000));
    }
    table.import(&place, "E450001234");
    let document = place.run(["stats", "--db", "s.db", "--tz", "UTC", "--by", "day"]).json();
    let (first, second) = (&rows(&document)[0], &rows(&document)[1]);
    // The last reading before stands for its minute.
    assert_eq!((&first["trous"]["duree_s"], &second["trous"]["duree_s"]), (&json!(7200), &json!(7200)));
    assert_eq!(
        (first["energie_active_import"].to_string(), first["trous"]["energie_active_import"].to_string()),
        ("14.4".into(), "1.21".into())
    );
    assert_eq!(
        (second["energie_active_import"].to_string(), second["trous"]["energie_active_import"].to_string()),
        ("14.39".into(), "1.2".into())
    );
    assert_eq!(first["couverture"].to_string(), "0.9166");
    // A row that lies wholly in the hole is there, with all its energy in the hole.
    let hours = place
        .run([
            "stats",
            "--db",
            "s.db",
            "--tz",
            "UTC",
            "--by",
            "hour",
            "--since",
            "2026-01-05 23:00",
            "--until",
            "2026-01-06 01:00",
        ])
        .json();
    assert_eq!(rows(&hours).len(), 2);
    assert_eq!((&rows(&hours)[0]["nb_mesures"], &rows(&hours)[0]["couverture"]), (&json!(0), &json!(0.0)));
    assert_eq!(rows(&hours)[0]["energie_active_import"], rows(&hours)[0]["trous"]["energie_active_import"]);
}
