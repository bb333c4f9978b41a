//! `releve export`: readings out of the store.

use super::args::Globals;
use super::config::nearest;
use super::failure::{self, Failure};
use super::output::Output;
use super::past::{archive_to_read, warn_if_blind};
use super::target::{self, Target};
use super::when;
use super::words::{errors, tr};
use crate::archive::{Kind, Period};
use crate::consolidate::{Bounds, Select, Wishes, export_days};
use crate::document::{DayFile, Form, History, Measure, Values, column_key, write_measure};
use crate::exchange::csv::Wide;
use crate::exchange::influx;
use crate::exchange::old_database::OldDatabaseWriter;
use crate::exchange::steps::{Step, Steps};
use crate::past::Past;
use crate::reading::{Column, Instant, MeterId, Quality, Reading};
use crate::store::{EventQuery, Store};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve export --db target/example.db
  releve export --db target/example.db --since 2025-11-07 --until 2025-11-07 -f ndjson
  releve export --db target/example.db -f csv --fields energie_active_import,tension_l1
  releve export --db target/example.db --by 15m -f history";

/// Write readings of the store as JSON, CSV and more
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    #[command(flatten)]
    span: when::Span,
    /// Means and counters for each step instead of every reading; days are those of the time zone
    #[arg(long, value_name = "STEP")]
    by: Option<By>,
    /// How to write
    #[arg(short, long, value_name = "FORMAT", default_value = "json")]
    format: Format,
    /// Short for -f json
    #[arg(long, conflicts_with_all = ["format", "archive"])]
    json: bool,
    /// Only these keys, in this order: columns or codes like 1-0:5.8.0
    #[arg(long, value_name = "KEY", value_delimiter = ',', add = super::complete::columns())]
    fields: Vec<String>,
    /// Into a file, which gets its name when it is whole; .gz packs it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the archive's short files of the last days instead
    #[arg(long, value_name = "DIR", conflicts_with_all = ["since", "until", "by", "format", "fields", "output"])]
    archive: Option<PathBuf>,
    /// How many days of them, today included
    #[arg(long, value_name = "N", default_value_t = 30, requires = "archive", value_parser = clap::value_parser!(u16).range(1..))]
    days: u16,
    /// Those without indentation
    #[arg(long, requires = "archive")]
    compact: bool,
    /// The archive to read where the store was pruned [default: the one of the settings]
    #[arg(long, value_name = "DIR", conflicts_with = "archive")]
    from_archive: Option<PathBuf>,
    /// End with 1 if there is no reading
    #[arg(long)]
    fail_empty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The form of an archive's day file, over any period
    Json,
    /// A reading a line
    Ndjson,
    /// A row a reading, a column a key
    Csv,
    /// The form of an archive's month file: quarters of an hour, unless --by says otherwise
    History,
    /// InfluxDB line protocol
    Influx,
    /// The SQLite file of the application before this one; needs -o
    Sqlite,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// A quarter of an hour
    #[value(name = "15m")]
    Quarter,
    /// An hour
    #[value(name = "1h")]
    Hour,
    /// A day
    #[value(name = "1d")]
    Day,
}

