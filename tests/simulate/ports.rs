//! The built program at real pseudo terminals and TCP ports, read as any reader would.

use crate::testenv::Place;
use crate::testenv::simulator::{PATIENCE, Simulator};
use crate::{START, decode, digits, time};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::termios::{ControlModes, InputModes, OptionalActions, tcgetattr, tcsetattr};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A serial port as a reader opens it.
struct Port(OwnedFd);

fn open_port(simulator: &Simulator, line: &str) -> Port {
    Port::open(&simulator.address, line)
}

fn connect(simulator: &Simulator) -> TcpStream {
    let stream = TcpStream::connect(simulator.address.strip_prefix("tcp://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

impl Port {
    fn open(path: &str, line: &str) -> Self {
        let until = Instant::now() + PATIENCE;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK;
        let port = loop {
            match rustix::fs::open(path, flags, Mode::empty()) {
                Ok(port) => break port,
                Err(error) => assert!(Instant::now() < until, "{path}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let port = Self(port);
        port.set(line);
        port
    }

    /// Sets a line like `9600,7E1`, with the modes that a pseudo terminal keeps.
    fn set(&self, line: &str) {
        let line: releve::wire::Line = line.parse().unwrap();
        let mut settings = tcgetattr(&self.0).unwrap();
        settings.make_raw();
        settings.set_speed(line.baud).unwrap();
        settings.input_modes.set(InputModes::ISTRIP, line.data == 7);
        settings.input_modes.set(InputModes::INPCK, line.parity != releve::wire::Parity::None);
        settings.control_modes.set(ControlModes::PARODD, line.parity == releve::wire::Parity::Odd);
        tcsetattr(&self.0, OptionalActions::Now, &settings).unwrap();
    }

    fn write(&self, bytes: &[u8]) {
        assert_eq!(rustix::io::write(&self.0, bytes).unwrap(), bytes.len());
    }

    /// What comes within a time; stops at once when the port is gone.
    fn read_for(&self, time: Duration) -> Vec<u8> {
        self.read_until(time, |_| false)
    }

    fn read_until(&self, time: Duration, is_enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let until = Instant::now() + time;
        let mut all = Vec::new();
        while !is_enough(&all) && Instant::now() < until {
            let mut descriptors = [PollFd::new(&self.0, PollFlags::IN)];
            let wait = Timespec::try_from(Duration::from_millis(10)).unwrap();
            poll(&mut descriptors, Some(&wait)).unwrap();
            let mut buffer = [0; 4096];
            match rustix::io::read(&self.0, &mut buffer) {
                Ok(0) | Err(rustix::io::Errno::IO) => break,
                Ok(count) => all.extend_from_slice(&buffer[..count]),
                Err(_) => {}
            }
        }
        all
    }

    /// What comes up to and with this.
    fn expect(&self, end: &[u8]) -> Vec<u8> {
        let has_it = |bytes: &[u8]| bytes.windows(end.len()).any(|window| window == end);
        let bytes = self.read_until(PATIENCE, has_it);
        assert!(has_it(&bytes), "no {end:02x?} in {bytes:02x?}");
        bytes
    }

    fn telegram(&self) -> Vec<u8> {
        self.read_until(PATIENCE, |bytes| !decode(bytes).0.is_empty())
    }
}

fn says_nothing(port: &Port, time: Duration) {
    assert_eq!(port.read_for(time), b"");
}

const MOMENT: Duration = Duration::from_millis(400);

#[test]
fn a_push_is_read_from_a_pseudo_terminal_at_its_speed_and_at_no_other() {
    for (name, line) in [("p1", "115200,8N1"), ("p1-v2", "9600,7E1"), ("sml", "9600,8N1"), ("mode-d", "2400,7E1")] {
        let simulator = Simulator::start(&[name, "--pty", "--speed", "10"]);
        let port = open_port(&simulator, line);
        assert_eq!(decode(&port.telegram()).0.len(), 1, "{name}");
        port.set("4800,8N1");
        port.read_for(MOMENT);
        let garbage = port.read_for(Duration::from_secs(1));
        assert!(!garbage.is_empty() && decode(&garbage).0.is_empty(), "{name}: {garbage:02x?}");
        port.set(line);
        assert_eq!(decode(&port.telegram()).0.len(), 1, "{name}");
        assert_eq!(simulator.end(), "");
    }
}

#[test]
fn e450_needs_its_parity_only_where_it_is_checked() {
    let simulator = Simulator::start(&["e450", "--pty", "--speed", "20"]);
    let port = open_port(&simulator, "2400,8E1");
    assert_eq!(decode(&port.telegram()).0.len(), 1);
    port.set("2400,8O1");
    port.read_for(MOMENT);
    let odd = port.read_for(Duration::from_secs(1));
    assert!(odd.len() > 100 && odd.iter().all(|&byte| byte == 0), "{odd:02x?}");
}

/// A readout of mode C; the gap between request and answers is the meter's.
fn mode_c(port: &Port, select: &[u8], line: &str) -> Vec<u8> {
    port.write(b"/?!\r\n");
    let mut all = port.expect(b"\r\n");
    assert_eq!(all, b"/LGZ5ZMF110AC.S01\r\n");
    port.write(select);
    // Six characters at 300 Bd take 200 ms.
    std::thread::sleep(Duration::from_millis(230));
    port.set(line);
    all.extend(port.read_until(PATIENCE, |bytes| bytes.iter().rev().nth(1) == Some(&3)));
    all
}

#[test]
fn mode_c_is_read_with_a_real_change_of_speed_however_fast_the_household_lives() {
    let simulator = Simulator::start(&["mode-c", "--pty", "--speed", "3600", "--start", START]);
    let port = open_port(&simulator, "300,7E1");
    let mut hours = Vec::new();
    for _ in 0..2 {
        port.set("300,7E1");
        let (readings, faults) = decode(&mode_c(&port, b"\x06050\r\n", "9600,7E1"));
        assert_eq!((readings.len(), faults.len()), (1, 0));
        hours.push((time(&readings[0]).unix_seconds() - 1_762_525_800) / 3_600);
        // It may be asked to repeat the readout for two seconds.
        std::thread::sleep(Duration::from_millis(2_200));
    }
    assert!((1..6).contains(&hours[0]) && (4..12).contains(&(hours[1] - hours[0])), "{hours:?}");
}

#[test]
fn a_reader_that_changes_its_speed_too_soon_spoils_its_own_message() {
    let simulator = Simulator::start(&["mode-c", "--pty"]);
    let port = open_port(&simulator, "300,7E1");
    port.write(b"/?!\r\n");
    port.expect(b"\r\n");
    port.write(b"\x06050\r\n");
    port.set("9600,7E1");
    says_nothing(&port, Duration::from_millis(1_000));
    port.set("300,7E1");
    // Not having understood, the meter sends the readout at the opening speed.
    port.expect(b"\x02F.F(00000000)\r\n");
}

#[test]
fn a_reader_with_the_wrong_format_is_not_understood() {
    let simulator = Simulator::start(&["mode-c", "--pty"]);
    let port = open_port(&simulator, "300,8N1");
    port.write(b"/?!\r\n");
    says_nothing(&port, Duration::from_millis(1_000));
    port.set("9600,7E1");
    port.write(b"/?!\r\n");
    says_nothing(&port, Duration::from_millis(1_000));
    port.set("300,7E1");
    port.write(b"/?!\r\n");
    assert_eq!(port.expect(b"\n"), b"/LGZ5ZMF110AC.S01\r\n");
}

#[test]
fn the_format_can_be_left_out_of_it() {
    let simulator = Simulator::start(&["mode-b", "--pty", "--any-format"]);
    let port = open_port(&simulator, "300,8N1");
    port.write(b"/?!\r\n");
    let mut all = port.expect(b"\n");
    port.set("9600,8N1");
    all.extend(port.expect(b"!\r\n\x03"));
    all.extend(port.read_for(MOMENT));
    let (readings, _) = decode(&all);
    assert_eq!(readings.len(), 1, "{}", String::from_utf8_lossy(&all));
}

#[test]
fn the_head_may_echo_and_the_meter_be_missing() {
    let simulator = Simulator::start(&["mode-c", "--pty", "--fault", "echo"]);
    let port = open_port(&simulator, "300,7E1");
    port.write(b"/?!\r\n");
    assert_eq!(port.expect(b".S01\r\n"), b"/?!\r\n/LGZ5ZMF110AC.S01\r\n");
    let simulator = Simulator::start(&["mode-c", "--pty", "--fault", "echo-only"]);
    let port = open_port(&simulator, "300,7E1");
    port.write(b"/?!\r\n");
    assert_eq!(port.read_for(Duration::from_secs(1)), b"/?!\r\n");
}

#[test]
fn a_meter_may_only_identify_itself() {
    let simulator = Simulator::start(&["mode-a", "--pty", "--fault", "ident-only"]);
    let port = open_port(&simulator, "300,7E1");
    port.write(b"/?!\r\n");
    assert_eq!(port.read_for(Duration::from_secs(2)), b"/ISk@MT171-0001\r\n");
}

#[test]
fn a_modem_is_no_meter() {
    let simulator = Simulator::start(&["modem", "--pty"]);
    for line in ["115200,8N1", "9600,8N1", "300,7E1"] {
        let port = open_port(&simulator, line);
        // The one before may still be leaving.
        std::thread::sleep(Duration::from_millis(200));
        port.write(b"AT\r");
        assert_eq!(port.expect(b"OK\r\n"), b"AT\r\r\nOK\r\n", "{line}");
    }
}

#[test]
fn nobody_hears_what_was_said_before_he_came() {
    let simulator = Simulator::start(&["p1", "--pty", "--speed", "60", "--start", START]);
    std::thread::sleep(Duration::from_secs(1));
    let first = |port: &Port| decode(&port.telegram()).0[0].clock.unwrap().civil.to_string();
    let told = first(&open_port(&simulator, "115200,8N1"));
    assert!(told.as_str() > "2025-11-07T15:30:40", "{told}");
    // Nor what another left unread.
    let lazy = open_port(&simulator, "115200,8N1");
    std::thread::sleep(Duration::from_secs(1));
    drop(lazy);
    std::thread::sleep(Duration::from_millis(100));
    let later = first(&open_port(&simulator, "115200,8N1"));
    assert!(later.as_str() > "2025-11-07T15:31:50", "{later} after {told}");
}

#[test]
fn a_reader_that_does_not_read_holds_nobody_up() {
    let simulator = Simulator::start(&["p1", "--pty", "--speed", "600", "--count", "1200"]);
    let port = open_port(&simulator, "115200,8N1");
    let mut simulator = simulator;
    let said = simulator.ended();
    assert!(said.contains("bytes were dropped"), "{said}");
    drop(port);
}

#[test]
fn as_fast_as_it_is_read_means_that_nothing_is_lost() {
    let simulator = Simulator::start(&["p1", "--pty", "--speed", "max", "--count", "300", "--start", START]);
    let port = open_port(&simulator, "115200,8N1");
    std::thread::sleep(MOMENT);
    let bytes = port.read_until(PATIENCE, |bytes| decode(bytes).0.len() == 300);
    assert_eq!(decode(&bytes).0.len(), 300);
}

#[test]
fn the_link_goes_with_the_program_and_nothing_else_is_overwritten() {
    let place = Place::new();
    let link = place.path("meter");
    let simulator = Simulator::start_in(place, &["p1", "--link", "meter"]);
    assert_eq!(simulator.address, "meter");
    assert!(fs::read_link(&link).unwrap().starts_with("/dev/pts"));
    assert_eq!(decode(&Port::open(link.to_str().unwrap(), "115200,8N1").telegram()).0.len(), 1);
    simulator.end();
    assert!(!link.is_symlink());

    let place = Place::new();
    place.write("kept", "mine");
    let run = place.run(["simulate", "p1", "--link", "kept"]);
    assert_eq!((run.exit, run.stdout.as_str()), (74, ""));
    assert!(run.stderr.contains("[simulate.pty]"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(place.path("kept")).unwrap(), "mine");
}

#[test]
fn an_unplugged_port_vanishes_and_comes_back() {
    let place = Place::new();
    let link = place.path("meter");
    let arguments = ["p1", "--link", "meter", "--speed", "10", "--fault", "unplug@10s:10"];
    let simulator = Simulator::start_in(place, &arguments);
    let port = Port::open(link.to_str().unwrap(), "115200,8N1");
    let before = port.read_until(PATIENCE, |_| !Path::new(&link).is_symlink());
    assert!((8..=11).contains(&decode(&before).0.len()), "{}", decode(&before).0.len());
    assert_eq!(port.read_for(PATIENCE), b"", "the end of the port, at once");
    let port = Port::open(link.to_str().unwrap(), "115200,8N1");
    assert_eq!(decode(&port.telegram()).0.len(), 1);
    drop(simulator);
}

#[test]
fn every_reader_of_a_bridge_hears_the_push() {
    let simulator = Simulator::start(&["sml", "--listen", "127.0.0.1:0", "--speed", "10"]);
    let mut readers = [connect(&simulator), connect(&simulator), connect(&simulator)];
    for reader in &mut readers {
        let mut bytes = vec![0; 2_000];
        reader.read_exact(&mut bytes).unwrap();
        assert!(decode(&bytes).0.len() >= 3);
    }
    let [first, _second, mut third] = readers;
    drop(first);
    let mut bytes = vec![0; 2_000];
    third.read_exact(&mut bytes).unwrap();
    assert!(decode(&bytes).0.len() >= 3);
    assert_eq!(simulator.end(), "");
}

#[test]
fn mode_c_is_read_through_a_bridge() {
    let simulator = Simulator::start(&["mode-c", "--listen", "127.0.0.1:0"]);
    let mut reader = BufReader::new(connect(&simulator));
    reader.get_mut().write_all(b"/?!\r\n").unwrap();
    let mut all = Vec::new();
    reader.read_until(b'\n', &mut all).unwrap();
    reader.get_mut().write_all(b"\x06050\r\n").unwrap();
    reader.read_until(3, &mut all).unwrap();
    let mut check = [0];
    reader.read_exact(&mut check).unwrap();
    all.extend(check);
    assert_eq!(decode(&all).0.len(), 1);
}

#[test]
fn a_bridge_with_settings_of_its_own_garbles_what_does_not_fit() {
    let simulator = Simulator::start(&["p1", "--listen", "127.0.0.1:0", "--bridge", "9600,8N1", "--speed", "10"]);
    let mut bytes = vec![0; 100];
    connect(&simulator).read_exact(&mut bytes).unwrap();
    assert!(!bytes.windows(4).any(|window| window == b"1-0:"));
}

#[test]
fn a_port_that_is_taken_is_said_to_be() {
    let simulator = Simulator::start(&["p1", "--listen", "127.0.0.1:0"]);
    let run = Place::new().run(["simulate", "p1", "--listen", simulator.address.strip_prefix("tcp://").unwrap()]);
    assert_eq!(run.exit, 75, "{}", run.stderr);
    assert!(run.stderr.contains("[simulate.listen]"), "{}", run.stderr);
}

#[test]
fn the_totals_are_those_of_the_last_telegram() {
    let simulator =
        Simulator::start(&["e450", "--pty", "--start", START, "--speed", "100", "--count", "4", "--totals", "t"]);
    let port = open_port(&simulator, "2400,8E1");
    let mut simulator = simulator;
    let bytes = port.read_for(PATIENCE);
    simulator.ended();
    let totals: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(simulator.place.path("t")).unwrap()).unwrap();
    let (readings, _) = decode(&bytes);
    assert_eq!((totals["telegrammes"].as_u64(), totals["octets_perdus"].as_u64()), (Some(4), Some(0)));
    assert_eq!(totals["fin"], "2025-11-07T14:30:15Z");
    let last = readings.last().unwrap();
    let wh = |text: &serde_json::Value| text.as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    assert_eq!(wh(&totals["energie_active_import"]), digits(last, "1-1:1.8.0").unwrap());
    assert_eq!(wh(&totals["energie_active_export"]), digits(last, "1-1:2.8.0").unwrap());
    let sums = totals["watt_secondes"]["import"].as_array().unwrap();
    let sum: i64 = sums.iter().map(|sum| sum.as_i64().unwrap()).sum();
    assert_eq!(sum / 3600, digits(last, "1-1:1.8.0").unwrap());
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let place = Place::new();
    let mut child = place
        .command()
        .args(["simulate", "p1", "--count", "1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut some = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let place = Place::new();
    for (arguments, id) in [
        (&["p2"][..], "simulate.meter"),
        (&["p1", "--fault", "no-pin"], "simulate.fault"),
        (&["mode-c", "-o", "x"], "simulate.asked"),
        (&["mode-c", "--pty", "--speed", "max"], "simulate.asked"),
        (&["p1", "--write-keys", "k"], "simulate.keys"),
        (&["p1", "--start", "soon"], "time.unknown"),
    ] {
        let run = place.run([&["simulate"], arguments].concat());
        assert_eq!((run.exit, run.stdout.as_str()), (2, ""), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(&format!("[{id}]")) && run.stderr.contains("\n  tip: "), "{}", run.stderr);
    }
    for arguments in [
        &["p1", "--fault", "nose"][..],
        &["p1", "--fault", "cut:0"],
        &["p1", "--speed", "0"],
        &["p1", "--duration", "soon"],
        &["p1", "--pty", "--listen", "127.0.0.1:0"],
        &["p1", "--bridge", "9600,8N1"],
    ] {
        let run = place.run([&["simulate"], arguments].concat());
        assert_eq!((run.exit, run.stdout.as_str()), (2, ""), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn keys_are_written_once_and_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let run = |file| place.run(["simulate", "e450-ciphered", "--write-keys", file, "--count", "1", "-o", "push.bin"]);
    run("new.key").clean();
    run("new.key").clean();
    assert_eq!(fs::metadata(place.path("new.key")).unwrap().permissions().mode() & 0o777, 0o600);
    let read = place.run(["read", "push.bin", "--key-file", "new.key", "-f", "ndjson"]).json();
    assert_eq!(read["qualite"], "good");
    place.write("mine.key", "encryption = \"ffffffffffffffffffffffffffffffff\"\n");
    let refused = run("mine.key");
    assert_eq!(refused.exit, 74, "{}", refused.stderr);
    assert!(fs::read_to_string(place.path("mine.key")).unwrap().contains("ffff"));
}

#[test]
fn without_a_meter_they_are_listed() {
    let place = Place::new();
    let list = place.run(["simulate"]).clean();
    assert_eq!(list, place.run(["simulate", "p1", "--list"]).clean());
    for row in releve::simulate::catalogue::TABLE {
        assert_eq!(list.lines().filter(|line| line.trim_start().starts_with(&format!("{} ", row.name))).count(), 1);
    }
    assert!(list.lines().all(|line| line.chars().count() <= 100), "{list}");
}

#[test]
fn the_exchange_can_be_watched() {
    let simulator = Simulator::start(&["mode-c", "--pty", "-v"]);
    let port = open_port(&simulator, "300,7E1");
    port.write(b"/?!\r\n");
    port.expect(b"\n");
    let said = simulator.end();
    assert!(said.contains("\n> /?!\\r\\n\n"), "{said}");
    assert!(said.contains("300,7E1 < /LGZ5ZMF110AC.S01\\r\\n"), "{said}");
}
