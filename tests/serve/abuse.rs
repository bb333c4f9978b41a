//! Hostile requests: the right status, and nothing else happens.

use crate::testenv::check::at_most;
use crate::testenv::{control, figures};
use crate::world::{Answer, TOKEN, World, answered_by, event, now};
use releve::reading::Severity;
use std::io::{Read as _, Write as _};

/// What people and scanners put where a value belongs.
const ODD: &[&str] = &[
    "",
    "0",
    "-1",
    "1e999",
    "-1e999",
    "1e-999",
    "99999999999999999999999",
    "-99999999999999999999999",
    "0x10",
    "1_000",
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "null",
    "None",
    "undefined",
    "true",
    "[]",
    "{}",
    "[1]",
    "1,2",
    "1;2",
    " ",
    "%20",
    "%00",
    "%0a%0d",
    "%ff%fe",
    "%",
    "%zz",
    "%e2%98%83",
    "\u{e9}",
    "'",
    "\"",
    "%27%20OR%201=1--",
    "1%27;DROP%20TABLE%20hot;--",
    "1%20UNION%20SELECT%20*%20FROM%20meter",
    "%22%20NEAR%20%22",
    "*",
    "(",
    "AND",
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f",
    "file:///etc/passwd",
    "$(id)",
    "`id`",
    "|id",
    "{{7*7}}",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "2025-02-30T00:00:00Z",
    "2025-11-07T25:00:00Z",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "-0001-01-01T00:00:00Z",
    "2025-11-07",
    "now",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775807_9223372036854775807",
];

/// An answer that is no failure of the server.
fn sane(answer: &Answer) -> Result<u16, String> {
    if (200..500).contains(&answer.status) {
        Ok(answer.status)
    } else {
        Err(format!("{} {}", answer.status, answer.head))
    }
}

/// Servers that fail, hang up, or answer whoever asks.
#[test]
fn promise_p17_control_a_server_that_fails_is_found_out() {
    let answer = |text: &'static str| answered_by(text.as_bytes());
    let leak = answer("HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\n\r\n{}");
    let closed = match leak.header("access-control-allow-origin") {
        Some(origin) => Err(format!("{origin} may read")),
        None => Ok(leak.status),
    };
    control(
        17,
        [
            ("an answer of 500", sane(&answer("HTTP/1.1 500 Internal Server Error\r\n\r\n"))),
            ("no answer at all", sane(&answer(""))),
            ("any page may read", closed),
            ("memory for every client", at_most("MiB of memory", 129, 128)),
        ],
    );
}

#[test]
fn promise_p17_no_odd_parameter_is_a_server_error() {
    let world = World::with_readings(now(), 20);
    world.store().put_events(&[event(now(), "surtension", Severity::Error, "x")]).unwrap();
    let server = world.serve(&["--token-file", "token"]);
    let routes: &[(&str, &[&str])] = &[
        ("/api/data", &["hours", "limit", "metrics", "debut", "fin", "meter", "registres", "order", "apres"]),
        ("/api/data/history", &["series", "pas", "points", "hours", "debut", "fin", "apres"]),
        ("/api/events", &["severity", "type", "limit", "debut", "fin", "q", "apres"]),
        ("/api/stats/hour", &["hours", "debut", "fin", "meter"]),
    ];
    let mut count = 0;
    for (path, names) in routes {
        for name in *names {
            for odd in ODD {
                let target = format!("{path}?{name}={odd}");
                let answer = server.get(&target);
                sane(&answer).unwrap_or_else(|why| panic!("{target}: {why}"));
                // What is no address at all is refused before anybody knows of parameters.
                if answer.status == 400 && !answer.body.is_empty() {
                    assert_eq!(answer.json()["parametre"], *name, "{target}");
                }
                count += 1;
            }
        }
    }
    let long = format!("/api/events?q={}", "a".repeat(20_000));
    assert!([400, 414, 431].contains(&server.get(&long).status));
    let many = format!("/api/data?{}", "limit=5&".repeat(900));
    assert_eq!(server.get(&many).status, 200);
    assert!(count > 1000);
    assert_eq!(server.get("/api/stats").json()["nb_mesures"], 20, "nothing was dropped");
    server.end();
    figures(17, count, count, 0, "odd parameters, no 5xx");
}

#[test]
fn promise_p17_paths_lead_nowhere() {
    let server = World::empty().serve(&[]);
    for path in [
        "/../../etc/passwd",
        "/dashboard/../../../etc/passwd",
        "/dashboard/..%2f..%2fetc%2fpasswd",
        "/dashboard/%2e%2e/s.db",
        "//etc/passwd",
        "/api/../s.db",
        "/s.db",
        "/dashboard/",
        "/dashboard/main.js/x",
        "/api/data/",
        "/.git/config",
        "/%00",
        "/api/data/current/..",
        "/cgi-bin/%%32%65%%32%65/etc/passwd",
    ] {
        let answer = server.get(path);
        assert!([400, 404].contains(&answer.status), "{path}: {}", answer.head);
        assert!(!String::from_utf8_lossy(&answer.body).contains("root:"), "{path}");
    }
    figures(17, 14, 14, 0, "paths that lead out");
}

