//! Writing SML: type-length fields, messages and files. And, for tests, the example of our notes.

use crate::wire::crc;

/// An optional field that is absent, and an empty octet string: the same octet.
pub const ABSENT: u8 = 0x01;

/// Appends a type-length field in front of so many octets of content: an octet string, where `kind` is 0, an integer (5),
/// an unsigned (6). The length counts its own octets.
fn head(out: &mut Vec<u8>, kind: u8, content: usize) {
    let octets = (1..8usize).find(|&octets| content + octets < 1 << (4 * octets)).unwrap_or(8);
    let length = content + octets;
    for place in (0..octets).rev() {
        let nibble = u8::try_from(length >> (4 * place) & 0x0F).unwrap_or(0);
        let more = if place == 0 { 0 } else { 0x80 };
        let kind = if place == octets - 1 { kind << 4 } else { 0 };
        out.push(more | kind | nibble);
    }
}

/// Appends an octet string.
pub fn octets(out: &mut Vec<u8>, content: &[u8]) {
    head(out, 0, content.len());
    out.extend_from_slice(content);
}

/// Appends an unsigned number in the octets it has been given as, big-endian: meters do not shorten them all.
pub fn unsigned(out: &mut Vec<u8>, content: &[u8]) {
    head(out, 6, content.len());
    out.extend_from_slice(content);
}

/// Appends a signed number, likewise.
pub fn integer(out: &mut Vec<u8>, content: &[u8]) {
    head(out, 5, content.len());
    out.extend_from_slice(content);
}

/// Appends the head of a list; its elements, up to 255, follow.
pub fn list(out: &mut Vec<u8>, elements: u8) {
    if elements < 16 {
        out.push(0x70 | elements);
    } else {
        out.extend([0xF0 | elements >> 4, elements & 0x0F]);
    }
}

/// A message: transaction and group number, the body's number (0701 for a list of values) and the body; with its checksum.
#[must_use]
pub fn message(transaction: &[u8], group: u8, id: u16, body: &[u8]) -> Vec<u8> {
    let mut message = vec![0x76];
    octets(&mut message, transaction);
    unsigned(&mut message, &[group]);
    unsigned(&mut message, &[0]);
    list(&mut message, 2);
    unsigned(&mut message, &id.to_be_bytes());
    message.extend_from_slice(body);
    let sum = crc::x25(&message).to_le_bytes();
    unsigned(&mut message, &sum);
    message.push(0);
    message
}

/// A file around a payload: filled to a multiple of four, escapes doubled, X.25.
#[must_use]
pub fn file(payload: &[u8]) -> Vec<u8> {
    let (fill, zeros): (u8, &[u8]) = match payload.len() % 4 {
        1 => (3, &[0; 3]),
        2 => (2, &[0; 2]),
        3 => (1, &[0; 1]),
        _ => (0, &[]),
    };
    wrap(&[payload, zeros].concat(), fill)
}

fn wrap(payload: &[u8], fill: u8) -> Vec<u8> {
    let mut bytes = vec![0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1];
    let mut rest = payload;
    while let Some((&first, tail)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(&[0x1B; 4]) {
            bytes.extend([0x1B; 8]);
            rest = behind;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    bytes.extend([0x1B, 0x1B, 0x1B, 0x1B, 0x1A, fill]);
    bytes.extend(crc::x25(&bytes).to_le_bytes());
    bytes
}

#[cfg(test)]
pub(crate) use examples::*;

/// Files for tests, out of hexadecimal digits.
#[cfg(test)]
mod examples {
    use super::{crc, file, wrap};

    /// A file whose payload is as long as it is.
    pub(crate) fn file_without_fill(payload: &[u8]) -> Vec<u8> {
        wrap(payload, 0)
    }

    /// A message around `id` and body as they stand on the wire, with its checksum.
    pub(crate) fn message_of(id: &str, body: &str) -> Vec<u8> {
        let mut message = hex(&format!("76 05 00 00 00 02 62 00 62 00 72 {id} {body}"));
        let sum = crc::x25(&message).to_le_bytes();
        message.extend([0x63, sum[0], sum[1], 0]);
        message
    }

    /// A list response with these entries, from meter 1 LGZ 00 00001234.
    pub(crate) fn list_of(entries: &[&str]) -> Vec<u8> {
        list_from("0B 0A 01 4C 47 5A 00 00 00 04 D2", entries)
    }

    /// A list response with these entries, from the meter with this server id.
    pub(crate) fn list_from(server: &str, entries: &[&str]) -> Vec<u8> {
        let count = u8::try_from(entries.len()).unwrap();
        let body = format!("77 01 {server} 01 01 {:02X} {} 01 01", 0x70 | count, entries.join(" "));
        file(&message_of("63 07 01", &body))
    }

    /// 1.8.0 = 1234567.8 Wh with status 82, 16.7.0 = −200 W; another implementation reads the same.
    pub(crate) fn example() -> Vec<u8> {
        hex("1B1B1B1B 01010101
            76 05 00000001 62 00 62 00 72 63 0101 76 01 01 05 00000001 0B 0A014C475A00000004D2 01 01 63 2D72 00
            76 05 00000002 62 00 62 00 72 63 0701 77 01 0B 0A014C475A00000004D2 07 0100620AFFFF 72 62 01 65 0001E240 72
              77 07 0100010800FF 62 82 01 62 1E 52 FF 65 00BC614E 01
              77 07 0100100700FF 01 01 62 1B 52 00 53 FF38 01
              01 01 63 8CD2 00
            76 05 00000003 62 00 62 00 72 63 0201 71 01 63 A8E6 00
            00 1B1B1B1B 1A 01 0678")
    }

    /// The bytes of hexadecimal digits; blanks do not count.
    pub(crate) fn hex(digits: &str) -> Vec<u8> {
        let digits: Vec<u8> = digits.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_their_own_octets() {
        for (content, expected) in [(0, vec![0x01]), (14, vec![0x0F]), (15, vec![0x81, 0x01]), (48, vec![0x83, 0x02])] {
            let mut out = Vec::new();
            octets(&mut out, &vec![0x55; content]);
            assert_eq!(out[..out.len() - content], expected, "{content}");
        }
        let mut out = Vec::new();
        list(&mut out, 20);
        assert_eq!(out, [0xF1, 0x04]);
    }

    #[test]
    fn the_example_of_our_notes_comes_out_to_the_octet() {
        let server = [0x0A, 0x01, 0x4C, 0x47, 0x5A, 0, 0, 0, 0x04, 0xD2];
        let open = hex("76 01 01 05 00000001 0B 0A014C475A00000004D2 01 01");
        let values = hex("77 01 0B 0A014C475A00000004D2 07 0100620AFFFF 72 62 01 65 0001E240 72
            77 07 0100010800FF 62 82 01 62 1E 52 FF 65 00BC614E 01
            77 07 0100100700FF 01 01 62 1B 52 00 53 FF38 01 01 01");
        let payload = [
            message(&[0, 0, 0, 1], 0, 0x0101, &open),
            message(&[0, 0, 0, 2], 0, 0x0701, &values),
            message(&[0, 0, 0, 3], 0, 0x0201, &[0x71, ABSENT]),
        ]
        .concat();
        assert_eq!(file(&payload), example());
        let mut field = Vec::new();
        octets(&mut field, &server);
        assert_eq!(field, hex("0B 0A014C475A00000004D2"));
    }
}
