//! The command line: arguments to settings to calls of the rooms below, and their results to text.
//!
//! One file for each subcommand. Data goes to stdout, everything else to stderr; only this room prints, and only
//! [`main`] decides the exit status.

mod args;
mod check;
mod complete;
mod config;
mod consolidate;
mod db;
mod diagnosis;
mod doctor;
mod events;
mod explain;
mod export;
mod failure;
mod found;
mod generate;
mod help;
mod import;
mod interrupt;
mod keys;
mod log;
mod meters;
mod obis;
mod output;
mod past;
mod picker;
mod ports;
mod read;
mod save;
mod serve;
mod simulate;
mod source;
mod stats;
mod table;
mod target;
mod when;
mod words;

use args::Globals;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use failure::Failure;
use output::Output;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve read fixtures/dsmr/smart5.txt -f table     # one telegram, as a table
  releve read - -f ndjson < fixtures/dsmr/smart5.txt # a stream, a reading a line
  releve explain fixtures/dlms/e450_push.bin        # what each byte means
  releve obis 1.8                                   # what the codes stand for

releve help COMMAND, or man releve, for the rest.";

const MORE: &str = "\
Examples:
  releve read fixtures/dsmr/smart5.txt -f table     # one telegram, as a table
  releve read - -f ndjson < fixtures/dsmr/smart5.txt # a stream, a reading a line
  releve explain fixtures/dlms/e450_push.bin        # what each byte means
  releve obis 1.8                                   # what the codes stand for

Exit status:
  0   done; an empty result too
  1   anything else
  2   usage
  65  data that does not check: checksum, tag, key, archive
  66  input or store missing
  69  no port or no answer
  74  a write failed
  75  busy or locked: try again
  76  something answered, but not a meter
  77  not allowed
  78  configuration
Ctrl-C ends a command by the signal itself, seen as 130; for log and serve it is the usual end.

Every error ends with its id in brackets: releve help ID says more.";

/// Read, keep and archive what electricity meters say.
#[derive(Debug, Parser)]
#[command(name = "releve", version, long_version = long_version(), after_help = AFTER_HELP, after_long_help = MORE, propagate_version = false)]
#[command(arg_required_else_help = true, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ports(ports::Cmd),
    Read(read::Cmd),
    Log(log::Cmd),
    Explain(explain::Cmd),
    Obis(obis::Cmd),
    Import(import::Cmd),
    Export(export::Cmd),
    Stats(stats::Cmd),
    Events(events::Cmd),
    Check(check::Cmd),
    Consolidate(consolidate::Cmd),
    Serve(serve::Cmd),
    Doctor(doctor::Cmd),
    Config(config::Cmd),
    Simulate(simulate::Cmd),
    Meters(meters::Cmd),
    Db(db::Cmd),
    Completions(generate::Completions),
    Man(generate::Man),
    Help(help::Cmd),
}

/// The whole tree of commands, for completions and man pages.
#[must_use]
pub fn command() -> clap::Command {
    let tree = Cli::command();
    let template =
        format!("{{about-with-newline}}\nUsage: {{usage}}\n{}\n{{options}}{{after-help}}", help::grouped(&tree));
    tree.help_template(template)
}

/// Whether a text makes sense as a settings file, without looking at what it names.
///
/// # Errors
/// What is said about it: the line, the key, what may be meant.
pub fn check_settings(text: &str) -> Result<(), String> {
    config::check(text).map_err(|failure| failure.to_string())
}

/// Whether a text is a file of keys.
#[must_use]
pub fn is_key_file(text: &str) -> bool {
    keys::parse(text).is_some()
}

/// Runs the program with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    complete::answer();
    if std::env::args_os().len() == 1 {
        output::say(help::bare().trim_end());
        return ExitCode::from(failure::USAGE);
    }
    let parsed =
        command().color(args::colour_of_help()).try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let mut output = Output::stdout();
    let done = run(cli, &mut output).and_then(|exit| output.finish().map(|()| exit));
    match done {
        Ok(exit) => exit,
        Err(error) => report(&error),
    }
}

fn run(cli: Cli, output: &mut Output) -> anyhow::Result<ExitCode> {
    let Cli { globals, command } = cli;
    words::choose(globals.language());
    match command {
        Command::Ports(command) => command.run(&globals, output),
        Command::Read(command) => command.run(&globals, output),
        Command::Log(command) => command.run(&globals, output),
        Command::Explain(command) => command.run(&globals, output),
        Command::Obis(command) => command.run(&globals, output),
        Command::Import(command) => command.run(&globals, output),
        Command::Export(command) => command.run(&globals, output),
        Command::Stats(command) => command.run(&globals, output),
        Command::Events(command) => command.run(&globals, output),
        Command::Check(command) => command.run(&globals, output),
        Command::Consolidate(command) => command.run(&globals, output),
        Command::Serve(command) => command.run(&globals, output),
        Command::Doctor(command) => command.run(&globals, output),
        Command::Config(command) => command.run(&globals, output),
        Command::Simulate(command) => command.run(&globals, output),
        Command::Meters(command) => command.run(&globals, output),
        Command::Db(command) => command.run(&globals, output),
        Command::Completions(command) => command.run(output),
        Command::Man(command) => command.run(),
        Command::Help(command) => command.run(output),
    }
}

/// What clap has to say: help and version on stdout with 0, anything wrong on stderr with 2.
fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match printed {
            Err(error) => report(&output::WriteError::from(error).into()),
            Ok(()) => ExitCode::SUCCESS,
        },
        _ => ExitCode::from(failure::USAGE),
    }
}

fn report(error: &anyhow::Error) -> ExitCode {
    if output::is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let failure = Failure::of(error);
    output::say(&failure.to_string());
    ExitCode::from(failure.exit)
}

fn long_version() -> &'static str {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| {
        format!(
            "{}\ntarget: {}-{}\nsqlite: {}\ntime zones: IANA {}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::ARCH,
            std::env::consts::OS,
            crate::store::sqlite_version(),
            crate::reading::Zone::data_base_version(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_argument_is_documented_and_every_command_has_examples() {
        for sub in command().get_subcommands() {
            let name = sub.get_name();
            assert!(sub.get_about().is_some(), "{name} has no description");
            let after = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.starts_with("Examples:\n"), "{name} has no examples");
            for argument in sub.get_arguments() {
                assert!(argument.get_help().is_some(), "{name} {} has no help", argument.get_id());
            }
        }
    }
}
