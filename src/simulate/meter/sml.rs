//! The SML push of a German basic meter (FNN): a file a second through the optical port, 9600 8N1.

use super::push::Telegram;
use crate::reading::Obis;
use crate::simulate::works::Works;
use crate::wire::Line;
use crate::wire::sml::encode::{self, ABSENT};

/// Units of DLMS, by number.
mod unit {
    pub(super) const W: u8 = 27;
    pub(super) const WH: u8 = 30;
    pub(super) const A: u8 = 33;
    pub(super) const V: u8 = 35;
    pub(super) const HZ: u8 = 44;
}

/// The push. Without its PIN a meter only tells whole kWh.
#[derive(Debug, Clone)]
pub struct Sml {
    unlocked: bool,
    messages: u32,
}

impl Sml {
    /// A meter whose owner has entered the PIN, or has not.
    #[must_use]
    pub const fn new(unlocked: bool) -> Self {
        Self { unlocked, messages: 0 }
    }

    fn message(&mut self, id: u16, body: &[u8]) -> Vec<u8> {
        self.messages = self.messages.wrapping_add(1);
        encode::message(&self.messages.to_be_bytes(), 0, id, body)
    }
}

/// Entries of a list of values.
#[derive(Default)]
struct Entries {
    octets: Vec<u8>,
    count: u8,
}

impl Entries {
    /// Code, status, time (always absent), unit and scaler; the value is written by the last argument, the signature is
    /// absent.
    fn add(&mut self, code: Obis, status: Option<u32>, unit: Option<(u8, i8)>, value: impl FnOnce(&mut Vec<u8>)) {
        let out = &mut self.octets;
        encode::list(out, 7);
        encode::octets(out, &code.octets());
        match status {
            Some(status) => encode::unsigned(out, &status.to_be_bytes()),
            None => out.push(ABSENT),
        }
        out.push(ABSENT);
        match unit {
            Some((unit, scaler)) => {
                encode::unsigned(out, &[unit]);
                encode::integer(out, &scaler.to_be_bytes());
            }
            None => out.extend([ABSENT, ABSENT]),
        }
        value(out);
        out.push(ABSENT);
        self.count = self.count.saturating_add(1);
    }

    fn text(&mut self, code: Obis, octets: &[u8]) {
        self.add(code, None, None, |out| encode::octets(out, octets));
    }

    fn energy(&mut self, code: Obis, status: Option<u32>, scaler: i8, value: u64) {
        self.add(code, status, Some((unit::WH, scaler)), |out| encode::unsigned(out, &value.to_be_bytes()));
    }

    fn power(&mut self, code: Obis, watts: i32) {
        self.add(code, None, Some((unit::W, 0)), |out| encode::integer(out, &watts.to_be_bytes()));
    }

    fn small(&mut self, code: Obis, unit: u8, scaler: i8, value: u64) {
        let value = u16::try_from(value).unwrap_or(u16::MAX);
        self.add(code, None, Some((unit, scaler)), |out| encode::unsigned(out, &value.to_be_bytes()));
    }
}

impl Telegram for Sml {
    fn line(&self) -> Line {
        Line::eight_none(9_600)
    }

    fn period(&self) -> u32 {
        1
    }

    fn write(&mut self, works: &Works) -> (Vec<u8>, Option<usize>) {
        let mut server = [0x0A, 0x01, b'L', b'G', b'Z', 0, 0, 0, 0, 0];
        server[6..].copy_from_slice(&works.serial().to_be_bytes());

        let mut open = Vec::new();
        encode::list(&mut open, 6);
        open.extend([ABSENT, ABSENT]);
        encode::octets(&mut open, &(self.messages / 3).to_be_bytes());
        encode::octets(&mut open, &server);
        open.extend([ABSENT, ABSENT]);

        let entries = self.entries(works, &server);
        let mut list = Vec::new();
        encode::list(&mut list, 7);
        list.push(ABSENT);
        encode::octets(&mut list, &server);
        encode::octets(&mut list, &[1, 0, 98, 10, 0xFF, 0xFF]);
        // A count of seconds, no date.
        encode::list(&mut list, 2);
        encode::unsigned(&mut list, &[1]);
        encode::unsigned(&mut list, &works.seconds_of_operation().to_be_bytes());
        encode::list(&mut list, entries.count);
        list.extend(entries.octets);
        list.extend([ABSENT, ABSENT]);

        let payload =
            [self.message(0x0101, &open), self.message(0x0701, &list), self.message(0x0201, &[0x71, ABSENT])].concat();
        let file = encode::file(&payload);
        let check = file.len() - 1;
        (file, Some(check))
    }
}

