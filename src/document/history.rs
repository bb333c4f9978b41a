//! The form of week and month files: a series of steps for each register.

use super::{Exact, Numbers, Values, column_key};
use crate::reading::{Column, Decimal, Instant, Unit};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Steps of many registers, packed, so that ten years of quarters of an hour fit in a few megabytes.
#[derive(Debug, Default)]
pub struct History {
    series: Vec<(String, Series)>,
    first: Option<Instant>,
    last: Option<Instant>,
}

#[derive(Debug)]
struct Series {
    unit: Option<Unit>,
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
        for &(column, value) in &values.columns {
            // The one name that differs from the column's.
            let key = if column == Column::PowerTotal { "puissance_active" } else { column_key(column) };
            self.add(key, column.unit(), at, value);
        }
        for extra in &values.extras {
            self.add(&extra.key, extra.unit, at, extra.value);
        }
    }

    fn add(&mut self, key: &str, unit: Option<Unit>, at: Instant, value: Decimal) {
        let place = self.series.iter().position(|(other, _)| other == key).unwrap_or_else(|| {
            self.series.push((key.to_owned(), Series { unit, packed: Vec::new(), at: 0, mantissa: 0 }));
            self.series.len() - 1
        });
        if let Some((_, series)) = self.series.get_mut(place) {
            put(&mut series.packed, at.unix_seconds().wrapping_sub(series.at));
            put(&mut series.packed, value.mantissa().wrapping_sub(series.mantissa));
            series.packed.push(value.exponent().cast_unsigned());
            (series.at, series.mantissa) = (at.unix_seconds(), value.mantissa());
        }
    }

    /// Writes the file. The period reaches from the first step to the last second of the last one, of `step_s` seconds.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&self, out: &mut impl Write, meter: &str, step_s: i64) -> io::Result<()> {
        let ends = self.first.zip(self.last.map(|last| last.plus_seconds(step_s - 1)));
        let period =
            ends.map(|(first, last)| BTreeMap::from([("debut", first.to_string()), ("fin", last.to_string())]));
        let meter = serde_json::to_string(meter)?;
        writeln!(out, "{{\n  \"compteur\": {meter},\n  \"periode\": {},", serde_json::to_string(&period)?)?;
        write!(out, "  \"series\": {{")?;
        for (index, (key, series)) in self.series.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let unit = serde_json::to_string(&series.unit.map(|unit| unit.symbol().to_string()).unwrap_or_default())?;
            write!(
                out,
                "{comma}\n    {}: {{\n      \"unite\": {unit},\n      \"valeurs\": [",
                serde_json::to_string(key)?
            )?;
            let mut line = Vec::new();
            let mut comma = "";
            for (at, value) in series.steps() {
                line.clear();
                line.extend_from_slice(comma.as_bytes());
                line.extend_from_slice(b"\n        [\"");
                at.write_to(&mut line);
                line.extend_from_slice(b"\", ");
                value.write_to(&mut line);
                line.push(b']');
                out.write_all(&line)?;
                comma = ",";
            }
            write!(out, "\n      ]\n    }}")?;
        }
        writeln!(out, "\n  }}\n}}")
    }
}

impl Series {
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

/// A reading of an export file (`mensuel/export_YYYY-MM-DD.json.gz`): the values beside the time.
#[must_use]
pub fn export_numbers(values: &Values) -> Numbers {
    let columns = values.columns.iter().map(|&(column, value)| {
        let key = if column == Column::PowerTotal { "puissance" } else { column_key(column) };
        (key.to_owned(), Exact(value))
    });
    Numbers(columns.collect())
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
        assert!(String::from_utf8(out).unwrap().contains("[\"2025-11-01T00:00:00Z\", 154.320]"));
    }
}
