//! What came over a line, in short: enough to say what is wrong when no reading comes of it.

use crate::reading::Anomaly;
use std::time::Duration;

/// Bytes that are kept to be looked at.
const SAMPLE: usize = 256;

/// Bytes at the end that are kept to be looked at.
const TAIL: usize = 32;

/// Faults that are kept to be named.
const MAX_FAULTS: usize = 8;

/// What was heard during one attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// How many bytes came.
    pub bytes: u64,
    /// The first of them.
    pub sample: Vec<u8>,
    /// The last of them.
    pub tail: Vec<u8>,
    /// The longest stretch without a pause: how long a telegram is on the line, whatever its speed.
    pub burst: Duration,
    /// How many telegrams were sound.
    pub readings: usize,
    /// What was wrong with the others; the first few.
    pub faults: Vec<Anomaly>,
}

/// What bytes that are no telegram look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// There are none.
    Nothing,
    /// Sounds of life of an M-Bus or HDLC line, but no message: short frames, lone flags.
    Idle,
    /// Printable text, in 7 bits or with even parity.
    Text,
    /// Anything else.
    Noise,
}

impl Heard {
    /// Notes bytes that came.
    pub fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        let room = SAMPLE - self.sample.len().min(SAMPLE);
        self.sample.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
    }

    /// Keeps the beginning of `bytes`, which have been counted already.
    pub(super) fn sample_of(&mut self, bytes: &[u8]) {
        self.sample = bytes.iter().copied().take(SAMPLE).collect();
    }

    /// Notes a telegram that did not check.
    pub fn fault(&mut self, fault: Anomaly) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
    }

    /// Whether what came may be part of a telegram, received with the right settings: it has the marks of one, at its
    /// beginning or, where a stream was joined in the middle, at its end.
    #[must_use]
    pub fn is_promising(&self) -> bool {
        const MARKS: [&[u8]; 4] = [&[0x1B; 4], &[0x7E, 0xA0], &[0x7E, 0xA1], &[0xE6, 0xE7, 0x00]];
        let holds = |mark: &[u8]| self.sample.windows(mark.len()).any(|window| window == mark);
        let ends =
            self.tail.ends_with(&[0x7E]) || self.tail.windows(5).any(|end| end == [0x1B, 0x1B, 0x1B, 0x1B, 0x1A]);
        !self.faults.is_empty()
            || matches!(self.look(), Look::Text | Look::Idle)
            || ends
            || MARKS.into_iter().any(holds)
    }

    /// What the bytes look like.
    #[must_use]
    pub fn look(&self) -> Look {
        look(&self.sample)
    }
}

fn look(bytes: &[u8]) -> Look {
    if bytes.is_empty() {
        return Look::Nothing;
    }
    if is_idle(bytes) {
        return Look::Idle;
    }
    let plain = |byte: &u8| matches!(byte & 0x7F, 0x20..=0x7E | b'\r' | b'\n' | 0x02 | 0x03 | 0x06);
    let even = bytes.iter().all(|byte| byte.count_ones() % 2 == 0);
    let seven = bytes.iter().all(u8::is_ascii);
    let is_plain = bytes.iter().filter(|byte| plain(byte)).count() * 20 / bytes.len() >= 19;
    // A few bytes of noise may happen to be letters; lines of text end.
    let has_lines = bytes.iter().any(|byte| matches!(byte & 0x7F, b'\r' | b'\n'));
    if (even || seven) && is_plain && has_lines { Look::Text } else { Look::Noise }
}

/// Only M-Bus short frames (`10 C A checksum 16`, EN 13757-2), their acknowledgements `E5`, and HDLC flags; enough of them
/// that chance does not make them.
fn is_idle(mut bytes: &[u8]) -> bool {
    const ENOUGH: usize = 5;
    if bytes.len() < ENOUGH {
        return false;
    }
    loop {
        bytes = match bytes {
            [] => return true,
            [0x7E | 0xE5, rest @ ..] => rest,
            [0x10, c, a, sum, 0x16, rest @ ..] if c.wrapping_add(*a) == *sum => rest,
            _ => return false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_known_by_their_looks() {
        let parity: Vec<u8> = b"/LGZ4ZMF\r\n".iter().map(|b| b | (u8::from(b.count_ones() % 2 == 1) << 7)).collect();
        for (bytes, expected) in [
            (&b""[..], Look::Nothing),
            (b"$GPGGA,123519,4807.038,N\r\n", Look::Text),
            (&parity, Look::Text),
            (b"Qu{zk", Look::Noise),
            (&[0x10, 0x40, 0x01, 0x41, 0x16, 0x7E, 0xE5], Look::Idle),
            (&[0x10, 0x40, 0x01, 0x42, 0x16], Look::Noise),
            (&[0, 0x80, 0xF8, 0, 0xC0, 0x12], Look::Noise),
        ] {
            assert_eq!(look(bytes), expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn a_telegram_joined_in_its_middle_is_known_by_its_end() {
        let heard = |bytes: &[u8]| {
            let mut heard = Heard::default();
            heard.take(&bytes[..5]);
            heard.take(&bytes[5..]);
            heard
        };
        assert!(heard(&[0x9C, 0x01, 0x80, 0xFE, 0, 0x1B, 0x1B, 0x1B, 0x1B, 0x1A, 1, 0x3C, 0xD2]).is_promising());
        assert!(heard(&[0x9C, 0x01, 0x80, 0xFE, 0, 0x11, 0x7E]).is_promising());
        assert!(heard(b"4.217*kWh)\r\n!\r\n").is_promising());
        assert!(!heard(&[0x9C, 0x01, 0x80, 0xFE, 0, 0x11, 0x80]).is_promising());
    }

    #[test]
    fn of_endless_noise_only_the_beginning_is_kept() {
        let mut heard = Heard::default();
        for _ in 0..1000 {
            heard.take(&[7; 1000]);
        }
        assert_eq!((heard.bytes, heard.sample.len(), heard.tail.len()), (1_000_000, SAMPLE, TAIL));
    }
}
