//! Telnet (RFC 854, RFC 855): commands in, among and out of the data.

/// Interpret as command; doubled it is data.
pub const IAC: u8 = 0xFF;
const SB: u8 = 0xFA;
const SE: u8 = 0xF0;

/// The longest subnegotiation that is kept, with its option; those of RFC 2217 that matter take six octets. What is
/// longer is left out whole.
pub const MAX_SUB: usize = 64;

/// Who wants what with an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// The sender wants to use it, or agrees to.
    Will,
    /// The sender does not, or no longer.
    Wont,
    /// The sender wants the receiver to use it, or agrees.
    Do,
    /// The sender wants it off.
    Dont,
}

impl Verb {
    const fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            0xFB => Some(Self::Will),
            0xFC => Some(Self::Wont),
            0xFD => Some(Self::Do),
            0xFE => Some(Self::Dont),
            _ => None,
        }
    }

    const fn octet(self) -> u8 {
        match self {
            Self::Will => 0xFB,
            Self::Wont => 0xFC,
            Self::Do => 0xFD,
            Self::Dont => 0xFE,
        }
    }
}

/// What a telnet stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// Data, `IAC IAC` made one.
    Data(&'a [u8]),
    /// A word about an option.
    Option(Verb, u8),
    /// A subnegotiation: the option, then its contents.
    Sub(&'a [u8]),
}

/// Takes a telnet stream apart, in pieces of any size and in bounded memory.
#[derive(Debug, Clone, Default)]
pub struct Parser {
    state: State,
    sub: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Data,
    Command,
    Option(Verb),
    Sub,
    SubCommand,
}

impl Parser {
    /// Takes the next piece; commands other than those about options mean nothing here and are dropped.
    pub fn push(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Item<'_>)) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if self.state == State::Data && byte != IAC {
                let len = memchr::memchr(IAC, rest).unwrap_or(rest.len());
                let (data, more) = rest.split_at(len);
                sink(Item::Data(data));
                rest = more;
                continue;
            }
            self.state = self.next(byte, sink);
            rest = after;
        }
    }

    fn next(&mut self, byte: u8, sink: &mut dyn FnMut(Item<'_>)) -> State {
        match (self.state, byte) {
            (State::Data, _) => State::Command,
            (State::Command, IAC) => {
                sink(Item::Data(&[IAC]));
                State::Data
            }
            (State::Command, SB) => {
                self.sub.clear();
                State::Sub
            }
            (State::Command, _) => Verb::from_octet(byte).map_or(State::Data, State::Option),
            (State::Option(verb), _) => {
                sink(Item::Option(verb, byte));
                State::Data
            }
            (State::Sub, IAC) => State::SubCommand,
            (State::Sub, _) | (State::SubCommand, IAC) => {
                // One more than is kept tells that it was too long.
                if self.sub.len() <= MAX_SUB {
                    self.sub.push(byte);
                }
                State::Sub
            }
            (State::SubCommand, SE) => {
                if self.sub.len() <= MAX_SUB {
                    sink(Item::Sub(&self.sub));
                }
                State::Data
            }
            // Only IAC or SE may stand here: the subnegotiation was cut off, and this is the next command.
            (State::SubCommand, _) => {
                self.state = State::Command;
                self.next(byte, sink)
            }
        }
    }
}

/// Appends data, each `IAC` doubled.
pub fn put_data(data: &[u8], output: &mut Vec<u8>) {
    for &byte in data {
        output.push(byte);
        if byte == IAC {
            output.push(IAC);
        }
    }
}

/// Appends a word about an option.
pub fn put_option(verb: Verb, option: u8, output: &mut Vec<u8>) {
    output.extend([IAC, verb.octet(), option]);
}

/// Appends a subnegotiation; `contents` begins with the option.
pub fn put_sub(contents: &[u8], output: &mut Vec<u8>) {
    output.extend([IAC, SB]);
    put_data(contents, output);
    output.extend([IAC, SE]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Said {
        Data(Vec<u8>),
        Option(Verb, u8),
        Sub(Vec<u8>),
    }

    /// What a stream says, neighbouring data joined.
    fn said<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Said> {
        let mut all: Vec<Said> = Vec::new();
        let mut parser = Parser::default();
        for piece in pieces {
            parser.push(piece, &mut |item| match (item, all.last_mut()) {
                (Item::Data(more), Some(Said::Data(data))) => data.extend_from_slice(more),
                (Item::Data(data), _) => all.push(Said::Data(data.to_vec())),
                (Item::Option(verb, option), _) => all.push(Said::Option(verb, option)),
                (Item::Sub(sub), _) => all.push(Said::Sub(sub.to_vec())),
            });
            assert!(parser.sub.len() <= MAX_SUB + 1);
        }
        all
    }

    #[test]
    fn commands_are_taken_out_of_the_data() {
        let stream = b"/ISK\xff\xff5\xff\xfd\x2c\xff\xf1\r\n\xff\xfa\x2c\x65\0\0\x01\xff\xff\xff\xf0!";
        let expected = [
            Said::Data(b"/ISK\xff5".to_vec()),
            Said::Option(Verb::Do, 0x2C),
            Said::Data(b"\r\n".to_vec()),
            Said::Sub(vec![0x2C, 0x65, 0, 0, 1, 0xFF]),
            Said::Data(b"!".to_vec()),
        ];
        assert_eq!(said([&stream[..]]), expected);
    }

    #[test]
    fn a_subnegotiation_that_is_cut_off_or_too_long_says_nothing() {
        let cut = [Said::Option(Verb::Will, 3), Said::Data(b"x".to_vec())];
        assert_eq!(said([&b"\xff\xfa\x2c\x01\xff\xfb\x03x"[..]]), cut);
        let long = [&[IAC, SB][..], &[7; MAX_SUB + 1], &[IAC, SE], b"x"].concat();
        assert_eq!(said([&long[..]]), [Said::Data(b"x".to_vec())]);
        let just = [&[IAC, SB][..], &[7; MAX_SUB], &[IAC, SE]].concat();
        assert_eq!(said([&just[..]]), [Said::Sub(vec![7; MAX_SUB])]);
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let telling = prop::sample::select(vec![0xFF, 0xFA, 0xF0, 0xFB, 0xFD, 0xFE, 0x2C, 0x00]);
        prop::collection::vec(prop_oneof![telling, any::<u8>()], 0..300)
    }

    proptest! {
        #[test]
        fn any_chunking_says_the_same(stream in stream(), size in 1usize..40) {
            prop_assert_eq!(said(stream.chunks(size)), said([&stream[..]]));
        }

        #[test]
        fn what_is_put_in_comes_out(data in stream(), mut sub in stream(), option in any::<u8>()) {
            sub.truncate(MAX_SUB);
            let mut output = Vec::new();
            put_option(Verb::Wont, option, &mut output);
            put_sub(&sub, &mut output);
            put_data(&data, &mut output);
            let mut expected = vec![Said::Option(Verb::Wont, option), Said::Sub(sub)];
            if !data.is_empty() {
                expected.push(Said::Data(data));
            }
            prop_assert_eq!(said([&output[..]]), expected);
        }
    }
}
