//! Registers that hold counts, bits and messages, in whatever form a meter sends them.

use crate::reading::{Register, Value};
use smol_str::{SmolStr, format_smolstr};

/// A count, sent as a number or as digits.
pub(super) fn count_of(register: &Register) -> Option<i64> {
    match &register.value {
        Value::Number(number) if number.exponent() == 0 => Some(number.mantissa()),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A register of bits: a number, hexadecimal digits, or octets.
pub(super) fn bits_of(register: &Register) -> Option<u64> {
    match &register.value {
        Value::Number(number) if number.exponent() == 0 => u64::try_from(number.mantissa()).ok(),
        Value::Text(text) => u64::from_str_radix(text.trim(), 16).ok(),
        Value::Octets(octets) if octets.len() <= 8 => {
            Some(octets.iter().fold(0, |bits, octet| bits << 8 | u64::from(*octet)))
        }
        _ => None,
    }
}

/// The same as digits.
pub(super) fn hex_of(register: &Register) -> Option<SmolStr> {
    match &register.value {
        Value::Text(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit()) => Some(text.clone()),
        Value::Number(_) => {
            register.sent_text().or_else(|| bits_of(register).map(|bits| format_smolstr!("{bits:08X}")))
        }
        Value::Octets(octets) => Some(octets.iter().map(|octet| format!("{octet:02X}")).collect::<String>().into()),
        _ => None,
    }
}

/// The text of a message that was sent as hexadecimal digits, as P1 does.
pub(super) fn hex_text(digits: &str) -> Option<SmolStr> {
    if digits.is_empty() || digits.len() % 2 == 1 {
        return None;
    }
    let octets = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    let octets = octets.collect::<Option<Vec<u8>>>()?;
    String::from_utf8(octets).ok().filter(|text| !text.chars().any(char::is_control)).map(SmolStr::from)
}
