//! Ctrl-C at any moment: the program is gone within a second, by the signal, and has taken leave of the meter.

use crate::side_by_side;
use crate::testenv::Place;
use crate::testenv::simulator::Simulator;
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Starts a command at the meter's port, stops it after a while; gives what the meter saw.
fn stopped(meter: &[&str], command: &[&str], after: Duration) -> String {
    let simulator = Simulator::start(&[meter, &["--pty", "-vv"]].concat());
    let place = Place::new();
    let mut reader = place
        .command()
        .args(command)
        .args(["--port", &simulator.address])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(after);
    assert!(reader.try_wait().unwrap().is_none(), "{command:?} was over before {after:?}");
    let signalled = Instant::now();
    kill_process(Pid::from_child(&reader), Signal::INT).unwrap();
    let status = reader.wait().unwrap();
    let took = signalled.elapsed();
    assert!(took < Duration::from_secs(1), "{meter:?} {command:?} after {after:?}: it took {took:?}");
    assert_eq!(status.signal(), Some(Signal::INT.as_raw()), "{meter:?} {command:?} after {after:?}: {status}");
    // The port is free at once.
    let free = place.run(["ports", "--name-only"]);
    assert_eq!(free.exit, 0);
    simulator.end()
}

#[test]
fn an_interrupt_at_any_step_of_recognition_ends_it_within_a_second() {
    let moments: Vec<u64> = vec![100, 1000, 2600, 2800, 3100, 4000, 5000];
    side_by_side(&moments, |&after| {
        stopped(&["mode-a"], &["read"], Duration::from_millis(after));
    });
    side_by_side(&[200_u64, 2700, 5500, 9000, 11_000], |&after| {
        stopped(&["mode-c", "--fault", "silence"], &["doctor"], Duration::from_millis(after));
    });
}

#[test]
fn an_interrupt_in_programming_mode_says_goodbye_to_the_meter() {
    let saw =
        stopped(&["mode-c"], &["read", "--profile", "--mode", "c", "--since", "30d"], Duration::from_millis(2200));
    let goodbye = saw.contains("B0") || saw.to_uppercase().contains("01 42 30 03");
    assert!(goodbye, "{saw}");
}

#[test]
fn an_interrupt_in_a_dlms_session_closes_the_connection() {
    let saw = stopped(&["dlms"], &["read", "--mode", "hdlc"], Duration::from_millis(1500));
    assert!(saw.contains("> 7e a0 07 03 21 53"), "no DISC: {saw}");
}
