//! `releve help`: a command's help, or what stands behind the id of an error. And what the bare command says.

use super::config::nearest;
use super::failure::{self, Failure};
use super::output::{Output, WriteError};
use super::words::tr;
use clap::Args;
use clap::error::ErrorKind;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve help read
  releve help port.missing

Every error ends with its id in brackets, the same in every language.";

/// What commands there are, by what people want to do. A test sees that each stands here once.
pub(super) const GROUPS: &[(&str, &[&str])] = &[
    ("Look at a meter", &["ports", "read", "explain", "obis"]),
    ("Keep readings", &["log", "import", "consolidate", "db", "meters"]),
    ("Ask about them", &["stats", "events", "check", "export"]),
    ("Share them", &["serve"]),
    ("Set up and repair", &["doctor", "config", "simulate", "completions", "man", "help"]),
];

/// Every error there is: what it means, what usually causes it, what to try.
const ERRORS: &str = include_str!("../../../docs/ERRORS.md");

/// Explain a command, or an error by its id
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    /// A command, or the id of an error, like port.missing
    #[arg(value_name = "COMMAND|ID")]
    words: Vec<String>,
}

impl Cmd {
    pub(super) fn run(&self, output: &mut Output) -> anyhow::Result<ExitCode> {
        if let [id, more @ ..] = self.words.as_slice()
            && let Some(section) = section(id)
        {
            if let [word, ..] = more {
                let what = tr!("'{word}' behind {id}: one error at a time", word, id);
                return Err(Failure::new(failure::USAGE, "help.unknown", what).into());
            }
            output.line(&format!("{id}\n\n{section}"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let Some(unknown) = unknown(&self.words) else {
            // By the same way as `--help`, so that it is the same.
            let asked = ["releve"].into_iter().chain(self.words.iter().map(String::as_str)).chain(["--help"]);
            let helped = super::command().color(super::args::colour_of_help()).try_get_matches_from(asked);
            return match helped {
                Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                    error.print().map_err(WriteError)?;
                    Ok(ExitCode::SUCCESS)
                }
                Err(error) => Err(error.into()),
                Ok(_) => Ok(ExitCode::SUCCESS),
            };
        };
        let failure =
            Failure::new(failure::USAGE, "help.unknown", tr!("there is no command or error '{unknown}'", unknown));
        let tree = super::command();
        let commands = tree.get_subcommands().map(clap::Command::get_name);
        let known: Vec<&str> = commands.chain(sections().map(|(id, _)| id)).collect();
        Err(match nearest(unknown, &known) {
            Some(meant) => failure.tip(tr!("did you mean '{meant}'?", meant)),
            None => failure.tip(tr!("releve -h lists the commands")),
        }
        .into())
    }
}

/// The first word that is no command where it stands.
fn unknown(words: &[String]) -> Option<&str> {
    let mut command = &super::command();
    for word in words {
        match command.find_subcommand(word) {
            Some(found) => command = found,
            None => return Some(word),
        }
    }
    None
}

/// Every id with its text.
fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    ERRORS.split("\n## ").skip(1).filter_map(|part| {
        let (id, text) = part.split_once('\n')?;
        // The heading of the next group is no part of it.
        let text = text.split("\n# ").next().unwrap_or(text);
        Some((id, text.trim()))
    })
}

/// What is said of an id.
fn section(id: &str) -> Option<&'static str> {
    sections().find(|(known, _)| *known == id).map(|(_, text)| text)
}

/// The commands in their groups, as `-h` shows them.
pub(super) fn grouped(tree: &clap::Command) -> String {
    let mut text = String::from("\n");
    for (title, names) in GROUPS {
        text.push_str(&format!("{title}:\n"));
        for name in *names {
            let about = tree.find_subcommand(name).and_then(clap::Command::get_about);
            text.push_str(&format!("  {name:<12} {}\n", about.map(ToString::to_string).unwrap_or_default()));
        }
    }
    text
}

/// What somebody sees who typed nothing but the program's name: one screen that teaches.
pub(super) fn bare() -> String {
    let mut text =
        String::from("Read, keep and archive what electricity meters say\n\nUsage: releve COMMAND [OPTIONS]\n\n");
    for (title, names) in GROUPS {
        text.push_str(&format!("  {title:<18} {}\n", names.join("  ")));
    }
    text.push_str(
        "\nTry:\n  \
         releve ports                       which probes are plugged in\n  \
         releve read                        one reading, now\n  \
         releve read capture.bin            the same of a recorded telegram\n  \
         releve log                         keep reading until Ctrl-C\n  \
         releve stats --by month            where the kilowatt hours went\n\n\
         releve help COMMAND, or man releve, for the rest.\n",
    );
    text
}

#[cfg(test)]
mod tests;
