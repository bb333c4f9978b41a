//! A reading as `releve read -f json` prints it: an archive `mesure` plus what the telegram said.

use super::{Exact, Values};
use crate::reading::{
    Anomaly, Instant, Language, LogEntry, Profile, Reading, Register, Value, Zone, describe_register,
};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// The JSON of one reading.
///
/// `log` holds the entries of the meter's event log in it, `at` is the time it counts under, and `zone` the one its meter
/// clock is in.
#[must_use]
pub fn reading_json<'a>(
    reading: &'a Reading,
    values: &'a Values,
    log: &'a [LogEntry],
    at: Instant,
    zone: Zone,
    source: &'a str,
) -> impl Serialize + 'a {
    Document {
        compteur: reading.meter.as_ref().map(crate::reading::MeterId::as_str),
        timestamp: at.to_string(),
        horodatage_compteur: reading.clock.map(|clock| clock.rfc3339(zone)),
        protocole: reading.protocol.as_str(),
        identification: reading.identification.as_deref(),
        source,
        qualite: reading.quality.as_str(),
        valeurs: values,
        registres: reading.registers.iter().map(|register| RegisterDocument { register, zone }).collect(),
        profil: reading.profile.as_deref().map(|profile| ProfileDocument { profile, zone }),
        journal: log.iter().map(|entry| LogDocument { entry, zone }).collect(),
        anomalies: reading.anomalies.iter().map(AnomalyDocument::from).collect(),
    }
}

/// The JSON of one entry of a meter's event log; `zone` is the one its clock is in.
#[must_use]
pub fn log_json(entry: &LogEntry, zone: Zone) -> impl Serialize + '_ {
    LogDocument { entry, zone }
}

#[derive(Serialize)]
struct Document<'a> {
    compteur: Option<&'a str>,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    horodatage_compteur: Option<String>,
    protocole: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identification: Option<&'a str>,
    source: &'a str,
    qualite: &'static str,
    valeurs: &'a Values,
    registres: Vec<RegisterDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profil: Option<ProfileDocument<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    journal: Vec<LogDocument<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    anomalies: Vec<AnomalyDocument<'a>>,
}

/// One entry of `registres`: `valeur` + `unite`, or `texte`, and `horodatage` where it has its own time.
struct RegisterDocument<'a> {
    register: &'a Register,
    zone: Zone,
}

impl Serialize for RegisterDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let register = self.register;
        let detail = register.detail.as_deref();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("obis", &register.code.to_string())?;
        match &register.value {
            Value::Number(number) => map.serialize_entry("valeur", &Exact(*number))?,
            Value::Bool(yes) => map.serialize_entry("valeur", yes)?,
            Value::Text(text) => map.serialize_entry("texte", text.as_str())?,
            Value::Octets(octets) => {
                let hex = hex(octets);
                map.serialize_entry("texte", register.as_text().unwrap_or(&hex))?;
                map.serialize_entry("octets", &hex)?;
            }
            Value::List(values) => {
                map.serialize_entry("groupes", &values.iter().map(Plain).collect::<Vec<_>>())?;
            }
            Value::Nothing => {}
        }
        if let Some(unit) = register.unit_text() {
            map.serialize_entry("unite", unit.as_str())?;
        }
        if let Some(text) = register.sent_text() {
            map.serialize_entry("texte", text.as_str())?;
        }
        if let Some(detail) = detail {
            if !detail.groups.is_empty() {
                let groups: Vec<&str> = detail.groups.iter().map(smol_str::SmolStr::as_str).collect();
                map.serialize_entry("groupes", &groups)?;
            }
            if let Some(time) = detail.time {
                map.serialize_entry("horodatage", &time.rfc3339(self.zone))?;
            }
            if let Some(status) = detail.status {
                map.serialize_entry("statut", &status)?;
            }
            if !detail.rows.is_empty() {
                let rows: Vec<Vec<&str>> =
                    detail.rows.iter().map(|row| row.iter().map(smol_str::SmolStr::as_str).collect()).collect();
                map.serialize_entry("lignes", &rows)?;
            }
        }
        if let Some(name) = describe_register(register, Language::English) {
            map.serialize_entry("nom", &name)?;
        }
        map.end()
    }
}

/// A value inside a list, as plain JSON.
struct Plain<'a>(&'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => Exact(*number).serialize(serializer),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Octets(octets) => serializer.serialize_str(&hex(octets)),
            Value::Bool(yes) => serializer.serialize_bool(*yes),
            Value::List(values) => serializer.collect_seq(values.iter().map(Plain)),
            Value::Nothing => serializer.serialize_none(),
        }
    }
}

struct ProfileDocument<'a> {
    profile: &'a Profile,
    zone: Zone,
}

impl Serialize for ProfileDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Channel {
            obis: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            unite: Option<String>,
        }
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            horodatage: Option<String>,
            statut: &'a str,
            valeurs: Vec<Option<Exact>>,
        }
        let channels: Vec<_> = self
            .profile
            .channels
            .iter()
            .map(|(code, unit)| Channel { obis: code.to_string(), unite: unit.map(|u| u.symbol().to_string()) })
            .collect();
        let rows: Vec<_> = self
            .profile
            .rows
            .iter()
            .map(|row| Row {
                horodatage: row.time.map(|time| time.rfc3339(self.zone)),
                statut: row.status.as_str(),
                valeurs: row.values.iter().map(|value| value.map(Exact)).collect(),
            })
            .collect();
        let mut map = serializer.serialize_map(None)?;
        if let Some(period) = self.profile.period_s {
            map.serialize_entry("periode_s", &period)?;
        }
        map.serialize_entry("voies", &channels)?;
        map.serialize_entry("lignes", &rows)?;
        map.end()
    }
}

struct LogDocument<'a> {
    entry: &'a LogEntry,
    zone: Zone,
}

impl Serialize for LogDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Pair<'a> {
            obis: String,
            texte: &'a str,
        }
        let entry = self.entry;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("journal", &entry.log.to_string())?;
        if let Some(time) = entry.time {
            map.serialize_entry("horodatage", &time.rfc3339(self.zone))?;
        }
        if !entry.status.is_empty() {
            map.serialize_entry("statut", entry.status.as_str())?;
        }
        let values: Vec<_> =
            entry.values.iter().map(|(code, text)| Pair { obis: code.to_string(), texte: text }).collect();
        if !values.is_empty() {
            map.serialize_entry("valeurs", &values)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct AnomalyDocument<'a> {
    code: &'static str,
    detail: &'a str,
    position: u64,
}

impl<'a> From<&'a Anomaly> for AnomalyDocument<'a> {
    fn from(anomaly: &'a Anomaly) -> Self {
        Self { code: anomaly.code.as_str(), detail: &anomaly.detail, position: anomaly.position }
    }
}

/// All octets as lower-case hexadecimal digits.
fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}
