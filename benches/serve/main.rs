//! `releve serve` under load, against a plain Flask endpoint over the old application's table on one
//! core.
//!
//! `cargo bench --bench serve` takes a minute or two; `SERVE_SECONDS=3` sets how long each load lasts. The server is held to
//! one core and the load comes from the others (`taskset`), while readings are written every second. Ratios are of one run
//! on one machine. Flask is compared with where `target/python` has it.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    unreachable_pub
)]

use releve::exchange::old_database::OldDatabaseWriter;
use releve::reading::{Code, Decimal, Instant, MeterId, Protocol, Quality, Reading, Register, TariffMemory, Unit};
use releve::store::{Entry, Store};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Clock};

const METER: &str = "E450001234";
const MINUTES: i64 = 525_600;

fn env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn reading(nth: i64) -> Reading {
    let mut reading = Reading::new(Protocol::Dsmr);
    let wave = |period: i64, height: i64| (nth % period - period / 2).abs() * height / period;
    let mut add = |code: &str, mantissa: i64, exponent: i8, unit: Option<Unit>| {
        reading.registers.push(Register::number(Code::parse(code.as_bytes()), Decimal::new(mantissa, exponent), unit));
    };
    add("1.8.0", 154_320 + nth * 7, -3, Some(Unit::KWH));
    add("2.8.0", 12_000 + nth * 3, -3, Some(Unit::KWH));
    add("16.7.0", 300 + wave(1440, 3000) + nth * 7919 % 211, 0, Some(Unit::W));
    for phase in 0..3 {
        add(&format!("{}.7.0", 32 + 20 * phase), 2300 + wave(701 + phase, 70), -1, Some(Unit::V));
        add(&format!("{}.7.0", 31 + 20 * phase), 100 + wave(997 + phase, 900), -2, Some(Unit::A));
    }
    add("14.7.0", 4990 + nth * 31 % 20, -2, Some(Unit::HZ));
    add("13.7.0", 985, -3, None);
    reading
}

fn entry(at: Instant, nth: i64) -> Entry {
    let meter = MeterId::new(METER).unwrap();
    Entry { meter, at, source: "p1".into(), reading: reading(nth), derived: false }
}

/// A reading a minute over so many years until now.
fn fill(path: &Path, years: i64) {
    let now = Instant::now();
    let last = now.unix_seconds() / 60 * 60;
    let mut store = Store::create(path).unwrap();
    let mut import = store.import(now).unwrap();
    for nth in 0..years * MINUTES {
        import.add(&entry(Instant::from_unix(last - 60 * (years * MINUTES - 1 - nth)), nth)).unwrap();
    }
    import.finish().unwrap();
}

/// A program that listens, held to one core.
struct Listener {
    child: Child,
    address: SocketAddr,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Listener {
    /// The first line of its stderr names the address.
    fn start(program: &Path, arguments: &[&str]) -> Self {
        let on_one = Command::new("taskset").arg("--version").output().is_ok();
        let mut command = if on_one { Command::new("taskset") } else { Command::new(program) };
        if on_one {
            command.args(["-c", "0"]).arg(program);
        }
        let mut child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it does not start");
            let found = line.split("http://").nth(1).and_then(|rest| rest.split(['/', ' ', '\n']).next()?.parse().ok());
            if let Some(address) = found {
                break address;
            }
        };
        // Nobody reads the rest; it must not block.
        std::thread::spawn(move || drop(std::io::copy(&mut stderr, &mut std::io::sink())));
        Self { child, address }
    }

    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB").trim().to_owned();
        peak.trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
    }
}

/// One answer over an open connection; its length.
fn exchange(stream: &mut TcpStream, buffer: &mut Vec<u8>, target: &str) -> usize {
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    buffer.clear();
    let mut part = [0; 64 << 10];
    let mut whole = usize::MAX;
    while buffer.len() < whole {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(buffer));
        buffer.extend_from_slice(&part[..count]);
        if whole == usize::MAX
            && let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n")
        {
            let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
            assert!(head.starts_with("http/1.1 200"), "{head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            whole = end + 4 + length.trim().parse::<usize>().unwrap();
        }
    }
    whole
}

