//! `releve meters`: the meters of the store, and the segments of their counters.

use super::args::Globals;
use super::export::choose_meter;
use super::failure::{self, Failure};
use super::output::Output;
use super::table::TwoForms;
use super::when;
use super::words::{count, tr};
use crate::reading::{Instant, MeterId};
use crate::store::{Break, Correction, Meter, Segment, Series, Store};
use clap::{Args, Subcommand};
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve meters --db target/example.db
  releve meters --db target/example.db --json
  releve meters --db target/example.db --json segments

A segment is a stretch over which a counter runs on. One begins where a counter rolls over, stands lower than before or
higher than it can have run, and stays there, and where the serial number that the meter sends is another from then on; a
value that is misread once does not count. Where that is wrong, say so:
`split TIME` begins a segment, `merge TIME` denies the one that begins there.";

/// List meters and the segments of their counters, correct them
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    form: TwoForms,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The segments of each counter of a meter
    #[command(after_help = "Examples:\n  releve meters segments --db target/example.db")]
    Segments,
    /// Begin a segment at a time: the meter was replaced then
    #[command(after_help = "Examples:\n  releve meters split 2025-11-07T14:30:02Z --db target/example.db")]
    Split {
        /// RFC 3339
        #[arg(value_name = "TIME")]
        at: String,
    },
    /// No segment begins at a time: the counter ran on
    #[command(after_help = "Examples:\n  releve meters merge 2025-11-07T14:30:02Z --db target/example.db")]
    Merge {
        /// RFC 3339, as `segments` prints it
        #[arg(value_name = "TIME")]
        at: String,
    },
    /// Give the meter a name for --meter, or take it away
    #[command(
        after_help = "Examples:\n  releve meters name house --db target/example.db\n  releve meters name --db target/example.db"
    )]
    Name {
        /// The name; none takes it away
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let path = globals.store_path()?;
        let store = Store::open(&path)?;
        match self.what {
            None => self.list(&store, output)?,
            Some(What::Segments) => self.segments(&store, &choose_meter(&store, globals)?, output)?,
            Some(What::Split { ref at }) => correct(store, globals, at, Correction::Split)?,
            Some(What::Merge { ref at }) => correct(store, globals, at, Correction::Merge)?,
            Some(What::Name { ref name }) => {
                let meter = choose_meter(&store, globals)?;
                let alias = match name {
                    Some(name) => Some(MeterId::new(name).ok_or_else(|| {
                        Failure::new(failure::USAGE, "meter.name", tr!("'{name}' is no name for a meter", name))
                    })?),
                    None => None,
                };
                drop(store);
                if !Store::create(&path)?.name_meter(&meter, alias.as_ref())? {
                    let what = tr!("another meter is called so");
                    return Err(Failure::new(failure::USAGE, "meter.taken", what)
                        .tip(tr!("releve meters lists them"))
                        .into());
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn list(&self, store: &Store, output: &mut Output) -> anyhow::Result<()> {
        let meters = store.list_meters()?;
        if self.form.is_json(output) {
            let all: Vec<_> = meters.iter().map(json).collect();
            return output.line(&serde_json::to_string_pretty(&all)?);
        }
        for meter in meters {
            let alias = meter.alias.map(|alias| format!(" ({alias})")).unwrap_or_default();
            let extent = meter.extent.map(extent).unwrap_or_default();
            output.line(&format!("{}{alias}  {}{extent}", meter.identifier, count::readings(meter.readings)))?;
        }
        Ok(())
    }

    fn segments(&self, store: &Store, meter: &MeterId, output: &mut Output) -> anyhow::Result<()> {
        let all = store.segments(meter)?;
        if self.form.is_json(output) {
            let all: Vec<_> = all
                .iter()
                .map(|(series, segments)| {
                    let segments: Vec<_> = segments.iter().map(segment_json).collect();
                    serde_json::json!({
                        "obis": series.code.to_string(),
                        "unite": series.unit.map(|unit| unit.symbol().to_string()),
                        "segments": segments,
                    })
                })
                .collect();
            return output.line(&serde_json::to_string_pretty(&all)?);
        }
        for (series, segments) in all {
            for segment in segments {
                output.line(&describe(&series, &segment))?;
            }
        }
        Ok(())
    }
}

/// A meter as it is listed.
pub(super) fn json(meter: &Meter) -> serde_json::Value {
    serde_json::json!({
        "compteur": meter.identifier.as_str(),
        "alias": meter.alias,
        "nb_mesures": meter.readings,
        "date_premiere": meter.extent.map(|(first, _)| first.to_string()),
        "date_derniere": meter.extent.map(|(_, last)| last.to_string()),
    })
}

/// `, FIRST to LAST`.
pub(super) fn extent((first, last): (Instant, Instant)) -> String {
    tr!(", {first} to {last}", first, last)
}

fn describe(series: &Series, segment: &Segment) -> String {
    let unit = series.unit.map(|unit| format!(" {}", unit.symbol())).unwrap_or_default();
    let (first, last) = segment.between;
    let why = segment.begins.map(|why| format!(", {}", word(why))).unwrap_or_default();
    let outliers = match segment.outliers {
        0 => String::new(),
        count => tr!(", {n} misread", n = count),
    };
    let times = tr!("{first} to {last}", first, last);
    let values = tr!("{first} to {last}", first = segment.first, last = segment.last);
    format!("{}  {times}  {values}{unit}{why}{outliers}", series.code.key())
}

fn segment_json(segment: &Segment) -> serde_json::Value {
    serde_json::json!({
        "debut": segment.between.0.to_string(),
        "fin": segment.between.1.to_string(),
        "premier": segment.first.to_string(),
        "dernier": segment.last.to_string(),
        "raison": segment.begins.map(Break::kind),
        "valeurs_aberrantes": segment.outliers,
    })
}

fn word(why: Break) -> String {
    match why {
        Break::Rollover { .. } => tr!("after a rollover"),
        Break::Lower => tr!("lower than before"),
        Break::Higher => tr!("higher than it can have run"),
        Break::Replaced => tr!("another meter by its serial number"),
        Break::Said => tr!("as was said"),
    }
}

fn correct(store: Store, globals: &Globals, at: &str, correction: Correction) -> anyhow::Result<()> {
    let meter = choose_meter(&store, globals)?;
    let at = when::moment(at, globals.zone()?, false, globals)?;
    let path = store.path().to_owned();
    drop(store);
    Store::create(&path)?.correct(&meter, at, correction)?;
    Ok(())
}
