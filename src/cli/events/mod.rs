//! `releve events`: what happened, found in readings, said by meters and people.

mod add;
mod detect;
mod exec;
mod follow;
mod kinds;
mod list;
mod print;

pub(super) use add::put_imported;
pub(super) use exec::Runner;

use super::args::Globals;
use super::config::nearest;
use super::failure::{self, Failure};
use super::output::Output;
use super::when::Span;
use super::words::tr;
use crate::detect::KINDS;
use crate::reading::Severity;
use crate::store::Store;
use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use smol_str::SmolStr;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  releve events --db target/example.db
  releve events --db target/example.db --since 2010-01-01 --severity error --json
  releve events --db target/example.db --search electrique
  releve events add \"Panne électrique\" --db target/example.db --at 2025-11-07 --type coupure
  releve events detect --db target/example.db";

const MORE: &str = "\
Examples:
  releve events --db target/example.db
  releve events --db target/example.db --since 2010-01-01 --severity error --json
  releve events --db target/example.db --search electrique
  releve events add \"Panne électrique\" --db target/example.db --at 2025-11-07 --type coupure
  releve events detect --db target/example.db

An event is one row for each episode and phase. `releve log` finds them as readings come in; `detect` runs the same rules over
what is stored, after an import or when a threshold was changed in the settings, and puts right what differs. What a person
added, what the reader noticed and what stands in the meter's own logs it leaves alone.

--search finds all of the words, or beginnings of words, whatever their accents and case. --follow goes on with new events as
they come, until Ctrl-C; with --exec a command is run by the shell for each of them, its JSON on standard input. On a terminal
the 20 newest are shown unless --limit or --since says otherwise.";

/// List what happened, or say what did
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES, after_long_help = MORE)]
pub(super) struct Cmd {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say what you saw: an outage, work on the installation
    #[command(
        after_help = "Examples:\n  releve events add \"The lights flickered\" --db target/example.db\n  releve events add \"New cooker\" --db target/example.db --at yesterday --type note"
    )]
    Add(add::Add),
    /// Find events again in the stored readings, by the rules that hold now
    #[command(
        after_help = "Examples:\n  releve events detect --db target/example.db\n  releve events detect --db target/example.db --since 2025-11"
    )]
    Detect(detect::Detect),
}

/// Which events, and how.
#[derive(Debug, Args)]
struct Asked {
    #[command(flatten)]
    span: Span,
    /// Of this severity; several with commas
    #[arg(long, value_name = "SEVERITY", value_delimiter = ',')]
    severity: Vec<Word>,
    /// Of this kind, like surtension or its word in the table; several with commas
    #[arg(long = "type", value_name = "KIND", value_delimiter = ',', add = super::complete::kinds())]
    kinds: Vec<String>,
    /// With all these words in the description
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// No more than so many, the newest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// How to print [default: table on a terminal, json in a pipe]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Short for -f json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Go on with new ones as they come
    #[arg(long, conflicts_with = "until")]
    follow: bool,
    /// With --follow: run a command for each new one, its JSON on standard input
    #[arg(long, value_name = "COMMAND", requires = "follow", hide_short_help = true)]
    exec: Option<String>,
    /// End with 1 if there is none
    #[arg(long, hide_short_help = true)]
    fail_empty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, the severity as a word
    Table,
    /// One object, as the API answers
    Json,
    /// An object a line
    Ndjson,
    /// A row an event
    Csv,
}

/// A severity on the command line and in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Word {
    /// Nothing to do
    Info,
    /// Out of bounds
    Warning,
    /// Supply or measurement is defective
    Error,
    /// Danger, fraud, or data lost
    Critical,
}

impl Word {
    pub(super) const fn severity(self) -> Severity {
        match self {
            Self::Info => Severity::Info,
            Self::Warning => Severity::Warning,
            Self::Error => Severity::Error,
            Self::Critical => Severity::Critical,
        }
    }
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        match self.what {
            None => list::run(&self.asked, globals, output),
            Some(What::Add(add)) => add.run(globals, output),
            Some(What::Detect(detect)) => detect.run(globals, output),
        }
    }
}

/// The kinds there are: those we know, and those of imports.
fn known_kinds(store: &Store) -> anyhow::Result<Vec<SmolStr>> {
    let mut kinds: Vec<SmolStr> = KINDS.iter().map(|kind| SmolStr::new_static(kind.name)).collect();
    kinds.extend(store.event_kinds()?);
    Ok(kinds)
}

/// The word of a severity, for people.
pub(super) fn severity(severity: Severity) -> String {
    match severity {
        Severity::Info => tr!("info"),
        Severity::Warning => tr!("warning"),
        Severity::Error => tr!("error"),
        Severity::Critical => tr!("critical"),
    }
}

/// The failure of a kind that there is not.
fn unknown_kind(kind: &str, known: &[SmolStr]) -> Failure {
    let names: Vec<&str> = known.iter().map(SmolStr::as_str).collect();
    let failure = Failure::new(failure::USAGE, "event.type", tr!("there is no kind of event '{kind}'", kind));
    match nearest(kind, &names) {
        Some(meant) => failure.tip(tr!("did you mean '{word}'?", word = meant)),
        None => failure.tip(tr!("docs/EVENTS.md lists the kinds; surtension, coupure and pic_puissance are some")),
    }
}
