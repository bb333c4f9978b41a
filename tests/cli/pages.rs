//! Pages of docs/ that are true: what they show is what comes.

use crate::exchange::old_database;
use crate::testenv::{Place, repository, shell};
use rusqlite::Connection;
use std::process::Command;

/// The examples of a page: each command line and what the page says it prints.
fn examples(page: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(repository().join("docs").join(page)).unwrap();
    let blocks = text.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    let examples = blocks.flat_map(|block| {
        let lines = block.split("$ ").skip(1).map(str::to_owned).collect::<Vec<_>>();
        lines.into_iter().map(|example| {
            let (line, output) = example.split_once('\n').unwrap();
            (line.to_owned(), output.to_owned())
        })
    });
    examples.collect()
}

/// The names that headings of a page have in links.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    headings.map(|name| name.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn links_lead_to_pages_and_headings_that_are_there() {
    let pages = |folder: &str| {
        let entries = std::fs::read_dir(repository().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "md"))
    };
    let mut count = 0;
    for page in pages("").chain(pages("docs")).chain(pages("docs/meters")) {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            if link.starts_with("http") {
                continue;
            }
            let to = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            assert!(to.exists(), "{}: {link}", page.display());
            if !anchor.is_empty() {
                let there = anchors(&std::fs::read_to_string(to).unwrap());
                assert!(there.iter().any(|name| name == anchor), "{}: {link} is none of {there:?}", page.display());
            }
            count += 1;
        }
    }
    assert!(count > 20, "{count} links");
}

#[test]
fn the_recipes_for_jq_print_what_the_page_shows() {
    if Command::new("jq").arg("--version").output().is_err() {
        println!("skipped: jq is not installed");
        return;
    }
    let examples = examples("JQ.md");
    assert!(examples.len() >= 7, "{examples:?}");
    for (line, output) in examples {
        let run = shell(repository(), &line);
        assert_eq!(run.stdout, output, "{line}: {}", run.stderr);
    }
}

#[test]
fn the_way_over_from_the_old_application_is_as_the_page_says() {
    for tool in ["sqlite3", "jq"] {
        if Command::new(tool).arg("--version").output().is_err() {
            println!("skipped: {tool} is not installed");
            return;
        }
    }
    let place = Place::new();
    std::fs::create_dir_all(place.path("old/archives/quotidien")).unwrap();
    old_database(&place, "old/energie.db");
    Connection::open(place.path("old/energie.db"))
        .unwrap()
        .execute_batch(
            "INSERT INTO evenements_compteur VALUES (1, '2025-11-06 12:34:56.000000', 'surtension', 'warning', 'Surtension L2', 255.5,
                'V', '52.7.0', 253)",
        )
        .unwrap();
    place.write(
        "old/archives/quotidien/mesure_20251105_10.json",
        r#"{"timestamp": "2025-11-05T10:00:00.5", "donnees": {"tension_l1": 231.5}, "metadata": {"version": "1.0", "source": "e450"}}"#,
    );
    place.write(
        "old/archives/quotidien/jour_20251106.json",
        r#"{"metadata": {"version": "1.0"}, "date": "2025-11-06", "nb_mesures": 2, "mesures": [
            {"timestamp": "2025-11-06T11:59:00Z", "donnees": {"tension_l1": 230.5}},
            {"timestamp": "2025-11-06T12:00:00Z", "donnees": {"tension_l1": 230.0, "tension_l2": 231.5}}]}"#,
    );
    let examples = examples("MIGRATION.md");
    assert!(examples.len() >= 12, "{examples:?}");
    for (line, output) in examples {
        let run = shell(&place.path(""), &line);
        assert_eq!((run.exit, run.stdout.as_str()), (0, output.as_str()), "{line}: {}", run.stderr);
    }
}
