//! The rules as data: what counts, from when on, for how long, and how much it matters.
//!
//! One table with the defaults; the settings change copies of its rows. A detector takes its row once, when it is made.

use crate::reading::{Decimal, Severity};
use std::fmt;

/// What the events of one kind depend on. A field that the kind has no use for is `None` and its key refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The kind of event: its name in the contract.
    pub kind: &'static str,
    /// `seuil`: where it begins, in [`unit`](Self::unit).
    pub threshold: Option<Decimal>,
    /// `seuil_bas`: the second limit of rules that have two.
    pub low: Option<Decimal>,
    /// `seuil_grave`: from here on it matters more.
    pub severe: Option<Decimal>,
    /// `hysteresis`: how far behind the threshold it is over.
    pub hysteresis: Option<Margin>,
    /// `fenetre_s`: the length of the means that are judged, in seconds.
    pub window_s: Option<u32>,
    /// `duree_s`: how long the beginning must hold, in seconds.
    pub hold_s: Option<u32>,
    /// `duree_fin_s`: how long the end must hold, in seconds.
    pub release_s: Option<u32>,
    /// `severite`.
    pub severity: Severity,
    /// `actif`.
    pub on: bool,
    /// The unit of the thresholds.
    pub unit: &'static str,
    /// Where the numbers are from.
    pub source: &'static str,
    /// The keys it can be set by, beside `severite` and `actif`.
    pub keys: &'static [&'static str],
}

/// How far behind a threshold something is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Margin {
    /// By so much.
    By(Decimal),
    /// By so many percent of the threshold, so that it goes along with it.
    Percent(u8),
}

impl Margin {
    /// The margin behind this threshold.
    #[must_use]
    pub fn of(self, threshold: Decimal) -> Decimal {
        match self {
            Self::By(margin) => margin,
            Self::Percent(percent) => {
                let mantissa = threshold.mantissa().saturating_mul(i64::from(percent));
                Decimal::new(mantissa, threshold.exponent()).shifted(-2).unwrap_or(Decimal::ZERO)
            }
        }
    }
}

/// What the settings say of a rule; what is `None` stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// `seuil`.
    pub threshold: Option<Decimal>,
    /// `seuil_bas`.
    pub low: Option<Decimal>,
    /// `seuil_grave`.
    pub severe: Option<Decimal>,
    /// `hysteresis`.
    pub hysteresis: Option<Decimal>,
    /// `fenetre_s`.
    pub window_s: Option<u32>,
    /// `duree_s`.
    pub hold_s: Option<u32>,
    /// `duree_fin_s`.
    pub release_s: Option<u32>,
    /// `severite`.
    pub severity: Option<Severity>,
    /// `actif`.
    pub on: Option<bool>,
}

/// Why a rule cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// No detector makes such events.
    #[error("there is no rule for '{0}'")]
    Kind(String),
    /// The kind has no use for the key.
    #[error("{kind} has no {key}; it has {}", keys.iter().copied().chain(ALWAYS).collect::<Vec<_>>().join(", "))]
    Key {
        /// The kind.
        kind: &'static str,
        /// What was set.
        key: &'static str,
        /// What can be set.
        keys: &'static [&'static str],
    },
    /// The value makes no sense.
    #[error("{kind}: {key} must not be {what}")]
    Value {
        /// The kind.
        kind: &'static str,
        /// What was set.
        key: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// The keys that every kind has.
pub const ALWAYS: [&str; 2] = ["severite", "actif"];

/// All rules in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    rules: Vec<Rule>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { rules: TABLE.to_vec() }
    }
}

impl Rules {
    /// All of them, in the order of the page that describes them.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of a kind.
    #[must_use]
    pub fn find(&self, kind: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.kind == kind)
    }

    /// The rule of a kind of the table.
    pub(super) fn get(&self, kind: &'static str) -> Rule {
        // The kinds that are asked for are in the table: a test holds every detector against it.
        self.find(kind).copied().unwrap_or(Rule { on: false, ..row(kind, "") })
    }

    /// Changes a rule.
    ///
    /// # Errors
    /// [`RuleError`]; nothing is changed then.
    pub fn change(&mut self, kind: &str, change: &Change) -> Result<(), RuleError> {
        let rule = self.rules.iter_mut().find(|rule| rule.kind == kind);
        let rule = rule.ok_or_else(|| RuleError::Kind(kind.to_owned()))?;
        let given = [
            ("seuil", change.threshold.is_some()),
            ("seuil_bas", change.low.is_some()),
            ("seuil_grave", change.severe.is_some()),
            ("hysteresis", change.hysteresis.is_some()),
            ("fenetre_s", change.window_s.is_some()),
            ("duree_s", change.hold_s.is_some()),
            ("duree_fin_s", change.release_s.is_some()),
        ];
        for (key, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
            if !rule.keys.contains(&key) {
                return Err(RuleError::Key { kind: rule.kind, key, keys: rule.keys });
            }
        }
        let value = |key, what| RuleError::Value { kind: rule.kind, key, what };
        for (key, number) in [("seuil", change.threshold), ("hysteresis", change.hysteresis)] {
            if number.is_some_and(|number| number < Decimal::ZERO) {
                return Err(value(key, "negative"));
            }
        }
        // Windows are laid from the hour on.
        if change.window_s.is_some_and(|seconds| seconds == 0 || 3600 % seconds != 0) {
            return Err(value("fenetre_s", "anything but a part of an hour, like 60, 600 or 900"));
        }
        // Nobody sets a threshold to have nothing of it; zero means off.
        let zero = change.threshold.is_some_and(Decimal::is_zero);
        rule.on = change.on.unwrap_or(rule.on || change.threshold.is_some()) && !zero;
        rule.threshold = change.threshold.or(rule.threshold);
        rule.low = change.low.or(rule.low);
        rule.severe = change.severe.or(rule.severe);
        rule.hysteresis = change.hysteresis.map(Margin::By).or(rule.hysteresis);
        rule.window_s = change.window_s.or(rule.window_s);
        rule.hold_s = change.hold_s.or(rule.hold_s);
        rule.release_s = change.release_s.or(rule.release_s);
        rule.severity = change.severity.unwrap_or(rule.severity);
        Ok(())
    }
}