/// How much text is handed on at once.
const CHUNK: usize = 64 * 1024;

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let store = Store::open(&globals.store_path()?)?;
        let meter = choose_meter(&store, globals)?;
        if let Some(archive) = &self.archive {
            return self.short_files(meter, archive, globals, output);
        }
        let tree = archive_to_read(self.from_archive.as_deref(), globals)?;
        let past = tree.as_ref().map_or(Past::new(&store), |tree| Past::with_archive(&store, tree));
        let zone = globals.zone()?;
        let period = self.span.resolve(globals)?;
        let format = if self.json { Format::Json } else { self.format };
        let step = match (self.by, format) {
            (Some(By::Quarter), _) | (None, Format::History) => Some(Step::Seconds(900)),
            (Some(By::Hour), _) => Some(Step::Seconds(3600)),
            (Some(By::Day), _) => Some(Step::Day(zone.zone)),
            (None, _) => None,
        };
        store.quick_check(&meter)?;
        warn_if_blind(&past, &meter, &period, globals)?;
        let keys = Keys::of(past, &meter, &period, &self.fields)?;
        let selection = Selection { past, meter: &meter, period, step, keys: &keys };
        let count = match format {
            Format::Sqlite => selection.sqlite(self.output.as_deref())?,
            format => {
                let mut target = Target::open(self.output.as_deref(), output)?;
                let count = selection.text(format, &mut target)?;
                target.finish()?;
                count
            }
        };
        if count == 0 {
            globals.note(&tr!("no reading of {meter} in that period", meter));
        }
        Ok(if count == 0 && self.fail_empty { ExitCode::from(failure::OTHER) } else { ExitCode::SUCCESS })
    }

    /// The archive's `export_…` files.
    fn short_files(
        &self,
        meter: MeterId,
        archive: &std::path::Path,
        globals: &Globals,
        output: &mut Output,
    ) -> anyhow::Result<ExitCode> {
        let now = Instant::now();
        let today = Period::containing(Kind::Day, now).context("no such day")?;
        let days = today.start().plus_seconds(-86_400 * (i64::from(self.days) - 1))..today.end();
        let wishes = Wishes {
            store: globals.store_path()?,
            archive: archive.to_owned(),
            meter: None,
            default_meter: globals.default_meter()?,
            select: Select::All,
            hours: false,
            form: if self.compact { Form::Compact } else { Form::Indented },
            bounds: Bounds::default(),
            dry: false,
            trusting: false,
            now,
            workers: 1,
        };
        let mut exit = ExitCode::SUCCESS;
        let mut lines = Vec::new();
        export_days(&wishes, &meter, days, |done| {
            if let Some(trouble) = super::consolidate::trouble(&done) {
                super::output::say(&trouble);
                exit = ExitCode::from(failure::DATA);
            }
            lines.extend(super::consolidate::line(&done));
        })?;
        if !globals.quiet {
            lines.iter().try_for_each(|line| output.line(line))?;
        }
        Ok(exit)
    }
}

/// What is exported.
struct Selection<'s> {
    past: Past<'s>,
    meter: &'s MeterId,
    period: Range<Instant>,
    step: Option<Step>,
    keys: &'s Keys,
}

