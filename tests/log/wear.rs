//! What a long run costs: bytes written to the disk, memory, descriptors, threads.

use crate::long;
use crate::meter::House;
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

/// Days of a telegram a second, as fast as they can be sent.
#[test]
fn memory_descriptors_and_threads_stay_level_in_a_long_run() {
    let house = House::new();
    let meter = house.meter(0);
    let log = house.log(&["--commit", "1s"]);
    let total = long(864_000, 6000);
    let began = std::time::Instant::now();
    let state = || (log.proc("status", "VmRSS"), log.descriptors(), log.proc("status", "Threads"));
    let sent = |log: &crate::meter::Log, count: usize| {
        log.until("so far", 3600, |_| meter.sent().len() >= count);
    };
    sent(&log, total / 3);
    let (before, descriptors, threads) = state();
    sent(&log, total);
    let (after, descriptors_after, threads_after) = state();
    meter.speak(false);
    std::thread::sleep(Duration::from_secs(1));
    log.end();
    let stored = house.stored();
    let rate = stored.len() as f64 / began.elapsed().as_secs_f64();
    println!("{} telegrams, {rate:.0} a second: {before} kB after a third, {after} kB at the end", stored.len());
    assert_eq!((descriptors_after, threads_after), (descriptors, threads));
    assert!(after < before * 11 / 10 + 2048, "{before} kB, then {after} kB");
    crate::meter::assert_whole(&stored);
    assert_eq!(stored.last(), Some(&meter.last()));
    let wal = std::fs::metadata(house.place.path("a.db-wal")).map_or(0, |wal| wal.len());
    assert!(wal < 64 << 20, "{wal}");
}
