//! Messages, the list of values, and the choice of times.
//!
//! A message is read in three steps, so that every octet is looked at once: [`Message::open`] reads its head, then
//! comes the body ([`server_id`], [`get_list`], or [`Reader::skip`]), then [`Message::close`] reads the checksum, which
//! decides whether what the body said counts. Every optional field may be absent in every message.

use super::tlv::{Element, Reader};
use super::{Checksum, Fault};
use crate::wire::crc;

/// Body number of the response that opens a file.
pub const OPEN: u64 = 0x0101;
/// Body number of the list of values.
pub const GET_LIST: u64 = 0x0701;

/// The head of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    start: usize,
    /// The transaction it belongs to.
    pub transaction: &'a [u8],
    /// What the body is. Meters send the number in one, two or four octets.
    pub id: u64,
}

/// What the checksum of a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// It fits.
    Good(Checksum),
    /// It does not.
    Bad {
        /// Offset of the checksum in the payload.
        at: usize,
        /// The sum that was sent, read as X.25.
        sent: u16,
        /// The X.25 sum of the message.
        computed: u16,
    },
}

impl<'a> Message<'a> {
    /// The octet that begins a message: a list of six.
    pub const FIRST: u8 = 0x76;

    /// Reads the head of the next message, up to its body; `None` where only fill is left, or something that does not
    /// begin like a message.
    ///
    /// # Errors
    /// A [`Fault`] where the head breaks off or has other fields than that of a message.
    pub fn open(reader: &mut Reader<'a>) -> Result<Option<Self>, Fault> {
        reader.skip_fill();
        let start = reader.position();
        if reader.peek() != Some(Self::FIRST) {
            return Ok(None);
        }
        reader.read()?;
        let transaction = reader.read_whole()?.octets().unwrap_or_default();
        // Group number and what to do on an error: nothing follows from them for a listener.
        reader.skip_many(2)?;
        let at = reader.position();
        if reader.read()? != Element::List(2) {
            return Err(Fault { at, what: "not a message body" });
        }
        let Some(id) = reader.read_whole()?.bits() else {
            return Err(Fault { at, what: "a message body without a number" });
        };
        Ok(Some(Self { start, transaction, id }))
    }

    /// Reads what follows the body and compares the checksum.
    ///
    /// # Errors
    /// A [`Fault`] where the message does not end here.
    pub fn close(self, reader: &mut Reader<'a>) -> Result<Check, Fault> {
        let covered = reader.since(self.start);
        let at = reader.position();
        let Element::Unsigned(sent) = reader.read()? else {
            return Err(Fault { at, what: "a message without a checksum" });
        };
        let end = reader.position();
        // The last message's end may have been counted among the fill octets.
        if reader.remaining() > 0 && reader.read()? != Element::End {
            return Err(Fault { at: end, what: "a message without an end" });
        }
        Ok(check(covered, sent).unwrap_or_else(|(sent, computed)| Check::Bad { at, sent, computed }))
    }
}

/// Compares a message with the checksum as sent, or gives the sum that was sent and the one that would fit.
pub(super) fn check(covered: &[u8], sent: &[u8]) -> Result<Check, (u16, u16)> {
    let (x25, kermit) = match *sent {
        [low, high] => (u16::from_le_bytes([low, high]), u16::from_be_bytes([low, high])),
        // An octet 00 in front may be left out like that of any unsigned number.
        [last] => (u16::from_le_bytes([0, last]), u16::from(last)),
        _ => return Err((0, crc::x25(covered))),
    };
    let computed = crc::x25(covered);
    if computed == x25 || sent.len() == 1 && computed == x25.swap_bytes() {
        return Ok(Check::Good(Checksum::X25));
    }
    // Holley meters sign messages with CRC-16/Kermit. Tried second, so that a good X.25 sum is never doubted.
    if crc::kermit(covered) == kermit {
        return Ok(Check::Good(Checksum::Kermit));
    }
    Err((x25, computed))
}

