//! What a server said of its objects, to one reading.

use super::{Builder, Rank};
use crate::reading::{Anomaly, AnomalyCode, Decimal, MeterId, Obis, Reading, Register, Value as Content};
use crate::wire::dlms::{Attribute, Item, Opened, Value};

/// The reading of what a DLMS server answered, one GET for each attribute: registers in the order they were asked for,
/// with the scalers, units and times that their other attributes gave. What was refused is left out.
///
/// The clock (class 8) is the meter's time; 0-0:96.1.0 or the logical device name is its identifier.
#[must_use]
pub fn objects(values: &[Value]) -> Reading {
    let mut builder = Builder::new();
    let mut unscaled = 0usize;
    for value in values.iter().filter(|value| value.selection.is_none()) {
        let Attribute { class, obis, index } = value.attribute;
        let Some(tree) = value.tree() else { continue };
        let item = tree.root();
        match (class, index) {
            (3..=5, 2) => {
                let scale = scaler_unit(values, class, obis);
                unscaled += usize::from(scale.is_none() && item.integer().is_some());
                builder.measured(obis, item, scale);
                if let Some(register) = builder.reading.registers.last_mut() {
                    annotate(register, values, class, obis);
                }
            }
            (1 | 8, 2) => builder.stated(obis, item),
            _ => {}
        }
    }
    let mut reading = builder.finish(&Opened::plain(&[]));
    if unscaled > 0 {
        let detail = format!("{unscaled} registers came without their scaler: their decimal point is not known");
        reading.suspect(Anomaly::new(AnomalyCode::Implausible, 0, detail));
    }
    reading
}

/// The identifier of the meter among what was read, and what it calls itself.
pub(super) fn identity(values: &[Value]) -> (Option<MeterId>, Option<smol_str::SmolStr>) {
    let mut builder = Builder::new();
    for value in values.iter().filter(|value| value.attribute.class == 1 && value.attribute.index == 2) {
        if let Some(tree) = value.tree() {
            builder.stated(value.attribute.obis, tree.root());
        }
    }
    let reading = builder.finish(&Opened::plain(&[]));
    (reading.meter, reading.identification)
}

/// Scaler and unit of a register: attribute 3 of classes 3 and 4, attribute 4 of class 5.
pub(super) fn scaler_unit(values: &[Value], class: u16, obis: Obis) -> Option<(i8, u8)> {
    let index = if class == 5 { 4 } else { 3 };
    let wanted = Attribute::new(class, obis, index);
    values.iter().find(|value| value.attribute == wanted)?.tree()?.root().scaler_unit()
}

/// The time of a maximum or of a sub-meter's value: attribute 5 of class 4, attribute 6 of class 5.
fn annotate(register: &mut Register, values: &[Value], class: u16, obis: Obis) {
    let wanted = match class {
        4 => Attribute::new(4, obis, 5),
        5 => Attribute::new(5, obis, 6),
        _ => return,
    };
    let tree = values.iter().find(|value| value.attribute == wanted).and_then(Value::tree);
    if let Some(time) = tree.as_ref().and_then(|tree| tree.root().time()) {
        register.detail_mut().time = Some(time);
    }
}

impl Builder {
    /// A value of a register, with its scaler and unit where they were told. No convention stands in for them: what a
    /// meter pushes without a scaler is settled by its maker, what it answers is not.
    pub(super) fn measured(&mut self, obis: Obis, item: Item<'_, '_>, scale: Option<(i8, u8)>) {
        match (scale, item.integer()) {
            (None, Some(raw)) => self.reading.add_number(obis, Decimal::new(raw, 0), None, 0),
            _ => self.register(obis.octets(), item, scale),
        }
    }

    /// A value of class 1 or 8: an identifier, a time, a count, a status.
    pub(super) fn stated(&mut self, obis: Obis, item: Item<'_, '_>) {
        let mut register = Register::new(obis, super::plain_value(item), None);
        match &register.value {
            Content::Octets(_) | Content::Text(_) => self.named_octets(obis.octets(), item, &mut register),
            Content::Number(number) if matches!(obis.octets(), [1, _, 0, 0, 0, _]) => {
                self.meter(Rank::Number, &number.to_string());
            }
            _ => {}
        }
        self.reading.registers.push(register);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{MeterTime, Quality, Unit};
    use crate::wire::dlms::{Data, Refusal};

    fn value(class: u16, obis: Obis, index: i8, data: &Data) -> Value {
        let attribute = Attribute::new(class, obis, index);
        Value { attribute, selection: None, result: Ok(data.to_octets().into()) }
    }

    fn scaler(scaler: i8, unit: u8) -> Data {
        Data::Structure(vec![Data::I8(scaler), Data::Enum(unit)])
    }

    fn clock() -> MeterTime {
        MeterTime::local(crate::reading::CivilTime::new(2025, 11, 7, 14, 30, 0).unwrap())
    }

    const IMPORT: Obis = Obis::electricity(1, 8, 0);
    const MAXIMUM: Obis = Obis::electricity(1, 6, 0);

    #[test]
    fn objects_become_one_reading() {
        let demand = Obis::electricity(1, 4, 0);
        let refused = Attribute::new(1, Obis::new(0, 0, 96, 1, 1, 255), 2);
        let reading = objects(&[
            value(1, Obis::new(0, 0, 42, 0, 0, 255), 2, &Data::Octets(b"LGZ1030653520967".to_vec())),
            value(8, Obis::new(0, 0, 1, 0, 0, 255), 2, &Data::time(&clock())),
            value(1, Obis::new(0, 0, 96, 1, 0, 255), 2, &Data::Text("53520967".into())),
            Value { attribute: refused, selection: None, result: Err(Refusal::Access { result: 3 }) },
            value(3, IMPORT, 3, &scaler(1, 30)),
            value(3, IMPORT, 2, &Data::U32(154_320)),
            value(4, MAXIMUM, 3, &scaler(0, 27)),
            value(4, MAXIMUM, 2, &Data::U32(4711)),
            value(4, MAXIMUM, 5, &Data::time(&clock())),
            value(5, demand, 4, &scaler(-1, 27)),
            value(5, demand, 2, &Data::I32(-25)),
        ]);
        assert_eq!(reading.meter.as_ref().unwrap().as_str(), "LGZ1030653520967");
        assert_eq!((reading.clock, reading.quality), (Some(clock()), Quality::Good));
        let number = |obis| reading.register(obis).and_then(Register::as_number).unwrap().to_string();
        assert_eq!([IMPORT, MAXIMUM, demand].map(number), ["1543200", "4711", "-2.5"]);
        assert_eq!(reading.register(IMPORT).unwrap().unit, Some(Unit::WH));
        assert_eq!(reading.register(MAXIMUM).unwrap().time(), Some(&clock()));
        assert_eq!(reading.registers.len(), 6);
    }

    #[test]
    fn a_register_without_its_scaler_is_suspect_and_takes_no_convention() {
        let reading = objects(&[value(3, IMPORT, 2, &Data::U32(154_320))]);
        let register = reading.register(IMPORT).unwrap();
        assert_eq!((register.as_number().unwrap().to_string().as_str(), register.unit), ("154320", None));
        assert_eq!(reading.quality, Quality::Suspect);
    }

    #[test]
    fn a_count_has_no_unit_and_is_not_suspect() {
        let failures = Obis::new(0, 0, 96, 7, 21, 255);
        let reading = objects(&[value(1, failures, 2, &Data::U16(7))]);
        assert_eq!(reading.register(failures).unwrap().as_number().unwrap().to_string(), "7");
        assert_eq!(reading.quality, Quality::Good);
    }
}
