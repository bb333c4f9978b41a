//! What is asked of a server: GET, the next block, and the one ACTION that authentication takes (Green Book 9.3, 9.5).
//!
//! ```text
//! C0 01 C1  00 08 00 00 01 00 00 FF 02  00                GET: class, OBIS code, attribute, no selection
//! C0 02 C1  00 00 00 01                                   the block after this one
//! C3 01 C1  00 0F 00 00 28 00 00 FF 01  01 09 11 10 …     ACTION: class, OBIS code, method, its parameter
//! │  │  └ invoke-id and priority
//! │  └ kind
//! └ service
//! ```

use super::data::{Data, Item, Tree};
use super::{Fail, length, tag};
use crate::reading::Obis;

/// Confirmed, high priority, number 1: what nearly every client sends.
pub const INVOKE: u8 = 0xC1;

/// One attribute of an object, or one of its methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attribute {
    /// The interface class: 3 register, 7 profile, 8 clock …
    pub class: u16,
    /// The object's logical name.
    pub obis: Obis,
    /// Which attribute, from 1.
    pub index: i8,
}

impl Attribute {
    /// An attribute of an object.
    #[must_use]
    pub const fn new(class: u16, obis: Obis, index: i8) -> Self {
        Self { class, obis, index }
    }

    /// The attribute that a column of a profile records: `{class, obis, attribute, index}`.
    #[must_use]
    pub fn of_column(column: Item<'_, '_>) -> Option<Self> {
        let (class, obis, index) = match column.descriptor() {
            Some(descriptor) => descriptor,
            None => {
                let mut fields = column.elements();
                let class = fields.next()?.integer()?.try_into().ok()?;
                let obis = fields.next()?.octets()?.try_into().ok()?;
                (class, obis, fields.next()?.integer()?.try_into().ok()?)
            }
        };
        Some(Self { class, obis: Obis::from_octets(obis), index })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.class.to_be_bytes());
        out.extend(self.obis.octets());
        out.push(self.index.cast_unsigned());
    }

    fn read(bytes: &[u8], at: usize) -> Result<Self, Fail> {
        let Some(&[c1, c2, a, b, c, d, e, f, index]) = bytes.get(at..at + 9) else {
            return Err(Fail::Short { need: at + 9 });
        };
        Ok(Self {
            class: u16::from_be_bytes([c1, c2]),
            obis: Obis::from_octets([a, b, c, d, e, f]),
            index: index.cast_signed(),
        })
    }
}

impl std::fmt::Display for Attribute {
    /// `0-0:1.0.0*255 attribute 2 (class 8)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} attribute {} (class {})", self.obis, self.index, self.class)
    }
}

/// Which rows of a profile are wanted (Blue Book 4.3.6.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Those whose clock column lies from one time to another, both included.
    Range {
        /// The column that is compared; usually the clock's time.
        column: Attribute,
        /// The first time, as twelve octets.
        from: [u8; 12],
        /// The last time.
        to: [u8; 12],
    },
    /// Those with these numbers, from 1; 0 as the last one means all.
    Entries {
        /// The first row.
        from: u32,
        /// The last row, included.
        to: u32,
    },
}

