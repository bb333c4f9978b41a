//! Tables for people.

use super::args::Globals;
use super::output::{Output, printable};
use super::words::tr;
use crate::acquire::Stamped;
use crate::reading::{Language, Quality, Reading, Register, Value, describe_register};
use crate::wire::dlms::date_time;
use clap::{Args, ValueEnum};
use comfy_table::Table;

/// How a command prints what it has in two forms.
#[derive(Debug, Args)]
pub(super) struct TwoForms {
    /// How to print [default: table on a terminal, json in a pipe]
    #[arg(short, long, value_name = "FORMAT", global = true)]
    format: Option<TwoFormats>,
    /// Short for -f json
    #[arg(long, global = true, conflicts_with = "format")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TwoFormats {
    /// For people
    Table,
    /// For programs
    Json,
}

impl TwoForms {
    pub(super) fn is_json(&self, output: &Output) -> bool {
        self.asks_for_json() || self.format.is_none() && !output.is_terminal()
    }

    /// Whether JSON was asked for by name.
    pub(super) fn asks_for_json(&self) -> bool {
        self.json || self.format == Some(TwoFormats::Json)
    }
}

/// Prints readings as tables.
pub(super) struct Tables {
    language: Language,
    colour: bool,
    verbose: bool,
}

impl Tables {
    pub(super) fn new(globals: &Globals) -> Self {
        Self { language: globals.language(), colour: globals.colour(), verbose: globals.verbose > 0 }
    }

    /// A reading: a head with meter, time and doubts, then a row for each register.
    pub(super) fn reading(
        &self,
        reading: &Reading,
        stamped: Stamped,
        separate: bool,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        if separate {
            output.line("")?;
        }
        let meter = reading.meter.as_ref().map_or_else(|| tr!("(not named)"), |meter| meter.as_str().to_owned());
        let identification = reading.identification.as_deref().unwrap_or("");
        self.head(&tr!("Meter"), &format!("{meter}   {}", printable(identification)), output)?;
        let time = stamped.at.for_people(stamped.zone);
        self.head(&tr!("Time"), &format!("{time}   {}, {}", reading.protocol, quality(reading.quality)), output)?;
        for anomaly in reading.anomalies.iter().filter(|_| self.verbose || reading.quality < Quality::Good) {
            self.head(&tr!("Note"), &printable(&anomaly.to_string()), output)?;
        }
        if reading.registers.is_empty() {
            return Ok(());
        }
        output.line("")?;
        let mut table = plain_table();
        table.set_header(["OBIS".to_owned(), tr!("quantity"), tr!("value")]);
        // Numbers stand right-aligned in front of their units; a text may be long and runs on.
        let numbers = reading.registers.iter().filter(|register| register.as_number().is_some());
        let width = numbers.map(|register| shown(register).len()).max().unwrap_or(0);
        for register in &reading.registers {
            let name = describe_register(register, self.language).unwrap_or_default();
            let value = match (register.as_number(), register.unit_text()) {
                (Some(number), Some(unit)) => format!("{:>width$} {unit}", number.to_string()),
                (Some(number), None) => format!("{:>width$}", number.to_string()),
                _ => shown(register),
            };
            table.add_row([short_code(register).as_str(), name.as_ref(), value.as_str()]);
        }
        print_table(table, self.colour, output)
    }

    /// Just the values, a register a line: `154.320 kWh`.
    pub(super) fn plain(&self, reading: &Reading, output: &mut Output) -> anyhow::Result<()> {
        for register in &reading.registers {
            match register.unit_text() {
                Some(unit) => output.line(&format!("{} {unit}", shown(register)))?,
                None => output.line(&shown(register))?,
            }
        }
        Ok(())
    }

    fn head(&self, label: &str, text: &str, output: &mut Output) -> anyhow::Result<()> {
        let label = format!("{label:<9}");
        let label = if self.colour { format!("\u{1b}[1m{label}\u{1b}[0m") } else { label };
        output.line(format!("{label}{text}").trim_end())
    }
}

/// A table without lines, two blanks between columns; as wide as the terminal, and never cut in a pipe.
pub(super) fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    if let Some((terminal_size::Width(width), _)) = terminal_size::terminal_size_of(std::io::stdout()) {
        table.set_width(width).set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    }
    table
}

/// Prints a table, its header in bold where there is colour.
pub(super) fn print_table(mut table: Table, colour: bool, output: &mut Output) -> anyhow::Result<()> {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for (at, line) in table.lines().enumerate() {
        let line = line.trim_end();
        if at == 0 && colour {
            output.line(&format!("\u{1b}[1m{line}\u{1b}[0m"))?;
        } else {
            output.line(line)?;
        }
    }
    Ok(())
}

/// The code without what everybody knows: `1.8.0` for `1-0:1.8.0*255`.
fn short_code(register: &Register) -> String {
    let key = register.code.key();
    printable(key.strip_prefix("1-0:").unwrap_or(&key))
}

/// A register's value as text.
fn shown(register: &Register) -> String {
    fn plain(value: &Value) -> String {
        match value {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => printable(text.trim()),
            Value::Octets(octets) => octets.iter().map(|octet| format!("{octet:02x}")).collect(),
            Value::Bool(true) => tr!("true"),
            Value::Bool(false) => tr!("false"),
            Value::List(values) => values.iter().map(|value| format!("({})", plain(value))).collect(),
            Value::Nothing => String::new(),
        }
    }
    match (&register.value, register.as_text()) {
        (Value::Octets(_), Some(text)) => printable(text),
        // Twelve octets that are a date are the clock of a DLMS meter (Blue Book 4.1.6.1).
        (Value::Octets(octets), None) => match date_time(octets) {
            Some(time) => time.civil.to_string().replace('T', " "),
            None => plain(&register.value),
        },
        (value, _) => plain(value),
    }
}

/// How far a reading can be trusted, for people.
fn quality(quality: Quality) -> String {
    match quality {
        Quality::Bad => tr!("bad"),
        Quality::Suspect => tr!("suspect"),
        Quality::Good => tr!("good"),
    }
}
