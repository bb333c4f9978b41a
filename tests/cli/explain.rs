//! `releve explain`.

use crate::testenv::{Place, captures, fixture};
use std::fs;

#[test]
fn the_byte_columns_together_are_the_capture() {
    let place = Place::new();
    for (name, path) in captures() {
        let run = place.run(["explain", path.to_str().unwrap()]);
        assert_eq!(run.exit, 0, "{name}: {}", run.stderr);
        let mut bytes = Vec::new();
        for line in run.stdout.lines().skip(1) {
            let offset = line.get(..6).unwrap_or_default();
            if let Ok(offset) = usize::from_str_radix(offset, 16) {
                assert_eq!(offset, bytes.len(), "{name}: {line}");
                let columns = line.get(8..).unwrap_or_default();
                let hex = columns.get(..24.min(columns.len())).unwrap_or_default();
                bytes.extend(hex.split_whitespace().map(|pair| u8::from_str_radix(pair, 16).unwrap()));
            }
        }
        assert_eq!(bytes, fs::read(&path).unwrap(), "{name}");
    }
}

#[test]
fn each_layer_is_named() {
    let place = Place::new();
    let explain = |name: &str| place.run(["explain", fixture(name).to_str().unwrap()]).clean().to_lowercase();
    for (name, words) in [
        (
            "dlms/e450_push.bin",
            &["flag", "format", "destination", "llc", "block number 1", "notification", "structure", "1-1:1.8.0"][..],
        ),
        ("sml/worked_example.bin", &["escape", "open", "list", "1-0:1.8.0", "crc"]),
        ("dsmr/smart5.txt", &["identification", "1-0:1.8.1", "crc"]),
        ("iec62056/mode_c.txt", &["stx", "etx", "block check"]),
        ("dlms/mbus_two_segments.bin", &["m-bus", "checksum", "system title"]),
    ] {
        let text = explain(name);
        for word in words {
            assert!(text.contains(word), "{name} does not say '{word}':\n{text}");
        }
    }
}

#[test]
fn it_shows_where_it_goes_wrong() {
    let place = Place::new();
    let mut p1 = fs::read(fixture("dsmr/worked_example.txt")).unwrap();
    p1[60] ^= 0x01;
    place.write("crc.txt", p1);
    let text = place.run(["explain", "crc.txt"]).clean();
    assert!(text.contains("!! ") && text.contains("220A"), "{text}");
}

#[test]
fn an_enciphered_push_opens_with_its_key_and_the_key_is_not_shown() {
    let place = Place::new();
    let capture = fixture("dlms/e450_ciphered.bin");
    let key = fixture("dlms/example.key");
    let arguments = ["explain", capture.to_str().unwrap(), "-q", "--key-file", key.to_str().unwrap()];
    let open = place.run(arguments).clean();
    let closed = place.run(["explain", capture.to_str().unwrap()]).clean();
    assert!(open.contains("1-1:1.8.0") && !closed.contains("1-1:1.8.0"), "{open}\n{closed}");
    assert!(!open.contains("000102030405060708"), "{open}");
}

#[test]
fn as_json_it_is_a_list_of_fields() {
    let fields = Place::new().run(["explain", fixture("dsmr/smart5.txt").to_str().unwrap(), "--json"]).json();
    let fields = fields.as_array().unwrap();
    let length: u64 = fields.iter().map(|field| field["longueur"].as_u64().unwrap()).sum();
    assert_eq!(length, fs::metadata(fixture("dsmr/smart5.txt")).unwrap().len());
    assert!(fields.iter().all(|field| field["sens"].as_str().is_some_and(|text| !text.is_empty())));
}
