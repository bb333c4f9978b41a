//! What becomes of readings and faults, from wherever they come: stamped, kept, printed, counted.

use super::pattern::CodePattern;
use super::printer::{Format, Printer};
use crate::acquire::{Receipt, timestamp};
use crate::cli::args::{Globals, ZoneChoice};
use crate::cli::failure::{self, Failure};
use crate::cli::output::{Output, printable};
use crate::cli::save::Saver;
use crate::cli::words::{count, tr};
use crate::document::Values;
use crate::reading::{Anomaly, AnomalyCode, MeterId, Reading, TariffMemory};
use std::collections::HashMap;
use std::process::ExitCode;

/// Programs and noise hold something like the start of a telegram about this often; broken captures far more often.
const BYTES_PER_CHANCE_FAULT: u64 = 32 * 1024;

/// How many damaged telegrams are named one by one on stderr.
const MAX_WARNINGS: usize = 5;

/// Takes what a source gives.
pub(super) struct Collector<'a> {
    globals: &'a Globals,
    /// What to call it.
    pub(super) source: String,
    /// What the contract calls the way the readings came, where it is not the protocol's usual one.
    pub(super) origin: Option<&'static str>,
    zone: ZoneChoice,
    named: Option<MeterId>,
    printer: Printer,
    pub(super) saver: Option<Saver>,
    wanted: &'a [CodePattern],
    memories: HashMap<Option<MeterId>, TariffMemory>,
    pub(super) readings: usize,
    registers: usize,
    faults: Vec<Anomaly>,
    fault_count: usize,
    /// Of the whole input, in bytes.
    pub(super) length: u64,
}

impl<'a> Collector<'a> {
    pub(super) fn new(
        source: String,
        globals: &'a Globals,
        format: Format,
        wanted: &'a [CodePattern],
        saver: Option<Saver>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            globals,
            source,
            origin: None,
            zone: globals.zone()?,
            named: globals.named_meter()?,
            printer: Printer::new(format, globals),
            saver,
            wanted,
            memories: HashMap::new(),
            readings: 0,
            registers: 0,
            faults: Vec::new(),
            fault_count: 0,
            length: 0,
        })
    }
}

impl Collector<'_> {
    pub(super) fn reading(
        &mut self,
        mut reading: Reading,
        receipt: Receipt,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        self.readings += 1;
        let stamped = timestamp(&mut reading, receipt, self.zone.zone, self.zone.chosen);
        let source = self.origin.unwrap_or_else(|| reading.protocol.default_source());
        if let Some(named) = &self.named {
            reading.meter = Some(named.clone());
        }
        if let Some(saver) = &mut self.saver {
            saver.keep(&reading, stamped.at, source)?;
        }
        let memory = self.memories.entry(reading.meter.clone()).or_default();
        let mut values = Values::of(&reading, memory);
        if !self.wanted.is_empty() {
            reading.registers.retain(|register| self.wanted.iter().any(|wanted| wanted.matches(&register.code)));
            values = Values::of(&reading, &mut TariffMemory::default());
        }
        self.registers += reading.registers.len();
        self.printer.print(&reading, &values, stamped, source, !self.wanted.is_empty(), output)
    }

    pub(super) fn fault(&mut self, fault: Anomaly) {
        self.fault_count += 1;
        // A first fault without any reading becomes the error at the end; the others are warnings as they come.
        if self.faults.len() < MAX_WARNINGS {
            if self.readings > 0 {
                self.warn(&fault);
            }
            self.faults.push(fault);
        }
    }

    /// Takes the bytes that readings are about to be made of, for whoever keeps them too.
    pub(super) fn raw(&mut self, bytes: &[u8], receipt: Receipt) -> anyhow::Result<()> {
        match &mut self.saver {
            Some(saver) => saver.raw(bytes, receipt, self.named.as_ref()),
            None => Ok(()),
        }
    }

    /// A word about the source, unless `-q`.
    pub(super) fn note(&self, text: &str) {
        self.globals.note(&format!("{}: {text}", self.source));
    }

    fn warn(&self, fault: &Anomaly) {
        self.globals.warn(&printable(&failure::at_byte(&self.source, fault)));
    }

    pub(super) fn end(mut self, output: &mut Output, fail_empty: bool) -> anyhow::Result<ExitCode> {
        self.printer.end(output)?;
        if let Some(saver) = self.saver.take() {
            let done = saver.finish()?;
            self.globals.detail(&crate::cli::log::stored(&done));
        }
        if self.readings == 0 {
            return Err(self.nothing().into());
        }
        if self.fault_count > self.faults.len() {
            let more = self.fault_count - self.faults.len();
            let source = &self.source;
            self.globals.warn(&match count::is_singular(more) {
                true => tr!("{source}: {n} more damaged telegram", source, n = more),
                false => tr!("{source}: {n} more damaged telegrams", source, n = more),
            });
        }
        if !self.wanted.is_empty() && self.registers == 0 {
            self.globals.note(&tr!("{source}: no telegram has such a register", source = self.source));
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
                    tr!("{source}: nothing in it is a telegram", source = self.source),
                );
                let failure = match fault {
                    Some(fault) => {
                        let (position, detail) = (fault.position, &fault.detail);
                        failure.cause(tr!("the nearest to one: byte {position}: {detail}", position, detail))
                    }
                    None => failure.cause(tr!(
                        "neither IEC 62056-21, DSMR P1, SML nor DLMS begins at any byte, from 0 to the end"
                    )),
                };
                failure
                    .tip(tr!("a capture holds the raw bytes of the line; text dumps have to be turned back: xxd -r -p"))
            }
        }
    }

    /// Whether the damaged telegrams are so far between that chance alone makes as many, in a program or a picture.
    fn chance(&self) -> bool {
        let starts_as_one = self.faults.first().is_some_and(|fault| fault.position == 0);
        !starts_as_one && self.length > BYTES_PER_CHANCE_FAULT * self.fault_count as u64
    }
}
