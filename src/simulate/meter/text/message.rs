//! The messages of IEC 62056-21 at the meter's end: taking the reader's apart, putting the meter's together.

use std::collections::VecDeque;

/// Start of header.
const SOH: u8 = 0x01;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const EOT: u8 = 0x04;
/// Acknowledged.
pub(super) const ACK: u8 = 0x06;
/// Not acknowledged: say it again.
pub(super) const NAK: u8 = 0x15;

/// Octets of data in a partial block.
pub(super) const BLOCK: usize = 240;
/// The longest message a meter takes.
const LONGEST: usize = 256;

/// What a reader can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// `/?address!`; the address may be empty.
    Request(String),
    /// `ACK V Z Y`: protocol, rate and mode.
    Select([u8; 3]),
    /// A command and its data set.
    Command([u8; 2], String),
    /// A single character ACK.
    Ack,
    /// A single character NAK.
    Nak,
    /// A command whose block check does not fit.
    Damaged,
}

/// Collects the characters of messages.
#[derive(Debug, Clone, Default)]
pub(super) struct Listener {
    buffer: Vec<u8>,
}

impl Listener {
    /// Forgets what has come.
    pub(super) fn clear(&mut self) {
        self.buffer.clear();
    }

    /// Takes a character; gives the message it completes. `selecting`: an ACK begins an option select message.
    pub(super) fn take(&mut self, character: u8, selecting: bool) -> Option<Message> {
        match (self.buffer.first(), character) {
            (None, ACK) if !selecting => return Some(Message::Ack),
            (None, NAK) => return Some(Message::Nak),
            (None, b'/' | ACK | SOH) => {}
            // A new request is a new beginning, whatever came before it.
            (Some(b'/'), b'/') => self.buffer.clear(),
            (None, _) => return None,
            (Some(_), _) => {}
        }
        if self.buffer.len() >= LONGEST {
            self.buffer.clear();
            return None;
        }
        self.buffer.push(character);
        let message = match *self.buffer.as_slice() {
            [b'/', .., b'\n'] => request(&self.buffer).map(Message::Request),
            [ACK, v, z, y, b'\r', b'\n'] => Some(Message::Select([v, z, y])),
            [ACK, _, _, _, _, _] => None,
            [SOH, .., ETX | EOT, _] => Some(command(&self.buffer)),
            _ => return None,
        };
        self.buffer.clear();
        message
    }
}

fn request(bytes: &[u8]) -> Option<String> {
    let address = bytes.strip_prefix(b"/?")?.strip_suffix(b"!\r\n")?;
    let is_address = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b' ';
    (address.len() <= 32 && address.iter().all(is_address)).then(|| String::from_utf8_lossy(address).into_owned())
}

fn command(bytes: &[u8]) -> Message {
    let [SOH, covered @ .., check] = bytes else { return Message::Damaged };
    if block_check(covered) != *check {
        return Message::Damaged;
    }
    match covered {
        [c, d, ETX] => Message::Command([*c, *d], String::new()),
        [c, d, STX, set @ .., ETX | EOT] => Message::Command([*c, *d], String::from_utf8_lossy(set).into_owned()),
        _ => Message::Damaged,
    }
}

/// The exclusive or of all characters behind the first SOH or STX, up to the ETX or EOT.
pub(super) fn block_check(covered: &[u8]) -> u8 {
    covered.iter().fold(0, |check, byte| check ^ byte)
}

/// A data message: a block between STX and ETX, or EOT where more of it follows. Gives where its check stands as well.
pub(super) fn data_message(data: &str, more: bool) -> (Vec<u8>, Option<usize>) {
    let mut message = vec![STX];
    message.extend_from_slice(data.as_bytes());
    message.push(if more { EOT } else { ETX });
    let check = block_check(message.get(1..).unwrap_or_default());
    message.push(check);
    let at = message.len() - 1;
    (message, Some(at))
}

/// The prompt for a password, with an operand for algorithms that need one.
pub(super) fn prompt(operand: &str) -> (Vec<u8>, Option<usize>) {
    let mut message = vec![SOH];
    message.extend_from_slice(b"P0");
    message.push(STX);
    message.extend_from_slice(format!("({operand})").as_bytes());
    message.push(ETX);
    let check = block_check(message.get(1..).unwrap_or_default());
    message.push(check);
    let at = message.len() - 1;
    (message, Some(at))
}

/// Lines in blocks of at most [`BLOCK`] octets, or a line where one is longer.
pub(super) fn in_blocks(lines: &[String]) -> VecDeque<String> {
    let mut blocks: VecDeque<String> = VecDeque::new();
    for (n, line) in lines.iter().enumerate() {
        let end = if n + 1 == lines.len() { "" } else { "\r\n" };
        match blocks.back_mut().filter(|block| block.len() + line.len() <= BLOCK) {
            Some(block) => block.extend([line.as_str(), end]),
            None => blocks.push_back(format!("{line}{end}")),
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heard(bytes: &[u8], selecting: bool) -> Vec<Message> {
        let mut listener = Listener::default();
        bytes.iter().filter_map(|&byte| listener.take(byte, selecting)).collect()
    }

    #[test]
    fn requests_with_and_without_address() {
        assert_eq!(heard(b"\0\0/?!\r\n", false), [Message::Request(String::new())]);
        assert_eq!(heard(b"xx/?00 12!\r\n", false), [Message::Request("00 12".to_owned())]);
        assert_eq!(heard(b"/?1/?2!\r\n", false), [Message::Request("2".to_owned())], "the second is the one");
        for no in [&b"/!\r\n"[..], b"/?!\n", b"/?1.2!\r\n", b"/LGZ5X\r\n"] {
            assert_eq!(heard(no, false), [], "{no:?}");
        }
    }

    #[test]
    fn an_ack_is_a_selection_only_where_one_is_waited_for() {
        assert_eq!(heard(b"\x06050\r\n", true), [Message::Select(*b"050")]);
        assert_eq!(heard(b"\x06", false), [Message::Ack]);
        assert_eq!(heard(b"\x15", false), [Message::Nak]);
        assert_eq!(heard(b"\x06050xx/?!\r\n", true), [Message::Request(String::new())]);
    }

    #[test]
    fn commands_have_a_block_check() {
        // The examples of our notes.
        assert_eq!(heard(b"\x01B0\x03\x71", false), [Message::Command(*b"B0", String::new())]);
        assert_eq!(heard(b"\x01R5\x021.8.0()\x03\x5E", false), [Message::Command(*b"R5", "1.8.0()".to_owned())]);
        assert_eq!(heard(b"\x01R5\x021.8.0()\x03\x5F", false), [Message::Damaged]);
        assert_eq!(prompt("").0, b"\x01P0\x02()\x03\x60");
        assert_eq!(data_message("1.8.0(012345.678*kWh)", false).0.last(), Some(&0x53));
        assert_eq!(data_message("(ER01)", false).0.last(), Some(&0x14));
    }

    proptest! {
        #[test]
        fn anything_may_come(bytes in prop::collection::vec(any::<u8>(), 0..2000), selecting: bool) {
            let mut listener = Listener::default();
            for byte in bytes {
                listener.take(byte, selecting);
                prop_assert!(listener.buffer.len() <= LONGEST);
            }
            // Whatever came, after a pause it understands.
            listener.clear();
            let said: Vec<_> = b"/?!\r\n".iter().filter_map(|&byte| listener.take(byte, selecting)).collect();
            prop_assert_eq!(said, [Message::Request(String::new())]);
        }
    }
}
