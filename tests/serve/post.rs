//! What others report: checked, kept once.

use crate::world::{World, now};
use serde_json::json;

#[test]
fn an_incident_is_kept_and_found() {
    let server = World::with_readings(now(), 1).serve(&["--token-file", "token"]);
    let body = json!({
        "timestamp": "2025-11-07T15:30:00+01:00", "type": "panne", "severite": "warning", "description": "Plus de courant à l'atelier",
        "valeur": 12.50, "unite": "A", "phase": 2, "duree_s": 90, "compteur": "E450001234",
    });
    let answer = server.post("/api/events", &body.to_string());
    assert_eq!(answer.status, 201, "{}", answer.json());
    let event = &answer.json()["evenement"];
    assert_eq!(
        (&event["timestamp"], &event["fin"], &event["origine"], &event["phase"]),
        (&json!("2025-11-07T14:30:00Z"), &json!("2025-11-07T14:31:30Z"), &json!("manuel"), &json!(2))
    );
    // Said again, it is there once.
    let again = server.post("/api/events", &body.to_string());
    assert_eq!((again.status, &again.json()["evenement"]["id"]), (200, &event["id"]));
    std::thread::sleep(std::time::Duration::from_millis(60));
    let found = server.get("/api/events?q=atelier").json();
    assert_eq!((&found["nb_evenements"], &found["evenements"][0]), (&json!(1), event));

    for (wrong, key) in [
        (json!({"description": "x"}), "type"),
        (json!({"type": "panne"}), "description"),
        (json!({"type": "Panne!", "description": "x"}), "type"),
        (json!({"type": "panne", "description": ""}), "description"),
        (json!({"type": "panne", "description": "x", "severite": "grave"}), "severite"),
        (json!({"type": "panne", "description": "x", "phase": 4}), "phase"),
        (json!({"type": "panne", "description": "x", "timestamp": "hier"}), "timestamp"),
        (json!({"type": "panne", "description": "x", "duree_s": -1}), "duree_s"),
        (
            json!({"type": "panne", "description": "x", "timestamp": "2025-11-07T00:00:00Z", "fin": "2025-11-06T00:00:00Z"}),
            "fin",
        ),
        (json!({"type": "panne", "description": "x", "unite": "kilowattheures"}), "unite"),
        (json!({"type": "panne", "description": "x", "gravite": 3}), "gravite"),
    ] {
        let answer = server.post("/api/events", &wrong.to_string());
        assert_eq!((answer.status, &answer.json()["parametre"]), (400, &json!(key)), "{wrong}: {}", answer.json());
    }
}

#[test]
fn readings_of_other_loggers_are_kept_once_and_to_the_digit() {
    let server = World::empty().serve(&["--token-file", "token"]);
    let body = r#"{"compteur": "AUTRE1", "unites": {"1-0:5.8.0": "kvarh"}, "mesures": [
        {"timestamp": "2025-11-07T14:30:00Z", "valeurs": {"energie_active_import": 154.320, "puissance_active_totale": -12, "1-0:5.8.0": 12.004}},
        {"timestamp": "2025-11-07T14:31:00Z", "valeurs": {"energie_active_import": 154.321, "tension_l1": null}, "qualite": "suspect", "source": "passerelle"}]}"#;
    let answer = server.post("/api/data", body);
    assert_eq!((answer.status, answer.json()), (201, json!({"nb_ajoutees": 2, "nb_connues": 0, "nb_vides": 0})));
    let again = server.post("/api/data", body);
    assert_eq!((again.status, again.json()), (200, json!({"nb_ajoutees": 0, "nb_connues": 2, "nb_vides": 0})));
    std::thread::sleep(std::time::Duration::from_millis(60));
    let kept = server.get("/api/data?debut=2025-11-07T14:30:00Z&fin=2025-11-07T14:31:00Z&registres=all");
    let text = String::from_utf8(kept.body).unwrap();
    assert!(
        text.contains("\"valeur\":154.320,\"unite\":\"kWh\"") && text.contains("\"valeur\":12.004,\"unite\":\"kvarh\""),
        "{text}"
    );

    // One by itself, and a list.
    assert_eq!(
        server.post("/api/data", r#"{"timestamp": "2025-11-07T14:32:00Z", "valeurs": {"frequence": 50.01}}"#).status,
        201
    );
    assert_eq!(
        server.post("/api/data", r#"[{"timestamp": "2025-11-07T14:33:00Z", "donnees": {"frequence": 50.02}}]"#).status,
        201
    );

    for (wrong, key) in [
        (r#"{"mesures": [{"valeurs": {}}]}"#, "timestamp"),
        (r#"{"mesures": [{"timestamp": "hier", "valeurs": {"frequence": 1}}]}"#, "timestamp"),
        (r#"{"mesures": [{"timestamp": "2025-11-07T14:30:00Z", "valeurs": {"volts": 1}}]}"#, "valeurs"),
        (
            r#"{"mesures": [{"timestamp": "2025-11-07T14:30:00Z", "valeurs": {"frequence": 1}, "qualite": "parfaite"}]}"#,
            "qualite",
        ),
        (
            r#"{"compteur": "../x", "mesures": [{"timestamp": "2025-11-07T14:30:00Z", "valeurs": {"frequence": 1}}]}"#,
            "compteur",
        ),
    ] {
        let answer = server.post("/api/data", wrong);
        assert_eq!((answer.status, &answer.json()["parametre"]), (400, &json!(key)), "{wrong}: {}", answer.json());
    }
    let future = r#"{"timestamp": "2099-01-01T00:00:00Z", "valeurs": {"frequence": 50}}"#;
    assert_eq!(server.post("/api/data", future).status, 409);
    assert_eq!(server.get("/api/stats").json()["nb_mesures"], 4, "of a refused request nothing is kept");
}
