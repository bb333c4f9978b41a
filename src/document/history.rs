//! The form of week and month files: a series of steps for each register.

use super::{Exact, Form, Values, column_key};
use crate::reading::{Column, Decimal, Instant, Unit};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;

/// Steps of many registers, packed, so that ten years of quarters of an hour fit in a few megabytes.
#[derive(Debug, Default)]
pub struct History {
    series: Vec<(String, Series)>,
    first: Option<Instant>,
    last: Option<Instant>,
}

#[derive(Debug, Default)]
struct Series {
    /// The unit's symbol.
    unit: String,
    /// For each step: the distance to the one before in seconds, the distance of the mantissa, the exponent.
    packed: Vec<u8>,
    at: i64,
    mantissa: i64,
}

impl History {
    /// Takes the values of a step.
    pub fn push(&mut self, at: Instant, values: &Values) {
        self.first.get_or_insert(at);
        self.last = Some(at);
        let mut place = 0;
        for &(column, value) in &values.columns {
            let key = if column == Column::PowerTotal { POWER } else { column_key(column) };
            self.add(&mut place, key, column.unit(), at, value);
        }
        for extra in &values.extras {
            self.add(&mut place, &extra.key, extra.unit, at, extra.value);
        }
    }

    /// Adds a step to the series of a key. It probably is at `place`, as in the step before, and the next behind it.
    fn add(&mut self, place: &mut usize, key: &str, unit: Option<Unit>, at: Instant, value: Decimal) {
        if self.series.get(*place).is_none_or(|(other, _)| other != key) {
            *place = self.series.iter().position(|(other, _)| other == key).unwrap_or_else(|| {
                let unit = unit.map(|unit| unit.symbol().to_string()).unwrap_or_default();
                self.series.push((key.to_owned(), Series { unit, ..Series::default() }));
                self.series.len() - 1
            });
        }
        if let Some((_, series)) = self.series.get_mut(*place) {
            series.push(at, value);
        }
        *place += 1;
    }

    /// Whether there is no step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// How many values there are in all series together, and the times of the first and the last.
    #[must_use]
    pub fn extent(&self) -> (usize, Option<(Instant, Instant)>) {
        let times = self.series.iter().flat_map(|(_, series)| series.steps()).map(|(at, _)| at);
        times.fold((0, None), |(count, ends), at| {
            let (first, last) = ends.unwrap_or((at, at));
            (count + 1, Some((at.min(first), at.max(last))))
        })
    }

    /// The first and the last value of a series.
    #[must_use]
    pub fn ends(&self, key: &str) -> Option<(Decimal, Decimal)> {
        let (_, series) = self.series.iter().find(|(other, _)| other == key)?;
        let mut values = series.steps().map(|(_, value)| value);
        let first = values.next()?;
        Some((first, values.last().unwrap_or(first)))
    }

    /// Takes the steps of another that this one has not, series by series.
    #[must_use]
    pub fn completed_by(self, other: &Self) -> Self {
        let mut all: BTreeMap<&str, (&str, BTreeMap<i64, Decimal>)> = BTreeMap::new();
        // What is put in last stays.
        for (key, series) in other.series.iter().chain(&self.series) {
            let (unit, steps) = all.entry(key).or_insert_with(|| (&series.unit, BTreeMap::new()));
            if !series.unit.is_empty() {
                *unit = &series.unit;
            }
            steps.extend(series.steps().map(|(at, value)| (at.unix_seconds(), value)));
        }
        let mut done = Self::default();
        for (key, (unit, steps)) in all {
            let mut series = Series { unit: unit.to_owned(), ..Series::default() };
            for (at, value) in steps {
                series.push(Instant::from_unix(at), value);
            }
            done.series.push((key.to_owned(), series));
        }
        done
    }

