//! `releve config`: the settings in force, where each comes from, and a file to start from.

use crate::cli::args::Globals;
use crate::cli::output::Output;
use crate::cli::table::{plain_table, print_table};
use crate::cli::words::tr;
use crate::cli::{log, serve};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve config show
  releve config show -f json | jq -r .db.de
  releve config default > releve.toml
  releve config check --config releve.toml

A value comes from the flag, else the environment, else the settings file, else it is the default.";

/// Show and check the settings
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct Cmd {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print a settings file with every key, commented
    #[command(after_help = "Examples:\n  releve config default > releve.toml")]
    Default,
    /// Print the settings in force and where each comes from
    #[command(after_help = "Examples:\n  releve config show\n  releve config show -f json | jq -r .db.valeur")]
    Show {
        /// How to print [default: table on a terminal, json in a pipe]
        #[arg(short, long, value_name = "FORMAT")]
        format: Option<Format>,
        /// Short for -f json
        #[arg(long, conflicts_with = "format")]
        json: bool,
    },
    /// Say whether the settings file makes sense
    #[command(after_help = "Examples:\n  releve config check\n  releve config check --config releve.toml")]
    Check,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Table,
    /// One object
    Json,
}

#[derive(Serialize)]
struct Setting {
    valeur: Option<String>,
    de: String,
}

impl Cmd {
    pub(in crate::cli) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        match self.what {
            What::Default => output.write(include_str!("default.toml"))?,
            What::Check => {
                let path = globals.config()?.path.as_ref();
                let said = path.map_or_else(
                    || tr!("no settings file; the defaults hold"),
                    |path| tr!("{path}: ok", path = path.display()),
                );
                globals.zone()?;
                let file = &globals.config()?.file;
                file.mqtt.check()?;
                file.meters.values().try_for_each(|meter| log::check(meter, globals))?;
                serve::check(globals)?;
                output.line(&said)?;
            }
            What::Show { format, json } => {
                let json = json || format.map_or(!output.is_terminal(), |format| format == Format::Json);
                show(globals, json, output)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The settings with their values and origins, by key.
fn show(globals: &Globals, json: bool, output: &mut Output) -> anyhow::Result<()> {
    let settings = globals.settings()?;
    if json {
        let object: serde_json::Map<_, _> = settings
            .into_iter()
            .map(|(key, value, from)| (key, serde_json::json!(Setting { valeur: value, de: from })))
            .collect();
        return output.line(&serde_json::to_string_pretty(&object)?);
    }
    let mut table = plain_table();
    table.set_header([tr!("key"), tr!("value"), tr!("from")]);
    for (key, value, from) in settings {
        let from = match (from.as_str(), from.strip_prefix("flag ")) {
            ("default", _) => tr!("default"),
            (_, Some(flag)) => tr!("flag {flag}", flag),
            _ => from,
        };
        table.add_row([key, value.unwrap_or_default(), from]);
    }
    print_table(table, globals.colour(), output)
}
