//! What a reader sends: request, option select, and in programming mode commands that read (IEC 62056-21, 6.3 and 6.4).
//!
//! ```text
//! /?address! CR LF            ACK V Z Y CR LF            SOH R 5 STX P.01(;) ETX BCC
//!   └ none: whoever hears it      │ │ └ 0 readout,          │ │ │   │        └ exclusive or from behind SOH to ETX
//!                                 │ │   1 programming,      │ │ │   └ data set
//!                                 │ │   2 HDLC              │ │ └ its kind
//!                                 │ └ speed                 └─┴ R: read. There is no W and no E here.
//!                                 └ protocol, 2 = HDLC
//! ```

use crate::wire::text::{ACK, ETX, SOH, STX, exclusive_or, sum};
use smol_str::{SmolStr, format_smolstr};
use std::fmt;
use zeroize::Zeroizing;

/// The longest text of a request. The standard allows 32 characters of address, makers add prefixes.
const MAX_REQUEST: usize = 64;
/// The longest data set of a command.
pub const MAX_QUERY: usize = 160;
/// The longest password (6.5: a value has at most 32 characters).
const MAX_PASSWORD: usize = 32;

/// How the block check of commands is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BlockCheck {
    /// The exclusive or, as the standard says.
    #[default]
    Xor,
    /// The 7-bit sum of some Russian makers.
    Sum,
}

impl BlockCheck {
    /// The block check of `covered`: what stands behind the first SOH or STX, up to and with ETX or EOT.
    #[must_use]
    pub fn of(self, covered: &[u8]) -> u8 {
        match self {
            Self::Xor => exclusive_or(covered),
            Self::Sum => sum(covered),
        }
    }
}

/// A text that cannot be sent. It does not repeat the text, which may be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is longer than what the message may hold.
    #[error("longer than {0} characters")]
    TooLong(usize),
    /// It has a character that would end the message, or none of ASCII.
    #[error("only printable ASCII characters, and none of those that end the message")]
    Character,
    /// It is empty.
    #[error("nothing is there to ask for")]
    Empty,
}

fn checked(text: &str, longest: usize, ends: &[char]) -> Result<(), TextError> {
    match text {
        _ if !text.chars().all(|c| matches!(c, ' '..='~') && !ends.contains(&c)) => Err(TextError::Character),
        _ if text.len() > longest => Err(TextError::TooLong(longest)),
        _ => Ok(()),
    }
}

/// A request message, `/?address!`: to one meter of a bus, or to whoever hears it.
///
/// ```
/// use releve::wire::iec62056::Request;
/// assert_eq!(Request::default().encode(), b"/?!\r\n");
/// assert_eq!(Request::new("MSY12345678").unwrap().encode(), b"/?MSY12345678!\r\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request(SmolStr);

impl Request {
    /// The request with this text between `?` and `!`: an address of up to 32 letters, digits and blanks by the standard
    /// (6.3.14, item 22), and what else a maker asks for.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(address: &str) -> Result<Self, TextError> {
        checked(address, MAX_REQUEST, &['!'])?;
        Ok(Self(address.into()))
    }

    /// The message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        format!("/?{}!\r\n", self.0).into_bytes()
    }
}

/// What a reader chooses in modes C and E.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The data readout.
    Readout,
    /// Programming mode, in which single registers can be read.
    Programming,
    /// HDLC (mode E).
    Hdlc,
}

/// The acknowledgement and option select message, `ACK V Z Y` (6.3.3 and 6.4.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionSelect {
    /// The character of the speed: the one of the identification, or `0` to stay at 300 Bd.
    pub rate: u8,
    /// What is to follow.
    pub wanted: Wanted,
}

impl OptionSelect {
    /// The message.
    #[must_use]
    pub const fn encode(self) -> [u8; 6] {
        let (protocol, choice) = match self.wanted {
            Wanted::Readout => (b'0', b'0'),
            Wanted::Programming => (b'0', b'1'),
            Wanted::Hdlc => (b'2', b'2'),
        };
        [ACK, protocol, self.rate, choice, b'\r', b'\n']
    }
}

/// The commands that read (6.4.3 and Annex C; R5 and R6 by the VDEW). Those that write or execute are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadCommand {
    /// ASCII.
    R1,
    /// Formatted codes.
    R2,
    /// ASCII, answered in partial blocks.
    R3,
    /// Formatted codes, answered in partial blocks.
    R4,
    /// Registers, load profile and logs (VDEW).
    R5,
    /// The same, answered in partial blocks.
    R6,
}

impl ReadCommand {
    const fn code(self) -> [u8; 2] {
        let kind = match self {
            Self::R1 => b'1',
            Self::R2 => b'2',
            Self::R3 => b'3',
            Self::R4 => b'4',
            Self::R5 => b'5',
            Self::R6 => b'6',
        };
        [b'R', kind]
    }
}

/// A question in programming mode: a command that reads, and the data set it asks for.
///
/// ```
/// use releve::wire::iec62056::{BlockCheck, Query, ReadCommand};
/// let query = Query::new(ReadCommand::R5, "1.8.0").unwrap();
/// assert_eq!(query.encode(BlockCheck::Xor), b"\x01R5\x021.8.0()\x03\x5E");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    command: ReadCommand,
    data: SmolStr,
}

