//! What a long run costs: bytes written to the disk, memory, descriptors, threads.

use crate::long;
use crate::meter::{House, METER, Meter, first_of_yesterday};
use releve::reading::{Instant, MeterId, Register};
use releve::store::{Store, StoreError};
use std::time::Duration;

/// Bytes that reach the disk for each reading of a log with a telegram each `period_ms`; `None` where there is no disk.
fn written(period_ms: u64, arguments: &[&str]) -> Option<u64> {
    let house = House::new();
    let _meter = house.meter(period_ms);
    let log = house.log(arguments);
    log.until("stored", 20, |_| house.stored().len() > 10);
    let (written, stored) = (log.proc("io", "write_bytes"), house.stored().len());
    std::thread::sleep(Duration::from_secs(long(120, 10)));
    let (written, stored) = (log.proc("io", "write_bytes") - written, house.stored().len() - stored);
    log.end();
    if written == 0 {
        println!("skipped: nothing is written to a disk here (the folder is in memory)");
        return None;
    }
    Some(written / u64::try_from(stored).unwrap())
}

/// Ten readings a commit, as with the default window and a meter that sends once a second, at ten times the speed.
#[test]
fn a_telegram_a_second_wears_the_card_by_no_more_than_promised() {
    let Some(each) = written(100, &["--commit", "1s"]) else { return };
    println!("{each} bytes a reading, {} MB a day of 86400 readings", each * 86_400 / 1_000_000);
    assert!(each * 86_400 <= 150_000_000, "{each} bytes a reading");
}

/// A commit each, as with `--interval 60`, at sixty times the speed.
#[test]
fn a_reading_a_minute_wears_the_card_by_no_more_than_promised() {
    let Some(each) = written(500, &["--interval", "1s", "--commit", "1s"]) else { return };
    println!("{each} bytes a reading, {} kB a day of 1440 readings", each * 1440 / 1000);
    assert!(each * 1440 <= 12_000_000, "{each} bytes a reading");
}

/// Ten days of a telegram a second, as fast as they can be sent. A meter's clock that is off by a day is not believed, so after two
/// days the time of receipt counts, and which telegrams are there is told by their counter.
#[test]
fn memory_descriptors_and_threads_stay_level_in_a_long_run() {
    let house = House::new();
    let meter = Meter::sending_from(first_of_yesterday(), house.place.path("meter"), Duration::ZERO);
    let log = house.log(&["--commit", "1s"]);
    let total = long(864_000, 6000);
    let began = std::time::Instant::now();
    let state = || (log.proc("status", "VmRSS"), log.descriptors(), log.proc("status", "Threads"));
    let wal = || std::fs::metadata(house.place.path("a.db-wal")).map_or(0, |wal| wal.len());
    let mut largest = 0;
    let mut reach = |count: usize| {
        log.until("so far", 7200, |_| {
            largest = largest.max(wal());
            meter.count() >= count
        });
    };
    reach(total / 3);
    let (before, descriptors, threads) = state();
    reach(total * 2 / 3);
    let (between, ..) = state();
    reach(total);
    let (after, descriptors_after, threads_after) = state();
    meter.speak(false);
    std::thread::sleep(Duration::from_secs(1));
    let took = began.elapsed().as_secs_f64();
    let said = log.end();
    let stored = counters(&house);
    println!(
        "{} telegrams, {:.0} a second: {before} kB after a third, {between} kB after two, {after} kB at the end; \
         {descriptors_after} descriptors, {threads_after} threads; -wal {largest} bytes at most; the store {} bytes",
        stored.len(),
        stored.len() as f64 / took,
        std::fs::metadata(house.place.path("a.db")).unwrap().len(),
    );
    assert_eq!((descriptors_after, threads_after), (descriptors, threads));
    assert!(after < before * 11 / 10 + 2048, "{before} kB, then {after} kB");
    crate::meter::assert_whole(&stored);
    assert!(stored.len() >= total && stored.last() == Some(&meter.last()), "{} {said}", stored.len());
    assert!(largest < 64 << 20, "{largest}");
    house.place.run(["db", "check", "-q", "--db", "a.db"]).clean();
}

/// The seconds that the counters of all readings stand for, in their order.
fn counters(house: &House) -> Vec<i64> {
    let store = Store::open(&house.place.path("a.db")).unwrap();
    let mut found = Vec::new();
    let ever = Instant::from_unix(0)..Instant::from_unix(1 << 40);
    let done = store.readings(&MeterId::new(METER).unwrap(), ever, |kept| {
        let second = kept.reading.registers.iter().find_map(second_of);
        found.push(second.unwrap());
        Ok::<_, StoreError>(())
    });
    done.unwrap();
    // Of one instant of receipt there may be several.
    found.sort_unstable();
    found
}

/// The counter that stands for the second, below 10^9.
fn second_of(register: &Register) -> Option<i64> {
    let is_counter = register.code.key() == "1-0:1.8.1";
    let number = register.as_number().filter(|_| is_counter)?;
    Some(number.mantissa() + Instant::now().unix_seconds() / 1_000_000_000 * 1_000_000_000)
}
