//! Files for tests: a small encoder, and the example of our notes.

use crate::wire::crc;

/// A file around a payload: filled to a multiple of four, escapes doubled, X.25.
pub(crate) fn file(payload: &[u8]) -> Vec<u8> {
    let fill = (4 - payload.len() % 4) % 4;
    wrap(&[payload, &[0; 3][..fill]].concat(), fill)
}

/// A file whose payload is as long as it is.
pub(crate) fn file_without_fill(payload: &[u8]) -> Vec<u8> {
    wrap(payload, 0)
}

fn wrap(payload: &[u8], fill: usize) -> Vec<u8> {
    let mut bytes = vec![0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1];
    let mut rest = payload;
    while let Some((&first, tail)) = rest.split_first() {
        if rest.starts_with(&[0x1B; 4]) {
            bytes.extend([0x1B; 8]);
            rest = &rest[4..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    bytes.extend([0x1B, 0x1B, 0x1B, 0x1B, 0x1A, u8::try_from(fill).unwrap()]);
    bytes.extend(crc::x25(&bytes).to_le_bytes());
    bytes
}

/// A message around `id` and body as they stand on the wire, with its checksum.
pub(crate) fn message(id: &str, body: &str) -> Vec<u8> {
    let mut message = hex(&format!("76 05 00 00 00 02 62 00 62 00 72 {id} {body}"));
    let sum = crc::x25(&message).to_le_bytes();
    message.extend([0x63, sum[0], sum[1], 0]);
    message
}

/// A list response with these entries, from meter 1 LGZ 00 00001234.
pub(crate) fn list(entries: &[&str]) -> Vec<u8> {
    list_from("0B 0A 01 4C 47 5A 00 00 00 04 D2", entries)
}

/// A list response with these entries, from the meter with this server id.
pub(crate) fn list_from(server: &str, entries: &[&str]) -> Vec<u8> {
    let count = u8::try_from(entries.len()).unwrap();
    let body = format!("77 01 {server} 01 01 {:02X} {} 01 01", 0x70 | count, entries.join(" "));
    file(&message("63 07 01", &body))
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
