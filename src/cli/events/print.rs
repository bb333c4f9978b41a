//! Events as a table, JSON or CSV.

use super::{Format, kinds};
use crate::cli::args::Globals;
use crate::cli::output::{Output, printable};
use crate::cli::words::tr;
use crate::document::{EVENT_COLUMNS, EventJson, event_cells};
use crate::reading::{MeterId, Severity, Zone};
use crate::store::{KeptEvent, Store};
use serde::Serialize;

/// Prints events in one format.
pub(super) struct Printer {
    format: Format,
    zone: Zone,
    colour: bool,
    /// Whether it has to be said of which meter each is.
    several: bool,
    has_header: bool,
}

/// What the API answers.
#[derive(Serialize)]
struct All<'e> {
    nb_evenements: usize,
    evenements: Vec<EventJson<'e>>,
}

/// The widest kind that is aligned to.
const KIND: usize = 28;

impl Printer {
    pub(super) fn new(format: Format, store: &Store, globals: &Globals) -> anyhow::Result<Self> {
        Ok(Self {
            format,
            zone: globals.zone()?.zone,
            colour: globals.colour(),
            several: globals.meter()?.is_none() && store.meters()?.len() > 1,
            has_header: false,
        })
    }

    /// All that there are.
    pub(super) fn all(&mut self, events: &[KeptEvent], output: &mut Output) -> anyhow::Result<()> {
        if self.format == Format::Json {
            let evenements: Vec<_> = events.iter().map(|kept| EventJson::new(kept.id, &kept.event)).collect();
            let all = All { nb_evenements: evenements.len(), evenements };
            return output.line(&serde_json::to_string_pretty(&all)?);
        }
        let words = events.iter().map(|kept| kinds::word(&kept.event.kind).chars().count());
        let width = words.max().unwrap_or(0);
        if self.format == Format::Csv || !events.is_empty() {
            self.header(width, output)?;
        }
        events.iter().try_for_each(|kept| self.line(kept, width, output))
    }

    /// One more, as it comes.
    pub(super) fn one(&mut self, kept: &KeptEvent, output: &mut Output) -> anyhow::Result<()> {
        self.header(KIND, output)?;
        self.line(kept, KIND, output)
    }

    fn header(&mut self, width: usize, output: &mut Output) -> anyhow::Result<()> {
        if std::mem::replace(&mut self.has_header, true) {
            return Ok(());
        }
        match self.format {
            Format::Json | Format::Ndjson => Ok(()),
            Format::Csv => output.line(&EVENT_COLUMNS.join(",")),
            Format::Table => {
                let meter = if self.several { format!("{:<16}  ", tr!("meter")) } else { String::new() };
                let (time, severity, kind, what) = (tr!("time"), tr!("severity"), tr!("type"), tr!("what"));
                let wide = severity_width();
                let line = format!("{time:<19}  {severity:<wide$}  {kind:<width$}  {meter}{what}");
                output.line(&if self.colour { format!("\u{1b}[1m{line}\u{1b}[0m") } else { line })
            }
        }
    }

    fn line(&self, kept: &KeptEvent, width: usize, output: &mut Output) -> anyhow::Result<()> {
        let event = &kept.event;
        match self.format {
            Format::Json | Format::Ndjson => output.line(&serde_json::to_string(&EventJson::new(kept.id, event))?),
            Format::Csv => {
                let mut row = csv::Writer::from_writer(Vec::new());
                row.write_record(event_cells(kept.id, event))?;
                output.write(&String::from_utf8_lossy(&row.into_inner()?))
            }
            Format::Table => {
                let time = local(event.start.on_clock(self.zone).civil.to_string());
                let meter = match (&event.meter, self.several) {
                    (_, false) => String::new(),
                    (meter, true) => format!("{:<16}  ", meter.as_ref().map_or("", MeterId::as_str)),
                };
                let severity = coloured(event.severity, self.colour);
                let (kind, what) = (printable(&kinds::word(&event.kind)), printable(&event.description));
                output.line(&format!("{time:<19}  {severity}  {kind:<width$}  {meter}{what}"))
            }
        }
    }
}

/// `2025-11-07 15:30:00` of `2025-11-07T15:30:00.25`.
fn local(civil: String) -> String {
    let whole = civil.split('.').next().unwrap_or(&civil);
    whole.replace('T', " ")
}

/// How wide the widest severity is, and the title above them.
fn severity_width() -> usize {
    let all = [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical].map(super::severity);
    all.iter().chain([&tr!("severity")]).map(|word| word.chars().count()).max().unwrap_or(0)
}

/// The word of a severity, as wide as the widest; the colour only says it again.
fn coloured(severity: Severity, colour: bool) -> String {
    let word = format!("{:<1$}", super::severity(severity), severity_width());
    let code = match severity {
        Severity::Info => return word,
        Severity::Warning => "33",
        Severity::Error => "31",
        Severity::Critical => "1;31",
    };
    if colour { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word }
}
