//! `releve read`: a reading from a meter, or the readings of a capture.

mod capture;
mod collector;
mod pattern;
mod port;
mod printer;
mod records;

use super::args::Globals;
use super::failure::{self, Failure};
use super::interrupt::Interrupt;
use super::output::{self, Output};
use super::ports;
use super::save::{KeepFor, Saver};
use super::source::Source;
use super::when::Span;
use super::words::tr;
use crate::acquire::Receipt;
use crate::reading::Instant;
use crate::session::{LINES, Records};
use crate::transport::{self, Address, Input, Recorder, Tapped, Traffic};
use clap::Args;
use collector::Collector;
use pattern::{CodePattern, parse_code};
use port::{Visit, Visitor};
use printer::Format;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

/// The examples, which both the short and the long help show.
macro_rules! examples {
    () => {
        "\
Examples:
  releve read --port target/meter --obis 1.8.0 16.7.0
  releve read fixtures/dsmr/smart5.txt
  releve read fixtures/dlms/e450_ciphered.bin --key-file fixtures/dlms/example.key -f json
  releve read - -f ndjson < fixtures/sml/push.bin"
    };
}

const MORE: &str = concat!(
    examples!(),
    "

A meter is recognised by listening first and asking then. A port on which nothing moves is given up after 12 s; one on which
something moves that cannot be read, after --timeout. -v says what is tried.

Every reading of a capture is printed, in order. A damaged telegram gives no values: it is named on stderr and among
the `anomalies` of the next good reading."
);

