//! CSV (RFC 4180): a row for each register, times in RFC 3339, a point as decimal mark.

use crate::reading::{Instant, Reading, Value};
use std::io::{self, Write};

/// The header line.
pub const HEADER: [&str; 6] = ["timestamp", "compteur", "obis", "valeur", "unite", "texte"];

/// Writes the rows of a reading.
///
/// # Errors
/// What the writer says.
pub fn write_reading<W: Write>(out: &mut csv::Writer<W>, reading: &Reading, at: Instant) -> io::Result<()> {
    let time = at.to_string();
    let meter = reading.meter.as_ref().map_or("", crate::reading::MeterId::as_str);
    for register in &reading.registers {
        let number = register.as_number().map(|number| number.to_string()).unwrap_or_default();
        let unit = register.unit_text().unwrap_or_default();
        let text = match (&register.value, register.as_text()) {
            (_, Some(text)) => text.into(),
            (Value::Octets(octets), None) => octets.iter().map(|octet| format!("{octet:02x}")).collect(),
            _ => register.sent_text().unwrap_or_default(),
        };
        out.write_record([&time, meter, &register.code.to_string(), &number, unit.as_str(), text.as_str()])?;
    }
    Ok(())
}
