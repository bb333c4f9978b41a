//! What the meter says outside its logs: registers of errors and alarms, status words, counts of failures, its breaker,
//! messages, sub-meters.
//!
//! What stands there when the meter is first seen is no news; what changes is.

use super::Finding;
use super::exact::seconds_between;
use super::logs::{said, said_by};
use super::machine::{Hold, Look, Machine, Side, Verdict};
use super::rules::{Rule, Rules};
use super::seen::{Seen, bare, tell};
use super::sent::{bits_of, count_of, hex_of, hex_text};
use super::words;
use crate::reading::{Code, Decimal, Event, Instant, Obis, Protocol, Register, Severity};
use smol_str::{SmolStr, format_smolstr};

#[derive(Debug)]
pub(super) struct Signs {
    rules: Rules,
    rotation_rule: Rule,
    /// What was set when it was seen last, and since when; `None` where it was from the beginning.
    flags: Vec<(FlagKey, bool, Option<Instant>)>,
    counts: Vec<(Obis, i64)>,
    texts: Vec<(Obis, SmolStr)>,
    /// The most phases that a status word has shown.
    phases: u32,
    rotation: Machine,
    usual: Option<bool>,
}

/// Which flag: kind, phase, and a number where there are several of a kind.
type FlagKey = (&'static str, Option<u8>, u16);

/// What a flag is about.
struct Flag<'t> {
    key: FlagKey,
    severity: Severity,
    code: &'t Code,
    text: &'t str,
}

/// Bits of alarm register 1 in the DSMR layout (DSMR 4.2.2 P3): mask, kind, severity, words.
const ALARMS: &[(u64, &str, Severity, &str)] = &[
    (0x0000_0001, "horloge_invalide", Severity::Error, "horloge invalide"),
    (0x0000_0002, "pile_faible", Severity::Warning, "pile à remplacer"),
    (0x0000_0100, "erreur_compteur", Severity::Critical, "mémoire du programme"),
    (0x0000_0200, "erreur_compteur", Severity::Critical, "mémoire vive"),
    (0x0000_0400, "erreur_compteur", Severity::Critical, "mémoire non volatile"),
    (0x0000_0800, "erreur_mesure", Severity::Critical, "système de mesure"),
    (0x0000_1000, "erreur_compteur", Severity::Error, "redémarrage par le chien de garde"),
    (0x0000_2000, "fraude_suspectee", Severity::Critical, "tentative de fraude"),
    (0x000F_0000, "sous_compteur_communication", Severity::Warning, "communication avec un sous-compteur"),
    (0x00F0_0000, "sous_compteur_fraude", Severity::Critical, "fraude à un sous-compteur"),
    (0x0F00_0000, "sous_compteur_nouveau", Severity::Info, "nouveau sous-compteur"),
];

/// Counts of power failures: of any phase or all, and of these the long ones.
const FAILURES: [[Obis; 2]; 2] = [
    [Obis::new(0, 0, 96, 7, 21, 255), Obis::new(0, 0, 96, 7, 0, 255)],
    [Obis::new(0, 0, 96, 7, 9, 255), Obis::new(0, 0, 96, 7, 5, 255)],
];

/// A message may be long; so much of it is told.
const MESSAGE: usize = 200;

impl Signs {
    pub(super) fn new(rules: &Rules) -> Self {
        let rotation_rule = rules.get("inversion_phases");
        let hold = Hold::seconds(rotation_rule.hold(), rotation_rule.hold());
        Self {
            rules: rules.clone(),
            rotation_rule,
            flags: Vec::new(),
            counts: Vec::new(),
            texts: Vec::new(),
            phases: 0,
            rotation: Machine::new(Side::Above, hold),
            usual: None,
        }
    }

