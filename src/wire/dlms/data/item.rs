//! The values of a tree, one by one.

use super::{DESCRIPTOR, DESCRIPTOR_ELEMENTS, Node, Tree, date_time, tag};
use crate::reading::{Decimal, MeterTime};

/// One value of a [`Tree`].
#[derive(Debug, Clone, Copy)]
pub struct Item<'t, 'a> {
    pub(super) tree: &'t Tree<'a>,
    pub(super) index: usize,
    /// Which element of a descriptor, from 1; 0 for the node itself.
    pub(super) part: usize,
}

impl<'t, 'a> Item<'t, 'a> {
    #[inline]
    fn node(self) -> Node {
        // An item is only made for a node that is there; the fallback is never seen.
        let nothing = Node { tag: 0, at: 0, from: 0, extent: 0, next: 0 };
        let node = self.tree.nodes.get(self.index).copied().unwrap_or(nothing);
        if node.tag != DESCRIPTOR {
            return node;
        }
        match self.part.checked_sub(1).and_then(|part| DESCRIPTOR_ELEMENTS.get(part)) {
            Some(&(tag, at, from, extent)) => {
                Node { tag, at: node.at + at, from: node.at + from, extent, next: node.next }
            }
            None => Node { tag: tag::STRUCTURE, ..node },
        }
    }

    /// Class, OBIS code and attribute, where the value is an entry of a push object list in its usual form.
    #[must_use]
    #[inline]
    pub fn descriptor(self) -> Option<(u16, [u8; 6], i8)> {
        let node = self.tree.nodes.get(self.index).filter(|node| node.tag == DESCRIPTOR && self.part == 0)?;
        let at = node.at as usize;
        let &[_, _, _, high, low, _, _, a, b, c, d, e, f, _, attribute, ..] = self.tree.bytes.get(at..at + 18)? else {
            return None;
        };
        Some((u16::from_be_bytes([high, low]), [a, b, c, d, e, f], attribute.cast_signed()))
    }

    /// The A-XDR tag; a compact array counts as an array.
    #[must_use]
    #[inline]
    pub fn tag(self) -> u8 {
        match self.tree.nodes.get(self.index) {
            Some(node) if node.tag != DESCRIPTOR => node.tag,
            _ => self.node().tag,
        }
    }

    /// Where the value starts in the APDU.
    #[must_use]
    pub fn at(self) -> usize {
        self.node().at as usize
    }

    /// Where the content of the value starts in the APDU.
    #[must_use]
    pub fn content_at(self) -> usize {
        self.node().from as usize
    }

    /// Whether it is an array or a structure.
    #[must_use]
    #[inline]
    pub fn is_list(self) -> bool {
        matches!(self.tag(), tag::ARRAY | tag::STRUCTURE)
    }

    /// How many elements an array or structure has; 0 for everything else.
    #[must_use]
    #[inline]
    pub fn count(self) -> usize {
        if self.is_list() { self.node().extent as usize } else { 0 }
    }

    /// The elements of an array or structure.
    #[inline]
    pub fn elements(self) -> Elements<'t, 'a> {
        let is_descriptor = self.tree.nodes.get(self.index).is_some_and(|node| node.tag == DESCRIPTOR);
        let (index, part) = if is_descriptor { (self.index, 1) } else { (self.index + 1, 0) };
        Elements { tree: self.tree, index, part, left: self.count() }
    }

