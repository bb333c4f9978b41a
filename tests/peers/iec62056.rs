//! Messages of IEC 62056-21 against the package iec62056-21: what it makes we read, what we make it reads.

use crate::testenv::python::python_with;
use crate::testenv::repository;
use releve::acquire::{Decoder, Outcome, Settings, map};
use releve::reading::{Quality, Reading};
use releve::wire::Cut;
use releve::wire::iec62056::{
    Answer, BlockCheck, Break, Identification, OptionSelect, Password, Query, ReadCommand, Request, Wanted, cut,
};
use std::io::Write as _;
use std::process::{Command, Stdio};
use zeroize::Zeroizing;

/// The package's answers to these requests; `None`, with the reason printed, where it is not installed.
fn package(requests: &[String]) -> Option<Vec<String>> {
    let python = python_with("iec62056_21")?;
    let script = repository().join("tests/peers/iec62056.py");
    let run = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut run = run.unwrap();
    run.stdin.take().unwrap().write_all(format!("{}\n", requests.join("\n")).as_bytes()).unwrap();
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn answer(bytes: &[u8]) -> Answer<'_> {
    match cut(bytes, BlockCheck::Xor) {
        Cut::Whole { len, value } if len == bytes.len() => value,
        other => panic!("{other:?} for {}", bytes.escape_ascii()),
    }
}

/// Code, value and unit of each register.
fn registers(reading: &Reading) -> Vec<String> {
    let shown = |register: &releve::reading::Register| {
        let value = register.as_number().map(|number| number.to_string());
        let value = value.or_else(|| register.as_text().map(str::to_owned)).unwrap_or_default();
        format!("{} {value} {}", register.code, register.unit_text().unwrap_or_default())
    };
    reading.registers.iter().map(shown).collect()
}

fn readout(bytes: &[u8]) -> Reading {
    let mut found = Vec::new();
    let mut sink = |outcome| match outcome {
        Outcome::Reading(reading) => found.push(reading),
        Outcome::Fault(fault) => panic!("{fault}"),
    };
    let mut decoder = Decoder::new(Settings::default());
    decoder.push(bytes, &mut sink);
    decoder.finish(&mut sink);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

#[test]
fn the_published_examples_of_the_package_parse() {
    assert_eq!(answer(b"\x01P0\x02(1234567)\x03P"), Answer::Command { code: *b"P0", data: b"(1234567)" });
    assert_eq!(answer(b"\x01R1\x021.8.0(1)\x03k"), Answer::Command { code: *b"R1", data: b"1.8.0(1)" });
    assert_eq!(answer(b"\x01B0\x03q"), Answer::Command { code: *b"B0", data: b"" });
    let long = unhex("01573202433030332839313033323430393232333929031b");
    assert_eq!(answer(&long), Answer::Command { code: *b"W2", data: b"C003(910324092239)" });
    assert_eq!(answer(b"\x023:171.0(0)\x03\x12"), Answer::Data { data: b"3:171.0(0)", more: false });
    assert!(matches!(cut(b"\x023:171.0(0)\x03\x11", BlockCheck::Xor), Cut::Damaged { .. }));
    assert!(matches!(cut(b"\x01P0\x02(1234567)\x03X", BlockCheck::Xor), Cut::Damaged { .. }));

    let meter = Identification::parse(b"/Els6\\2EK280\r\n").unwrap();
    assert_eq!((meter.maker(), meter.rate_character(), meter.name()), ("Els", b'6', "EK280"));
    // The package takes `\2EK280` for the name: it knows no pairs.
    assert!(meter.offers_hdlc());

    let reading = readout(b"/Els6\\2EK280\r\n\x023:14(314*kWh)4:15(415*kWh)\r\n!\r\n\x03\"");
    assert_eq!(
        (reading.quality, registers(&reading)),
        (Quality::Good, vec!["3:14 314 kWh".into(), "4:15 415 kWh".into()])
    );
    assert_eq!(OptionSelect { rate: b'5', wanted: Wanted::Programming }.encode(), *b"\x06051\r\n");
    assert_eq!(Request::new("45678903").unwrap().encode(), b"/?45678903!\r\n");
}

#[test]
fn what_the_package_makes_we_read() {
    let requests = [
        "make identification ISk 5 MT174-0001",
        "make command P0 (00000001)",
        "make command B0",
        "make answer 1.8.0(012345.678*kWh)",
        "make answer (ER01)",
        "make readout 0.0.0(12345678) 1.8.0(012345.678*kWh)2.8.0(000001.500*kWh) 32.7.0(231.5*V)",
    ];
    let Some(made) = package(&requests.map(str::to_owned)) else { return };
    let made: Vec<Vec<u8>> = made.iter().map(|line| unhex(line)).collect();
    let [identification, prompt, farewell, data, error, message] = made.as_slice() else { panic!("{made:?}") };

    // It always writes a backslash, so that the name loses its first character to a pair.
    let meter = Identification::parse(identification).unwrap();
    assert_eq!((meter.maker(), meter.rate_character(), meter.name()), ("ISk", b'5', "T174-0001"));
    assert_eq!(answer(prompt), Answer::Command { code: *b"P0", data: b"(00000001)" });
    assert_eq!(answer(farewell), Answer::Command { code: *b"B0", data: b"" });
    // It ends each line, that of an error text too.
    assert_eq!(answer(error).error(), Some((false, &b"ER01"[..])));
    let Answer::Data { data, more: false } = answer(data) else { panic!() };
    assert_eq!(registers(&map::text::answer(data)), ["1-0:1.8.0*255 12345.678 kWh"]);

    let reading = readout(&[identification.as_slice(), message].concat());
    assert_eq!((reading.quality, reading.meter.as_ref().unwrap().as_str()), (Quality::Good, "12345678"));
    assert_eq!(
        registers(&reading)[1..],
        ["1-0:1.8.0*255 12345.678 kWh", "1-0:2.8.0*255 1.500 kWh", "1-0:32.7.0*255 231.5 V"]
    );
}

#[test]
fn what_we_make_the_package_reads() {
    let query = |command, data| hex(&Query::new(command, data).unwrap().encode(BlockCheck::Xor));
    let password = Password::new(Zeroizing::new("00000000".into())).unwrap();
    let select = |rate, wanted| hex(&OptionSelect { rate, wanted }.encode());
    let cases = [
        ("request", hex(&Request::default().encode()), ""),
        ("request", hex(&Request::new("45678903").unwrap().encode()), "45678903"),
        ("select", select(b'5', Wanted::Readout), "5 0"),
        ("select", select(b'0', Wanted::Programming), "0 1"),
        ("command", query(ReadCommand::R1, "1.8.0"), "R1 1.8.0()"),
        (
            "command",
            query(ReadCommand::R5, "P.01(0251107000000;0251107010000)"),
            "R5 P.01(0251107000000;0251107010000)",
        ),
        ("command", query(ReadCommand::R6, "P.98(;)"), "R6 P.98(;)"),
        ("command", hex(&password.encode(BlockCheck::Xor)), "P1 (00000000)"),
    ];
    let requests: Vec<String> = cases.iter().map(|(kind, bytes, _)| format!("parse {kind} {bytes}")).collect();
    let Some(read) = package(&requests) else { return };
    for ((kind, bytes, expected), read) in cases.iter().zip(&read) {
        assert_eq!(read, expected, "{kind} {bytes}");
    }
    // It cannot read a command without data set, but makes the same bytes.
    let Some(made) = package(&["make command B0".into()]) else { return };
    assert_eq!(made, [hex(&Break::Complete.encode(BlockCheck::Xor))]);
}