impl Selection {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Range { column, from, to } => {
                out.push(1);
                let column = Data::Structure(vec![
                    Data::U16(column.class),
                    Data::obis(column.obis),
                    Data::I8(column.index),
                    Data::U16(0),
                ]);
                let times = [from, to].map(|time| Data::Octets(time.to_vec()));
                let [from, to] = times;
                Data::Structure(vec![column, from, to, Data::Array(Vec::new())]).encode(out);
            }
            Self::Entries { from, to } => {
                out.push(2);
                let numbers = vec![Data::U32(*from), Data::U32(*to), Data::U16(1), Data::U16(0)];
                Data::Structure(numbers).encode(out);
            }
        }
    }

    /// The selection at `at` and where it ends; a choice of columns is not supported.
    fn read(bytes: &[u8], at: usize) -> Result<(Self, usize), Fail> {
        let selector = *bytes.get(at).ok_or(Fail::Short { need: at + 1 })?;
        let (tree, end) = Tree::parse(bytes, at + 1)?;
        let elements: Vec<Item<'_, '_>> = tree.root().elements().take(5).collect();
        let [first, second, third, fourth] = elements[..] else { return Err(Fail::wrong(at, "no selection")) };
        let selection = match selector {
            1 if fourth.count() == 0 => {
                let column = Attribute::of_column(first).ok_or(Fail::wrong(at, "no column to select by"))?;
                let time = |item: Item<'_, '_>| match item.tag() {
                    tag::OCTETS | tag::DATE_TIME => item.content().try_into().ok(),
                    _ => None,
                };
                let no_time = Fail::wrong(at, "no time to select by");
                Self::Range { column, from: time(second).ok_or(no_time)?, to: time(third).ok_or(no_time)? }
            }
            2 => {
                let number = |item: Item<'_, '_>| item.integer().and_then(|n| u32::try_from(n).ok());
                let all_columns = number(third).is_some_and(|n| n <= 1) && number(fourth) == Some(0);
                match (number(first), number(second)) {
                    (Some(from), Some(to)) if all_columns => Self::Entries { from, to },
                    _ => return Err(Fail::wrong(at, "a selection that is not supported")),
                }
            }
            _ => return Err(Fail::wrong(at, "a selection that is not supported")),
        };
        Ok((selection, end))
    }
}

/// What a server says of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Which attribute.
    pub attribute: Attribute,
    /// Which part of it was asked for.
    pub selection: Option<Selection>,
    /// Its value in A-XDR, whole and parsing as one [`Tree`]; or why there is none.
    pub result: Result<Box<[u8]>, Refusal>,
}

impl Value {
    /// The value, taken apart.
    #[must_use]
    pub fn tree(&self) -> Option<Tree<'_>> {
        let octets = self.result.as_deref().ok()?;
        Tree::parse(octets, 0).ok().map(|(tree, _)| tree)
    }
}

/// Why a server gives no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A data-access-result: 3 read or write denied, 4 object undefined …
    #[error("{} (data-access-result {result})", super::access_result(*.result))]
    Access {
        /// The number.
        result: u8,
    },
    /// An exception response.
    #[error("exception, state {state}, service {service}")]
    Exception {
        /// 1 not allowed, 2 unknown.
        state: u8,
        /// What is wrong with the service.
        service: u8,
    },
    /// The object list says that the association may not read it; it was not asked for.
    #[error("this association may not read it")]
    Closed,
    /// What came is no value.
    #[error("the answer makes no sense: {0}")]
    Garbled(&'static str),
    /// What came is longer than is taken.
    #[error("longer than is taken")]
    TooLong,
}

/// A request to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
    /// GET normal.
    Get {
        /// Number and priority.
        invoke: u8,
        /// What is wanted.
        attribute: Attribute,
        /// Which part of it.
        selection: Option<Selection>,
    },
    /// GET next: the block after the one with this number.
    Next {
        /// Number and priority.
        invoke: u8,
        /// The number of the block that has come.
        block: u32,
    },
    /// GET with a list of attributes.
    List {
        /// Number and priority.
        invoke: u8,
        /// What is wanted.
        attributes: Vec<(Attribute, Option<Selection>)>,
    },
    /// ACTION normal.
    Action {
        /// Number and priority.
        invoke: u8,
        /// Which method.
        method: Attribute,
        /// The method's parameter, tag and value.
        parameter: Option<&'a [u8]>,
    },
}

