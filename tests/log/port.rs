//! What may become of a port: unplugged, taken, silent, full of rubbish.

use crate::long;
use crate::meter::{House, Log, Meter, Port, assert_whole};
use crate::testenv::check::{at_most, same};
use crate::testenv::{figures, fixture};
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant as Clock};

/// What a silent meter may cost, in thousandths of a core.
pub(crate) const IDLE: u64 = 99;
/// What rubbish may cost in memory, in kB.
pub(crate) const RESIDENT: u64 = 64 * 1024;

#[test]
fn promise_p10_a_port_that_was_unplugged_is_read_again_soon_after_it_is_back() {
    let house = House::new();
    let meter = house.meter(50);
    let log = house.log(&["--commit", "100ms"]);
    log.says("first reading", 1, 20);
    let replugs = long(60, 4);
    let (mut descriptors, mut longest) = (0, Duration::ZERO);
    for replug in 0..replugs {
        meter.port.lock().unwrap().unplug();
        std::thread::sleep(Duration::from_millis(if replug % 2 == 0 { 300 } else { 1500 }));
        let before = house.stored().len();
        meter.port.lock().unwrap().plug();
        let back = Clock::now();
        log.until("read again", 5, |_| house.stored().len() > before);
        longest = longest.max(back.elapsed());
        if replug == 0 {
            descriptors = log.descriptors().len();
        }
    }
    same("how many descriptors", &descriptors, &log.descriptors().len()).unwrap();
    let said = log.end();
    assert!(said.contains("the probe is unplugged, waiting for it\nthe probe is back after "), "{said}");
    at_most("lines said", said.lines().count(), 3 + 5 * replugs).unwrap();
    assert_eq!(said.matches("first reading").count(), 1);
    let mut stored = house.stored();
    let count = stored.len();
    stored.dedup();
    assert_eq!(stored.len(), count);
    figures(10, replugs, replugs, 0, format_args!("replugs, stored again after {longest:?} at most"));
}

/// As `/dev/serial/by-id` does: the name of the probe stays, and points to whatever number the port was given this time.
#[test]
fn promise_p10_a_name_by_id_is_followed_to_the_port_that_the_probe_has_now() {
    let house = House::new();
    let folder = house.place.path("by-id");
    std::fs::create_dir(&folder).unwrap();
    let name = folder.join("usb-Weidmann_Elektronik_IR-Head_0001-if00-port0");
    let meter = Meter::sending_every(house.place.path("ttyUSB0"), Duration::from_millis(50));
    let link = |target: &str| symlink(house.place.path(target), &name).unwrap();
    link("ttyUSB0");
    let log = Log::start(house.command().args(["--commit", "100ms", "--port"]).arg(&name));
    log.says("first reading", 1, 20);
    for next in ["ttyUSB1", "ttyUSB0", "ttyUSB7"] {
        let mut port = meter.port.lock().unwrap();
        let was = std::fs::canonicalize(&name).unwrap();
        // A stranger takes the pseudo terminal of ours, as another device takes the number.
        let taken = Port::new(house.place.path("stranger"));
        port.unplug();
        std::fs::remove_file(&name).unwrap();
        port.path = house.place.path(next);
        port.plug();
        let is = std::fs::canonicalize(&port.path).unwrap();
        drop(port);
        std::thread::sleep(Duration::from_millis(700));
        let before = house.stored().len();
        link(next);
        let back = Clock::now();
        log.until("read again", 5, |_| house.stored().len() > before);
        println!("{} became {}: stored again after {:?}", was.display(), is.display(), back.elapsed());
        drop(taken);
    }
    let said = log.end();
    assert!(said.contains("the probe is unplugged, waiting for it\nthe probe is back after "), "{said}");
    assert_eq!(said.matches("first reading").count(), 1, "{said}");
    assert!(!said.contains("another meter"), "{said}");
    let stored = house.stored();
    assert!(stored.windows(2).all(|pair| pair[0] < pair[1]), "{stored:?}");
    figures(10, 3, 3, 0, "new numbers of a probe that is named by id");
}

#[test]
fn promise_p10_a_port_that_is_not_there_at_the_start_is_waited_for() {
    let house = House::new();
    let log = house.log(&["--count", "3"]);
    log.says("there is no ./meter, waiting for it", 1, 5);
    let plugged = Clock::now();
    let _meter = house.meter(50);
    let (code, said) = log.ended();
    assert!(plugged.elapsed() < Duration::from_secs(5));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the probe is back after"), "{said}");
    figures(10, 1, 1, 0, "a probe that was not there at the start");
}

