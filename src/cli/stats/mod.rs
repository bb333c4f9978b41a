//! `releve stats`: what a meter's readings come to, by hours, days, weeks, months, years.

mod curve;
mod fields;
mod json;
mod table;
mod versus;

use super::args::{Globals, is_utf8};
use super::export::choose_meter;
use super::failure::{self, Failure};
use super::output::Output;
use super::past::{archive_to_read, warn_if_blind};
use super::when;
use super::words::tr;
use crate::analyse::{Analysis, Ask, Wanted, analyse};
use crate::past::Past;
use crate::reading::{Calendar, Instant, MeterId, Zone};
use crate::store::Store;
use clap::{Args, ValueEnum};
use fields::Chosen;
pub(super) use fields::field_names;
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use table::Style;
use versus::Compared;

const AFTER_HELP: &str = "\
Examples:
  releve stats --db target/example.db
  releve stats --db target/example.db --by day --since 2025-11 -f table
  releve stats --db target/example.db --by month -f csv --fields energie_active_import,couverture
  releve stats --db target/example.db --since 2025-11 --until 2025-11 --versus 2025-10";

/// Energies, power and voltages by hour, day, week, month or year
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    #[command(flatten)]
    span: when::Span,
    /// The length of a row [default: what fits the span]; days are those of the time zone
    #[arg(long, value_name = "PERIOD")]
    by: Option<By>,
    /// Only these, in this order: energie_active_import, couverture, tension, demande_15min_max and more
    #[arg(long, value_name = "FIELD", value_delimiter = ',', add = super::complete::statistics())]
    fields: Vec<String>,
    /// Compare the whole with another period: 2024-11, "last month", 2024-11-01..2024-11-15
    #[arg(long, value_name = "PERIOD")]
    versus: Option<String>,
    /// The duration curve: which power is reached how much of the time
    #[arg(long)]
    curve: bool,
    /// How to write [default: table on a terminal, json in a pipe]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Short for -f json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// All rows, also on a terminal
    #[arg(long)]
    all: bool,
    /// Bars of plain characters; so by default in a pipe and where the locale is not UTF-8
    #[arg(long)]
    ascii: bool,
    /// The archive to read where the store was pruned [default: that of the settings]
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// End with 1 if there is no reading
    #[arg(long)]
    fail_empty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with bars
    Table,
    /// One document, a row a line
    Json,
    /// A row a period
    Csv,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// Full hours
    Hour,
    /// Days from midnight to midnight
    Day,
    /// ISO weeks, from Monday on
    Week,
    /// Months
    Month,
    /// Years
    Year,
}

impl By {
    const fn calendar(self) -> Calendar {
        match self {
            Self::Hour => Calendar::Hour,
            Self::Day => Calendar::Day,
            Self::Week => Calendar::Week,
            Self::Month => Calendar::Month,
            Self::Year => Calendar::Year,
        }
    }
}

