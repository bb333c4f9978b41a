//! Speed, data bits and parity, read back from the other side of the port while the built program signs on.
//!
//! A pseudo terminal of Linux has no 7 data bits and no parity bit, but keeps the marks that go with them: `ISTRIP` for 7
//! data bits, `INPCK` for a parity that is checked, `PARODD`.

use crate::testenv::Place;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{ControlModes, InputModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The meter's end of a serial line.
struct Meter {
    master: OwnedFd,
    /// Keeps the port there before and after the reader.
    port: OwnedFd,
    name: String,
}

impl Meter {
    fn new() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
        let port = rustix::fs::open(&name, flags, rustix::fs::Mode::empty()).unwrap();
        let mut raw = tcgetattr(&port).unwrap();
        raw.make_raw();
        tcsetattr(&port, OptionalActions::Now, &raw).unwrap();
        Self { master, port, name }
    }

    fn settings(&self) -> String {
        describe(&tcgetattr(&self.port).unwrap())
    }

    /// Waits for a message of the reader and notes with which settings it came.
    fn expect(&self, message: &[u8]) -> String {
        let until = Instant::now() + Duration::from_secs(10);
        let mut heard = Vec::new();
        let mut buffer = [0; 256];
        while !heard.ends_with(message) {
            assert!(Instant::now() < until, "waited for {}, got {}", message.escape_ascii(), heard.escape_ascii());
            let mut descriptors = [PollFd::new(&self.master, PollFlags::IN)];
            let nap = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
            if poll(&mut descriptors, Some(&nap)).unwrap() > 0 {
                let count = rustix::io::read(&self.master, &mut buffer).unwrap_or(0);
                heard.extend_from_slice(&buffer[..count]);
            }
        }
        self.settings()
    }

    fn send(&self, bytes: &[u8]) {
        assert_eq!(rustix::io::write(&self.master, bytes).unwrap(), bytes.len());
    }

    /// Waits until the reader has set its port so.
    fn until_set(&self, settings: &str) -> Duration {
        let since = Instant::now();
        while self.settings() != settings {
            assert!(since.elapsed() < Duration::from_secs(3), "it is {}, not {settings}", self.settings());
            std::thread::sleep(Duration::from_millis(1));
        }
        since.elapsed()
    }
}

fn describe(termios: &Termios) -> String {
    let data = if termios.input_modes.contains(InputModes::ISTRIP) { 7 } else { 8 };
    let odd = termios.control_modes.contains(ControlModes::PARODD);
    let parity = match (termios.input_modes.contains(InputModes::INPCK), odd) {
        (false, _) => 'N',
        (true, false) => 'E',
        (true, true) => 'O',
    };
    let stop = if termios.control_modes.contains(ControlModes::CSTOPB) { 2 } else { 1 };
    format!("{},{data}{parity}{stop}", termios.output_speed())
}

/// Plays a meter against `releve read --mode MODE`, and gives what that printed.
fn sign_on(mode: &str, meter: &Meter, play: impl FnOnce()) -> String {
    let before = meter.settings();
    let place = Place::new();
    let mut command = place.command();
    command.args(["read", "--port", &meter.name, "--mode", mode, "--obis", "1.8.0", "-f", "table"]);
    let reader = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    play();
    let output = reader.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(meter.settings(), before, "the port is left as it was found");
    String::from_utf8(output.stdout).unwrap()
}

const DATA: &[u8] = b"\x021.8.0(012345.678*kWh)\r\n!\r\n\x03\x72";

#[test]
fn mode_c_changes_to_the_offered_speed_after_its_last_character_has_left() {
    let meter = Meter::new();
    let printed = sign_on("c", &meter, || {
        assert_eq!(meter.expect(b"/?!\r\n"), "300,7E1");
        meter.send(b"/ISk5MT174-0002\r\n");
        assert_eq!(meter.expect(b"\x06050\r\n"), "300,7E1");
        let late = meter.until_set("9600,7E1");
        assert!(late > Duration::from_millis(150), "six characters take 200 ms at 300 Bd, it changed after {late:?}");
        meter.send(DATA);
    });
    assert_eq!(printed, "12345.678 kWh\n");
}

#[test]
fn mode_b_changes_to_the_speed_that_the_meter_names_without_being_asked() {
    let meter = Meter::new();
    let printed = sign_on("b", &meter, || {
        assert_eq!(meter.expect(b"/?!\r\n"), "300,7E1");
        meter.send(b"/ABCDsomething\r\n");
        meter.until_set("4800,7E1");
        meter.send(DATA);
    });
    assert_eq!(printed, "12345.678 kWh\n");
}

#[test]
fn mode_a_stays_at_300() {
    let meter = Meter::new();
    let printed = sign_on("a", &meter, || {
        assert_eq!(meter.expect(b"/?!\r\n"), "300,7E1");
        meter.send(b"/ABC@something\r\n");
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(meter.settings(), "300,7E1");
        meter.send(DATA);
    });
    assert_eq!(printed, "12345.678 kWh\n");
}