    /// Looks at a reading in which `failures` new power failures stood in a log.
    pub(super) fn push(&mut self, seen: &Seen<'_>, failures: i64, found: &mut Vec<Finding>) {
        let mut rises: Vec<(Obis, i64)> = Vec::new();
        let mut is_restarted = false;
        for register in &seen.reading.registers {
            let obis = match &register.code {
                Code::Obis(obis) => *obis,
                Code::Named(_) => match register.code.resolved() {
                    Some(obis) if obis.a() == 0 && matches!(obis.c(), 96 | 97) => obis,
                    _ => continue,
                },
            };
            match obis.octets() {
                [_, _, 97, 97, _, 255] => self.errors(register, seen.at, found),
                [0, 0, 97, 98, 0, 255] => self.alarms(register, seen.at, found),
                [0, 0, 96, 7, 0..=3 | 5..=9 | 21, 255] | [1, _, 32 | 52 | 72, 32 | 36, 0, 255] => {
                    rises.extend(self.rise(obis, register));
                }
                [0, 0, 96, 8, 0, 255] => is_restarted |= self.falls(obis, register),
                [0, 0, 96, 3, 10, 255] => self.breaker(register, seen.at, found),
                [0, 0, 96, 13, 0, 255] => self.message(obis, register, seen.at, found),
                [0, 1..=8, 24 | 96, 1, 0, 255] => self.sub_meter(obis, register, seen.at, found),
                [0, 0, 96, 14, 0, 255] => self.tariff(obis, register, seen.at, found),
                [1, 0, 96, 5, 5, 255] => self.easy_meter(register, seen.at, found),
                [1, _, 1, 8, 0, 255] if seen.reading.protocol == Protocol::Sml => self.status(register, seen.at, found),
                [1, 0, 81, 7, 1, 255] => self.turning(register, seen, found),
                _ => {}
            }
        }
        if !rises.is_empty() {
            self.outages(&rises, failures, seen, found);
            self.sags(&rises, seen, found);
        } else if is_restarted && failures == 0 {
            self.probable(seen, found);
        }
    }

    fn put(&self, event: Event, found: &mut Vec<Finding>) {
        found.extend(self.rules.of_meter(event).map(Finding::Event));
    }

    /// Something that is so or not; an event when it begins, and again when it is over.
    fn flag(&mut self, flag: &Flag<'_>, is_set: bool, at: Instant, found: &mut Vec<Finding>) {
        let Some(place) = self.flags.iter().position(|(key, ..)| *key == flag.key) else {
            self.flags.push((flag.key, is_set, None));
            return;
        };
        let (kind, phase, _) = flag.key;
        // The second of its kind at one time comes a microsecond later, so that both are kept.
        let is_twin = |since: &Option<Instant>| since.is_some_and(|since| since >= at);
        let twins = self.flags.iter().filter(|((k, p, _), _, since)| *k == kind && *p == phase && is_twin(since));
        let begin = Instant::from_unix_micros(at.unix_micros() + i64::try_from(twins.count()).unwrap_or(0));
        let (_, was_set, since) = &mut self.flags[place];
        if std::mem::replace(was_set, is_set) == is_set {
            return;
        }
        let event = |start, text: String| Event { phase, ..said(kind, flag.severity, start, flag.code, text) };
        let event = if is_set {
            *since = Some(begin);
            Event { end: None, ..event(begin, flag.text.to_owned()) }
        } else {
            let Some(start) = since.take() else { return };
            let length = words::length(words::between(start, at));
            Event { end: Some(at), ..event(start, format!("{}, durée {length}", flag.text)) }
        };
        self.put(event, found);
    }

    /// F.F and 97.97.0: what its bits mean is not public, so it is shown as it is.
    fn errors(&mut self, register: &Register, at: Instant, found: &mut Vec<Finding>) {
        let (Some(text), Some(obis)) = (hex_of(register), register.code.resolved()) else { return };
        let is_clear = text.bytes().all(|byte| byte == b'0');
        let before = self.replace(obis, &text);
        if before.is_some_and(|before| before != text) && !is_clear {
            let what = format_smolstr!("Erreur du compteur : registre {} = {text}", register.code.key());
            self.put(said("erreur_compteur", Severity::Error, at, &register.code, what), found);
        }
    }