impl Query {
    /// The question for `data`: an address with its parentheses, `1.8.0()` or `P.01(0251107000000;)`. They are added where
    /// they are missing, except behind the codes of R2 and R4.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(command: ReadCommand, data: &str) -> Result<Self, TextError> {
        checked(data, MAX_QUERY, &[])?;
        if data.is_empty() {
            return Err(TextError::Empty);
        }
        let is_code = matches!(command, ReadCommand::R2 | ReadCommand::R4);
        let data = if is_code || data.contains('(') { data.into() } else { format_smolstr!("{data}()") };
        Ok(Self { command, data })
    }

    /// The data set it asks for.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.data
    }

    /// The message.
    #[must_use]
    pub fn encode(&self, check: BlockCheck) -> Vec<u8> {
        frame(self.command.code(), &[self.data.as_bytes()], check)
    }
}

/// The password of programming mode (command P1). It is never printed, and wiped when dropped.
///
/// Passwords that a maker's algorithm makes of the meter's operand (command P2) are not for us to make.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The password `text`, without its parentheses.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: Zeroizing<String>) -> Result<Self, TextError> {
        checked(&text, MAX_PASSWORD, &['(', ')'])?;
        Ok(Self(text))
    }

    /// The message, `SOH P1 STX (password) ETX BCC`.
    #[must_use]
    pub fn encode(&self, check: BlockCheck) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(frame(*b"P1", &[b"(", self.0.as_bytes(), b")"], check))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How a reader takes leave of programming mode, and of the standard's data readout before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// `B0`, which is not answered.
    Complete,
    /// `B1`, for battery meters that were woken up the fast way; they answer with ACK.
    Battery,
}

impl Break {
    /// The message.
    #[must_use]
    pub fn encode(self, check: BlockCheck) -> Vec<u8> {
        let code = match self {
            Self::Complete => *b"B0",
            Self::Battery => *b"B1",
        };
        frame(code, &[], check)
    }
}

/// `SOH code [STX data] ETX BCC`, in memory of its final size: nothing of a password is left behind in a smaller one.
fn frame(code: [u8; 2], data: &[&[u8]], check: BlockCheck) -> Vec<u8> {
    let length = data.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(length + 6);
    bytes.push(SOH);
    bytes.extend(code);
    if !data.is_empty() {
        bytes.push(STX);
    }
    for part in data {
        bytes.extend_from_slice(part);
    }
    bytes.push(ETX);
    let covered = bytes.get(1..).unwrap_or_default();
    bytes.push(check.of(covered));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(command: ReadCommand, data: &str) -> Vec<u8> {
        Query::new(command, data).unwrap().encode(BlockCheck::Xor)
    }

    fn password(text: &str) -> Result<Password, TextError> {
        Password::new(Zeroizing::new(text.into()))
    }

    #[test]
    fn the_messages_of_the_standard_byte_by_byte() {
        let select = |rate, wanted| OptionSelect { rate, wanted }.encode();
        assert_eq!(select(b'5', Wanted::Readout), *b"\x06050\r\n");
        assert_eq!(select(b'0', Wanted::Programming), *b"\x06001\r\n");
        assert_eq!(select(b'5', Wanted::Hdlc), *b"\x06252\r\n");
        assert_eq!(Break::Complete.encode(BlockCheck::Xor), b"\x01B0\x03\x71");
        assert_eq!(Break::Battery.encode(BlockCheck::Xor), b"\x01B1\x03\x70");
        assert_eq!(*password("00000000").unwrap().encode(BlockCheck::Xor), b"\x01P1\x02(00000000)\x03\x61");
        assert_eq!(read(ReadCommand::R1, "1.8.0()"), b"\x01R1\x021.8.0()\x03\x5A");
        assert_eq!(read(ReadCommand::R5, "1.8.0"), b"\x01R5\x021.8.0()\x03\x5E");
        assert_eq!(
            read(ReadCommand::R5, "P.01(0251107000000;0251107010000)"),
            b"\x01R5\x02P.01(0251107000000;0251107010000)\x03\x22"
        );
        assert_eq!(read(ReadCommand::R2, "F001").get(..8), Some(&b"\x01R2\x02F001"[..]));
    }

    #[test]
    fn the_sum_takes_the_place_of_the_exclusive_or() {
        let query = Query::new(ReadCommand::R1, "1.8.0()").unwrap();
        assert_eq!(query.encode(BlockCheck::Sum), b"\x01R1\x021.8.0()\x03\x4E");
    }

    #[test]
    fn nothing_that_would_end_a_message_gets_into_one() {
        for text in ["a!", "\r\n", "é", "\u{3}\u{1}W1"] {
            assert_eq!(Request::new(text), Err(TextError::Character), "{text:?}");
        }
        assert_eq!(Request::new(&"1".repeat(65)), Err(TextError::TooLong(64)));
        assert_eq!(Query::new(ReadCommand::R1, "1.8.0()\u{3}"), Err(TextError::Character));
        assert_eq!(Query::new(ReadCommand::R1, ""), Err(TextError::Empty));
        assert!(Query::new(ReadCommand::R1, &"1".repeat(161)).is_err());
        assert!(password("1)(2").is_err() && password("\u{4}").is_err() && password(&"1".repeat(33)).is_err());
    }

    #[test]
    fn a_password_is_not_printed() {
        assert_eq!(format!("{:?}", password("12345678").unwrap()), "***");
    }
}
