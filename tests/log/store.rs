//! What may become of the store: locked, its disk full, no store at all.

use crate::long;
use crate::meter::{House, Log, assert_whole, stored};
use crate::testenv::figures;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn lock(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

#[test]
fn promise_p16_a_locked_store_costs_no_telegram_and_is_said_once() {
    let house = House::new();
    let meter = house.meter(100);
    let log = house.log(&["--commit", "500ms"]);
    log.until("stored", 20, |_| !house.stored().is_empty());
    let other = lock(&house.place.path("a.db"));
    log.says("a.db is locked by another program; readings wait in memory", 1, 15);
    std::thread::sleep(Duration::from_secs(long(40, 3)));
    drop(other);
    log.says("the store can be written again after", 1, 10);
    meter.speak(false);
    std::thread::sleep(Duration::from_millis(300));
    let said = log.end();
    assert_eq!(said.matches("is locked").count(), 1, "{said}");
    let stored = house.stored();
    assert_whole(&stored);
    assert_eq!(stored.last(), Some(&meter.last()));
    figures(16, 1, 1, 0, format_args!("a lock of {} s", long(40, 3)));
}

#[test]
fn promise_p14_while_the_store_is_locked_it_ends_as_soon_and_the_next_log_stores_what_waited() {
    let house = House::new();
    let meter = house.meter(100);
    let log = house.log(&["--commit", "500ms"]);
    log.until("stored", 20, |_| !house.stored().is_empty());
    let other = lock(&house.place.path("a.db"));
    std::thread::sleep(Duration::from_secs(2));
    meter.speak(false);
    std::thread::sleep(Duration::from_millis(300));
    let last = meter.last();
    let said = log.end();
    assert!(said.contains("readings are not in a.db yet: the next `releve log` will store them"), "{said}");
    drop(other);
    meter.speak(true);
    let (code, said) = house.log(&["--count", "1"]).ended();
    assert_eq!(code, Some(0), "{said}");
    let stored = house.stored();
    assert!(stored.contains(&last), "{said}");
    assert_whole(&stored[..stored.len() - 1]);
    figures(14, 1, 1, 0, "an end while the store is locked, what waited stored by the next");
}

#[test]
fn promise_p16_a_store_that_is_locked_at_the_start_is_waited_for() {
    let house = House::new();
    drop(releve::store::Store::create(&house.place.path("a.db")).unwrap());
    let other = lock(&house.place.path("a.db"));
    let _meter = house.meter(100);
    let log = house.log(&["--commit", "500ms"]);
    log.says("first reading", 1, 20);
    log.says("is locked by another program", 1, 15);
    drop(other);
    log.until("stored", 10, |_| house.stored().len() > 20);
    log.end();
    assert_whole(&house.stored());
    figures(16, 1, 1, 0, "a store that is locked at the start");
}

/// A small file system of its own, unmounted when this goes.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf, kilobytes: u32) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let size = format!("size={kilobytes}k");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).output();
        if !mounted.is_ok_and(|mounted| mounted.status.success()) {
            println!("skipped: a small file system cannot be mounted here");
            return None;
        }
        Some(Self(at))
    }

    /// Writes until nothing fits.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        while std::io::Write::write(&mut file, &[0; 1024]).is_ok_and(|count| count > 0) {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[test]
fn promise_p13_a_full_disk_costs_no_telegram_and_is_recovered_from_when_there_is_room() {
    let house = House::new();
    let Some(disk) = Disk::mount(house.place.path("disk"), 2048) else { return };
    let meter = house.meter(100);
    let db = disk.0.join("a.db");
    let log = house.log(&["--db", "disk/a.db", "--commit", "500ms"]);
    log.until("stored", 20, |_| !stored(&db, crate::meter::METER).is_empty());
    let filler = disk.fill();
    log.says("disk/a.db: ", 1, 20);
    std::thread::sleep(Duration::from_secs(long(20, 4)));
    std::fs::remove_file(filler).unwrap();
    log.says("the store can be written again after", 1, 10);
    meter.speak(false);
    std::thread::sleep(Duration::from_millis(300));
    let said = log.end();
    assert_eq!(said.matches("readings wait in memory").count(), 1, "{said}");
    let seconds = stored(&db, crate::meter::METER);
    assert_whole(&seconds);
    assert_eq!(seconds.last(), Some(&meter.last()));
    figures(13, 1, 1, 0, format_args!("a disk full for {} s", long(20, 4)));
}