    fn alarms(&mut self, register: &Register, at: Instant, found: &mut Vec<Finding>) {
        let Some(bits) = bits_of(register) else { return };
        for &(mask, kind, severity, what) in ALARMS {
            let number = u16::try_from(mask.trailing_zeros()).unwrap_or(0);
            let text = format!("Alarme du compteur : {what}");
            let flag = Flag { key: (kind, None, number), severity, code: &register.code, text: &text };
            self.flag(&flag, bits & mask != 0, at, found);
        }
    }

    /// By how much a count has risen.
    fn rise(&mut self, obis: Obis, register: &Register) -> Option<(Obis, i64)> {
        let count = count_of(register)?;
        let Some((_, before)) = self.counts.iter_mut().find(|(known, _)| *known == obis) else {
            self.counts.push((obis, count));
            return None;
        };
        let before = std::mem::replace(before, count);
        (count > before).then(|| (obis, count.saturating_sub(before)))
    }

    fn falls(&mut self, obis: Obis, register: &Register) -> bool {
        let Some(count) = count_of(register) else { return false };
        match self.counts.iter_mut().find(|(known, _)| *known == obis) {
            Some((_, before)) => std::mem::replace(before, count) > count,
            None => {
                self.counts.push((obis, count));
                false
            }
        }
    }

    /// Power failures that the meter has counted since the last reading, and that no log has told.
    fn outages(&self, rises: &[(Obis, i64)], failures: i64, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let most =
            |codes: &[Obis]| rises.iter().filter(|(obis, _)| codes.contains(obis)).max_by_key(|(_, count)| *count);
        let all = most(&FAILURES[0]);
        let long = most(&FAILURES[1]);
        let since = seen.before.unwrap_or(seen.at);
        let severity = if long.is_some() { Severity::Error } else { Severity::Warning };
        if let Some(&(code, count)) = all.max_by_key_or(long) {
            let count = count.saturating_sub(failures);
            if count > 0 {
                let event = said_by("coupure", severity, since, code, counted(count, "coupure", "coupures", None));
                self.put(Event { end: Some(seen.at), ..event }, found);
            }
            return;
        }
        for &(code, count) in rises {
            let [0, 0, 96, 7, e @ (1..=3 | 6..=8), _] = code.octets() else { continue };
            let phase = Some(if e > 5 { e - 5 } else { e });
            let text = counted(count, "coupure", "coupures", phase);
            let event = said_by("coupure_phase", Severity::Error, since, code, text);
            self.put(Event { end: Some(seen.at), phase, ..event }, found);
        }
    }

    /// Sags and swells that the meter has counted since the last reading.
    fn sags(&self, rises: &[(Obis, i64)], seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let since = seen.before.unwrap_or(seen.at);
        for &(code, count) in rises {
            let [1, _, c @ (32 | 52 | 72), d @ (32 | 36), 0, _] = code.octets() else { continue };
            let phase = (c - 12) / 20;
            let (kind, one, many) = match d {
                32 => ("creux_tension", "creux de tension", "creux de tension"),
                _ => ("surtension_breve", "surtension brève", "surtensions brèves"),
            };
            let text = counted(count, one, many, Some(phase));
            let magnitude =
                seen.reading.register(Obis::new(1, code.b(), c, d + 2, 0, 255)).and_then(Register::normalised);
            let event = Event {
                end: Some(seen.at),
                phase: Some(phase),
                value: magnitude.map(|(value, _)| value),
                unit: magnitude.map(|_| SmolStr::new_static("V")),
                ..said_by(kind, Severity::Warning, since, code, text)
            };
            self.put(event, found);
        }
    }

