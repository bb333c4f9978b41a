//! What passes a link, written down and played again.

use crate::pty::Pty;
use crate::testenv::Place;
use releve::reading::Instant;
use releve::transport::{
    Address, Faults, Faulty, Input, Link, LinkError, Pace, Recorder, Replay, Tapped, Traffic, open,
};
use releve::wire::Line;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(20);

fn now() -> Instant {
    Instant::parse_utc("2026-11-21T14:30:00Z").unwrap()
}

fn take(link: &mut dyn Link, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 64];
    while bytes.len() < count {
        match link.receive(&mut buffer, LONG).unwrap() {
            0 => break,
            more => bytes.extend_from_slice(&buffer[..more]),
        }
    }
    bytes
}

/// A sign-on in mode C, recorded into `path`.
fn record(path: &Path) {
    let pty = Pty::new();
    let link = open(&Address::Device(pty.path.clone()), Line::seven_even(300)).unwrap();
    let recorder = Recorder::open(path, "/dev/ttyUSB0", now()).unwrap();
    let mut link = Tapped::new(link, Box::new(recorder)).unwrap();
    link.send(b"/?!\r\n").unwrap();
    pty.write(b"/LGZ4ZMF100AC.M27\r\n");
    take(&mut link, 19);
    link.send(b"\x06040\r\n").unwrap();
    link.set_line(Line::seven_even(4800)).unwrap();
    pty.write(b"\x02F.F(00)\r\n!\r\n\x03\x1a");
    take(&mut link, 15);
    drop(pty);
    assert!(link.receive(&mut [0; 8], LONG).is_err());
}

/// The lines of a capture without their times.
fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| match line.strip_prefix('+') {
            Some(line) => line.split_once(' ').unwrap().1.to_owned(),
            None => line.to_owned(),
        })
        .collect()
}

#[test]
fn a_recording_holds_all_that_passed_in_order_and_can_be_appended_to() {
    let place = Place::new();
    let path = place.path("c.txt");
    record(&path);
    let once = lines(&path);
    assert_eq!(once[..3], ["releve capture 1 2026-11-21T14:30:00Z /dev/ttyUSB0", "= 300,7E1", "> 2F3F210D0A"]);
    assert!(once.contains(&"> 063034300D0A".to_owned()) && once.contains(&"= 4800,7E1".to_owned()));
    assert!(once.last().unwrap().ends_with("is gone"), "{once:?}");
    // A power cut in the middle of a line, then the next recording.
    let text = std::fs::read(&path).unwrap();
    std::fs::write(&path, [text.as_slice(), b"+9.0 < 2F4"].concat()).unwrap();
    record(&path);
    let mut input = Input::open(&path).unwrap();
    let mut read = Vec::new();
    input.read_to_end(&mut read).unwrap();
    let session = b"/LGZ4ZMF100AC.M27\r\n\x02F.F(00)\r\n!\r\n\x03\x1a";
    assert_eq!(read, [&session[..], b"/", session].concat());
    assert_eq!(input.cut(), Some(once.len() as u64 + 1));
}

