//! What the numbers in a meter's event logs mean.
//!
//! A number means nothing without the log it stands in and the family the meter is of: Indian meters use the same objects
//! for voltage events, and within Europe the logs 0-0:99.98.4 and .5 change places. So the family is chosen by the user,
//! and an unknown number stays a number.
//!
//! | family | evidence |
//! |---|---|
//! | `idis` | Stoen Operator, list of events of its IDIS-type PLC meters, as L+G E450 |
//! | `dsmr4` | DSMR 4.2.2 P3, chapter 5 |
//! | `smr5` | `OSGP/open-smart-grid-platform`, `EventType` |

use crate::reading::{Code, LogEntry, Obis};
use std::fmt;
use std::str::FromStr;

/// A family of meters that shares its event numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IDIS package 2, PLC meters of the E450 kind.
    Idis,
    /// Dutch meters up to DSMR 4.
    Dsmr4,
    /// Dutch meters from SMR 5.
    Smr5,
}

/// The text names no family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the families of event numbers are idis, dsmr4 and smr5")]
pub struct FamilyError;

impl FromStr for Family {
    type Err = FamilyError;

    fn from_str(text: &str) -> Result<Self, FamilyError> {
        match text {
            "idis" => Ok(Self::Idis),
            "dsmr4" => Ok(Self::Dsmr4),
            "smr5" => Ok(Self::Smr5),
            _ => Err(FamilyError),
        }
    }
}

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing to do.
    Info,
    /// Watch it.
    Warning,
    /// Supply or measurement is defective.
    Error,
    /// Danger, fraud, or data are lost.
    Critical,
}

impl fmt::Display for Severity {
    /// The word of the contract.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        })
    }
}

/// What a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The type of event of the contract: `coupure`, `couvercle_ouvert` …
    pub kind: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// In words.
    pub text: &'static str,
}

/// The meaning of a number in a log of a meter of this family.
#[must_use]
pub fn meaning(family: Family, log: Obis, code: u8) -> Option<Meaning> {
    // Power failures, and anything that is no log of events.
    if !matches!(log.octets(), [0, _, 99, 98, _, _]) {
        return None;
    }
    let of = match family {
        Family::Idis => I,
        Family::Dsmr4 => D,
        Family::Smr5 => S,
    };
    // Four M-Bus channels have ten numbers each: 100 to 106, 110 to 116 and so on.
    let code = if family != Family::Idis && (100..140).contains(&code) { 100 + code % 10 } else { code };
    let entry = TABLE.iter().find(|entry| entry.families & of != 0 && (entry.first..=entry.last).contains(&code))?;
    Some(Meaning { kind: entry.kind, severity: entry.severity, text: entry.text })
}

/// The number of an entry, and its meaning.
#[must_use]
pub fn explain(family: Family, entry: &LogEntry) -> Option<(u8, Meaning)> {
    let log = entry.log.obis()?;
    // The number stands in 0-0:96.11.x.
    let is_code = |code: &Code| code.obis().is_some_and(|obis| matches!(obis.octets(), [0, _, 96, 11, 0..=12 | 21, _]));
    let (_, number) = entry.values.iter().find(|(code, _)| is_code(code))?;
    let number = number.parse().ok()?;
    meaning(family, log, number).map(|meaning| (number, meaning))
}

struct Entry {
    families: u8,
    first: u8,
    last: u8,
    kind: &'static str,
    severity: Severity,
    text: &'static str,
}

const I: u8 = 1;
const D: u8 = 2;
const S: u8 = 4;
const ALL: u8 = I | D | S;

const fn e(families: u8, (first, last): (u8, u8), kind: &'static str, severity: Severity, text: &'static str) -> Entry {
    Entry { families, first, last, kind, severity, text }
}

use Severity::{Critical, Error, Info, Warning};