    /// Nothing came for a while, and the meter counts its time of operation anew.
    fn probable(&self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let Some(before) = seen.before else { return };
        let rule = self.rules.get("coupure_probable");
        let length = words::length(words::between(before, seen.at));
        let text = format!("Coupure probable pendant {length} sans mesure : le compteur a redémarré");
        let event = Event {
            end: Some(seen.at),
            value: Some(seconds_between(before, seen.at)),
            unit: Some(SmolStr::new_static("s")),
            code: Some(SmolStr::new_static("0-0:96.8.0")),
            ..bare(&rule, before, text)
        };
        tell(found, &rule, event);
    }

    fn breaker(&mut self, register: &Register, at: Instant, found: &mut Vec<Finding>) {
        let Some(state) = count_of(register) else { return };
        let text = match state {
            0 => "Disjoncteur ouvert".to_owned(),
            2 => "Disjoncteur prêt à être réenclenché".to_owned(),
            _ => format!("Disjoncteur : état {state}"),
        };
        let severity = Severity::Warning;
        let flag = Flag { key: ("disjoncteur", None, 0), severity, code: &register.code, text: &text };
        self.flag(&flag, state != 1, at, found);
    }

    fn message(&mut self, obis: Obis, register: &Register, at: Instant, found: &mut Vec<Finding>) {
        let text = register.as_text().unwrap_or_default().trim();
        let text = hex_text(text).unwrap_or_else(|| SmolStr::new(text));
        let before = self.replace(obis, &text);
        if before.is_some_and(|before| before != text) && !text.is_empty() {
            let shown: String = text.chars().filter(|c| !c.is_control()).take(MESSAGE).collect();
            let what = format!("Message du gestionnaire de réseau : {shown}");
            self.put(said_by("message_gestionnaire", Severity::Info, at, obis, what), found);
        }
    }

    fn sub_meter(&mut self, obis: Obis, register: &Register, at: Instant, found: &mut Vec<Finding>) {
        let Some(text) =
            register.as_text().map(SmolStr::new).or_else(|| count_of(register).map(|n| format_smolstr!("{n}")))
        else {
            return;
        };
        let is_first = self.replace(obis, &text).is_none_or(|before| before == text);
        if is_first || text.is_empty() {
            return;
        }
        let what = format_smolstr!("Nouveau sous-compteur sur le canal {} : {} = {text}", obis.b(), obis.key());
        self.put(said_by("sous_compteur_nouveau", Severity::Info, at, obis, what), found);
    }

    fn tariff(&mut self, obis: Obis, register: &Register, at: Instant, found: &mut Vec<Finding>) {
        let Some(tariff) =
            register.as_text().map(SmolStr::new).or_else(|| register.as_number().map(|n| format_smolstr!("{n}")))
        else {
            return;
        };
        if let Some(before) = self.replace(obis, &tariff).filter(|before| *before != tariff) {
            let what = format_smolstr!("Le tarif passe de {before} à {tariff}");
            self.put(said_by("changement_tarif", Severity::Info, at, obis, what), found);
        }
    }

    /// The status word of EasyMeter: bits 5, 4 and 3 are the failed phases, bit 0 an error.
    fn easy_meter(&mut self, register: &Register, at: Instant, found: &mut Vec<Finding>) {
        let Some(bits) = bits_of(register) else { return };
        for (phase, mask) in [(1, 0x20), (2, 0x10), (3, 0x08)] {
            let text = format!("Coupure de phase L{phase}, dit le compteur");
            let key = ("coupure_phase", Some(phase), 0);
            let flag = Flag { key, severity: Severity::Error, code: &register.code, text: &text };
            self.flag(&flag, bits & mask != 0, at, found);
        }
        let key = ("erreur_compteur", None, 100);
        let flag = Flag { key, severity: Severity::Error, code: &register.code, text: "Erreur du compteur" };
        self.flag(&flag, bits & 1 != 0, at, found);
    }

