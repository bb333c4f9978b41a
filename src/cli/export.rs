//! `releve export`: readings out of the store.

use super::args::Globals;
use super::failure::{self, Failure};
use super::output::Output;
use super::when;
use crate::document::{DayFile, Measure, Values};
use crate::reading::{Instant, MeterId, Quality, Reading, TariffMemory};
use crate::store::{Kept, Store, StoreError};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::ops::Range;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve export --db target/example.db
  releve export --db target/example.db --since 2025-11-07 --until 2025-11-07 -f ndjson";

/// Write readings of the store as JSON
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    #[command(flatten)]
    span: when::Span,
    /// How to write
    #[arg(short, long, value_name = "FORMAT", default_value = "json")]
    format: Format,
    /// End with 1 if there is no reading
    #[arg(long)]
    fail_empty: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// The form of an archive's day file, over any period
    Json,
    /// A reading a line
    Ndjson,
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let period = self.span.resolve(globals)?;
        let store = Store::open(&globals.store_path()?)?;
        let meter = choose_meter(&store, globals)?;
        let day = measures(&store, &meter, period)?;
        if day.measures.is_empty() {
            globals.note(&format!("no reading of {meter} in that period"));
        }
        let count = day.measures.len();
        match self.format {
            Format::Json => {
                let file = DayFile::new(meter.as_str(), None, day.measures, day.units);
                output.line(&serde_json::to_string_pretty(&file).context("making JSON")?)?;
            }
            Format::Ndjson => {
                for measure in &day.measures {
                    output.line(&serde_json::to_string(measure).context("making JSON")?)?;
                }
            }
        }
        Ok(if count == 0 && self.fail_empty { ExitCode::from(failure::OTHER) } else { ExitCode::SUCCESS })
    }
}

/// The meter that was named, or the only one there is.
pub(super) fn choose_meter(store: &Store, globals: &Globals) -> anyhow::Result<MeterId> {
    let meters = store.meters()?;
    if let Some(named) = globals.meter()? {
        if meters.contains(&named) {
            return Ok(named);
        }
        let failure = Failure::new(failure::NO_INPUT, "meter.missing", format!("the store has no meter {named}"));
        return Err(failure.tip(format!("there are: {}", list(&meters))).into());
    }
    match <[MeterId; 1]>::try_from(meters) {
        Ok([only]) => Ok(only),
        Err(meters) if meters.is_empty() => {
            Err(Failure::new(failure::NO_INPUT, "store.empty", "the store holds no reading yet")
                .tip("releve read FILE --save puts some in")
                .into())
        }
        Err(meters) => Err(Failure::new(failure::USAGE, "meter.choice", "the store holds several meters, say which")
            .tip(format!("--meter one of: {}", list(&meters)))
            .into()),
    }
}

fn list(meters: &[MeterId]) -> String {
    meters.iter().map(MeterId::as_str).collect::<Vec<_>>().join(", ")
}

/// The readings of a period in the contract's form, and the units of their further registers.
pub(super) struct Measures {
    pub(super) measures: Vec<Measure>,
    pub(super) units: BTreeMap<String, String>,
}

/// Reads the store; telegrams of the same time (a push split over several lists) become one reading.
pub(super) fn measures(store: &Store, meter: &MeterId, period: Range<Instant>) -> anyhow::Result<Measures> {
    let mut memory = store.tariff_memory(meter)?;
    let mut done = Measures { measures: Vec::new(), units: BTreeMap::new() };
    let mut open: Option<Kept> = None;
    store.readings(meter, period, |next| {
        match &mut open {
            Some(kept) if kept.at == next.at => join(&mut kept.reading, next.reading),
            _ => {
                if let Some(kept) = open.replace(next) {
                    done.add(&kept, &mut memory);
                }
            }
        }
        Ok::<_, StoreError>(())
    })?;
    if let Some(kept) = open {
        done.add(&kept, &mut memory);
    }
    Ok(done)
}

impl Measures {
    fn add(&mut self, kept: &Kept, memory: &mut TariffMemory) {
        let values = Values::of(&kept.reading, memory);
        for extra in &values.extras {
            if let Some(unit) = extra.unit {
                self.units.entry(extra.key.to_string()).or_insert_with(|| unit.symbol().to_string());
            }
        }
        self.measures.push(Measure::new(kept.at, &values, kept.reading.quality, &kept.source));
    }
}

/// Adds the registers of a second telegram of the same time; of a register in both, the better quality counts, and of
/// equal ones the later.
fn join(reading: &mut Reading, next: Reading) {
    let replaces = next.quality >= reading.quality;
    for register in next.registers {
        match reading.registers.iter_mut().find(|present| present.code == register.code) {
            Some(present) if replaces => *present = register,
            Some(_) => {}
            None => reading.registers.push(register),
        }
    }
    reading.quality = Quality::min(reading.quality, next.quality);
}
