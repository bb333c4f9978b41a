//! The cable between a meter and its reader: characters leave at the speed of the line, in both directions, and each side
//! makes of them what its settings allow.

use super::disturb::{Disturbance, Fate};
use super::line::{Receiver, data_bits, time_of};
use super::meter::{Emission, Meter};
use crate::reading::Instant;
use crate::wire::{Line, Parity};
use std::collections::VecDeque;

/// How the reader's port is set, as far as that can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ear {
    /// It follows the meter.
    Follows,
    /// Its speed is known; its data bits and parity are taken to be the meter's.
    Speed(u32),
    /// It is known.
    Set(Line),
}

impl Ear {
    /// The settings it has while the other side has these.
    const fn against(self, other: Line) -> Line {
        match self {
            Self::Follows => other,
            Self::Speed(baud) => Line { baud, ..other },
            Self::Set(line) => line,
        }
    }
}

/// What went over the cable, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The meter began to send this.
    Meter(Emission),
    /// The meter's receiver made this out.
    Reader(Vec<u8>),
}

/// Emissions that may wait for the line.
const MAX_WAITING: usize = 16;

/// The cable.
#[derive(Debug)]
pub struct Cable {
    epoch: Instant,
    /// What the reader has written and is not yet over the line, and when the next character of it starts, ns.
    inbound: VecDeque<u8>,
    inbound_at: u64,
    meter_ear: Receiver,
    reader_ear: Receiver,
    outbound: VecDeque<Emission>,
    sending: Option<Sending>,
    free_at: u64,
    disturbance: Disturbance,
    /// Emissions that have left completely.
    telegrams: u64,
    characters: u64,
}

#[derive(Debug)]
struct Sending {
    emission: Emission,
    start: u64,
    sent: usize,
}

impl Cable {
    /// A cable at rest at a moment.
    #[must_use]
    pub fn new(epoch: Instant, disturbance: Disturbance) -> Self {
        let any = Line::eight_none(9_600);
        Self {
            epoch,
            inbound: VecDeque::new(),
            inbound_at: 0,
            meter_ear: Receiver::new(any),
            reader_ear: Receiver::new(any),
            outbound: VecDeque::new(),
            sending: None,
            free_at: 0,
            disturbance,
            telegrams: 0,
            characters: 0,
        }
    }

    /// Emissions that have left completely, and characters that have left.
    #[must_use]
    pub const fn sent(&self) -> (u64, u64) {
        (self.telegrams, self.characters)
    }

    /// The reader writes; the characters take their time.
    pub fn write(&mut self, bytes: &[u8], now: Instant) {
        if self.inbound.is_empty() {
            self.inbound_at = self.inbound_at.max(self.nanos(now));
        }
        self.inbound.extend(bytes);
    }

    /// When something begins or is over next, if the reader writes nothing.
    #[must_use]
    pub fn due(&self, meter: &dyn Meter) -> Option<Instant> {
        let mut due = meter.due();
        let mut earlier = |at: Instant| due = Some(due.map_or(at, |other| other.min(at)));
        if !self.inbound.is_empty() {
            earlier(self.instant(self.inbound_at + time_of(meter.line(), 1)));
        }
        if let Some(sending) = &self.sending {
            earlier(self.instant(sending.start + time_of(sending.emission.line, sending.emission.bytes.len())));
        } else if let Some(next) = self.outbound.front() {
            earlier(next.at);
        }
        due
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.sending.is_none() && self.outbound.is_empty() && self.inbound.is_empty()
    }

    /// Lets time pass up to `now`, and gives the characters that the reader makes out.
    pub fn advance(
        &mut self,
        now: Instant,
        reader: Ear,
        meter: &mut dyn Meter,
        watch: &mut dyn FnMut(Said),
    ) -> Vec<u8> {
        let mut made_out = Vec::new();
        let until = self.nanos(now);
        loop {
            let heard = (!self.inbound.is_empty()).then(|| self.inbound_at + time_of(reader.against(meter.line()), 1));
            let heard = heard.filter(|&at| at <= until);
            let due = meter.due().filter(|&due| due <= now);
            match (heard, due) {
                (Some(at), due) if due.is_none_or(|due| at <= self.nanos(due)) => {
                    self.hear(at, reader, meter, &mut made_out, watch);
                }
                // In its own time, so that a leap gives what many steps do.
                (_, Some(due)) => {
                    if let Some(emission) = meter.act(due) {
                        self.take(emission);
                    }
                }
                (_, None) => break,
            }
            self.send(until, reader, &mut made_out, watch);
        }
        self.send(until, reader, &mut made_out, watch);
        let late = self.meter_ear.made_out(until);
        self.understood(&late, now, meter, watch);
        made_out.extend(self.reader_ear.made_out(until));
        made_out
    }