#[test]
fn a_file_that_is_no_capture_is_not_written_into() {
    let place = Place::new();
    let path = place.write("notes.txt", "notes");
    let error = Recorder::open(&path, "/dev/ttyUSB0", now()).unwrap_err();
    assert!(matches!(error, LinkError::Capture { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"notes");
}

#[test]
fn a_disk_that_is_full_is_the_captures_failure() {
    let recorder = Recorder::new(Box::new(std::fs::File::create("/dev/full").unwrap()), "c".into(), "x", now());
    assert!(matches!(recorder, Err(LinkError::Capture { .. })));
}

#[test]
fn a_replay_answers_once_it_is_asked_and_is_gone_at_its_end() {
    let place = Place::new();
    let path = place.path("c.txt");
    record(&path);
    let mut link = Replay::open(&path, Pace::OnRequest).unwrap();
    assert_eq!(link.receive(&mut [0; 64], SHORT).unwrap(), 0, "nothing comes before the sign-on");
    assert_eq!(link.line(), Some(Line::seven_even(300)));
    link.send(b"something else").unwrap();
    assert_eq!(take(&mut link, 19), b"/LGZ4ZMF100AC.M27\r\n");
    assert_eq!(link.receive(&mut [0; 64], SHORT).unwrap(), 0);
    link.send(b"\x06").unwrap();
    assert!(matches!(link.set_line(Line::seven_even(9600)), Err(LinkError::FixedLine { .. })));
    assert_eq!(take(&mut link, 15), b"\x02F.F(00)\r\n!\r\n\x03\x1a");
    assert!(matches!(link.receive(&mut [0; 64], LONG), Err(LinkError::Gone { .. })));
}

#[test]
fn a_replay_at_its_own_pace_keeps_the_times() {
    let place = Place::new();
    let text = "releve capture 1 2026-11-21T14:30:00Z x\n+0.0 > 21\n+0.0 < 31\n+0.4 < 32\n+3000.0 < 33\n";
    let path = place.write("c.txt", text);
    let mut link = Replay::open(&path, Pace::Original).unwrap();
    let mut buffer = [0; 8];
    assert_eq!(link.receive(&mut buffer, Duration::ZERO).unwrap(), 1);
    assert_eq!(link.receive(&mut buffer, Duration::ZERO).unwrap(), 0);
    assert_eq!((link.receive(&mut buffer, LONG).unwrap(), buffer[0]), (1, b'2'));
    assert_eq!(link.receive(&mut buffer, SHORT).unwrap(), 0);
    let raw = place.capture("dsmr/smart5.txt");
    let mut link = Replay::open(&raw, Pace::Original).unwrap();
    let whole = std::fs::read(&raw).unwrap();
    assert_eq!(take(&mut link, whole.len()), whole);
}

#[test]
fn a_closure_hears_what_passes() {
    let pty = Pty::new();
    let link = open(&Address::Device(pty.path.clone()), Line::seven_even(300)).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let tap = move |traffic: Traffic<'_>| sink.lock().unwrap().push(format!("{traffic:?}"));
    let mut link = Tapped::new(link, Box::new(tap)).unwrap();
    link.send(b"/").unwrap();
    pty.write(b"!");
    take(&mut link, 1);
    link.receive(&mut [0; 8], Duration::ZERO).unwrap();
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert!(heard[0].starts_with("Line") && heard[1] == "Sent([47])" && heard[2] == "Received([33])", "{heard:?}");
}

/// All that comes over a link with faults until it is gone.
fn spoiled(path: &Path, faults: Faults) -> Vec<u8> {
    let mut link = Faulty::new(Box::new(Replay::open(path, Pace::OnRequest).unwrap()), faults);
    let (mut all, mut buffer) = (Vec::new(), [0; 512]);
    while let Ok(count) = link.receive(&mut buffer, LONG) {
        assert!(count <= faults.piece.unwrap_or(usize::MAX));
        all.extend_from_slice(&buffer[..count]);
    }
    all
}

#[test]
fn faults_are_those_of_the_seed() {
    let place = Place::new();
    let whole: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    let path = place.write("raw.bin", &whole);
    let none = Faults::default();
    assert_eq!(spoiled(&path, none), whole);
    assert_eq!(spoiled(&path, Faults { piece: Some(7), ..none }), whole);
    assert_eq!(spoiled(&path, Faults { unplug_after: Some(1234), ..none }), whole[..1234]);
    let lost = spoiled(&path, Faults { lost: 100, ..none }).len();
    assert!((8_700..9_300).contains(&lost), "{lost} of 10000 left");
    let doubled = spoiled(&path, Faults { doubled: 100, ..none }).len();
    assert!((10_700..11_300).contains(&doubled), "{doubled} of 10000");
    let flipped = spoiled(&path, Faults { flipped: 100, ..none });
    let bits: u32 = flipped.iter().zip(&whole).map(|(a, b)| (a ^ b).count_ones()).sum();
    assert!(flipped.len() == whole.len() && (700..1300).contains(&bits), "{bits} bits");
    let mixed = Faults { lost: 5, flipped: 5, doubled: 5, seed: 1, ..none };
    assert_eq!(spoiled(&path, mixed), spoiled(&path, mixed));
    assert_ne!(spoiled(&path, mixed), spoiled(&path, Faults { seed: 2, ..mixed }));
}

#[test]
fn an_echo_comes_before_the_answer() {
    let pty = Pty::new();
    let link = open(&Address::Device(pty.path.clone()), Line::seven_even(300)).unwrap();
    let mut link = Faulty::new(link, Faults { echo: true, ..Faults::default() });
    link.send(b"/?!\r\n").unwrap();
    assert_eq!(pty.read(5), b"/?!\r\n");
    pty.write(b"/ISK");
    assert_eq!(take(&mut link, 9), b"/?!\r\n/ISK");
}
