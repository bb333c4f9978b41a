//! `releve read`: the readings of a capture.

use super::args::{Globals, ZoneChoice};
use super::failure::{self, Failure};
use super::output::{self, Output, printable};
use super::save::Saver;
use super::{keys, table};
use crate::acquire::quirks::dlms::PushList;
use crate::acquire::{Decoder, Outcome, Receipt, Settings, Stamped, log, timestamp};
use crate::document::{Values, reading_json};
use crate::exchange::{csv, influx, prometheus};
use crate::reading::{Anomaly, AnomalyCode, Code, Instant, MeterId, Obis, Protocol, Reading, TariffMemory};
use crate::transport::Input;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve read fixtures/dsmr/smart5.txt
  releve read fixtures/iec62056/mode_c.txt --obis 1.8.0
  releve read fixtures/sml/push.bin -f ndjson
  releve read fixtures/dlms/e450_ciphered.bin --key-file fixtures/dlms/example.key -f json
  releve read - < fixtures/dsmr/smart5.txt

Every reading of the capture is printed, in order. A damaged telegram gives no values: it is named on stderr and among
the `anomalies` of the next good reading.";

/// Read a capture: the readings of a file or of standard input
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    /// The capture, or - for standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The protocol, if it is not to be found out
    #[arg(long, value_name = "PROTOCOL", default_value = "auto")]
    protocol: ProtocolChoice,
    /// Only these registers, like 1.8.0 or 1-0:32.7.0
    #[arg(long, value_name = "CODE", num_args = 1.., value_parser = parse_code)]
    obis: Vec<CodePattern>,
    /// The file with the keys of enciphered telegrams
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// What the values of a push without OBIS codes mean
    #[arg(long, value_name = "NAME")]
    push_list: Option<PushList>,
    /// Also keep the readings in the store
    #[arg(long)]
    save: bool,
    /// Also keep the raw bytes in a file, for later replay
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// How to print [default: table on a terminal, json in a pipe]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Short for -f json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// End with 1 if there is no reading, or none of the registers asked for
    #[arg(long)]
    fail_empty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// One object for one reading, an array for several
    Json,
    /// An object a line, as they come
    Ndjson,
    /// A row a register
    Csv,
    /// InfluxDB line protocol
    Influx,
    /// Prometheus text format, the newest reading of each meter
    Prometheus,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ProtocolChoice {
    /// Find out from the bytes
    Auto,
    /// IEC 62056-21, modes A to D
    #[value(name = "iec62056-21")]
    Iec62056,
    /// DLMS/COSEM pushes
    Dlms,
    /// DSMR P1
    Dsmr,
    /// SML
    Sml,
}

impl ProtocolChoice {
    const fn protocol(self) -> Option<Protocol> {
        match self {
            Self::Auto => None,
            Self::Iec62056 => Some(Protocol::Iec62056),
            Self::Dlms => Some(Protocol::Dlms),
            Self::Dsmr => Some(Protocol::Dsmr),
            Self::Sml => Some(Protocol::Sml),
        }
    }
}

/// A register asked for: without `A-B:` any channel of electricity will do.
#[derive(Debug, Clone)]
struct CodePattern {
    code: Code,
    obis: Option<Obis>,
    any_channel: bool,
}

fn parse_code(text: &str) -> Result<CodePattern, String> {
    let code = Code::parse(text.as_bytes());
    let obis = code.resolved();
    if obis.is_none() && !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err("write it like 1.8.0, 1-0:1.8.0, C.1.0 or 1.8.0*12".to_owned());
    }
    Ok(CodePattern { code, obis, any_channel: !text.contains(':') })
}

impl CodePattern {
    fn matches(&self, code: &Code) -> bool {
        match (self.obis, code.resolved()) {
            (Some(asked), Some(found)) if self.any_channel => {
                // Letter codes resolve to abstract objects, whatever prefix they were printed with.
                found.a() <= 1 && asked.octets()[2..] == found.octets()[2..]
            }
            (Some(asked), Some(found)) => asked == found,
            _ => self.code == *code,
        }
    }
}