#[test]
fn promise_p17_a_foreign_name_is_refused_and_no_page_elsewhere_may_read() {
    let server = World::with_readings(now(), 1).serve(&["--host", "meter.example"]);
    let with = |headers: &[(&str, &str)]| server.request("GET", "/api/data/current", headers, &[]);
    for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "", "localhost@evil"] {
        assert_eq!(with(&[("Host", host)]).status, 403, "{host}");
    }
    for host in ["localhost", "127.0.0.1:5000", "[::1]", "meter.example", "METER.example:443"] {
        assert_eq!(with(&[("Host", host)]).status, 200, "{host}");
    }
    assert_eq!(server.send(b"GET /api/data/current HTTP/1.1\r\nConnection: close\r\n\r\n").status, 400);
    assert_eq!(
        server.send(b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").status,
        403
    );
    let answer = with(&[("Origin", "https://evil.example")]);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
    assert_eq!(
        server
            .request("OPTIONS", "/api/data", &[("Origin", "https://evil.example")], &[])
            .header("access-control-allow-origin"),
        None
    );
    for method in ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND"] {
        let answer = server.request(method, "/api/data", &[], &[]);
        assert!([400, 405].contains(&answer.status), "{method}: {}", answer.head);
    }

    let open = World::with_readings(now(), 1).serve(&["--cors", "https://site.example"]);
    let from = |origin: &str| {
        let answer = open.request("GET", "/api/data/current", &[("Origin", origin)], &[]);
        answer.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(from("https://site.example").as_deref(), Some("https://site.example"));
    assert_eq!(from("https://evil.example"), None);
    figures(17, 6, 6, 0, "foreign names refused, no page elsewhere reads");
}

#[test]
fn promise_p17_a_token_is_needed_beyond_this_machine_and_for_every_post() {
    let world = World::with_readings(now(), 1);
    let run = world.place.run(["serve", "--db", "s.db", "--listen", "0.0.0.0:0"]);
    assert_eq!(run.exit, 2);
    assert!(run.stderr.contains("needs a token") && run.stderr.contains("[serve.token]"), "{}", run.stderr);
    world.place.write("short", "secret\n");
    let run = world.place.run(["serve", "--db", "s.db", "--listen", "0.0.0.0:0", "--token-file", "short"]);
    assert_eq!(run.exit, 78, "{}", run.stderr);

    let server = world.serve(&["--listen", "0.0.0.0:0", "--token-file", "token"]);
    let bearer = format!("Bearer {TOKEN}");
    let with = |headers: &[(&str, &str)]| server.request("GET", "/api/data/current", headers, &[]);
    let refused = with(&[]);
    assert_eq!((refused.status, refused.header("www-authenticate").is_some()), (401, true));
    let wrong = TOKEN.replace('f', "e");
    for wrong in [wrong.as_str(), "", &TOKEN[1..], "0123456789abcdef0123456789abcdeff"] {
        assert_eq!(with(&[("Authorization", &format!("Bearer {wrong}"))]).status, 401, "{wrong}");
    }
    assert_eq!(with(&[("Authorization", TOKEN)]).status, 401);
    assert_eq!(with(&[("Authorization", &bearer)]).status, 200);
    assert_eq!(server.request("GET", "/", &[], &[]).status, 401);
    assert_eq!(server.request("POST", "/api/events", &[("Content-Type", "application/json")], b"{}").status, 401);
    server.end();
    figures(17, 8, 8, 0, "requests without the token refused");
}

#[test]
fn promise_p17_bodies_that_are_too_much_are_not_read() {
    let server = World::empty().serve(&["--token-file", "token"]);
    let bearer = format!("Bearer {TOKEN}");
    let post = |headers: &[(&str, &str)], body: &[u8]| {
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        server.request("POST", "/api/data", &all, body).status
    };
    let json = ("Content-Type", "application/json");
    assert_eq!(post(&[], b"{}"), 415);
    assert_eq!(post(&[("Content-Type", "text/plain")], b"{}"), 415);
    assert_eq!(post(&[json, ("Content-Encoding", "gzip")], b"\x1f\x8b"), 415);
    assert_eq!(post(&[json, ("Content-Length", "99999999999")], b""), 413);
    assert_eq!(post(&[json], &vec![b' '; (4 << 20) + 1]), 413);
    assert_eq!(post(&[json], b"{\"mesures\": ["), 400);
    assert_eq!(post(&[json], "[".repeat(100_000).as_bytes()), 400);
    assert_eq!(post(&[json], b"\xff\xfe{}"), 400);
    assert_eq!(post(&[json, ("Content-Length", "0")], b""), 400);
    // More than was said, in pieces without end.
    let mut request = format!(
        "POST /api/data HTTP/1.1\r\nHost: localhost\r\nAuthorization: {bearer}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    for _ in 0..80 {
        request += &format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    }
    assert_eq!(server.send(request.as_bytes()).status, 413);
    assert_eq!(server.get("/api/stats").json()["nb_mesures"], 0);
    at_most("MiB of memory", server.memory(), 100).unwrap();
    figures(17, 10, 10, 0, "bodies that are too much");
}

#[test]
fn promise_p17_what_is_no_http_is_dropped_and_cut_connections_leave_nothing() {
    let server = World::with_readings(now(), 1000).serve(&[]);
    for rubbish in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = server.send(&[rubbish, b"\r\n\r\n"].concat());
        assert!([0, 400, 505].contains(&answer.status), "{}", answer.head);
    }
    let header = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "a".repeat(100_000));
    assert!([0, 431].contains(&server.send(header.as_bytes()).status));
    let headers = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: a\r\n".repeat(200));
    assert!([0, 431].contains(&server.send(headers.as_bytes()).status));
    // Requests smuggled behind a doubtful length.
    let both = b"GET /api/stats HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello";
    assert_eq!(server.send(both).status, 400);
    for _ in 0..200 {
        let mut stream = server.connect();
        stream.write_all(b"GET /api/data?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0; 10]);
    }
    assert_eq!(server.get("/api/stats").status, 200);
    server.end();
    figures(17, 208, 208, 0, "requests that are none, and connections cut");
}
