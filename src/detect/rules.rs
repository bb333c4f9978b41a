//! The rules as data: what counts, from when on, for how long, and how much it matters.
//!
//! One table with the defaults; the settings change copies of its rows. A detector takes its row once, when it is made.

use super::table::{TABLE, row};
use crate::reading::{Decimal, Event, Severity};
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
    /// An event that the meter says, as the settings want it; `None` where its kind is off.
    pub(super) fn of_meter(&self, event: Event) -> Option<Event> {
        let Some(rule) = self.find(&event.kind) else { return Some(event) };
        // By default each bit and number has a severity of its own.
        let is_set = TABLE.iter().any(|row| row.kind == rule.kind && row.severity != rule.severity);
        let event = if is_set { Event { severity: rule.severity, ..event } } else { event };
        rule.on.then_some(event)
    }

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
        // What is off keeps its threshold: other rules reckon with it.
        rule.threshold = change.threshold.filter(|threshold| !threshold.is_zero()).or(rule.threshold);
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

    const fn d(mantissa: i64, exponent: i8) -> Option<Decimal> {
        Some(Decimal::new(mantissa, exponent))
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