/// A terminal shows so many rows, the newest.
const ON_TERMINAL: usize = 40;

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let chosen = Chosen::new(&self.fields)?;
        let span = self.span.resolve(globals)?;
        let zone = globals.zone()?;
        let other = self.versus.as_ref().map(|text| self.other(text, globals)).transpose()?;
        let format = match self.format {
            _ if self.json => Format::Json,
            Some(format) => format,
            None if output.is_terminal() => Format::Table,
            None => Format::Json,
        };
        let store = Store::open(&globals.store_path()?)?;
        let meter = choose_meter(&store, globals)?;
        let tree = archive_to_read(self.archive.as_deref(), globals)?;
        let past = tree.as_ref().map_or(Past::new(&store), |tree| Past::with_archive(&store, tree));
        warn_if_blind(&past, &meter, &span, globals)?;
        let is_summary = format == Format::Table && chosen.is_all();
        let wanted =
            if is_summary { Wanted { demand: true, parts: true, ..Wanted::default() } } else { chosen.wanted() };
        let wanted = Wanted { curve: self.curve, ..wanted };
        let calendar = self.by.map(By::calendar);
        let ask = Ask { meter: meter.clone(), span, calendar, zone: zone.zone, now: Instant::now(), wanted };
        let found = analyse(&past, &ask)?;
        let compared = match (&other, &found) {
            (Some(period), Some(now)) => {
                let then = analyse(&past, &Ask { span: period.clone(), calendar: Some(now.calendar), ..ask.clone() })?;
                if then.is_none() {
                    globals.note(&tr!("no reading in the period to compare with"));
                }
                Some(Compared::new(now, then.as_ref(), period.clone(), wanted, &chosen))
            }
            _ => None,
        };
        match &found {
            None => {
                globals.note(&tr!("no reading of {meter} in that period", meter));
                self.empty(&meter, zone.zone, format, output)?;
                Ok(if self.fail_empty { ExitCode::from(failure::OTHER) } else { ExitCode::SUCCESS })
            }
            Some(analysis) => {
                if self.curve && analysis.curve.is_none() {
                    globals.note(&tr!("{meter} sends no power: there is no duration curve", meter));
                }
                self.print(analysis, wanted, &chosen, compared.as_ref(), format, globals, output)?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    fn empty(&self, meter: &MeterId, zone: Zone, format: Format, output: &mut Output) -> anyhow::Result<()> {
        match format {
            Format::Json => output.write(&json::document(meter, zone, None, &Chosen::default(), None)),
            Format::Table | Format::Csv => Ok(()),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn print(
        &self,
        analysis: &Analysis,
        wanted: Wanted,
        chosen: &Chosen,
        compared: Option<&Compared>,
        format: Format,
        globals: &Globals,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let rows = if output.is_terminal() && !self.all { ON_TERMINAL } else { usize::MAX };
        // Whoever reads a pipe may not know the characters.
        let style = Style { ascii: self.ascii || !output.is_terminal() || !is_utf8(), colour: globals.colour(), rows };
        match (format, &analysis.curve) {
            (Format::Json, _) => output.write(&json::document(
                &analysis.meter,
                analysis.zone,
                Some((analysis, wanted)),
                chosen,
                compared,
            )),
            (Format::Table, Some(curve)) => curve::table(curve, style.ascii, style.colour, output),
            (Format::Csv, Some(curve)) => curve::csv(curve, output),
            (Format::Csv, None) => csv(analysis, wanted, chosen, output),
            (Format::Table, None) => {
                if chosen.is_all() {
                    table::summary(analysis, &style, output)?;
                } else {
                    table::chosen(analysis, wanted, chosen, &style, output)?;
                }
                compared.map_or(Ok(()), |compared| compared.table(analysis.zone, style.colour, output))
            }
        }
    }

    /// The period to compare with.
    fn other(&self, text: &str, globals: &Globals) -> anyhow::Result<Range<Instant>> {
        let zone = globals.zone()?;
        let (since, until) = text.split_once("..").unwrap_or((text, text));
        let period = when::moment(since, zone, false, globals)?..when::moment(until, zone, true, globals)?;
        if period.is_empty() {
            let failure = Failure::new(failure::USAGE, "time.order", tr!("'{text}' is no period", text));
            return Err(failure.tip(tr!("name a day, week, month or year, or FROM..TO")).into());
        }
        Ok(period)
    }
}

fn csv(analysis: &Analysis, wanted: Wanted, chosen: &Chosen, output: &mut Output) -> anyhow::Result<()> {
    for (index, row) in analysis.rows.iter().enumerate() {
        let fields = chosen.of(fields::fields(row, analysis, wanted));
        if index == 0 {
            let names: Vec<String> = fields.iter().map(fields::Field::name).collect();
            output.line(&format!("debut,fin{}{}", if names.is_empty() { "" } else { "," }, names.join(",")))?;
        }
        let zone = analysis.zone;
        let mut line = format!("{},{}", row.period.start.in_zone(zone), row.period.end.in_zone(zone));
        for field in &fields {
            line.push(',');
            line.push_str(&field.cell.text());
        }
        output.line(&line)?;
    }
    Ok(())
}

/// The document of an analysis with every field, as `-f json` prints it: what the API answers, too.
pub(super) fn document(meter: &MeterId, zone: Zone, found: Option<(&Analysis, Wanted)>) -> String {
    json::document(meter, zone, found, &Chosen::default(), None)
}
