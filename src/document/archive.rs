//! Archive files: the contract's form of a day.

use super::{Exact, Values};
use crate::reading::{Instant, Quality};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A day file (`jour_YYYYMMDD.json.gz`), and what `export -f json` writes over any period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayFile {
    /// About the file.
    pub metadata: Metadata,
    /// The UTC day; absent from an export over another period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The UTC hour, of an hour file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heure: Option<u8>,
    /// How many readings there are.
    pub nb_mesures: usize,
    /// The units of the registers that are no columns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unites: BTreeMap<String, String>,
    /// The readings, ascending, one for each time.
    pub mesures: Vec<Measure>,
}

/// What a file says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The version of the form.
    pub version: Cow<'static, str>,
    /// The meter.
    pub compteur_id: String,
    /// The time of the newest reading in the file, so that the same readings give the same bytes.
    pub creation: String,
}

/// One reading in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// UTC, ending in `Z`.
    pub timestamp: String,
    /// Columns first, then the further registers in code order.
    pub valeurs: Numbers,
    /// Registers that are text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub textes: BTreeMap<String, String>,
    /// `good`, `suspect` or `bad`.
    pub qualite: String,
    /// Where it came from.
    pub source: String,
}

/// Numbers under their keys, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers(pub Vec<(String, Exact)>);

impl Measure {
    /// The archive's form of some values.
    #[must_use]
    pub fn new(at: Instant, values: &Values, quality: Quality, source: &str) -> Self {
        Self {
            timestamp: at.to_string(),
            valeurs: Numbers(values.numbers().map(|(key, value)| (key.to_owned(), Exact(value))).collect()),
            textes: values.texts.iter().map(|(key, text)| (key.to_string(), text.to_string())).collect(),
            qualite: quality.as_str().to_owned(),
            source: source.to_owned(),
        }
    }

    /// The reading's time.
    #[must_use]
    pub fn at(&self) -> Option<Instant> {
        Instant::parse_utc(&self.timestamp).ok()
    }

    /// The reading's quality; a word that is none of the contract's counts as doubtful.
    #[must_use]
    pub fn quality(&self) -> Quality {
        Quality::parse(&self.qualite).unwrap_or(Quality::Suspect)
    }
}

impl DayFile {
    /// A file of a meter's readings, which stand in ascending order.
    #[must_use]
    pub fn new(meter: &str, date: Option<String>, mesures: Vec<Measure>, unites: BTreeMap<String, String>) -> Self {
        let creation = mesures.last().map(|newest| newest.timestamp.clone()).unwrap_or_default();
        let metadata = Metadata { version: Cow::Borrowed("1.0"), compteur_id: meter.to_owned(), creation };
        Self { metadata, date, heure: None, nb_mesures: mesures.len(), unites, mesures }
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Numbers;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of numbers")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Numbers, A::Error> {
                let mut numbers = Vec::new();
                // The old application writes null for a missing value.
                while let Some((key, value)) = map.next_entry::<String, Option<Exact>>()? {
                    numbers.extend(value.map(|value| (key, value)));
                }
                Ok(Numbers(numbers))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_example_reads_and_writes_the_same() {
        let text = r#"{"metadata":{"version":"1.0","compteur_id":"E450001234","creation":"2025-11-07T00:00:00Z"},"date":"2025-11-07","nb_mesures":1,"mesures":[{"timestamp":"2025-11-07T00:00:00Z","valeurs":{"energie_active_import":154.320,"puissance_active_totale":2345,"tension_l1":231.5,"1-0:5.8.0":12.004},"qualite":"good","source":"port_optique"}]}"#;
        let file: DayFile = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&file).unwrap(), text);
        assert_eq!(file.mesures[0].quality(), Quality::Good);
    }
}