/// How much to take from the source at once.
const CHUNK: usize = 64 * 1024;

/// A pipe or device that has not given a single telegram in so many bytes is no meter.
const PATIENCE: u64 = 16 * 1024 * 1024;

/// Programs and noise hold something like the start of a telegram about this often; broken captures far more often.
const BYTES_PER_CHANCE_FAULT: u64 = 32 * 1024;

/// How many damaged telegrams are named one by one on stderr.
const MAX_WARNINGS: usize = 5;

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let Some(path) = &self.file else {
            return Err(Failure::new(failure::USAGE, "read.source", "nothing to read: no capture was named")
                .tip("releve read FILE, or releve read - for standard input")
                .into());
        };
        let keys = keys::load(self.key_file.as_deref(), globals)?;
        let mut input = Input::open(path)?;
        if path.as_os_str() == "-" && io::stdin().is_terminal() {
            globals.note("reading standard input; end it with Ctrl-D");
        }
        let capture = self.capture.as_deref().map(create_capture).transpose()?;
        let format = match (self.format, self.json) {
            (Some(format), _) => format,
            (None, true) => Format::Json,
            (None, false) if output.is_terminal() => Format::Table,
            (None, false) => Format::Json,
        };
        let receipt = match input.modified() {
            Some(modified) => Receipt::Replay(Instant::from_system_time(modified)),
            None => Receipt::Replay(Instant::now()),
        };
        let settings = Settings { protocol: self.protocol.protocol(), keys, push_list: self.push_list };
        let mut reader = Reader {
            globals,
            source: if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() },
            zone: globals.zone()?,
            named: globals.meter()?,
            receipt,
            printer: Printer::new(format, globals),
            saver: self.save.then(|| Saver::open(globals)).transpose()?,
            wanted: &self.obis,
            memories: HashMap::new(),
            readings: 0,
            registers: 0,
            faults: Vec::new(),
            fault_count: 0,
            length: 0,
        };
        if let Err(error) = reader.run(&mut input, Decoder::new(settings), capture, output) {
            // What was read before stays read, whatever stops the rest.
            if let Some(saver) = &mut reader.saver {
                saver.flush()?;
            }
            return Err(error);
        }
        reader.end(output, self.fail_empty)
    }
}

fn create_capture(path: &Path) -> anyhow::Result<(File, PathBuf)> {
    let file = File::create(path).map_err(|error| {
        let exit = if error.kind() == io::ErrorKind::PermissionDenied { failure::DENIED } else { failure::WRITE };
        Failure::new(exit, "capture.write", format!("cannot write {}", path.display())).cause(error.to_string())
    })?;
    Ok((file, path.to_owned()))
}

struct Reader<'a> {
    globals: &'a Globals,
    source: String,
    zone: ZoneChoice,
    named: Option<MeterId>,
    receipt: Receipt,
    printer: Printer,
    saver: Option<Saver>,
    wanted: &'a [CodePattern],
    memories: HashMap<Option<MeterId>, TariffMemory>,
    readings: usize,
    registers: usize,
    faults: Vec<Anomaly>,
    fault_count: usize,
    /// Of the whole input, in bytes.
    length: u64,
}

