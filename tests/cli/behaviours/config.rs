//! C: configuration.

use super::help::commands;
use super::{demo, run, words};
use crate::testenv::{Place, Run, fixture};
use std::fs;

#[test]
fn c1_nothing_is_to_be_configured_before_the_first_reading() {
    let place = demo();
    let home = tempfile::tempdir().unwrap();
    let mut command = place.command();
    command.env_clear().env("HOME", home.path()).args(["read", "dsmr_smart5.txt"]);
    Run::of(command.output().unwrap()).clean();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn c2_flag_over_environment_over_file_over_default() {
    let place = Place::new();
    fs::create_dir_all(place.path(".config/releve")).unwrap();
    let shown = |variables: &[(&str, &str)], line: &str| {
        let mut command = place.command();
        command.envs(variables.iter().copied()).args(words(line)).args(["config", "show", "-f", "json"]);
        let db = Run::of(command.output().unwrap()).json()["db"].clone();
        (db["valeur"].as_str().unwrap().to_owned(), db["de"].as_str().unwrap().to_owned())
    };
    let (value, from) = shown(&[], "");
    assert!(value.ends_with(".local/share/releve/releve.db") && from == "default", "{value} {from}");
    let (value, _) = shown(&[("XDG_DATA_HOME", "/data")], "");
    assert_eq!(value, "/data/releve/releve.db");
    fs::write(place.path(".config/releve/config.toml"), "db = \"c\"\n").unwrap();
    let (value, from) = shown(&[], "");
    assert!(value == "c" && from.ends_with(".config/releve/config.toml"), "{value} {from}");
    assert_eq!(shown(&[("RELEVE_DB", "b")], ""), ("b".into(), "RELEVE_DB".into()));
    assert_eq!(shown(&[("RELEVE_DB", "b")], "--db a"), ("a".into(), "flag --db".into()));
}

#[test]
fn c3_settings_can_be_seen_and_unknown_keys_are_errors() {
    let place = Place::new();
    place.write("bad.toml", "tz = \"Europe/Paris\"\n[meters.home]\nprot = \"x\"\n");
    place.write("good.toml", "tz = \"Europe/Paris\"\n[meters.home]\nport = \"/dev/ttyUSB0\"\n");
    let bad = run(&place, "config check --config bad.toml");
    assert_eq!((bad.exit, bad.stdout.as_str()), (78, ""));
    assert!(bad.stderr.contains("bad.toml line 3: unknown key 'prot'") && bad.stderr.contains("did you mean 'port'?"));
    assert!(run(&place, "config check --config good.toml").clean().contains("ok"));
    let shown = run(&place, "config show --config good.toml -f json").json();
    assert_eq!((&shown["tz"]["valeur"], &shown["tz"]["de"]), (&"Europe/Paris".into(), &"good.toml".into()));
    // A wrong value is named with its file, whoever meets it.
    place.write("zone.toml", "tz = \"Mars\"\n");
    for line in ["config check", "config show", "ports -v", "obis 1.8", "stats"] {
        let failed = run(&place, &format!("{line} --config zone.toml"));
        assert!(failed.exit != 78 || failed.stderr.contains("zone.toml: tz: 'Mars'"), "{line}: {}", failed.stderr);
    }
    assert_eq!(run(&place, "config check --config zone.toml").exit, 78);
    // What `log` and `serve` would refuse is refused before they run.
    for (setting, said) in [
        ("[serve]\nlisten = \"nonsense\"", "serve.listen = \"nonsense\""),
        ("[meters.home]\ninterval = \"soon\"", "interval = \"soon\""),
        ("[meters.home]\nport = \"x\"", "settings: port = \"x\": 'x' is no way to a meter"),
        ("[meters.home]\nserial = \"x\"", "'x' is no line setting"),
    ] {
        place.write("wrong.toml", setting);
        let refused = run(&place, "config check --config wrong.toml");
        assert_eq!((refused.exit, refused.stdout.as_str()), (78, ""), "{setting}");
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
}

#[test]
fn c4_a_commented_file_comes_from_the_program() {
    let place = Place::new();
    let text = run(&place, "config default").clean();
    place.write("r.toml", &text);
    run(&place, "config check --config r.toml").clean();
    for key in ["db", "archive", "tz", "lang", "meter", "port", "listen"] {
        assert!(text.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} = "))), "{key}");
    }
}

#[test]
fn c5_secrets_are_neither_on_the_command_line_nor_shown() {
    let place = demo();
    for command in commands() {
        let help = run(&place, &format!("{command} --help")).clean();
        for flag in ["--key <", "--password <", "--token <", "--secret", "--pin <"] {
            assert!(!help.contains(flag), "{command} takes {flag}");
        }
        let variables = help.match_indices("[env: ").map(|(at, _)| help[at..].split([']', '=']).next().unwrap());
        let secret = |name: &&str| ["KEY", "TOKEN", "PASS", "SECRET"].iter().any(|word| name.contains(word));
        assert_eq!(variables.filter(secret).count(), 0, "{command}");
    }
    // By file and by the service manager's credentials.
    let key = fs::read_to_string(fixture("dlms/example.key")).unwrap();
    fs::create_dir(place.path("credentials")).unwrap();
    fs::write(place.path("credentials/releve.key"), &key).unwrap();
    let mut command = place.command();
    command.args(["read", "dlms_e450_ciphered.bin", "-vv"]).env("CREDENTIALS_DIRECTORY", place.path("credentials"));
    let read = Run::of(command.output().unwrap());
    assert_eq!(read.exit, 0, "{}", read.stderr);
    place.write("open.key", &key);
    let warned = run(&place, "read dlms_e450_ciphered.bin --key-file open.key");
    assert!(warned.stderr.contains("chmod 600 open.key"), "{}", warned.stderr);
    place.write("s.toml", "meter = \"home\"\n[meters.home]\nid = \"X\"\nkey-file = \"open.key\"\n");
    let shown = run(&place, "config show --config s.toml");
    let digits: Vec<&str> = key.split('"').filter(|part| part.len() == 32).collect();
    assert!(!digits.is_empty());
    for secret in digits {
        for said in [&read.stderr, &read.stdout, &warned.stderr, &shown.stdout] {
            assert!(!said.contains(secret), "a key is printed");
        }
    }
}

#[test]
fn c6_the_doctor_says_why_and_its_report_holds_no_secret() {
    let place = demo();
    let healthy = run(&place, "doctor -f table --db demo.db");
    assert_eq!(healthy.exit, 0, "{}", healthy.stdout);
    let states = ["ok ", "warn", "FAIL", "skip"];
    assert!(
        healthy
            .stdout
            .lines()
            .all(|line| states.iter().any(|state| line.starts_with(state)) || line.starts_with("   "))
    );
    let sick = run(&place, "doctor -f table --db notes.txt -p /nope");
    assert_eq!(sick.exit, 1);
    for id in ["[store.format]", "[port.missing]"] {
        let (_, after) = sick.stdout.split_once(id).unwrap();
        assert!(after.lines().take(3).any(|line| line.contains("tip: ")), "{}", sick.stdout);
    }
    let report = run(&place, "doctor -f json --db demo.db --meter E450001234").stdout;
    assert!(!report.contains("E450001234"), "{report}");
    assert!(!place.path(".local").exists(), "doctor made a store");
}
