//! Under a service manager: ready with the first reading, a status in words, signs of life, priorities.

use crate::meter::{House, Log, METER};
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::{Duration, Instant as Clock};

/// What came to the socket within a time, one message a line.
fn heard(socket: &UnixDatagram, time: Duration) -> String {
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let (since, mut text, mut buffer) = (Clock::now(), String::new(), [0; 4096]);
    while since.elapsed() < time {
        if let Ok(count) = socket.recv(&mut buffer) {
            text += &String::from_utf8_lossy(&buffer[..count]);
            text.push('\n');
        }
    }
    text
}

#[test]
fn ready_comes_with_the_first_reading_and_not_before() {
    let house = House::new();
    let meter = house.meter(100);
    meter.speak(false);
    let socket = UnixDatagram::bind(house.place.path("notify")).unwrap();
    let log = Log::start(
        house
            .command()
            .args(["--port", "./meter"])
            .env("NOTIFY_SOCKET", house.place.path("notify"))
            .env("WATCHDOG_USEC", "1500000"),
    );
    let before = heard(&socket, Duration::from_secs(4));
    assert!(!before.contains("READY=1"), "{before}");
    // A meter that is silent but tried again is no hang.
    assert!(before.matches("WATCHDOG=1").count() >= 2, "{before}");
    // Nor is it a start that failed.
    assert!(before.contains("EXTEND_TIMEOUT_USEC=60000000"), "{before}");
    meter.speak(true);
    let after = heard(&socket, Duration::from_secs(14));
    assert_eq!(after.matches("READY=1").count(), 1, "{after}");
    let (_, since_ready) = after.split_once("READY=1").unwrap();
    assert!(!since_ready.contains("EXTEND_TIMEOUT_USEC"), "{after}");
    let status = after.lines().rfind(|line| line.starts_with("STATUS=")).unwrap();
    let counts = |words: &str| status.contains(words);
    assert!(status.starts_with(&format!("STATUS={METER}: ")), "{status}");
    assert!(counts(": 1 reading, last ") || counts(" readings, last "), "{status}");
    assert!(status.contains("2345 W"), "{status}");
    log.end();
    assert!(heard(&socket, Duration::from_millis(300)).contains("STOPPING=1"));
}

#[test]
fn in_the_journal_lines_have_priorities_and_elsewhere_none() {
    let house = House::new();
    let _meter = house.meter(50);
    let file = File::create(house.place.path("stderr")).unwrap();
    let metadata = file.metadata().unwrap();
    let stream = format!("{}:{}", metadata.dev(), metadata.ino());
    let mut command = house.command();
    command.args(["--port", "./meter", "--count", "2"]).env("JOURNAL_STREAM", &stream);
    assert!(command.stderr(Stdio::from(file)).status().unwrap().success());
    let said = std::fs::read_to_string(house.place.path("stderr")).unwrap();
    assert!(said.lines().count() >= 3 && said.lines().all(|line| line.starts_with('<')), "{said}");
    assert!(said.contains("<5>meter E001234567890") && said.contains("<6>stored 2 readings"), "{said}");

    let (_, said) = Log::start(&mut command).ended();
    assert!(!said.contains('<'), "{said}");
}
