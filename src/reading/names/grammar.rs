//! Names composed from the groups of an electricity code: quantity (C) with its phase, processing (D), tariff (E),
//! stored value (F).
//!
//! ```text
//! 1-0 : 41 . 8 . 2 * 12      Active energy import (+A) L2 tariff 2, stored value 12
//!       ││   │   │    └ F    ", stored value 12"
//!       ││   │   └ E         "tariff 2"; 0 = "total"
//!       ││   └ D             an energy; 7 would be the power, 6 its maximum
//!       │└ phase             1 … 20 all, 21 … 40 L1, 41 … 60 L2, 61 … 80 L3
//!       └ quantity           active import
//! ```

use super::pattern::{Group, Pattern};
use super::{Kind, Language, Text, text};

/// A composed name, before it is said in a language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Composed {
    stem: Text,
    unit: &'static str,
    phase: u8,
    processing: Option<Text>,
    kind: Kind,
    selection: Selection,
    stored: Option<Group>,
    integral: bool,
}

/// What group E selects.
#[derive(Debug, Clone, Copy)]
enum Selection {
    Nothing,
    Total,
    Tariff(Group),
    Harmonic(Group),
    /// Of two voltages or currents: the measured one and the reference.
    Angle(&'static str, &'static str),
}

impl Composed {
    /// The meaning of an electricity code, from `Pattern` because E and F may be open; `None` where its groups have none.
    pub(super) fn of(pattern: Pattern) -> Option<Self> {
        let [_, _, Group::Is(c), Group::Is(d), e, f] = pattern.0 else { return None };
        let stored = (f != Group::Is(255)).then_some(f);
        if c == 81 {
            return angle(d, e, stored);
        }
        let (quantity, phase) = quantity(c)?;
        if quantity.c == 12
            && let Some(&(_, stem, kind, unit)) = VOLTAGE_EVENTS.iter().find(|event| event.0 == d)
        {
            let selection = Selection::Nothing;
            let whole = Self { stem, unit, phase, processing: None, kind, selection, stored, integral: false };
            return (e == Group::Is(0)).then_some(whole);
        }
        let &(_, integral, kind, processing) = PROCESSINGS.iter().find(|processing| processing.0 == d)?;
        let (stem, unit) = if integral { quantity.integral? } else { quantity.instant? };
        let is_power = matches!(unit, "W" | "var" | "VA");
        let processing = POWER_PROCESSINGS.iter().find(|p| is_power && p.0 == d).map_or(processing, |p| Some(p.1));
        let selection = match e {
            Group::Is(255) if d == 7 => Selection::Nothing,
            Group::Is(0) if d == 8 && phase == 0 && !unit.is_empty() => Selection::Total,
            Group::Is(0) => Selection::Nothing,
            harmonic if matches!(d, 7 | 24 | 25) && matches!(quantity.c, 11 | 12) => Selection::Harmonic(harmonic),
            Group::Is(tariff) if tariff > 63 => return None,
            _ if matches!(d, 7 | 31..=50) => return None,
            tariff => Selection::Tariff(tariff),
        };
        Some(Self { stem, unit: unit_of(d, unit), phase, processing, kind, selection, stored, integral })
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) const fn unit(&self) -> &'static str {
        self.unit
    }

    pub(super) fn name(&self, language: Language) -> String {
        let mut name = self.stem.get(language).to_owned();
        if self.phase > 0 {
            name.push_str(&format!(" L{}", self.phase));
        }
        if let Some(processing) = self.processing {
            name.push_str(", ");
            name.push_str(processing.get(language));
        }
        // French sets a total off by a comma: the adjective before it already agrees with the energy.
        let gap = if language == Language::French || self.processing.is_some() { ", " } else { " " };
        match self.selection {
            Selection::Nothing => {}
            Selection::Total => name.push_str(&format!("{gap}{}", TOTAL.get(language))),
            Selection::Tariff(tariff) => name.push_str(&format!("{gap}{} {tariff}", TARIFF.get(language))),
            Selection::Harmonic(order) => name.push_str(&format!(", {} {order}", HARMONIC.get(language))),
            Selection::Angle(of, against) => name.push_str(&format!(" {of} {} {against}", AGAINST.get(language))),
        }
        if let Some(stored) = self.stored {
            name.push_str(&stored_suffix(stored, self.integral, language));
        }
        name
    }
}

