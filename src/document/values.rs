//! A reading in the contract's terms: ten columns, and every other register under its code.

use super::Exact;
use crate::reading::{Code, Column, Columns, Decimal, Protocol, Reading, Register, TariffMemory, Unit};
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

/// The exponent of the marks by which [`Repeated`] finds out which register is what.
const MARK: i8 = -9;

/// The values of one reading after the other that have the same registers, all of them numbers: which register is what is
/// found out once.
#[derive(Debug)]
pub struct Repeated {
    values: Values,
    /// For each column and then each extra, its register and by how much its point moves.
    places: Vec<(usize, i8)>,
}

impl Repeated {
    /// For readings with these registers; `None` where a column is worked out of several of them. `memory` is that of the
    /// meter and knows all it ever sent.
    #[must_use]
    pub fn new(registers: &[(Code, Option<Unit>)], memory: &mut TariffMemory) -> Option<Self> {
        let mut reading = Reading::new(Protocol::Dlms);
        // No two alike, so that each value shows which register it is; and small, for a factor is none above one.
        let numbered = registers.iter().zip(1i64..);
        reading.registers = numbered
            .map(|((code, unit), number)| Register::number(code.clone(), Decimal::new(number, MARK), *unit))
            .collect();
        let values = Values::of(&reading, memory);
        let place = |value: Decimal| {
            let place = usize::try_from(value.mantissa()).ok()?.checked_sub(1)?;
            let (_, shift) = registers.get(place)?.1.map_or((None, 0), |unit| {
                let (normal, shift) = unit.normal();
                (Some(normal), shift)
            });
            (Some(value.exponent()) == MARK.checked_add(shift)).then_some((place, shift))
        };
        let columns = Columns::of(&reading, memory);
        let mut places = Vec::new();
        for &(_, value) in &values.columns {
            // A sum has the mantissa of some register too; but then that one is listed under its own code as well.
            places.push(place(value).filter(|(place, _)| columns.is_used(*place))?);
        }
        for extra in &values.extras {
            places.push(place(extra.value)?);
        }
        let mut seen: Vec<usize> = places.iter().map(|(place, _)| *place).collect();
        seen.sort_unstable();
        seen.dedup();
        (seen.len() == places.len()).then_some(Self { values, places })
    }

    /// The values of a reading with these numbers; `None` where they have to be worked out one by one after all.
    pub fn with(&mut self, numbers: &[Decimal]) -> Option<&Values> {
        let columns = self.values.columns.iter_mut().map(|(_, value)| value);
        let extras = self.values.extras.iter_mut().map(|extra| &mut extra.value);
        for (value, (place, shift)) in columns.chain(extras).zip(&self.places) {
            *value = numbers.get(*place)?.shifted(*shift)?;
        }
        let is_factor = self.values.column(Column::PowerFactor).is_none_or(|value| value.abs() <= Decimal::from(1));
        is_factor.then_some(&self.values)
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

    #[test]
    fn repeated_values_are_those_of_the_reading() {
        let register = |code: &str, unit: &str| (Code::parse(code.as_bytes()), Unit::parse(unit));
        let direct = [
            ("1.8.0", "Wh"),
            ("16.7.0", "kW"),
            ("32.7.0", "V"),
            ("5.8.0", "varh"),
            ("32.7.0", "V"),
            ("1.8.1", ""),
            ("13.7.0", ""),
        ];
        let sums = [("1.8.1", "kWh"), ("1.8.2", "kWh"), ("1.7.0", "W"), ("2.7.0", "W")];
        for (registers, is_direct) in [(&direct[..], true), (&sums[..], false), (&[("1.7.0", "kW")][..], false)] {
            let registers: Vec<_> = registers.iter().map(|(code, unit)| register(code, unit)).collect();
            let repeated = Repeated::new(&registers, &mut TariffMemory::default());
            assert_eq!(repeated.is_some(), is_direct, "{registers:?}");
            let Some(mut repeated) = repeated else { continue };
            for start in [7, -400, 123_456] {
                let numbers: Vec<Decimal> = (0..7)
                    .map(|index| Decimal::new(start + 13 * index, i8::try_from(index % 3).unwrap() - 2))
                    .collect();
                let mut reading = Reading::new(Protocol::Dlms);
                let pairs = registers.iter().zip(&numbers);
                reading.registers = pairs.map(|((code, unit), n)| Register::number(code.clone(), *n, *unit)).collect();
                let slow = Values::of(&reading, &mut TariffMemory::default());
                match repeated.with(&numbers) {
                    Some(fast) => assert_eq!(format!("{fast:?}"), format!("{slow:?}")),
                    None => assert_eq!(slow.column(Column::PowerFactor), None),
                }
            }
        }
    }

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
