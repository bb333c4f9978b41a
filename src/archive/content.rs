//! What goes into a file: readings that are merged, and the text they become.

use super::pack::Packer;
use crate::document::{DayFile, Form, History, Values, write_entry, write_short};
use crate::reading::{Column, Decimal, Instant, Quality};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// A reading in the contract's terms: what is merged and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it says.
    pub values: Values,
    /// How far it can be trusted.
    pub quality: Quality,
    /// Where it came from.
    pub source: SmolStr,
}

/// The readings of a file, by time.
pub type Records = BTreeMap<Instant, Record>;

/// Adds a reading. Of two of one time the better quality is kept, and of equal ones the one that comes later: files first,
/// then the store.
pub fn add(records: &mut Records, at: Instant, record: Record) {
    if records.get(&at).is_none_or(|present| record.quality >= present.quality) {
        records.insert(at, record);
    }
}

/// What a manifest says about the content of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many readings, or values of a week or month file.
    pub count: usize,
    /// The times of the first and the last.
    pub between: Option<(Instant, Instant)>,
    /// The first and the last value of each energy counter.
    pub counters: [Option<(Decimal, Decimal)>; 2],
}

/// The counters that a manifest tells the ends of.
const COUNTERS: [Column; 2] = [Column::EnergyImport, Column::EnergyExport];

impl Summary {
    /// Takes the next reading in order of time.
    pub fn take(&mut self, at: Instant, values: &Values) {
        self.count += 1;
        let first = self.between.map_or(at, |(first, _)| first);
        self.between = Some((first, at));
        for (ends, column) in self.counters.iter_mut().zip(COUNTERS) {
            if let Some(value) = values.column(column) {
                *ends = Some((ends.map_or(value, |(first, _)| first), value));
            }
        }
    }
}

/// The bytes of a file, and what they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The file.
    pub bytes: Vec<u8>,
    /// What is in it.
    pub summary: Summary,
}

/// Files of readings that are written one after the other, each in order of time.
#[derive(Debug)]
pub struct Text {
    form: Form,
    short: bool,
    packer: Packer,
    units: BTreeMap<String, String>,
    summary: Summary,
}

impl Text {
    /// Files of whole readings, or of the short form that the old application's export wrote.
    #[must_use]
    pub fn new(form: Form, short: bool) -> Self {
        Self { form, short, packer: Packer::default(), units: BTreeMap::new(), summary: Summary::default() }
    }

    /// Takes the next reading.
    pub fn push(&mut self, at: Instant, values: &Values, quality: Quality, source: &str) {
        for extra in values.extras.iter().filter(|_| !self.short) {
            if let Some(unit) = extra.unit
                && !self.units.contains_key(extra.key.as_str())
            {
                self.units.insert(extra.key.to_string(), unit.symbol().to_string());
            }
        }
        let is_first = self.is_empty();
        self.summary.take(at, values);
        let text = self.packer.text();
        if !is_first {
            text.push(b',');
        }
        if self.short {
            write_short(text, self.form, at, values);
        } else {
            write_entry(text, self.form, at, values, quality, source);
        }
        self.packer.flow();
    }

    /// Whether there is no reading in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.summary.count == 0
    }

    /// The file of a meter and a day, of one hour of it where that is given. Afterwards the next can be written.
    #[must_use]
    pub fn finish(&mut self, meter: &str, date: String, hour: Option<u8>) -> Content {
        let summary = std::mem::take(&mut self.summary);
        let mut head = DayFile::new(meter, Some(date), Vec::new(), std::mem::take(&mut self.units));
        head.nb_mesures = summary.count;
        head.heure = hour;
        if let Some((_, newest)) = summary.between {
            head.metadata.creation = newest.to_string();
        }
        let json = match self.form {
            Form::Compact => serde_json::to_string(&head),
            Form::Indented => serde_json::to_string_pretty(&head),
        };
        // Strings and numbers always serialise, and the list of readings stands last.
        let mut json = json.unwrap_or_default();
        if self.short
            && let (Some(from), Some(to)) = (json.find("\"metadata\""), json.find("\"date\""))
        {
            json.replace_range(from..to, "");
        }
        let head = json.rsplit_once(']').map_or("", |(head, _)| head);
        let (inner, outer) = if self.form == Form::Compact { ("", "") } else { ("\n  ", "\n") };
        let text = self.packer.text();
        text.extend_from_slice(if summary.count == 0 { "" } else { inner }.as_bytes());
        text.push(b']');
        text.extend_from_slice(outer.as_bytes());
        text.extend_from_slice(b"}\n");
        Content { bytes: self.packer.finish(head), summary }
    }
}

/// The file of a week or a month.
#[must_use]
pub fn history(history: &History, meter: &str, period: super::Period, form: Form, events: &[String]) -> Content {
    let mut packer = Packer::default();
    // Writing to memory cannot fail.
    let _ = history.write_over(&mut packer, meter, Some(period.range()), form, events);
    Content { bytes: packer.finish(""), summary: summary_of(history) }
}

pub(super) fn summary_of(history: &History) -> Summary {
    let (count, between) = history.extent();
    let ends = |column| history.ends(crate::document::column_key(column));
    Summary { count, between, counters: COUNTERS.map(ends) }
}
