//! The built program, as a user or a script meets it. Status, stdout and stderr are compared; what is not said is empty.

#![allow(missing_docs, clippy::print_stdout)]

#[path = "../testenv/mod.rs"]
mod testenv;

mod bad_input;
mod behaviours;
mod capture;
mod contrib;
mod cron;
mod examples;
mod exchange;
mod explain;
mod formats;
mod generated;
mod languages;
mod notices;
mod obis;
mod package;
mod pages;
mod ports;
mod read;
mod skeleton;
mod supply;
mod surroundings;
