//! DSMR P1 as Dutch meters print it (P1 Companion Standard 5.0.2, 4.2.2 and 2.2).

use super::digits::{hexadecimal, padded, positive};
use super::push::Telegram;
use crate::reading::Instant;
use crate::simulate::works::Works;
use crate::wire::{Line, crc};
use std::fmt::Write as _;

/// The edition of the standard a meter follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum P1 {
    /// 9600 7E1, every 10 s, without checksum.
    V2,
    /// 115200 8N1, every 10 s.
    V4,
    /// 115200 8N1, every second.
    V5,
}

/// Lines of text, each ended with CR LF.
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push_str("\r\n");
    }

    fn kwh(&mut self, code: &str, watt_seconds: u64, before: usize) {
        let wh = crate::simulate::works::shown_wh(watt_seconds);
        self.line(&format!("1-0:{code}({}*kWh)", padded(wh, before, 3)));
    }

    fn kw(&mut self, code: &str, watts: i32) {
        self.line(&format!("1-0:{code}({}*kW)", padded(positive(watts), 2, 3)));
    }
}

impl Telegram for P1 {
    fn line(&self) -> Line {
        match self {
            Self::V2 => Line::seven_even(9_600),
            Self::V4 | Self::V5 => Line::eight_none(115_200),
        }
    }

    fn period(&self) -> u32 {
        match self {
            Self::V2 | Self::V4 => 10,
            Self::V5 => 1,
        }
    }

    fn write(&mut self, works: &Works) -> (Vec<u8>, Option<usize>) {
        let mut text = Text(String::with_capacity(1_024));
        match self {
            Self::V2 => second(&mut text, works),
            Self::V4 => fourth(&mut text, works),
            Self::V5 => fifth(&mut text, works),
        }
        text.0.push('!');
        if *self == Self::V2 {
            text.line("");
            return (text.0.into_bytes(), None);
        }
        let sum = crc::arc(text.0.as_bytes());
        let check = text.0.len();
        text.line(&format!("{sum:04X}"));
        (text.0.into_bytes(), Some(check))
    }
}

/// `E` and sixteen digits, each character as two hexadecimal digits.
fn equipment(works: &Works) -> String {
    hexadecimal(format!("E0065{:012}", works.serial()).as_bytes())
}

/// Date and time by the local clock, `S` in summer and `W` in winter.
fn stamp(works: &Works, at: Instant) -> String {
    let [year, month, day, hour, minute, second, _] = at.meter_time(works.zone()).civil.fields();
    let season = if works.zone().is_summer(at) { 'S' } else { 'W' };
    format!("{:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}{season}", year % 100)
}

/// In the Netherlands tariff 1 is the low one.
fn energies(text: &mut Text, works: &Works, before: usize) {
    let counters = works.counters();
    let ([high, low], [high_export, low_export]) = (counters.import, counters.export);
    text.kwh("1.8.1", low, before);
    text.kwh("1.8.2", high, before);
    text.kwh("2.8.1", low_export, before);
    text.kwh("2.8.2", high_export, before);
    text.line(&format!("0-0:96.14.0({:04})", if works.tariff() == 1 { 1 } else { 2 }));
}

fn failures(text: &mut Text, works: &Works) {
    let [all, long] = works.failure_counts();
    text.line(&format!("0-0:96.7.21({all:05})"));
    text.line(&format!("0-0:96.7.9({long:05})"));
    let mut log = format!("1-0:99.97.0({})(0-0:96.7.19)", works.long_failures().len());
    for failure in works.long_failures().rev() {
        // Writing to a string cannot fail.
        let _ = write!(log, "({})({:010}*s)", stamp(works, failure.end), failure.seconds);
    }
    text.line(&log);
}

fn counts_of_sags_and_swells(text: &mut Text) {
    for kind in [32, 36] {
        for phase in [32, 52, 72] {
            text.line(&format!("1-0:{phase}.{kind}.0(00000)"));
        }
    }
}

fn currents(text: &mut Text, works: &Works) {
    for (phase, code) in works.load().phases.iter().zip([31, 51, 71]) {
        text.line(&format!("1-0:{code}.7.0({:03}*A)", (phase.milliamperes() + 500) / 1_000));
    }
}