/// `, stored value 12`; French has its own word for the reading of a counter.
pub(super) fn stored_suffix(stored: Group, counter: bool, language: Language) -> String {
    let words = if counter { STORED_READING } else { STORED_VALUE };
    format!(", {} {stored}", words.get(language))
}

/// The patterns that a list of all codes shows for what is composed: enough to see how the others go.
pub(super) fn listed() -> impl Iterator<Item = Pattern> {
    LISTED.iter().flat_map(|&(quantities, processing, selections, period)| {
        quantities.iter().flat_map(move |&c| {
            selections
                .iter()
                .map(move |&e| Pattern([Group::Is(1), Group::Is(0), Group::Is(c), Group::Is(processing), e, period]))
        })
    })
}

const N: Group = Group::Any(b'n');
const ZERO: &[Group] = &[Group::Is(0)];
const ZERO_AND_N: &[Group] = &[Group::Is(0), N];
const NOW: Group = Group::Is(255);

/// Quantities, processing, selections, period.
type Family = (&'static [u8], u8, &'static [Group], Group);

const LISTED: &[Family] = &[
    (&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16], 8, ZERO_AND_N, NOW),
    (&[1, 2, 3, 4], 8, ZERO, Group::Any(b'F')),
    (&[21, 22, 41, 42, 61, 62], 8, ZERO, NOW),
    (&[1, 2], 9, ZERO, NOW),
    (&[1, 2], 29, ZERO, NOW),
    (&[82], 8, ZERO_AND_N, NOW),
    (&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16], 7, ZERO, NOW),
    (&[21, 22, 23, 24, 29, 30, 31, 32, 33, 34, 36], 7, ZERO, NOW),
    (&[41, 42, 43, 44, 49, 50, 51, 52, 53, 54, 56], 7, ZERO, NOW),
    (&[61, 62, 63, 64, 69, 70, 71, 72, 73, 74, 76], 7, ZERO, NOW),
    (&[90, 91, 92, 124, 125, 126], 7, ZERO, NOW),
    (&[81], 7, ANGLES, NOW),
    (&[1, 2], 2, ZERO, NOW),
    (&[1, 2], 4, ZERO, NOW),
    (&[1, 2], 5, ZERO, NOW),
    (&[1, 2], 6, ZERO_AND_N, NOW),
    (&[1, 12, 32, 52, 72], 24, ZERO, NOW),
    (&[12], 31, ZERO, NOW),
    (&[12], 35, ZERO, NOW),
    (&[12], 39, ZERO, NOW),
    (&[12], 43, ZERO, NOW),
    (&[12], 44, ZERO, NOW),
    (&[12], 45, ZERO, NOW),
    (&[32, 52, 72], 32, ZERO, NOW),
    (&[32, 52, 72], 33, ZERO, NOW),
    (&[32, 52, 72], 34, ZERO, NOW),
    (&[32, 52, 72], 36, ZERO, NOW),
    (&[32, 52, 72], 37, ZERO, NOW),
    (&[32, 52, 72], 38, ZERO, NOW),
];

const ANGLES: &[Group] = &[
    Group::Is(1),
    Group::Is(2),
    Group::Is(4),
    Group::Is(15),
    Group::Is(26),
    Group::Is(40),
    Group::Is(51),
    Group::Is(62),
];

/// `81.7.ef`. Which end is the reference follows no common rule, so the names follow the lists the codes come from:
/// `.1` is U(L2) against U(L1), `.4` U(L1) against I(L1), `.40` I(L1) against U(L1).
fn angle(d: u8, e: Group, stored: Option<Group>) -> Option<Composed> {
    let (Group::Is(pair @ 0..=77), 7) = (e, d) else { return None };
    let (first, second) = (pair / 10, pair % 10);
    let (of, against) = if first <= 2 && second <= 2 { (second, first) } else { (first, second) };
    Some(Composed {
        stem: text("Phase angle", "Déphasage", "Phasenwinkel"),
        unit: "deg",
        phase: 0,
        processing: None,
        kind: Kind::Instant,
        selection: Selection::Angle(vector(of)?, vector(against)?),
        stored,
        integral: false,
    })
}

fn vector(number: u8) -> Option<&'static str> {
    Some(match number {
        0 => "U(L1)",
        1 => "U(L2)",
        2 => "U(L3)",
        4 => "I(L1)",
        5 => "I(L2)",
        6 => "I(L3)",
        7 => "I(N)",
        _ => return None,
    })
}

