//! Second opinions: independent implementations at the other end of the line.
//!
//! They are Python packages that `.ci/run` installs; where one is missing, a test says so and passes.

#![allow(missing_docs, clippy::print_stdout)]

mod dlms;
mod iec62056;
mod peer;
#[path = "../testenv/mod.rs"]
mod testenv;
