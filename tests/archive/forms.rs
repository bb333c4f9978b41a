//! The exact form of every kind of file, read by Python and jq.

use crate::testenv::{Place, python};
use crate::{METER, consolidate, entries, json, store, tree, unpack};
use std::fs;
use std::process::Command;

/// What the contract says of each kind of file, asked by a program that knows nothing of ours. Numbers stay digits.
const CHECK: &str = r#"
import gzip, json, sys, re
root, meter = sys.argv[1:]
class N(str): pass
def load(name):
    raw = open(root + "/" + name, "rb").read()
    assert raw[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", "time or name in the header"
    text = gzip.decompress(raw).decode("utf-8")
    return text, json.loads(text, parse_float=N, parse_int=N)
stamp = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
def readings(name, date, count, hour=None):
    text, f = load(name)
    keys = ["metadata", "date"] + (["heure"] if hour is not None else []) + ["nb_mesures", "unites", "mesures"]
    assert list(f) == keys, list(f)
    assert f["metadata"] == {"version": "1.0", "compteur_id": meter, "creation": f["mesures"][-1]["timestamp"]}
    assert f["date"] == date and f["nb_mesures"] == str(count) == str(len(f["mesures"])), f["nb_mesures"]
    if hour is not None: assert f["heure"] == str(hour)
    assert f["unites"] == {"1-0:5.8.0": "kvarh"}, f["unites"]
    times = [m["timestamp"] for m in f["mesures"]]
    assert times == sorted(set(times)) and all(stamp.match(t) and t.startswith(date) for t in times)
    for m in f["mesures"]:
        assert list(m) == ["timestamp", "valeurs", "textes", "qualite", "source"], list(m)
        assert list(m["valeurs"]) == ["energie_active_import", "energie_active_export", "puissance_active_totale",
            "tension_l1", "courant_l1", "1-0:5.8.0"]
        v = m["valeurs"]
        assert re.match(r"^\d+\.\d{3}$", v["energie_active_import"]) and re.match(r"^-?\d+$", v["puissance_active_totale"])
        assert re.match(r"^23\d\.\d$", v["tension_l1"]) and re.match(r"^12\.5\d$", v["courant_l1"])
        assert m["textes"] == {"1-0:F.F": "00"} and m["qualite"] in ("good", "suspect") and m["source"] == "p1"
    return text, f
day, f = readings("quotidien/jour_20251107.json.gz", "2025-11-07", 288)
def again(f):
    # Python writes the same text, if it keeps the digits.
    class E(json.JSONEncoder): pass
    return json.dumps(json.loads(json.dumps(f)), indent=2, ensure_ascii=False)
plain = json.dumps(json.loads(day), indent=2, ensure_ascii=False)
strip = lambda t: re.sub(r"(\.\d*?)0+(?=[,\n])", lambda m: m.group(1) if m.group(1) != "." else ".0", t)
assert strip(day) == strip(plain + "\n"), "not indented by two spaces"
for hour in (0, 23):
    readings("quotidien/mesure_20251107_%02d.json.gz" % hour, "2025-11-07", 12, hour)
def means(name, first, last, steps):
    text, f = load(name)
    assert list(f) == ["compteur", "periode", "series"] and f["compteur"] == meter
    assert f["periode"] == {"debut": first, "fin": last}, f["periode"]
    units = {k: v["unite"] for k, v in f["series"].items()}
    assert units == {"energie_active_import": "kWh", "energie_active_export": "kWh", "puissance_active": "W",
        "tension_l1": "V", "courant_l1": "A", "1-0:5.8.0": "kvarh"}, units
    for name, s in f["series"].items():
        assert len(s["valeurs"]) == steps, (name, len(s["valeurs"]))
        times = [t for t, _ in s["valeurs"]]
        assert times == sorted(set(times)) and all(re.match(r".*T\d\d:(00|15|30|45):00Z$", t) for t in times)
    return f
week = means("hebdomadaire/semaine_2025-W45.json.gz", "2025-11-03T00:00:00Z", "2025-11-09T23:59:59Z", 7 * 96)
month = means("mensuel/mois_202511.json.gz", "2025-11-01T00:00:00Z", "2025-11-30T23:59:59Z", 30 * 96)
# A counter is its value at the step's start, a power the mean of the three readings that stand five minutes each.
from decimal import Decimal as D, ROUND_HALF_UP
by = {m["timestamp"]: m["valeurs"] for m in f["mesures"]}
for t, value in month["series"]["energie_active_import"]["valeurs"]:
    if t in by: assert value == by[t]["energie_active_import"], (t, value)
seen = 0
for t, value in month["series"]["puissance_active"]["valeurs"]:
    if t in by:
        minute = int(t[14:16])
        three = [D(by["%s%02d:00Z" % (t[:14], minute + m)]["puissance_active_totale"]) for m in (0, 5, 10)]
        mean = (sum(three) / 3).quantize(D(1), ROUND_HALF_UP)
        assert D(value) == mean, (t, value, mean)
        seen += 1
assert seen == 96
for name, s in week["series"].items():
    of_month = dict(map(tuple, month["series"][name]["valeurs"]))
    assert all(of_month[t] == v for t, v in s["valeurs"]), name
print("ok")
"#;

#[test]
fn every_file_has_the_contracts_form() {
    let place = Place::new();
    let all = entries(METER, "2025-10-31T22:00:00Z", "2025-12-01T00:00:00Z", 300);
    store(&place, "s.db", &all);
    let said = consolidate(&place, &["--hours"]).clean();
    let is_sorted = |kind: &str| said.lines().filter(|line| line.contains(kind)).is_sorted();
    assert!(is_sorted("/jour_") && is_sorted("/mesure_") && is_sorted("/semaine_"), "{said}");
    let Some(python) = python::python_with("gzip") else { return };
    let output = Command::new(python).args(["-c", CHECK]).arg(place.path("a")).arg(METER).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ok\n", "{}", String::from_utf8_lossy(&output.stderr));

    if Command::new("jq").arg("--version").output().is_ok() {
        let script = "gzip -dc a/quotidien/jour_*.json.gz | jq -es 'all(.nb_mesures == (.mesures | length)) and \
                      (map(.nb_mesures) | add) == 8664 and all(.mesures | map(.timestamp) | . == sort)'";
        let output = Command::new("sh").args(["-c", script]).current_dir(place.path("")).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "true\n");
    } else {
        println!("skipped: jq is not installed");
    }
    // What sha256sum says is what the manifest says.
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("a/quotidien/manifeste_202511.json")).unwrap()).unwrap();
    let day = &manifest["fichiers"]["jour_20251107.json.gz"];
    assert_eq!((day["compteur"].as_str(), day["nb_mesures"].as_u64()), (Some(METER), Some(288)));
    assert_eq!(day["premiere"], "2025-11-07T00:00:00Z");
    assert_eq!(day["derniere"], "2025-11-07T23:55:00Z");
    let mesures = json(&place.path("a/quotidien/jour_20251107.json.gz"));
    let ends = [&mesures["mesures"][0], &mesures["mesures"][287]].map(|m| &m["valeurs"]["energie_active_import"]);
    assert_eq!(day["energie_active_import"], serde_json::json!(ends));
    let sum = Command::new("sha256sum").arg(place.path("a/quotidien/jour_20251107.json.gz")).output().unwrap();
    assert!(String::from_utf8_lossy(&sum.stdout).starts_with(day["sha256"].as_str().unwrap()));
}

