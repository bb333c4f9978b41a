//! RFC 2217 against servers that others wrote, in front of a pty.

use crate::pty::Pty;
use crate::testenv::python::python_with;
use crate::testenv::repository;
use releve::transport::{Address, Link, LinkError, open};
use releve::wire::Line;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(5);

struct Server {
    process: Child,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        Self { process, stdout }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Reads on until the server says it.
    fn says(&mut self, wanted: &str) {
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "the server ended before it said {wanted}");
            if line == wanted {
                return;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn address(port: u16) -> Address {
    Address::Rfc2217 { host: "127.0.0.1".into(), port }
}

fn receive(link: &mut dyn Link, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 100];
    while bytes.len() < count {
        match link.receive(&mut buffer, LONG).unwrap() {
            0 => break,
            more => bytes.extend_from_slice(&buffer[..more]),
        }
    }
    bytes
}

fn every_octet_passes_both_ways(link: &mut dyn Link, pty: &Pty) {
    let all: Vec<u8> = (0..=255).chain([0xFF, 0xFF, 0xF0, 0x0D, 0x00, 0x0D, 0x0A]).collect();
    link.send(&all).unwrap();
    assert_eq!(pty.read(all.len()), all);
    pty.write(&all);
    assert_eq!(receive(link, all.len()), all);
}

#[test]
fn the_far_port_is_set_through_pyserial() {
    let Some(python) = python_with("serial.rfc2217") else { return };
    let pty = Pty::new();
    let script = repository().join("tests/transport/rfc2217_server.py");
    let mut server = Server::start(Command::new(python).arg(script).arg(&pty.path));
    let port = server.line().parse().unwrap();
    let mut link = open(&address(port), Line::seven_even(300)).unwrap();
    server.says("300,7E1");
    assert_eq!(pty.termios().output_speed(), 300);
    for text in ["9600,7E1", "2400,8E1", "300,7O1", "19200,8N2", "115200,8N1"] {
        let line: Line = text.parse().unwrap();
        link.set_line(line).unwrap();
        assert_eq!(link.line(), Some(line));
        server.says(text);
        let termios = pty.termios();
        assert_eq!(termios.output_speed(), line.baud, "{text}");
        let control = termios.control_modes;
        assert_eq!(control.contains(rustix::termios::ControlModes::CSTOPB), line.stop == 2, "{text}");
        let odd = control.contains(rustix::termios::ControlModes::PARODD);
        assert_eq!(odd, line.parity == releve::wire::Parity::Odd, "{text}");
    }
    every_octet_passes_both_ways(&mut *link, &pty);
    let name = link.name().to_owned();
    assert_eq!(name, format!("rfc2217://127.0.0.1:{port}"));
    drop(server);
    assert!(matches!(link.receive(&mut [0; 8], LONG), Err(LinkError::Gone { .. })));
}

#[test]
fn the_far_port_is_set_through_ser2net() {
    if Command::new("ser2net").arg("-v").output().is_err() {
        println!("skipped: ser2net is not installed; .ci/run installs it");
        return;
    }
    let pty = Pty::new();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("ser2net.yaml");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        "connection: &meter\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n  connector: serialdev,{},9600n81,local\n",
        pty.name()
    );
    std::fs::write(&config, text).unwrap();
    let _server = Server::start(Command::new("ser2net").args(["-n", "-u", "-d", "-c"]).arg(&config));
    let mut link = (0..100)
        .find_map(|_| match open(&address(port), Line::eight_none(2400)) {
            Err(LinkError::Missing { .. }) => {
                std::thread::sleep(Duration::from_millis(50));
                None
            }
            other => Some(other.unwrap()),
        })
        .expect("ser2net listens");
    for text in ["300,8N1", "9600,8N1", "19200,8N2"] {
        let line: Line = text.parse().unwrap();
        link.set_line(line).unwrap();
        assert_eq!(pty.termios().output_speed(), line.baud, "{text}");
    }
    every_octet_passes_both_ways(&mut *link, &pty);
}

/// A server that says `words` as soon as somebody connects, and `then` once it is asked for a speed.
fn server(words: &'static [u8], then: &'static [u8]) -> u16 {
    const SET_BAUDRATE: &[u8] = b"\xff\xfa\x2c\x01";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(words).unwrap();
        let (mut heard, mut byte) = (Vec::new(), [0]);
        while stream.read_exact(&mut byte).is_ok() {
            heard.push(byte[0]);
            if heard.ends_with(SET_BAUDRATE) {
                stream.write_all(then).unwrap();
            }
        }
    });
    port
}

#[test]
fn a_server_without_rfc_2217_is_said_to_have_none() {
    // Silence; a telnet server that declines; a meter behind a raw bridge.
    for words in [&b""[..], b"\xff\xfe\x2c\xff\xfb\x01", b"/ISK5\\2M550E-1012\r\n\r\n"] {
        let error = open(&address(server(words, b"")), Line::eight_none(9600)).unwrap_err();
        assert!(matches!(error, LinkError::NoRfc2217 { .. }), "{error:?}");
    }
}

#[test]
fn a_server_that_does_not_set_what_was_asked_is_named_with_what_it_did() {
    let agrees = b"\xff\xfd\x2c";
    for (then, expected) in [
        (&b"\xff\xfa\x2c\x65\0\0\x25\x80\xff\xf0"[..], "the bridge sets 9600 baud instead"),
        (b"\xff\xfa\x2c\x65\0\0\x01\x2c\xff\xf0", "the bridge does not confirm it"),
    ] {
        let error = open(&address(server(agrees, then)), Line::seven_even(300)).unwrap_err();
        let LinkError::Line { line, why, .. } = error else { panic!("{error:?}") };
        assert_eq!((line, why.as_str()), (Line::seven_even(300), expected));
    }
}
