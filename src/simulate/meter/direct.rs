//! A meter that speaks HDLC from the first octet, 9600 8N1.

use super::{Emission, Meter, Station, Tempo};
use crate::reading::Instant;
use crate::simulate::works::Works;
use crate::wire::Line;

/// The time a meter takes to answer, ms.
const REACTION: i64 = 30;

/// A meter with direct HDLC.
#[derive(Debug)]
pub struct Direct {
    works: Works,
    tempo: Tempo,
    station: Box<dyn Station>,
    answer: Option<Emission>,
}

impl Direct {
    /// What answers on its line.
    #[must_use]
    pub fn new(works: Works, tempo: Tempo, station: Box<dyn Station>) -> Self {
        Self { works, tempo, station, answer: None }
    }
}

impl Meter for Direct {
    fn line(&self) -> Line {
        Line::eight_none(9_600)
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.works.advance(self.tempo.lived(now));
        if !self.works.is_powered() {
            return self.station.reset();
        }
        let answer = self.station.receive(bytes, &self.works, now);
        match &mut self.answer {
            _ if answer.is_empty() => {}
            Some(emission) => emission.bytes.extend(answer),
            None => {
                let at = super::plus_millis(now, REACTION);
                self.answer = Some(Emission { at, line: self.line(), bytes: answer, check: None });
            }
        }
    }

    fn due(&self) -> Option<Instant> {
        self.answer.as_ref().map(|answer| answer.at)
    }

    fn act(&mut self, now: Instant) -> Option<Emission> {
        self.answer.take_if(|answer| answer.at <= now)
    }

    fn works(&self) -> &Works {
        &self.works
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::works::Setup;

    /// Says each frame back.
    #[derive(Debug, Default)]
    struct Parrot {
        frame: Vec<u8>,
    }

    impl Station for Parrot {
        fn receive(&mut self, octets: &[u8], _: &Works, _: Instant) -> Vec<u8> {
            self.frame.extend_from_slice(octets);
            if self.frame.len() > 1 && octets.ends_with(&[0x7E]) { std::mem::take(&mut self.frame) } else { Vec::new() }
        }

        fn is_over(&self) -> bool {
            false
        }

        fn reset(&mut self) {
            self.frame.clear();
        }
    }

    fn meter(outage: bool) -> (Direct, Instant) {
        let start = Instant::from_unix(1_762_525_800);
        let mut setup = Setup::new(1, start);
        setup.before_rollover = Some(1);
        if outage {
            setup.outages.push(start.unix_seconds()..start.unix_seconds() + 10);
        }
        (Direct::new(Works::new(&setup), Tempo::new(start, 1), Box::<Parrot>::default()), start)
    }

    #[test]
    fn a_frame_is_answered_after_a_while() {
        let (mut meter, start) = meter(false);
        for octet in [0x7E, 0xA0, 0x07, 0x7E] {
            meter.receive(&[octet], start);
        }
        assert_eq!(meter.act(start), None);
        let due = meter.due().unwrap();
        assert_eq!(due.unix_micros() - start.unix_micros(), 30_000);
        let answer = meter.act(due).unwrap();
        assert_eq!((answer.bytes.as_slice(), answer.line), (&[0x7E, 0xA0, 0x07, 0x7E][..], Line::eight_none(9_600)));
        assert_eq!(meter.due(), None);
    }

    #[test]
    fn without_mains_the_connection_is_forgotten() {
        let (mut meter, start) = meter(true);
        meter.receive(&[0x7E, 0xA0, 0x7E], start);
        assert_eq!(meter.due(), None);
    }
}
