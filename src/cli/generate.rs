//! `releve completions` and `releve man`: made from the same definition as the help.

use super::failure::{self, Failure};
use super::output::Output;
use super::words::tr;
use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;
use std::process::ExitCode;

const COMPLETIONS_HELP: &str = "\
Examples:
  releve completions bash
  releve completions fish

These know commands and options. To be offered ports, meters and fields as well, let the shell ask the program while you type:
  source <(COMPLETE=bash releve)             # in ~/.bashrc; zsh alike
  COMPLETE=fish releve | source              # in ~/.config/fish/config.fish";

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_HELP)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        output.write(&completions(self.shell))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The completion script of a shell.
pub(super) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "releve", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

const MAN_HELP: &str = "\
Examples:
  releve man target/man";

/// Write the manual pages, one for each command, into a folder
#[derive(Debug, Args)]
#[command(after_help = MAN_HELP)]
pub(super) struct Man {
    /// The folder; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// A page says all; of what only the long help shows it would leave the text out.
fn in_full(tree: clap::Command) -> clap::Command {
    tree.mut_args(|argument| argument.hide_short_help(false)).mut_subcommands(in_full)
}

impl Man {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        std::fs::create_dir_all(&self.folder)
            .and_then(|()| clap_mangen::generate_to(in_full(super::command()), &self.folder))
            .map_err(|error| {
                let what = tr!("cannot write into {path}", path = self.folder.display());
                Failure::new(failure::WRITE, "man.write", what).cause(error.to_string())
            })?;
        Ok(ExitCode::SUCCESS)
    }
}
