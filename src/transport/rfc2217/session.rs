//! What client and server agreed on, and how the port at the far end is set.

use super::telnet::{self, Item, Parser, Verb};
use crate::wire::{Line, Parity};
use std::collections::VecDeque;
use std::mem;

/// Eight bits go through as they are (RFC 856).
const BINARY: u8 = 0;
/// No turn-taking (RFC 858).
const SUPPRESS_GO_AHEAD: u8 = 3;
/// The port can be set (RFC 2217).
const COM_PORT: u8 = 44;

/// Commands of the client, RFC 2217 clause 3; the server's answers are 100 higher.
const SET_BAUDRATE: u8 = 1;
const SET_DATASIZE: u8 = 2;
const SET_PARITY: u8 = 3;
const SET_STOPSIZE: u8 = 4;
const SET_CONTROL: u8 = 5;
const SET_LINESTATE_MASK: u8 = 10;
const SET_MODEMSTATE_MASK: u8 = 11;
const SERVER: u8 = 100;

/// The value of `SET-CONTROL` for: no flow control.
const NO_FLOW_CONTROL: u8 = 1;

/// One side of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Side {
    #[default]
    Off,
    Asked,
    On,
    Refused,
}

/// An option on both sides of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Both {
    we: Side,
    they: Side,
}

/// The client's side of a connection, without the connection.
#[derive(Debug, Default)]
pub(super) struct Session {
    parser: Parser,
    binary: Both,
    go_ahead: Both,
    com_port: Both,
    confirmed: Confirmed,
    output: Vec<u8>,
    /// What the meter sent and nobody has taken yet.
    pub(super) inbox: VecDeque<u8>,
}

/// What the server said it has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Confirmed {
    baud: Option<u32>,
    data: Option<u8>,
    parity: Option<u8>,
    stop: Option<u8>,
}

/// What became of a request to set the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Not all is confirmed.
    Pending,
    /// All is as asked.
    Same,
    /// Something else was set: what.
    Other(String),
}

impl Session {
    /// Proposes what the connection needs.
    pub(super) fn negotiate(&mut self) {
        for (option, both) in
            [(BINARY, &mut self.binary), (SUPPRESS_GO_AHEAD, &mut self.go_ahead), (COM_PORT, &mut self.com_port)]
        {
            both.we = Side::Asked;
            telnet::put_option(Verb::Will, option, &mut self.output);
            // Only the client sets the port; whether the server "will" is not asked for in RFC 2217.
            if option != COM_PORT {
                both.they = Side::Asked;
                telnet::put_option(Verb::Do, option, &mut self.output);
            }
        }
    }

    /// Whether the server lets the port be set, once it has said so. Some say it with WILL instead of DO.
    pub(super) fn agreed(&self) -> Option<bool> {
        match self.com_port {
            Both { we: Side::On, .. } | Both { they: Side::On, .. } => Some(true),
            Both { we: Side::Refused, .. } => Some(false),
            _ => None,
        }
    }

    /// Data for the meter.
    pub(super) fn write(&mut self, data: &[u8]) {
        telnet::put_data(data, &mut self.output);
    }

    /// What is to be written to the server.
    pub(super) fn take_output(&mut self) -> Vec<u8> {
        mem::take(&mut self.output)
    }

    /// Asks for the line's settings, without flow control and without reports of lines that nobody looks at.
    pub(super) fn request(&mut self, line: Line) {
        self.confirmed = Confirmed::default();
        let [a, b, c, d] = line.baud.to_be_bytes();
        for command in [
            &[COM_PORT, SET_CONTROL, NO_FLOW_CONTROL][..],
            &[COM_PORT, SET_LINESTATE_MASK, 0],
            &[COM_PORT, SET_MODEMSTATE_MASK, 0],
            &[COM_PORT, SET_BAUDRATE, a, b, c, d],
            &[COM_PORT, SET_DATASIZE, line.data],
            &[COM_PORT, SET_PARITY, parity_code(line.parity)],
            &[COM_PORT, SET_STOPSIZE, line.stop],
        ] {
            telnet::put_sub(command, &mut self.output);
        }
    }

    /// What the server made of [`request`](Self::request).
    pub(super) fn answer(&self, line: Line) -> Answer {
        let Confirmed { baud, data, parity, stop } = self.confirmed;
        let parity_asked = parity_code(line.parity);
        if let Some(baud) = baud.filter(|baud| *baud != line.baud) {
            Answer::Other(format!("{baud} baud"))
        } else if let Some(data) = data.filter(|data| *data != line.data) {
            Answer::Other(format!("{data} data bits"))
        } else if let Some(parity) = parity.filter(|parity| *parity != parity_asked) {
            Answer::Other(parity_name(parity).to_owned())
        } else if let Some(stop) = stop.filter(|stop| *stop != line.stop) {
            Answer::Other(stop_name(stop).to_owned())
        } else if baud.is_some() && data.is_some() && parity.is_some() && stop.is_some() {
            Answer::Same
        } else {
            Answer::Pending
        }
    }

