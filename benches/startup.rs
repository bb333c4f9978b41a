//! How long a command takes that has next to nothing to do, as whole processes, against what stands beside it in a pipe.
//!
//! `cargo bench --bench startup`. Programs take turns; what is not installed is left out.

#![allow(clippy::print_stdout, clippy::disallowed_methods, missing_docs)]

use std::process::{Command, Stdio};
use std::time::Instant;

const ROUNDS: usize = 60;

const RELEVE: &str = env!("CARGO_BIN_EXE_releve");
const TELEGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/dsmr/smart5.txt");

fn main() {
    let all: [(&str, &[&str]); 6] = [
        ("releve --version", &[RELEVE, "--version"]),
        ("releve read FILE", &[RELEVE, "read", TELEGRAM, "-f", "json"]),
        ("releve obis 1.8.0", &[RELEVE, "obis", "1.8.0"]),
        ("jq --version", &["jq", "--version"]),
        ("sqlite3 --version", &["sqlite3", "--version"]),
        ("python3 -c pass", &["python3", "-c", "pass"]),
    ];
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); all.len()];
    for _ in 0..ROUNDS {
        for ((_, words), times) in all.iter().zip(&mut times) {
            times.extend(milliseconds(words));
        }
    }
    println!("{:<20} {:>8} {:>8}   ms, whole process", "", "median", "fastest");
    for ((name, _), mut times) in all.into_iter().zip(times) {
        times.sort_by(f64::total_cmp);
        match times.get(times.len() / 2) {
            Some(median) => println!("{name:<20} {median:>8.2} {:>8.2}", times[0]),
            None => println!("{name:<20} is not installed"),
        }
    }
}

fn milliseconds(words: &[&str]) -> Option<f64> {
    let start = Instant::now();
    let status = Command::new(words[0]).args(&words[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    status.success().then(|| start.elapsed().as_secs_f64() * 1e3)
}
