//! A-XDR data: the values inside an APDU, as a flat tree.
//!
//! One pass over the bytes lays the nodes down in the order of the wire, each with the index behind its last descendant.
//! Nothing recurses, and nothing is allocated before its bytes are known to be there.

mod item;
mod parse;
#[cfg(test)]
mod tests;
mod value;

pub use self::item::{Elements, Item};
use self::parse::Parser;
pub use self::value::{Data, date_time_octets};
use super::Fail;
use crate::reading::{CivilTime, MeterTime, Offset};
use crate::wire::MAX_TELEGRAM;

/// Structures inside structures, at most: pushes need four.
const MAX_DEPTH: usize = 16;
/// Values in one APDU, at most: each takes a byte, but those of a compact array may take none.
const MAX_NODES: usize = MAX_TELEGRAM;

/// The tags of A-XDR (Blue Book 4.1.5).
pub mod tag {
    #![allow(missing_docs)]
    pub const NULL: u8 = 0x00;
    pub const ARRAY: u8 = 0x01;
    pub const STRUCTURE: u8 = 0x02;
    pub const BOOLEAN: u8 = 0x03;
    pub const BIT_STRING: u8 = 0x04;
    pub const I32: u8 = 0x05;
    pub const U32: u8 = 0x06;
    pub const FLOAT_OLD: u8 = 0x07;
    pub const OCTETS: u8 = 0x09;
    pub const TEXT: u8 = 0x0A;
    pub const UTF8: u8 = 0x0C;
    pub const BCD: u8 = 0x0D;
    pub const I8: u8 = 0x0F;
    pub const I16: u8 = 0x10;
    pub const U8: u8 = 0x11;
    pub const U16: u8 = 0x12;
    pub const COMPACT_ARRAY: u8 = 0x13;
    pub const I64: u8 = 0x14;
    pub const U64: u8 = 0x15;
    pub const ENUM: u8 = 0x16;
    pub const FLOAT32: u8 = 0x17;
    pub const FLOAT64: u8 = 0x18;
    pub const DATE_TIME: u8 = 0x19;
    pub const DATE: u8 = 0x1A;
    pub const TIME: u8 = 0x1B;
    pub const DONT_CARE: u8 = 0xFF;
}

/// What the table of sizes says of a tag without a fixed size.
const VARIABLE: u8 = 0xFE;
const UNKNOWN: u8 = 0xFF;

/// Content octets by tag.
const SIZES: [u8; 256] = {
    let mut sizes = [UNKNOWN; 256];
    let fixed: [(u8, u8); 20] = [
        (tag::NULL, 0),
        (tag::DONT_CARE, 0),
        (tag::BOOLEAN, 1),
        (tag::BCD, 1),
        (tag::I8, 1),
        (tag::U8, 1),
        (tag::ENUM, 1),
        (tag::I16, 2),
        (tag::U16, 2),
        (tag::I32, 4),
        (tag::U32, 4),
        (tag::FLOAT_OLD, 4),
        (tag::FLOAT32, 4),
        (tag::I64, 8),
        (tag::U64, 8),
        (tag::FLOAT64, 8),
        (tag::DATE_TIME, 12),
        (tag::DATE, 5),
        (tag::TIME, 4),
        (tag::OCTETS, VARIABLE),
    ];
    let mut at = 0;
    while at < fixed.len() {
        sizes[fixed[at].0 as usize] = fixed[at].1;
        at += 1;
    }
    let variable = [tag::ARRAY, tag::STRUCTURE, tag::BIT_STRING, tag::TEXT, tag::UTF8, tag::COMPACT_ARRAY];
    let mut at = 0;
    while at < variable.len() {
        sizes[variable[at] as usize] = VARIABLE;
        at += 1;
    }
    sizes
};

/// The tag of a node that stands for `{u16 class, obis, i8 attribute, u16 index}` in its usual 18 octets. The four
/// elements have no nodes of their own; no such tag exists on the wire.
const DESCRIPTOR: u8 = 0x80;

/// The elements of a descriptor: tag, offset of the tag, offset and size of the content.
const DESCRIPTOR_ELEMENTS: [(u8, u32, u32, u32); 4] =
    [(tag::U16, 2, 3, 2), (tag::OCTETS, 5, 7, 6), (tag::I8, 13, 14, 1), (tag::U16, 15, 16, 2)];

#[derive(Debug, Clone, Copy)]
struct Node {
    tag: u8,
    /// Offset of the tag; of the content where there is none (compact arrays).
    at: u32,
    /// Offset of the content.
    from: u32,
    /// Octets of content; for arrays and structures the number of elements.
    extent: u32,
    /// Index of the node behind the last descendant.
    next: u32,
}

/// The values of an APDU, borrowed from it.
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    bytes: &'a [u8],
    nodes: Vec<Node>,
}

