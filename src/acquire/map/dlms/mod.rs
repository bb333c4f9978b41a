//! DLMS APDUs to readings.
//!
//! A push lists its values in one of several shapes (`shapes.rs` tells them apart). Numbers with a scaler and a unit are taken
//! as sent; those without get both from a [convention](crate::acquire::quirks::dlms), and are suspect where that gives
//! what no meter of a household shows. A list without codes gives no registers, unless the user names it.
//!
//! What a server answers to a client that asks for one attribute after the other becomes one reading ([`objects()`]), the
//! [`rows`] of a profile, or the [`entries`] of a log.

mod objects;
mod profile;
mod shapes;
#[cfg(test)]
mod tests;

pub use self::objects::objects;
pub use self::profile::{entries, profiles, rows};

use crate::acquire::quirks::dlms::{Convention, PushList, doubt};
use crate::reading::{
    Anomaly, AnomalyCode, Decimal, MeterId, MeterTime, Obis, Protocol, Reading, Register, Unit, Value,
};
use crate::wire::dlms::{Apdu, Item, Notification, Opened, Verified, access_result, tag};
use smol_str::SmolStr;

/// The reading of an APDU: of a push, or of the answer to a GET. `list` says what the numbers of a push without codes
/// mean.
///
/// # Errors
/// `Syntax` where it is no such APDU or the meter refuses; positions count from the start of the plain APDU.
pub fn reading(opened: &Opened<'_>, list: Option<PushList>) -> Result<Reading, Anomaly> {
    let apdu = &*opened.plain;
    let (content, end) = Apdu::parse(apdu)?;
    if end != apdu.len() {
        let detail = format!("{} octets more than the APDU has", apdu.len() - end);
        return Err(Anomaly::new(AnomalyCode::Syntax, end as u64, detail));
    }
    let mut builder = Builder::new();
    match content {
        Apdu::Notification(push) => builder.push(&push, list)?,
        Apdu::Answer(values) => {
            if let [Err(result)] = values[..] {
                return Err(refused(3, result));
            }
            for value in values.iter().flatten() {
                builder.list(value.root(), list);
            }
        }
        Apdu::Block { data: Err(result), .. } => return Err(refused(9, result)),
        Apdu::Block { number, .. } => {
            let detail = format!("data block {number} of a longer answer: its values cannot be read alone");
            return Err(Anomaly::new(AnomalyCode::Block, 4, detail));
        }
        Apdu::Action { .. } => {
            return Err(Anomaly::new(AnomalyCode::Syntax, 0, "the answer to an ACTION is no reading"));
        }
        Apdu::Exception { state, service } => {
            let detail = format!("the meter answers with an exception, state {state}, service {service}");
            return Err(Anomaly::new(AnomalyCode::Syntax, 0, detail));
        }
    }
    Ok(builder.finish(opened))
}

fn refused(at: u64, result: u8) -> Anomaly {
    let detail = format!("the meter refuses: {} (data-access-result {result})", access_result(result));
    Anomaly::new(AnomalyCode::Syntax, at, detail)
}

/// How good an identifier of the meter is; the lowest wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    DeviceName,
    Kamstrup,
    Serial,
    OtherSerial,
    FurtherSerial,
    Number,
    Lone,
}

/// A quantity of which one implausible value is enough to say.
const DOUBTABLE: [Unit; 4] = [Unit::V, Unit::A, Unit::W, Unit::HZ];

/// A reading in the making.
struct Builder {
    reading: Reading,
    convention: Convention,
    meter: Option<(Rank, MeterId)>,
    /// Which quantities were doubted already.
    doubted: [bool; DOUBTABLE.len()],
    /// Values that stand under no code.
    unnamed: usize,
    /// Values of lists without any code, and the list that was chosen for them but does not fit.
    bare_values: usize,
    unfit_list: Option<PushList>,
}

impl Builder {
    fn new() -> Self {
        Self {
            reading: Reading::new(Protocol::Dlms),
            convention: Convention::Push,
            meter: None,
            doubted: [false; DOUBTABLE.len()],
            unnamed: 0,
            bare_values: 0,
            unfit_list: None,
        }
    }

    fn push(&mut self, push: &Notification<'_>, list: Option<PushList>) -> Result<(), Anomaly> {
        let root = push.body.root();
        if !self.self_describing(root)? && !self.kaifa(root, push.tagged_time) {
            self.list(root, list);
        }
        // The clock object is the better source: header times of E450 meters lack the daylight saving bit.
        self.reading.clock = self.reading.clock.or(push.time);
        Ok(())
    }

    fn finish(mut self, opened: &Opened<'_>) -> Reading {
        self.reading.meter = match (self.meter, opened.title) {
            (Some((_, meter)), _) => Some(meter),
            (None, Some(title)) => MeterId::new(&title.meter_id()),
            (None, None) => None,
        };
        if self.unnamed > 0 && !self.reading.registers.is_empty() {
            let detail = format!("{} values stand under no OBIS code and are left out", self.unnamed);
            self.reading.suspect(Anomaly::new(AnomalyCode::NoObis, 0, detail));
        }
        if self.bare_values > 0 {
            let values = if self.bare_values == 1 { "value" } else { "values" };
            let chosen = self.unfit_list.map_or_else(String::new, |list| format!("; the list {list} does not fit"));
            let detail = format!("{} {values} without OBIS codes{chosen}", self.bare_values);
            self.reading.suspect(Anomaly::new(AnomalyCode::NoObis, 0, detail));
        }
        if opened.verified == Verified::TagNotChecked {
            let detail = "deciphered without the authentication key: the tag was not verified";
            self.reading.suspect(Anomaly::new(AnomalyCode::TagUnverified, 0, detail));
        }
        self.reading
    }

