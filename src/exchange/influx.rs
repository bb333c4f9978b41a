//! The InfluxDB line protocol: one line for each reading, every number a field.
//!
//! ```text
//! mesure,compteur=E450001234,source=cii energie_active_import=154.320,1-0:5.8.0=12.004 1762525800000000000
//! ```

use crate::document::Values;
use crate::reading::{Instant, MeterId, Reading};
use std::fmt::Write as _;

/// The line of a reading; `None` where it has no number.
#[must_use]
pub fn line(reading: &Reading, values: &Values, at: Instant, source: &str) -> Option<String> {
    let mut line = String::from("mesure");
    let mut tag = |key: &str, value: &str| {
        if !value.is_empty() {
            let _ = write!(line, ",{key}={}", escape(value));
        }
    };
    tag("compteur", reading.meter.as_ref().map_or("", MeterId::as_str));
    tag("qualite", reading.quality.as_str());
    tag("source", source);
    let mut separator = ' ';
    for (key, value) in values.numbers() {
        // Writing to a string cannot fail.
        let _ = write!(line, "{separator}{}={value}", escape(key));
        separator = ',';
    }
    if separator == ' ' {
        return None;
    }
    let _ = write!(line, " {}", i128::from(at.unix_micros()) * 1000);
    Some(line)
}

/// Commas, equals signs and blanks are separators in keys and tags; a backslash at the end would swallow one.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ',' | '=' | ' ') {
            escaped.push('\\');
        }
        escaped.push(if c.is_control() || c == '\\' { '_' } else { c });
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Code, Protocol, Register, TariffMemory, Unit};

    #[test]
    fn one_line_with_exact_digits() {
        let mut reading = Reading::new(Protocol::Dsmr);
        reading.meter = MeterId::new("M 1");
        reading.registers = vec![Register::number(Code::parse(b"1.8.0"), "154.320".parse().unwrap(), Some(Unit::KWH))];
        let values = Values::of(&reading, &mut TariffMemory::default());
        let at = Instant::parse_utc("2025-11-07T14:30:00Z").unwrap();
        assert_eq!(
            line(&reading, &values, at, "p1").unwrap(),
            "mesure,compteur=M_1,qualite=good,source=p1 energie_active_import=154.320 1762525800000000000"
        );
        assert_eq!(escape("a b,c=d\\"), "a\\ b\\,c\\=d_");
        assert!(line(&Reading::new(Protocol::Sml), &Values::default(), at, "sml").is_none());
    }
}