impl Sml {
    fn entries(&self, works: &Works, server: &[u8]) -> Entries {
        let (load, counters) = (works.load(), works.counters());
        let (import, export) = (counters.import_tenths_wh(), counters.export_tenths_wh());
        let (import_code, export_code) = (Obis::electricity(1, 8, 0), Obis::electricity(2, 8, 0));
        let mut entries = Entries::default();
        entries.text(Obis::new(1, 0, 96, 50, 1, 1), b"LGZ");
        entries.text(Obis::new(1, 0, 96, 1, 0, 255), server);
        let status = status(works);
        if !self.unlocked {
            entries.energy(import_code, Some(status), 3, import / 10_000);
            entries.energy(export_code, None, 3, export / 10_000);
            return entries;
        }
        entries.energy(import_code, Some(status), -1, import);
        entries.energy(export_code, None, -1, export);
        entries.power(Obis::electricity(16, 7, 0), load.watts());
        for (phase, c) in load.phases.iter().zip([36, 56, 76]) {
            entries.power(Obis::electricity(c, 7, 0), phase.watts);
        }
        for (phase, c) in load.phases.iter().zip([32, 52, 72]) {
            entries.small(Obis::electricity(c, 7, 0), unit::V, -1, super::digits::positive(phase.decivolts));
        }
        for (phase, c) in load.phases.iter().zip([31, 51, 71]) {
            entries.small(Obis::electricity(c, 7, 0), unit::A, -2, phase.milliamperes() / 10);
        }
        entries.small(Obis::electricity(14, 7, 0), unit::HZ, -1, super::digits::positive(load.millihertz) / 100);
        entries
    }
}

/// The status word of the FNN: 2 always, 8 running, 11 the sum flows out, 12 to 14 a phase flows out, 18 to 20 all phases
/// have voltage.
fn status(works: &Works) -> u32 {
    let load = works.load();
    let out = load.phases.iter().zip([12, 13, 14]).map(|(phase, bit)| u32::from(phase.watts < 0) << bit);
    0x1C_0104 | u32::from(load.watts() < 0) << 11 | out.sum::<u32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Instant;
    use crate::simulate::meter::{Meter as _, Push};
    use crate::simulate::works::Setup;
    use crate::wire::{Cut, sml};

    fn first(unlocked: bool) -> Vec<u8> {
        let start = Instant::parse_utc("2025-11-07T14:30:00Z").unwrap();
        Push::new(Works::new(&Setup::new(1, start)), Sml::new(unlocked)).act(start).unwrap().bytes
    }

    #[test]
    fn a_file_is_whole_and_fits_into_its_second() {
        for unlocked in [true, false] {
            let bytes = first(unlocked);
            let Cut::Whole { len, .. } = sml::cut(&bytes, false) else { panic!("{bytes:02x?}") };
            assert_eq!(len, bytes.len());
            assert!(Line::eight_none(9_600).time_of(len).as_millis() < 900);
        }
    }

    #[test]
    fn without_the_pin_power_is_missing() {
        let power = Obis::electricity(16, 7, 0).octets();
        let has_power = |bytes: &[u8]| bytes.windows(6).any(|window| window == power);
        assert!(has_power(&first(true)) && !has_power(&first(false)));
    }
}
