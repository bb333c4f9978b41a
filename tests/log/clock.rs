//! The wall clock of the host is put forward and back while the log runs: nothing is lost, and polling goes on.

use crate::logging::answer;
use crate::meter::{House, Log, Port, stored};
use crate::testenv::check::gapless;
use crate::testenv::{figures, fixture, repository};
use crate::wear::counters;
use releve::reading::Instant;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant as Clock};

/// A clock of its own for the programs that are started with it, by a library that stands before the system's.
struct HostClock {
    library: PathBuf,
    file: PathBuf,
}

impl HostClock {
    fn new(house: &House) -> Option<Self> {
        let (library, file) = (house.place.path("clock.so"), house.place.path("clock"));
        let source = repository().join("tests/log/clock.c");
        let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
        if !built.is_ok_and(|status| status.success()) {
            println!("skipped: there is no C compiler for a clock of our own");
            return None;
        }
        let clock = Self { library, file };
        clock.step(0);
        Some(clock)
    }

    /// So many seconds beside the machine's.
    fn step(&self, seconds: i64) {
        // Written in place: the programs have it in their memory.
        let mut file = std::fs::File::options().write(true).create(true).truncate(false).open(&self.file).unwrap();
        std::io::Write::write_all(&mut file, &seconds.to_ne_bytes()).unwrap();
    }

    fn log(&self, house: &House, arguments: &[&str]) -> Log {
        let mut command = house.command();
        command.env("LD_PRELOAD", &self.library).env("CLOCK_STEP", &self.file);
        Log::start(command.args(["--port", "./meter"]).args(arguments))
    }
}

const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// 1970, an hour and a day forward and back, ten years on, after 2038, and the right time again.
fn steps() -> [i64; 8] {
    let now = Instant::now().unix_seconds();
    let after_2038 = Instant::parse_utc("2038-01-19T03:14:00Z").unwrap().unix_seconds();
    [600 - now, HOUR, -HOUR, DAY, -DAY, 3652 * DAY, after_2038 - now, 0]
}

#[test]
fn promise_p08_steps_of_the_hosts_clock_cost_no_telegram() {
    let house = House::new();
    let Some(clock) = HostClock::new(&house) else { return };
    let meter = house.meter(50);
    let log = clock.log(&house, &["--commit", "200ms"]);
    log.says("first reading", 1, 20);
    let count = || counters(&house).len();
    for step in steps() {
        clock.step(step);
        let before = count();
        log.until(&format!("stored after a step of {step} s"), 20, |_| count() > before + 15);
    }
    meter.speak(false);
    std::thread::sleep(Duration::from_millis(500));
    log.end();
    let stored = counters(&house);
    gapless(&stored).unwrap();
    assert_eq!(stored.last(), Some(&meter.last()));
    house.place.run(["db", "check", "-q", "--db", "a.db"]).clean();
    figures(8, steps().len(), steps().len(), 0, format_args!("steps of the host's clock, {} telegrams", stored.len()));
}

#[test]
fn promise_p08_a_meter_is_asked_on_whatever_the_hosts_clock_does() {
    let house = House::new();
    let Some(clock) = HostClock::new(&house) else { return };
    let port = Port::new(house.place.path("meter"));
    let readout = std::fs::read(fixture("iec62056/mode_c.txt")).unwrap().split_off(b"/?!\r\n".len());
    let log = clock.log(&house, &["--mode", "c", "--interval", "2s", "--commit", "100ms"]);
    let (mut asked, db) = (Vec::new(), house.place.path("a.db"));
    let mut longest = Duration::ZERO;
    // A wait by the wall clock would last an hour, a day, or for ever.
    let mut reads_on = |step: i64| {
        let (before, since) = (stored(&db, "00188123").len(), Clock::now());
        while stored(&db, "00188123").len() < before + 2 {
            assert!(since.elapsed() < Duration::from_secs(30), "not asked after a step of {step} s: {}", log.said());
            answer(&port, &readout, &mut asked);
            std::thread::sleep(Duration::from_millis(5));
        }
        longest = longest.max(since.elapsed());
    };
    reads_on(0);
    for step in steps() {
        clock.step(step);
        reads_on(step);
    }
    log.end();
    // What has no clock has the host's: it really was there.
    let seconds = stored(&db, "00188123");
    assert!(seconds.first() < Some(&DAY) && seconds.last() > Some(&i64::from(i32::MAX - 120)), "{seconds:?}");
    figures(
        8,
        steps().len(),
        steps().len(),
        0,
        format_args!("steps of the host's clock, asked twice within {longest:?}"),
    );
}
