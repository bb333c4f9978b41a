//! What is no capture, or a damaged one: one error with the place and a tip, the right status, nothing on stdout.

use crate::testenv::{Place, Run, fixture};
use std::fs;
use std::process::Stdio;

fn refused(run: &Run, exit: i32, id: &str) {
    assert_eq!(run.exit, exit, "{}", run.stderr);
    assert_eq!(run.stdout, "", "{}", run.stderr);
    let first = run.stderr.lines().next().unwrap_or_default();
    assert!(first.starts_with("error: ") && first.ends_with(&format!("[{id}]")), "{}", run.stderr);
    assert!(run.stderr.lines().count() <= 6, "{}", run.stderr);
    assert!(
        run.stderr.lines().skip(1).all(|l| l.starts_with("  tip: ") || l.starts_with("  cause: ")),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("  tip: ") || id == "input.read", "{}", run.stderr);
}

#[test]
fn files_that_are_none() {
    let place = Place::new();
    fs::create_dir(place.path("folder")).unwrap();
    place.write("empty.bin", "");
    place.write("letter.txt", "Dear meter,\r\n\r\nplease tell me (soon) what I owe.\r\n".repeat(50));
    place.write("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10".repeat(40));
    refused(&place.run(["read", "none.bin"]), 66, "input.missing");
    refused(&place.run(["read", "folder"]), 66, "input.directory");
    refused(&place.run(["read", "empty.bin"]), 76, "data.unknown");
    refused(&place.run(["read", "letter.txt"]), 76, "data.unknown");
    refused(&place.run(["read", "picture.png"]), 76, "data.unknown");
    refused(&place.run(["read", "/dev/null"]), 76, "data.unknown");
}

#[test]
fn a_period_without_records_to_look_up_is_refused_and_no_store_is_made_for_a_missing_port() {
    let place = Place::new();
    place.capture("dsmr/smart5.txt");
    refused(&place.run(["read", "dsmr_smart5.txt", "--since", "2d"]), 2, "read.span");
    refused(&place.run(["read", "--port", "no-port", "--until", "today"]), 2, "read.span");
    let run = place.run(["read", "--port", "/nowhere/ttyUSB7", "--save", "--db", "s.db"]);
    assert_eq!(run.exit, 69, "{}", run.stderr);
    assert!(!place.path("s.db").exists());
}

#[test]
fn texts_with_paths_and_programs() {
    let place = Place::new();
    place.write(
        "paths.md",
        "See [the map](src/lib.rs) or /usr/lib/releve, /Users/me!\nthen (run) `cat a/b > /dev/ttyUSB0`.\n".repeat(200),
    );
    refused(&place.run(["read", "paths.md"]), 76, "data.unknown");
    refused(&place.run(["read", env!("CARGO_BIN_EXE_releve")]), 76, "data.unknown");
}

#[test]
fn a_device_that_never_ends_is_given_up() {
    if !std::path::Path::new("/dev/zero").exists() {
        return;
    }
    let place = Place::new();
    refused(&place.run(["read", "/dev/zero"]), 76, "data.unknown");
    let zero = fs::File::open("/dev/zero").unwrap();
    let output = place.command().args(["read", "-"]).stdin(Stdio::from(zero)).output().unwrap();
    refused(&Run::of(output), 76, "data.unknown");
}

#[test]
fn a_line_of_ten_megabytes() {
    let place = Place::new();
    place.write("line.txt", vec![b'7'; 10 << 20]);
    refused(&place.run(["read", "line.txt"]), 76, "data.unknown");
    let mut telegram = b"/ISK5\\2M550T-1011\r\n\r\n1-0:1.8.1(".to_vec();
    telegram.extend(vec![b'7'; 10 << 20]);
    telegram.extend(b")\r\n!\r\n");
    place.write("telegram.txt", telegram);
    let run = place.run(["read", "telegram.txt"]);
    assert!(matches!(run.exit, 65 | 76) && run.stdout.is_empty(), "{}", run.stderr);
}

#[test]
fn damage_names_the_byte() {
    let place = Place::new();
    let mut p1 = fs::read(fixture("dsmr/worked_example.txt")).unwrap();
    p1[60] ^= 0x01;
    place.write("crc.txt", &p1);
    let run = place.run(["read", "crc.txt"]);
    refused(&run, 65, "data.checksum");
    assert!(run.stderr.contains("crc.txt: byte ") && run.stderr.contains("220A"), "{}", run.stderr);

    let mode_c = fs::read(fixture("iec62056/mode_c.txt")).unwrap();
    place.write("cut.txt", &mode_c[..200]);
    refused(&place.run(["read", "cut.txt"]), 65, "data.cut");
    let mut wrong = mode_c;
    *wrong.last_mut().unwrap() ^= 0x01;
    place.write("bcc.txt", &wrong);
    refused(&place.run(["read", "bcc.txt"]), 65, "data.checksum");

    let push = fs::read(fixture("dlms/e450_push.bin")).unwrap();
    place.write("block.bin", &push[..300]);
    let run = place.run(["read", "block.bin"]);
    assert_eq!((run.exit, run.stdout.as_str()), (65, ""), "{}", run.stderr);

    let mut sml = fs::read(fixture("sml/worked_example.bin")).unwrap();
    sml[100] ^= 0x20;
    place.write("sml.bin", &sml);
    refused(&place.run(["read", "sml.bin"]), 65, "data.checksum");
}

#[test]
fn a_text_from_a_meter_cannot_steer_the_terminal() {
    let place = Place::new();
    place.write("esc.txt", "/ISK5\\2M550T\r\n\r\n0-0:96.1.1(\u{1b}[2J)\r\n1-0:1.8.0(000001.000*kWh)\r\n!\r\n");
    let run = place.run(["read", "esc.txt", "-f", "table"]);
    assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "{run:?}");
}

#[test]
fn key_files_that_are_none() {
    let place = Place::new();
    let capture = place.capture("dlms/e450_ciphered.bin");
    let capture = capture.to_str().unwrap();
    place.write("bad.key", "not a key");
    let run = place.run(["read", capture, "--key-file", "bad.key", "-q"]);
    refused(&run, 78, "key.format");
    assert!(!run.stderr.contains("not a key"), "the content of a key file is printed: {}", run.stderr);
    let run = place.run(["read", capture, "--key-file", "none.key"]);
    assert_eq!((run.exit, run.stdout.as_str()), (66, ""), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_warned_about() {
    let place = Place::new();
    let capture = place.capture("dlms/e450_ciphered.bin");
    place.write("open.key", "000102030405060708090a0b0c0d0e0f");
    let run = place.run(["read", capture.to_str().unwrap(), "--key-file", "open.key"]);
    assert_eq!(run.exit, 0);
    assert!(run.stderr.contains("warning: open.key can be read by others: chmod 600 open.key"), "{}", run.stderr);
}

#[test]
fn wrong_words_get_a_suggestion() {
    let place = Place::new();
    for (arguments, suggestion) in [
        (&["red", "x"][..], "read"),
        (&["read", "x", "--formt", "json"], "--format"),
        (&["read", "x", "-f", "jsn"], "json"),
        (&["read", "x", "--protocol", "dsm"], "dsmr"),
    ] {
        let run = place.run(arguments.iter().copied());
        assert_eq!((run.exit, run.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(run.stderr.contains("tip: ") && run.stderr.contains(suggestion), "{arguments:?}: {}", run.stderr);
    }
    assert!(fs::read_dir(place.path("")).unwrap().next().is_none(), "a file appeared");
}