/// Read a meter, or the readings of a file or of standard input
#[derive(Debug, Args)]
#[command(after_help = examples!(), after_long_help = MORE)]
pub(super) struct Cmd {
    /// A capture instead of a meter; - is standard input
    #[arg(value_name = "FILE", conflicts_with = "port")]
    file: Option<PathBuf>,
    /// The meter's load profile over a period instead of its registers
    #[arg(long, conflicts_with_all = ["file", "log"])]
    profile: bool,
    /// The meter's own event log over a period instead of its registers
    #[arg(long, conflicts_with = "file")]
    log: bool,
    #[command(flatten)]
    span: Span,
    /// Only these registers, like 1.8.0 or 1-0:32.7.0
    #[arg(long, value_name = "CODE", num_args = 1.., value_parser = parse_code)]
    obis: Vec<CodePattern>,
    /// Also keep the readings in the store
    #[arg(long)]
    save: bool,
    /// With --save: also keep the raw bytes in the store for so long, like 30d, for `db redecode`
    #[arg(long, value_name = "TIME", requires = "save", hide_short_help = true)]
    keep_raw: Option<KeepFor>,
    /// Also keep the raw bytes in a file, for later replay
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    capture: Option<PathBuf>,
    /// How to print [default: table on a terminal, json in a pipe]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Short for -f json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// End with 1 if there is no reading, or none of the registers asked for
    #[arg(long, hide_short_help = true)]
    fail_empty: bool,
    #[command(flatten)]
    source: Source,
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        if self.span.is_given() && self.records().is_none() {
            return Err(Failure::new(failure::USAGE, "read.span", tr!("registers are read now, not over a period"))
                .tip(tr!("with --profile or --log: what the meter has kept"))
                .tip(tr!("what the store has kept: releve export --since ..."))
                .into());
        }
        match &self.file {
            Some(path) => self.replay(path, globals, output),
            None => self.live(globals, output),
        }
    }

    fn live(&self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let reach = self.source.resolve(globals)?;
        let address = match &reach.port {
            Some(address) => address.clone(),
            None => match ports::the_only("releve read", globals)? {
                Some(path) => Address::Device(path),
                // As after Ctrl-C.
                None => return Ok(ExitCode::from(130)),
            },
        };
        let span = self.span.resolve(globals)?;
        let interrupt = Interrupt::catch()?;
        // The port first: a store that is made for a meter nobody reaches is a file nobody asked for.
        let mut link = transport::open(&address, reach.wishes.line.unwrap_or(LINES[0]))?;
        let mut collector =
            Collector::new(address.to_string(), globals, self.format(output), &self.obis, self.saver(globals)?)?;
        if let Some(path) = &self.capture {
            let recorder = Recorder::open(path, link.name(), Instant::now())?;
            link = Box::new(Tapped::new(link, Box::new(recorder))?);
        }
        let heard = Arc::new(Mutex::new(Vec::new()));
        if self.keep_raw.is_some() {
            let kept = Arc::clone(&heard);
            let tap = move |traffic: Traffic<'_>| {
                if let (Traffic::Received(bytes), Ok(mut kept)) = (traffic, kept.lock()) {
                    kept.extend_from_slice(bytes);
                }
            };
            link = Box::new(Tapped::new(link, Box::new(tap))?);
        }
        if globals.verbose > 1 {
            link = Box::new(Tapped::new(link, Box::new(trace))?);
        }
        let mut visitor =
            Visitor { link: &mut *link, reach: &reach, interrupt: &interrupt, globals, collector: &mut collector };
        let visit = match self.records() {
            None => visitor.read(output)?,
            Some(records) => visitor.records(records, &span, self.format(output), output)?,
        };
        // The port is free again before anything else may fail.
        drop(link);
        if let Ok(heard) = heard.lock() {
            collector.raw(&heard, Receipt::Live(Instant::now()))?;
        }
        match visit {
            Visit::Read => collector.end(output, self.fail_empty),
            Visit::Printed => Ok(ExitCode::SUCCESS),
            Visit::Empty => {
                globals.note(&tr!("{port}: the meter has no records of that period", port = address));
                if self.profile && self.format(output) == Format::Json {
                    output.line("[]")?;
                }
                Ok(ExitCode::from(if self.fail_empty { failure::OTHER } else { 0 }))
            }
            Visit::Stopped => Ok(interrupt.end()),
        }
    }

    fn saver(&self, globals: &Globals) -> anyhow::Result<Option<Saver>> {
        if !self.save {
            return Ok(None);
        }
        let mut saver = Saver::open(globals)?;
        saver.keep_raw(self.keep_raw)?;
        Ok(Some(saver))
    }

    fn records(&self) -> Option<Records> {
        match (self.profile, self.log) {
            (true, _) => Some(Records::Profile),
            (_, true) => Some(Records::Log),
            _ => None,
        }
    }

    fn replay(&self, path: &Path, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let reach = self.source.resolve(globals)?;
        let mut input = Input::open(path)?;
        let from_stdin = path.as_os_str() == "-";
        if from_stdin && io::stdin().is_terminal() {
            globals.note(&tr!("reading standard input; end it with Ctrl-D"));
        }
        let source = if from_stdin { failure::standard_input() } else { path.display().to_string() };
        let mut collector = Collector::new(source, globals, self.format(output), &self.obis, self.saver(globals)?)?;
        let done = capture::read(&mut input, reach.wishes.decoder, self.capture.as_deref(), &mut collector, output);
        if let Err(error) = done {
            // What was read before stays read, whatever stops the rest.
            if let Some(saver) = &mut collector.saver {
                saver.flush()?;
            }
            return Err(error);
        }
        collector.end(output, self.fail_empty)
    }

    fn format(&self, output: &Output) -> Format {
        match (self.format, self.json) {
            (Some(format), _) => format,
            (None, true) => Format::Json,
            (None, false) if output.is_terminal() => Format::Table,
            (None, false) => Format::Json,
        }
    }
}

/// A word on stderr for everything that passes, with `-vv`.
fn trace(traffic: Traffic<'_>) {
    /// The octets that are shown of one chunk.
    const SHOWN: usize = 64;
    let octets = |bytes: &[u8]| {
        let shown: Vec<String> = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02X}")).collect();
        let more = if bytes.len() > SHOWN { tr!(" ... {n} more", n = bytes.len() - SHOWN) } else { String::new() };
        format!("{}{more}", shown.join(" "))
    };
    output::say(&match traffic {
        Traffic::Received(bytes) => format!("< {}", octets(bytes)),
        Traffic::SentSecret => format!("> ({})", tr!("a message with a password")),
        Traffic::Sent(bytes) => format!("> {}", octets(bytes)),
        Traffic::Line(line) => format!("= {line}"),
        Traffic::Failed(error) => format!("# {error}"),
    });
}
