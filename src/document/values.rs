//! A reading in the contract's terms: ten columns, and every other register under its code.

use super::Exact;
use crate::reading::{Column, Columns, Decimal, Reading, TariffMemory, Unit};
use serde::{Serialize, Serializer, ser::SerializeMap};
use smol_str::SmolStr;

/// The values of a reading or of several readings of the same time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    /// The contract's columns that the reading has.
    pub columns: Vec<(Column, Decimal)>,
    /// The other numeric registers in code order, in the normal form of their quantity.
    pub extras: Vec<Extra>,
    /// The registers that are text, in code order.
    pub texts: Vec<(SmolStr, SmolStr)>,
}

/// A numeric register that is none of the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// The reduced OBIS code.
    pub key: SmolStr,
    /// The number in normal form.
    pub value: Decimal,
    /// The unit of the normal form.
    pub unit: Option<Unit>,
}

/// The key of a column in the contract's JSON.
#[must_use]
pub const fn column_key(column: Column) -> &'static str {
    match column {
        Column::EnergyImport => "energie_active_import",
        Column::EnergyExport => "energie_active_export",
        Column::PowerTotal => "puissance_active_totale",
        Column::VoltageL1 => "tension_l1",
        Column::VoltageL2 => "tension_l2",
        Column::VoltageL3 => "tension_l3",
        Column::CurrentL1 => "courant_l1",
        Column::CurrentL2 => "courant_l2",
        Column::CurrentL3 => "courant_l3",
        Column::Frequency => "frequence",
        Column::PowerFactor => "facteur_puissance",
    }
}

impl Values {
    /// What a reading comes to; `memory` is that of its meter.
    #[must_use]
    pub fn of(reading: &Reading, memory: &mut TariffMemory) -> Self {
        let columns = Columns::of(reading, memory);
        let mut numbers = Vec::new();
        let mut texts = Vec::new();
        for (index, register) in reading.registers.iter().enumerate() {
            if let Some((value, unit)) = register.normalised() {
                if !columns.is_used(index) {
                    numbers.push((&register.code, value, unit));
                }
            } else if let Some(text) = register.as_text().filter(|text| !text.trim().is_empty()) {
                texts.push((&register.code, SmolStr::new(text)));
            }
        }
        // Stable, so that registers with the same code keep the telegram's order.
        numbers.sort_by_key(|(code, ..)| *code);
        texts.sort_by_key(|(code, _)| *code);
        let mut keys = Keys::default();
        Self {
            columns: columns.iter().collect(),
            extras: numbers
                .into_iter()
                .map(|(code, value, unit)| Extra { key: keys.unique(code.key()), value, unit })
                .collect(),
            texts: texts.into_iter().map(|(code, text)| (keys.unique(code.key()), text)).collect(),
        }
    }

    /// The numbers under their keys, columns first.
    pub fn numbers(&self) -> impl Iterator<Item = (&str, Decimal)> {
        let columns = self.columns.iter().map(|&(column, value)| (column_key(column), value));
        columns.chain(self.extras.iter().map(|extra| (extra.key.as_str(), extra.value)))
    }

    /// The value of a column.
    #[must_use]
    pub fn column(&self, column: Column) -> Option<Decimal> {
        self.columns.iter().find(|(other, _)| *other == column).map(|&(_, value)| value)
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len() + self.extras.len()))?;
        for (key, value) in self.numbers() {
            map.serialize_entry(key, &Exact(value))?;
        }
        map.end()
    }
}

/// Makes keys unique: some meters print the same code twice with different meaning, and neither may be lost.
#[derive(Default)]
struct Keys {
    last: SmolStr,
    count: usize,
}

impl Keys {
    fn unique(&mut self, key: SmolStr) -> SmolStr {
        if key == self.last {
            self.count += 1;
            return SmolStr::from(format!("{key}#{}", self.count));
        }
        self.last = key.clone();
        self.count = 1;
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Code, Protocol, Register};

    #[test]
    fn every_register_travels_and_the_same_code_twice_is_two_keys() {
        let mut reading = Reading::new(Protocol::Iec62056);
        let volts = |text: &str| Register::number(Code::parse(b"32.7.0"), text.parse().unwrap(), Some(Unit::V));
        reading.registers = vec![
            Register::number(Code::parse(b"5.8.0"), "12.004".parse().unwrap(), Unit::parse("kvarh")),
            Register::number(Code::parse(b"1.8.0"), "154.320".parse().unwrap(), Some(Unit::KWH)),
            Register::text(Code::parse(b"0.2.0"), "M27"),
            volts("231.5"),
            volts("230.0"),
        ];
        let values = Values::of(&reading, &mut TariffMemory::default());
        let json = serde_json::to_string(&values).unwrap();
        assert_eq!(
            json,
            r#"{"energie_active_import":154.320,"tension_l1":231.5,"1-0:5.8.0":12.004,"1-0:32.7.0":230.0}"#
        );
        assert_eq!(values.texts, [("1-0:0.2.0".into(), "M27".into())]);
    }
}
