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

/// A xorshift generator: the same trouble on every machine.
struct Random(u64);

impl Random {
    fn new(seed: usize) -> Self {
        Self((seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
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
