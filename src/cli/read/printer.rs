//! Readings as text, in the formats of `releve read`.

use crate::acquire::{Stamped, log};
use crate::cli::args::Globals;
use crate::cli::output::{self, Output};
use crate::cli::table;
use crate::document::{Values, reading_json};
use crate::exchange::{csv, influx, prometheus};
use crate::reading::{Instant, MeterId, Reading};
use anyhow::Context as _;
use clap::ValueEnum;
use std::io::Write as _;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
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

/// Prints readings as they come.
pub(super) struct Printer {
    format: Format,
    tables: table::Tables,
    count: usize,
    /// The first object, until it is known whether it is the only one.
    first: Option<String>,
    newest: Vec<(Option<MeterId>, Values, Instant)>,
}

impl Printer {
    pub(super) fn new(format: Format, globals: &Globals) -> Self {
        Self { format, tables: table::Tables::new(globals), count: 0, first: None, newest: Vec::new() }
    }

    pub(super) fn print(
        &mut self,
        reading: &Reading,
        values: &Values,
        stamped: Stamped,
        source: &str,
        chosen: bool,
        output: &mut Output,
    ) -> anyhow::Result<()> {
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

    pub(super) fn end(&mut self, output: &mut Output) -> anyhow::Result<()> {
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