impl Request<'_> {
    /// The octets of the APDU.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        match self {
            Self::Get { invoke, attribute, selection } => {
                out.extend([0xC0, 1, *invoke]);
                one(&mut out, attribute, *selection);
            }
            Self::Next { invoke, block } => {
                out.extend([0xC0, 2, *invoke]);
                out.extend(block.to_be_bytes());
            }
            Self::List { invoke, attributes } => {
                out.extend([0xC0, 3, *invoke]);
                super::put_length(&mut out, attributes.len());
                for (attribute, selection) in attributes {
                    one(&mut out, attribute, *selection);
                }
            }
            Self::Action { invoke, method, parameter } => {
                out.extend([0xC3, 1, *invoke]);
                method.write(&mut out);
                out.push(u8::from(parameter.is_some()));
                out.extend_from_slice(parameter.unwrap_or_default());
            }
        }
        out
    }
}

fn one(out: &mut Vec<u8>, attribute: &Attribute, selection: Option<Selection>) {
    attribute.write(out);
    out.push(u8::from(selection.is_some()));
    if let Some(selection) = selection {
        selection.write(out);
    }
}

impl<'a> Request<'a> {
    /// Takes a request apart and says where it ends.
    ///
    /// # Errors
    /// [`Fail`] where it is none of these, or asks for what is not supported.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, usize), Fail> {
        let octet = |at: usize| bytes.get(at).copied().ok_or(Fail::Short { need: at + 1 });
        let invoke = || octet(2);
        match (octet(0)?, octet(1)?) {
            (0xC0, 1) => {
                let (attribute, selection, end) = wanted(bytes, 3)?;
                Ok((Self::Get { invoke: invoke()?, attribute, selection }, end))
            }
            (0xC0, 2) => {
                let number = bytes.get(3..).and_then(<[u8]>::first_chunk).ok_or(Fail::Short { need: 7 })?;
                Ok((Self::Next { invoke: invoke()?, block: u32::from_be_bytes(*number) }, 7))
            }
            (0xC0, 3) => {
                let (count, mut at) = length(bytes, 3)?;
                let mut attributes = Vec::new();
                for _ in 0..count {
                    let (attribute, selection, end) = wanted(bytes, at)?;
                    attributes.push((attribute, selection));
                    at = end;
                }
                Ok((Self::List { invoke: invoke()?, attributes }, at))
            }
            (0xC3, 1) => {
                let method = Attribute::read(bytes, 3)?;
                let (parameter, end) = match octet(12)? {
                    0 => (None, 13),
                    _ => {
                        let (_, end) = Tree::parse(bytes, 13)?;
                        (bytes.get(13..end), end)
                    }
                };
                Ok((Self::Action { invoke: invoke()?, method, parameter }, end))
            }
            (0xC0 | 0xC3, _) => Err(Fail::wrong(1, "a kind of request that is not supported")),
            (other, _) => Err(Fail::wrong(0, super::name(other))),
        }
    }
}

