//! Slow clients, many clients, and the end.

use crate::testenv::check::at_most;
use crate::testenv::figures;
use crate::world::{PATIENCE, World, entry, now};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant as Clock};

/// How long until the server ends a connection by itself.
fn cut_off(stream: &mut TcpStream, since: Clock) -> Duration {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut rest = Vec::new();
    // An end and a reset are the same to us; a time-out is not.
    match stream.read_to_end(&mut rest) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("not cut off"),
        _ => since.elapsed(),
    }
}

#[test]
fn promise_p17_who_sends_or_reads_too_slowly_is_cut_off() {
    // The bounds are the same as without the option, only shorter.
    let server = World::with_readings(now(), 30_000).serve(&["--client-timeout", "2s", "--token-file", "token"]);
    let since = Clock::now();
    let mut silent = server.connect();
    let mut half = server.connect();
    half.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
    let mut drips = server.connect();
    let mut body = server.connect();
    let head = format!(
        "POST /api/data HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[",
        crate::world::TOKEN
    );
    body.write_all(head.as_bytes()).unwrap();
    // It asks for much, and takes none of it.
    let mut deaf = server.connect();
    deaf.write_all(b"GET /api/data?hours=1000&limit=100000 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    // A byte now and then does not help.
    for byte in b"GET / HTTP/1.1\r\nHo" {
        if drips.write_all(&[*byte]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(150));
    }
    for (name, stream) in [("silent", &mut silent), ("half", &mut half), ("drips", &mut drips), ("body", &mut body)] {
        let time = cut_off(stream, since);
        assert!(time < Duration::from_secs(10), "{name}: {time:?}");
    }
    std::thread::sleep(Duration::from_millis(2500));
    let mut rest = Vec::new();
    let _ = deaf.read_to_end(&mut rest);
    // A complete answer has some seven megabytes.
    assert!(rest.len() < 6_500_000, "{} bytes were still sent", rest.len());
    assert_eq!(server.get("/api/stats").status, 200);
    assert!(server.end() < Duration::from_secs(3));
    figures(17, 5, 5, 0, "slow clients cut off");
}

#[test]
fn promise_p17_five_hundred_slow_clients_delay_nobody() {
    let server = World::with_readings(now(), 2000).serve(&[]);
    let mut slow: Vec<TcpStream> = (0..500).map(|_| server.connect()).collect();
    for (nth, stream) in slow.iter_mut().enumerate() {
        let begun: &[u8] = match nth % 3 {
            0 => b"GET /api/data HTTP/1.1\r\n",
            1 => b"GET /api/data?limit=2000&hours=100 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            _ => b"G",
        };
        stream.write_all(begun).unwrap();
    }
    let since = Clock::now();
    for _ in 0..20 {
        assert_eq!(server.get("/api/data/current").status, 200);
        assert_eq!(server.get("/api/data?limit=100").status, 200);
    }
    assert!(since.elapsed() < Duration::from_secs(3) * 20);
    let worst = (0..20).map(|_| {
        let since = Clock::now();
        server.get("/api/data?hours=30&limit=1440");
        since.elapsed()
    });
    assert!(worst.max().unwrap() < Duration::from_secs(3));
    at_most("MiB of memory", server.memory(), 127).unwrap();
    drop(slow);
    server.end();
    figures(17, 500, 500, 0, "slow clients, nobody delayed by 3 s");
}

#[test]
fn promise_p17_a_thousand_at_once_are_answered_while_readings_come() {
    let server = World::with_readings(now(), 1500).serve(&[]);
    let address = server.address;
    let clients: Vec<_> = (0..1000)
        .map(|nth| {
            let ask = move || -> std::io::Result<bool> {
                let mut stream = TcpStream::connect(address)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                let target = if nth % 10 == 0 { "/api/data?hours=24&limit=1440" } else { "/api/data/current" };
                stream.write_all(
                    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
                )?;
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer)?;
                Ok(answer.starts_with(b"HTTP/1.1 200"))
            };
            std::thread::Builder::new().stack_size(128 << 10).spawn(move || ask().unwrap_or(false)).unwrap()
        })
        .collect();
    let mut store = server.world.store();
    for nth in 0..20 {
        store.insert(&[entry(now().plus_seconds(nth + 1), nth)]).unwrap();
    }
    let answered = clients.into_iter().map(|client| client.join().unwrap()).filter(|&ok| ok).count();
    assert!(answered >= 990, "{answered} of 1000");
    at_most("MiB of memory", server.memory(), 127).unwrap();
    assert_eq!(server.get("/api/stats").json()["nb_mesures"], 1520);
    figures(17, 1000, answered, 0, "clients at once, 20 readings stored meanwhile");
}

#[test]
fn promise_p17_it_ends_at_once_whoever_is_connected() {
    let server = World::with_readings(now(), 10).serve(&[]);
    let mut live = server.connect();
    live.write_all(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut idle = server.connect();
    idle.write_all(b"GET /api/stats HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let _half = server.connect().write_all(b"GET /");
    std::thread::sleep(Duration::from_millis(300));
    assert!(server.end() < Duration::from_secs(3));
    figures(17, 1, 1, 0, "an end with clients connected");
}

#[test]
fn an_address_that_is_taken_is_named_and_a_store_that_is_missing_is_not_made() {
    let server = World::empty().serve(&[]);
    let address = server.address.to_string();
    let run = server.world.place.run(["serve", "--db", "s.db", "--listen", &address]);
    assert_eq!(run.exit, 75);
    assert!(run.stderr.contains("[serve.listen]") && run.stderr.contains(&address), "{}", run.stderr);
    let run = server.world.place.run(["serve", "--db", "none.db"]);
    assert_eq!(run.exit, 66);
    assert!(!server.world.place.path("none.db").exists());
}
