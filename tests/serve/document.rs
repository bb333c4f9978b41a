//! The description of the API, and what HTTP offers beside it.

use crate::testenv::python::python_with;
use crate::world::{TOKEN, World, now};
use flate2::read::GzDecoder;
use std::io::Read as _;
use std::process::Command;

#[test]
fn every_route_is_in_the_document_and_the_other_way_round() {
    let document = releve::serve::openapi();
    let paths = document["paths"].as_object().unwrap();
    let mut described: Vec<(String, &str)> = Vec::new();
    for (path, operations) in paths {
        for method in operations.as_object().unwrap().keys() {
            described.push((method.to_uppercase(), path));
        }
    }
    described.sort();
    let mut routes = releve::serve::routes();
    routes.sort();
    assert_eq!(described, routes);
    assert!(routes.len() >= 15);
}

#[test]
fn each_route_answers_and_what_is_described_is_served() {
    let server = World::with_readings(now(), 5).serve(&[]);
    for (method, path) in releve::serve::routes() {
        if method == "GET" && path != "/api/live" {
            let path = path.replace("{file}", "main.js");
            let answer = server.get(&path);
            assert_eq!(answer.status, 200, "{path}");
            assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'self'"), "{path}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        }
    }
    let docs = String::from_utf8(server.get("/docs").body).unwrap();
    assert!(docs.contains("/api/data/history") && !docs.contains("https://") && !docs.contains("<script"), "{docs}");
    assert_eq!(server.get("/openapi.json").json()["openapi"], "3.1.0");
}

#[test]
fn tags_head_gzip_and_the_length() {
    let server = World::with_readings(now(), 100).serve(&[]);
    let target = "/api/data?debut=2025-01-01T00:00:00Z&fin=2099-01-01T00:00:00Z";
    let plain = server.get(target);
    let tag = plain.header("etag").unwrap().to_owned();
    assert_eq!(plain.header("content-length").unwrap().parse::<usize>().unwrap(), plain.body.len());
    let again = server.request("GET", target, &[("If-None-Match", &tag)], &[]);
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag.as_str())));
    assert_eq!(server.request("GET", target, &[("If-None-Match", "\"other\"")], &[]).status, 200);
    let head = server.request("HEAD", target, &[], &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), plain.header("content-length"));
    let packed = server.request("GET", target, &[("Accept-Encoding", "br, gzip")], &[]);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut unpacked = Vec::new();
    GzDecoder::new(packed.body.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    assert_eq!(server.request("GET", target, &[("Accept-Encoding", "gzip;q=0")], &[]).header("content-encoding"), None);

    // A reading more, and the tag is another.
    let next = crate::world::entry(now().plus_seconds(1), 7);
    server.world.store().insert(&[next]).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(120));
    assert_eq!(server.request("GET", target, &[("If-None-Match", &tag)], &[]).status, 200);
}

#[test]
fn health_says_when_readings_stop() {
    let server = World::with_readings(now().plus_seconds(-100), 1).serve(&["--stale", "60s"]);
    let answer = server.get("/healthz");
    assert_eq!((answer.status, &answer.json()["status"]), (503, &"perime".into()));
    assert!((100..200).contains(&answer.json()["age_s"].as_i64().unwrap()));
    server.world.store().insert(&[crate::world::entry(now(), 1)]).unwrap();
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn metrics_are_what_prometheus_reads() {
    let server = World::with_readings(now(), 1).serve(&[]);
    server.get("/api/nothing");
    let text = String::from_utf8(server.get("/metrics").body).unwrap();
    assert!(text.contains("releve_power_watts{meter=\"E450001234\"} 2345\n"), "{text}");
    assert!(text.contains("releve_http_responses_total{class=\"4xx\"} 1\n"), "{text}");
    let Ok(mut check) = Command::new("promtool").args(["check", "metrics"]).stdin(std::process::Stdio::piped()).spawn()
    else {
        println!("skipped: no promtool; .ci/run installs it");
        return;
    };
    std::io::Write::write_all(&mut check.stdin.take().unwrap(), text.as_bytes()).unwrap();
    assert!(check.wait().unwrap().success(), "{text}");
}

/// Requests that are made up from the document, right and wrong ones: no server error, every answer as described.
#[test]
fn schemathesis_finds_nothing() {
    let Some(python) = python_with("schemathesis") else { return };
    let server = World::with_readings(now(), 300).serve(&["--token-file", "token", "--stale", "1d"]);
    let run = Command::new(python)
        .current_dir(server.world.place.path(""))
        .args(["-m", "schemathesis.cli", "run", &format!("http://{}/openapi.json", server.address)])
        .args(["--header", &format!("Authorization: Bearer {TOKEN}")])
        // It does not end.
        .args(["--exclude-path", "/api/live", "--max-examples", "20", "--seed", "7", "--no-color"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
}
