//! `releve read` on sound captures.

use crate::testenv::{Place, Run, figures, fixture};
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

#[test]
fn one_register_for_a_shell_variable() {
    let place = Place::new();
    place.write("m.txt", fs::read(fixture("iec62056/mode_c.txt")).unwrap());
    let run = place.run(["read", "m.txt", "--obis", "1.8.0", "-f", "table"]);
    assert_eq!(run.clean(), "219.252 kWh\n");
    let run = place.run(["read", "m.txt", "-f", "table", "--obis", "32.7.0", "C.1.0", "1.8.0*12"]);
    assert_eq!(run.clean(), "00188123\n201.100 kWh\n233 V\n");
}

#[test]
fn in_a_pipe_the_default_is_json_with_the_digits_of_the_meter() {
    let place = Place::new();
    place.write("m.txt", fs::read(fixture("dsmr/worked_example.txt")).unwrap());
    let json = place.run(["read", "m.txt"]).clean();
    assert!(json.contains("\"energie_active_import\": 12345.678,"), "{json}");
    assert!(json.contains("\"puissance_active_totale\": 2345,"), "{json}");
    assert!(json.contains("\"tension_l1\": 231.5"), "{json}");
    assert_eq!(json, place.run(["read", "m.txt", "--json"]).clean());
}

#[test]
fn the_reading_has_the_contracts_keys() {
    let place = Place::new();
    place.write("m.txt", fs::read(fixture("dsmr/smart5.txt")).unwrap());
    let reading = place.run(["read", "m.txt"]).json();
    assert_eq!(reading["compteur"], "E001234567890");
    assert_eq!(reading["timestamp"], "2025-11-07T14:30:02Z");
    assert_eq!(reading["horodatage_compteur"], "2025-11-07T15:30:02+01:00");
    assert_eq!(reading["protocole"], "dsmr");
    assert_eq!(reading["source"], "p1");
    assert_eq!(reading["qualite"], "good");
    assert!(reading.get("anomalies").is_none(), "{reading}");
    let first = &reading["registres"][0];
    assert_eq!((first["obis"].as_str(), first["texte"].as_str()), (Some("1-3:0.2.8*255"), Some("50")));
}

#[test]
fn several_readings_are_an_array_and_damage_is_named_in_the_next() {
    let place = Place::new();
    place.write("s.txt", fs::read(fixture("dsmr/stream.txt")).unwrap());
    let run = place.run(["read", "s.txt", "-f", "json"]);
    assert_eq!(run.exit, 0);
    assert!(run.stderr.contains("warning: s.txt: byte "), "{}", run.stderr);
    let readings: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let times: Vec<_> = readings.as_array().unwrap().iter().map(|r| r["timestamp"].as_str().unwrap()).collect();
    assert_eq!(times, ["2025-11-07T14:30:02Z", "2025-11-07T14:30:03Z", "2025-11-07T14:30:05Z"]);
    let codes: Vec<_> =
        readings[2]["anomalies"].as_array().unwrap().iter().map(|a| a["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"checksum") && codes.contains(&"repaired"), "{codes:?}");
}

#[test]
fn ndjson_is_a_line_a_reading() {
    let place = Place::new();
    place.write("s.bin", fs::read(fixture("sml/push.bin")).unwrap());
    let run = place.run(["read", "s.bin", "-f", "ndjson", "-q"]);
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""));
    let lines: Vec<serde_json::Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["compteur"], "1LGZ0000001234");
}

