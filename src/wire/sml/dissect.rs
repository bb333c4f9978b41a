//! Names every byte of an SML file.

use super::parse::{self, Check, Message};
use super::tlv::{Element, Reader};
use super::{Checksum, File};
use crate::reading::{Decimal, Obis, Unit};
use crate::wire::crc;
use crate::wire::dissect::{Dissection, hex};
use std::ops::Range;

/// Names every byte of a file that [`cut`](super::cut) found at the start of `bytes`; `base` is its place in the input.
pub fn dissect(bytes: &[u8], file: &File, base: usize, out: &mut Dissection) {
    let at = |range: Range<usize>| base + range.start.min(bytes.len())..base + range.end.min(bytes.len());
    let field = |out: &mut Dissection, range: Range<usize>, depth, meaning: String| {
        let range = at(range);
        if !range.is_empty() {
            out.field(range, depth, meaning);
        }
    };
    field(out, 0..4, 0, "escape".into());
    field(out, 4..8, 0, "start of a file, transport version 1".into());
    let payload = file.payload(bytes);
    Walk {
        payload: &payload,
        reader: Reader::new(&payload),
        place: &|range: Range<usize>| at(file.position(bytes, range.start)..file.position(bytes, range.end)),
        out,
        lists: Vec::new(),
        message: Known::default(),
    }
    .messages();
    let mut end = file.payload.end.min(bytes.len());
    field(out, end..end + file.fill, 0, "fill".into());
    end += file.fill;
    field(out, end..end + 4, 0, "escape".into());
    field(out, end + 4..end + 5, 0, "end of the file".into());
    field(out, end + 5..end + 6, 0, format!("fill octets: {}", file.fill));
    let covered = bytes.get(..end + 6).unwrap_or(bytes);
    let sum = match file.checksum {
        Checksum::X25 => format!("CRC-16/X.25 {:04X}, low octet first: fits", crc::x25(covered)),
        Checksum::Kermit => format!("CRC-16/Kermit {:04X}, high octet first: fits", crc::kermit(covered)),
    };
    field(out, end + 6..end + 8, 0, sum);
    field(out, end + 8..bytes.len(), 0, "not part of the file".into());
}

/// What the elements of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Message,
    Body,
    Open,
    Close,
    GetList,
    Values,
    Entry,
    Time,
    LocalTime,
    Other,
}

/// A list whose elements are being read.
struct List {
    role: Role,
    count: usize,
    index: usize,
}

/// What the fields so far said that later ones need.
#[derive(Default)]
struct Known {
    start: usize,
    id: u64,
    unit: Option<Unit>,
    scaler: i8,
}

/// A pass over the payload.
struct Walk<'a, 'o> {
    payload: &'a [u8],
    reader: Reader<'a>,
    place: &'o dyn Fn(Range<usize>) -> Range<usize>,
    out: &'o mut Dissection,
    lists: Vec<List>,
    message: Known,
}

impl Walk<'_, '_> {
    fn messages(&mut self) {
        loop {
            let start = self.reader.position();
            if self.lists.is_empty() {
                self.reader.skip_fill();
                self.field(start..self.reader.position(), 0, "fill".into());
                if self.reader.peek() != Some(Message::FIRST) {
                    return self.rest("not a message");
                }
            }
            if self.reader.remaining() == 0 && self.ends_in_fill() {
                return;
            }
            if let Err(what) = self.element() {
                return self.rest(what);
            }
        }
    }

    /// Whether only the end of the last message is missing: it may have been counted among the fill octets.
    fn ends_in_fill(&self) -> bool {
        matches!(&self.lists[..], [List { role: Role::Message, index: 5, .. }])
    }