    fn take(&mut self, mut emission: Emission) {
        if self.disturbance.is_silent(emission.at) {
            return;
        }
        self.disturbance.spoil(&mut emission);
        // A meter keeps no queue: what piled up while this process was stopped is gone.
        if self.outbound.len() < MAX_WAITING {
            self.outbound.push_back(emission);
        }
    }

    /// One character of the reader arrives.
    fn hear(&mut self, at: u64, reader: Ear, meter: &mut dyn Meter, echo: &mut Vec<u8>, watch: &mut dyn FnMut(Said)) {
        let Some(character) = self.inbound.pop_front() else { return };
        if let Ear::Set(line) = reader {
            meter.tune(line);
        }
        let to = meter.line();
        let from = reader.against(to);
        let start = std::mem::replace(&mut self.inbound_at, at);
        let now = self.instant(at);
        if self.disturbance.echoes(now) {
            echo.push(character & data_bits(from));
        }
        if !self.disturbance.has_meter(now) {
            return;
        }
        if from == to {
            self.meter_ear.set_line(to);
            return self.understood(&[character & data_bits(to)], now, meter, watch);
        }
        self.meter_ear.set_line(to);
        self.meter_ear.hear(character, from, start);
        let characters = self.meter_ear.made_out(at);
        self.understood(&characters, now, meter, watch);
    }

    fn understood(&self, characters: &[u8], now: Instant, meter: &mut dyn Meter, watch: &mut dyn FnMut(Said)) {
        if !characters.is_empty() {
            watch(Said::Reader(characters.to_vec()));
            meter.receive(characters, now);
        }
    }

    /// Sends what has left the meter by `until`.
    fn send(&mut self, until: u64, reader: Ear, made_out: &mut Vec<u8>, watch: &mut dyn FnMut(Said)) {
        loop {
            if self.sending.is_none() {
                if self.outbound.front().is_none_or(|next| nanos(self.epoch, next.at) > until) {
                    return;
                }
                let Some(emission) = self.outbound.pop_front() else { return };
                watch(Said::Meter(emission.clone()));
                let start = nanos(self.epoch, emission.at).max(self.free_at);
                self.sending = Some(Sending { emission, start, sent: 0 });
            }
            let Some(sending) = &mut self.sending else { return };
            let line = sending.emission.line;
            while let Some(&character) = sending.emission.bytes.get(sending.sent) {
                let at = sending.start + time_of(line, sending.sent);
                if sending.start + time_of(line, sending.sent + 1) > until {
                    return;
                }
                sending.sent += 1;
                self.characters += 1;
                let (character, is_sound) = match self.disturbance.fate(character, instant(self.epoch, at)) {
                    Fate::Arrives(character) => (character, true),
                    Fate::WrongParity(character) => (character, false),
                    Fate::Lost => continue,
                };
                let ear = reader.against(line);
                self.reader_ear.set_line(ear);
                if !is_sound {
                    made_out.push(misread(character, line, ear));
                } else if ear == line {
                    made_out.push(character & data_bits(line));
                } else {
                    self.reader_ear.hear(character, line, at);
                    made_out.extend(self.reader_ear.made_out(at));
                }
            }
            self.free_at = sending.start + time_of(line, sending.sent);
            self.telegrams += 1;
            self.sending = None;
        }
    }

    fn nanos(&self, at: Instant) -> u64 {
        nanos(self.epoch, at)
    }

    fn instant(&self, nanos: u64) -> Instant {
        instant(self.epoch, nanos)
    }
}

fn nanos(epoch: Instant, at: Instant) -> u64 {
    u64::try_from(at.unix_micros() - epoch.unix_micros()).unwrap_or(0).saturating_mul(1_000)
}

/// Rounded up, so that what is due then is over.
fn instant(epoch: Instant, nanos: u64) -> Instant {
    let micros = i64::try_from(nanos.div_ceil(1_000)).unwrap_or(i64::MAX);
    Instant::from_unix_micros(epoch.unix_micros().saturating_add(micros))
}

