//! Events found again in what is stored.

use crate::cli::args::Globals;
use crate::cli::export::choose_meter;
use crate::cli::interrupt::Interrupt;
use crate::cli::output::Output;
use crate::cli::table::TwoFormats;
use crate::cli::when;
use crate::cli::words::{count, tr};
use crate::events::{Again, again};
use crate::store::Store;
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct Detect {
    /// Only events that began since then; all without it
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// How to print [default: table on a terminal, json in a pipe]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<TwoFormats>,
    /// Short for -f json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl Detect {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let path = globals.store_path()?;
        let asks_for_json = self.json || self.format == Some(TwoFormats::Json);
        let is_json = asks_for_json || self.format.is_none() && !output.is_terminal();
        let since = self.since.as_deref();
        let since =
            since.map(|since| when::moment(since, globals.zone()?, false, globals).map_err(anyhow::Error::from));
        let since = since.transpose()?;
        let meters = {
            let store = Store::open(&path)?;
            match globals.meter()? {
                Some(_) => vec![choose_meter(&store, globals)?],
                None => store.meters()?,
            }
        };
        let (rules, setting) = (globals.events()?.rules(), globals.setting()?);
        let interrupt = Interrupt::catch()?;
        let mut store = Store::create(&path)?;
        let mut all = Again::default();
        for meter in &meters {
            let mut progress = |_| !interrupt.stop().is_set();
            let Some(done) = again(&mut store, meter, since, (&rules, setting), &mut progress)? else {
                return Ok(interrupt.end());
            };
            if !is_json && !globals.quiet {
                output.line(&format!("{meter}  {}", told(&done)))?;
            }
            all += done;
        }
        if is_json && (asks_for_json || !globals.quiet) {
            let json = serde_json::json!({
                "nb_mesures": all.readings, "nb_evenements": all.found,
                "ajoutes": all.added, "modifies": all.changed, "retires": all.dropped,
            });
            output.line(&json.to_string())?;
        }
        if !is_json && meters.is_empty() {
            globals.note(&tr!("the store holds no reading yet"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn told(done: &Again) -> String {
    let Again { readings, found, added, changed, dropped } = done;
    let (readings, events) = (count::readings(*readings), count::events(*found));
    tr!(
        "{readings}, {events}: {added} new, {changed} changed, {dropped} removed",
        readings,
        events,
        added,
        changed,
        dropped
    )
}
