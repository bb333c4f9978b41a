//! `releve check`: whether readings come in, in one line and an exit status, for monitoring.

use super::args::Globals;
use super::export::choose_meter;
use super::failure::{self, Failure};
use super::output::Output;
use super::table::TwoForms;
use super::when;
use super::words::tr;
use crate::reading::{Instant, MeterId};
use crate::store::Store;
use clap::Args;
use std::process::ExitCode;
use std::time::Duration;

const AFTER_HELP: &str = "\
Examples:
  releve check --db target/example.db --max-age 20000d
  releve check --db target/example.db --max-age 20000d --json

The last reading of each meter, or of the one named with --meter, must be no older than --max-age. Exit status: 0 fresh, 1 too
old, 66 no store, no such meter or no reading. For systems that take 2 as critical: releve check … || exit 2";

/// Say whether readings come in, for monitoring
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    /// How old the last reading may be
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = when::duration)]
    max_age: Duration,
    #[command(flatten)]
    form: TwoForms,
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let store = Store::open(&globals.store_path()?)?;
        let meters = match globals.meter()? {
            Some(_) => vec![choose_meter(&store, globals)?],
            None => store.meters()?,
        };
        let now = Instant::now();
        let mut oldest: Option<(Duration, &MeterId, Instant)> = None;
        for meter in &meters {
            let Some((_, last)) = store.extent(meter)? else { continue };
            let age = u64::try_from(now.unix_micros() - last.unix_micros()).unwrap_or(0);
            let age = Duration::from_micros(age);
            if oldest.is_none_or(|(before, ..)| before < age) {
                oldest = Some((age, meter, last));
            }
        }
        let Some((age, meter, last)) = oldest else {
            return Err(Failure::new(failure::NO_INPUT, "store.empty", tr!("the store holds no reading yet")).into());
        };
        let is_fresh = age <= self.max_age;
        if globals.quiet && is_fresh && !self.form.asks_for_json() {
            // Cron is told of trouble only.
        } else if self.form.is_json(output) {
            let json = serde_json::json!({
                "ok": is_fresh, "compteur": meter.as_str(), "date_derniere": last.to_string(), "age_s": age.as_secs(),
                "max_s": self.max_age.as_secs(), "nb_compteurs": meters.len(),
            });
            output.line(&json.to_string())?;
        } else {
            let word = if is_fresh { tr!("ok") } else { tr!("too old") };
            let age = super::log::time(age);
            let most = super::log::time(self.max_age);
            let said = match meters.len() {
                0 | 1 => tr!(
                    "{word}: last reading of {meter} {age} ago ({last}); at most {most}",
                    word,
                    meter,
                    age,
                    last,
                    most
                ),
                n => tr!(
                    "{word}: last reading of {meter} {age} ago ({last}), the oldest of {n} meters; at most {most}",
                    word,
                    meter,
                    age,
                    last,
                    n,
                    most
                ),
            };
            output.line(&said)?;
        }
        Ok(if is_fresh { ExitCode::SUCCESS } else { ExitCode::from(failure::OTHER) })
    }
}
