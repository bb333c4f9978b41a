//! Text meters of IEC 62056-21: modes A, B and C, which are asked, and the push of mode D.
//!
//! | mode | after the identification |
//! |---|---|
//! | A | the readout follows at the same speed |
//! | B | it follows at the speed that the identification names |
//! | C | the meter waits 2 s to be told what to send and how fast; if it is not told, it sends the readout at 300 Bd |
//! | D | nobody asks: identification and readout come every few seconds |
//!
//! Mode C has programming mode (Annex A) for reading: `P0` and `P1`, `R1`, `R5` and, in partial blocks, `R6`; the load profile
//! `P.01` and the event log `P.98`. It writes nothing, whatever it is told. With a [`Station`] the same meter is one of
//! mode E and hands the line over to HDLC.

mod message;
mod mode_d;
mod registers;

pub use mode_d::ModeD;

use super::{Emission, Meter, Station, Tempo, plus_millis};
use crate::reading::Instant;
use crate::simulate::works::Works;
use crate::wire::Line;
use message::{ACK, Listener, Message, NAK, data_message, in_blocks, prompt};
use registers::{Range, log, profile, register, registers};
use std::collections::VecDeque;

/// How a text meter is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Asked at 300 Bd, answers at 300 Bd.
    A,
    /// Asked at 300 Bd, answers at 9600 Bd.
    B,
    /// Asked at 300 Bd, lets the reader choose.
    C,
}

/// The speed at which every session begins (IEC 62056-21, 6.1).
const OPENING: Line = Line::seven_even(300);
/// The speed that modes B and C offer, `E` and `5` in their identifications, and what selects it in mode C.
const OFFERED: Line = Line::seven_even(9_600);
const OFFERED_RATE: u8 = b'5';

/// Times in ms (IEC 62056-21, 6.4.3.6 and Annex A).
mod time {
    /// From a message to its answer: 200 to 1500; 20 where the third letter of the identification is in lower case.
    pub(super) const REACTION: i64 = 250;
    pub(super) const QUICK_REACTION: i64 = 30;
    /// How long the meter waits for the option select message: 1500 to 2200.
    pub(super) const SELECT: i64 = 2_000;
    /// How long it can be asked to repeat the readout.
    pub(super) const REPEAT: i64 = 2_000;
    /// Between two characters of a message.
    pub(super) const PAUSE: i64 = 1_500;
    /// Without a word from the reader programming mode is left: 60 000 to 120 000.
    pub(super) const IDLE: i64 = 60_000;
}

/// The password of programming mode.
const PASSWORD: &str = "00000000";
/// After so many wrong ones the meter ends the session.
const MAX_WRONG: u8 = 3;

/// What goes wrong with the meter itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refusal {
    /// It identifies itself and says no more.
    pub after_identification: bool,
    /// It speaks HDLC, and says nothing as text but its name.
    pub of_text: bool,
}

/// A text meter that is asked.
#[derive(Debug)]
pub struct TextMeter {
    works: Works,
    mode: Mode,
    identification: &'static str,
    refusal: Refusal,
    station: Option<Box<dyn Station>>,
    tempo: Tempo,
    listener: Listener,
    heard_at: Instant,
    state: State,
    pending: VecDeque<Emission>,
    /// Until then it speaks, and does not listen.
    busy_until: Instant,
    /// What may be asked for again.
    last: Option<Emission>,
    wrong_passwords: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// Waits for a request.
    Idle,
    /// Has identified itself and waits for the option select message.
    Identified { until: Instant },
    /// Has sent the readout and may be asked to repeat it.
    Sent { line: Line, until: Instant },
    /// Takes commands. The blocks of an answer that are still to be asked for.
    Programming { line: Line, until: Instant, blocks: VecDeque<String> },
    /// Has handed the line over.
    HandedOver { line: Line, until: Instant },
}

impl TextMeter {
    /// A meter of one of the modes.
    #[must_use]
    pub fn new(works: Works, mode: Mode, tempo: Tempo) -> Self {
        let identification = match mode {
            Mode::A => "/ISk@MT171-0001",
            Mode::B => "/PAFE12EA5gr",
            Mode::C => "/LGZ5ZMF110AC.S01",
        };
        let now = works.now();
        Self {
            works,
            mode,
            identification,
            refusal: Refusal::default(),
            station: None,
            tempo,
            listener: Listener::default(),
            heard_at: now,
            state: State::Idle,
            pending: VecDeque::new(),
            busy_until: now,
            last: None,
            wrong_passwords: 0,
        }
    }

    /// The same as a meter of mode E: what speaks HDLC once the line is handed over.
    #[must_use]
    pub fn with_station(self, station: Box<dyn Station>) -> Self {
        Self { identification: "/LGZ5\\2ZMF100AC.M27", station: Some(station), ..self }
    }

    /// The same with something wrong with it.
    #[must_use]
    pub fn refusing(self, refusal: Refusal) -> Self {
        Self { refusal, ..self }
    }

