//! What a text meter shows: registers, load profile, event log.

use crate::reading::Instant;
use crate::simulate::meter::digits::{padded, positive};
use crate::simulate::works::{Entry, Event, PERIOD, Row, Works, shown_wh, status};
use std::fmt::Write as _;

/// The registers of a readout in its order: code and groups.
pub(super) fn registers(works: &Works) -> Vec<(&'static str, String)> {
    let (load, counters) = (works.load(), works.counters());
    let serial = works.serial();
    let [failures, _] = works.failure_counts();
    let kwh = |wh: u64| format!("({}*kWh)", padded(wh, 6, 3));
    let kvarh = |varh: u64| format!("({}*kvarh)", padded(varh, 6, 3));
    let kw = |watts: u64| format!("({}*kW)", padded(watts, 3, 3));
    let (time, date) = clock(works, works.clock());
    let maximum = works.maximum();
    let when = maximum.end.map_or_else(|| "0000000000".to_owned(), |end| minute(works, end));
    let ([import_1, import_2], [export_1, export_2]) = (counters.import, counters.export);
    let mut list = vec![
        ("F.F", "(00000000)".to_owned()),
        ("0.0.0", format!("({serial})")),
        ("C.1.0", format!("({serial})")),
        ("0.9.1", format!("({time})")),
        ("0.9.2", format!("({date})")),
        ("1.8.0", kwh(counters.import_wh())),
        ("1.8.1", kwh(shown_wh(import_1))),
        ("1.8.2", kwh(shown_wh(import_2))),
        ("2.8.0", kwh(counters.export_wh())),
        ("2.8.1", kwh(shown_wh(export_1))),
        ("2.8.2", kwh(shown_wh(export_2))),
        ("3.8.0", kvarh(counters.reactive_import_varh())),
        ("4.8.0", kvarh(counters.reactive_export_varh())),
        ("1.6.0", format!("{}({when})", kw(maximum.watts))),
        ("1.7.0", kw(positive(load.watts()))),
        ("2.7.0", kw(positive(-load.watts()))),
    ];
    for (phase, code) in load.phases.iter().zip(["32.7.0", "52.7.0", "72.7.0"]) {
        list.push((code, format!("({}*V)", padded(positive(phase.decivolts), 3, 1))));
    }
    for (phase, code) in load.phases.iter().zip(["31.7.0", "51.7.0", "71.7.0"]) {
        list.push((code, format!("({}*A)", padded(phase.milliamperes() / 10, 3, 2))));
    }
    let factor = load.power_factor();
    let sign = if factor < 0 { "-" } else { "" };
    list.push(("13.7.0", format!("({sign}{})", padded(u64::from(factor.unsigned_abs()), 1, 3))));
    list.push(("14.7.0", format!("({}*Hz)", padded(positive(load.millihertz) / 10, 2, 2))));
    list.push(("C.7.0", format!("({failures:04})")));
    list.push(("0.2.0", "(S01)".to_owned()));
    list
}

/// The register of a code, however much of the code is written.
pub(super) fn register(works: &Works, code: &str) -> Option<(&'static str, String)> {
    let code = code.strip_prefix("1-0:").or_else(|| code.strip_prefix("0-0:")).unwrap_or(code);
    let code = code.strip_suffix("*255").unwrap_or(code);
    registers(works).into_iter().find(|(name, _)| *name == code)
}

/// Time and date of the local clock, `hhmmss` and, with the season in front, `zYYMMDD`.
fn clock(works: &Works, at: Instant) -> (String, String) {
    let [year, month, day, hour, minute, second, _] = at.meter_time(works.zone()).civil.fields();
    let season = u8::from(works.zone().is_summer(at));
    (format!("{hour:02}{minute:02}{second:02}"), format!("{season}{:02}{month:02}{day:02}", year % 100))
}

/// `YYMMDDhhmm`, as a maximum has it.
fn minute(works: &Works, at: Instant) -> String {
    let (time, date) = clock(works, at);
    format!("{}{}", date.get(1..).unwrap_or_default(), time.get(..4).unwrap_or_default())
}

/// `zYYMMDDhhmmss`.
fn stamp(works: &Works, at: Instant) -> String {
    let (time, date) = clock(works, at);
    format!("{date}{time}")
}

