//! The judge: real meter output, with the values that independent decoders read from it.
//!
//! The captures live outside the repository, in `../shared/captures`; where that folder is absent the test says so and
//! passes. The program is asked as a user would ask it, `releve read FILE -f json`, and its digits are compared as text.

#![allow(missing_docs, clippy::print_stdout)]

use releve::reading::{Decimal, Instant};
use releve::wire::{Cut, dlms, hdlc};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the program prints, as far as it is compared. Numbers stay text, so that no digit is rounded on the way.
#[derive(Debug, Deserialize)]
struct Reading {
    compteur: Option<String>,
    timestamp: String,
    horodatage_compteur: Option<String>,
    registres: Vec<Register>,
}

#[derive(Debug, Deserialize)]
struct Register {
    obis: String,
    valeur: Option<Box<RawValue>>,
    unite: Option<String>,
    texte: Option<String>,
    octets: Option<String>,
    horodatage: Option<String>,
    groupes: Option<Vec<Value>>,
    #[serde(default)]
    lignes: Vec<Vec<String>>,
}

#[derive(Debug)]
struct Capture {
    name: String,
    path: PathBuf,
    expected: Value,
}

struct Outcome {
    exit: i32,
    stderr: String,
    readings: Vec<Reading>,
}

#[test]
fn captures_decode_to_what_independent_decoders_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    if !root.is_dir() {
        println!("captures: skipped, there is no {}", root.display());
        return;
    }
    let mut failures = Vec::new();
    let mut total = 0;
    for protocol in ["sml", "p1", "iec62056", "dlms-push", "dlms-session"] {
        for capture in captures(&root.join(protocol)) {
            total += 1;
            let result = if protocol == "dlms-session" { check_session(&capture) } else { check(&capture) };
            if let Err(why) = result {
                failures.push(format!("{protocol}/{}: {why}", capture.name));
            }
        }
    }
    println!("captures: {} of {total}", total - failures.len());
    assert!(failures.is_empty(), "captures: {} of {total}\n{}", total - failures.len(), failures.join("\n"));
}