/// The unit of what is processed: a count has none, a duration is in seconds.
const fn unit_of(d: u8, unit: &'static str) -> &'static str {
    match d {
        32 | 36 | 40 => "",
        33 | 37 | 41 | 43 | 44 | 45 => "s",
        _ => unit,
    }
}

fn quantity(c: u8) -> Option<(&'static Quantity, u8)> {
    let (base, phase) = match c {
        1..=80 => ((c - 1) % 20 + 1, (c - 1) / 20),
        84..=87 => (84, c - 84),
        100..=103 => (100, c - 100),
        104..=107 => (104, c - 104),
        other => (other, 0),
    };
    QUANTITIES.iter().find(|quantity| quantity.c == base).map(|quantity| (quantity, phase))
}

/// What group C means, summed up over time and at an instant.
struct Quantity {
    c: u8,
    integral: Option<(Text, &'static str)>,
    instant: Option<(Text, &'static str)>,
}

const fn both(c: u8, integral: Text, integral_unit: &'static str, instant: Text, unit: &'static str) -> Quantity {
    Quantity { c, integral: Some((integral, integral_unit)), instant: Some((instant, unit)) }
}

const fn instant(c: u8, name: Text, unit: &'static str) -> Quantity {
    Quantity { c, integral: None, instant: Some((name, unit)) }
}

const fn integral(c: u8, name: Text, unit: &'static str) -> Quantity {
    Quantity { c, integral: Some((name, unit)), instant: None }
}

/// Blue Book, Table 50.
#[rustfmt::skip]
static QUANTITIES: &[Quantity] = &[
    both(1,
        text("Active energy import (+A)", "Énergie active importée (+A)", "Wirkenergie Bezug (+A)"), "kWh",
        text("Active power import (+P)", "Puissance active importée (+P)", "Wirkleistung Bezug (+P)"), "W"),
    both(2,
        text("Active energy export (-A)", "Énergie active exportée (-A)", "Wirkenergie Lieferung (-A)"), "kWh",
        text("Active power export (-P)", "Puissance active exportée (-P)", "Wirkleistung Lieferung (-P)"), "W"),
    both(3,
        text("Reactive energy import (+R)", "Énergie réactive importée (+R)", "Blindenergie Bezug (+R)"), "kvarh",
        text("Reactive power import (+Q)", "Puissance réactive importée (+Q)", "Blindleistung Bezug (+Q)"), "var"),
    both(4,
        text("Reactive energy export (-R)", "Énergie réactive exportée (-R)", "Blindenergie Lieferung (-R)"), "kvarh",
        text("Reactive power export (-Q)", "Puissance réactive exportée (-Q)", "Blindleistung Lieferung (-Q)"), "var"),
    both(5,
        text("Reactive energy quadrant I (+Ri)", "Énergie réactive quadrant I (+Ri)", "Blindenergie Quadrant I (+Ri)"), "kvarh",
        text("Reactive power quadrant I", "Puissance réactive quadrant I", "Blindleistung Quadrant I"), "var"),
    both(6,
        text("Reactive energy quadrant II (+Rc)", "Énergie réactive quadrant II (+Rc)", "Blindenergie Quadrant II (+Rc)"), "kvarh",
        text("Reactive power quadrant II", "Puissance réactive quadrant II", "Blindleistung Quadrant II"), "var"),
    both(7,
        text("Reactive energy quadrant III (-Ri)", "Énergie réactive quadrant III (-Ri)", "Blindenergie Quadrant III (-Ri)"), "kvarh",
        text("Reactive power quadrant III", "Puissance réactive quadrant III", "Blindleistung Quadrant III"), "var"),
    both(8,
        text("Reactive energy quadrant IV (-Rc)", "Énergie réactive quadrant IV (-Rc)", "Blindenergie Quadrant IV (-Rc)"), "kvarh",
        text("Reactive power quadrant IV", "Puissance réactive quadrant IV", "Blindleistung Quadrant IV"), "var"),
    both(9,
        text("Apparent energy import (+S)", "Énergie apparente importée (+S)", "Scheinenergie Bezug (+S)"), "kVAh",
        text("Apparent power import (+S)", "Puissance apparente importée (+S)", "Scheinleistung Bezug (+S)"), "VA"),
    both(10,
        text("Apparent energy export (-S)", "Énergie apparente exportée (-S)", "Scheinenergie Lieferung (-S)"), "kVAh",
        text("Apparent power export (-S)", "Puissance apparente exportée (-S)", "Scheinleistung Lieferung (-S)"), "VA"),
    both(11,
        text("Ampere-hours", "Ampères-heures", "Amperestunden"), "Ah",
        text("Current", "Courant", "Strom"), "A"),
    instant(12, text("Voltage", "Tension", "Spannung"), "V"),
    instant(13, text("Power factor", "Facteur de puissance", "Leistungsfaktor"), ""),
    instant(14, text("Frequency", "Fréquence", "Netzfrequenz"), "Hz"),
    both(15,
        text("Active energy absolute sum (|+A|+|-A|)", "Énergie active, somme absolue (|+A|+|-A|)", "Wirkenergie Betrag (|+A|+|-A|)"), "kWh",
        text("Active power absolute value", "Puissance active, valeur absolue", "Wirkleistung Betrag"), "W"),
    both(16,
        text("Active energy net (|+A|-|-A|)", "Énergie active nette (|+A|-|-A|)", "Wirkenergie Saldo (|+A|-|-A|)"), "kWh",
        text("Active power net (signed)", "Puissance active nette (signée)", "Wirkleistung saldiert (mit Vorzeichen)"), "W"),
    both(17,
        text("Active energy quadrant I", "Énergie active quadrant I", "Wirkenergie Quadrant I"), "kWh",
        text("Active power quadrant I", "Puissance active quadrant I", "Wirkleistung Quadrant I"), "W"),
    both(18,
        text("Active energy quadrant II", "Énergie active quadrant II", "Wirkenergie Quadrant II"), "kWh",
        text("Active power quadrant II", "Puissance active quadrant II", "Wirkleistung Quadrant II"), "W"),
    both(19,
        text("Active energy quadrant III", "Énergie active quadrant III", "Wirkenergie Quadrant III"), "kWh",
        text("Active power quadrant III", "Puissance active quadrant III", "Wirkleistung Quadrant III"), "W"),
    both(20,
        text("Active energy quadrant IV", "Énergie active quadrant IV", "Wirkenergie Quadrant IV"), "kWh",
        text("Active power quadrant IV", "Puissance active quadrant IV", "Wirkleistung Quadrant IV"), "W"),
    both(82, text("Pulses", "Impulsions", "Impulse"), "", text("Pulses", "Impulsions", "Impulse"), ""),
    instant(84, text("Power factor of export", "Facteur de puissance à l'export", "Leistungsfaktor der Lieferung"), ""),
    integral(88, text("Ampere-squared hours", "Ampères carrés-heures", "Ampere-Quadrat-Stunden"), "A2h"),
    integral(89, text("Volt-squared hours", "Volts carrés-heures", "Volt-Quadrat-Stunden"), "V2h"),
    instant(90, text("Sum of unsigned currents", "Somme des courants sans signe", "Summe der Strombeträge"), "A"),
    instant(91, text("Neutral current", "Courant de neutre", "Neutralleiterstrom"), "A"),
    instant(92, text("Neutral voltage", "Tension de neutre", "Neutralleiterspannung"), "V"),
    both(100,
        text("Reactive energy, inductive", "Énergie réactive inductive", "Blindenergie, induktiv"), "kvarh",
        text("Reactive power, inductive", "Puissance réactive inductive", "Blindleistung, induktiv"), "var"),
    both(104,
        text("Reactive energy, capacitive", "Énergie réactive capacitive", "Blindenergie, kapazitiv"), "kvarh",
        text("Reactive power, capacitive", "Puissance réactive capacitive", "Blindleistung, kapazitiv"), "var"),
    instant(124, text("Line voltage L1-L2", "Tension composée L1-L2", "Außenleiterspannung L1-L2"), "V"),
    instant(125, text("Line voltage L2-L3", "Tension composée L2-L3", "Außenleiterspannung L2-L3"), "V"),
    instant(126, text("Line voltage L3-L1", "Tension composée L3-L1", "Außenleiterspannung L3-L1"), "V"),
];

/// Group D: whether it is summed up over time, what kind of register that makes, and how it is said.
type Processing = (u8, bool, Kind, Option<Text>);

const fn processing(d: u8, integral: bool, kind: Kind, name: Text) -> Processing {
    (d, integral, kind, Some(name))
}

/// Blue Book, Table 51.
#[rustfmt::skip]
static PROCESSINGS: &[Processing] = &[
    processing(0, false, Kind::Average, text("average over the billing period", "moyenne sur la période de facturation", "Mittelwert der Abrechnungsperiode")),
    processing(1, false, Kind::Counter, text("cumulated minima", "minima cumulés", "kumuliertes Minimum")),
    processing(2, false, Kind::Counter, text("cumulated maxima", "maxima cumulés", "kumuliertes Maximum")),
    processing(3, false, Kind::Maximum, text("minimum of the period", "minimum de la période", "Minimum der Periode")),
    processing(4, false, Kind::Average, text("running average", "moyenne en cours", "laufender Mittelwert")),
    processing(5, false, Kind::Average, text("last average", "dernière moyenne", "letzter Mittelwert")),
    processing(6, false, Kind::Maximum, text("maximum of the period", "maximum de la période", "Maximum der Periode")),
    (7, false, Kind::Instant, None),
    (8, true, Kind::Counter, None),
    processing(9, true, Kind::Counter, text("since the start of the billing period", "depuis le début de la période de facturation", "seit Periodenbeginn (Vorschub)")),
    processing(10, true, Kind::Counter, text("above the limit", "au-dessus de la limite", "über dem Grenzwert")),
    processing(24, false, Kind::Average, text("running average, scheme 3", "moyenne en cours, schéma 3", "laufender Mittelwert, Schema 3")),
    processing(25, false, Kind::Average, text("last average, scheme 3", "dernière moyenne, schéma 3", "letzter Mittelwert, Schema 3")),
    processing(29, true, Kind::Average, text("of the interval", "de l'intervalle", "der Messperiode")),
    processing(30, true, Kind::Average, text("of the interval (second)", "de l'intervalle (deuxième)", "der Messperiode (zweite)")),
    processing(31, false, Kind::Instant, text("lower limit", "limite inférieure", "untere Grenze")),
    processing(32, false, Kind::Count, text("times below the limit", "nombre de passages sous la limite", "Anzahl Unterschreitungen")),
    processing(33, false, Kind::Instant, text("duration below the limit", "durée sous la limite", "Dauer der Unterschreitung")),
    processing(34, false, Kind::Instant, text("magnitude below the limit", "amplitude sous la limite", "Größe der Unterschreitung")),
    processing(35, false, Kind::Instant, text("upper limit", "limite supérieure", "obere Grenze")),
    processing(36, false, Kind::Count, text("times above the limit", "nombre de dépassements", "Anzahl Überschreitungen")),
    processing(37, false, Kind::Instant, text("duration above the limit", "durée du dépassement", "Dauer der Überschreitung")),
    processing(38, false, Kind::Instant, text("magnitude above the limit", "amplitude du dépassement", "Größe der Überschreitung")),
    processing(39, false, Kind::Instant, text("threshold for missing", "seuil d'absence", "Schwelle für Ausfall")),
    processing(40, false, Kind::Count, text("times missing", "nombre d'absences", "Anzahl Ausfälle")),
    processing(41, false, Kind::Instant, text("duration missing", "durée de l'absence", "Dauer des Ausfalls")),
    processing(42, false, Kind::Instant, text("magnitude while missing", "amplitude pendant l'absence", "Größe beim Ausfall")),
    processing(43, false, Kind::Instant, text("time threshold of the lower limit", "seuil de durée de la limite inférieure", "Zeitschwelle der unteren Grenze")),
    processing(44, false, Kind::Instant, text("time threshold of the upper limit", "seuil de durée de la limite supérieure", "Zeitschwelle der oberen Grenze")),
    processing(45, false, Kind::Instant, text("time threshold for missing", "seuil de durée d'absence", "Zeitschwelle für Ausfall")),
    processing(46, false, Kind::Instant, text("contracted value", "valeur souscrite", "Vertragswert")),
    processing(49, false, Kind::Average, text("average of recording interval 1", "moyenne de l'intervalle d'enregistrement 1", "Mittelwert der Registrierperiode 1")),
    processing(50, false, Kind::Average, text("average of recording interval 2", "moyenne de l'intervalle d'enregistrement 2", "Mittelwert der Registrierperiode 2")),
];

/// How the same is said of a power, where there is a word for it.
static POWER_PROCESSINGS: &[(u8, Text)] = &[
    (4, text("running average demand", "puissance moyenne en cours", "laufende Mittelwertleistung")),
    (5, text("last average demand", "dernière puissance moyenne", "letzte Mittelwertleistung")),
    (6, text("maximum demand of the period", "puissance maximale de la période", "Leistungsmaximum der Periode")),
];

/// Limits of a voltage have names: sag, swell and cut.
#[rustfmt::skip]
static VOLTAGE_EVENTS: &[(u8, Text, Kind, &str)] = &[
    (31, text("Threshold for voltage sags", "Seuil des creux de tension", "Schwelle für Spannungseinbrüche"), Kind::Instant, "V"),
    (32, text("Number of voltage sags", "Nombre de creux de tension", "Anzahl Spannungseinbrüche"), Kind::Count, ""),
    (33, text("Duration of the last voltage sag", "Durée du dernier creux de tension", "Dauer des letzten Spannungseinbruchs"), Kind::Instant, "s"),
    (34, text("Magnitude of the last voltage sag", "Amplitude du dernier creux de tension", "Tiefe des letzten Spannungseinbruchs"), Kind::Instant, "V"),
    (35, text("Threshold for voltage swells", "Seuil des surtensions brèves", "Schwelle für Spannungsüberhöhungen"), Kind::Instant, "V"),
    (36, text("Number of voltage swells", "Nombre de surtensions brèves", "Anzahl Spannungsüberhöhungen"), Kind::Count, ""),
    (37, text("Duration of the last voltage swell", "Durée de la dernière surtension brève", "Dauer der letzten Spannungsüberhöhung"), Kind::Instant, "s"),
    (38, text("Magnitude of the last voltage swell", "Amplitude de la dernière surtension brève", "Höhe der letzten Spannungsüberhöhung"), Kind::Instant, "V"),
    (39, text("Threshold for voltage cuts", "Seuil des coupures de tension", "Schwelle für Spannungsausfälle"), Kind::Instant, "V"),
    (40, text("Number of voltage cuts", "Nombre de coupures de tension", "Anzahl Spannungsausfälle"), Kind::Count, ""),
    (41, text("Duration of the last voltage cut", "Durée de la dernière coupure de tension", "Dauer des letzten Spannungsausfalls"), Kind::Instant, "s"),
    (42, text("Magnitude of the last voltage cut", "Amplitude de la dernière coupure de tension", "Tiefe des letzten Spannungsausfalls"), Kind::Instant, "V"),
    (43, text("Time threshold for voltage sags", "Seuil de durée des creux de tension", "Zeitschwelle für Spannungseinbrüche"), Kind::Instant, "s"),
    (44, text("Time threshold for voltage swells", "Seuil de durée des surtensions brèves", "Zeitschwelle für Spannungsüberhöhungen"), Kind::Instant, "s"),
    (45, text("Time threshold for voltage cuts", "Seuil de durée des coupures de tension", "Zeitschwelle für Spannungsausfälle"), Kind::Instant, "s"),
];

const TOTAL: Text = text("total", "total", "gesamt");
const TARIFF: Text = text("tariff", "tarif", "Tarif");
const HARMONIC: Text = text("harmonic", "harmonique", "Oberschwingung");
const AGAINST: Text = text("against", "par rapport à", "gegen");
const STORED_VALUE: Text = text("stored value", "valeur mémorisée", "Vorwert");
const STORED_READING: Text = text("stored value", "index mémorisé", "Vorwert");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_name_has_its_words_in_every_language() {
        let stems = QUANTITIES.iter().flat_map(|q| [q.integral, q.instant]).flatten().map(|(name, _)| name);
        let processings = PROCESSINGS.iter().filter_map(|p| p.3).chain(POWER_PROCESSINGS.iter().map(|p| p.1));
        let parts = [TOTAL, TARIFF, HARMONIC, AGAINST, STORED_VALUE, STORED_READING];
        for name in stems.chain(processings).chain(VOLTAGE_EVENTS.iter().map(|v| v.1)).chain(parts) {
            for language in Language::ALL {
                assert!(!name.get(language).trim().is_empty(), "{name:?}");
            }
        }
    }

    #[test]
    fn what_is_listed_has_a_name() {
        for pattern in listed() {
            assert!(Composed::of(pattern).is_some(), "{pattern}");
        }
    }
}