    /// A list that says what it is (version) and thereby how its numbers are scaled.
    fn version(&mut self, text: &str) {
        if let Some(convention) = Convention::announced_by(text) {
            self.convention = convention;
        }
        self.reading.identification = Some(SmolStr::new(text));
    }

    fn meter(&mut self, rank: Rank, text: &str) {
        if self.meter.as_ref().is_none_or(|(known, _)| rank < *known) {
            self.meter = MeterId::new(text).map(|meter| (rank, meter)).or_else(|| self.meter.take());
        }
    }

    fn clock(&mut self, time: Option<MeterTime>) {
        self.reading.clock = self.reading.clock.or(time);
    }

    /// A value under its code, with its scaler and unit where they were sent.
    #[inline]
    fn register(&mut self, obis: [u8; 6], value: Item<'_, '_>, scale: Option<(i8, u8)>) {
        let code = Obis::from_octets(obis);
        if let Some(raw) = value.integer() {
            let (number, unit) = match scale {
                Some((scaler, unit)) => (Decimal::new(raw, scaler), Unit::from_dlms(unit)),
                None => self.unscaled(obis, raw, value.at()),
            };
            if obis[0] == 1 && obis[2..5] == [0, 0, 1] {
                self.meter(Rank::Number, &raw.to_string());
            }
            self.reading.add_number(code, number, unit, 0);
            return;
        }
        let mut register = Register::new(code, plain_value(value), None);
        match &mut register.value {
            // Floats are never scaled by convention: they carry their decimals.
            Value::Number(number) => {
                if let Some((scaler, unit)) = scale {
                    *number = number.shifted(scaler).unwrap_or(*number);
                    register.unit = Unit::from_dlms(unit);
                } else {
                    register.unit = self.convention.of(obis).1;
                }
            }
            Value::Octets(_) | Value::Text(_) => self.named_octets(obis, value, &mut register),
            _ => {}
        }
        self.reading.registers.push(register);
    }

    /// A number without scaler and unit, by convention.
    #[inline]
    fn unscaled(&mut self, obis: [u8; 6], raw: i64, at: usize) -> (Decimal, Option<Unit>) {
        let (power, unit) = self.convention.of(obis);
        if let Some(detail) = doubt(obis, raw, power, unit) {
            let kind = match unit {
                Some(Unit::VAR | Unit::VA) => Some(Unit::W),
                other => other,
            };
            let slot = DOUBTABLE.iter().position(|quantity| Some(*quantity) == kind);
            let doubted = slot.and_then(|slot| self.doubted.get_mut(slot)).map(|told| std::mem::replace(told, true));
            if doubted == Some(false) {
                self.reading.suspect(Anomaly::new(AnomalyCode::Implausible, at as u64, detail));
            }
        }
        (Decimal::new(raw, power), unit)
    }

    /// Octets whose code says that they are a clock, the meter's number or the list's version.
    fn named_octets(&mut self, obis: [u8; 6], value: Item<'_, '_>, register: &mut Register) {
        let rank = match obis {
            [_, _, 1, 0, 0, _] => {
                if let Some(time) = value.time() {
                    register.detail_mut().time = Some(time);
                    // The clock of the meter itself comes before one sent for a sub-meter.
                    self.clock(Some(time));
                }
                return;
            }
            [0, 0, 42, 0, 0, _] => Rank::DeviceName,
            [1, _, 0, 0, 5, _] if self.convention == Convention::Kamstrup => Rank::Kamstrup,
            [0, 0, 96, 1, 0, _] | [1, _, 96, 1, 0, _] => Rank::Serial,
            [0, 0, 96, 1, 1, _] | [1, _, 96, 1, 1, _] => Rank::OtherSerial,
            // 96.1.7 is the type of the meter (HAN-NVE).
            [0, 0, 96, 1, 2..=6 | 8 | 9, _] => Rank::FurtherSerial,
            [1, _, 0, 0, 0..=9, _] => Rank::Number,
            [1, _, 0, 2, 129, _] => {
                if let Some(text) = value.text() {
                    self.version(text);
                }
                return;
            }
            _ => {
                // Any twelve octets of an identifier may look like a time; only the tag says that they are one.
                if value.tag() == tag::DATE_TIME {
                    register.detail_mut().time = value.time();
                }
                return;
            }
        };
        // Registers know how to cut NULs and blanks off.
        if let Some(text) = register.as_text() {
            if rank == Rank::DeviceName && self.reading.identification.is_none() {
                self.reading.identification = Some(SmolStr::new(text.trim()));
            }
            self.meter(rank, text);
        }
    }
}

/// A value that needs neither scaler nor unit.
fn plain_value(item: Item<'_, '_>) -> Value {
    let content = item.content();
    match item.tag() {
        tag::NULL | tag::DONT_CARE => Value::Nothing,
        tag::BOOLEAN => Value::Bool(content.first().is_some_and(|&octet| octet != 0)),
        tag::TEXT | tag::UTF8 => match item.text() {
            Some(text) => Value::Text(text.into()),
            None => Value::Octets(content.into()),
        },
        // Parsing bounds the depth.
        tag::ARRAY | tag::STRUCTURE => Value::List(item.elements().map(plain_value).collect()),
        _ => match item.number() {
            Some(number) => Value::Number(number),
            None => match item.float_text() {
                Some(text) => Value::Text(text.into()),
                None => Value::Octets(content.into()),
            },
        },
    }
}