    /// The status word of a basic meter of the FNN generation, as captures and Tasmota's list of meters show it.
    fn status(&mut self, register: &Register, at: Instant, found: &mut Vec<Finding>) {
        let status = register.detail.as_ref().and_then(|detail| detail.status);
        let is_fnn = |status: &u64| *status > 0xFFFF && status & 0x84 == 0x04 && status & 0x1C_0000 != 0;
        let Some(status) = status.filter(is_fnn) else { return };
        let phases = (status & 0x1C_0000).count_ones();
        self.phases = self.phases.max(phases);
        let all: [(bool, &'static str, Severity, &str); 6] = [
            (status & 0x0200 != 0, "champ_magnetique", Severity::Critical, "Champ magnétique près du compteur"),
            (status & 0x0400 != 0, "couvercle_ouvert", Severity::Critical, "Couvercle du compteur ouvert"),
            (status & 0x8000 != 0, "inversion_phases", Severity::Error, "Ordre des phases inversé"),
            (status & 0x2_0000 != 0, "erreur_compteur", Severity::Error, "Erreur grave du compteur"),
            (phases < self.phases, "coupure_phase", Severity::Error, "Une phase manque, dit le compteur"),
            (status & 0x0800 != 0, "changement_sens", Severity::Info, "L'énergie est injectée dans le réseau"),
        ];
        for (is_set, kind, severity, text) in all {
            let flag = Flag { key: (kind, None, 200), severity, code: &register.code, text };
            self.flag(&flag, is_set, at, found);
        }
    }

    /// The rotary field, by the angle between the voltages of L1 and L2: 120°, or 240° where two phases are swapped.
    fn turning(&mut self, register: &Register, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let angle = register.as_number().filter(|_| seen.is_good);
        let between =
            |low: i64, high: i64| angle.is_some_and(|a| a >= Decimal::new(low, 0) && a <= Decimal::new(high, 0));
        let turns = match (between(90, 150), between(210, 270)) {
            (true, _) => true,
            (_, true) => false,
            _ => return,
        };
        let usual = *self.usual.get_or_insert(turns);
        let verdict = if turns == usual { Verdict::In } else { Verdict::Out };
        let cut = if seen.broken { self.rotation.cut() } else { None };
        let looked = self.rotation.push(Look::at(seen.at, angle.unwrap_or(Decimal::ZERO), verdict));
        for episode in cut.iter().chain(&looked) {
            let text = words::episode("Ordre des phases inversé", episode);
            let event = Event {
                end: episode.end,
                code: Some(SmolStr::new_static("1-0:81.7.1")),
                ..bare(&self.rotation_rule, episode.start, text)
            };
            tell(found, &self.rotation_rule, event);
        }
    }

    /// Remembers a text, and gives the one before.
    fn replace(&mut self, obis: Obis, text: &SmolStr) -> Option<SmolStr> {
        match self.texts.iter_mut().find(|(known, _)| *known == obis) {
            Some((_, before)) if before == text => Some(text.clone()),
            Some((_, before)) => Some(std::mem::replace(before, text.clone())),
            None => {
                self.texts.push((obis, text.clone()));
                None
            }
        }
    }
}

/// The larger of two counts.
trait Larger<'c> {
    fn max_by_key_or(self, other: Option<&'c (Obis, i64)>) -> Option<&'c (Obis, i64)>;
}

impl<'c> Larger<'c> for Option<&'c (Obis, i64)> {
    fn max_by_key_or(self, other: Option<&'c (Obis, i64)>) -> Option<&'c (Obis, i64)> {
        match (self, other) {
            (Some(a), Some(b)) => Some(if b.1 > a.1 { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}

fn counted(count: i64, one: &str, many: &str, phase: Option<u8>) -> String {
    let what = if count == 1 { one } else { many };
    format!("{count} {what}{} depuis la dernière lecture", words::phase(phase))
}
