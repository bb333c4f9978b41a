//! A meter's event log as text.

use super::printer::Format;
use crate::cli::args::Globals;
use crate::cli::failure::{self, Failure};
use crate::cli::output::{Output, printable};
use crate::cli::table::{plain_table, print_table};
use crate::cli::words::tr;
use crate::document::log_json;
use crate::reading::LogEntry;

/// Prints the entries, in the meter's order.
pub(super) fn print_log(
    entries: &[LogEntry],
    format: Format,
    globals: &Globals,
    output: &mut Output,
) -> anyhow::Result<()> {
    let zone = globals.zone()?.zone;
    let values = |entry: &LogEntry| {
        let values = entry.values.iter().map(|(code, text)| format!("{}={}", code.key(), text));
        printable(&values.collect::<Vec<_>>().join(" "))
    };
    let time = |entry: &LogEntry| entry.time.map(|time| time.rfc3339(zone)).unwrap_or_default();
    match format {
        Format::Json => {
            let all: Vec<_> = entries.iter().map(|entry| log_json(entry, zone)).collect();
            output.line(&serde_json::to_string_pretty(&all)?)
        }
        Format::Ndjson => {
            entries.iter().try_for_each(|entry| output.line(&serde_json::to_string(&log_json(entry, zone))?))
        }
        Format::Csv => {
            let mut writer = ::csv::Writer::from_writer(Vec::new());
            writer.write_record(["horodatage", "journal", "statut", "valeurs"])?;
            for entry in entries {
                writer.write_record([&time(entry), &entry.log.to_string(), entry.status.as_str(), &values(entry)])?;
            }
            output.write(&String::from_utf8(writer.into_inner()?)?)
        }
        Format::Table => {
            let mut table = plain_table();
            table.set_header([tr!("time"), tr!("log"), tr!("status"), tr!("values")]);
            for entry in entries {
                table.add_row([time(entry), entry.log.key().to_string(), entry.status.to_string(), values(entry)]);
            }
            print_table(table, globals.colour(), output)
        }
        Format::Influx | Format::Prometheus => {
            let what = tr!("a log is printed as table, json, ndjson or csv");
            Err(Failure::new(failure::USAGE, "read.format", what).into())
        }
    }
}
