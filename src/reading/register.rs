//! One value under its code.

use super::{Code, Decimal, MeterTime, Unit};
use smol_str::{SmolStr, format_smolstr};

/// What a register holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number, exact.
    Number(Decimal),
    /// Text as sent; identifiers keep their leading zeros.
    Text(SmolStr),
    /// Octets that are not (only) text: ids, keys, clock values.
    Octets(Box<[u8]>),
    /// Yes or no.
    Bool(bool),
    /// Several values under one code: a structure, or a data set with several groups.
    List(Box<[Value]>),
    /// The code was listed, but no value came with it.
    Nothing,
}

/// A register: an OBIS code, its value, the unit, and what else the telegram said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// Which quantity.
    pub code: Code,
    /// What was sent, after its scaler.
    pub value: Value,
    /// The unit as sent or, where a convention supplies it, as documented for the meter.
    pub unit: Option<Unit>,
    /// How many characters the number had in a text telegram, leading zeros included: the width of the counter. 0 where it
    /// came as a binary number.
    pub width: u8,
    /// Rarer facts; boxed, because most registers have none.
    pub detail: Option<Box<Detail>>,
}

/// What only some registers carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// The text on the wire, where a number was sent neither as `number*unit` nor as bare digits.
    pub text: Option<SmolStr>,
    /// The register's own time: of a maximum, of a sub-meter's value, of a clock register.
    pub time: Option<MeterTime>,
    /// The status word sent with the value (SML) or the class and attribute it came from (DLMS).
    pub status: Option<u64>,
    /// All groups of the data set, where the wire itself does not say which of them is the value.
    pub groups: Vec<SmolStr>,
    /// Further data lines that belong to this register (load profile rows, DSMR 2 gas values).
    pub rows: Vec<Vec<SmolStr>>,
}

impl Register {
    /// A register with any value.
    #[must_use]
    #[inline]
    pub fn new(code: impl Into<Code>, value: Value, unit: Option<Unit>) -> Self {
        Self { code: code.into(), value, unit, width: 0, detail: None }
    }

    /// A register with a number.
    #[must_use]
    #[inline]
    pub fn number(code: impl Into<Code>, value: Decimal, unit: Option<Unit>) -> Self {
        Self::new(code, Value::Number(value), unit)
    }

    /// A register with a text.
    #[must_use]
    #[inline]
    pub fn text(code: impl Into<Code>, text: impl Into<SmolStr>) -> Self {
        Self::new(code, Value::Text(text.into()), None)
    }

    /// A register with octets.
    #[must_use]
    pub fn octets(code: impl Into<Code>, octets: &[u8]) -> Self {
        Self::new(code, Value::Octets(octets.into()), None)
    }

    /// The number, if the register holds one.
    #[must_use]
    pub fn as_number(&self) -> Option<Decimal> {
        match self.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The text of a text register, or of octets that are printable ASCII (trailing NULs and blanks cut).
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Octets(octets) => printable(octets),
            _ => None,
        }
    }

    /// The text on the wire of a number that came without its unit: bare digits with their leading zeros, or as the meter
    /// wrote it otherwise. `None` for `number*unit` and for binary numbers.
    #[must_use]
    pub fn sent_text(&self) -> Option<SmolStr> {
        let number = self.as_number()?;
        if let Some(text) = self.detail.as_ref().and_then(|detail| detail.text.as_ref()) {
            return Some(text.clone());
        }
        (self.unit.is_none() && self.width > 0)
            .then(|| format_smolstr!("{:0>width$}", number.to_string(), width = usize::from(self.width)))
    }

    /// The register's own time, if it has one.
    #[must_use]
    pub fn time(&self) -> Option<&MeterTime> {
        self.detail.as_ref()?.time.as_ref()
    }

    /// The unit as it is printed: its symbol, or the meter's own word for one the table does not know.
    #[must_use]
    pub fn unit_text(&self) -> Option<SmolStr> {
        let unit = self.unit?;
        let own = self.detail.as_ref().and_then(|detail| detail.text.as_ref()).filter(|_| unit == Unit::OTHER);
        match own.and_then(|text| text.split_once('*')) {
            Some((_, printed)) => Some(SmolStr::new(printed.trim())),
            None => Some(unit.symbol()),
        }
    }

    /// The rarer facts, to be filled in.
    pub fn detail_mut(&mut self) -> &mut Detail {
        self.detail.get_or_insert_default()
    }

    /// The number in the normal form of its quantity (kWh, kvarh, W, var, V, A …) with that unit.
    #[must_use]
    pub fn normalised(&self) -> Option<(Decimal, Option<Unit>)> {
        let number = self.as_number()?;
        match self.unit {
            Some(unit) => {
                let (normal, places) = unit.normal();
                Some((number.shifted(places)?, Some(normal)))
            }
            None => Some((number, None)),
        }
    }
}

/// The text of octets that are printable ASCII, without trailing NULs and blanks.
#[must_use]
fn printable(octets: &[u8]) -> Option<&str> {
    let end = octets.iter().rposition(|b| !matches!(b, 0 | b' ')).map_or(0, |last| last + 1);
    let text = &octets[..end];
    if text.is_empty() || !text.iter().all(|b| (0x20..0x7F).contains(b)) {
        return None;
    }
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Obis;

    #[test]
    fn octets_read_as_text_only_when_they_are() {
        let code = Obis::new(0, 0, 96, 1, 0, 255);
        assert_eq!(Register::octets(code, b"63326413").as_text(), Some("63326413"));
        assert_eq!(Register::octets(code, b"RATE2\0\0\0").as_text(), Some("RATE2"));
        assert_eq!(Register::octets(code, &[0x0A, 0x01, 0x4C]).as_text(), None);
        assert_eq!(Register::octets(code, b"").as_text(), None);
    }

    #[test]
    fn bare_digits_come_back_with_their_zeros() {
        let code = Obis::electricity(32, 32, 0);
        let mut register = Register::number(code, Decimal::from(5), None);
        assert_eq!(register.sent_text(), None);
        register.width = 5;
        assert_eq!(register.sent_text().unwrap(), "00005");
        register.value = Value::Number(Decimal::new(4556, -3));
        assert_eq!(register.sent_text().unwrap(), "4.556");
        register.unit = Some(Unit::KWH);
        assert_eq!(register.sent_text(), None);
    }

    #[test]
    fn a_register_is_small() {
        // A reading holds dozens, and a logger makes one each second.
        assert!(size_of::<Register>() <= 64, "{} bytes", size_of::<Register>());
    }

    #[test]
    fn a_unit_that_no_table_knows_is_what_the_meter_prints() {
        let code = Obis::new(1, 0, 6, 33, 0, 255);
        let mut register = Register::number(code, Decimal::from(2), Some(Unit::OTHER));
        register.detail_mut().text = Some("2*m3ph".into());
        assert_eq!(register.unit_text().unwrap(), "m3ph");
        register.unit = Some(Unit::KWH);
        assert_eq!(register.unit_text().unwrap(), "kWh");
        register.unit = None;
        assert_eq!(register.unit_text(), None);
    }

    #[test]
    fn normal_form_moves_the_point_and_keeps_the_digits() {
        let code = Obis::new(1, 0, 1, 8, 0, 255);
        let register = Register::number(code, Decimal::from(154_320), Unit::parse("Wh"));
        let (value, unit) = register.normalised().unwrap();
        assert_eq!((value.to_string().as_str(), unit.unwrap().symbol().as_str()), ("154.320", "kWh"));
    }
}
