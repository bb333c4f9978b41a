//! What is left when the power goes: disks put together as they may be found after it, from the writes a program made.
//!
//! `LONG=1` tries many more of them.

#![allow(missing_docs, dead_code, clippy::print_stdout, clippy::disallowed_methods)]

#[path = "../testenv/mod.rs"]
mod testenv;

#[path = "../log/meter.rs"]
mod meter;

mod disk;
mod power;
mod prune;
mod trace;

use crate::testenv::{Place, Run};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The long form of a loop, or the one for every day.
fn long<T>(long: T, short: T) -> T {
    if std::env::var_os("LONG").is_some() { long } else { short }
}

fn releve(place: &Place, db: &Path, arguments: &[&str]) -> Run {
    Run::of(place.command().args(arguments).arg("--db").arg(db).output().unwrap())
}

/// Does something for each case, on both cores.
fn each<T: Sync>(cases: &[T], act: impl Fn(usize, &T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((index, case)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, cases.get(n)?)))
                {
                    act(index, case);
                }
            });
        }
    });
}
