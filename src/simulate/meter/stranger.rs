//! What may hang on a serial port and is no meter.

use super::digits::hexadecimal;
use super::push::Telegram;
use super::{Emission, Meter};
use crate::reading::{Instant, Zone};
use crate::simulate::works::Works;
use crate::wire::Line;

/// A GPS receiver: sentences of NMEA 0183, 4800 8N1, every second.
#[derive(Debug, Clone, Copy)]
pub struct Gps;

impl Telegram for Gps {
    fn line(&self) -> Line {
        Line::eight_none(4_800)
    }

    fn period(&self) -> u32 {
        1
    }

    fn write(&mut self, works: &Works) -> (Vec<u8>, Option<usize>) {
        let [year, month, day, hour, minute, second, _] = works.now().meter_time(Zone::UTC).civil.fields();
        let (time, date) =
            (format!("{hour:02}{minute:02}{second:02}.00"), format!("{day:02}{month:02}{:02}", year % 100));
        let mut text = sentence(&format!("GPRMC,{time},A,4722.0100,N,00832.4500,E,0.0,0.0,{date},,,A"));
        text += &sentence(&format!("GPGGA,{time},4722.0100,N,00832.4500,E,1,08,1.0,408.0,M,48.0,M,,"));
        (text.into_bytes(), None)
    }
}

fn sentence(body: &str) -> String {
    let sum = body.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("${body}*{}\r\n", hexadecimal(&[sum]))
}

/// A modem that knows nothing but `AT`, at whatever speed it is spoken to, with the echo that modems have.
#[derive(Debug)]
pub struct Modem {
    works: Works,
    line: Line,
    command: Vec<u8>,
    answer: Option<Emission>,
}

impl Modem {
    /// One that waits for a command.
    #[must_use]
    pub const fn new(works: Works) -> Self {
        Self { works, line: Line::eight_none(115_200), command: Vec::new(), answer: None }
    }
}

impl Meter for Modem {
    fn line(&self) -> Line {
        self.line
    }

    fn tune(&mut self, reader: Line) {
        self.line = reader;
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.works.advance(now);
        let mut answer = Vec::new();
        for &byte in bytes {
            answer.push(byte);
            if byte == b'\r' {
                let known = self.command.to_ascii_uppercase().starts_with(b"AT");
                answer.extend_from_slice(if known { b"\r\nOK\r\n" } else { b"\r\nERROR\r\n" });
                self.command.clear();
            } else if self.command.len() < 64 && byte.is_ascii_graphic() {
                self.command.push(byte);
            }
        }
        match &mut self.answer {
            Some(emission) => emission.bytes.extend(answer),
            None => self.answer = Some(Emission { at: now, line: self.line(), bytes: answer, check: None }),
        }
    }

    fn due(&self) -> Option<Instant> {
        self.answer.as_ref().map(|answer| answer.at)
    }

    fn act(&mut self, _: Instant) -> Option<Emission> {
        self.answer.take()
    }

    fn works(&self) -> &Works {
        &self.works
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::works::Setup;

    #[test]
    fn a_sentence_has_the_checksum_of_nmea() {
        // A published example.
        let body = "GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,";
        assert!(sentence(body).ends_with("*47\r\n"));
    }

    #[test]
    fn a_modem_echoes_and_answers() {
        let start = Instant::from_unix(1_762_525_800);
        let mut setup = Setup::new(1, start);
        setup.before_rollover = Some(1);
        let mut modem = Modem::new(Works::new(&setup));
        for (said, answer) in [("ATZ\r", "ATZ\r\r\nOK\r\n"), ("/?!\r\n", "/?!\r\r\nERROR\r\n\n")] {
            for byte in said.bytes() {
                modem.receive(&[byte], start);
            }
            assert_eq!(modem.act(start).unwrap().bytes, answer.as_bytes());
        }
        assert_eq!(modem.due(), None);
    }
}