/// The answer to `P.01` over a period, a line each: headers, and rows of the energy of each period.
pub(super) fn profile(works: &Works, range: &Range) -> Vec<String> {
    let mut lines = Vec::new();
    let mut last: Option<(&Row, bool)> = None;
    for row in works.rows().filter(|row| range.contains(works, row.end)) {
        let is_summer = works.zone().is_summer(row.end);
        let goes_on = last.is_some_and(|(before, summer)| {
            before.status == row.status && summer == is_summer && before.end.plus_seconds(PERIOD) == row.end
        });
        if !goes_on {
            let state = status_word(row.status);
            let minutes = PERIOD / 60;
            let time = stamp(works, row.end);
            lines.push(format!("P.01({time})({state:08X})({minutes})(2)(1.29.0)(kWh)(2.29.0)(kWh)"));
        }
        let [import, export] = row.energy_wh;
        lines.push(format!("({})({})", padded(import, 1, 3), padded(export, 1, 3)));
        last = Some((row, is_summer));
    }
    if lines.is_empty() {
        lines.push("P.01(ERROR)".to_owned());
    }
    lines
}

/// The VDEW status word of a row.
const fn status_word(bits: u8) -> u32 {
    let mut word = 0;
    if bits & status::POWER_DOWN != 0 {
        word |= 0x80;
    }
    if bits & status::CLOCK_ADJUSTED != 0 {
        word |= 0x20;
    }
    word
}

/// The answer to `P.98`, an entry a line.
pub(super) fn log(works: &Works, range: &Range) -> Vec<String> {
    let entries: Vec<&Entry> = works.events().collect();
    let mut lines = Vec::new();
    for (n, entry) in entries.iter().enumerate().filter(|(_, entry)| range.contains(works, entry.at)) {
        let mut line = format!("P.98({})", stamp(works, entry.at));
        // Writing to a string cannot fail.
        let _ = match entry.event {
            Event::LogCleared => write!(line, "(00002000)()(0)"),
            Event::PowerDown => write!(line, "(00000080)()(0)"),
            Event::PowerUp => write!(line, "(00000040)()(0)"),
            Event::Season => write!(line, "(00000008)()(0)"),
            Event::ClockBefore => {
                // The time it was set to stands with it.
                let (time, date) = entries.get(n + 1).map_or_else(Default::default, |after| clock(works, after.at));
                write!(line, "(00000020)()(2)(0.9.1)()(0.9.2)()({time})({date})")
            }
            Event::ClockAfter => continue,
            // No bit of the status word tells of covers: the code of DLMS does.
            Event::CoverOpened => write!(line, "(00000000)()(1)(0-0:C.11.1)()(40)"),
            Event::CoverClosed => write!(line, "(00000000)()(1)(0-0:C.11.1)()(41)"),
        };
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push("P.98(ERROR)".to_owned());
    }
    lines
}

/// From when to when, both ends included, by the meter's clock: `YYMMDDhhmmss` and the season in front.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Range {
    from: Option<String>,
    to: Option<String>,
}

impl Range {
    /// `()`, `(;)`, `(from;)`, `(from;to)` and `(;to)`; times with or without seconds. `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('(')?.strip_suffix(')')?;
        let (from, to) = inner.split_once(';').unwrap_or((inner, ""));
        let time = |text: &str| match text.len() {
            0 => Some(None),
            11 | 13 if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(Some(format!("{text:0<13}"))),
            _ => None,
        };
        Some(Self { from: time(from)?, to: time(to)? })
    }

    fn contains(&self, works: &Works, at: Instant) -> bool {
        // Season 2 means UTC; with 0 or 1 the meter's own local time is compared.
        let in_form = |of: &str| match of.starts_with('2') {
            true => {
                let [year, month, day, hour, minute, second, _] =
                    at.meter_time(crate::reading::Zone::UTC).civil.fields();
                format!("{:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}", year % 100)
            }
            false => stamp(works, at).split_off(1),
        };
        let digits = |text: &str| text.get(1..).unwrap_or_default().to_owned();
        self.from.as_deref().is_none_or(|from| in_form(from) >= digits(from))
            && self.to.as_deref().is_none_or(|to| in_form(to) <= digits(to))
    }
}