    /// Takes what the server sent.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let mut parser = mem::take(&mut self.parser);
        parser.push(bytes, &mut |item| match item {
            Item::Data(data) => self.inbox.extend(data),
            Item::Option(verb, option) => self.option(verb, option),
            Item::Sub(sub) => self.sub(sub),
        });
        self.parser = parser;
    }

    /// Agrees to what is known, declines the rest, and answers nothing that changes nothing: two ends that acknowledge
    /// acknowledgements would never stop (RFC 854, general considerations).
    fn option(&mut self, verb: Verb, option: u8) {
        let both = match option {
            BINARY => Some(&mut self.binary),
            SUPPRESS_GO_AHEAD => Some(&mut self.go_ahead),
            COM_PORT => Some(&mut self.com_port),
            _ => None,
        };
        let (yes, no) = match verb {
            Verb::Do | Verb::Dont => (Verb::Will, Verb::Wont),
            Verb::Will | Verb::Wont => (Verb::Do, Verb::Dont),
        };
        let wanted = matches!(verb, Verb::Do | Verb::Will);
        let reply = match both {
            None => wanted.then_some(no),
            Some(both) => {
                let side = if matches!(verb, Verb::Do | Verb::Dont) { &mut both.we } else { &mut both.they };
                let before = mem::replace(side, if wanted { Side::On } else { Side::Refused });
                match (before, wanted) {
                    (Side::Off | Side::Refused, true) => Some(yes),
                    (Side::On, false) => Some(no),
                    _ => None,
                }
            }
        };
        if let Some(reply) = reply {
            telnet::put_option(reply, option, &mut self.output);
        }
    }

    fn sub(&mut self, sub: &[u8]) {
        let Some((&COM_PORT, [command, value @ ..])) = sub.split_first() else { return };
        match (command.checked_sub(SERVER), value) {
            (Some(SET_BAUDRATE), &[a, b, c, d]) => self.confirmed.baud = Some(u32::from_be_bytes([a, b, c, d])),
            (Some(SET_DATASIZE), &[data]) => self.confirmed.data = Some(data),
            (Some(SET_PARITY), &[parity]) => self.confirmed.parity = Some(parity),
            (Some(SET_STOPSIZE), &[stop]) => self.confirmed.stop = Some(stop),
            _ => {}
        }
    }
}

const fn parity_code(parity: Parity) -> u8 {
    match parity {
        Parity::None => 1,
        Parity::Odd => 2,
        Parity::Even => 3,
    }
}

const fn parity_name(code: u8) -> &'static str {
    match code {
        1 => "no parity",
        2 => "odd parity",
        3 => "even parity",
        _ => "another parity",
    }
}

const fn stop_name(code: u8) -> &'static str {
    match code {
        1 => "1 stop bit",
        2 => "2 stop bits",
        3 => "1.5 stop bits",
        _ => "another stop bit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn confirm(line: Line) -> Vec<u8> {
        let mut bytes = Vec::new();
        let baud = [&[COM_PORT, SERVER + SET_BAUDRATE][..], &line.baud.to_be_bytes()].concat();
        telnet::put_sub(&baud, &mut bytes);
        telnet::put_sub(&[COM_PORT, SERVER + SET_DATASIZE, line.data], &mut bytes);
        telnet::put_sub(&[COM_PORT, SERVER + SET_PARITY, parity_code(line.parity)], &mut bytes);
        telnet::put_sub(&[COM_PORT, SERVER + SET_STOPSIZE, line.stop], &mut bytes);
        bytes
    }

    #[test]
    fn a_server_that_agrees_is_told_the_line_and_confirms_it() {
        let mut session = Session::default();
        session.negotiate();
        assert!(session.take_output().windows(3).any(|command| command == [0xFF, 0xFB, 44]));
        assert_eq!(session.agreed(), None);
        session.push(&[0xFF, 0xFD, 44]);
        assert_eq!((session.agreed(), session.take_output()), (Some(true), vec![]));
        let line = Line::seven_even(300);
        session.request(line);
        let baud = [0xFF, 0xFA, 44, 1, 0, 0, 1, 0x2C, 0xFF, 0xF0];
        assert!(session.take_output().windows(baud.len()).any(|command| command == baud));
        assert_eq!(session.answer(line), Answer::Pending);
        session.push(&confirm(line));
        assert_eq!(session.answer(line), Answer::Same);
        session.request(line);
        assert_eq!(session.answer(line), Answer::Pending, "what was confirmed before does not count");
    }

    #[test]
    fn a_server_that_sets_something_else_is_caught() {
        let asked = Line::seven_even(300);
        for (set, what) in [
            (Line { baud: 9600, ..asked }, "9600 baud"),
            (Line { data: 8, ..asked }, "8 data bits"),
            (Line { parity: Parity::None, ..asked }, "no parity"),
            (Line { stop: 2, ..asked }, "2 stop bits"),
        ] {
            let mut session = Session::default();
            session.request(asked);
            session.push(&confirm(set));
            assert_eq!(session.answer(asked), Answer::Other(what.to_owned()));
        }
    }

    #[test]
    fn what_changes_nothing_is_not_answered() {
        let mut session = Session::default();
        session.negotiate();
        session.take_output();
        session.push(&[0xFF, 0xFD, 0, 0xFF, 0xFB, 0, 0xFF, 0xFD, 0, 0xFF, 0xFB, 0]);
        assert!(session.take_output().is_empty());
        session.push(&[0xFF, 0xFB, 1, 0xFF, 0xFD, 24, 0xFF, 0xFC, 1]);
        assert_eq!(session.take_output(), [0xFF, 0xFE, 1, 0xFF, 0xFC, 24], "echo and terminal type are declined once");
        session.push(&[0xFF, 0xFE, 0, 0xFF, 0xFE, 0]);
        assert_eq!(session.take_output(), [0xFF, 0xFC, 0]);
        session.push(&[0xFF, 0xFE, 44]);
        assert_eq!(session.agreed(), Some(false));
    }

    proptest! {
        /// Whatever a server sends, the answer is no longer than the question.
        #[test]
        fn answers_do_not_grow(stream in prop::collection::vec(prop_oneof![240u8..=255, any::<u8>()], 0..400)) {
            let mut session = Session::default();
            session.push(&stream);
            prop_assert!(session.take_output().len() <= stream.len());
            prop_assert!(session.inbox.len() <= stream.len());
        }
    }
}