/// A time: one of three, none of which a meter has to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Seconds of operation. Not a clock.
    SecIndex(u64),
    /// Seconds since 1970, UTC.
    Unix(u32),
    /// Seconds since 1970, UTC, and the offsets of zone and season.
    Local {
        /// Seconds since 1970, UTC.
        unix: u32,
        /// Minutes ahead of UTC in normal time.
        zone: i16,
        /// Minutes that summer time adds.
        season: i16,
    },
}

/// Reads a time field; what is none of the known choices is passed over.
///
/// # Errors
/// A [`Fault`] of one of its fields.
#[inline(always)]
pub fn time(reader: &mut Reader<'_>) -> Result<Option<Time>, Fault> {
    if reader.absent() {
        return Ok(None);
    }
    let elements = match reader.read()? {
        // Holley DTZ541 leave the choice out: a bare number is the seconds of operation.
        number @ (Element::Unsigned(_) | Element::Integer(_)) => return Ok(number.bits().map(Time::SecIndex)),
        Element::List(elements) => elements,
        _ => return Ok(None),
    };
    // FROETEC Multiflex send three elements without a choice, of which nothing is known.
    if elements != 2 {
        reader.skip_many(elements)?;
        return Ok(None);
    }
    let choice = reader.read_whole()?.bits();
    let value = reader.read()?;
    Ok(match (choice, value) {
        (Some(1), number) if number.bits().is_some() => number.bits().map(Time::SecIndex),
        (Some(2), Element::Unsigned(_)) => number_as(value).map(Time::Unix),
        (Some(3), Element::List(3)) => {
            let unix = number_as(reader.read_whole()?);
            let zone = number_as(reader.read_whole()?);
            let season = number_as(reader.read_whole()?);
            match (unix, zone, season) {
                (Some(unix), Some(zone), Some(season)) => Some(Time::Local { unix, zone, season }),
                _ => None,
            }
        }
        (_, Element::List(elements)) => {
            reader.skip_many(elements)?;
            None
        }
        _ => None,
    })
}

fn number_as<T: TryFrom<i64>>(element: Element<'_>) -> Option<T> {
    element.number().and_then(|number| T::try_from(number).ok())
}

/// The server id in the body of the response that opens a file.
///
/// # Errors
/// A [`Fault`] of one of its fields.
pub fn server_id<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, Fault> {
    let Element::List(elements) = reader.read()? else { return Ok(None) };
    let mut id = None;
    for index in 0..elements {
        let element = reader.read_whole()?;
        if index == 3 {
            id = element.octets();
        }
    }
    Ok(id)
}

/// What a list response says besides its entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GetList<'a> {
    /// The meter.
    pub server_id: Option<&'a [u8]>,
    /// Which list it is, as an OBIS code.
    pub list_name: Option<&'a [u8]>,
    /// The meter's time.
    pub sensor_time: Option<Time>,
    /// The time of a gateway in between.
    pub gateway_time: Option<Time>,
}

/// One entry of the list of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The OBIS code: six octets.
    pub name: &'a [u8],
    /// The status word.
    pub status: Option<u64>,
    /// The time the value belongs to.
    pub time: Option<Time>,
    /// The number of the unit in the DLMS table.
    pub unit: Option<u8>,
    /// The power of ten of the value; absent is 0.
    pub scaler: i8,
    /// The value. Of a list the head; [`Entry::elements`] holds the rest.
    pub value: Element<'a>,
    /// The elements of a value that is a list.
    pub elements: &'a [u8],
}