    fn reaction(&self) -> i64 {
        let is_quick = self.identification.as_bytes().get(3).is_some_and(u8::is_ascii_lowercase);
        if is_quick { time::QUICK_REACTION } else { time::REACTION }
    }

    /// Queues a message for some time after `from`; gives when its last character has left.
    fn say(&mut self, from: Instant, after: i64, line: Line, (bytes, check): (Vec<u8>, Option<usize>)) -> Instant {
        let at = plus_millis(from, after);
        let over = over(at, line, bytes.len());
        let emission = Emission { at, line, bytes, check };
        self.last = Some(emission.clone());
        self.pending.push_back(emission);
        self.busy_until = over;
        over
    }

    fn rest(&mut self) {
        self.state = State::Idle;
        self.listener.clear();
        if let Some(station) = &mut self.station {
            station.reset();
        }
    }

    fn identify(&mut self, now: Instant) {
        let bytes = format!("{}\r\n", self.identification).into_bytes();
        let over = self.say(now, self.reaction(), OPENING, (bytes, None));
        if self.refusal.after_identification {
            return self.rest();
        }
        match self.mode {
            Mode::A => self.read_out(over, self.reaction(), OPENING),
            Mode::B => self.read_out(over, self.reaction(), OFFERED),
            Mode::C => self.state = State::Identified { until: plus_millis(over, time::SELECT) },
        }
    }

    /// Sends the readout some time after `from`.
    fn read_out(&mut self, from: Instant, after: i64, line: Line) {
        if self.refusal.of_text {
            return self.rest();
        }
        self.works.advance(self.tempo.lived(from));
        let mut data = String::with_capacity(1_024);
        for (code, groups) in registers(&self.works) {
            data.extend([code, &groups, "\r\n"]);
        }
        data.push_str("!\r\n");
        let over = self.say(from, after, line, data_message(&data, false));
        self.state = State::Sent { line, until: plus_millis(over, time::REPEAT) };
    }

    fn select(&mut self, [protocol, rate, mode]: [u8; 3], now: Instant) {
        let line = match rate {
            OFFERED_RATE => OFFERED,
            b'0' => OPENING,
            // What makes no sense is answered as if nothing had been said, when the waiting is over.
            _ => return,
        };
        let reaction = self.reaction();
        match (protocol, mode) {
            // Neither readout nor programming mode.
            (b'0', _) if self.refusal.of_text => self.rest(),
            (b'0', b'0') => self.read_out(now, reaction, line),
            (b'0', b'1') => {
                let over = self.say(now, reaction, line, prompt("00000000"));
                self.state = State::Programming { line, until: plus_millis(over, time::IDLE), blocks: VecDeque::new() };
            }
            (b'2', b'2') if self.station.is_some() => {
                // The meter confirms at the new speed, and still with seven bits and parity.
                let confirmation = vec![ACK, b'2', rate, b'2', b'\r', b'\n'];
                let over = self.say(now, reaction, line, (confirmation, None));
                let line = Line::eight_none(line.baud);
                self.state = State::HandedOver { line, until: plus_millis(over, time::IDLE) };
            }
            _ => {}
        }
    }

    fn command(&mut self, line: Line, [c, d]: [u8; 2], set: &str, now: Instant) {
        let (code, argument) = set.split_at(set.find('(').unwrap_or(set.len()));
        let answer = match (c, d) {
            (b'B', b'0') => return self.rest(),
            (b'P', b'1') if argument == format!("({PASSWORD})") => return self.answer(line, now, (vec![ACK], None)),
            (b'P', b'1') => {
                self.wrong_passwords += 1;
                if self.wrong_passwords >= MAX_WRONG {
                    self.wrong_passwords = 0;
                    self.say(now, self.reaction(), line, (b"\x01B0\x03\x71".to_vec(), None));
                    return self.rest();
                }
                vec!["(ER01)".to_owned()]
            }
            (b'R', b'1' | b'5' | b'6') => self.read(code, argument, d),
            _ => vec!["(ER02)".to_owned()],
        };
        let mut blocks = if d == b'6' { in_blocks(&answer) } else { VecDeque::from([answer.join("\r\n")]) };
        let first = blocks.pop_front().unwrap_or_default();
        self.answer(line, now, data_message(&first, !blocks.is_empty()));
        if let State::Programming { blocks: rest, .. } = &mut self.state {
            *rest = blocks;
        }
    }

    /// The lines that answer a read command.
    fn read(&self, code: &str, argument: &str, d: u8) -> Vec<String> {
        let range = || Range::parse(argument);
        match code.trim_start_matches("1-0:") {
            "P.01" => range().map(|range| profile(&self.works, &range)),
            "P.98" => range().map(|range| log(&self.works, &range)),
            _ => register(&self.works, code).map(|(code, groups)| match d {
                // R1 gives the value of the one address that was asked for, R5 the whole data set.
                b'1' => vec![groups],
                _ => vec![format!("{code}{groups}")],
            }),
        }
        .unwrap_or_else(|| vec!["(ER03)".to_owned()])
    }