fn wanted(bytes: &[u8], at: usize) -> Result<(Attribute, Option<Selection>, usize), Fail> {
    let attribute = Attribute::read(bytes, at)?;
    match bytes.get(at + 9) {
        None => Err(Fail::Short { need: at + 10 }),
        Some(0) => Ok((attribute, None, at + 10)),
        Some(_) => Selection::read(bytes, at + 10).map(|(selection, end)| (attribute, Some(selection), end)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::date_time_octets;
    use super::super::examples::bytes;
    use super::*;
    use proptest::prelude::*;

    const CLOCK: Attribute = Attribute::new(8, Obis::new(0, 0, 1, 0, 0, 255), 2);
    const PROFILE: Attribute = Attribute::new(7, Obis::new(1, 0, 99, 1, 0, 255), 2);

    fn get(attribute: Attribute, selection: Option<Selection>) -> Request<'static> {
        Request::Get { invoke: INVOKE, attribute, selection }
    }

    #[test]
    fn the_requests_of_the_specification() {
        let import = Obis::electricity(1, 8, 0);
        let day = |day: &str| bytes(&format!("07 E9 0B {day} FF 00 00 00 00 00 00 00")).try_into().unwrap();
        for (request, hex) in [
            (get(CLOCK, None), "C0 01 C1 00 08 00 00 01 00 00 FF 02 00"),
            (get(Attribute::new(3, import, 2), None), "C0 01 C1 00 03 01 00 01 08 00 FF 02 00"),
            (get(Attribute::new(3, import, 3), None), "C0 01 C1 00 03 01 00 01 08 00 FF 03 00"),
            (Request::Next { invoke: INVOKE, block: 1 }, "C0 02 C1 00 00 00 01"),
            (
                get(PROFILE, Some(Selection::Range { column: CLOCK, from: day("07"), to: day("08") })),
                "C0 01 C1 00 07 01 00 63 01 00 FF 02 01 01 02 04 02 04 12 00 08 09 06 00 00 01 00 00 FF 0F 02 12 00 00
                 09 0C 07 E9 0B 07 FF 00 00 00 00 00 00 00 09 0C 07 E9 0B 08 FF 00 00 00 00 00 00 00 01 00",
            ),
            (
                get(PROFILE, Some(Selection::Entries { from: 1, to: 10 })),
                "C0 01 C1 00 07 01 00 63 01 00 FF 02 01 02 02 04 06 00 00 00 01 06 00 00 00 0A 12 00 01 12 00 00",
            ),
        ] {
            let octets = bytes(hex);
            assert_eq!(request.encode(), octets, "{hex}");
            assert_eq!(Request::parse(&octets), Ok((request, octets.len())), "{hex}");
        }
    }

    #[test]
    fn a_selection_of_columns_is_refused() {
        let columns = "C0 01 C1 00 07 01 00 63 01 00 FF 02 01 02 02 04 06 00 00 00 01 06 00 00 00 0A 12 00 01 12 00 03";
        assert!(matches!(Request::parse(&bytes(columns)), Err(Fail::Wrong { .. })));
    }

    fn any_attribute() -> impl Strategy<Value = Attribute> {
        (any::<u16>(), any::<[u8; 6]>(), any::<i8>())
            .prop_map(|(class, obis, index)| Attribute::new(class, Obis::from_octets(obis), index))
    }

    fn any_selection() -> impl Strategy<Value = Option<Selection>> {
        proptest::option::of(prop_oneof![
            (any_attribute(), any::<[u8; 12]>(), any::<[u8; 12]>()).prop_map(|(column, from, to)| Selection::Range {
                column,
                from,
                to
            }),
            (any::<u32>(), any::<u32>()).prop_map(|(from, to)| Selection::Entries { from, to }),
        ])
    }

    proptest! {
        #[test]
        fn what_is_asked_reads_back(
            invoke: u8, attribute in any_attribute(), selection in any_selection(), block: u32,
            attributes in proptest::collection::vec((any_attribute(), any_selection()), 0..5), number: u64,
        ) {
            let parameter = Data::U64(number).to_octets();
            for request in [
                Request::Get { invoke, attribute, selection },
                Request::Next { invoke, block },
                Request::List { invoke, attributes },
                Request::Action { invoke, method: attribute, parameter: Some(&parameter) },
                Request::Action { invoke, method: attribute, parameter: None },
            ] {
                let octets = request.encode();
                prop_assert_eq!(Request::parse(&octets), Ok((request, octets.len())));
                for end in 0..octets.len() {
                    prop_assert!(Request::parse(&octets[..end]).is_err());
                }
            }
        }

        #[test]
        fn any_bytes(mut input in proptest::collection::vec(any::<u8>(), 2..80), kind in 0u8..5) {
            input[0] = if kind == 4 { 0xC3 } else { 0xC0 };
            input[1] = kind;
            if let Ok((_, end)) = Request::parse(&input) { prop_assert!(end <= input.len()); }
        }
    }

    #[test]
    fn a_range_is_given_in_the_meters_own_time() {
        let at = crate::reading::Instant::parse_utc("2025-11-07T13:30:00Z").unwrap();
        let time = crate::reading::MeterTime::local(at.meter_time(crate::reading::Zone::CENTRAL_EUROPE).civil);
        assert_eq!(date_time_octets(&time)[..], bytes("07 E9 0B 07 05 0E 1E 00 00 80 00 00"));
    }
}
