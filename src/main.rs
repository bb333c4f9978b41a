//! The `releve` command: parse arguments, run, turn the outcome into an exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    releve::cli::main()
}