impl Selection<'_> {
    /// Each reading or step, with the keys that were chosen; how many.
    fn each(&self, mut sink: impl FnMut(Instant, &Values, Quality, &str) -> anyhow::Result<()>) -> anyhow::Result<u64> {
        let mut count = 0;
        let mut deliver = |at, values: &Values, quality, source: &str| {
            count += 1;
            match self.keys.choose(values) {
                Some(chosen) => sink(at, &chosen, quality, source),
                None => sink(at, values, quality, source),
            }
        };
        let mut steps = self.step.map(Steps::new);
        self.past.measures(self.meter, self.period.clone(), |at, values, quality, source| match &mut steps {
            Some(steps) => match steps.push(at, values, quality, source) {
                Some(done) => deliver(done.at, &done.values, done.quality, &done.source),
                None => Ok(()),
            },
            None => deliver(at, values, quality, source),
        })?;
        if let Some(last) = steps.as_mut().and_then(Steps::finish) {
            deliver(last.at, &last.values, last.quality, &last.source)?;
        }
        Ok(count)
    }

    fn text(&self, format: Format, target: &mut Target<'_>) -> anyhow::Result<u64> {
        let mut text = Vec::with_capacity(2 * CHUNK);
        let mut hand_on = |text: &mut Vec<u8>, target: &mut Target<'_>| -> anyhow::Result<()> {
            if text.len() >= CHUNK {
                target.write(text)?;
                text.clear();
            }
            Ok(())
        };
        let count = match format {
            Format::Ndjson => self.each(|at, values, quality, source| {
                write_measure(&mut text, at, values, quality, source);
                text.push(b'\n');
                hand_on(&mut text, target)
            })?,
            Format::Csv => {
                let wide = Wide::new(&self.keys.all);
                wide.write_header(&mut text);
                self.each(|at, values, quality, source| {
                    wide.write(&mut text, at, values, quality, source);
                    hand_on(&mut text, target)
                })?
            }
            Format::Influx => self.each(|at, values, quality, source| {
                let mut reading = Reading::new(crate::document::protocol_of(source));
                reading.meter = Some(self.meter.clone());
                reading.quality = quality;
                if let Some(line) = influx::line(&reading, values, at, source) {
                    text.extend_from_slice(line.as_bytes());
                    text.push(b'\n');
                }
                hand_on(&mut text, target)
            })?,
            Format::History => {
                let mut history = History::default();
                let count = self.each(|at, values, _, _| {
                    history.push(at, values);
                    Ok(())
                })?;
                let step = match self.step {
                    Some(Step::Seconds(seconds)) => seconds,
                    _ => 86_400,
                };
                history.write(target, self.meter.as_str(), step).map_err(target::write_error)?;
                count
            }
            _ => self.day_file(&mut text, target, &mut hand_on)?,
        };
        target.write(&text)?;
        Ok(count)
    }

    /// The form of a day file, with its head written before the readings are known.
    fn day_file(
        &self,
        text: &mut Vec<u8>,
        target: &mut Target<'_>,
        hand_on: &mut impl FnMut(&mut Vec<u8>, &mut Target<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        let (count, newest) = self.extent()?;
        let mut head = DayFile::new(self.meter.as_str(), None, Vec::new(), self.keys.units.clone());
        head.nb_mesures = usize::try_from(count).unwrap_or(usize::MAX);
        head.metadata.creation = newest.map(|newest| newest.to_string()).unwrap_or_default();
        let head = serde_json::to_string_pretty(&head).context("making JSON")?;
        let (start, end) = head.rsplit_once("[]").context("making JSON")?;
        text.extend_from_slice(start.as_bytes());
        text.push(b'[');
        let mut comma = "";
        self.each(|at, values, quality, source| {
            text.extend_from_slice(comma.as_bytes());
            comma = ",";
            let measure = Measure::new(at, values, quality, source);
            for line in serde_json::to_string_pretty(&measure).context("making JSON")?.lines() {
                text.extend_from_slice(b"\n    ");
                text.extend_from_slice(line.as_bytes());
            }
            hand_on(text, target)
        })?;
        text.extend_from_slice(if count == 0 { b"]" } else { b"\n  ]" });
        text.extend_from_slice(end.as_bytes());
        text.push(b'\n');
        Ok(count)
    }

    /// How many entries there will be, and the time of the newest.
    fn extent(&self) -> anyhow::Result<(u64, Option<Instant>)> {
        if self.step.is_none() {
            return Ok(self.past.instants(self.meter, self.period.clone())?);
        }
        let mut newest = None;
        let count = self.each(|at, _, _, _| {
            newest = Some(at);
            Ok(())
        })?;
        Ok((count, newest))
    }

    fn sqlite(&self, path: Option<&std::path::Path>) -> anyhow::Result<u64> {
        let Some(path) = path else {
            return Err(Failure::new(failure::USAGE, "export.file", tr!("a SQLite file cannot go to standard output"))
                .tip(tr!("name it: -o FILE"))
                .into());
        };
        let temporary = target::beside(path)?;
        let writer = OldDatabaseWriter::create(temporary.path()).map_err(|error| old_failure(path, &error))?;
        let count = self.each(|at, values, quality, source| {
            Ok(writer.add(at, values, quality, source).map_err(|error| old_failure(path, &error))?)
        })?;
        let query = EventQuery {
            meter: Some(self.meter.clone()),
            period: Some(self.period.clone()),
            oldest_first: true,
            ..EventQuery::default()
        };
        for kept in self.past.events(&query)? {
            writer.add_event(&kept.event).map_err(|error| old_failure(path, &error))?;
        }
        writer.finish().map_err(|error| old_failure(path, &error))?;
        target::persist(temporary, path)?;
        Ok(count)
    }
}

