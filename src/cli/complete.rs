//! What a shell is offered while somebody types: the ports that are plugged in, the meters of the store, the fields there are.
//!
//! The shell asks the program itself: `source <(COMPLETE=bash releve)`. Nothing is opened but the store, for reading.

use super::Cli;
use super::args::Globals;
use crate::detect::KINDS;
use crate::document::column_key;
use crate::reading::Column;
use crate::store::Store;
use crate::transport;
use clap::Parser as _;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use std::ffi::{OsStr, OsString};

/// Answers the shell and ends, if that is who asks.
pub(super) fn answer() {
    clap_complete::CompleteEnv::with_factory(super::command).complete();
}

/// Ports, with what is plugged in.
pub(super) fn ports() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| {
        let ports = transport::ports();
        let named = ports.iter().map(|port| (port.path.display().to_string(), Some(super::ports::device(port))));
        let lasting =
            ports.iter().filter_map(|port| port.by_id.as_ref()).map(|link| (link.display().to_string(), None));
        fitting(begun, named.chain(lasting))
    })
}

/// Meters of the store, and aliases of the settings.
pub(super) fn meters() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| {
        let Some(globals) = globals() else { return Vec::new() };
        let store = globals.store_path().ok().and_then(|path| Store::open(&path).ok());
        let stored = store.and_then(|store| store.meters().ok()).unwrap_or_default();
        let stored = stored.into_iter().map(|meter| (meter.as_str().to_owned(), None));
        fitting(begun, stored.chain(globals.aliases()))
    })
}

/// Kinds of events.
pub(super) fn kinds() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| listed(begun, KINDS.iter().map(|kind| kind.name)))
}

/// Columns of readings.
pub(super) fn columns() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| listed(begun, Column::ALL.iter().map(|&column| column_key(column))))
}

/// Fields of statistics.
pub(super) fn statistics() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| listed(begun, super::stats::field_names()))
}

fn fitting(begun: &OsStr, all: impl Iterator<Item = (String, Option<String>)>) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let fitting = all.filter(|(value, _)| value.starts_with(&*begun));
    fitting.map(|(value, help)| CompletionCandidate::new(value).help(help.map(Into::into))).collect()
}

/// The last of several with commas is completed.
fn listed(begun: &OsStr, all: impl Iterator<Item = &'static str>) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let (before, _) = begun.rsplit_once(',').map_or(("", &*begun), |(before, _)| (&begun[..=before.len()], ""));
    fitting(OsStr::new(&*begun), all.map(|name| (format!("{before}{name}"), None)))
}

/// The settings that the line being typed would have, as far as they can be told from it.
fn globals() -> Option<Globals> {
    // What is being typed need not be UTF-8.
    let words: Vec<OsString> = std::env::args_os().collect();
    let mut line = vec![OsString::from("releve"), OsString::from("ports")];
    for option in ["--db", "--config"] {
        if let Some(at) = words.iter().position(|word| word == option) {
            line.extend(words.get(at..at + 2)?.iter().cloned());
        }
    }
    Some(Cli::try_parse_from(line).ok()?.globals)
}
