//! The shapes a push's body has.
//!
//! | shape | body | meters |
//! |---|---|---|
//! | self-describing | `{ [ {class, obis, attribute, index}, … ], value, value, … }` | E450, E570, AM550, Energomera |
//! | pairs | `{ obis, value, obis, value, … }` | E450 in Styria, Kamstrup, Kaifa in Sweden |
//! | triples | `{ obis, value, {scaler, unit}, … }` flat, or each entry a structure | Kaifa and Sagemcom in Austria, Aidon |
//! | descriptors | `{ n, [ {class, obis, attribute, value}, … ] }` | XT211 |
//! | positions | `{ version, value, value, … }` | Kaifa in Norway |
//! | bare | `{ value, value, … }` | by utility, never guessed |

use super::{Builder, Rank};
use crate::acquire::quirks::dlms::{Convention, Place, PushList, kaifa_codes};
use crate::reading::{Anomaly, AnomalyCode, Code, Decimal, Obis, Register, Unit, Value};
use crate::wire::dlms::{Item, tag};

/// An entry of a push object list.
#[derive(Debug, Clone, Copy)]
struct Descriptor {
    class: u16,
    obis: [u8; 6],
    attribute: i8,
}

/// `{class, obis, attribute, index}`, and in newer lists restriction and columns behind it.
#[inline]
fn descriptor(entry: Item<'_, '_>) -> Option<Descriptor> {
    if let Some((class, obis, attribute)) = entry.descriptor() {
        return Some(Descriptor { class, obis, attribute });
    }
    if entry.tag() != tag::STRUCTURE || !(4..=6).contains(&entry.count()) {
        return None;
    }
    let mut fields = entry.elements();
    let (class, obis, attribute, index) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let (&[high, low], &[attribute]) = (class.content(), attribute.content()) else { return None };
    if class.tag() != tag::U16 || index.tag() != tag::U16 {
        return None;
    }
    let obis = obis.octets()?.try_into().ok()?;
    Some(Descriptor { class: u16::from_be_bytes([high, low]), obis, attribute: attribute.cast_signed() })
}

impl Descriptor {
    /// Whether the attribute is the scaler and unit of the object's value.
    const fn is_scaler_unit(self) -> bool {
        matches!((self.class, self.attribute), (3 | 4, 3) | (5, 4))
    }

    /// Whether the attribute is the one a code alone stands for.
    const fn is_usual(self) -> bool {
        matches!((self.class, self.attribute), (1 | 3 | 4 | 5 | 8 | 40, 2))
    }

    /// Class and attribute as a register keeps them.
    fn number(self) -> u64 {
        u64::from(self.class) << 8 | u64::from(self.attribute.unsigned_abs())
    }
}

impl Builder {
    /// Maps a body that starts with its own push object list; `false` where it does not.
    pub(super) fn self_describing(&mut self, root: Item<'_, '_>) -> Result<bool, Anomaly> {
        let mut values = root.elements();
        let Some(list) = values.next().filter(|list| list.tag() == tag::ARRAY && list.count() > 0) else {
            return Ok(false);
        };
        if root.tag() != tag::STRUCTURE || list.elements().next().and_then(descriptor).is_none() {
            return Ok(false);
        }
        let at = list.at() as u64;
        let first = list.elements().next().and_then(descriptor);
        // The push setup's attribute 2 is the list itself, and counts as the first value.
        let lists_itself = first.is_some_and(|d| (d.class, d.attribute) == (40, 2));
        let sent = values.len() + usize::from(lists_itself);
        if sent != list.count() {
            let detail = format!("{} objects are listed, {sent} values are sent", list.count());
            return Err(Anomaly::new(AnomalyCode::Syntax, at, detail));
        }
        let scales = scales(root, lists_itself);
        self.reading.registers.reserve_exact(list.count());
        for (index, entry) in list.elements().enumerate() {
            let Some(object) = descriptor(entry) else {
                return Err(Anomaly::new(AnomalyCode::Syntax, entry.at() as u64, "no entry of a push object list"));
            };
            if index == 0 && lists_itself {
                self.reading.registers.push(Register::new(Obis::from_octets(object.obis), Value::Nothing, None));
                continue;
            }
            let Some(value) = values.next() else { break };
            self.object(object, value, &scales);
        }
        Ok(true)
    }

