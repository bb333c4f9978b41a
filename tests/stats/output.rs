//! Formats: tables with bars, CSV, chosen fields, comparisons, the duration curve.

use crate::testenv::{Place, Run, shell};
use crate::{Table, at, even, rows, stats};
use serde_json::json;

#[test]
fn g8_a_table_has_bars_of_plain_characters_in_a_pipe() {
    let place = even("2026-01-05T11:00:00Z", 60);
    let table = |locale: &str, more: &[&str]| {
        let arguments = ["stats", "--db", "s.db", "-f", "table", "--tz", "Europe/Brussels"];
        Run::of(place.command().env("LANG", locale).args(arguments).args(more).output().unwrap()).clean()
    };
    let expected = "\
Meter E450001234, 2026-01-05 to 2026-01-05, Europe/Brussels

hour                    import kWh  peak W  at     mean W  read %  import by quarter
2026-01-05 12:00+01:00      0.590      600  12:00     600  100.00  @@@@
";
    for plain in [table("C", &[]), table("en_IE.UTF-8", &[]), table("en_IE.UTF-8", &["--ascii"])] {
        assert_eq!(plain.replace("@@@#", "@@@@"), expected);
    }
}

#[test]
fn g8_on_a_terminal_bars_are_those_of_the_locale_and_as_wide() {
    let place = even("2026-01-05T11:00:00Z", 60);
    let line = "stty cols 120 rows 30; releve stats --db s.db -f table --tz Europe/Brussels --color never";
    let bars = |locale: &str, more: &str| {
        let said = shell(&place.path(""), &format!("LC_ALL={locale} script -qec '{line} {more}' /dev/null"));
        let row = said.stdout.lines().find(|line| line.starts_with("2026-01-05 12:00")).unwrap_or_default().to_owned();
        row.trim_end().rsplit("  ").next().unwrap_or_default().to_owned()
    };
    if std::process::Command::new("script").arg("--version").output().is_err() {
        println!("skipped: script is not installed");
        return;
    }
    assert_eq!(bars("C.UTF-8", "").replace('▇', "█"), "████");
    assert_eq!(bars("C.UTF-8", "--ascii").replace('#', "@"), "@@@@");
    assert_eq!(bars("C", "").replace('#', "@"), "@@@@");
}

#[test]
fn fields_are_chosen_by_name_and_keep_their_order() {
    let place = even("2026-01-05T11:00:00Z", 61);
    let csv = |fields: &str| {
        place.run(["stats", "--db", "s.db", "--tz", "UTC", "--by", "hour", "-f", "csv", "--fields", fields]).clean()
    };
    let text = csv("couverture,energie_active_import,demande_15min_max,tension_l1");
    let expected = "\
debut,fin,couverture,energie_active_import,demande_15min_max,tension_l1_moyenne,tension_l1_min,tension_l1_max,tension_l1_part_10pct
2026-01-05T11:00:00+00:00,2026-01-05T12:00:00+00:00,1.0000,0.600,600,230.50,230.5,230.5,1.0000
2026-01-05T12:00:00+00:00,2026-01-05T13:00:00+00:00,0.0166,,,230.50,230.5,230.5,1.0000
";
    assert_eq!(text.replace('Z', "+00:00"), expected);
    let document = stats(&place, &["--by", "hour", "--fields", "talon,puissance_active_totale_p95"]);
    assert_eq!(rows(&document)[0]["puissance_active_totale"], json!({"p95": 600}));
    assert_eq!(rows(&document)[0].as_object().unwrap().len(), 2, "the period and what was asked for");
}

/// January of 1 kW, and February of 500 W.
fn two_months() -> Place {
    let place = Place::new();
    let mut table = Table::new("energie_active_import,puissance_active_totale");
    let mut wh = 0;
    for quarter in 0..59 * 96 + 1 {
        let watts = if quarter < 31 * 96 { 1000 } else { 500 };
        table.row(at("2026-01-01T00:00:00Z") + quarter * 900, &format!("{}.{:03},{watts}", wh / 1000, wh % 1000));
        wh += watts / 4;
    }
    table.import(&place, "E450001234");
    place
}

#[test]
fn a_period_is_held_against_another() {
    let place = two_months();
    let versus =
        ["stats", "--db", "s.db", "--tz", "UTC", "--since", "2026-02", "--until", "2026-02", "--versus", "2026-01"];
    let document = place.run(versus).json();
    let energy = &document["comparaison"]["valeurs"]["energie_active_import"];
    assert_eq!(energy.to_string(), json!({"actuel": 336.0, "reference": 744.0, "difference": -408.0, "pourcent": -54.8, "pourcent_par_jour": -50.0}).to_string());
    let power = &document["comparaison"]["valeurs"]["puissance_active_totale_max"];
    assert_eq!((&power["difference"], &power["pourcent"]), (&json!(-500), &json!(-50.0)));
    let table = place.run([&versus[..], &["-f", "table"]].concat()).clean();
    let line = table.lines().find(|line| line.starts_with("energie_active_import")).unwrap();
    assert_eq!(
        line.split_whitespace().collect::<Vec<_>>(),
        ["energie_active_import", "336.000", "744.000", "-408.000", "-54.8", "-50.0"]
    );
    let run = place.run(["stats", "--db", "s.db", "--tz", "UTC", "--versus", "2020"]);
    assert!(run.exit == 0 && run.stderr.contains("no reading in the period to compare with"), "{}", run.stderr);
}

#[test]
fn the_duration_curve_falls() {
    let place = two_months();
    let curve = place.run(["stats", "--db", "s.db", "--curve", "-f", "csv"]).clean();
    let lines: Vec<&str> = curve.lines().collect();
    assert_eq!((lines[0], lines[1], lines[lines.len() - 1]), ("part_pct,puissance", "0,1000", "100,500"));
    // 2976 of 5665 readings are of the first month: 52.5 %.
    assert!(lines.contains(&"50,1000") && lines.contains(&"55,500"), "{curve}");
    let document = stats(&place, &["--curve", "--by", "month"]);
    assert_eq!(document["courbe"][0], json!([0, 1000]));
}

#[test]
fn the_length_of_a_row_fits_the_span() {
    let place = two_months();
    let step = |arguments: &[&str]| stats(&place, arguments)["pas"].as_str().unwrap().to_owned();
    assert_eq!(step(&[]), "jour");
    assert_eq!(step(&["--since", "2026-01-05", "--until", "2026-01-06"]), "heure");
    for (by, word, count) in [("week", "semaine", 9), ("month", "mois", 3), ("year", "annee", 1)] {
        let document = stats(&place, &["--by", by]);
        assert_eq!(
            (document["pas"].as_str(), rows(&document).len()),
            (Some(word), count),
            "the last quarter is of March, locally"
        );
    }
}

#[test]
fn a_full_disk_is_an_error_and_a_closed_pipe_is_none() {
    let place = even("2026-01-05T11:00:00Z", 60);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let run = Run::of(place.command().args(["stats", "--db", "s.db"]).stdout(full).output().unwrap());
    assert_eq!(run.exit, 74, "{}", run.stderr);
}
