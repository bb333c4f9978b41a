//! The Prometheus text format 0.0.4: base units (joules, watts, volts), counters in `_total`, no time stamps, as the
//! node exporter's textfile collector wants it.

use crate::document::Values;
use crate::reading::{Column, Decimal};
use std::fmt::Write as _;

/// The newest values of a meter.
#[derive(Debug)]
pub struct Sample<'a> {
    /// The meter.
    pub meter: &'a str,
    /// Its values.
    pub values: &'a Values,
    /// When they were read, seconds since 1970.
    pub read_at: i64,
}

struct Metric {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    columns: &'static [(Column, &'static str)],
}

const METRICS: &[Metric] = &[
    Metric {
        name: "releve_energy_import_joules_total",
        kind: "counter",
        help: "Active energy imported (1 kWh is 3.6 MJ).",
        columns: &[(Column::EnergyImport, "")],
    },
    Metric {
        name: "releve_energy_export_joules_total",
        kind: "counter",
        help: "Active energy exported (1 kWh is 3.6 MJ).",
        columns: &[(Column::EnergyExport, "")],
    },
    Metric {
        name: "releve_power_watts",
        kind: "gauge",
        help: "Active power, negative when feeding in.",
        columns: &[(Column::PowerTotal, "")],
    },
    Metric {
        name: "releve_voltage_volts",
        kind: "gauge",
        help: "Voltage of each phase.",
        columns: &[(Column::VoltageL1, "l1"), (Column::VoltageL2, "l2"), (Column::VoltageL3, "l3")],
    },
    Metric {
        name: "releve_current_amperes",
        kind: "gauge",
        help: "Current of each phase.",
        columns: &[(Column::CurrentL1, "l1"), (Column::CurrentL2, "l2"), (Column::CurrentL3, "l3")],
    },
    Metric {
        name: "releve_frequency_hertz",
        kind: "gauge",
        help: "Mains frequency.",
        columns: &[(Column::Frequency, "")],
    },
    Metric {
        name: "releve_power_factor_ratio",
        kind: "gauge",
        help: "Power factor.",
        columns: &[(Column::PowerFactor, "")],
    },
];

/// The metrics of some meters.
#[must_use]
pub fn exposition(samples: &[Sample<'_>]) -> String {
    let mut text = String::new();
    for metric in METRICS {
        let mut lines = String::new();
        for sample in samples {
            for &(column, phase) in metric.columns {
                let Some(value) = sample.values.column(column).and_then(|value| base_unit(column, value)) else {
                    continue;
                };
                let meter = escape(sample.meter);
                let phase = if phase.is_empty() { String::new() } else { format!(",phase=\"{phase}\"") };
                // Writing to a string cannot fail.
                let _ = writeln!(lines, "{}{{meter=\"{meter}\"{phase}}} {value}", metric.name);
            }
        }
        section(&mut text, metric.name, metric.kind, metric.help, &lines);
    }
    let mut lines = String::new();
    for sample in samples {
        for extra in &sample.values.extras {
            let unit = extra.unit.map(|unit| unit.symbol()).unwrap_or_default();
            let (meter, code, unit) = (escape(sample.meter), escape(&extra.key), escape(&unit));
            let _ =
                writeln!(lines, "releve_register{{meter=\"{meter}\",obis=\"{code}\",unit=\"{unit}\"}} {}", extra.value);
        }
    }
    section(&mut text, "releve_register", "gauge", "Every other register, in the unit of its label.", &lines);
    let mut lines = String::new();
    for sample in samples {
        let _ = writeln!(
            lines,
            "releve_last_reading_timestamp_seconds{{meter=\"{}\"}} {}",
            escape(sample.meter),
            sample.read_at
        );
    }
    let help = "When the newest reading was taken.";
    section(&mut text, "releve_last_reading_timestamp_seconds", "gauge", help, &lines);
    text
}

fn section(text: &mut String, name: &str, kind: &str, help: &str, lines: &str) {
    if !lines.is_empty() {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}");
    }
}

/// Energies in joules, exactly: 1 kWh = 36 × 10^5 J. Everything else is in its base unit already.
fn base_unit(column: Column, value: Decimal) -> Option<Decimal> {
    match column {
        Column::EnergyImport | Column::EnergyExport => {
            Decimal::new(value.mantissa().checked_mul(36)?, value.exponent()).shifted(5)
        }
        _ => Some(value),
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energies_are_joules_to_the_last_digit() {
        let joules = base_unit(Column::EnergyImport, "219.252".parse().unwrap()).unwrap();
        assert_eq!(joules.to_string(), "789307200");
    }

    #[test]
    fn labels_cannot_break_out() {
        let values = Values { columns: vec![(Column::PowerTotal, Decimal::from(7))], ..Values::default() };
        let text = exposition(&[Sample { meter: "a\"b\n", values: &values, read_at: 0 }]);
        assert!(text.contains("releve_power_watts{meter=\"a\\\"b\\n\"} 7\n"), "{text}");
    }
}