#[test]
fn compact_holds_the_same_without_blanks() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2025-11-07T00:00:00Z", "2025-11-08T00:00:00Z", 300));
    consolidate(&place, &["--day", "2025-11-07"]).clean();
    place.run(["consolidate", "--db", "s.db", "--archive", "b", "--compact", "--day", "2025-11-07"]).clean();
    let name = "quotidien/jour_20251107.json.gz";
    let compact = unpack(&place.path("b").join(name));
    assert_eq!(compact.lines().count(), 1);
    assert!(!compact.contains(": ") && !compact.contains(", "));
    assert_eq!(json(&place.path("a").join(name)), json(&place.path("b").join(name)));
}

#[test]
fn export_files_have_the_short_form() {
    let place = Place::new();
    let today = releve::reading::Instant::now().unix_seconds() / 86_400 * 86_400;
    let from = releve::reading::Instant::from_unix(today - 2 * 86_400).to_string();
    let until = releve::reading::Instant::from_unix(today - 86_400).to_string();
    store(&place, "s.db", &entries(METER, &from, &until, 3600));
    let export = ["export", "--db", "s.db", "--archive", "a", "--days", "5"];
    let said = place.run(export).clean();
    assert_eq!(said.lines().count(), 1, "{said}");
    let path = place.path(&format!("a/mensuel/export_{}.json.gz", &from[..10]));
    let file = json(&path);
    let keys: Vec<_> = file.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["date", "mesures", "nb_mesures"], "in the order of a map");
    assert!(unpack(&path).starts_with("{\n  \"date\": "));
    assert_eq!((file["date"].as_str(), file["nb_mesures"].as_u64()), (Some(&from[..10]), Some(24)));
    let first = file["mesures"][0].as_object().unwrap();
    assert_eq!(first["timestamp"], from);
    assert!(first.contains_key("puissance") && first.contains_key("tension_l1") && first.contains_key("courant_l1"));
    assert!(first.contains_key("energie_active_import") && !first.contains_key("valeurs"));
    let before = tree(&place.path("a"));
    assert!(place.run(export).clean().contains("unchanged"));
    assert_eq!(tree(&place.path("a")), before);
}

