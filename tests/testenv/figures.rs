//! What a test of a promise came to, in one form for all: `cargo test promise_ -- --nocapture` prints the table.

#![allow(clippy::print_stdout)]

use std::fmt::Display;

/// A promise was put to the test: so many faults, of which so many were survived, and so many readings were lost.
pub fn figures(promise: u8, faults: impl Display, survived: impl Display, lost: usize, what: impl Display) {
    println!("P{promise:02}: {faults} faults, {survived} survived, {lost} readings lost; {what}");
}

/// The check of a promise was given results that break it: each of them has to be noticed.
///
/// # Panics
/// Where one was not.
#[track_caller]
pub fn control<T, E: Display>(promise: u8, broken: impl IntoIterator<Item = (&'static str, Result<T, E>)>) {
    let mut noticed = 0;
    for (what, result) in broken {
        match result {
            Ok(_) => panic!("P{promise:02}: {what}, and the check takes it for whole"),
            Err(why) => println!("P{promise:02} control: {what}: {why:.200}"),
        }
        noticed += 1;
    }
    assert!(noticed > 0);
    println!("P{promise:02} control: {noticed} broken results, {noticed} noticed");
}
