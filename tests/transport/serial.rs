//! Serial ports, on ptys.

use crate::pty::Pty;
use releve::transport::{Access, Address, Link, LinkError, Membership, open};
use releve::wire::Line;
use rustix::termios::InputModes;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(20);

fn port(path: &Path) -> Result<Box<dyn Link>, LinkError> {
    open(&Address::Device(path.into()), Line::seven_even(300))
}

fn receive(link: &mut dyn Link, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 64];
    while bytes.len() < count {
        match link.receive(&mut buffer, LONG).unwrap() {
            0 => break,
            more => bytes.extend_from_slice(&buffer[..more]),
        }
    }
    bytes
}

#[test]
fn bytes_go_both_ways_and_silence_ends() {
    let pty = Pty::new();
    let mut link = open(&Address::Device(pty.path.clone()), Line::eight_none(9600)).unwrap();
    assert_eq!((link.name(), link.line()), (pty.name(), Some(Line::eight_none(9600))));
    let all: Vec<u8> = (0..=255).collect();
    link.send(&all).unwrap();
    assert_eq!(pty.read(256), all);
    pty.write(&all);
    assert_eq!(receive(&mut *link, 256), all);
    assert_eq!(link.receive(&mut [0; 8], SHORT).unwrap(), 0);
    assert_eq!(link.receive(&mut [0; 8], Duration::ZERO).unwrap(), 0);
}

/// A pty does not do 7 data bits and parity, but keeps the speed and the flags of input that go with them.
#[test]
fn each_change_of_the_line_can_be_read_back_from_the_pty() {
    let pty = Pty::new();
    let mut link = port(&pty.path).unwrap();
    let asked = |line: Line| {
        let termios = pty.termios();
        assert_eq!((termios.output_speed(), termios.input_speed()), (line.baud, line.baud), "{line}");
        let parity = match line.parity {
            releve::wire::Parity::None => (false, false),
            releve::wire::Parity::Even => (true, false),
            releve::wire::Parity::Odd => (true, true),
        };
        let modes = termios.input_modes;
        let odd = termios.control_modes.contains(rustix::termios::ControlModes::PARODD);
        assert_eq!((modes.contains(InputModes::INPCK), odd), parity, "{line}");
        assert_eq!(modes.contains(InputModes::ISTRIP), line.data == 7, "{line}");
        assert_eq!(termios.control_modes.contains(rustix::termios::ControlModes::CSTOPB), line.stop == 2, "{line}");
    };
    asked(Line::seven_even(300));
    for text in
        ["9600,8N1", "2400,8E1", "19200,7E1", "300,7O1", "115200,8N1", "4800,7E2", "1200,8O1", "12345,8N1", "300,7E1"]
    {
        let line: Line = text.parse().unwrap();
        link.set_line(line).unwrap();
        assert_eq!(link.line(), Some(line));
        asked(line);
    }
}

#[test]
fn what_was_received_before_a_change_of_the_line_stays() {
    let pty = Pty::new();
    let mut link = port(&pty.path).unwrap();
    pty.write(b"/LGZ4ZMF100AC.M27\r\n");
    link.set_line(Line::seven_even(4800)).unwrap();
    assert_eq!(receive(&mut *link, 19), b"/LGZ4ZMF100AC.M27\r\n");
}

#[test]
fn seven_data_bits_have_no_parity_bit_in_them() {
    let pty = Pty::new();
    let mut link = port(&pty.path).unwrap();
    pty.write(&[0xAF, 0xB3]);
    assert_eq!(receive(&mut *link, 2), [0x2F, 0x33]);
}

#[test]
fn a_port_in_use_names_who_has_it() {
    let pty = Pty::new();
    let _first = port(&pty.path).unwrap();
    let Err(LinkError::Busy { name, holder }) = port(&pty.path) else { panic!("opened twice") };
    assert_eq!(name, pty.name());
    let pid = format!("(pid {})", std::process::id());
    assert!(holder.as_deref().is_some_and(|holder| holder.ends_with(&pid)), "{holder:?}");
}

#[test]
fn a_port_is_free_and_as_it_was_once_the_link_is_dropped() {
    let pty = Pty::new();
    let before = pty.termios();
    let mut link = port(&pty.path).unwrap();
    link.set_line(Line::seven_even(4800)).unwrap();
    drop(link);
    let after = pty.termios();
    assert_eq!((before.input_modes, before.control_modes), (after.input_modes, after.control_modes));
    assert_eq!(before.output_speed(), after.output_speed());
    drop(port(&pty.path).unwrap());
}

#[test]
fn a_link_whose_far_end_is_unplugged_is_gone() {
    let pty = Pty::new();
    let mut link = port(&pty.path).unwrap();
    let name = pty.name().to_owned();
    drop(pty);
    let gone = |result: Result<(), LinkError>| match result {
        Err(LinkError::Gone { name: who }) => assert_eq!(who, name),
        other => panic!("{other:?}"),
    };
    gone(link.receive(&mut [0; 8], LONG).map(drop));
    gone(link.send(b"/?!\r\n"));
    gone(link.set_line(Line::eight_none(9600)));
    assert!(matches!(port(Path::new(&name)), Err(LinkError::Missing { .. })));
}

#[test]
fn what_is_no_port_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "notes").unwrap();
    for path in [folder.path(), &file, Path::new("/dev/null")] {
        assert!(matches!(port(path), Err(LinkError::NotAPort { .. })), "{}", path.display());
    }
    assert!(matches!(port(&folder.path().join("none")), Err(LinkError::Missing { .. })));
    assert_eq!(std::fs::read(&file).unwrap(), b"notes");
}

/// Run again as a user who may not, for root may everything.
#[test]
fn a_port_that_belongs_to_others_is_denied() {
    const PORT: &str = "RELEVE_TEST_DENIED_PORT";
    if let Some(path) = std::env::var_os(PORT) {
        let path = Path::new(&path);
        assert!(matches!(port(path), Err(LinkError::Denied { .. })), "{:?}", port(path));
        let access = Access::to(path).unwrap();
        assert_eq!((access.mode, access.membership), (0o600, Membership::No));
        println!("denied");
        return;
    }
    let pty = Pty::new();
    std::fs::set_permissions(&pty.path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "serial::a_port_that_belongs_to_others_is_denied", "--nocapture"]).env(PORT, &pty.path);
    match again.uid(65_534).gid(65_534).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && said.contains("denied"), "{said}");
        }
        Err(error) => println!("skipped: cannot run as another user: {error}"),
    }
}

#[test]
fn a_send_that_nobody_takes_ends() {
    let pty = Pty::new();
    let mut link = open(&Address::Device(pty.path.clone()), Line::eight_none(4_000_000)).unwrap();
    let Err(LinkError::Io { source, .. }) = link.send(&[0x55; 100_000]) else { panic!("sent") };
    assert_eq!(source.kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn sixty_links_leave_no_descriptor_behind() {
    let pty = Pty::new();
    let mine = || {
        let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        open.filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target == pty.path)).count()
    };
    let before = mine();
    for _ in 0..60 {
        let mut link = port(&pty.path).unwrap();
        link.send(b"/?!\r\n").unwrap();
        assert!(port(&pty.path).is_err());
        assert_eq!(pty.read(5), b"/?!\r\n");
    }
    assert_eq!(mine(), before);
}