/// What a load came to.
struct Load {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

/// So many connections ask the same as fast as they are answered. Blocking connections on few threads would measure
/// themselves; each thread keeps several under way.
fn load(address: SocketAddr, target: &str, connections: usize, time: Duration) -> Load {
    const THREADS: usize = 2;
    let each = connections.div_ceil(THREADS).max(1);
    let request = Arc::new(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    let began = Clock::now();
    let workers: Vec<_> = (0..THREADS.min(connections))
        .map(|_| {
            let request = Arc::clone(&request);
            std::thread::spawn(move || {
                let mut streams: Vec<_> = (0..each).map(|_| TcpStream::connect(address).unwrap()).collect();
                let mut buffer = Vec::new();
                let mut times = Vec::new();
                let length = exchange(&mut streams[0], &mut buffer, request.split(' ').nth(1).unwrap());
                let mut part = vec![0; 256 << 10];
                while began.elapsed() < time {
                    // All ask, then all are read: as many requests are under way as there are connections.
                    let asked: Vec<Clock> = streams
                        .iter_mut()
                        .map(|stream| {
                            stream.write_all(request.as_bytes()).unwrap();
                            Clock::now()
                        })
                        .collect();
                    for (stream, asked) in streams.iter_mut().zip(asked) {
                        let (mut got, mut whole) = (0, usize::MAX);
                        while got < whole {
                            let count = stream.read(&mut part).unwrap();
                            assert!(count > 0);
                            if got == 0 {
                                let head = String::from_utf8_lossy(&part[..count.min(600)]).to_lowercase();
                                let end = head.find("\r\n\r\n").map_or(length, |end| end + 4);
                                let said = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                                whole = said.map_or(length, |said| end + said.trim().parse::<usize>().unwrap());
                            }
                            got += count;
                        }
                        times.push(asked.elapsed());
                    }
                }
                times
            })
        })
        .collect();
    measured(workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect(), began.elapsed())
}

/// The same of a server that ends each connection with its answer.
fn load_closing(address: SocketAddr, target: &str, connections: usize, time: Duration) -> Load {
    let began = Clock::now();
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let workers: Vec<_> = (0..connections)
        .map(|_| {
            let request = request.clone();
            std::thread::spawn(move || {
                let (mut times, mut answer) = (Vec::new(), Vec::new());
                while began.elapsed() < time {
                    let asked = Clock::now();
                    let mut stream = TcpStream::connect(address).unwrap();
                    stream.write_all(request.as_bytes()).unwrap();
                    answer.clear();
                    stream.read_to_end(&mut answer).unwrap();
                    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
                    times.push(asked.elapsed());
                }
                times
            })
        })
        .collect();
    measured(workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect(), began.elapsed())
}

fn measured(mut times: Vec<Duration>, elapsed: Duration) -> Load {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    Load { per_second: times.len() as f64 / elapsed.as_secs_f64(), p50: at(0.5), p99: at(0.99) }
}

fn show(what: &str, load: &Load) {
    println!("  {what}: {:.0} requests/s, median {:.2?}, p99 {:.2?}", load.per_second, load.p50, load.p99);
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let time = Duration::from_secs(env("SERVE_SECONDS", 5));
    let years = i64::try_from(env("SERVE_YEARS", 10)).unwrap();
    let store = folder.path().join("s.db");
    println!("filling {years} years of minutes");
    fill(&store, years);

    let program = Path::new(env!("CARGO_BIN_EXE_releve"));
    let server = Listener::start(program, &["serve", "--db", store.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    // Readings come meanwhile, a commit a second.
    let over = Arc::new(AtomicBool::new(false));
    let writer = {
        let (over, store) = (Arc::clone(&over), store.clone());
        std::thread::spawn(move || {
            let mut store = Store::create(&store).unwrap();
            let mut nth = 0;
            while !over.load(Ordering::Relaxed) {
                store.insert(&[entry(Instant::now(), nth)]).unwrap();
                nth += 1;
                std::thread::sleep(Duration::from_secs(1));
            }
            nth
        })
    };
    let day = "/api/data?hours=24&limit=1440";
    println!("\nloads, one core, a commit a second");
    show("/api/data/current, 50 connections", &load(server.address, "/api/data/current", 50, time));
    let ours = load(server.address, day, 4, time);
    show(&format!("{day}, 4 connections"), &ours);

    println!("\n{years} years of history at daily step");
    let mut stream = TcpStream::connect(server.address).unwrap();
    let mut buffer = Vec::new();
    let target = "/api/data/history?pas=jour&series=puissance_active";
    let mut times: Vec<Duration> = (0..11)
        .map(|nth| {
            // Each with another end, so that no answer is one that was kept.
            let since = Clock::now();
            exchange(&mut stream, &mut buffer, &format!("{target}&points={}", 100 + nth));
            since.elapsed()
        })
        .collect();
    println!("  the first: {:.1?} ({} KiB)", times[0], buffer.len() / 1024);
    times.sort_unstable();
    println!("  the median of {}: {:.1?}", times.len(), times[times.len() / 2]);
    println!("  peak memory of the server: {} MiB", server.peak());

    over.store(true, Ordering::Relaxed);
    let written = writer.join().unwrap();
    println!("  {written} readings were written meanwhile");

    match flask(folder.path()) {
        Some(theirs) => {
            println!("\nFlask and SQLAlchemy's way over the old table, one core");
            let theirs = load_closing(theirs.address, day, 4, time);
            show(day, &theirs);
            println!("  ours answers {:.0} times as many", ours.per_second / theirs.per_second);
        }
        None => println!("\nskipped: no Flask under target/python; .ci/run installs it"),
    }
}

/// A plain Flask endpoint over the old application's table with a day of minutes.
fn flask(folder: &Path) -> Option<Listener> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
    let has = Command::new(&python).args(["-c", "import flask"]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        return None;
    }
    let old = folder.join("old.db");
    let writer = OldDatabaseWriter::create(&old).ok()?;
    let now = Instant::now();
    let mut memory = TariffMemory::default();
    for nth in 0..1440 {
        let values = releve::document::Values::of(&reading(nth), &mut memory);
        writer.add(now.plus_seconds(60 * (nth - 1440)), &values, Quality::Good, "p1").ok()?;
    }
    writer.finish().ok()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/serve/flask_endpoint.py");
    Some(Listener::start(&python, &[script.to_str()?, old.to_str()?]))
}
