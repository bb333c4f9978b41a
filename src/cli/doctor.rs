//! `releve doctor`: why it does not work, and what to do about it.

use super::args::Globals;
use super::diagnosis;
use super::failure::{self, Failure};
use super::interrupt::Interrupt;
use super::output::{Output, printable};
use super::source::{Reach, Source};
use super::words::{self, count, errors, tr};
use crate::reading::{Instant, Language};
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
    fn word(self) -> String {
        match self {
            Self::Ok => tr!("ok"),
            Self::Warn => tr!("warn"),
            Self::Fail => tr!("FAIL"),
            Self::Skip => tr!("skip"),
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
        let json = self.json || self.format.map_or(!output.is_terminal(), |format| format == Format::Json);
        if json {
            // A report is for strangers, and programs: it is the same in every language.
            words::choose(Language::English);
        }
        let mut checks = vec![config(globals), time(globals), store(globals)];
        match self.source.resolve(globals) {
            Ok(reach) => match meter(&reach, &interrupt, globals) {
                Some(found) => checks.extend(found),
                None => return Ok(interrupt.end()),
            },
            Err(error) => checks.push(Check::failed("meter", State::Fail, Failure::of(&error))),
        }
        checks.push(terminal(globals, output));
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
            globals.note(&tr!(
                "{failed} failed, {warned} to look at. For a bug report: releve doctor -f json",
                failed,
                warned
            ));
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
    let widest = |words: &mut dyn Iterator<Item = String>| words.map(|word| word.chars().count()).max().unwrap_or(0);
    let states = widest(&mut [State::Ok, State::Warn, State::Fail, State::Skip].into_iter().map(State::word));
    let subjects = widest(&mut SUBJECTS.into_iter().map(subject));
    let (state, what) = (check.etat.word(), subject(check.sujet));
    output.line(&format!("{state:<states$}  {what:<subjects$}  {}{id}", printable(&check.message)))?;
    let cause = check.cause.iter().map(|text| tr!("cause: {text}", text = printable(text)));
    let tips = check.conseils.iter().map(|text| tr!("tip: {text}", text = printable(text)));
    cause.chain(tips).try_for_each(|reason| output.line(&format!("{:1$}{reason}", "", states + subjects + 4)))
}

/// What is looked at.
const SUBJECTS: [&str; 6] = ["config", "time", "store", "port", "meter", "terminal"];

/// The same for people.
fn subject(name: &str) -> String {
    match name {
        "config" => tr!("config"),
        "time" => tr!("time"),
        "store" => tr!("store"),
        "port" => tr!("port"),
        "meter" => tr!("meter"),
        _ => tr!("terminal"),
    }
}

fn config(globals: &Globals) -> Check {
    match globals.config() {
        Ok(config) => match &config.path {
            Some(path) => Check::new("config", State::Ok, path.display().to_string()),
            None => Check::new("config", State::Ok, tr!("none, defaults in use (`releve config default` prints them)")),
        },
        Err(error) => Check::failed("config", State::Fail, Failure::of(&error)),
    }
}

fn time(globals: &Globals) -> Check {
    /// When this was written: a clock before it is wrong.
    const WRITTEN: i64 = 1_795_000_000;
    match globals.zone() {
        Ok(_) if Instant::now().unix_seconds() < WRITTEN - 365 * 24 * 3600 => {
            Check::new("time", State::Warn, tr!("the clock says {time}, which is long past", time = Instant::now()))
        }
        Ok(zone) => {
            let now = Instant::now().for_people(zone.zone);
            Check::new("time", State::Ok, tr!("{zone}, now {time}", zone = zone.zone, time = now))
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
        Ok(meters) => Check::new("store", State::Ok, format!("{}, {}", path.display(), count::meters(meters.len()))),
        Err(StoreError::Missing(_)) => {
            Check::new("store", State::Skip, tr!("{path}, made by the first `read --save`", path = path.display()))
        }
        Err(error) => Check::failed("store", State::Fail, Failure::of(&error.into())),
    }
}

/// The port and the meter behind it; `None` when somebody stopped it.
fn meter(reach: &Reach, interrupt: &Interrupt, globals: &Globals) -> Option<Vec<Check>> {
    let Some(address) = &reach.port else {
        return Some(vec![Check::new("meter", State::Skip, tr!("no port was named; --port has it looked at"))]);
    };
    let mut link = match transport::open(address, reach.wishes.line.unwrap_or(LINES[0])) {
        Ok(link) => link,
        Err(error) => return Some(vec![Check::failed("port", State::Fail, Failure::of(&error.into()))]),
    };
    let mut checks = vec![Check::new("port", State::Ok, tr!("{port} can be opened", port = address))];
    let mut progress = |attempt: &Attempt| globals.detail(&diagnosis::attempt(attempt));
    let name = address.to_string();
    checks.push(match recognise(&mut *link, &reach.wishes, interrupt.stop(), &mut progress) {
        Ok(Found { approach, taken, .. }) => {
            let lacks = taken.readings.iter().find_map(|received| Cause::of_reading(&received.reading));
            match lacks {
                Some(cause) => Check::failed("meter", State::Warn, diagnosis::failure(&cause, &name, &[])),
                None => Check::new("meter", State::Ok, tr!("it is read: {how}", how = errors::approach(&approach))),
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
        Some((terminal_size::Width(width), _)) if output.is_terminal() => tr!("{n} columns", n = width),
        _ => tr!("none"),
    };
    let colour = if globals.colour() { tr!("colour") } else { tr!("no colour") };
    Check::new("terminal", State::Ok, format!("{what}, {colour}"))
}
