//! The built program at ports where simulated meters speak: read with no other word than the port, diagnosed when that
//! fails, stopped at any instant.
//!
//! Meters take their time, so the cases of a test run side by side.

#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods)]

#[path = "../testenv/mod.rs"]
mod testenv;

mod causes;
mod interrupt;
mod line;
mod picker;
mod read;

use std::thread;

/// Runs the cases at the same time; what fails is named by the panics of all that do.
fn side_by_side<T: Sync>(cases: &[T], check: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        let running: Vec<_> = cases.iter().map(|case| scope.spawn(|| check(case))).collect();
        let failed = running.into_iter().filter_map(|case| case.join().err()).count();
        assert_eq!(failed, 0, "cases failed");
    });
}