#[test]
fn promise_p14_while_the_disk_is_full_it_ends_as_soon_and_says_what_is_not_stored() {
    let house = House::new();
    let Some(disk) = Disk::mount(house.place.path("disk"), 2048) else { return };
    let _meter = house.meter(100);
    let log = house.log(&["--db", "disk/a.db", "--commit", "500ms"]);
    log.says("first reading", 1, 20);
    let _filler = disk.fill();
    log.says("readings wait in memory", 1, 20);
    let said = log.end();
    assert!(said.contains(" not in disk/a.db yet"), "{said}");
    figures(14, 1, 1, 0, "an end while the disk is full");
}

/// A log of 60 telegrams whose calls fail as strace is told; how many failed, its exit status, what it said and the seconds stored.
fn failing(fault: &str) -> (usize, Option<i32>, String, Vec<i64>) {
    let house = House::new();
    let _meter = house.meter(50);
    let mut command = Command::new("strace");
    // What is not traced is not injected either.
    let (only, inject) = (format!("trace={}", fault.split(':').next().unwrap()), format!("inject={fault}"));
    command.args(["-f", "-qq", "-o", "trace", "-e", &only, "-e", &inject]);
    let log = house.command();
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.arg(log.get_program()).args(log.get_args()).current_dir(log.get_current_dir().unwrap());
    command.envs(log.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // The tail is written by the same calls, in another thread: it may fail as well.
    command.args(["--port", "./meter", "--commit", "100ms", "--count", "60"]);
    let (code, said) = Log::start(&mut command).ended();
    let failed = std::fs::read_to_string(house.place.path("trace")).unwrap().matches("(INJECTED)").count();
    assert!(failed > 0, "{fault}: nothing failed");
    (failed, code, said, house.stored())
}

#[test]
fn promise_p13_writes_and_syncs_that_fail_cost_no_telegram() {
    if !Command::new("strace").arg("-V").output().is_ok_and(|version| version.status.success()) {
        println!("skipped: strace is not installed");
        return;
    }
    let mut all = 0;
    for fault in ["fsync:error=EIO:when=3..6", "pwrite64:error=ENOSPC:when=40..60", "pwrite64:error=EIO:when=30..72+7"]
    {
        let (failed, code, said, seconds) = failing(fault);
        assert_eq!(code, Some(0), "{fault}: {said}");
        assert_whole(&seconds);
        assert_eq!(seconds.len(), 60, "{fault}: {said}");
        all += failed;
    }
    figures(13, all, all, 0, "failing writes and syncs of three kinds");
    // Where it never gets better, what is lost is said, and the status is no good one.
    let (failed, code, said, seconds) = failing("pwrite64:error=EIO:when=30+2");
    assert_eq!(code, Some(74), "{said}");
    assert!(said.contains("could not be stored in a.db and are lost") && seconds.len() < 60, "{said}");
    println!("{failed} writes that failed to the end: {}", said.lines().rev().nth(1).unwrap_or_default());
}

#[test]
fn promise_p20_a_file_that_is_no_store_is_refused_and_left_alone() {
    let house = House::new();
    let _meter = house.meter(100);
    let text = "these are notes, longer than a page header so that SQLite reads them as one\n".repeat(9);
    house.place.write("a.db", &text);
    let (code, said) = house.log(&[]).ended();
    assert_eq!(code, Some(65), "{said}");
    assert!(said.contains("[store.format]"), "{said}");
    assert_eq!(std::fs::read_to_string(house.place.path("a.db")).unwrap(), text);
    figures(20, 1, 1, 0, "a text file given as store, left alone");
}

#[test]
fn promise_p16_two_logs_of_two_ports_share_a_store() {
    let house = House::new();
    let one = crate::meter::Meter::sending_every(house.place.path("one"), Duration::from_millis(20));
    let two = crate::meter::Meter::sending_every(house.place.path("two"), Duration::from_millis(20));
    let start = |port: &str, name: &str| {
        Log::start(house.command().args(["--port", port, "--meter", name, "--commit", "50ms"]))
    };
    let (first, second) = (start("./one", "ONE"), start("./two", "TWO"));
    std::thread::sleep(Duration::from_secs(5));
    one.speak(false);
    two.speak(false);
    std::thread::sleep(Duration::from_millis(300));
    first.end();
    second.end();
    for (name, meter) in [("ONE", &one), ("TWO", &two)] {
        let seconds = stored(&house.place.path("a.db"), name);
        assert_whole(&seconds);
        assert!(seconds.len() > 50, "{}", seconds.len());
        assert_eq!(seconds.last(), Some(&meter.last()));
    }
    assert_eq!(house.tails(), 0);
    figures(16, 1, 1, 0, "two logs of one store");
}
