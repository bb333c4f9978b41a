//! A year of a meter's pushes through `releve log`, with everything that goes wrong in a year, then the archive, the statistics
//! and an export: all that is told has to be what the simulated meter counted, to the last digit.
//!
//! The short form is six days around the end of summer time and the end of a month; `LONG=1` is the leap year 2024. The clock of
//! the host is that of the meter (libfaketime), so that its times are believed however fast they come.

#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods)]

#[path = "../log/meter.rs"]
#[allow(dead_code)]
mod meter;
#[path = "../testenv/mod.rs"]
mod testenv;

mod told;
mod year;

use meter::Log;
use releve::reading::{Instant, MeterId};
use releve::store::Store;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant as Clock;
use testenv::{Place, Run};
use year::{Sent, Year};

/// Where Debian has it.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
const FAKETIME_ARM: &str = "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1";

/// A place where it is whatever time the test says.
pub(crate) struct Age {
    place: Place,
    library: PathBuf,
    clock: File,
}

impl Age {
    fn begin(at: i64) -> Option<Self> {
        let library = [FAKETIME, FAKETIME_ARM].map(Path::new).into_iter().find(|path| path.exists())?;
        let place = Place::new();
        place.write("config.toml", "archive = \"archive\"\ntz = \"Europe/Zurich\"\n");
        place.write("home.key", "encryption = \"000102030405060708090a0b0c0d0e0f\"\nauthentication = \"d0d1d2d3d4d5d6d7d8d9dadbdcdddedf\"\n");
        std::fs::create_dir(place.path("archive")).unwrap();
        let clock = File::create(place.path("clock")).unwrap();
        let age = Self { place, library: library.into(), clock };
        age.set(at);
        Some(age)
    }

    /// It is this second from now on. Ten digits in one write: whoever reads sees the time before or this one.
    fn set(&self, second: i64) {
        self.clock.write_all_at(second.to_string().as_bytes(), 0).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = self.place.command();
        command
            .env("RELEVE_DB", "a.db")
            .env("RELEVE_CONFIG", "config.toml")
            .env("XDG_RUNTIME_DIR", self.place.path(""))
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", self.place.path("clock"))
            .env("FAKETIME_FMT", "%s")
            .envs(["FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"].map(|name| (name, "1")));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command().args(arguments).output().unwrap())
    }

    fn log(&self) -> Log {
        let arguments =
            ["log", "--port", "./meter", "--mode", "push", "--serial", "2400,8E1", "--key-file", "home.key"];
        Log::start(self.command().args(arguments).args(["--commit", "1s"]))
    }

    /// The time of the newest reading in the store, and whose it is.
    fn newest(&self) -> Option<(MeterId, Instant)> {
        let store = Store::open(&self.place.path("a.db")).ok()?;
        let meter = store.meters().ok()?.pop()?;
        let (_, last) = store.extent(&meter).ok()??;
        Some((meter, last))
    }

    pub(crate) fn size(&self, name: &str) -> u64 {
        std::fs::metadata(self.place.path(name)).map_or(0, |metadata| metadata.len())
    }
}

#[test]
fn promise_p15_soak_a_year_of_pushes_with_faults_adds_up_to_what_the_meter_counted() {
    let is_long = std::env::var_os("LONG").is_some();
    let year = if is_long { Year::WHOLE } else { Year::SHORT };
    let Some(age) = Age::begin(year.start) else {
        println!("skipped: libfaketime is not installed");
        return;
    };
    let began = Clock::now();
    let sent: Sent = year.live(&age);
    let logged = began.elapsed();
    let hot = age.size("a.db");

    age.set(year.end + 3600);
    let all = told::exported(&age);
    sent.assert_kept(&all);
    let months = told::stats(&age, "month");
    sent.assert_months(&months);

    let keep = if is_long { "90d" } else { "2d" };
    let consolidated = age.run(&["consolidate", "--archive", "archive", "--keep", keep, "--prune", "-q"]);
    assert_eq!(consolidated.clean(), "");
    assert_eq!(age.run(&["consolidate", "--archive", "archive", "--verify", "-q"]).exit, 0);
    assert!(age.size("a.db") > 0 && age.run(&["db", "check", "-q"]).exit == 0);
    // Most of it lies in the archive now; nothing that is asked tells so.
    assert_eq!(told::stats(&age, "month"), months);
    sent.assert_years(&told::stats(&age, "year"));
    sent.assert_same(&told::exported(&age), &all);
    age.run(&["db", "compact", "-q"]).clean();
    println!(
        "soak: {} in {:.0} s ({:.0} a second), in all {:.0} s; store {} bytes, pruned to {}, archive {}",
        sent.figures(&all),
        logged.as_secs_f64(),
        sent.count() as f64 / logged.as_secs_f64(),
        began.elapsed().as_secs_f64(),
        hot,
        age.size("a.db"),
        told::archive_size(&age.place.path("archive")),
    );
}