/// A character that came with a wrong parity bit: NUL where parity is checked, the bit itself where it is taken for data, and
/// where there is no such bit at all a data bit has to stand for it.
const fn misread(character: u8, sent: Line, ear: Line) -> u8 {
    match (sent.parity, ear.parity) {
        (_, Parity::Even | Parity::Odd) => 0,
        (Parity::None, Parity::None) => character ^ 0x01,
        (_, Parity::None) => character ^ 0x80,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::disturb::{Kind, Span};
    use crate::simulate::meter::text::{Mode, TextMeter};
    use crate::simulate::meter::{Station, Tempo};
    use crate::simulate::works::{Setup, Works};

    const START: Instant = Instant::from_unix(1_762_525_800);
    const OPENING: Ear = Ear::Set(Line::seven_even(300));

    fn meter() -> TextMeter {
        let mut setup = Setup::new(1, START);
        setup.before_rollover = Some(1_000);
        TextMeter::new(Works::new(&setup), Mode::C, Tempo::new(START, 1))
    }

    fn at(millis: i64) -> Instant {
        Instant::from_unix_micros(START.unix_micros() + millis * 1_000)
    }

    fn advance(cable: &mut Cable, millis: i64, ear: Ear, meter: &mut dyn Meter) -> Vec<u8> {
        cable.advance(at(millis), ear, meter, &mut |_| {})
    }

    #[test]
    fn characters_take_their_time_in_both_directions() {
        let (mut cable, mut meter) = (Cable::new(START, Disturbance::default()), meter());
        cable.write(b"/?!\r\n", START);
        // Five characters there in 167 ms, 250 ms to think, nineteen back in 633 ms.
        assert_eq!(advance(&mut cable, 400, OPENING, &mut meter), b"");
        assert_eq!(advance(&mut cable, 484, OPENING, &mut meter), b"/L");
        assert_eq!(advance(&mut cable, 1_000, OPENING, &mut meter), b"GZ5ZMF110AC.S01");
        assert_eq!(advance(&mut cable, 1_100, OPENING, &mut meter), b"\r\n");
        assert_eq!(cable.sent(), (1, 19));
        assert!(cable.is_at_rest());
    }

    #[test]
    fn in_small_steps_or_in_one_the_same_arrives() {
        let run = |step: usize, ear| {
            let (mut cable, mut meter) = (Cable::new(START, Disturbance::default()), meter());
            cable.write(b"/?!\r\n", START);
            (0..30_000)
                .step_by(step)
                .flat_map(|millis| advance(&mut cable, millis, ear, &mut meter))
                .collect::<Vec<_>>()
        };
        for ear in [OPENING, Ear::Follows, Ear::Set(Line::eight_none(300)), Ear::Set(Line::seven_even(1_200))] {
            assert_eq!(run(3, ear), run(29_999, ear), "{ear:?}");
        }
    }

    #[test]
    fn a_reader_whose_format_cannot_be_seen_is_taken_to_have_the_meters() {
        let (mut cable, mut meter) = (Cable::new(START, Disturbance::default()), meter());
        cable.write(b"/?!\r\n", START);
        assert_eq!(advance(&mut cable, 1_100, Ear::Speed(300), &mut meter), b"/LGZ5ZMF110AC.S01\r\n");
        let (mut cable, mut meter) = (Cable::new(START, Disturbance::default()), self::meter());
        cable.write(b"/?!\r\n", START);
        assert_eq!(advance(&mut cable, 5_000, Ear::Speed(9_600), &mut meter), b"");
    }

    #[test]
    fn an_echo_comes_as_it_was_sent() {
        let mut disturbance = Disturbance::new(1);
        disturbance.add(Kind::EchoOnly, Span { from: START, until: None });
        let (mut cable, mut meter) = (Cable::new(START, disturbance), meter());
        cable.write(b"/?!\r\n", START);
        assert_eq!(advance(&mut cable, 5_000, OPENING, &mut meter), b"/?!\r\n");
        assert_eq!(cable.sent().0, 0);
    }

    #[test]
    fn the_line_is_one_after_the_other() {
        #[derive(Debug)]
        struct Nobody;
        impl Station for Nobody {
            fn receive(&mut self, octets: &[u8], _: &Works, _: Instant) -> Vec<u8> {
                octets.to_vec()
            }
            fn is_over(&self) -> bool {
                false
            }
            fn reset(&mut self) {}
        }
        let (mut cable, meter) = (Cable::new(START, Disturbance::default()), meter());
        let mut meter = meter.with_station(Box::new(Nobody));
        let mut seen = Vec::new();
        let mut watch = |said| seen.push(said);
        cable.write(b"/?!\r\n", START);
        cable.advance(at(1_500), OPENING, &mut meter, &mut watch);
        cable.write(b"\x06252\r\n", at(1_500));
        cable.advance(at(3_000), OPENING, &mut meter, &mut watch);
        let emissions = seen.iter().filter(|said| matches!(said, Said::Meter(_))).count();
        assert_eq!(emissions, 2, "{seen:?}");
    }
}
