//! `releve doctor`: why it does not work, and what to do about it.

use super::args::Globals;
use super::diagnosis;
use super::failure::{self, Failure};
use super::interrupt::Interrupt;
use super::output::{Output, printable};
use super::source::{Reach, Source};
use crate::reading::Instant;
use crate::session::{Attempt, Cause, Found, LINES, NotFound, PlayError, recognise};
use crate::store::{Store, StoreError};
use crate::transport;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve doctor
  releve doctor --port target/meter
  releve doctor -f json > report.json

Each line is ok, warn, FAIL or skip; what is not ok says what to do. The end is 1 if anything FAILs. Nothing is changed,
and the report holds neither keys nor the meter's number.";

/// Find out why it does not work
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    #[command(flatten)]
    source: Source,
    /// How to print [default: table on a terminal, json in a pipe]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Short for -f json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// One object, for a bug report
    Json,
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    #[serde(rename = "alerte")]
    Warn,
    #[serde(rename = "echec")]
    Fail,
    #[serde(rename = "omis")]
    Skip,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
            Self::Skip => "skip",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    sujet: &'static str,
    etat: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'static str>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conseils: Vec<String>,
}

impl Check {
    fn new(sujet: &'static str, etat: State, message: impl Into<String>) -> Self {
        Self { sujet, etat, id: None, message: message.into(), cause: None, conseils: Vec::new() }
    }

    fn failed(sujet: &'static str, etat: State, failure: Failure) -> Self {
        Self {
            sujet,
            etat,
            id: Some(failure.id),
            message: failure.message,
            cause: failure.cause,
            conseils: failure.tips,
        }
    }
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let interrupt = Interrupt::catch()?;
        let mut checks = vec![config(globals), time(globals), store(globals)];
        match self.source.resolve(globals) {
            Ok(reach) => match meter(&reach, &interrupt, globals) {
                Some(found) => checks.extend(found),
                None => return Ok(interrupt.end()),
            },
            Err(error) => checks.push(Check::failed("meter", State::Fail, Failure::of(&error))),
        }
        checks.push(terminal(globals, output));
        let json = self.json || self.format.map_or(!output.is_terminal(), |format| format == Format::Json);
        if json {
            #[derive(Serialize)]
            struct Report {
                version: &'static str,
                verifications: Vec<Check>,
            }
            let failed = checks.iter().any(|check| check.etat == State::Fail);
            let report = Report { version: env!("CARGO_PKG_VERSION"), verifications: checks };
            output.line(&serde_json::to_string_pretty(&report)?)?;
            return Ok(exit(failed));
        }
        for check in &checks {
            line(check, output)?;
        }
        let count = |state| checks.iter().filter(|check| check.etat == state).count();
        let (failed, warned) = (count(State::Fail), count(State::Warn));
        if failed + warned > 0 {
            globals.note(&format!("{failed} failed, {warned} to look at. For a bug report: releve doctor -f json"));
        }
        Ok(exit(failed > 0))
    }
}

fn exit(failed: bool) -> ExitCode {
    ExitCode::from(if failed { failure::OTHER } else { 0 })
}

/// `FAIL  meter     no answer from …`, its cause and tips below.
fn line(check: &Check, output: &mut Output) -> anyhow::Result<()> {
    let id = check.id.map(|id| format!("  [{id}]")).unwrap_or_default();
    output.line(&format!("{:<5} {:<9} {}{id}", check.etat.word(), check.sujet, printable(&check.message)))?;
    if let Some(cause) = &check.cause {
        output.line(&format!("{:16}cause: {}", "", printable(cause)))?;
    }
    for tip in &check.conseils {
        output.line(&format!("{:16}tip: {}", "", printable(tip)))?;
    }
    Ok(())
}

fn config(globals: &Globals) -> Check {
    match globals.config() {
        Ok(config) => match &config.path {
            Some(path) => Check::new("config", State::Ok, path.display().to_string()),
            None => Check::new("config", State::Ok, "none, defaults in use (`releve config default` prints them)"),
        },
        Err(error) => Check::failed("config", State::Fail, Failure::of(&error)),
    }
}

fn time(globals: &Globals) -> Check {
    /// When this was written: a clock before it is wrong.
    const WRITTEN: i64 = 1_795_000_000;
    match globals.zone() {
        Ok(_) if Instant::now().unix_seconds() < WRITTEN - 365 * 24 * 3600 => {
            Check::new("time", State::Warn, format!("the clock says {}, which is long past", Instant::now()))
        }
        Ok(zone) => {
            Check::new("time", State::Ok, format!("{}, now {}", zone.zone, Instant::now().for_people(zone.zone)))
        }
        Err(error) => Check::failed("time", State::Fail, Failure::of(&error)),
    }
}

fn store(globals: &Globals) -> Check {
    let path = match globals.store_path() {
        Ok(path) => path,
        Err(error) => return Check::failed("store", State::Fail, Failure::of(&error)),
    };
    match Store::open(&path).and_then(|store| store.meters()) {
        Ok(meters) => Check::new("store", State::Ok, format!("{}, {} meters", path.display(), meters.len())),
        Err(StoreError::Missing(_)) => {
            Check::new("store", State::Skip, format!("{}, made by the first `read --save`", path.display()))
        }
        Err(error) => Check::failed("store", State::Fail, Failure::of(&error.into())),
    }
}

/// The port and the meter behind it; `None` when somebody stopped it.
fn meter(reach: &Reach, interrupt: &Interrupt, globals: &Globals) -> Option<Vec<Check>> {
    let Some(address) = &reach.port else {
        return Some(vec![Check::new("meter", State::Skip, "no port was named; --port has it looked at")]);
    };
    let mut link = match transport::open(address, reach.wishes.line.unwrap_or(LINES[0])) {
        Ok(link) => link,
        Err(error) => return Some(vec![Check::failed("port", State::Fail, Failure::of(&error.into()))]),
    };
    let mut checks = vec![Check::new("port", State::Ok, format!("{address} can be opened"))];
    let mut progress = |attempt: &Attempt| globals.detail(&diagnosis::attempt(attempt));
    let name = address.to_string();
    checks.push(match recognise(&mut *link, &reach.wishes, interrupt.stop(), &mut progress) {
        Ok(Found { approach, taken, .. }) => {
            let lacks = taken.readings.iter().find_map(|received| Cause::of_reading(&received.reading));
            match lacks {
                Some(cause) => Check::failed("meter", State::Warn, diagnosis::failure(&cause, &name, &[])),
                None => Check::new("meter", State::Ok, format!("it is read: {approach}")),
            }
        }
        Err(NotFound::Cause { cause, attempts }) => {
            let mut failure = diagnosis::failure(&cause, &name, &attempts);
            if matches!(cause, Cause::KeyMissing { .. } | Cause::KeyMismatch { .. }) {
                // It names the sender, and a report is for strangers.
                failure.cause = None;
            }
            Check::failed("meter", State::Fail, failure)
        }
        Err(NotFound::Play(PlayError::Stopped)) => return None,
        Err(NotFound::Play(PlayError::Link(error))) => Check::failed("meter", State::Fail, Failure::of(&error.into())),
    });
    Some(checks)
}

fn terminal(globals: &Globals, output: &Output) -> Check {
    let what = match terminal_size::terminal_size_of(std::io::stdout()) {
        Some((terminal_size::Width(width), _)) if output.is_terminal() => format!("{width} columns"),
        _ => "none".to_owned(),
    };
    let colour = if globals.colour() { "colour" } else { "no colour" };
    Check::new("terminal", State::Ok, format!("{what}, {colour}"))
}
