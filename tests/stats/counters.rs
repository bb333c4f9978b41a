//! Counters that run out, are replaced or are misread: what was used is never negative, and near the truth.

use crate::testenv::{Place, control, figures};
use crate::{Table, at, rows, stats};
use serde_json::{Value, json};

const MINUTES: i64 = 2880;
/// 10 Wh a minute.
const TRUTH: f64 = (MINUTES - 1) as f64 / 100.0;

/// Each day's energy is there and not negative, and the sum is within 20 % of the truth.
fn near_the_truth(document: &Value) -> Result<f64, String> {
    for row in rows(document) {
        match row["energie_active_import"].as_f64() {
            Some(energy) if energy >= 0.0 => {}
            other => return Err(format!("{}: {other:?} kWh", row["libelle"])),
        }
    }
    match document["ensemble"]["energie_active_import"].as_f64() {
        Some(sum) if (sum - TRUTH).abs() <= TRUTH / 5.0 => Ok(sum),
        other => Err(format!("{other:?} kWh in place of {TRUTH}")),
    }
}

#[test]
fn promise_p09_seven_stories_of_a_counter_and_none_counts_backwards() {
    let true_wh = |minute: i64| 50_000_000 + minute * 10;
    type Story = fn(i64) -> Option<i64>;
    let stories: [(&str, &str, Story); 7] = [
        ("the digits run out", "retour_a_zero", |minute| Some((999_990_000 + minute * 10) % 1_000_000_000)),
        ("a new meter that begins low", "compteur_recule", |minute| (minute >= 1440).then_some(1_000 + minute * 10)),
        ("a meter that has run elsewhere", "saut_index", |minute| (minute >= 1440).then_some(90_000_000 + minute * 10)),
        ("a zero", "compteur_recule", |minute| (minute == 1000).then_some(0)),
        ("two zeros", "compteur_recule", |minute| (1000..1002).contains(&minute).then_some(0)),
        ("an absurd value", "saut_index", |minute| (minute == 1000).then_some(999_999_999)),
        ("a digit misread", "compteur_recule", |minute| (minute == 1000).then_some(5_000_000)),
    ];
    for (what, kind, story) in stories {
        let place = Place::new();
        let mut table = Table::new("energie_active_import");
        for minute in 0..MINUTES {
            let wh = story(minute).unwrap_or(true_wh(minute));
            table.row(at("2026-01-05T00:00:00Z") + minute * 60, &format!("{}.{:03}", wh / 1000, wh % 1000));
        }
        table.import(&place, "E450001234");
        near_the_truth(&stats(&place, &["--by", "day"])).unwrap_or_else(|why| panic!("{what}: {why}"));
        // What came is kept as it came, and said.
        let kept = place.run(["export", "--db", "s.db", "-f", "ndjson", "-q"]).clean();
        assert_eq!(kept.lines().count(), usize::try_from(MINUTES).unwrap(), "{what}");
        place.run(["events", "detect", "--db", "s.db", "-q"]).clean();
        let events = place.run(["events", "--db", "s.db", "-f", "ndjson"]).clean();
        assert!(events.contains(&format!("\"type\":\"{kind}\"")), "{what}: {events}");
    }
    figures(9, stories.len(), stories.len(), 0, "stories of a counter, within 20 % of the truth, an event for each");
}

/// What a difference of the first and the last value would say, and what a sum of all rises would.
#[test]
fn promise_p09_control_plain_differences_are_found_out() {
    let told = |days: [f64; 2], sum: f64| {
        let rows = days.map(|kwh| json!({"libelle": "a day", "energie_active_import": kwh}));
        near_the_truth(&json!({"periodes": rows, "ensemble": {"energie_active_import": sum}}))
    };
    assert!(told([14.4, 14.39], 28.79).is_ok());
    control(
        9,
        [
            ("a difference over a new meter", told([14.4, -49_999.0], -49_984.6)),
            ("every rise counted, that behind a zero too", told([50_024.4, 14.39], 50_038.79)),
            ("half of it", told([7.2, 7.2], 14.4)),
        ],
    );
}
