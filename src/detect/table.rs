//! The rules as they are where nobody sets anything.

use super::rules::{Margin, Rule};
use crate::reading::{Decimal, Severity};

pub(super) const fn row(kind: &'static str, unit: &'static str) -> Rule {
    Rule {
        kind,
        threshold: None,
        low: None,
        severe: None,
        hysteresis: None,
        window_s: None,
        hold_s: None,
        release_s: None,
        severity: Severity::Warning,
        on: true,
        unit,
        source: "own",
        keys: &[],
    }
}

const fn d(mantissa: i64, exponent: i8) -> Option<Decimal> {
    Some(Decimal::new(mantissa, exponent))
}

const fn by(mantissa: i64, exponent: i8) -> Option<Margin> {
    Some(Margin::By(Decimal::new(mantissa, exponent)))
}

const EN: &str = "EN 50160, as quoted by Kamstrup, Enedis and Schneider";

/// The defaults. Voltages are for 230 V between phase and neutral.
pub(super) const TABLE: &[Rule] = &[
    Rule {
        threshold: d(207, 0),
        severe: d(1955, -1),
        hysteresis: by(46, -1),
        window_s: Some(600),
        source: EN,
        keys: &["seuil", "seuil_grave", "hysteresis", "fenetre_s"],
        ..row("sous_tension", "V")
    },
    Rule {
        threshold: d(253, 0),
        hysteresis: by(46, -1),
        window_s: Some(600),
        severity: Severity::Error,
        source: EN,
        keys: &["seuil", "hysteresis", "fenetre_s"],
        ..row("surtension", "V")
    },
    Rule {
        threshold: d(207, 0),
        severe: d(161, 0),
        hysteresis: by(46, -1),
        hold_s: Some(0),
        release_s: Some(0),
        source: EN,
        keys: &["seuil", "seuil_grave", "hysteresis", "duree_s", "duree_fin_s"],
        ..row("creux_tension", "V")
    },
    Rule {
        threshold: d(253, 0),
        severe: d(276, 0),
        hysteresis: by(46, -1),
        hold_s: Some(0),
        release_s: Some(0),
        source: "DSMR 4.2.2 P3; Kamstrup OMNIPOWER, Table 23",
        keys: &["seuil", "seuil_grave", "hysteresis", "duree_s", "duree_fin_s"],
        ..row("surtension_breve", "V")
    },
    Rule {
        threshold: d(50, 0),
        hysteresis: by(111, 0),
        hold_s: Some(10),
        release_s: Some(10),
        severity: Severity::Error,
        source: "Kamstrup OMNIPOWER, 4.9",
        keys: &["seuil", "hysteresis", "duree_s", "duree_fin_s"],
        ..row("coupure_phase", "V")
    },
    Rule {
        threshold: d(253, 0),
        low: d(190, 0),
        severe: d(276, 0),
        hold_s: Some(60),
        release_s: Some(60),
        severity: Severity::Critical,
        source: "Kamstrup OMNIPOWER, 4.9.10",
        keys: &["seuil", "seuil_bas", "seuil_grave", "duree_s", "duree_fin_s"],
        ..row("perte_neutre", "V")
    },
    Rule {
        threshold: d(2, 0),
        hysteresis: by(2, -1),
        window_s: Some(600),
        source: EN,
        keys: &["seuil", "hysteresis", "fenetre_s"],
        ..row("desequilibre_tension", "%")
    },
    Rule {
        threshold: d(95, 0),
        low: d(10, 0),
        window_s: Some(600),
        source: EN,
        keys: &["seuil", "seuil_bas", "fenetre_s"],
        ..row("qualite_tension", "%")
    },
    Rule {
        threshold: d(115, -1),
        severity: Severity::Info,
        on: false,
        source: "Kamstrup OMNIPOWER, 4.9.5",
        keys: &["seuil"],
        ..row("variation_rapide_tension", "V")
    },
    Rule {
        hold_s: Some(60),
        severity: Severity::Error,
        source: "Stoen Operator, event 88",
        keys: &["duree_s"],
        ..row("inversion_phases", "")
    },
    Rule {
        threshold: d(161, 0),
        severe: d(180, 0),
        source: "EN 50160; DSMR 4.2.2 P3, 0-0:96.7.20",
        keys: &["seuil", "seuil_grave"],
        ..row("coupure", "V")
    },
    row("coupure_probable", "s"),
    Rule {
        threshold: d(5, -1),
        severe: d(3, 0),
        hysteresis: by(5, -2),
        hold_s: Some(10),
        release_s: Some(30),
        source: EN,
        keys: &["seuil", "seuil_grave", "hysteresis", "duree_s", "duree_fin_s"],
        ..row("deviation_frequence", "Hz")
    },
    Rule {
        hysteresis: Some(Margin::Percent(5)),
        severe: d(125, 0),
        hold_s: Some(10),
        release_s: Some(60),
        keys: &["seuil", "seuil_grave", "hysteresis", "duree_s", "duree_fin_s"],
        ..row("seuil_courant", "A")
    },
    Rule {
        threshold: d(20, 0),
        hysteresis: by(2, 0),
        window_s: Some(600),
        severity: Severity::Info,
        source: "4.6 kVA a phase: German and Austrian terms of connection (from memory)",
        keys: &["seuil", "hysteresis", "fenetre_s"],
        ..row("desequilibre_courant", "A")
    },
    Rule {
        threshold: d(4000, 0),
        hysteresis: Some(Margin::Percent(10)),
        hold_s: Some(0),
        release_s: Some(60),
        source: "the old application",
        keys: &["seuil", "hysteresis", "duree_s", "duree_fin_s"],
        ..row("pic_puissance", "W")
    },
    Rule { window_s: Some(900), keys: &["seuil", "fenetre_s"], ..row("puissance_souscrite_depassee", "W") },
    Rule { severity: Severity::Info, source: "P1 Belgium", ..row("pointe_mensuelle", "W") },
    Rule {
        threshold: d(50, 0),
        release_s: Some(60),
        severity: Severity::Info,
        on: false,
        keys: &["seuil", "duree_fin_s"],
        ..row("changement_sens", "W")
    },
    Rule {
        threshold: d(8, -1),
        low: d(1000, 0),
        hysteresis: by(5, -2),
        window_s: Some(600),
        severity: Severity::Info,
        on: false,
        keys: &["seuil", "seuil_bas", "hysteresis", "fenetre_s"],
        ..row("facteur_puissance_faible", "")
    },
    row("compteur_remplace", ""),
    Rule { severity: Severity::Info, ..row("retour_a_zero", "kWh") },
    Rule { severity: Severity::Error, ..row("compteur_recule", "kWh") },
    row("index_modifie", "kWh"),
    Rule { threshold: d(100_000, 0), keys: &["seuil"], ..row("saut_index", "W") },
    Rule { threshold: d(1, 0), severity: Severity::Info, keys: &["seuil"], ..row("tarif_incoherent", "kWh") },
    Rule {
        threshold: d(100, 0),
        hold_s: Some(86_400),
        severity: Severity::Error,
        keys: &["seuil", "duree_s"],
        ..row("index_fige", "W")
    },
    Rule {
        threshold: d(60, 0),
        low: d(5, 0),
        severe: d(900, 0),
        source: "DSMR 4.2.2 P3, 1-0:0.9.11",
        keys: &["seuil", "seuil_bas", "seuil_grave"],
        ..row("decalage_horloge", "s")
    },
    Rule { severity: Severity::Info, ..row("changement_heure", "") },
    Rule { severity: Severity::Error, ..row("horloge_invalide", "") },
    Rule { threshold: d(60, 0), severe: d(3600, 0), keys: &["seuil", "seuil_grave"], ..row("donnees_manquantes", "s") },
    Rule { threshold: d(60, 0), severity: Severity::Error, keys: &["seuil"], ..row("communication_perdue", "s") },
    Rule { severity: Severity::Info, ..row("communication_retablie", "s") },
    Rule { threshold: d(5, 0), window_s: Some(900), keys: &["seuil", "fenetre_s"], ..row("trames_erronees", "%") },
    Rule { severity: Severity::Error, ..row("dechiffrement_impossible", "") },
    Rule { source: "Stoen Operator, event 50", ..row("sequence_rejouee", "") },
    Rule {
        threshold: d(5, 0),
        low: d(100, 0),
        severity: Severity::Error,
        keys: &["seuil", "seuil_bas"],
        ..row("espace_disque", "%")
    },
    // What the meter says: only how much it matters and whether it is kept can be set.
    Rule { severity: Severity::Error, ..row("erreur_compteur", "") },
    row("disjoncteur", ""),
    Rule { severity: Severity::Info, ..row("message_gestionnaire", "") },
    Rule { severity: Severity::Info, ..row("sous_compteur_nouveau", "") },
    Rule { severity: Severity::Info, on: false, ..row("changement_tarif", "") },
];