    /// Reads a file, and whose it is.
    ///
    /// # Errors
    /// [`HistoryError`] where the text is no such file.
    pub fn read(text: &str) -> Result<(String, Self), HistoryError> {
        #[derive(Deserialize)]
        struct File {
            compteur: String,
            series: BTreeMap<String, FiledSeries>,
        }
        #[derive(Deserialize)]
        struct FiledSeries {
            #[serde(default)]
            unite: String,
            valeurs: Vec<(String, Option<Exact>)>,
        }
        let file: File = serde_json::from_str(text)?;
        let mut history = Self::default();
        for (key, filed) in file.series {
            let mut series = Series { unit: filed.unite, ..Series::default() };
            for (time, value) in filed.valeurs {
                let at = Instant::parse_utc(&time).map_err(|_| HistoryError::Time(time))?;
                if let Some(Exact(value)) = value {
                    series.push(at, value);
                }
            }
            history.series.push((key, series));
        }
        Ok((file.compteur, history))
    }

    /// Writes the file. The period reaches from the first step to the last second of the last one, of `step_s` seconds.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&self, out: &mut impl Write, meter: &str, step_s: i64) -> io::Result<()> {
        let ends = self.first.zip(self.last.map(|last| last.plus_seconds(step_s)));
        self.write_over(out, meter, ends.map(|(first, end)| first..end), Form::Indented, &[])
    }

    /// Writes the file of a period: columns first, then the further registers. `events` are JSON texts.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_over(
        &self,
        out: &mut impl Write,
        meter: &str,
        period: Option<Range<Instant>>,
        form: Form,
        events: &[String],
    ) -> io::Result<()> {
        let is_compact = form == Form::Compact;
        let lines = |deep: usize| if is_compact { String::new() } else { format!("\n{}", " ".repeat(deep)) };
        let colon = if is_compact { ":" } else { ": " };
        let [one, two, three, four] = [lines(2), lines(4), lines(6), lines(8)];
        let period = period.map(|range| {
            let end = range.end.plus_seconds(-1);
            format!("{{\"debut\"{colon}\"{}\",{}\"fin\"{colon}\"{end}\"}}", range.start, colon.trim_start_matches(':'))
        });
        let meter = serde_json::to_string(meter)?;
        write!(out, "{{{one}\"compteur\"{colon}{meter},{one}\"periode\"{colon}")?;
        write!(out, "{},{one}\"series\"{colon}{{", period.as_deref().unwrap_or("null"))?;
        let mut order: Vec<&(String, Series)> = self.series.iter().collect();
        order.sort_by(|(a, _), (b, _)| place_of(a).cmp(&place_of(b)).then_with(|| a.cmp(b)));
        for (index, (key, series)) in order.into_iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let unit = serde_json::to_string(&series.unit)?;
            let key = serde_json::to_string(key)?;
            write!(out, "{comma}{two}{key}{colon}{{{three}\"unite\"{colon}{unit},{three}\"valeurs\"{colon}[")?;
            let mut line = Vec::new();
            let mut comma = "";
            for (at, value) in series.steps() {
                line.clear();
                line.extend_from_slice(comma.as_bytes());
                line.extend_from_slice(four.as_bytes());
                line.extend_from_slice(b"[\"");
                at.write_to(&mut line);
                line.extend_from_slice(if is_compact { b"\",".as_slice() } else { b"\", " });
                value.write_to(&mut line);
                line.push(b']');
                out.write_all(&line)?;
                comma = ",";
            }
            write!(out, "{three}]{two}}}")?;
        }
        write!(out, "{one}}}")?;
        if !events.is_empty() {
            let list = events.join(&format!(",{two}"));
            write!(out, ",{one}\"evenements\"{colon}[{two}{list}{one}]")?;
        }
        writeln!(out, "{}}}", lines(0))
    }
}

/// Columns in the contract's order, then everything else.
fn place_of(key: &str) -> usize {
    let column = |column: &Column| key == column_key(*column) || (*column == Column::PowerTotal && key == POWER);
    Column::ALL.iter().position(column).unwrap_or(Column::ALL.len())
}

/// The one name of a series that differs from its column's.
const POWER: &str = "puissance_active";

