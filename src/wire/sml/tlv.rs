//! Type-length fields.
//!
//! ```text
//! 1 ttt llll   0 000 llll …   data
//! │ │   │      └ further length octets, four bits each, high ones first
//! │ │   └ length: octets with these ones counted in; elements for a list
//! │ └ 0 octet string, 4 boolean, 5 integer, 6 unsigned, 7 list
//! └ another length octet follows
//! ```
//! `00` ends a message, `01` stands for an optional field that is not there. Integers are as long as they need to be:
//! three, five, six or seven octets are as good as two or four (TR-03109-1 Anlage IV Teil b, 136).

use super::Fault;
use crate::wire::MAX_TELEGRAM;

/// One field. Of a list only the head: its elements are the fields that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element<'a> {
    /// Octets; none at all where an optional field is absent.
    Octets(&'a [u8]),
    /// The octet of a boolean; 00 is no. By reference like the others: a flag of one octet would make every copy slow.
    Bool(&'a u8),
    /// The octets of a signed integer, at least one.
    Integer(&'a [u8]),
    /// The octets of an unsigned integer, at least one.
    Unsigned(&'a [u8]),
    /// The head of a list of so many elements.
    List(usize),
    /// The end of a message.
    End,
}

impl<'a> Element<'a> {
    /// Octets that are there.
    #[must_use]
    pub const fn octets(self) -> Option<&'a [u8]> {
        match self {
            Self::Octets(octets) if !octets.is_empty() => Some(octets),
            _ => None,
        }
    }

    /// The number, if it is one that a signed 64-bit integer holds. Never wrapped.
    #[must_use]
    #[inline]
    pub fn number(self) -> Option<i64> {
        match self {
            Self::Integer(octets) => signed(octets),
            Self::Unsigned(octets) => unsigned(octets).and_then(|number| i64::try_from(number).ok()),
            _ => None,
        }
    }

    /// The bits of an integer of either kind, for status words and checksums.
    #[must_use]
    #[inline]
    pub fn bits(self) -> Option<u64> {
        match self {
            Self::Integer(octets) | Self::Unsigned(octets) => unsigned(octets),
            _ => None,
        }
    }
}

/// The value of up to eight octets, the high one first.
#[must_use]
#[inline]
pub fn unsigned(octets: &[u8]) -> Option<u64> {
    (octets.len() <= 8).then(|| octets.iter().fold(0, |number, &octet| number << 8 | u64::from(octet)))
}

/// The value of up to eight octets in two's complement; the first bit that is there is the sign.
#[must_use]
#[inline]
pub fn signed(octets: &[u8]) -> Option<i64> {
    let number = unsigned(octets)?;
    let missing = 64 - 8 * u32::try_from(octets.len()).ok()?;
    Some(number.checked_shl(missing)?.cast_signed() >> missing)
}

/// Reads fields one after the other. It stays inside its bytes and never asks for memory.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the first of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes are read.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// The bytes read since a position.
    #[must_use]
    pub fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// The next byte, still unread.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// How many bytes are left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Passes over fill octets.
    pub fn skip_fill(&mut self) {
        while self.peek() == Some(0) {
            self.at += 1;
        }
    }

    /// Passes over the next field if it stands for one that is absent. Most fields of a list entry are, so it pays to ask.
    #[inline]
    pub fn absent(&mut self) -> bool {
        let absent = self.peek() == Some(1);
        self.at += usize::from(absent);
        absent
    }

    /// The next field.
    ///
    /// # Errors
    /// A [`Fault`] where it is cut off, of an unknown type, or of a length its type cannot have.
    #[inline(always)]
    pub fn read(&mut self) -> Result<Element<'a>, Fault> {
        let start = self.at;
        let Some(&first) = self.bytes.get(start) else {
            return Err(Fault { at: start, what: "a field is missing" });
        };
        if first == 0 {
            self.at += 1;
            return Ok(Element::End);
        }
        let mut data = start + 1;
        let mut length = usize::from(first & 0x0F);
        if first & 0x80 != 0 {
            (length, data) = self.long_length(start, length)?;
        }
        let kind = first >> 4 & 7;
        if kind == 7 {
            self.at = data;
            return Ok(Element::List(length));
        }
        let Some(octets) = self.bytes.get(data..start + length) else {
            let too_short = start + length < data;
            let what = if too_short { "a length that does not count itself" } else { "a field is cut off" };
            return Err(Fault { at: start, what });
        };
        let element = match (kind, octets) {
            (0, _) => Element::Octets(octets),
            (4, [flag]) => Element::Bool(flag),
            (5, [_, ..]) => Element::Integer(octets),
            (6, [_, ..]) => Element::Unsigned(octets),
            (4..=6, _) => return Err(Fault { at: start, what: "a length that its type cannot have" }),
            _ => return Err(Fault { at: start, what: "a field of unknown type" }),
        };
        self.at = start + length;
        Ok(element)
    }

    /// Length and end of a head of several octets.
    #[cold]
    fn long_length(&self, start: usize, mut length: usize) -> Result<(usize, usize), Fault> {
        for at in start + 1.. {
            let Some(&octet) = self.bytes.get(at) else {
                return Err(Fault { at: start, what: "a length is cut off" });
            };
            length = length << 4 | usize::from(octet & 0x0F);
            if octet & 0x70 != 0 || length > MAX_TELEGRAM {
                return Err(Fault { at: start, what: "a length that cannot be" });
            }
            if octet & 0x80 == 0 {
                return Ok((length, at + 1));
            }
        }
        Err(Fault { at: start, what: "a length is cut off" })
    }

    /// Passes over the next field, with all its elements if it is a list.
    ///
    /// # Errors
    /// A [`Fault`] of one of the fields.
    pub fn skip(&mut self) -> Result<(), Fault> {
        self.skip_many(1)
    }

    /// Passes over so many fields.
    ///
    /// # Errors
    /// A [`Fault`] of one of the fields.
    #[inline]
    pub fn skip_many(&mut self, count: usize) -> Result<(), Fault> {
        let mut pending = count;
        while pending > 0 {
            pending -= 1;
            if self.absent() {
                continue;
            }
            let at = self.at;
            match self.read()? {
                Element::List(elements) => pending = pending.saturating_add(elements),
                Element::End => return Err(Fault { at, what: "the message ends inside a list" }),
                _ => {}
            }
        }
        Ok(())
    }

    /// The next field, its elements passed over if it is a list.
    ///
    /// # Errors
    /// A [`Fault`] of one of the fields.
    #[inline(always)]
    pub fn read_whole(&mut self) -> Result<Element<'a>, Fault> {
        let at = self.at;
        let element = self.read()?;
        match element {
            Element::List(elements) => self.skip_many(elements)?,
            Element::End => return Err(Fault { at, what: "the message ends inside a list" }),
            _ => {}
        }
        Ok(element)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sml::encode::hex;
    use proptest::prelude::*;

    fn number(field: &str) -> Option<i64> {
        Reader::new(&hex(field)).read().unwrap().number()
    }

    fn fault(field: &str) -> &'static str {
        Reader::new(&hex(field)).skip().unwrap_err().what
    }

    #[test]
    fn integers_of_every_length_keep_their_sign() {
        assert_eq!(number("52 FF"), Some(-1));
        assert_eq!(number("52 7F"), Some(127));
        assert_eq!(number("53 FF 38"), Some(-200));
        assert_eq!(number("54 FF 38 01"), Some(-51_199));
        assert_eq!(number("54 00 FF 38"), Some(65_336));
        assert_eq!(number("56 80 00 00 00 00"), Some(-549_755_813_888));
        assert_eq!(number("59 80 00 00 00 00 00 00 00"), Some(i64::MIN));
        assert_eq!(number("62 FF"), Some(255));
        assert_eq!(number("63 FF 38"), Some(65_336));
        assert_eq!(number("66 01 00 00 00 00"), Some(4_294_967_296));
    }

    #[test]
    fn what_64_bits_do_not_hold_is_no_number() {
        assert_eq!(number("69 80 00 00 00 00 00 00 00"), None);
        assert_eq!(number("69 7F FF FF FF FF FF FF FF"), Some(i64::MAX));
        assert_eq!(number("6A 00 00 00 00 00 00 00 00 01"), None);
        assert_eq!(number("02 07"), None);
    }

    #[test]
    fn long_lengths_count_their_own_octets() {
        let field = [&[0x83, 0x02][..], &[0x55; 48], &[0x62, 0x01]].concat();
        let mut reader = Reader::new(&field);
        assert_eq!(reader.read(), Ok(Element::Octets(&[0x55; 48])));
        assert_eq!(reader.read().unwrap().number(), Some(1));
        assert_eq!(Reader::new(&[0xF1, 0x04]).read(), Ok(Element::List(20)));
        assert_eq!(Reader::new(&[0x70]).read(), Ok(Element::List(0)));
        assert_eq!(Reader::new(&[0x01]).read(), Ok(Element::Octets(&[])));
        assert_eq!(Reader::new(&[0x42, 0x01]).read(), Ok(Element::Bool(&1)));
    }

    #[test]
    fn a_field_that_cannot_be_is_a_fault() {
        assert_eq!(fault(""), "a field is missing");
        assert_eq!(fault("05 01 02"), "a field is cut off");
        assert_eq!(fault("81"), "a length is cut off");
        assert_eq!(fault("80 01"), "a length that does not count itself");
        assert_eq!(fault("81 12"), "a length that cannot be");
        assert_eq!(fault("FF 8F 8F 8F 8F 0F"), "a length that cannot be");
        assert_eq!(fault("51"), "a length that its type cannot have");
        assert_eq!(fault("43 00 00"), "a length that its type cannot have");
        assert_eq!(fault("12 00"), "a field of unknown type");
        assert_eq!(fault("72 01 00"), "the message ends inside a list");
        assert_eq!(fault("72 01"), "a field is missing");
    }

    #[test]
    fn lists_are_passed_over_however_deep_they_are() {
        let mut deep = vec![0x71; 60_000];
        deep.push(0x01);
        let mut reader = Reader::new(&deep);
        reader.skip().unwrap();
        assert_eq!(reader.remaining(), 0);
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_always_ends(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.skip().is_ok() {}
            let mut reader = Reader::new(&bytes);
            while let Ok(element) = reader.read() {
                let _ = (element.number(), element.bits(), element.octets());
                prop_assert!(reader.position() <= bytes.len());
            }
        }

        #[test]
        fn integers_are_sign_extended_from_what_is_there(value: i64, octets in 1usize..=8) {
            let shift = 64 - 8 * octets;
            let value = value << shift >> shift;
            prop_assert_eq!(signed(&value.to_be_bytes()[8 - octets..]), Some(value));
        }
    }
}
