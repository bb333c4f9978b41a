//! Values on their way out.

use super::tag;
use crate::reading::{MeterTime, Obis, Offset};
use crate::wire::dlms::put_length;

/// A value to be sent. Values that come are read where they are, through [`Tree`](super::Tree).
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of A-XDR")]
pub enum Data {
    Null,
    Array(Vec<Self>),
    Structure(Vec<Self>),
    Bool(bool),
    /// As many bits as the octets have.
    Bits(Vec<u8>),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    Enum(u8),
    Octets(Vec<u8>),
    Text(String),
    /// Date and time with the tag of their own.
    DateTime([u8; 12]),
}

impl Data {
    /// An OBIS code, as an octet string of six.
    #[must_use]
    pub fn obis(code: Obis) -> Self {
        Self::Octets(code.octets().to_vec())
    }

    /// A time as an octet string of twelve, the usual form of attributes.
    #[must_use]
    pub fn time(time: &MeterTime) -> Self {
        Self::Octets(date_time_octets(time).to_vec())
    }

    /// Appends tag and value. A tree deeper than a program builds by hand is not meant to be sent.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(tag::NULL),
            Self::Array(elements) | Self::Structure(elements) => {
                out.push(if matches!(self, Self::Array(_)) { tag::ARRAY } else { tag::STRUCTURE });
                put_length(out, elements.len());
                for element in elements {
                    element.encode(out);
                }
            }
            Self::Bool(yes) => out.extend([tag::BOOLEAN, u8::from(*yes)]),
            Self::Bits(octets) => {
                out.push(tag::BIT_STRING);
                put_length(out, octets.len() * 8);
                out.extend_from_slice(octets);
            }
            Self::I8(number) => fixed(out, tag::I8, &number.to_be_bytes()),
            Self::I16(number) => fixed(out, tag::I16, &number.to_be_bytes()),
            Self::I32(number) => fixed(out, tag::I32, &number.to_be_bytes()),
            Self::I64(number) => fixed(out, tag::I64, &number.to_be_bytes()),
            Self::U8(number) => fixed(out, tag::U8, &[*number]),
            Self::U16(number) => fixed(out, tag::U16, &number.to_be_bytes()),
            Self::U32(number) => fixed(out, tag::U32, &number.to_be_bytes()),
            Self::U64(number) => fixed(out, tag::U64, &number.to_be_bytes()),
            Self::Enum(number) => fixed(out, tag::ENUM, &[*number]),
            Self::Octets(octets) => string(out, tag::OCTETS, octets),
            Self::Text(text) => string(out, tag::TEXT, text.as_bytes()),
            Self::DateTime(octets) => fixed(out, tag::DATE_TIME, octets),
        }
    }

    /// Tag and value alone.
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

fn fixed(out: &mut Vec<u8>, tag: u8, octets: &[u8]) {
    out.push(tag);
    out.extend_from_slice(octets);
}

fn string(out: &mut Vec<u8>, tag: u8, octets: &[u8]) {
    out.push(tag);
    put_length(out, octets.len());
    out.extend_from_slice(octets);
}

/// The twelve octets of a date-time (Blue Book 4.1.6.1), the reverse of [`date_time`](super::date_time): an unknown
/// offset is deviation 8000, and bit 7 of the status says that it is summer.
#[must_use]
pub fn date_time_octets(time: &MeterTime) -> [u8; 12] {
    let [year, month, day, hour, minute, second, hundredths] = time.civil.fields();
    let small = |field: u16| u8::try_from(field).unwrap_or(0xFF);
    let [y1, y2] = year.to_be_bytes();
    let deviation = match time.offset {
        Offset::Minutes(minutes) => -minutes,
        Offset::Unknown | Offset::Summer | Offset::Winter => i16::MIN,
    };
    let [d1, d2] = deviation.to_be_bytes();
    let summer = matches!(time.offset, Offset::Summer);
    let status = u8::from(time.doubtful) << 1 | u8::from(summer) << 7;
    let [month, day, hour, minute] = [month, day, hour, minute].map(small);
    [y1, y2, month, day, time.civil.weekday(), hour, minute, small(second), small(hundredths), d1, d2, status]
}
