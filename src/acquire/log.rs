//! The meter's own event logs, out of the registers that hold them: P.98 and P.99 of readouts, 1-0:99.97.0 of P1.

use super::map::text::{Table, table_of};
use crate::reading::{Code, LogEntry, Reading, Value};
use crate::wire::dsmr;
use crate::wire::iec62056::profile::Header;
use smol_str::SmolStr;

/// The log entries of a reading, in its order; most readings have none.
#[must_use]
pub fn entries(reading: &Reading) -> Vec<LogEntry> {
    let mut entries = Vec::new();
    for register in &reading.registers {
        let Value::List(values) = &register.value else { continue };
        let groups: Vec<&[u8]> = values
            .iter()
            .map(|value| match value {
                Value::Text(text) => text.as_bytes(),
                _ => &[],
            })
            .collect();
        match table_of(&register.code) {
            Some(Table::Log) => entries.extend(line(&register.code, &groups)),
            Some(Table::Failures) => failures(&register.code, &groups, &mut entries),
            _ => {}
        }
    }
    entries
}

/// A line of P.98 or P.99: a time, a status, and pairs of code and value.
fn line(code: &Code, groups: &[&[u8]]) -> Option<LogEntry> {
    let header = Header::parse(groups)?;
    let values = header.channels.into_iter().zip(header.values).map(|((code, _), value)| (code, text(value))).collect();
    Some(LogEntry { log: code.clone(), time: header.time.time(), status: header.status, values })
}

/// P1's power failure log: the end of each failure and its duration.
fn failures(code: &Code, groups: &[&[u8]], entries: &mut Vec<LogEntry>) {
    let Some((what, failures)) = dsmr::failures(groups) else { return };
    let what = Code::parse(what);
    entries.extend(failures.map(|failure| LogEntry {
        log: code.clone(),
        time: failure.end.time(),
        status: SmolStr::default(),
        values: vec![(what.clone(), text(failure.duration))],
    }));
}

fn text(bytes: &[u8]) -> SmolStr {
    SmolStr::from(String::from_utf8_lossy(bytes))
}