    /// Names the next field.
    fn element(&mut self) -> Result<(), &'static str> {
        let start = self.reader.position();
        let mut ahead = self.reader;
        let element = ahead.read().map_err(|fault| fault.what)?;
        let depth = self.lists.len();
        let (role, index) = match self.lists.last_mut() {
            Some(list) => {
                list.index += 1;
                (Some(list.role), list.index - 1)
            }
            None => (None, 0),
        };
        let end_expected = (role, index) == (Some(Role::Message), 5);
        if (element == Element::End) != end_expected {
            return Err(if end_expected { "a message without an end" } else { "the message ends inside a list" });
        }
        self.reader = ahead;
        let range = start..ahead.position();
        if role.is_none() {
            self.message = Known { start, ..Known::default() };
        }
        let sum = match (role, index, element) {
            (Some(Role::Message), 4, Element::Unsigned(sent)) => {
                Some(parse::check(self.payload.get(self.message.start..start).unwrap_or_default(), sent))
            }
            _ => None,
        };
        match sum {
            Some(Ok(Check::Good(Checksum::Kermit))) => self.field(range, depth, "message CRC-16/Kermit: fits".into()),
            Some(Ok(_)) => self.field(range, depth, "message CRC-16/X.25: fits".into()),
            Some(Err((sent, computed))) => {
                let place = (self.place)(range);
                self.out.wrong(place, depth, format!("message CRC {sent:04X}, but {computed:04X} computed"));
            }
            None => {
                let meaning = self.meaning(role, index, element);
                self.field(range, depth, meaning);
            }
        }
        if let Element::List(count) = element {
            let role = self.inner(role, index, count);
            self.lists.push(List { role, count, index: 0 });
        }
        while self.lists.last().is_some_and(|list| list.index >= list.count) {
            self.lists.pop();
        }
        Ok(())
    }

    fn field(&mut self, range: Range<usize>, depth: usize, meaning: String) {
        let place = (self.place)(range);
        if !place.is_empty() {
            self.out.field(place, depth, meaning);
        }
    }

    /// Names what is left as a whole.
    fn rest(&mut self, what: &str) {
        let start = self.reader.position();
        let rest = self.payload.get(start..).unwrap_or_default();
        let place = (self.place)(start..self.payload.len());
        if !place.is_empty() {
            self.out.wrong(place, self.lists.len(), format!("{what}: {}", hex(rest)));
        }
    }

    /// What the elements of the list are that stands as element `index` of another one.
    fn inner(&self, role: Option<Role>, index: usize, count: usize) -> Role {
        match (role, index) {
            (None, _) => Role::Message,
            (Some(Role::Message), 3) => Role::Body,
            (Some(Role::Body), 1) => match self.message.id {
                parse::OPEN => Role::Open,
                parse::GET_LIST => Role::GetList,
                0x0201 => Role::Close,
                _ => Role::Other,
            },
            (Some(Role::GetList), 4) => Role::Values,
            (Some(Role::Values), _) => Role::Entry,
            (Some(Role::GetList), 3 | 6) | (Some(Role::Open), 4) | (Some(Role::Entry), 2) if count == 2 => Role::Time,
            (Some(Role::Time), 1) if count == 3 => Role::LocalTime,
            _ => Role::Other,
        }
    }

    fn meaning(&mut self, role: Option<Role>, index: usize, element: Element<'_>) -> String {
        let Some(role) = role else { return "message".into() };
        if role == Role::Entry && index == 0 {
            (self.message.unit, self.message.scaler) = (None, 0);
        }
        let name = name(role, index);
        match (role, index, element) {
            (Role::Values, ..) => format!("entry {}", index + 1),
            (Role::Body, 0, id) if id.bits().is_some() => {
                self.message.id = id.bits().unwrap_or_default();
                format!("{name} {:04X}, {}", self.message.id, body_name(self.message.id))
            }
            (Role::Time, 0, choice) if choice.bits().is_some() => match choice.bits() {
                Some(1) => "choice 1, seconds of operation".into(),
                Some(2) => "choice 2, UNIX time".into(),
                Some(3) => "choice 3, UNIX time with offsets".into(),
                _ => format!("choice {}, unknown", plain(choice)),
            },
            (Role::Entry, 0, Element::Octets(octets)) | (Role::GetList, 2, Element::Octets(octets)) => {
                let code = <[u8; 6]>::try_from(octets).map(Obis::from_octets);
                code.map_or_else(|_| format!("{name} {}", plain(element)), |code| format!("{name} {code}"))
            }
            (Role::Entry, 1, status) if status.bits().is_some() => {
                format!("{name} {:X}", status.bits().unwrap_or_default())
            }
            (Role::Entry, 3, unit) if unit.bits().is_some() => {
                self.message.unit = unit.bits().and_then(|unit| u8::try_from(unit).ok()).and_then(Unit::from_dlms);
                let symbol = self.message.unit.map_or("not in the table".into(), Unit::symbol);
                format!("{name} {}, {symbol}", plain(unit))
            }
            (Role::Entry, 4, Element::Integer(&[scaler]) | Element::Unsigned(&[scaler])) => {
                self.message.scaler = i8::from_ne_bytes([scaler]);
                format!("{name} {}", self.message.scaler)
            }
            (Role::Entry, 5, value) => match (value.number(), self.message.unit) {
                (Some(number), Some(unit)) => format!("{name} {} {unit}", Decimal::new(number, self.message.scaler)),
                (Some(number), None) => format!("{name} {}", Decimal::new(number, self.message.scaler)),
                _ => format!("{name} {}", plain(value)),
            },
            (Role::Message, 5, _) => name.into(),
            _ => format!("{name} {}", plain(element)),
        }
    }
}

/// The names of the elements of a list.
fn name(role: Role, index: usize) -> &'static str {
    let names: &[&'static str] = match role {
        Role::Message => &["transaction", "group", "on an error", "body", "message CRC", "end of message"],
        Role::Body => &["body number", "content"],
        Role::Open => &["code page", "client id", "request file id", "server id", "reference time", "SML version"],
        Role::Close => &["signature"],
        Role::GetList => {
            &["client id", "server id", "list name", "sensor time", "values", "list signature", "gateway time"]
        }
        Role::Entry => &["OBIS code", "status", "value time", "unit", "scaler", "value", "signature"],
        Role::Time => &["choice", "time"],
        Role::LocalTime => &["UNIX time", "zone offset in minutes", "season offset in minutes"],
        Role::Values | Role::Other => &[],
    };
    names.get(index).copied().unwrap_or("element")
}

