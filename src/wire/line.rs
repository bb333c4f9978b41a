//! How octets stand on an asynchronous serial line: speed, data bits, parity, stop bits.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The parity bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Parity {
    /// None is sent.
    None,
    /// The ones of data and parity are even in number.
    Even,
    /// They are odd in number.
    Odd,
}

/// The settings of a line, written `9600,8N1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Line {
    /// Bits a second.
    pub baud: u32,
    /// Data bits of a character, 7 or 8.
    pub data: u8,
    /// The parity bit.
    pub parity: Parity,
    /// Stop bits, 1 or 2.
    pub stop: u8,
}

impl Line {
    /// 7 data bits, even parity: the text protocols of IEC 62056-21, clause 5.6.
    #[must_use]
    pub const fn seven_even(baud: u32) -> Self {
        Self { baud, data: 7, parity: Parity::Even, stop: 1 }
    }

    /// 8 data bits, no parity: HDLC, SML, P1 from version 4.
    #[must_use]
    pub const fn eight_none(baud: u32) -> Self {
        Self { baud, data: 8, parity: Parity::None, stop: 1 }
    }

    /// 8 data bits, even parity: M-Bus.
    #[must_use]
    pub const fn eight_even(baud: u32) -> Self {
        Self { baud, data: 8, parity: Parity::Even, stop: 1 }
    }

    /// Bits that one character takes, start and stop bits included.
    #[must_use]
    pub const fn bits_per_character(self) -> u32 {
        1 + self.data as u32 + !matches!(self.parity, Parity::None) as u32 + self.stop as u32
    }

    /// How long so many characters are on the line.
    #[must_use]
    pub fn time_of(self, characters: usize) -> Duration {
        let bits = characters as u64 * u64::from(self.bits_per_character());
        Duration::from_nanos(bits.saturating_mul(1_000_000_000) / u64::from(self.baud.max(1)))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(f, "{},{}{parity}{}", self.baud, self.data, self.stop)
    }
}

/// A text that is no line setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no line setting; write it like 9600,8N1, 300,7E1 or 2400,8E1")]
pub struct ParseLineError(String);

impl FromStr for Line {
    type Err = ParseLineError;

    /// Reads `9600,8N1`; a bare speed means 8N1, or 7E1 for 300.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseLineError(text.to_owned());
        let (speed, frame) = match text.split_once([',', ' ', '/']) {
            Some((speed, frame)) => (speed, Some(frame.trim().to_ascii_uppercase())),
            None => (text, None),
        };
        let baud: u32 = speed.trim().parse().map_err(|_| wrong())?;
        if !(50..=4_000_000).contains(&baud) {
            return Err(wrong());
        }
        let (data, parity, stop) = match frame.as_deref().map(str::as_bytes) {
            None if baud == 300 => return Ok(Self::seven_even(baud)),
            None => return Ok(Self::eight_none(baud)),
            Some([data @ b'7'..=b'8', parity, stop @ b'1'..=b'2']) => (data - b'0', parity, stop - b'0'),
            _ => return Err(wrong()),
        };
        let parity = match parity {
            b'N' => Parity::None,
            b'E' => Parity::Even,
            b'O' => Parity::Odd,
            _ => return Err(wrong()),
        };
        Ok(Self { baud, data, parity, stop })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_written() {
        for text in ["9600,8N1", "300,7E1", "2400,8E1", "1200,8O2"] {
            assert_eq!(text.parse::<Line>().unwrap().to_string(), text);
        }
        assert_eq!("300".parse(), Ok(Line::seven_even(300)));
        assert_eq!("115200".parse(), Ok(Line::eight_none(115_200)));
        assert_eq!("2400 8e1".parse(), Ok(Line::eight_even(2400)));
        for wrong in ["", "9600,", "9600,9N1", "9600,8X1", "9600,8N3", "0,8N1", "8N1", "-300", "9600,8N1,"] {
            assert!(wrong.parse::<Line>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn six_characters_at_300_take_a_fifth_of_a_second() {
        assert_eq!(Line::seven_even(300).time_of(6), Duration::from_millis(200));
        assert_eq!(Line::eight_even(2400).bits_per_character(), 11);
    }
}