    fn answer(&mut self, line: Line, now: Instant, message: (Vec<u8>, Option<usize>)) {
        let over = self.say(now, self.reaction(), line, message);
        self.state = State::Programming { line, until: plus_millis(over, time::IDLE), blocks: VecDeque::new() };
    }

    fn understood(&mut self, message: Message, now: Instant) {
        let state = self.state.clone();
        match (state, message) {
            (State::HandedOver { .. }, _) => {}
            (State::Programming { line, .. }, Message::Command(command, set)) => {
                self.command(line, command, &set, now);
            }
            (State::Programming { line, .. }, Message::Damaged) => self.answer(line, now, (vec![NAK], None)),
            (State::Programming { line, mut blocks, .. }, Message::Ack) => {
                if let Some(next) = blocks.pop_front() {
                    self.answer(line, now, data_message(&next, !blocks.is_empty()));
                    if let State::Programming { blocks: rest, .. } = &mut self.state {
                        *rest = blocks;
                    }
                }
            }
            (State::Programming { .. } | State::Sent { .. }, Message::Nak) => self.repeat(now),
            (State::Identified { .. }, Message::Select(option)) => self.select(option, now),
            (_, Message::Command([b'B', _], _)) => self.rest(),
            (State::Idle | State::Identified { .. }, Message::Request(address)) if self.is_meant(&address) => {
                self.identify(now);
            }
            _ => {}
        }
    }

    fn repeat(&mut self, now: Instant) {
        let Some(last) = self.last.take() else { return };
        let over = self.say(now, self.reaction(), last.line, (last.bytes, last.check));
        match &mut self.state {
            State::Sent { until, .. } => *until = plus_millis(over, time::REPEAT),
            State::Programming { until, .. } => *until = plus_millis(over, time::IDLE),
            _ => {}
        }
    }

    /// A request without address is for every meter; leading zeros do not count (6.3.14, item 22).
    fn is_meant(&self, address: &str) -> bool {
        let own = self.works.serial().to_string();
        let address = address.trim();
        address.is_empty() || address.trim_start_matches('0') == own.trim_start_matches('0')
    }

    fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Idle => None,
            State::Identified { until }
            | State::Sent { until, .. }
            | State::Programming { until, .. }
            | State::HandedOver { until, .. } => Some(until),
        }
    }

    fn hand_over(&mut self, bytes: &[u8], line: Line, now: Instant) {
        let Some(station) = &mut self.station else { return };
        let answer = station.receive(bytes, &self.works, now);
        let is_over = station.is_over();
        let until = plus_millis(now, time::IDLE);
        if !answer.is_empty() {
            let over = self.say(now, time::QUICK_REACTION, line, (answer, None));
            self.state = State::HandedOver { line, until: plus_millis(over, time::IDLE) };
        } else {
            self.state = State::HandedOver { line, until };
        }
        if is_over {
            self.rest();
        }
    }
}

/// When so many characters have left.
fn over(at: Instant, line: Line, characters: usize) -> Instant {
    let micros = i64::try_from(line.time_of(characters).as_micros()).unwrap_or(i64::MAX);
    Instant::from_unix_micros(at.unix_micros().saturating_add(micros))
}

impl Meter for TextMeter {
    fn line(&self) -> Line {
        match self.state {
            State::Idle | State::Identified { .. } => OPENING,
            State::Sent { line, .. } | State::Programming { line, .. } | State::HandedOver { line, .. } => line,
        }
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.works.advance(self.tempo.lived(now));
        // It is deaf without mains, and while it speaks.
        if !self.works.is_powered() || now < self.busy_until || !self.pending.is_empty() {
            return;
        }
        if now > plus_millis(self.heard_at, time::PAUSE) {
            self.listener.clear();
        }
        self.heard_at = now;
        if let State::HandedOver { line, .. } = self.state {
            return self.hand_over(bytes, line, now);
        }
        for &byte in bytes {
            let selecting = matches!(self.state, State::Identified { .. });
            if let Some(message) = self.listener.take(byte, selecting) {
                self.understood(message, now);
            }
        }
    }

    fn due(&self) -> Option<Instant> {
        self.pending.front().map(|next| next.at).or_else(|| self.deadline())
    }

    fn act(&mut self, now: Instant) -> Option<Emission> {
        if self.pending.front().is_some_and(|next| next.at <= now) {
            self.works.advance(self.tempo.lived(now));
            return self.pending.pop_front().filter(|_| self.works.is_powered());
        }
        if self.pending.is_empty() && self.deadline().is_some_and(|until| until <= now) {
            match self.state {
                // Nobody said what to send: the readout, at the opening speed (6.4.3.2).
                State::Identified { until } => self.read_out(until, 0, OPENING),
                _ => self.rest(),
            }
        }
        None
    }

    fn works(&self) -> &Works {
        &self.works
    }
}

#[cfg(test)]
mod tests;