impl<'a> Tree<'a> {
    /// Parses the one value that starts at `from` and says where it ends.
    ///
    /// # Errors
    /// [`Fail::Short`] where the bytes end first, [`Fail::Wrong`] where they are no A-XDR.
    pub fn parse(bytes: &'a [u8], from: usize) -> Result<(Self, usize), Fail> {
        // A value of a push takes some eight octets; the vector grows if they are smaller.
        let room = bytes.len().saturating_sub(from) / 8 + 8;
        let mut parser = Parser { bytes, pos: from, nodes: Vec::with_capacity(room.min(1024)) };
        parser.value()?;
        Ok((Self { bytes, nodes: parser.nodes }, parser.pos))
    }

    /// Parses the list of Sagemcom's XT211, whose descriptors have no tags: `02 02 16 nn 01 n`, then n times
    /// `02 02 class(2) obis(6) attribute(1) value`. Each entry becomes a structure of four.
    ///
    /// # Errors
    /// As [`Tree::parse`]; [`Fail::Wrong`] where it is no such list.
    pub(super) fn parse_untagged(bytes: &'a [u8], from: usize) -> Result<(Self, usize), Fail> {
        let head = bytes.get(from..from + 6).ok_or(Fail::Short { need: from + 6 })?;
        let &[tag::STRUCTURE, 2, tag::ENUM, _, tag::ARRAY, count @ 1..0x80] = head else {
            return Err(Fail::wrong(from, "no list of untagged descriptors"));
        };
        let mut parser = Parser { bytes, pos: from + 6, nodes: Vec::with_capacity(usize::from(count) * 5 + 3) };
        parser.node(tag::STRUCTURE, from, from + 2, 2);
        parser.node(tag::ENUM, from + 2, from + 3, 1);
        parser.node(tag::ARRAY, from + 4, from + 6, usize::from(count));
        for _ in 0..count {
            let at = parser.pos;
            let entry = bytes.get(at..at + 11).ok_or(Fail::Short { need: at + 12 })?;
            // No class has a number above 255, no medium one above 15, and F is 255.
            if entry[..3] != [tag::STRUCTURE, 2, 0] || entry[4] > 15 || entry[9] != 0xFF {
                return Err(Fail::wrong(at, "no untagged descriptor"));
            }
            let structure = parser.nodes.len();
            parser.node(tag::STRUCTURE, at, at + 2, 4);
            for (tag, from, size) in [(tag::U16, at + 2, 2), (tag::OCTETS, at + 4, 6), (tag::I8, at + 10, 1)] {
                parser.node(tag, from, from, size);
            }
            parser.pos = at + 11;
            parser.value()?;
            parser.close(structure);
        }
        parser.close(2);
        parser.close(0);
        Ok((Self { bytes, nodes: parser.nodes }, parser.pos))
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> Item<'_, 'a> {
        Item { tree: self, index: 0, part: 0 }
    }

    /// All values in the order of the wire, each with its depth.
    pub fn all(&self) -> impl Iterator<Item = (Item<'_, 'a>, usize)> {
        let mut all = Vec::with_capacity(self.nodes.len());
        let mut open: Vec<u32> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            while open.last().is_some_and(|&end| end as usize <= index) {
                open.pop();
            }
            let item = Item { tree: self, index, part: 0 };
            all.push((item, open.len()));
            if node.tag == DESCRIPTOR {
                all.extend(item.elements().map(|element| (element, open.len() + 1)));
            }
            open.push(node.next);
        }
        all.into_iter()
    }
}

/// The time of the twelve octets of a date-time (Blue Book 4.1.6.1); `None` where date or hour are not specified.
///
/// The deviation counts from local time to UTC, so that −60 is one hour ahead of UTC. Where it is not specified, bit 7
/// of the status says that summer time is in force; its absence says nothing, since E450 meters send status 00 in July.
#[must_use]
pub fn date_time(octets: &[u8]) -> Option<MeterTime> {
    let &[y1, y2, month, day, _weekday, hour, minute, second, hundredths, d1, d2, status] = octets else { return None };
    let or_zero = |octet: u8| if octet == 0xFF { 0 } else { octet };
    let year = i32::from(u16::from_be_bytes([y1, y2]));
    // No meter is older than its standard; this also refuses FFFF, "not specified".
    if !(1970..=2999).contains(&year) {
        return None;
    }
    let civil = CivilTime::new(year, month, day, hour, or_zero(minute), or_zero(second))?;
    let civil = match hundredths {
        0 | 0xFF => civil,
        1..=99 => civil.plus_millis(i64::from(hundredths) * 10),
        _ => return None,
    };
    let known = status != 0xFF;
    let offset = match i16::from_be_bytes([d1, d2]) {
        deviation @ -840..=840 => Offset::Minutes(-deviation),
        _ if known && status & 0x80 != 0 => Offset::Summer,
        _ => Offset::Unknown,
    };
    Some(MeterTime { civil, offset, doubtful: known && status & 0x03 != 0 })
}
