//! A choice between several probes, for a person at a terminal. A script is told which there are instead.

use super::output::printable;
use super::ports::device;
use super::words::tr;
use crate::transport::Port;
use dialoguer::Select;
use std::io::{self, IsTerminal as _};

/// Whether there is somebody to ask: a terminal to read from, and one to write to beside the data.
pub(super) fn may_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The one that is picked with arrows and Enter; `None` after Esc.
pub(super) fn pick<'a>(ports: &[&'a Port]) -> anyhow::Result<Option<&'a Port>> {
    let lines: Vec<String> = ports.iter().map(|port| line(port)).collect();
    let prompt = tr!("Which probe? (arrows, Enter; Esc leaves)");
    let picked = Select::new().with_prompt(prompt).items(&lines).default(0).interact_opt()?;
    Ok(picked.and_then(|index| ports.get(index)).copied())
}

fn line(port: &Port) -> String {
    printable(&format!("{}   {}", port.path.display(), device(port)))
}
