//! `releve consolidate`: the archive's files out of the store.

use super::args::Globals;
use super::export::{choose_meter, measures};
use super::failure::{self, Failure};
use super::output::Output;
use super::when;
use crate::archive::{layout, write_day};
use crate::reading::Instant;
use crate::store::Store;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve consolidate --db target/example.db --archive target/archive --day 2025-11-07";

/// Write a day of the store into the archive
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    /// The folder of the archive; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// The UTC day: a date, today or yesterday
    #[arg(long, value_name = "DAY")]
    day: String,
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let (year, month, day) = when::utc_day(&self.day, Instant::now())?;
        let start = Instant::start_of_utc_day(year, month, day)
            .ok_or_else(|| Failure::new(failure::USAGE, "time.unknown", format!("'{}' is not a date", self.day)))?;
        let store = Store::open(&globals.store_path()?)?;
        let meter = choose_meter(&store, globals)?;
        let shared = store.meters()?.len() > 1;
        let found = measures(&store, &meter, start..start.plus_seconds(24 * 3600))?;
        let date = format!("{year:04}-{month:02}-{day:02}");
        if found.measures.is_empty() {
            globals.note(&format!("no reading of {meter} on {date}, nothing written"));
            return Ok(ExitCode::SUCCESS);
        }
        let path = layout::day_file(&self.archive, (year, month, day), shared.then_some(meter.as_str()));
        let written = write_day(&path, meter.as_str(), &date, found.measures, found.units)?;
        if !globals.quiet {
            output.line(&format!("{}  {written}", path.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