#[test]
fn promise_p16_a_second_log_of_a_port_is_refused_and_told_who_has_it() {
    let house = House::new();
    let _meter = house.meter(50);
    let log = house.log(&[]);
    log.says("first reading", 1, 20);
    let since = Clock::now();
    let (code, said) = house.log(&[]).ended();
    assert!(since.elapsed() < Duration::from_secs(3));
    assert_eq!(code, Some(75), "{said}");
    let holder = format!("is in use by releve log (pid {})  [port.busy]", log.child.id());
    assert!(said.contains(&holder), "{said}");
    log.end();
    figures(16, 1, 1, 0, "a second log of a port, refused with the holder");
}

#[test]
fn promise_p11_a_meter_that_falls_silent_is_said_once_costs_little_and_is_read_on() {
    let house = House::new();
    let meter = house.meter(100);
    let log = house.log(&["--commit", "100ms"]);
    log.says("first reading", 1, 20);
    std::thread::sleep(Duration::from_millis(500));
    meter.speak(false);
    let silent = Clock::now();
    std::thread::sleep(Duration::from_secs(1));
    let (ticks, over) = (log.ticks(), Duration::from_secs(long(60, 8)));
    std::thread::sleep(over);
    let per_mille = (log.ticks() - ticks) * 10_000 / u64::try_from(over.as_millis()).unwrap();
    at_most("thousandths of a core", per_mille, IDLE).unwrap();
    log.says("[meter.silent]; trying on", 1, 30);
    let after = silent.elapsed();
    assert!(after > Duration::from_secs(9), "{after:?}");
    let before = house.stored().len();
    meter.speak(true);
    log.until("read on", 5, |_| house.stored().len() > before);
    log.says("readings come again after ", 1, 2);
    let said = log.end();
    assert_eq!(said.lines().count(), 5, "{said}");
    assert_whole(&house.stored());
    figures(
        11,
        1,
        1,
        0,
        format_args!("a silent meter, said after {after:?}, {}.{} % of a core", per_mille / 10, per_mille % 10),
    );
}

#[test]
fn promise_p12_rubbish_costs_no_memory_and_the_telegrams_after_it_are_read() {
    let house = House::new();
    let meter = house.meter(100);
    let log = house.log(&["--commit", "100ms"]);
    log.says("first reading", 1, 20);
    meter.speak(false);
    let mut noise: u64 = 7;
    let mut chunk = vec![0; 65_536];
    let total = long(100, 3) * 1_000_000;
    let mut sent = 0;
    while sent < total {
        for byte in &mut chunk {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Beginnings of telegrams of every kind among it.
            *byte = if noise >> 60 == 0 {
                *b"/\x1b\x7e\x68".get((noise >> 40 & 3) as usize).unwrap()
            } else {
                (noise >> 33) as u8
            };
        }
        assert!(meter.port.lock().unwrap().send(&chunk), "the log has stopped reading");
        sent += chunk.len();
    }
    let before = house.stored().len();
    meter.speak(true);
    log.until("read on", 5, |_| house.stored().len() > before + 2);
    let peak = log.proc("status", "VmHWM");
    at_most("kB resident", peak, RESIDENT).unwrap();
    let said = log.end();
    at_most("bytes said", said.len(), 4000).unwrap();
    figures(12, 1, 1, 0, format_args!("{} MB of rubbish, {} MB resident at most", sent / 1_000_000, peak / 1024));
}

#[test]
fn promise_p12_a_wrong_key_is_said_once_and_never_printed() {
    let house = House::new();
    let telegrams = std::fs::read(fixture("dlms/e450_ciphered.bin")).unwrap();
    let port = Port::new(house.place.path("meter"));
    let key = fixture("dlms/wrong.key");
    let log = house.log(&["--key-file", key.to_str().unwrap()]);
    let since = Clock::now();
    while !log.said().contains("[key.mismatch]") || since.elapsed() < Duration::from_secs(8) {
        assert!(since.elapsed() < Duration::from_secs(30), "{}", log.said());
        port.send(&telegrams);
        std::thread::sleep(Duration::from_millis(200));
    }
    let said = log.end();
    assert_eq!(said.matches("[key.mismatch]").count(), 1, "{said}");
    let digits = std::fs::read_to_string(key).unwrap();
    let digits: String = digits.chars().filter(char::is_ascii_hexdigit).collect();
    assert!(!said.to_lowercase().contains(&digits[digits.len() - 8..].to_lowercase()), "{said}");
    assert!(house.stored().is_empty());
    figures(12, 1, 1, 0, "a wrong key, never printed");
}