fn captures(folder: &Path) -> Vec<Capture> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|json| {
            let path = ["txt", "bin"].map(|extension| json.with_extension(extension)).into_iter().find(|p| p.exists());
            Capture {
                name: json.file_stem().unwrap().to_string_lossy().into_owned(),
                path: path.expect("a capture beside its expectation"),
                expected: serde_json::from_slice(&fs::read(&json).unwrap()).unwrap(),
            }
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn read(capture: &Capture) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_releve"));
    command
        .arg("read")
        .arg(&capture.path)
        .args(["-f", "json"])
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .env_remove("RELEVE_DB");
    if let Some(key) = capture.expected["key_hex"].as_str() {
        let mut text = format!("encryption = \"{key}\"\n");
        if let Some(key) = capture.expected["auth_key_hex"].as_str() {
            text.push_str(&format!("authentication = \"{key}\"\n"));
        }
        let file = folder.path().join("key");
        fs::write(&file, text).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        command.arg("--key-file").arg(file);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let readings = match text.trim_start().chars().next() {
        None => Vec::new(),
        Some('[') => serde_json::from_str(&text).unwrap(),
        Some(_) => vec![serde_json::from_str(&text).unwrap()],
    };
    Outcome {
        exit: output.status.code().unwrap_or(-1),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        readings,
    }
}

fn check(capture: &Capture) -> Result<(), String> {
    let outcome = read(capture);
    if outcome.stderr.contains("panicked") {
        return Err(outcome.stderr);
    }
    let expected = capture.expected["readings"].as_array().map_or(&[][..], Vec::as_slice);
    let ours: Vec<&Register> = outcome.readings.iter().flat_map(|reading| &reading.registres).collect();
    if expected.is_empty() {
        return check_empty(capture, &outcome, &ours);
    }
    if outcome.exit != 0 {
        return Err(format!("exit {}: {}", outcome.exit, outcome.stderr.trim()));
    }
    for reading in &outcome.readings {
        if !reading.timestamp.ends_with('Z') {
            return Err(format!("timestamp {}", reading.timestamp));
        }
    }
    let mut ours = ours.into_iter();
    let mut last: Option<&Register> = None;
    let mut rows = 0;
    for entry in expected {
        if entry["continues"].as_bool() == Some(true) {
            let row: Vec<_> = entry["raw"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
            let found = last.and_then(|register| register.lignes.get(rows));
            if found.is_none_or(|found| found.iter().map(String::as_str).collect::<Vec<_>>() != row) {
                return Err(format!("continuation {row:?}, ours {found:?}"));
            }
            rows += 1;
            continue;
        }
        let Some(obis) = entry["obis"].as_str() else {
            check_unnamed(entry, &outcome)?;
            continue;
        };
        let register = ours.next().ok_or_else(|| format!("{obis} is missing"))?;
        (last, rows) = (Some(register), 0);
        check_register(obis, entry, register)?;
    }
    if let Some(extra) = ours.next() {
        return Err(format!("{} is one too many", extra.obis));
    }
    Ok(())
}

/// No reading is expected: none may come, and unless the capture is sound something must say why.
fn check_empty(capture: &Capture, outcome: &Outcome, ours: &[&Register]) -> Result<(), String> {
    if let Some(register) = ours.first() {
        // A sound list without OBIS codes that no peer can name may be named by its own version string.
        let named_by_its_list = capture.expected["kind"] == "real";
        return if named_by_its_list { Ok(()) } else { Err(format!("a reading came of it: {register:?}")) };
    }
    if capture.expected["kind"] == "real" {
        return Ok(());
    }
    if !outcome.readings.is_empty() {
        return Err("an empty reading came of it".to_owned());
    }
    if !matches!(outcome.exit, 65 | 76) || !outcome.stderr.starts_with("error: ") {
        return Err(format!("exit {}, stderr '{}'", outcome.exit, outcome.stderr.trim()));
    }
    Ok(())
}

/// An entry without a code: facts about the whole telegram.
fn check_unnamed(entry: &Value, outcome: &Outcome) -> Result<(), String> {
    match entry["name"].as_str() {
        Some("meter_manufacturer") => Ok(()),
        Some("meter_datetime") => {
            let time = entry["time"].as_str().unwrap();
            let clock = outcome.readings.iter().filter_map(|r| r.horodatage_compteur.as_deref()).next();
            if clock.is_some_and(|clock| clock.starts_with(time)) {
                Ok(())
            } else {
                Err(format!("clock {time}, ours {clock:?}"))
            }
        }
        other => Err(format!("an entry without code: {other:?}")),
    }
}

fn check_register(obis: &str, entry: &Value, ours: &Register) -> Result<(), String> {
    if ours.obis != obis {
        return Err(format!("{obis} expected, {} found", ours.obis));
    }
    let fail = |what: &str| Err(format!("{obis}: {what}: expected {entry}, ours {ours:?}"));
    if let Some(text) = entry["text"].as_str()
        && ours.texte.as_deref() != Some(text)
    {
        return fail("text");
    }
    if let Some(octets) = entry["octets"].as_str()
        && ours.octets.as_deref() != Some(octets)
    {
        return fail("octets");
    }
    let number = ours.valeur.as_ref().and_then(|raw| raw.get().parse::<Decimal>().ok());
    match &entry["value"] {
        Value::String(value) => {
            let yes = ours.valeur.as_ref().is_some_and(|raw| raw.get() == "true" && value == "1");
            if !yes && number != value.parse::<Decimal>().ok() {
                return fail("value");
            }
        }
        Value::Array(values) if ours.groupes.as_ref().map(Vec::len) != Some(values.len()) => return fail("list"),
        _ => {}
    }
    if entry["value"].is_null() && entry["power_of_ten"].is_string() {
        let admissible = [entry["raw"].to_string(), entry["number"].as_str().unwrap_or_default().to_owned()];
        if !admissible.iter().any(|text| text.parse::<Decimal>().ok() == number && number.is_some()) {
            return fail("number");
        }
    } else if let (Some(text), Some(number)) = (entry["number"].as_str(), number)
        && text.parse::<Decimal>().ok() != Some(number)
    {
        return fail("number");
    }
    if let Some(unit) = entry["unit"].as_str().filter(|unit| !unit.is_empty()) {
        let found = ours.unite.as_deref().unwrap_or_default();
        if found.to_lowercase() != unit.to_lowercase() {
            return fail("unit");
        }
    }
    if let Some(raw) = entry["raw"].as_array()
        && entry["value"].is_null()
        && ours.groupes.as_ref() != Some(raw)
    {
        return fail("groups");
    }
    if let Some(expected) = moment(entry) {
        let found = ours.horodatage.as_deref().and_then(|text| Instant::parse_utc(text).ok());
        if found != Some(expected) {
            return fail("time");
        }
    }
    Ok(())
}

/// The moment of a register's own time. P1 says by S and W which offset holds; the peer that made `time_utc` leaves that
/// aside and takes the zone's season. Swedish and Danish meters keep normal time all year and say so by their W: they are
/// believed.
fn moment(entry: &Value) -> Option<Instant> {
    let by_peer = Instant::parse_utc(entry["time_utc"].as_str()?).ok();
    let raw = [&entry["time"], &entry["raw"]].into_iter().find_map(Value::as_str).unwrap_or_default();
    let hours = match raw.as_bytes().last() {
        Some(b'S') => 2,
        Some(b'W') => 1,
        _ => return by_peer,
    };
    let part = |at: usize| &raw[at..at + 2];
    let civil = format!("20{}-{}-{}T{}:{}:{}", part(0), part(2), part(4), part(6), part(8), part(10));
    Instant::parse_utc(&civil).ok().map(|local| local.plus_seconds(-3600 * hours))
}

/// A logged exchange: each line is a frame or an APDU; frames check as the peers say, and answers take apart.
fn check_session(capture: &Capture) -> Result<(), String> {
    let text = fs::read_to_string(&capture.path).unwrap();
    let exchange = capture.expected["exchange"].as_array().unwrap();
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.len() != exchange.len() {
        return Err(format!("{} lines, {} expected", lines.len(), exchange.len()));
    }
    for (line, expected) in lines.iter().zip(exchange) {
        let bytes = unhex(line.get(2..).unwrap_or_default());
        if let Some(valid) = expected["amshan"]["valid"].as_bool() {
            // The closing flag is left for the next frame.
            let ours = matches!(hdlc::cut(&bytes, true), Cut::Whole { len, .. } if len + 1 == bytes.len());
            if ours != valid {
                return Err(format!("{line}: frame valid {valid}, ours {ours}"));
            }
        } else if !matches!(dlms::cut_bare(&bytes, true), Cut::Whole { len, .. } if len == bytes.len()) {
            return Err(format!("{line}: no APDU to us"));
        }
    }
    Ok(())
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn the_meter_is_named_where_the_telegram_names_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    if !root.is_dir() {
        println!("skipped, there is no {}", root.display());
        return;
    }
    for (name, meter) in [
        ("dlms-push/LGZ_E450_VSE2026__smartmeter-datacollector", "LGZ1030653520967"),
        ("iec62056/LGZ_ZMF100_M23_wiki__github", "12314330"),
        ("sml/EMH_eHZ-GW8E2A500AK2__libsml-testing", "02280816"),
        ("sml/ITRON_OpenWay-3.HZ__libsml-testing", "1ITR0055113102"),
        ("p1/v5_ISK_M550T-1011__go-iec62056", "E0034006824910117"),
    ] {
        let json = root.join(format!("{name}.json"));
        let path = ["txt", "bin"].map(|extension| json.with_extension(extension)).into_iter().find(|p| p.exists());
        let capture = Capture {
            name: name.to_owned(),
            path: path.unwrap(),
            expected: serde_json::from_slice(&fs::read(&json).unwrap()).unwrap(),
        };
        let outcome = read(&capture);
        assert_eq!(outcome.readings[0].compteur.as_deref(), Some(meter), "{name}");
    }
}
