//! `releve log` against meters that live on ptys: what it keeps, whatever happens to it, its port and its store.
//!
//! `LONG=1` makes the loops as long as the promises say.

#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods)]

#[path = "../testenv/mod.rs"]
mod testenv;

mod end;
mod kill;
mod logging;
mod meter;
mod mqtt;
mod port;
mod service;
mod store;
mod wear;

/// The long form of a loop, or the one for every day.
fn long<T>(long: T, short: T) -> T {
    if std::env::var_os("LONG").is_some() { long } else { short }
}