impl Rule {
    /// The threshold; zero where there is none, which rules without one do not ask for.
    pub(super) fn limit(&self) -> Decimal {
        self.threshold.unwrap_or(Decimal::ZERO)
    }

    /// The margin behind the threshold.
    pub(super) fn margin(&self) -> Decimal {
        self.margin_of(self.limit())
    }

    pub(super) fn margin_of(&self, threshold: Decimal) -> Decimal {
        self.hysteresis.map_or(Decimal::ZERO, |margin| margin.of(threshold))
    }

    pub(super) fn window(&self) -> i64 {
        i64::from(self.window_s.unwrap_or(600))
    }

    pub(super) fn hold(&self) -> i64 {
        i64::from(self.hold_s.unwrap_or(0))
    }

    pub(super) fn release(&self) -> i64 {
        i64::from(self.release_s.unwrap_or(0))
    }

    /// One step graver where it is grave.
    pub(super) fn severity(&self, is_grave: bool) -> Severity {
        match self.severity {
            severity if !is_grave => severity,
            Severity::Info => Severity::Warning,
            Severity::Warning => Severity::Error,
            Severity::Error | Severity::Critical => Severity::Critical,
        }
    }
}

impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(margin) => margin.fmt(f),
            Self::Percent(percent) => write!(f, "{percent} %"),
        }
    }
}

const fn row(kind: &'static str, unit: &'static str) -> Rule {
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
const TABLE: &[Rule] = &[
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_can_be_set_by_the_keys_it_has_and_by_no_other() {
        for rule in Rules::default().all() {
            assert!(rule.kind.len() <= 50 && rule.unit.len() <= 10, "{}", rule.kind);
            let has = [
                ("seuil", rule.threshold.is_some()),
                ("seuil_bas", rule.low.is_some()),
                ("seuil_grave", rule.severe.is_some()),
                ("hysteresis", rule.hysteresis.is_some()),
                ("fenetre_s", rule.window_s.is_some()),
                ("duree_s", rule.hold_s.is_some()),
                ("duree_fin_s", rule.release_s.is_some()),
            ];
            for (key, set) in has {
                // A threshold may have no default: nobody but the user knows his fuse.
                assert!(rule.keys.contains(&key) || !set, "{} {key}", rule.kind);
            }
            assert_eq!(Rules::default().all().iter().filter(|other| other.kind == rule.kind).count(), 1);
        }
    }

    #[test]
    fn a_change_holds_for_its_kind_alone() {
        let mut rules = Rules::default();
        let to = |mantissa| Change { threshold: d(mantissa, 0), ..Change::default() };
        rules.change("pic_puissance", &to(6000)).unwrap();
        let rule = rules.get("pic_puissance");
        assert_eq!((rule.limit(), rule.margin()), (Decimal::new(6000, 0), Decimal::new(600, 0)));
        assert_eq!(rules.all().iter().zip(TABLE).filter(|(a, b)| a != b).count(), 1);
        // Zero is off, and a threshold switches on what is off.
        rules.change("pic_puissance", &to(0)).unwrap();
        assert!(!rules.get("pic_puissance").on);
        rules.change("changement_sens", &to(100)).unwrap();
        assert!(rules.get("changement_sens").on);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_reason() {
        let mut rules = Rules::default();
        let change = |window| Change { window_s: Some(window), ..Change::default() };
        assert_eq!(
            rules.change("pic_puissance", &change(600)).unwrap_err().to_string(),
            "pic_puissance has no fenetre_s; it has seuil, hysteresis, duree_s, duree_fin_s, severite, actif"
        );
        assert!(rules.change("surtension", &change(7)).is_err());
        assert!(rules.change("surtensoin", &Change::default()).is_err());
        let negative = Change { hysteresis: d(-1, 0), ..Change::default() };
        assert!(rules.change("surtension", &negative).is_err());
        assert_eq!(rules, Rules::default());
    }
}
