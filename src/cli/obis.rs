//! `releve obis`: what the codes stand for.

use super::args::Globals;
use super::failure::{self, Failure};
use super::output::Output;
use super::table::{plain_table, print_table};
use super::words::tr;
use crate::document::column_key;
use crate::reading::search;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve obis
  releve obis 1.8
  releve obis voltage
  releve obis tension --lang fr
  releve obis 32.7.0 -f json";

/// Look up OBIS codes by number or by name
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    /// The beginning of a code, or words of a name
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// How to print [default: table on a terminal, json in a pipe]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Short for -f json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// End with 1 if nothing is found
    #[arg(long)]
    fail_empty: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// An array of objects
    Json,
}

#[derive(Serialize)]
struct Row {
    obis: String,
    nom: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unite: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    colonne: Option<&'static str>,
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let text = self.text.join(" ");
        let rows: Vec<Row> = search(&text, globals.language())
            .into_iter()
            .map(|named| Row {
                obis: named.code.to_string(),
                nom: named.name.to_string(),
                unite: named.unit,
                colonne: named.column.map(column_key),
            })
            .collect();
        let json =
            self.json || matches!(self.format, Some(Format::Json)) || self.format.is_none() && !output.is_terminal();
        if json {
            output.line(&serde_json::to_string_pretty(&rows).context("making JSON")?)?;
        } else if !rows.is_empty() {
            let mut table = plain_table();
            table.set_header(["OBIS".to_owned(), tr!("name"), tr!("unit"), tr!("column")]);
            for row in &rows {
                table.add_row([&row.obis, &row.nom, row.unite.unwrap_or(""), row.colonne.unwrap_or("")]);
            }
            print_table(table, globals.colour(), output)?;
        }
        if rows.is_empty() {
            globals.note(&tr!(
                "no code or name matches '{text}'; try the number, like 1.8, or one word of the name",
                text
            ));
            if self.fail_empty {
                return Err(Failure::new(failure::OTHER, "obis.none", tr!("nothing matches '{text}'", text)).into());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