impl Reader<'_> {
    fn run(
        &mut self,
        input: &mut Input,
        mut decoder: Decoder,
        mut capture: Option<(File, PathBuf)>,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let mut buffer = vec![0; CHUNK];
        let mut outcomes = Vec::new();
        loop {
            let count = match input.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Failure::new(failure::NO_INPUT, "input.read", format!("cannot read {}", self.source))
                        .cause(error.to_string())
                        .into());
                }
            };
            let bytes = &buffer[..count];
            if let Some((file, path)) = &mut capture {
                file.write_all(bytes).map_err(|error| {
                    Failure::new(failure::WRITE, "capture.write", format!("cannot write {}", path.display()))
                        .cause(error.to_string())
                })?;
            }
            let mut sink = |outcome| outcomes.push(outcome);
            if count == 0 {
                decoder.finish(&mut sink);
            } else {
                decoder.push(bytes, &mut sink);
            }
            for outcome in outcomes.drain(..) {
                match outcome {
                    Outcome::Reading(reading) => self.reading(reading, output)?,
                    Outcome::Fault(fault) => self.fault(fault),
                }
            }
            if count == 0 {
                self.length = decoder.position();
                return Ok(());
            }
            if input.is_endless()
                && let Some(saver) = &mut self.saver
            {
                // Whoever reads along a line may stop at any instant: nothing waits for a fuller group.
                saver.flush()?;
            }
            output.flush()?;
            if input.is_endless() && self.readings == 0 && decoder.position() >= PATIENCE {
                let what = format!("{}: {} bytes without a telegram", self.source, decoder.position());
                return Err(Failure::new(failure::NOT_A_METER, "data.unknown", what)
                    .tip("is this what a meter sends? see with: releve explain")
                    .into());
            }
        }
    }

    fn reading(&mut self, mut reading: Reading, output: &mut Output) -> anyhow::Result<()> {
        self.readings += 1;
        let stamped = timestamp(&mut reading, self.receipt, self.zone.zone, self.zone.chosen);
        if let Some(named) = &self.named {
            reading.meter = Some(named.clone());
        }
        if let Some(saver) = &mut self.saver {
            saver.keep(&reading, stamped.at)?;
        }
        let memory = self.memories.entry(reading.meter.clone()).or_default();
        let mut values = Values::of(&reading, memory);
        if !self.wanted.is_empty() {
            reading.registers.retain(|register| self.wanted.iter().any(|wanted| wanted.matches(&register.code)));
            values = Values::of(&reading, &mut TariffMemory::default());
        }
        self.registers += reading.registers.len();
        self.printer.print(&reading, &values, stamped, !self.wanted.is_empty(), output)
    }

    fn fault(&mut self, fault: Anomaly) {
        self.fault_count += 1;
        // A first fault without any reading becomes the error at the end; the others are warnings as they come.
        if self.faults.len() < MAX_WARNINGS {
            if self.readings > 0 {
                self.warn(&fault);
            }
            self.faults.push(fault);
        }
    }

    fn warn(&self, fault: &Anomaly) {
        self.globals.warn(&printable(&format!("{}: byte {}: {}", self.source, fault.position, fault.detail)));
    }

    fn end(mut self, output: &mut Output, fail_empty: bool) -> anyhow::Result<ExitCode> {
        self.printer.end(output)?;
        if let Some(saver) = self.saver.take() {
            let done = saver.finish()?;
            self.globals.detail(&format!("stored {} readings, {} were there already", done.added, done.known));
        }
        if self.readings == 0 {
            return Err(self.nothing().into());
        }
        if self.fault_count > self.faults.len() {
            let more = self.fault_count - self.faults.len();
            self.globals.warn(&format!("{}: {more} more damaged telegrams", self.source));
        }
        if !self.wanted.is_empty() && self.registers == 0 {
            self.globals.note(&format!("{}: no telegram has such a register", self.source));
            if fail_empty {
                return Ok(ExitCode::from(failure::OTHER));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Why there is no reading.
    fn nothing(&self) -> Failure {
        // A missing or wrong key is the thing to know, even if noise came first.
        let keys = |fault: &&Anomaly| matches!(fault.code, AnomalyCode::KeyMissing | AnomalyCode::KeyMismatch);
        let key = self.faults.iter().find(keys);
        match key.or(self.faults.first()) {
            Some(fault) if key.is_some() || !self.chance() => Failure::data(&self.source, fault),
            fault => {
                let failure = Failure::new(
                    failure::NOT_A_METER,
                    "data.unknown",
                    format!("{}: nothing in it is a telegram", self.source),
                );
                let failure = match fault {
                    Some(fault) => {
                        failure.cause(format!("the nearest to one: byte {}: {}", fault.position, fault.detail))
                    }
                    None => failure
                        .cause("neither IEC 62056-21, DSMR P1, SML nor DLMS begins at any byte, from 0 to the end"),
                };
                failure.tip("a capture holds the raw bytes of the line; text dumps have to be turned back: xxd -r -p")
            }
        }
    }

    /// Whether the damaged telegrams are so far between that chance alone makes as many, in a program or a picture.
    fn chance(&self) -> bool {
        let starts_as_one = self.faults.first().is_some_and(|fault| fault.position == 0);
        !starts_as_one && self.length > BYTES_PER_CHANCE_FAULT * self.fault_count as u64
    }
}

/// Prints readings as they come.
struct Printer {
    format: Format,
    tables: table::Tables,
    count: usize,
    /// The first object, until it is known whether it is the only one.
    first: Option<String>,
    newest: Vec<(Option<MeterId>, Values, Instant)>,
}

impl Printer {
    fn new(format: Format, globals: &Globals) -> Self {
        Self { format, tables: table::Tables::new(globals), count: 0, first: None, newest: Vec::new() }
    }

    fn print(
        &mut self,
        reading: &Reading,
        values: &Values,
        stamped: Stamped,
        chosen: bool,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let source = reading.protocol.default_source();
        let log = log::entries(reading);
        let json = || reading_json(reading, values, &log, stamped.at, stamped.zone, source);
        self.count += 1;
        match self.format {
            Format::Table if chosen && !output.is_terminal() => self.tables.plain(reading, output)?,
            Format::Table => self.tables.reading(reading, stamped, self.count > 1, output)?,
            Format::Json => {
                let text = serde_json::to_string_pretty(&json()).context("making JSON")?;
                match (self.count, self.first.take()) {
                    (1, _) => self.first = Some(text),
                    (_, Some(first)) => output.write(&format!("[\n{first},\n{text}"))?,
                    (_, None) => output.write(&format!(",\n{text}"))?,
                }
            }
            Format::Ndjson => {
                output.line(&serde_json::to_string(&json()).context("making JSON")?)?;
            }
            Format::Csv => {
                let mut writer = ::csv::Writer::from_writer(Vec::new());
                if self.count == 1 {
                    writer.write_record(csv::HEADER)?;
                }
                csv::write_reading(&mut writer, reading, stamped.at)?;
                let rows = writer.into_inner().context("making CSV")?;
                output.writer().write_all(&rows).map_err(output::WriteError)?;
            }
            Format::Influx => {
                if let Some(line) = influx::line(reading, values, stamped.at, source) {
                    output.line(&line)?;
                }
            }
            Format::Prometheus => {
                self.newest.retain(|(meter, ..)| *meter != reading.meter);
                self.newest.push((reading.meter.clone(), values.clone(), stamped.at));
            }
        }
        Ok(())
    }

    fn end(&mut self, output: &mut Output) -> anyhow::Result<()> {
        match self.format {
            Format::Json => match self.first.take() {
                Some(only) => output.line(&only)?,
                None if self.count > 1 => output.line("\n]")?,
                None => {}
            },
            Format::Prometheus => {
                let samples: Vec<_> = self
                    .newest
                    .iter()
                    .map(|(meter, values, at)| prometheus::Sample {
                        meter: meter.as_ref().map_or("", MeterId::as_str),
                        values,
                        read_at: at.unix_seconds(),
                    })
                    .collect();
                output.write(&prometheus::exposition(&samples))?;
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_without_channel_matches_any_channel_of_electricity() {
        let matches = |asked: &str, found: &str| parse_code(asked).unwrap().matches(&Code::parse(found.as_bytes()));
        assert!(matches("1.8.0", "1-0:1.8.0*255"));
        assert!(matches("1.8.0", "1-1:1.8.0"));
        assert!(matches("1.8", "1.8.0"));
        assert!(matches("C.1.0", "0-0:96.1.0"));
        assert!(matches("96.1.0", "C.1.0"));
        assert!(matches("FF", "FF"));
        assert!(!matches("1.8.0", "1.8.1"));
        assert!(!matches("1.8.0", "1.8.0*12"));
        assert!(!matches("1-0:1.8.0", "1-1:1.8.0"));
        assert!(!matches("1.0.0", "7-0:1.0.0"));
        assert!(parse_code("1.8,0").is_err());
    }
}