fn fifth(text: &mut Text, works: &Works) {
    let load = works.load();
    text.line("/XMX5LGF0010455445");
    text.line("");
    text.line("1-3:0.2.8(50)");
    text.line(&format!("0-0:1.0.0({})", stamp(works, works.clock())));
    text.line(&format!("0-0:96.1.1({})", equipment(works)));
    energies(text, works, 6);
    text.kw("1.7.0", load.watts());
    text.kw("2.7.0", -load.watts());
    failures(text, works);
    counts_of_sags_and_swells(text);
    text.line("0-0:96.13.0()");
    for (phase, code) in load.phases.iter().zip([32, 52, 72]) {
        text.line(&format!("1-0:{code}.7.0({}*V)", padded(positive(phase.decivolts), 3, 1)));
    }
    currents(text, works);
    for (phase, code) in load.phases.iter().zip(["21.7.0", "41.7.0", "61.7.0"]) {
        text.kw(code, phase.watts);
    }
    for (phase, code) in load.phases.iter().zip(["22.7.0", "42.7.0", "62.7.0"]) {
        text.kw(code, -phase.watts);
    }
}

fn fourth(text: &mut Text, works: &Works) {
    let load = works.load();
    text.line("/XMX5LGBBFG1009325446");
    text.line("");
    text.line("1-3:0.2.8(42)");
    text.line(&format!("0-0:1.0.0({})", stamp(works, works.clock())));
    text.line(&format!("0-0:96.1.1({})", equipment(works)));
    energies(text, works, 6);
    text.kw("1.7.0", load.watts());
    text.kw("2.7.0", -load.watts());
    failures(text, works);
    counts_of_sags_and_swells(text);
    text.line("0-0:96.13.1()");
    text.line("0-0:96.13.0()");
    currents(text, works);
    for (phase, [import, export]) in
        load.phases.iter().zip([["21.7.0", "22.7.0"], ["41.7.0", "42.7.0"], ["61.7.0", "62.7.0"]])
    {
        text.kw(import, phase.watts);
        text.kw(export, -phase.watts);
    }
}

fn second(text: &mut Text, works: &Works) {
    let watts = works.load().watts();
    text.line("/ISk5\\2MT382-1003");
    text.line("");
    text.line(&format!("0-0:96.1.1({})", equipment(works)));
    energies(text, works, 5);
    for (code, watts) in [("1.7.0", watts), ("2.7.0", -watts)] {
        text.line(&format!("1-0:{code}({}*kW)", padded(positive(watts) / 10, 4, 2)));
    }
    text.line("0-0:17.0.0(0999.00*kW)");
    text.line("0-0:96.3.10(1)");
    text.line("0-0:96.13.1()");
    text.line("0-0:96.13.0()");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::meter::{Meter as _, Push};
    use crate::simulate::works::Setup;
    use crate::wire::{Cut, text};

    fn first(p1: P1) -> String {
        let start = Instant::parse_utc("2025-11-07T14:30:00Z").unwrap();
        let mut meter = Push::new(Works::new(&Setup::new(1, start)), p1);
        let emission = meter.act(start).unwrap();
        assert_eq!((emission.at, meter.due()), (start, Some(start.plus_seconds(i64::from(p1.period())))));
        String::from_utf8(emission.bytes).unwrap()
    }

    #[test]
    fn telegrams_are_those_of_the_standard() {
        for (p1, check) in [(P1::V2, text::Check::None), (P1::V4, text::Check::Crc), (P1::V5, text::Check::Crc)] {
            let telegram = first(p1);
            let Cut::Whole { value, .. } = text::cut(telegram.as_bytes(), false, true) else { panic!("{telegram}") };
            assert_eq!(value.check, check, "{telegram}");
            assert!(telegram.ends_with("\r\n") && !telegram.replace("\r\n", "").contains(['\r', '\n']));
        }
    }

    #[test]
    fn a_telegram_tells_time_tariff_and_failures() {
        let telegram = first(P1::V5);
        for line in ["1-3:0.2.8(50)", "0-0:1.0.0(251107153000W)", "0-0:96.14.0(0002)", "0-0:96.7.21(00002)"] {
            assert!(telegram.contains(&format!("\r\n{line}\r\n")), "{line}: {telegram}");
        }
        let log = telegram.lines().find(|line| line.starts_with("1-0:99.97.0(1)(0-0:96.7.19)(2511")).unwrap();
        assert!(log.ends_with("*s)"), "{log}");
    }
}
