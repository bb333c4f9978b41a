//! `[evenements]`: thresholds of events, and what is called for each new one.

use crate::acquire::quirks::events::Family;
use crate::cli::events::Word;
use crate::detect::{Change, Rules};
use crate::reading::Decimal;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::sync::LazyLock;

/// What the settings say of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli) struct Events {
    /// The command that `releve log` runs for each new event.
    pub(in crate::cli) exec: Option<String>,
    /// What the numbers in the meter's logs mean.
    pub(in crate::cli) family: Option<Family>,
    /// Changes of rules, each of which makes sense.
    changes: Vec<(String, Change)>,
}

/// The keys beside the kinds.
const OWN: [&str; 2] = ["exec", "journal"];

/// Every key there may be.
static KEYS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| OWN.into_iter().chain(Rules::default().all().iter().map(|rule| rule.kind)).collect());

impl Events {
    /// The rules in force.
    pub(in crate::cli) fn rules(&self) -> Rules {
        let mut rules = Rules::default();
        for (kind, change) in &self.changes {
            // It was tried when the file was read.
            drop(rules.change(kind, change));
        }
        rules
    }

    /// What is set, by key.
    pub(in crate::cli) fn settings(&self) -> Vec<(String, String)> {
        let family = self.family.map(|family| format!("{family:?}").to_lowercase());
        let own = [("exec", self.exec.clone()), ("journal", family)];
        let mut all: Vec<_> =
            own.into_iter().filter_map(|(key, value)| Some((format!("evenements.{key}"), value?))).collect();
        for (kind, change) in &self.changes {
            let number = |number: Option<Decimal>| number.map(|number| number.to_string());
            let seconds = |seconds: Option<u32>| seconds.map(|seconds| seconds.to_string());
            let set = [
                ("seuil", number(change.threshold)),
                ("seuil_bas", number(change.low)),
                ("seuil_grave", number(change.severe)),
                ("hysteresis", number(change.hysteresis)),
                ("fenetre_s", seconds(change.window_s)),
                ("duree_s", seconds(change.hold_s)),
                ("duree_fin_s", seconds(change.release_s)),
                ("severite", change.severity.map(|severity| severity.to_string())),
                ("actif", change.on.map(|on| on.to_string())),
            ];
            let set = set.into_iter().filter_map(|(key, value)| Some((format!("evenements.{kind}.{key}"), value?)));
            all.extend(set);
        }
        all
    }
}

/// A rule as the file has it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    seuil: Option<Number>,
    seuil_bas: Option<Number>,
    seuil_grave: Option<Number>,
    hysteresis: Option<Number>,
    fenetre_s: Option<u32>,
    duree_s: Option<u32>,
    duree_fin_s: Option<u32>,
    severite: Option<Word>,
    actif: Option<bool>,
}

impl Given {
    fn change(self) -> Change {
        let number = |number: Option<Number>| number.map(|Number(number)| number);
        Change {
            threshold: number(self.seuil),
            low: number(self.seuil_bas),
            severe: number(self.seuil_grave),
            hysteresis: number(self.hysteresis),
            window_s: self.fenetre_s,
            hold_s: self.duree_s,
            release_s: self.duree_fin_s,
            severity: self.severite.map(Word::severity),
            on: self.actif,
        }
    }
}

/// A number of the file, digit for digit as far as TOML keeps them.
#[derive(Debug, Clone, Copy)]
struct Number(Decimal);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number(Decimal::from(value)))
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Number, E> {
                Decimal::from_f64(value).map(Number).ok_or_else(|| E::custom("no number that can be a threshold"))
            }
        }
        deserializer.deserialize_any(Digits)
    }
}

impl<'de> Deserialize<'de> for Events {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Events;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Events, M::Error> {
                let mut events = Events::default();
                let mut rules = Rules::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "exec" => events.exec = Some(map.next_value()?),
                        "journal" => {
                            let name: String = map.next_value()?;
                            events.family = Some(name.parse().map_err(M::Error::custom)?);
                        }
                        kind if rules.find(kind).is_some() => {
                            let change = map.next_value::<Given>()?.change();
                            rules.change(kind, &change).map_err(M::Error::custom)?;
                            events.changes.push((key, change));
                        }
                        unknown => return Err(M::Error::unknown_field(unknown, KEYS.as_slice())),
                    }
                }
                Ok(events)
            }
        }
        deserializer.deserialize_map(Table)
    }
}

#[cfg(test)]
mod tests {
    use super::super::File;
    use crate::reading::Severity;

    fn parse(text: &str) -> Result<File, String> {
        File::parse(text, "f.toml").map_err(|error| error.to_string())
    }

    #[test]
    fn a_rule_of_the_file_is_in_force_and_the_others_are_as_they_were() {
        let text = "[evenements]\nexec = \"notify\"\njournal = \"dsmr4\"\n\
                    [evenements.surtension]\nseuil = 250.5\nhysteresis = 4\nseverite = \"critical\"\n";
        let file = parse(text).unwrap();
        let rules = file.evenements.rules();
        let rule = rules.find("surtension").unwrap();
        assert_eq!((rule.threshold.unwrap().to_string().as_str(), rule.severity), ("250.5", Severity::Critical));
        let keys: Vec<_> =
            file.evenements.settings().into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            keys,
            [
                "evenements.exec=notify",
                "evenements.journal=dsmr4",
                "evenements.surtension.seuil=250.5",
                "evenements.surtension.hysteresis=4",
                "evenements.surtension.severite=critical"
            ]
        );
    }

    #[test]
    fn what_is_unknown_or_makes_no_sense_is_named_with_its_line() {
        let error = |text: &str| parse(text).unwrap_err();
        let said = error("tz = \"UTC\"\n[evenements.surtensoin]\nseuil = 250\n");
        assert!(said.contains("line 2") && said.contains("did you mean 'surtension'?"), "{said}");
        let said = error("[evenements.surtension]\nsuil = 250\n");
        assert!(said.contains("line 2: unknown key 'suil'") && said.contains("did you mean 'seuil'?"), "{said}");
        let said = error("[evenements.surtension]\nseverite = \"eror\"\n");
        assert!(said.contains("unknown variant") || said.contains("did you mean 'error'?"), "{said}");
        let said = error("[evenements.pic_puissance]\nfenetre_s = 600\n");
        assert!(said.contains("pic_puissance has no fenetre_s"), "{said}");
        assert!(error("[evenements.surtension]\nfenetre_s = 7\n").contains("part of an hour"));
        assert!(error("[evenements]\njournal = \"india\"\n").contains("idis, dsmr4 and smr5"));
    }
}