/// Reads the body of a list response. Each entry goes to `entry`, with what stands before the entries and their number.
///
/// # Errors
/// A [`Fault`] where the structure breaks; entries before it have been handed over.
pub fn get_list<'a>(
    reader: &mut Reader<'a>,
    mut entry: impl FnMut(&GetList<'a>, usize, &Entry<'a>),
) -> Result<GetList<'a>, Fault> {
    let mut list = GetList::default();
    let fields = match reader.read()? {
        Element::List(fields) => fields,
        _ => 0,
    };
    for field in 0..fields {
        match field {
            1 => list.server_id = reader.read_whole()?.octets(),
            2 => list.list_name = reader.read_whole()?.octets(),
            3 => list.sensor_time = time(reader)?,
            4 => {
                if let Element::List(entries) = reader.read()? {
                    for _ in 0..entries {
                        read_entry(reader, |found| entry(&list, entries, found))?;
                    }
                }
            }
            6 => list.gateway_time = time(reader)?,
            _ => reader.skip()?,
        }
    }
    Ok(list)
}

/// Reads a list entry and hands it over, unless it is absent.
#[inline(always)]
fn read_entry<'a>(reader: &mut Reader<'a>, mut entry: impl FnMut(&Entry<'a>)) -> Result<(), Fault> {
    let at = reader.position();
    let Element::List(fields) = reader.read()? else { return Ok(()) };
    if fields < 6 {
        return Err(Fault { at, what: "a list entry without a value" });
    }
    let name = reader.read_whole()?.octets().unwrap_or_default();
    let status = if reader.absent() { None } else { reader.read_whole()?.bits() };
    let time = time(reader)?;
    let unit = if reader.absent() { None } else { reader.read_whole()?.bits() };
    let scaler = scaler(reader)?;
    let value = reader.read()?;
    let start = reader.position();
    match value {
        Element::List(elements) => reader.skip_many(elements)?,
        Element::End => return Err(Fault { at: start, what: "the message ends inside a list" }),
        _ => {}
    }
    let elements = reader.since(start);
    reader.skip_many(fields - 6)?;
    let unit = unit.and_then(|unit| u8::try_from(unit).ok());
    entry(&Entry { name, status, time, unit, scaler, value, elements });
    Ok(())
}

