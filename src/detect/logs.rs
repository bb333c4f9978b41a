//! The meter's own event logs: power failures of P1, P.98 of readouts, 99.98.x of DLMS.
//!
//! Logs are ring buffers that are read again and again. An entry is known by its log, kind, phase and time, so it is there
//! once however often it is read. An entry that says that something is over ends the row of its beginning.

use super::exact::seconds_between;
use super::rules::{Rule, Rules};
use super::seen::Seen;
use super::{Finding, Setting, words};
use crate::acquire::log;
use crate::acquire::quirks::events;
use crate::reading::{Code, Decimal, Event, Instant, LogEntry, Obis, Origin, Severity, Value};
use smol_str::{SmolStr, format_smolstr};

#[derive(Debug)]
pub(super) struct Logs {
    outage: Rule,
    setting: Setting,
    rules: Rules,
    /// The logs as they were last.
    last: Vec<(Code, Value)>,
    /// The end of the newest power failure in a log.
    newest: Option<Instant>,
}

impl Logs {
    pub(super) fn new(rules: &Rules, setting: Setting) -> Self {
        Self { outage: rules.get("coupure"), setting, rules: rules.clone(), last: Vec::new(), newest: None }
    }

    /// How many power failures are in the logs that were not before.
    pub(super) fn push(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> i64 {
        let lists = seen.reading.registers.iter().filter(|register| matches!(register.value, Value::List(_)));
        let mut is_new = false;
        for list in lists {
            match self.last.iter_mut().find(|(code, _)| *code == list.code) {
                Some((_, value)) if *value == list.value => {}
                Some((_, value)) => {
                    value.clone_from(&list.value);
                    is_new = true;
                }
                None => {
                    self.last.push((list.code.clone(), list.value.clone()));
                    is_new = true;
                }
            }
        }
        if !is_new {
            return 0;
        }
        let events = self.events(&log::entries(seen.reading));
        let ends = events.iter().filter(|event| event.kind == "coupure").filter_map(|event| event.end);
        let fresh = match self.newest {
            Some(newest) => ends.clone().filter(|end| *end > newest).count(),
            None => 0,
        };
        self.newest = self.newest.max(ends.max());
        found.extend(events.into_iter().map(Finding::Event));
        i64::try_from(fresh).unwrap_or(i64::MAX)
    }

    fn events(&self, entries: &[LogEntry]) -> Vec<Event> {
        let mut entries: Vec<(Instant, &LogEntry)> = entries
            .iter()
            .filter_map(|entry| Some((entry.time?.resolve(self.setting.zone).earliest(), entry)))
            .collect();
        entries.sort_by_key(|(at, _)| *at);
        let mut events: Vec<Event> = Vec::new();
        for (at, entry) in entries {
            if let Some(event) = self.failure(at, entry) {
                put(&mut events, event);
            } else {
                self.entry(at, entry, &mut events);
            }
        }
        // What is off is not told.
        events.into_iter().filter_map(|event| self.rules.of_meter(event)).collect()
    }

    /// A line of the power failure log: its time is the end.
    fn failure(&self, end: Instant, entry: &LogEntry) -> Option<Event> {
        let is_log = entry.log.obis().is_some_and(|obis| matches!((obis.c(), obis.d()), (99, 97)));
        if !is_log && entry.log.key() != "1-0:99:97.0" {
            return None;
        }
        let (_, text) = entry.values.first()?;
        let seconds: Decimal = text.split('*').next()?.parse().ok()?;
        let start = Instant::from_unix_micros(end.unix_micros() - super::exact::millionths(seconds)?);
        Some(self.outage(start, end, &entry.log))
    }

    fn outage(&self, start: Instant, end: Instant, log: &Code) -> Event {
        let length = seconds_between(start, end);
        let is_long = self.outage.severe.is_some_and(|severe| length > severe);
        let text = format_smolstr!("Coupure, durée {}", words::length(words::between(start, end)));
        Event {
            end: Some(end),
            severity: self.outage.severity(is_long),
            value: Some(length),
            unit: Some(SmolStr::new_static("s")),
            threshold: self.outage.severe,
            ..said("coupure", self.outage.severity, start, log, text)
        }
    }

    /// A line with the number of an event, or with a status word.
    fn entry(&self, at: Instant, entry: &LogEntry, events: &mut Vec<Event>) {
        let log = entry.log.key();
        match number(entry) {
            Some(number) => {
                let known = self.setting.family.zip(entry.log.obis());
                let meaning = known.and_then(|(family, log)| events::meaning(family, log, number));
                let Some(meaning) = meaning else {
                    let text = format_smolstr!("Événement {number} du compteur (journal {log})");
                    return put(events, said("evenement_compteur", Severity::Info, at, &entry.log, text));
                };
                let phase = phase_of(meaning.text);
                if self.ends(number, phase, at, events) {
                    return;
                }
                let title = super::title(meaning.kind);
                let text = format_smolstr!("{title}{} (journal {log}, code {number})", words::phase(phase));
                let end = (!begins(number)).then_some(at);
                put(
                    events,
                    Event { phase, end, ..said(meaning.kind, severity(meaning.severity), at, &entry.log, text) },
                );
            }
            None => self.status(at, entry, events),
        }
    }

    /// Ends what an entry says is over.
    fn ends(&self, number: u8, phase: Option<u8>, at: Instant, events: &mut [Event]) -> bool {
        let kinds: &[&str] = match number {
            2 => &["coupure"],
            36..=38 | 217..=219 => &["sous_tension", "creux_tension"],
            43 => &["champ_magnetique"],
            66 => &["puissance_souscrite_depassee"],
            85..=87 => &["coupure_phase", "creux_tension", "surtension"],
            207 => &["courant_interrompu"],
            209 => &["desequilibre_tension"],
            220..=222 => &["surtension"],
            223..=225 => &["coupure_phase"],
            242 => &["perte_neutre"],
            _ => return false,
        };
        let phase = phase.or_else(|| phase_by_number(number));
        let open = events.iter_mut().rev().find(|event| {
            event.end.is_none() && kinds.contains(&event.kind.as_str()) && event.phase == phase && event.start <= at
        });
        let Some(open) = open else { return false };
        if open.kind == "coupure" {
            let code = open.code.take();
            *open = Event { code, ..self.outage(open.start, at, &Code::Named(SmolStr::default())) };
        } else {
            open.end = Some(at);
            let length = words::length(words::between(open.start, at));
            open.description = format_smolstr!("{}, durée {length}", open.description);
        }
        true
    }

    /// The bits of a status word of P.98 (VDEW; LEM EM4TII, Table 4.5).
    fn status(&self, at: Instant, entry: &LogEntry, events: &mut Vec<Event>) {
        let Ok(status) = u32::from_str_radix(&entry.status, 16) else { return };
        let log = entry.log.key();
        for &(mask, kind, severity) in STATUS {
            if status & mask == 0 {
                continue;
            }
            let text = format_smolstr!("{} (journal {log}, état {})", super::title(kind), entry.status);
            let end = (kind != "coupure").then_some(at);
            put(events, Event { end, ..said(kind, severity, at, &entry.log, text) });
        }
        if status & 0x40 != 0 && !self.ends(2, None, at, events) {
            let text = format_smolstr!("Retour de l'alimentation (journal {log}, état {})", entry.status);
            put(events, said("coupure", Severity::Info, at, &entry.log, text));
        }
    }
}

/// The bits that begin something or stand for themselves.
const STATUS: &[(u32, &str, Severity)] = &[
    (0x4000, "journal_efface", Severity::Warning),
    (0x2000, "journal_efface", Severity::Warning),
    (0x0200, "erreur_compteur", Severity::Error),
    (0x0100, "parametres_modifies", Severity::Warning),
    (0x0080, "coupure", Severity::Warning),
    (0x0020, "decalage_horloge", Severity::Warning),
    (0x0010, "remise_a_zero_max", Severity::Warning),
    (0x0008, "changement_heure", Severity::Info),
    (0x0004, "mesure_perturbee", Severity::Warning),
    (0x0002, "horloge_invalide", Severity::Error),
    (0x0001, "erreur_compteur", Severity::Error),
];

/// The events of a log that was asked for.
#[must_use]
pub fn log_events(entries: &[LogEntry], rules: &Rules, setting: Setting) -> Vec<Event> {
    Logs::new(rules, setting).events(entries)
}

/// Adds an event; the second of its kind at the same time comes a microsecond later, so that both are kept.
fn put(events: &mut Vec<Event>, mut event: Event) {
    let is_there = |event: &Event, other: &Event| {
        other.kind == event.kind
            && other.phase == event.phase
            && other.start == event.start
            && other.origin == event.origin
    };
    while events.iter().any(|other| is_there(&event, other)) {
        event.start = Instant::from_unix_micros(event.start.unix_micros() + 1);
    }
    events.push(event);
}

/// The number of an event, which stands under 0-0:96.11.x.
fn number(entry: &LogEntry) -> Option<u8> {
    let is_number =
        |code: &Code| code.obis().is_some_and(|obis| matches!(obis.octets(), [0, _, 96, 11, 0..=12 | 21, _]));
    entry.values.iter().find(|(code, _)| is_number(code)).and_then(|(_, text)| text.parse().ok())
}

/// Whether another number says when it is over.
const fn begins(number: u8) -> bool {
    matches!(number, 1 | 33..=35 | 42 | 65 | 76..=84 | 206 | 208 | 211..=213 | 241)
}

fn phase_of(text: &str) -> Option<u8> {
    [("L1", 1), ("L2", 2), ("L3", 3)].into_iter().find(|(name, _)| text.ends_with(name)).map(|(_, phase)| phase)
}

/// The phase of numbers that come in threes and do not say it.
const fn phase_by_number(number: u8) -> Option<u8> {
    match number {
        217..=225 => Some((number - 217) % 3 + 1),
        _ => None,
    }
}

const fn severity(severity: events::Severity) -> Severity {
    match severity {
        events::Severity::Info => Severity::Info,
        events::Severity::Warning => Severity::Warning,
        events::Severity::Error => Severity::Error,
        events::Severity::Critical => Severity::Critical,
    }
}

/// What the meter says.
pub(super) fn said(
    kind: &'static str,
    severity: Severity,
    at: Instant,
    code: &Code,
    text: impl Into<SmolStr>,
) -> Event {
    Event {
        meter: None,
        kind: SmolStr::new_static(kind),
        severity,
        start: at,
        end: Some(at),
        description: text.into(),
        value: None,
        unit: None,
        code: Some(code.key()),
        threshold: None,
        phase: None,
        origin: Origin::Meter,
    }
}

/// The same of a numeric code.
pub(super) fn said_by(
    kind: &'static str,
    severity: Severity,
    at: Instant,
    code: Obis,
    text: impl Into<SmolStr>,
) -> Event {
    said(kind, severity, at, &Code::Obis(code), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acquire::quirks::events::Family;
    use crate::reading::{CivilTime, MeterTime, Zone};

    fn entry(minute: u8, number: u8) -> LogEntry {
        LogEntry {
            log: Code::Obis(Obis::new(0, 0, 99, 98, 0, 255)),
            time: Some(MeterTime::local(CivilTime::new(2025, 11, 7, 12, minute, 0).unwrap())),
            status: SmolStr::default(),
            values: vec![(Code::Obis(Obis::new(0, 0, 96, 11, 0, 255)), format_smolstr!("{number}"))],
        }
    }

    fn told(family: Option<Family>, entries: &[LogEntry]) -> Vec<String> {
        let setting = Setting { zone: Zone::UTC, family };
        let events = log_events(entries, &Rules::default(), setting);
        events.iter().map(|event| format!("{} {} {}", event.kind, event.severity, event.description)).collect()
    }

    #[test]
    fn a_beginning_and_its_end_are_one_row() {
        // As logs are sent: the newest first.
        let log = [entry(9, 87), entry(5, 84), entry(4, 2), entry(0, 1)];
        assert_eq!(
            told(Some(Family::Idis), &log),
            [
                "coupure error Coupure, durée 4 min",
                "coupure_phase error Coupure de phase L3 (journal 0-0:99.98.0, code 84), durée 4 min"
            ]
        );
        assert_eq!(told(Some(Family::Idis), &[entry(9, 2)]), ["coupure info Coupure (journal 0-0:99.98.0, code 2)"]);
    }

    #[test]
    fn without_a_family_a_number_stays_a_number_and_equals_are_kept() {
        assert_eq!(
            told(None, &[entry(0, 42)]),
            ["evenement_compteur info Événement 42 du compteur (journal 0-0:99.98.0)"]
        );
        assert_eq!(told(Some(Family::Dsmr4), &[entry(0, 46), entry(0, 46)]).len(), 2);
    }

    #[test]
    fn a_status_word_tells_what_its_bits_mean() {
        let mut failed = entry(0, 0);
        failed.log = Code::parse(b"P.98");
        failed.values.clear();
        failed.status = "0080".into();
        let mut returned = LogEntry { status: "0040".into(), ..failed.clone() };
        returned.time = entry(2, 0).time;
        assert_eq!(told(None, &[failed.clone(), returned.clone()]), ["coupure warning Coupure, durée 2 min"]);
        assert_eq!(told(None, &[returned])[0], "coupure info Retour de l'alimentation (journal 1-0:P.98, état 0040)");
        failed.status = "2001".into();
        assert_eq!(told(None, &[failed]).len(), 2);
    }
}
