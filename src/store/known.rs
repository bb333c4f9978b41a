//! Whether a reading is there already.

use super::block::span::Readings;
use super::names::Names;
use super::sealed::{self, SpanRow};
use super::{Entry, Trouble, hot};
use crate::reading::{Column, Columns, Reading, Register, TariffMemory, Value};
use rusqlite::Connection;

/// Looks readings up among the hot and the sealed ones. Made for times that rise: a sealed span is read through once.
#[derive(Debug, Default)]
pub(super) struct Known {
    open: Option<OpenSpan>,
}

#[derive(Debug)]
struct OpenSpan {
    meter: i64,
    row: SpanRow,
    readings: Readings,
    /// The readings of the instant that was asked for last.
    at: i64,
    here: Vec<Reading>,
}

impl Known {
    /// Forgets an opened span: it is about to be written anew.
    pub(super) fn forget(&mut self) {
        self.open = None;
    }

    /// Whether the reading is there, and how many hot ones of its instant.
    pub(super) fn find(
        &mut self,
        connection: &Connection,
        names: &mut Names,
        meter: i64,
        entry: &Entry,
    ) -> Result<(bool, i64), Trouble> {
        let hot = hot::at_instant(connection, names, (meter, &entry.meter), entry.at)?;
        let next = hot.last().map_or(0, |last| last.nth + 1);
        let mut there: Vec<&Reading> = hot.iter().map(|hot| &hot.reading).collect();
        there.extend(self.sealed(connection, names, meter, entry)?);
        Ok((is_among(&there, entry), next))
    }

    /// The sealed readings of the instant.
    fn sealed(
        &mut self,
        connection: &Connection,
        names: &mut Names,
        meter: i64,
        entry: &Entry,
    ) -> Result<&[Reading], Trouble> {
        let at = entry.at.unix_micros();
        let fits = self
            .open
            .as_ref()
            .is_some_and(|open| open.meter == meter && open.row.period.contains(&at) && open.at <= at);
        if !fits {
            self.open = None;
            if let Some(row) = sealed::spans(connection, meter, &(at..at.saturating_add(1)))?.pop() {
                let readings = sealed::readings(connection, names, &row)?;
                self.open = Some(OpenSpan { meter, row, readings, at: i64::MIN, here: Vec::new() });
            }
        }
        let Some(open) = &mut self.open else { return Ok(&[]) };
        if open.at != at {
            open.at = at;
            open.here.clear();
            open.readings.skip_until(at)?;
            while open.readings.peek().is_some_and(|next| next <= at) {
                if let Some((found, reading, _)) = open.readings.next(&entry.meter)?
                    && found == entry.at
                {
                    open.here.push(reading);
                }
            }
        }
        Ok(&open.here)
    }
}

/// Whether the readings of an instant include that of an entry.
pub(super) fn is_among(there: &[&Reading], entry: &Entry) -> bool {
    if entry.derived {
        covers(there, &entry.reading)
    } else {
        there.iter().any(|reading| says_the_same(reading, &entry.reading))
    }
}

/// Whether two readings are the same telegram: the same registers in order, digit for digit.
pub(super) fn says_the_same(one: &Reading, other: &Reading) -> bool {
    one.registers.len() == other.registers.len()
        && one.registers.iter().zip(&other.registers).all(|(one, other)| same_register(one, other))
}

fn same_register(one: &Register, other: &Register) -> bool {
    one.code == other.code && one.unit == other.unit && same_value(&one.value, &other.value)
}

fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            (one.mantissa(), one.exponent()) == (other.mantissa(), other.exponent())
        }
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other.iter()).all(|(one, other)| same_value(one, other))
        }
        _ => one == other,
    }
}

/// Whether the readings of an instant already say all that one in the contract's terms does: of each register an equal
/// number, or the same text.
fn covers(there: &[&Reading], derived: &Reading) -> bool {
    if there.is_empty() {
        return false;
    }
    // Sums over tariffs and phases count as the column they make.
    let columns: Vec<Columns> =
        there.iter().map(|reading| Columns::of(reading, &mut TariffMemory::default())).collect();
    derived.registers.iter().all(|register| {
        let column = register.code.obis().and_then(Column::of_register);
        let number = register.normalised();
        let in_columns = column
            .zip(number)
            .is_some_and(|(column, (number, _))| columns.iter().any(|columns| columns.get(column) == Some(number)));
        in_columns
            || there.iter().flat_map(|reading| &reading.registers).any(|present| {
                present.code == register.code
                    && match number {
                        // Lines of text often leave the unit out, and do not tell a text of digits from a number.
                        Some((number, unit)) => match present.normalised() {
                            Some((there, of)) => there == number && (unit.is_none() || of == unit),
                            None => present.as_text() == Some(number.to_string().as_str()),
                        },
                        None => present.as_text() == register.as_text(),
                    }
            })
    })
}