/// Reads a scaler. An absent one is 0, but one that is no power of ten must not pass for it.
#[inline]
fn scaler(reader: &mut Reader<'_>) -> Result<i8, Fault> {
    if reader.absent() {
        return Ok(0);
    }
    let at = reader.position();
    match reader.read_whole()? {
        // Type or sign of the one octet do not matter: no meter scales by more than 10^127.
        Element::Integer(&[octet]) | Element::Unsigned(&[octet]) => Ok(i8::from_ne_bytes([octet])),
        element => number_as(element).ok_or(Fault { at, what: "a scaler that is no power of ten" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sml::encode::{self, hex};
    use proptest::prelude::*;

    fn read_time(field: &str) -> Option<Time> {
        let field = hex(&format!("{field} 62 07"));
        let mut reader = Reader::new(&field);
        let time = time(&mut reader).unwrap();
        assert_eq!(reader.read().unwrap().number(), Some(7), "the field behind the time");
        time
    }

    #[test]
    fn a_time_is_a_choice_or_a_quirk() {
        assert_eq!(read_time("01"), None);
        assert_eq!(read_time("72 62 01 65 00 01 E2 40"), Some(Time::SecIndex(123_456)));
        assert_eq!(read_time("72 62 02 65 5F 5E 10 00"), Some(Time::Unix(1_600_000_000)));
        let local = Time::Local { unix: 1_600_000_000, zone: 60, season: 60 };
        assert_eq!(read_time("72 62 03 73 65 5F 5E 10 00 53 00 3C 53 00 3C"), Some(local));
        // Holley DTZ541: no choice.
        assert_eq!(read_time("65 01 6C 54 B0"), Some(Time::SecIndex(23_876_784)));
        // FROETEC Multiflex: three elements, no choice.
        assert_eq!(read_time("73 65 00 01 E2 40 53 00 3C 53 00 00"), None);
        assert_eq!(read_time("72 62 09 72 01 01"), None);
        assert_eq!(read_time("72 62 02 01"), None);
        assert_eq!(read_time("70"), None);
    }

    #[test]
    fn body_numbers_are_compared_as_numbers() {
        for id in ["62 05", "63 00 05", "65 00 00 00 05", "64 00 00 05"] {
            let message = encode::message_of(id, "01");
            let mut reader = Reader::new(&message);
            assert_eq!(Message::open(&mut reader).unwrap().unwrap().id, 5, "{id}");
        }
    }

    #[test]
    fn the_checksum_of_a_message_may_be_short_or_kermit() {
        let covered = b"123456789";
        assert_eq!(check(covered, &[0x6E, 0x90]), Ok(Check::Good(Checksum::X25)));
        assert_eq!(check(covered, &[0x21, 0x89]), Ok(Check::Good(Checksum::Kermit)));
        assert_eq!(check(covered, &[0x90, 0x6E]), Err((0x6E90, 0x906E)));
        assert_eq!(check(covered, &[0x90]), Err((0x9000, 0x906E)));
        assert_eq!(check(covered, &[0, 0, 0x6E, 0x90]), Err((0, 0x906E)));
        // Sums whose low octet is 00, found by counting up.
        let short = (0..=u16::MAX).map(u16::to_be_bytes).find(|bytes| crc::x25(bytes) & 0xFF == 0).unwrap();
        let [_, high] = crc::x25(&short).to_le_bytes();
        assert_eq!(check(&short, &[high]), Ok(Check::Good(Checksum::X25)));
    }

    #[test]
    fn the_example_has_three_messages_and_two_entries() {
        let example = encode::example();
        let mut reader = Reader::new(&example[8..example.len() - 9]);
        let open = Message::open(&mut reader).unwrap().unwrap();
        let id = server_id(&mut reader).unwrap();
        assert_eq!((open.id, id), (OPEN, Some(&hex("0A014C475A00000004D2")[..])));
        assert_eq!(open.close(&mut reader), Ok(Check::Good(Checksum::X25)));

        let list = Message::open(&mut reader).unwrap().unwrap();
        assert_eq!((list.id, list.transaction), (GET_LIST, &[0, 0, 0, 2][..]));
        let mut entries = Vec::new();
        let said = get_list(&mut reader, |_, count, entry| entries.push((count, *entry))).unwrap();
        assert_eq!(said.sensor_time, Some(Time::SecIndex(123_456)));
        assert_eq!(list.close(&mut reader), Ok(Check::Good(Checksum::X25)));
        let (count, energy) = entries[0];
        assert_eq!((count, energy.status, energy.unit, energy.scaler), (2, Some(0x82), Some(30), -1));
        assert_eq!(energy.value, Element::Unsigned(&[0x00, 0xBC, 0x61, 0x4E]));
        assert_eq!(entries[1].1.value, Element::Integer(&[0xFF, 0x38]));

        let close = Message::open(&mut reader).unwrap().unwrap();
        reader.skip().unwrap();
        assert_eq!((close.id, close.close(&mut reader)), (0x0201, Ok(Check::Good(Checksum::X25))));
        assert_eq!(Message::open(&mut reader), Ok(None));
    }

    #[test]
    fn an_absent_scaler_is_0_and_a_strange_one_a_fault() {
        let read = |field: &str| scaler(&mut Reader::new(&hex(field)));
        assert_eq!(read("01"), Ok(0));
        assert_eq!(read("52 FF"), Ok(-1));
        assert_eq!(read("53 FF FF"), Ok(-1));
        assert_eq!(read("62 FF"), Ok(-1));
        assert!(read("53 01 00").is_err());
        assert!(read("42 01").is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes: Vec<u8>, id in prop_oneof![Just(OPEN), Just(GET_LIST)]) {
            let mut reader = Reader::new(&bytes);
            let _ = match id {
                OPEN => server_id(&mut reader).map(|_| ()),
                _ => get_list(&mut reader, |_, _, _| {}).map(|_| ()),
            };
            let _ = Message::open(&mut Reader::new(&bytes));
        }
    }
}