fn old_failure(path: &std::path::Path, error: &crate::exchange::old_database::OldDatabaseError) -> Failure {
    Failure::new(failure::WRITE, "write.failed", errors::cannot_write(path)).cause(error.to_string())
}

/// The keys of what is exported.
struct Keys {
    /// In the order they are written.
    all: Vec<String>,
    units: BTreeMap<String, String>,
    chosen: bool,
}

impl Keys {
    /// The columns and every other register there is in the period, or those that were asked for.
    fn of(past: Past<'_>, meter: &MeterId, period: &Range<Instant>, asked: &[String]) -> anyhow::Result<Self> {
        let mut all: Vec<String> = Column::ALL.iter().map(|&column| column_key(column).to_owned()).collect();
        let mut units = BTreeMap::new();
        let mut series = past.series_in(meter, period.clone())?;
        series.sort_by(|a, b| a.code.cmp(&b.code).then(a.nth.cmp(&b.nth)));
        for series in series {
            if series.nth == 0 && series.code.obis().and_then(Column::of_register).is_some() {
                continue;
            }
            let key = match series.nth {
                0 => series.code.key().to_string(),
                nth => format!("{}#{}", series.code.key(), nth + 1),
            };
            if let Some(unit) = series.unit {
                units.entry(key.clone()).or_insert_with(|| unit.normal().0.symbol().to_string());
            }
            if !all.contains(&key) {
                all.push(key);
            }
        }
        if asked.is_empty() {
            return Ok(Self { all, units, chosen: false });
        }
        if let Some(unknown) = asked.iter().find(|key| !all.contains(key)) {
            let failure = Failure::new(failure::USAGE, "export.field", tr!("there is no key '{key}'", key = unknown));
            let names: Vec<&str> = all.iter().map(String::as_str).collect();
            let failure = match nearest(unknown, &names) {
                Some(meant) => failure.tip(tr!("did you mean '{meant}'?", meant)),
                None => failure,
            };
            return Err(failure.tip(tr!("there are: {list}", list = all.join(", "))).into());
        }
        units.retain(|key, _| asked.contains(key));
        Ok(Self { all: asked.to_vec(), units, chosen: true })
    }

    /// The values under the chosen keys; `None` where all are.
    fn choose(&self, values: &Values) -> Option<Values> {
        if !self.chosen {
            return None;
        }
        let has = |key: &str| self.all.iter().any(|chosen| chosen == key);
        Some(Values {
            columns: values.columns.iter().filter(|(column, _)| has(column_key(*column))).copied().collect(),
            extras: values.extras.iter().filter(|extra| has(&extra.key)).cloned().collect(),
            texts: values.texts.iter().filter(|(key, _)| has(key)).cloned().collect(),
        })
    }
}

/// The meter of a name.
pub(super) fn find_meter(store: &Store, named: &MeterId) -> anyhow::Result<MeterId> {
    if let Some(found) = store.find_meter(named)? {
        return Ok(found);
    }
    let failure =
        Failure::new(failure::NO_INPUT, "meter.missing", tr!("the store has no meter {meter}", meter = named));
    Err(failure.tip(tr!("there are: {list}", list = list(&store.meters()?))).into())
}

/// The meter that was named, or the only one there is.
pub(super) fn choose_meter(store: &Store, globals: &Globals) -> anyhow::Result<MeterId> {
    if let Some(named) = globals.meter()? {
        return find_meter(store, &named);
    }
    match <[MeterId; 1]>::try_from(store.meters()?) {
        Ok([only]) => Ok(only),
        Err(meters) if meters.is_empty() => {
            Err(Failure::new(failure::NO_INPUT, "store.empty", tr!("the store holds no reading yet"))
                .tip(tr!("releve read FILE --save puts some in"))
                .into())
        }
        Err(meters) => {
            Err(Failure::new(failure::USAGE, "meter.choice", tr!("the store holds several meters, say which"))
                .tip(tr!("--meter one of: {list}", list = list(&meters)))
                .into())
        }
    }
}

fn list(meters: &[MeterId]) -> String {
    meters.iter().map(MeterId::as_str).collect::<Vec<_>>().join(", ")
}