#[test]
fn several_meters_share_a_tree() {
    let place = Place::new();
    let mut all = entries(METER, "2025-11-07T00:00:00Z", "2025-11-08T00:00:00Z", 3600);
    all.extend(entries("OTHER1", "2025-11-07T00:00:00Z", "2025-11-08T00:00:00Z", 7200));
    store(&place, "s.db", &all);
    let names = |place: &Place| -> Vec<String> {
        tree(&place.path("a")).into_keys().filter(|name| name.contains("jour_")).collect()
    };
    consolidate(&place, &[]).clean();
    assert_eq!(names(&place), ["quotidien/jour_20251107_E450001234.json.gz", "quotidien/jour_20251107_OTHER1.json.gz"]);
    assert_eq!(json(&place.path("a/quotidien/jour_20251107_OTHER1.json.gz"))["nb_mesures"], 12);
    // The default meter of the settings has the plain name, in a tree that is new.
    fs::remove_dir_all(place.path("a")).unwrap();
    place.write("c.toml", "meter = \"OTHER1\"\n");
    consolidate(&place, &["--config", "c.toml"]).clean();
    assert_eq!(names(&place), ["quotidien/jour_20251107.json.gz", "quotidien/jour_20251107_E450001234.json.gz"]);
    assert_eq!(json(&place.path("a/quotidien/jour_20251107.json.gz"))["metadata"]["compteur_id"], "OTHER1");
    // A meter keeps the names that its files have.
    let before = tree(&place.path("a"));
    assert_eq!(consolidate(&place, &[]).exit, 0);
    assert_eq!(tree(&place.path("a")), before);
    consolidate(&place, &["--meter", METER, "--day", "2025-11-07"]).clean();
    assert_eq!(tree(&place.path("a")), before);
}

#[test]
fn twice_is_the_same_bytes_and_what_comes_late_is_taken_in() {
    let place = Place::new();
    let all = entries(METER, "2025-11-01T00:00:00Z", "2025-12-01T00:00:00Z", 900);
    // Every third reading comes late.
    let (late, first): (Vec<_>, Vec<_>) = all.iter().cloned().enumerate().partition(|(index, _)| index % 3 == 0);
    let plain = |all: Vec<(usize, releve::store::Entry)>| all.into_iter().map(|(_, entry)| entry).collect::<Vec<_>>();
    store(&place, "s.db", &plain(first));
    consolidate(&place, &[]).clean();
    let before = tree(&place.path("a"));
    let again = consolidate(&place, &["-q"]);
    assert_eq!((again.clean(), tree(&place.path("a"))), (String::new(), before.clone()));
    consolidate(&place, &["--since", "2025-11", "--until", "2025-11"]).clean();
    assert_eq!(tree(&place.path("a")), before, "asked for again");

    let mut open = releve::store::Store::create(&place.path("s.db")).unwrap();
    open.insert(&plain(late)).unwrap();
    drop(open);
    let said = consolidate(&place, &[]).clean();
    assert_eq!(said.lines().count(), 30 + 5 + 1, "{said}");
    let merged = tree(&place.path("a"));
    // The same as if it had all been there from the first: only origins in manifests differ, and not even these.
    let fresh = Place::new();
    store(&fresh, "s.db", &all);
    consolidate(&fresh, &[]).clean();
    let fresh = tree(&fresh.path("a"));
    assert_eq!(merged.keys().collect::<Vec<_>>(), fresh.keys().collect::<Vec<_>>());
    for (name, bytes) in &fresh {
        assert!(&merged[name] == bytes, "{name} differs");
    }
}

#[test]
fn weeks_and_months_hold_their_events_and_are_written_anew_when_one_comes_to_light() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2025-11-03T00:00:00Z", "2025-12-02T00:00:00Z", 900));
    consolidate(&place, &[]).clean();
    let week = place.path("a/hebdomadaire/semaine_2025-W45.json.gz");
    assert!(json(&week).get("evenements").is_none());
    let at = "2025-11-07T10:00:00Z";
    place.run(["--db", "s.db", "events", "add", "Panne électrique", "--at", at, "--type", "coupure"]).clean();
    let said = consolidate(&place, &[]).clean();
    assert_eq!(said.matches("json.gz").count(), 2, "{said}");
    for name in ["hebdomadaire/semaine_2025-W45.json.gz", "mensuel/mois_202511.json.gz"] {
        let file = json(&place.path("a").join(name));
        let [event] = file["evenements"].as_array().unwrap().as_slice() else { panic!("{file:#}") };
        assert_eq!((event["timestamp"].as_str(), event["type"].as_str()), (Some(at), Some("coupure")));
        assert_eq!(event["description"], "Panne électrique");
    }
    let before = tree(&place.path("a"));
    consolidate(&place, &["-q"]).clean();
    assert_eq!(before, tree(&place.path("a")));
    place.run(["consolidate", "--archive", "a", "--verify", "-q"]).clean();
}
