//! What a long run costs: bytes written to the disk, memory, descriptors, threads.

use crate::long;
use crate::meter::{House, METER, Meter, first_of_yesterday};
use crate::testenv::check::{at_most, level, same};
use crate::testenv::{control, figures};
use releve::reading::{Instant, MeterId, Register};
use releve::store::{Store, StoreError};
use std::time::Duration;

/// What a day may write at a telegram a second, and at one a minute.
const SECONDLY: u64 = 150_000_000;
const MINUTELY: u64 = 12_000_000;

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
fn promise_p03_a_telegram_a_second_wears_the_card_by_no_more_than_promised() {
    let Some(each) = written(100, &["--commit", "1s"]) else { return };
    at_most("bytes a day at a telegram a second", each * 86_400, SECONDLY).unwrap();
    figures(3, 0, 0, 0, format_args!("{each} bytes a reading, {} MB a day of 86400", each * 86_400 / 1_000_000));
}

/// A commit each, as with `--interval 60`, at sixty times the speed.
#[test]
fn promise_p03_a_reading_a_minute_wears_the_card_by_no_more_than_promised() {
    let Some(each) = written(500, &["--interval", "1s", "--commit", "1s"]) else { return };
    at_most("bytes a day at a reading a minute", each * 1440, MINUTELY).unwrap();
    figures(3, 0, 0, 0, format_args!("{each} bytes a reading, {} kB a day of 1440", each * 1440 / 1000));
}

/// What a row of twenty columns costs with a commit each, and rows of single values: measured for the design.
#[test]
fn promise_p03_control_a_commit_each_and_a_row_for_each_value_are_found_out() {
    let cases = [
        ("a commit each second", at_most("bytes a day", 7_599 * 86_400, SECONDLY)),
        ("a row for each value", at_most("bytes a day", 16_809 * 1440, MINUTELY)),
    ];
    control(3, cases);
}

/// Ten days of a telegram a second, as fast as they can be sent. A meter's clock that is off by a day is not believed, so after two
/// days the time of receipt counts, and which telegrams are there is told by their counter.
#[test]
fn promise_p15_memory_descriptors_and_threads_stay_level_in_a_long_run() {
    let house = House::new();
    let meter = Meter::sending_from(first_of_yesterday(), house.place.path("meter"), Duration::ZERO);
    let log = house.log(&["--commit", "1s"]);
    let total = long(864_000, 18_000);
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
    let (after, mut descriptors_after, mut threads_after) = state();
    meter.speak(false);
    for _ in 0..40 {
        // What is open for a moment only is no leak.
        if (&descriptors, &threads) == (&descriptors_after, &threads_after) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
        (_, descriptors_after, threads_after) = state();
    }
    std::thread::sleep(Duration::from_secs(1));
    let took = began.elapsed().as_secs_f64();
    let said = log.end();
    let stored = counters(&house);
    let seen = format!(
        "{} telegrams, {:.0} a second: {before} kB after a third, {between} kB after two, {after} kB at the end; \
         {} descriptors, {threads_after} threads; -wal {largest} bytes at most; the store {} bytes",
        stored.len(),
        stored.len() as f64 / took,
        descriptors_after.len(),
        std::fs::metadata(house.place.path("a.db")).unwrap().len(),
    );
    same("what descriptors and threads there are", &(descriptors, threads), &(descriptors_after, threads_after))
        .unwrap();
    // SQLite keeps pages of the growing file up to two megabytes.
    level("kB of memory", before, after, 4096).unwrap();
    crate::meter::assert_whole(&stored);
    assert!(stored.len() >= total && stored.last() == Some(&meter.last()), "{} {said}", stored.len());
    at_most("bytes of -wal", largest, 64 << 20).unwrap();
    house.place.run(["db", "check", "-q", "--db", "a.db"]).clean();
    figures(15, 0, 0, total.saturating_sub(stored.len()), seen);
}

/// A program that leaks, one that leaves descriptors open, one that never empties its log.
#[test]
fn promise_p15_control_what_grows_is_found_out() {
    let mut open = Vec::new();
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = count();
    open.extend((0..60).map(|_| std::fs::File::open("/dev/null").unwrap()));
    let left_open = same("how many descriptors", &before, &count());
    control(
        15,
        [
            ("descriptors left open", left_open),
            ("a fifth more memory", level("kB of memory", 63_000, 75_600, 4096)),
            ("a log of 65 MiB", at_most("bytes of -wal", 65 << 20, 64 << 20).map(drop)),
        ],
    );
}

/// The seconds that the counters of all readings stand for, in their order.
pub(crate) fn counters(house: &House) -> Vec<i64> {
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