    /// A value that the push object list describes.
    #[inline]
    fn object(&mut self, object: Descriptor, value: Item<'_, '_>, scales: &[([u8; 6], (i8, u8))]) {
        if object.is_scaler_unit() && value.scaler_unit().is_some() {
            return;
        }
        let code = Code::Obis(Obis::from_octets(object.obis));
        // The time a maximum or a sub-meter's value was taken at belongs to that value.
        if matches!((object.class, object.attribute), (4, 5) | (5, 6))
            && let Some(time) = value.time()
            && let Some(register) = self.reading.registers.iter_mut().rev().find(|register| register.code == code)
        {
            register.detail_mut().time = Some(time);
            return;
        }
        let scale = scales.iter().find(|(obis, _)| *obis == object.obis).map(|&(_, scale)| scale);
        if object.is_usual() {
            self.register(object.obis, value, scale);
            return;
        }
        // Another attribute than the value: no unit of the object fits it.
        let mut register = Register::new(code, super::plain_value(value), None);
        register.detail_mut().status = Some(object.number());
        self.reading.registers.push(register);
    }

    /// Maps Kaifa's positional lists; `false` where it is none.
    ///
    /// The list of one number carries no version. What tells it is the header: Kaifa tags its time, and the number has
    /// four octets.
    pub(super) fn kaifa(&mut self, root: Item<'_, '_>, tagged_time: bool) -> bool {
        let Some(first) = root.elements().next().filter(|_| root.tag() == tag::STRUCTURE) else { return false };
        let Some(codes) = kaifa_codes(root.count()) else { return false };
        match first.text().filter(|text| text.starts_with("KFM_")) {
            Some(_) if codes.len() == 1 => return false,
            Some(_) => {}
            None if codes.len() == 1 && tagged_time && first.tag() == tag::U32 => {}
            None => return false,
        }
        // Where texts and the clock have to stand there are octets, everywhere else numbers.
        let fits = root.elements().zip(codes).all(|(value, code)| match code[2] {
            0 | 96 => value.octets().is_some(),
            1 if code[0] == 0 => value.octets().is_some_and(|octets| octets.len() == 12),
            // The CT meter MA304T4 sends its energies in eight octets. Their resolution is not known, so it does not fit.
            _ => matches!(value.tag(), tag::U32 | tag::I32),
        });
        if !fits {
            return false;
        }
        self.convention = Convention::Kaifa;
        for (value, code) in root.elements().zip(codes) {
            self.register(*code, value, None);
        }
        true
    }

    /// Maps everything else: values behind their codes, or without any.
    pub(super) fn list(&mut self, root: Item<'_, '_>, list: Option<PushList>) {
        let before = self.reading.registers.len();
        // XT211 puts a number in front of its list.
        let mut elements = root.elements();
        let inner = match (elements.next(), elements.next()) {
            (Some(number), Some(inner)) if root.count() == 2 && number.tag() == tag::ENUM && inner.count() > 0 => inner,
            _ => root,
        };
        self.coded(inner, true);
        if self.reading.registers.len() > before {
            return;
        }
        match list {
            Some(list) if self.positional(root, list) => {}
            _ => self.bare(root, list),
        }
    }

    /// Values behind their codes, flat or one level down.
    fn coded(&mut self, root: Item<'_, '_>, outermost: bool) {
        let mut values = root.elements().peekable();
        let mut first = outermost;
        while let Some(item) = values.next() {
            let at_start = std::mem::replace(&mut first, false);
            if let Some(obis) = item.obis() {
                let Some(value) = values.next() else {
                    self.register(obis, item, None);
                    if let Some(register) = self.reading.registers.last_mut() {
                        register.value = Value::Nothing;
                    }
                    return;
                };
                let scale = values.peek().and_then(|next| next.scaler_unit());
                if scale.is_some() {
                    values.next();
                }
                self.register(obis, value, scale);
            } else if outermost && item.is_list() {
                self.entry(item);
            } else if at_start && item.tag() == tag::TEXT {
                // Kamstrup's lists start with their version.
                if let Some(text) = item.text() {
                    self.version(text);
                }
            } else if at_start && item.time().is_some() {
                self.clock(item.time());
            } else if let (true, None, Some(text)) = (outermost, values.peek(), item.text()) {
                // Netz NÖ's list ends with the meter's number.
                self.meter(Rank::Lone, text);
            } else {
                self.unnamed += 1;
            }
        }
    }