fn body_name(id: u64) -> &'static str {
    match id {
        0x0100 => "open request",
        0x0101 => "open response",
        0x0200 => "close request",
        0x0201 => "close response",
        0x0300 | 0x0400 => "profile request",
        0x0301 | 0x0401 => "profile response",
        0x0500 | 0x0600 => "parameter request",
        0x0501 => "parameter response",
        0x0700 => "list request",
        0x0701 => "list response",
        0x0800 | 0x0900 | 0x0A00 => "COSEM request",
        0x0801 | 0x0901 | 0x0A01 => "COSEM response",
        0xFF01 => "attention",
        _ => "unknown",
    }
}

/// An element without knowing what it stands for.
fn plain(element: Element<'_>) -> String {
    match element {
        Element::Octets([]) => "absent".into(),
        Element::Octets(octets) if octets.iter().all(|octet| (0x20..0x7F).contains(octet)) => {
            format!("{} '{}'", hex(octets), String::from_utf8_lossy(octets))
        }
        Element::Octets(octets) => hex(octets),
        Element::Bool(flag) => (*flag != 0).to_string(),
        Element::Integer(octets) | Element::Unsigned(octets) => {
            element.number().map_or_else(|| hex(octets), |number| number.to_string())
        }
        Element::List(count) => format!("(list of {count})"),
        Element::End => "end".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Cut;
    use crate::wire::sml::{cut, encode};
    use proptest::prelude::*;

    fn dissected(bytes: &[u8]) -> Dissection {
        let Cut::Whole { value, len } = cut(bytes, true) else { panic!("no file") };
        let mut out = Dissection::default();
        dissect(&bytes[..len], &value, 100, &mut out);
        assert_covered(&out, 100, 100 + len);
        out
    }

    /// Fields with bytes follow each other without a gap.
    fn assert_covered(out: &Dissection, start: usize, end: usize) {
        let reached = out.fields.iter().filter(|field| !field.bytes.is_empty()).fold(start, |at, field| {
            assert_eq!(field.bytes.start, at, "{field:?}");
            field.bytes.end
        });
        assert_eq!(reached, end);
    }

    fn meanings(out: &Dissection) -> Vec<&str> {
        out.fields.iter().map(|field| field.meaning.as_str()).collect()
    }

    #[test]
    fn the_example_is_named_to_the_last_byte() {
        let out = dissected(&encode::example());
        assert!(out.fields.iter().all(|field| !field.wrong));
        let text = meanings(&out);
        for expected in [
            "body number 0101, open response",
            "server id 0a014c475a00000004d2",
            "list name 1-0:98.10.255*255",
            "choice 1, seconds of operation",
            "values (list of 2)",
            "entry 2",
            "OBIS code 1-0:1.8.0*255",
            "status 82",
            "unit 30, Wh",
            "value 1234567.8 Wh",
            "value -200 W",
            "message CRC-16/X.25: fits",
            "fill octets: 1",
            "CRC-16/X.25 7806, low octet first: fits",
        ] {
            assert!(text.contains(&expected), "{expected} is not in {text:#?}");
        }
        let value = out.fields.iter().find(|field| field.meaning == "value -200 W").unwrap();
        assert_eq!(value.depth, 5);
    }

    #[test]
    fn a_wrong_message_checksum_and_broken_fields_are_marked() {
        let mut payload = encode::message_of("63 02 01", "71 01");
        let crc = payload.len() - 3;
        payload[crc] ^= 1;
        let out = dissected(&encode::file(&payload));
        let wrong: Vec<_> = out.fields.iter().filter(|field| field.wrong).collect();
        assert!(matches!(&wrong[..], [field] if field.meaning.starts_with("message CRC ")), "{wrong:?}");
        let out = dissected(&encode::file(&[0x76, 0x05, 1]));
        assert!(out.fields.iter().any(|field| field.wrong && field.meaning == "a field is cut off: 0501"), "{out:?}");
        let out = dissected(&encode::file(&[0x42, 0x43]));
        assert!(meanings(&out).contains(&"not a message: 4243"));
    }

    #[test]
    fn doubled_escapes_are_covered() {
        let file = encode::list_of(&["77 07 0100010800FF 01 01 62 1E 52 00 65 1B 1B 1B 1B 01"]);
        let out = dissected(&file);
        let value = out.fields.iter().find(|field| field.meaning == "value 454761243 Wh").unwrap();
        assert_eq!(value.bytes.len(), 9);
    }

    proptest! {
        #[test]
        fn every_byte_of_every_file_is_covered_once(payload: Vec<u8>, list: bool) {
            let list = if list { encode::hex("76 01 01 01 72 63 0701 77 01 01 01 01") } else { Vec::new() };
            dissected(&encode::file(&[list, payload].concat()));
        }

        #[test]
        fn a_file_that_is_not_of_these_bytes_does_no_harm(
            bytes: Vec<u8>, start in 0usize..50, len in 0usize..50, fill in 0usize..9, stuffed: bool
        ) {
            let file = File { payload: start..start + len, fill, stuffed, checksum: Checksum::Kermit };
            dissect(&bytes, &file, 7, &mut Dissection::default());
        }
    }
}