#[test]
fn a_stream_is_printed_as_it_comes() {
    let place = Place::new();
    let mut child = place
        .command()
        .args(["read", "-", "-f", "ndjson"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let telegram = fs::read(fixture("dsmr/smart5.txt")).unwrap();
    for _ in 0..3 {
        stdin.write_all(&telegram).unwrap();
        stdin.flush().unwrap();
        // The pipe stays open: the line has to come without the end of the input.
        let line = lines.next().unwrap().unwrap();
        assert!(line.starts_with('{') && line.ends_with('}'));
    }
    drop(stdin);
    assert!(lines.next().is_none());
    assert!(child.wait().unwrap().success());
}

#[test]
fn standard_input_is_read_only_when_asked() {
    let place = Place::new();
    let mut child = place
        .command()
        .arg("read")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    let run = Run::of(child.wait_with_output().unwrap());
    // A meter is looked for instead; what comes of that depends on what is plugged in here.
    assert!(run.exit == 69 || run.exit == 2, "{run:?}");
    assert!(run.stdout.is_empty() && run.stderr.contains("[port."), "{run:?}");
}

#[test]
fn an_enciphered_push_needs_its_key() {
    let place = Place::new();
    for name in ["dlms/e450_ciphered.bin", "dsmr/smarty_ciphered.bin", "dlms/mbus_two_segments.bin"] {
        let capture = place.capture(name);
        let capture = capture.file_name().unwrap().to_str().unwrap();
        let key = fixture("dlms/example.key");
        let run = place.run(["read", capture, "-q", "--key-file", key.to_str().unwrap()]);
        assert_eq!(run.exit, 0, "{name}: {}", run.stderr);
        assert!(run.stdout.contains("energie_active_import"), "{name}");

        let run = place.run(["read", capture]);
        assert_eq!((run.exit, run.stdout.as_str()), (65, ""), "{name}");
        assert!(run.stderr.contains("[key.missing]") && run.stderr.contains("LGZ"), "{name}: {}", run.stderr);

        let key = fixture("dlms/wrong.key");
        let run = place.run(["read", capture, "-q", "--key-file", key.to_str().unwrap()]);
        assert_eq!((run.exit, run.stdout.as_str()), (65, ""), "{name}");
        assert!(run.stderr.contains("[key.mismatch]"), "{name}: {}", run.stderr);
    }
}

#[test]
fn without_the_authentication_key_the_reading_is_suspect() {
    let place = Place::new();
    let capture = place.capture("dlms/e450_ciphered.bin");
    let key = fixture("dlms/encryption_only.key");
    let arguments = ["read", capture.to_str().unwrap(), "-q", "--key-file", key.to_str().unwrap()];
    let reading = place.run(arguments).json();
    assert_eq!(reading["qualite"], "suspect");
    assert_eq!(reading["anomalies"][0]["code"], "tag_unverified");
    assert_eq!(reading["valeurs"]["puissance_active_totale"], 2345);
}

#[test]
fn a_key_comes_from_the_service_managers_credentials_too() {
    let place = Place::new();
    let capture = place.capture("dlms/e450_ciphered.bin");
    fs::create_dir(place.path("credentials")).unwrap();
    fs::copy(fixture("dlms/example.key"), place.path("credentials/releve.key")).unwrap();
    let output = place
        .command()
        .arg("read")
        .arg(capture)
        .env("CREDENTIALS_DIRECTORY", place.path("credentials"))
        .output()
        .unwrap();
    Run::of(output).clean();
}

#[test]
fn a_list_without_codes_is_named_only_when_the_user_says_which() {
    let place = Place::new();
    let capture = place.capture("dlms/bare_list.bin");
    let (capture, key) = (capture.to_str().unwrap(), fixture("dlms/example.key"));
    let key = key.to_str().unwrap();
    let reading = place.run(["read", capture, "-q", "--key-file", key]).json();
    assert_eq!(reading["qualite"], "suspect");
    assert_eq!(reading["registres"].as_array().unwrap().len(), 0);
    assert_eq!(reading["anomalies"][0]["code"], "no_obis");
    let reading = place.run(["read", capture, "-q", "--key-file", key, "--push-list", "wiener-netze"]).json();
    assert_eq!(reading["valeurs"]["energie_active_import"].to_string(), "12345.678");
    assert_eq!(reading["valeurs"]["puissance_active_totale"], 2345);
}

#[test]
fn the_zone_of_a_clock_without_one_is_the_users() {
    let place = Place::new();
    let capture = place.capture("dlms/e450_push.bin");
    let capture = capture.to_str().unwrap();
    let zurich = place.run(["read", capture]).json();
    assert_eq!(zurich["timestamp"], "2025-11-07T14:30:00Z");
    let utc = place.run(["read", capture, "--tz", "UTC"]).json();
    assert_eq!(utc["timestamp"], "2025-11-07T15:30:00Z");
    let run = place.run(["read", capture, "--tz", "Mars/Phobos"]);
    assert_eq!(run.exit, 2);
    assert!(run.stderr.contains("[time.zone]"), "{}", run.stderr);
}

#[test]
fn a_capture_without_a_clock_has_the_files_time() {
    let place = Place::new();
    let capture = place.capture("sml/worked_example.bin");
    let reading = place.run(["read", capture.to_str().unwrap()]).json();
    assert_eq!(reading["timestamp"], "2025-11-07T14:30:00Z");
    assert!(reading.get("horodatage_compteur").is_none());
}

#[test]
fn the_raw_bytes_can_be_kept_and_read_again() {
    let place = Place::new();
    let capture = place.capture("dsmr/smart5.txt");
    let first = place.run(["read", capture.to_str().unwrap(), "--capture", "again.bin"]).clean();
    assert_eq!(fs::read(place.path("again.bin")).unwrap(), fs::read(&capture).unwrap());
    assert_eq!(place.run(["read", "again.bin"]).clean(), first);
}

#[test]
fn nothing_is_left_behind_and_nothing_is_configured() {
    let place = Place::new();
    let capture = place.capture("dsmr/smart5.txt");
    place.run(["read", capture.to_str().unwrap()]).clean();
    let left: Vec<_> = fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["dsmr_smart5.txt"]);
}

#[test]
fn machine_formats_are_the_same_in_every_language() {
    let place = Place::new();
    let capture = place.capture("iec62056/mode_c.txt");
    let capture = capture.to_str().unwrap();
    let english = place.run(["read", capture, "-f", "json"]).clean();
    for language in ["fr", "de"] {
        assert_eq!(place.run(["read", capture, "-f", "json", "--lang", language]).clean(), english);
    }
    let french = place.run(["read", capture, "-f", "table", "--lang", "fr"]).clean();
    assert!(french.contains("grandeur") && french.contains("219.252"), "{french}");
    let output = place.command().args(["read", capture, "-f", "table"]).env("LANG", "de_DE.UTF-8").output().unwrap();
    assert!(Run::of(output).clean().contains("Größe"));
}

#[test]
fn promise_p19_a_closed_pipe_ends_quietly_and_a_full_disk_does_not() {
    let place = Place::new();
    place.write("s.txt", fs::read(fixture("dsmr/smart5.txt")).unwrap().repeat(2000));
    let mut child = place
        .command()
        .args(["read", "s.txt", "-f", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""));

    if let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") {
        let capture = place.capture("dsmr/smart5.txt");
        let output = place.command().arg("read").arg(capture).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let run = Run::of(output);
        assert_eq!(run.exit, 74);
        assert!(run.stderr.starts_with("error: cannot write the output: No space left"), "{}", run.stderr);
    }
    figures(19, 2, 2, 0, "a closed pipe and a full device");
}

#[test]
fn a_table_in_a_pipe_is_plain_ascii() {
    let place = Place::new();
    let capture = place.capture("iec62056/mode_c.txt");
    let table = place.run(["read", capture.to_str().unwrap(), "-f", "table"]).clean();
    assert!(table.is_ascii() && !table.contains('\u{1b}'), "{table}");
    assert!(table.lines().any(|line| line.starts_with("1.8.0 ") && line.ends_with(" 219.252 kWh")), "{table}");
}
