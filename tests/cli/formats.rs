//! The formats other programs read, checked by those programs where they are installed.

use crate::testenv::{Place, Run, fixture};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Runs a checker with `input` on its stdin; `None` where it is not installed.
fn checked_by(program: &str, arguments: &[&str], input: &str) -> Option<Run> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Some(Run::of(child.wait_with_output().unwrap()))
}

#[test]
fn prometheus_text_is_accepted_by_promtool() {
    let place = Place::new();
    for name in ["dsmr/stream.txt", "iec62056/mode_c.txt", "dlms/e450_push.bin", "sml/push.bin"] {
        let text = place.run(["read", fixture(name).to_str().unwrap(), "-f", "prometheus", "-q"]);
        assert_eq!(text.exit, 0);
        assert!(text.stdout.contains("# HELP releve_"), "{}", text.stdout);
        match checked_by("promtool", &["check", "metrics"], &text.stdout) {
            Some(run) => assert_eq!((run.exit, run.stderr.as_str()), (0, ""), "{name}\n{}", text.stdout),
            None => println!("skipped: promtool is not installed"),
        }
    }
    let text = place.run(["read", fixture("iec62056/mode_c.txt").to_str().unwrap(), "-f", "prometheus"]).clean();
    assert!(text.contains("releve_energy_import_joules_total{meter=\"00188123\"} 789307200\n"), "{text}");
}

#[test]
fn csv_reads_back_with_python() {
    let place = Place::new();
    let capture = place.capture("iec62056/mode_c.txt");
    let text = place.run(["read", capture.to_str().unwrap(), "-f", "csv"]).clean();
    assert!(text.starts_with("timestamp,compteur,obis,valeur,unite,texte\n"), "{text}");
    let program = "import csv,sys\nrows=list(csv.DictReader(sys.stdin))\n\
                   print([r['valeur']+r['unite'] for r in rows if r['obis']=='1-0:1.8.0*255'])";
    if let Some(run) = checked_by("python3", &["-c", program], &text) {
        assert_eq!(run.clean(), "['219.252kWh']\n");
    } else {
        println!("skipped: python3 is not installed");
    }
}

#[test]
fn influx_lines_have_exact_digits_and_nanoseconds() {
    let place = Place::new();
    let line = place.run(["read", fixture("dsmr/smart5.txt").to_str().unwrap(), "-f", "influx"]).clean();
    assert_eq!(line.lines().count(), 1);
    assert!(
        line.starts_with("mesure,compteur=E001234567890,qualite=good,source=p1 energie_active_import=2124.690,"),
        "{line}"
    );
    assert!(line.ends_with(" 1762525802000000000\n"), "{line}");
}

#[test]
fn jq_finds_what_it_looks_for() {
    let place = Place::new();
    let json = place.run(["read", fixture("iec62056/mode_c.txt").to_str().unwrap()]).clean();
    let filter = ".registres[] | select(.unite == \"V\") | .valeur";
    match checked_by("jq", &["-r", filter], &json) {
        Some(run) => assert_eq!(run.clean(), "233\n233\n234\n"),
        None => println!("skipped: jq is not installed"),
    }
}