    /// One entry of a nested list: `{obis, value}`, `{obis, value, {scaler, unit}}` or `{class, obis, attribute, value}`.
    fn entry(&mut self, entry: Item<'_, '_>) {
        let mut fields = entry.elements();
        let object = match (fields.next(), fields.next(), fields.next(), fields.next()) {
            (Some(class), Some(obis), Some(attribute), Some(value)) if entry.count() == 4 => {
                let object = class.integer().zip(obis.obis()).zip(attribute.integer());
                object.map(|((class, obis), attribute)| (class, obis, attribute, value))
            }
            _ => None,
        };
        match object {
            Some((class, obis, attribute, value)) => {
                let class = u16::try_from(class).unwrap_or_default();
                let attribute = i8::try_from(attribute).unwrap_or_default();
                self.object(Descriptor { class, obis, attribute }, value, &[]);
            }
            None => self.coded(entry, false),
        }
    }

    /// A list without codes whose meaning the user has chosen; `false` where number or types of its elements differ.
    fn positional(&mut self, root: Item<'_, '_>, list: PushList) -> bool {
        let Some(places) = list.places().iter().find(|places| places.len() == root.count()) else { return false };
        let fits = root.elements().zip(*places).all(|(value, place)| match place {
            Place::Clock => value.content().len() == 12,
            Place::Meter => value.text().is_some(),
            Place::Long(_) => matches!(value.tag(), tag::U32 | tag::I32),
            Place::Short(_) | Place::Angle(_) => matches!(value.tag(), tag::U16 | tag::I16),
        });
        if !fits {
            return false;
        }
        self.unnamed = 0;
        for (value, place) in root.elements().zip(*places) {
            match *place {
                Place::Clock => self.clock(value.time()),
                Place::Meter => {
                    if let Some(text) = value.text() {
                        self.meter(Rank::Serial, text);
                    }
                }
                Place::Long(obis) | Place::Short(obis) => self.register(obis.octets(), value, None),
                Place::Angle(obis) => {
                    let angle = value.integer().filter(|&angle| angle != 400);
                    let value = angle.map_or(Value::Nothing, |angle| Value::Number(Decimal::from(angle)));
                    self.reading.registers.push(Register::new(obis, value, Some(Unit::DEGREE)));
                }
            }
        }
        true
    }

    /// A list without codes: what it says about meter and time is kept, its numbers are not guessed.
    fn bare(&mut self, root: Item<'_, '_>, list: Option<PushList>) {
        self.unnamed = 0;
        for item in root.elements().chain((!root.is_list()).then_some(root)) {
            match item.text() {
                Some(text) if is_meter_number(text) => self.meter(Rank::Lone, text),
                None => self.clock(item.time()),
                Some(_) => {}
            }
            if item.integer().is_some() {
                break;
            }
        }
        self.bare_values += root.count().max(1);
        self.unfit_list = list;
    }
}

/// Whether a text can only be a meter's number: letters of a maker and digits, or digits, eight at least.
fn is_meter_number(text: &str) -> bool {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_uppercase());
    text.len() >= 8
        && text.len() - digits.len() <= 3
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Scalers and units that are sent as values of their own.
fn scales(root: Item<'_, '_>, lists_itself: bool) -> Vec<([u8; 6], (i8, u8))> {
    let mut values = root.elements();
    let Some(list) = values.next() else { return Vec::new() };
    // Most pushes have none, and a look at the values alone tells.
    if !values.clone().any(|value| value.tag() == tag::STRUCTURE) {
        return Vec::new();
    }
    list.elements()
        .skip(usize::from(lists_itself))
        .zip(values)
        .filter_map(|(entry, value)| {
            let scale = value.scaler_unit()?;
            let object = descriptor(entry)?;
            object.is_scaler_unit().then_some((object.obis, scale))
        })
        .collect()
}
