//! A store with known readings, a server over it, and a client that sends what it is told.

use crate::testenv::Place;
use releve::reading::Event;
use releve::reading::{Code, Decimal, Instant, MeterId, Origin, Protocol, Quality, Reading, Register, Severity, Unit};
use releve::store::{Entry, Store};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant as Clock};

pub(crate) const METER: &str = "E450001234";
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A three-phase reading whose numbers follow from its place.
pub(crate) fn entry(at: Instant, nth: i64) -> Entry {
    let mut reading = Reading::new(Protocol::Dsmr);
    reading.quality = Quality::Good;
    let mut add = |code: &str, mantissa: i64, exponent: i8, unit: Option<Unit>| {
        let code = Code::parse(code.as_bytes());
        reading.registers.push(Register::number(code, Decimal::new(mantissa, exponent), unit));
    };
    add("1.8.0", 154_320 + nth, -3, Some(Unit::KWH));
    add("2.8.0", 12_000, -3, Some(Unit::KWH));
    add("16.7.0", 2345 + nth, 0, Some(Unit::W));
    for (phase, volts, amperes) in [(32, 2315, 125), (52, 2321, 118), (72, 2308, 132)] {
        add(&format!("{phase}.7.0"), volts, -1, Some(Unit::V));
        add(&format!("{}.7.0", phase - 1), amperes, -1, Some(Unit::A));
    }
    add("14.7.0", 500, -1, Some(Unit::HZ));
    add("13.7.0", 985, -3, None);
    add("5.8.0", 12_004, -3, Unit::parse("kvarh"));
    let meter = MeterId::new(METER).unwrap();
    reading.meter = Some(meter.clone());
    Entry { meter, at, source: "p1".into(), reading, derived: false }
}

/// An event that began so many seconds ago.
pub(crate) fn event(start: Instant, kind: &str, severity: Severity, description: &str) -> Event {
    Event {
        meter: MeterId::new(METER),
        kind: kind.into(),
        severity,
        start,
        end: Some(start.plus_seconds(60)),
        description: description.into(),
        value: Some(Decimal::new(4500, 0)),
        unit: Some("W".into()),
        code: Some("1-0:16.7.0".into()),
        threshold: Some(Decimal::new(4000, 0)),
        phase: None,
        origin: Origin::Readings,
    }
}

/// A folder with a store.
pub(crate) struct World {
    pub(crate) place: Place,
}

impl World {
    pub(crate) fn empty() -> Self {
        let place = Place::new();
        Store::create(&place.path("s.db")).unwrap();
        let token = place.write("token", TOKEN);
        std::fs::set_permissions(token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        Self { place }
    }

    /// With a reading a minute, the last of them at `last`, at a full second.
    pub(crate) fn with_readings(last: Instant, count: i64) -> Self {
        let world = Self::empty();
        let entries: Vec<Entry> = (0..count).map(|nth| entry(last.plus_seconds(60 * (nth - count + 1)), nth)).collect();
        world.store().insert(&entries).unwrap();
        world
    }

    pub(crate) fn store(&self) -> Store {
        Store::create(&self.path()).unwrap()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.place.path("s.db")
    }

    pub(crate) fn serve(self, arguments: &[&str]) -> Server {
        Server::start(self, arguments)
    }

    /// One answer without a server.
    pub(crate) fn get(&self, target: &str) -> Value {
        self.place.run(["serve", "--db", "s.db", "--get", target]).json()
    }
}

/// A full second a little ago.
pub(crate) fn now() -> Instant {
    Instant::from_unix(Instant::now().unix_seconds())
}

pub(crate) struct Server {
    pub(crate) world: World,
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    stderr: BufReader<std::process::ChildStderr>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }

    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
        // Names of headers come in lower case already.
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
        let mut body = bytes.get(end + 4..).unwrap_or_default().to_vec();
        let answer = Self { status, head, body: Vec::new() };
        if answer.header("transfer-encoding") == Some("chunked") {
            body = dechunked(&body);
        }
        Self { body, ..answer }
    }
}

fn dechunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap().trim(), 16).unwrap();
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    body
}

/// What a stand-in is heard to answer that says the same to everybody.
pub(crate) fn answered_by(text: &'static [u8]) -> Answer {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        stream.write_all(text).unwrap();
    });
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    server.join().unwrap();
    Answer::parse(&bytes)
}

impl Server {
    fn start(world: World, arguments: &[&str]) -> Self {
        let mut command = world.place.command();
        command.args(["serve", "--db", "s.db"]).args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let address = line.strip_prefix("http://").and_then(|rest| rest.split('/').next()?.parse().ok());
        let mut address: SocketAddr = address.unwrap_or_else(|| panic!("{line}"));
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        Self { world, child, address, stderr }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends bytes and reads until the connection ends.
    pub(crate) fn send(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A server that has seen enough answers before it has read all.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Answer::parse(&bytes)
    }

    pub(crate) fn request(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += "Host: localhost\r\n";
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if method == "POST" && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        self.send(&[head.as_bytes(), body].concat())
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.request("GET", target, &[], &[])
    }

    pub(crate) fn post(&self, target: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        self.request("POST", target, &headers, body.as_bytes())
    }

    /// Ends it as a service manager does; how long that took.
    pub(crate) fn end(mut self) -> Duration {
        let since = Clock::now();
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(since.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        since.elapsed()
    }

    /// Its resident memory in MiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