/// Why a text is no week or month file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// It is not the contract's JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A step has no time.
    #[error("'{0}' is not a time")]
    Time(String),
}

impl Series {
    fn push(&mut self, at: Instant, value: Decimal) {
        put(&mut self.packed, at.unix_seconds().wrapping_sub(self.at));
        put(&mut self.packed, value.mantissa().wrapping_sub(self.mantissa));
        self.packed.push(value.exponent().cast_unsigned());
        (self.at, self.mantissa) = (at.unix_seconds(), value.mantissa());
    }

    fn steps(&self) -> impl Iterator<Item = (Instant, Decimal)> {
        let (mut at, mut mantissa, mut rest) = (0i64, 0i64, self.packed.as_slice());
        std::iter::from_fn(move || {
            at = at.wrapping_add(take(&mut rest)?);
            mantissa = mantissa.wrapping_add(take(&mut rest)?);
            let (&exponent, others) = rest.split_first()?;
            rest = others;
            Some((Instant::from_unix(at), Decimal::new(mantissa, exponent.cast_signed())))
        })
    }
}

/// Seven bits a byte, lowest first, the sign folded into the lowest.
fn put(out: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
    loop {
        let [low, ..] = (rest & 0x7F).to_le_bytes();
        rest >>= 7;
        out.push(if rest == 0 { low } else { low | 0x80 });
        if rest == 0 {
            return;
        }
    }
}

fn take(rest: &mut &[u8]) -> Option<i64> {
    let (mut number, mut shift) = (0u64, 0);
    loop {
        let (&byte, others) = rest.split_first()?;
        *rest = others;
        number |= u64::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            return Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Extra;

    #[test]
    fn the_contracts_example() {
        let mut history = History::default();
        let steps = [("2025-11-01T00:00:00Z", "1200", "154.320"), ("2025-11-01T00:15:00Z", "-1350", "154.9")];
        for (at, power, energy) in steps {
            let values = Values {
                columns: vec![(Column::PowerTotal, power.parse().unwrap())],
                extras: vec![Extra { key: "1-0:1.8.1".into(), value: energy.parse().unwrap(), unit: Some(Unit::KWH) }],
                ..Values::default()
            };
            history.push(Instant::parse_utc(at).unwrap(), &values);
        }
        let mut out = Vec::new();
        history.write(&mut out, "E450001234", 900).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(read["periode"]["fin"], "2025-11-01T00:29:59Z");
        let series = &read["series"];
        assert_eq!(series["puissance_active"]["unite"], "W");
        assert_eq!(
            series["puissance_active"]["valeurs"].to_string(),
            r#"[["2025-11-01T00:00:00Z",1200],["2025-11-01T00:15:00Z",-1350]]"#
        );
        assert!(String::from_utf8(out.clone()).unwrap().contains("[\"2025-11-01T00:00:00Z\", 154.320]"));

        let (meter, back) = History::read(std::str::from_utf8(&out).unwrap()).unwrap();
        assert_eq!((meter.as_str(), back.extent().0), ("E450001234", 4));
        let day = Instant::parse_utc("2025-11-01T00:00:00Z").unwrap();
        let text = |history: &History, form| {
            let mut out = Vec::new();
            history.write_over(&mut out, "M1", Some(day..day.plus_seconds(86_400)), form, &[]).unwrap();
            String::from_utf8(out).unwrap()
        };
        let compact = text(&back, Form::Compact);
        assert!(compact.starts_with(r#"{"compteur":"M1","periode":{"debut":"2025-11-01T00:00:00Z","fin":"2025-11-01T23:59:59Z"},"series":{"puissance_active":{"unite":"W","valeurs":[["2025-11-01T00:00:00Z",1200],["#), "{compact}");
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parse(&compact), parse(&text(&back, Form::Indented)));
        assert_eq!(text(&history.completed_by(&back), Form::Compact), compact);
        assert_eq!(text(&History::default().completed_by(&back), Form::Compact), compact);
    }
}