    /// The content octets of a value that is neither array nor structure.
    #[must_use]
    #[inline]
    pub fn content(self) -> &'a [u8] {
        let node = self.node();
        if matches!(node.tag, tag::ARRAY | tag::STRUCTURE) {
            return &[];
        }
        let from = node.from as usize;
        self.tree.bytes.get(from..from + node.extent as usize).unwrap_or_default()
    }

    /// The octets of an octet string.
    #[must_use]
    #[inline]
    pub fn octets(self) -> Option<&'a [u8]> {
        (self.tag() == tag::OCTETS).then(|| self.content())
    }

    /// The text of a visible string, a UTF-8 string, or an octet string that is printable ASCII.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        let content = self.content();
        match self.tag() {
            tag::TEXT | tag::UTF8 => std::str::from_utf8(content).ok(),
            tag::OCTETS if !content.is_empty() && content.iter().all(|b| (0x20..0x7F).contains(b)) => {
                std::str::from_utf8(content).ok()
            }
            _ => None,
        }
    }

    /// The value of an integer of any width, of an enumeration or of a BCD digit pair.
    #[must_use]
    #[inline]
    pub fn integer(self) -> Option<i64> {
        let node = self.node();
        let from = node.from as usize;
        let content = self.tree.bytes.get(from..from + node.extent as usize).unwrap_or_default();
        let number = match (node.tag, content) {
            (tag::U32, &[a, b, c, d]) => i64::from(u32::from_be_bytes([a, b, c, d])),
            (tag::U16, &[a, b]) => i64::from(u16::from_be_bytes([a, b])),
            (tag::I8, &[a]) => i64::from(a.cast_signed()),
            (tag::U8 | tag::ENUM, &[a]) => i64::from(a),
            (tag::I16, &[a, b]) => i64::from(i16::from_be_bytes([a, b])),
            (tag::I32, &[a, b, c, d]) => i64::from(i32::from_be_bytes([a, b, c, d])),
            (tag::I64, &[a, b, c, d, e, f, g, h]) => i64::from_be_bytes([a, b, c, d, e, f, g, h]),
            (tag::U64, &[a, b, c, d, e, f, g, h]) => u64::from_be_bytes([a, b, c, d, e, f, g, h]).try_into().ok()?,
            (tag::BCD, &[a]) if a >> 4 < 10 && a & 15 < 10 => i64::from(a >> 4) * 10 + i64::from(a & 15),
            _ => return None,
        };
        Some(number)
    }

    /// The number of an integer or a float. A float becomes the shortest decimal that reads back as the same float.
    #[must_use]
    #[inline]
    pub fn number(self) -> Option<Decimal> {
        match self.integer() {
            Some(number) => Some(Decimal::new(number, 0)),
            None => self.float_text().and_then(|text| text.parse().ok()),
        }
    }

    /// The digits of a float, or of an integer too large for [`Item::integer`].
    #[must_use]
    pub fn float_text(self) -> Option<String> {
        match (self.tag(), self.content()) {
            (tag::FLOAT32 | tag::FLOAT_OLD, &[a, b, c, d]) => Some(f32::from_be_bytes([a, b, c, d]).to_string()),
            (tag::FLOAT64, &[a, b, c, d, e, f, g, h]) => Some(f64::from_be_bytes([a, b, c, d, e, f, g, h]).to_string()),
            (tag::U64, &[a, b, c, d, e, f, g, h]) => Some(u64::from_be_bytes([a, b, c, d, e, f, g, h]).to_string()),
            _ => None,
        }
    }

    /// The six octets of an octet string that can be an OBIS code: a medium below 16.
    #[must_use]
    #[inline]
    pub fn obis(self) -> Option<[u8; 6]> {
        let octets: [u8; 6] = self.octets()?.try_into().ok()?;
        (octets[0] < 16).then_some(octets)
    }

    /// Scaler and unit number of a `structure{i8, enum}`.
    #[must_use]
    #[inline]
    pub fn scaler_unit(self) -> Option<(i8, u8)> {
        if self.tag() != tag::STRUCTURE || self.count() != 2 {
            return None;
        }
        let mut elements = self.elements();
        let (scaler, unit) = (elements.next()?, elements.next()?);
        match (scaler.tag(), scaler.content(), unit.tag(), unit.content()) {
            (tag::I8, &[scaler], tag::ENUM, &[unit]) => Some((scaler.cast_signed(), unit)),
            _ => None,
        }
    }

    /// The time of a date-time, or of an octet string of twelve octets that is one.
    #[must_use]
    pub fn time(self) -> Option<MeterTime> {
        if !matches!(self.tag(), tag::DATE_TIME | tag::OCTETS) {
            return None;
        }
        date_time(self.content())
    }
}

/// The elements of an array or structure.
#[derive(Debug, Clone)]
pub struct Elements<'t, 'a> {
    tree: &'t Tree<'a>,
    index: usize,
    /// As in [`Item`]: the elements of a descriptor share its node.
    part: usize,
    left: usize,
}

impl<'t, 'a> Iterator for Elements<'t, 'a> {
    type Item = Item<'t, 'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let item = Item { tree: self.tree, index: self.index, part: self.part };
        if self.part > 0 {
            self.part += 1;
        } else {
            self.index = self.tree.nodes.get(self.index)?.next as usize;
        }
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Elements<'_, '_> {}