/// Numbers by families; the first entry that fits counts.
const TABLE: &[Entry] = &[
    e(ALL, (1, 1), "coupure", Error, "power down of the whole meter"),
    e(ALL, (2, 2), "coupure", Info, "power up"),
    e(ALL, (3, 3), "changement_heure", Info, "change to or from summer time"),
    e(ALL, (4, 4), "decalage_horloge", Warning, "clock adjusted, the time before"),
    e(ALL, (5, 5), "decalage_horloge", Warning, "clock adjusted, the time after"),
    e(ALL, (6, 6), "horloge_invalide", Error, "clock invalid"),
    e(ALL, (7, 7), "pile_faible", Warning, "battery to be replaced"),
    e(ALL, (8, 8), "pile_faible", Warning, "battery low"),
    e(ALL, (9, 9), "tarif_modifie", Info, "tariff program activated"),
    e(ALL, (10, 10), "registre_efface", Info, "error register cleared"),
    e(ALL, (11, 11), "registre_efface", Info, "alarm register cleared"),
    e(ALL, (12, 12), "erreur_compteur", Critical, "program memory error"),
    e(ALL, (13, 13), "erreur_compteur", Critical, "RAM error"),
    e(ALL, (14, 14), "erreur_compteur", Critical, "non-volatile memory error"),
    e(ALL, (15, 15), "erreur_compteur", Error, "watchdog reset"),
    e(ALL, (16, 16), "erreur_mesure", Critical, "measurement system error"),
    e(ALL, (17, 17), "logiciel_modifie", Info, "firmware ready for activation"),
    e(ALL, (18, 18), "logiciel_modifie", Info, "firmware activated"),
    e(ALL, (19, 19), "tarif_modifie", Info, "tariff program loaded"),
    e(D | S, (20, 20), "information_compteur", Info, "self-check passed after new firmware"),
    e(I, (20, 20), "information_compteur", Info, "external alert"),
    e(I, (21, 21), "couvercle_ouvert", Warning, "module cover removed"),
    e(I, (22, 22), "couvercle_ferme", Info, "module cover closed"),
    e(I, (28, 28), "horloge_invalide", Warning, "time server failed"),
    e(I, (33, 33), "sous_tension", Error, "undervoltage level 2 on L1"),
    e(I, (34, 34), "sous_tension", Error, "undervoltage level 2 on L2"),
    e(I, (35, 35), "sous_tension", Error, "undervoltage level 2 on L3"),
    e(I, (36, 36), "sous_tension", Info, "end of undervoltage level 2 on L1"),
    e(I, (37, 37), "sous_tension", Info, "end of undervoltage level 2 on L2"),
    e(I, (38, 38), "sous_tension", Info, "end of undervoltage level 2 on L3"),
    e(ALL, (40, 40), "couvercle_ouvert", Critical, "terminal cover removed"),
    e(ALL, (41, 41), "couvercle_ferme", Info, "terminal cover closed"),
    e(ALL, (42, 42), "champ_magnetique", Critical, "strong magnetic field"),
    e(ALL, (43, 43), "champ_magnetique", Info, "no strong magnetic field any more"),
    e(ALL, (44, 44), "couvercle_ouvert", Critical, "meter cover removed"),
    e(ALL, (45, 45), "couvercle_ferme", Info, "meter cover closed"),
    e(ALL, (46, 46), "acces_refuse", Warning, "login failed several times"),
    e(ALL, (47, 47), "parametres_modifies", Warning, "configuration changed"),
    e(ALL, (48, 48), "cle_modifiee", Warning, "key changed"),
    e(ALL, (49, 49), "acces_refuse", Warning, "decryption or authentication failed"),
    e(ALL, (50, 50), "acces_refuse", Warning, "replay attack"),
    e(ALL, (51, 51), "erreur_compteur", Warning, "firmware check failed"),
    e(ALL, (52, 52), "fraude_suspectee", Critical, "consumption although disconnected"),
    e(ALL, (53, 58), "limiteur", Info, "limiter changed its mode"),
    e(ALL, (59, 59), "disjoncteur", Warning, "disconnector ready for manual reconnection"),
    e(ALL, (60, 60), "disjoncteur", Warning, "manual disconnection"),
    e(ALL, (61, 61), "disjoncteur", Warning, "manual connection"),
    e(ALL, (62, 62), "disjoncteur", Warning, "remote disconnection"),
    e(ALL, (63, 63), "disjoncteur", Warning, "remote connection"),
    e(ALL, (64, 64), "disjoncteur", Warning, "local disconnection"),
    e(ALL, (65, 65), "puissance_souscrite_depassee", Warning, "limiter threshold exceeded"),
    e(ALL, (66, 66), "puissance_souscrite_depassee", Info, "limiter threshold kept again"),
    e(ALL, (67, 67), "limiteur", Info, "limiter threshold changed"),
    e(ALL, (69, 69), "disjoncteur", Warning, "local connection"),
    e(I, (70, 75), "seuil_courant", Warning, "current supervision"),
    e(D | S, (71, 76), "information_compteur", Info, "maintenance or reading session"),
    e(ALL, (76, 76), "creux_tension", Warning, "voltage sag on L1"),
    e(ALL, (77, 77), "creux_tension", Warning, "voltage sag on L2"),
    e(ALL, (78, 78), "creux_tension", Warning, "voltage sag on L3"),
    e(ALL, (79, 79), "surtension", Warning, "voltage swell on L1"),
    e(ALL, (80, 80), "surtension", Warning, "voltage swell on L2"),
    e(ALL, (81, 81), "surtension", Warning, "voltage swell on L3"),
    e(ALL, (82, 82), "coupure_phase", Error, "voltage missing on L1"),
    e(ALL, (83, 83), "coupure_phase", Error, "voltage missing on L2"),
    e(ALL, (84, 84), "coupure_phase", Error, "voltage missing on L3"),
    e(ALL, (85, 85), "coupure_phase", Info, "voltage normal on L1"),
    e(ALL, (86, 86), "coupure_phase", Info, "voltage normal on L2"),
    e(ALL, (87, 87), "coupure_phase", Info, "voltage normal on L3"),
    e(ALL, (88, 88), "inversion_phases", Error, "phase sequence reversed"),
    e(ALL, (89, 89), "perte_neutre", Critical, "neutral missing"),
    e(ALL, (90, 90), "desequilibre_courant", Warning, "load unbalanced"),
    e(I, (92, 92), "qualite_tension", Warning, "voltage quality of the week out of bounds on L1"),
    e(I, (93, 93), "qualite_tension", Warning, "voltage quality of the week out of bounds on L2"),
    e(I, (94, 94), "qualite_tension", Warning, "voltage quality of the week out of bounds on L3"),
    e(S, (93, 95), "creux_tension", Warning, "voltage sag"),
    e(S, (96, 98), "surtension", Warning, "voltage swell"),
    e(I, (95, 98), "limiteur", Info, "overload limiter or relay"),
    e(D | S, (100, 100), "sous_compteur_communication", Warning, "M-Bus device: communication failed"),
    e(D | S, (101, 101), "sous_compteur_communication", Info, "M-Bus device: communication restored"),
    e(D | S, (102, 102), "sous_compteur_pile", Warning, "M-Bus device: battery to be replaced"),
    e(D | S, (103, 103), "sous_compteur_fraude", Critical, "M-Bus device: fraud attempt"),
    e(D | S, (104, 104), "sous_compteur_horloge", Info, "M-Bus device: clock adjusted"),
    e(D | S, (105, 105), "sous_compteur_nouveau", Info, "M-Bus device: new device"),
    e(D | S, (106, 106), "sous_compteur_erreur", Error, "M-Bus device: permanent error"),
    e(I, (137, 139), "acces_refuse", Warning, "a port is locked"),
    e(I, (140, 157), "communication_compteur", Info, "modem"),
    e(I, (158, 158), "acces_local", Info, "local access"),
    e(I, (159, 159), "acces_refuse", Warning, "local login failed"),
    e(I, (187, 188), "cle_modifiee", Warning, "frame counter reset, or security suite changed"),
    e(I, (197, 198), "acces_refuse", Warning, "a port is locked"),
    e(I, (204, 204), "changement_sens", Info, "power direction changed"),
    e(I, (206, 206), "courant_interrompu", Error, "current circuit open"),
    e(I, (207, 207), "courant_interrompu", Info, "current circuit closed again"),
    e(I, (208, 208), "desequilibre_tension", Warning, "voltage unbalanced"),
    e(I, (209, 209), "desequilibre_tension", Info, "voltage balanced again"),
    e(I, (210, 210), "coupure", Error, "long power failure"),
    e(I, (211, 213), "coupure_phase", Error, "long power failure of a phase"),
    e(I, (216, 216), "parametres_modifies", Critical, "factory reset"),
    e(I, (217, 219), "sous_tension", Info, "end of undervoltage"),
    e(I, (220, 222), "surtension", Info, "end of overvoltage"),
    e(I, (223, 225), "coupure_phase", Info, "end of missing voltage"),
    e(I, (226, 226), "erreur_compteur", Error, "firmware activation failed"),
    e(I, (227, 236), "acces_local", Info, "a port was switched on or off"),
    e(I, (241, 241), "perte_neutre", Critical, "neutral disturbed"),
    e(I, (242, 242), "perte_neutre", Info, "neutral in order again"),
    e(I, (253, 253), "remise_a_zero_max", Info, "demand reset"),
    e(ALL, (254, 254), "journal_efface", Warning, "load profile cleared"),
    e(ALL, (255, 255), "journal_efface", Warning, "event log cleared"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const STANDARD: Obis = Obis::new(0, 0, 99, 98, 0, 255);

    #[test]
    fn a_number_means_what_its_family_says() {
        let text = |family, code| meaning(family, STANDARD, code).map(|meaning| meaning.text);
        assert_eq!(text(Family::Idis, 1), Some("power down of the whole meter"));
        assert_eq!(text(Family::Idis, 74), Some("current supervision"));
        assert_eq!(text(Family::Dsmr4, 74), Some("maintenance or reading session"));
        assert_eq!(text(Family::Smr5, 94), Some("voltage sag"));
        assert_eq!(text(Family::Dsmr4, 112), Some("M-Bus device: battery to be replaced"));
        assert_eq!(text(Family::Idis, 112), None);
        assert_eq!(text(Family::Dsmr4, 200), None);
        // Not every profile is a log of events.
        assert_eq!(meaning(Family::Idis, Obis::new(1, 0, 99, 97, 0, 255), 1), None);
        assert_eq!("smr5".parse(), Ok(Family::Smr5));
        assert!("india".parse::<Family>().is_err());
    }

    #[test]
    fn the_table_is_in_order_and_its_types_fit_the_contract() {
        for entry in TABLE {
            assert!(entry.first <= entry.last && entry.kind.len() <= 50);
            assert!(entry.kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", entry.kind);
        }
        for code in 0..=u8::MAX {
            for family in [Family::Idis, Family::Dsmr4, Family::Smr5] {
                let _ = meaning(family, STANDARD, code);
            }
        }
        // Whatever an entry says, some family can reach it.
        for entry in TABLE {
            let reached = [Family::Idis, Family::Dsmr4, Family::Smr5].into_iter().any(|family| {
                (entry.first..=entry.last)
                    .any(|code| meaning(family, STANDARD, code).map(|m| m.text) == Some(entry.text))
            });
            assert!(reached, "{}", entry.text);
        }
    }
}
