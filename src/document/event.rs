//! The JSON of an event.

use super::Exact;
use crate::reading::{Decimal, Event, MeterId};
use serde::Serialize;

/// An event as the API and `releve events` write it: the keys of the contract, then ours.
#[derive(Debug, Clone, Serialize)]
pub struct EventJson<'e> {
    /// Its number in the store.
    pub id: i64,
    /// When it began, UTC.
    pub timestamp: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: &'e str,
    /// How much it matters.
    pub severite: &'static str,
    /// The sentence for people.
    pub description: &'e str,
    /// The extreme.
    pub valeur: Option<Exact>,
    /// The unit of value and threshold.
    pub unite: Option<&'e str>,
    /// The register or log that decided.
    pub code_obis: Option<&'e str>,
    /// The threshold in force.
    pub seuil: Option<Exact>,
    /// When it was over; null while it lasts.
    pub fin: Option<String>,
    /// How long it was, in seconds.
    pub duree_s: Option<Exact>,
    /// The phase, 1 to 3.
    pub phase: Option<u8>,
    /// Who says so.
    pub origine: &'static str,
    /// The meter; null for what concerns all.
    pub compteur: Option<&'e str>,
}

impl<'e> EventJson<'e> {
    /// An event under its number.
    #[must_use]
    pub fn new(id: i64, event: &'e Event) -> Self {
        Self {
            id,
            timestamp: event.start.to_string(),
            kind: &event.kind,
            severite: event.severity.as_str(),
            description: &event.description,
            valeur: event.value.map(Exact),
            unite: event.unit.as_deref(),
            code_obis: event.code.as_deref(),
            seuil: event.threshold.map(Exact),
            fin: event.end.map(|end| end.to_string()),
            duree_s: length(event).map(Exact),
            phase: event.phase,
            origine: event.origin.as_str(),
            compteur: event.meter.as_ref().map(MeterId::as_str),
        }
    }
}

/// How long an event was, in seconds to the millisecond.
fn length(event: &Event) -> Option<Decimal> {
    let millis = (event.end?.unix_micros() - event.start.unix_micros()) / 1000;
    Some(if millis % 1000 == 0 { Decimal::from(millis / 1000) } else { Decimal::new(millis, -3) })
}

/// The keys of the JSON, as the columns of a table.
pub const EVENT_COLUMNS: [&str; 14] = [
    "id",
    "timestamp",
    "type",
    "severite",
    "description",
    "valeur",
    "unite",
    "code_obis",
    "seuil",
    "fin",
    "duree_s",
    "phase",
    "origine",
    "compteur",
];

/// The cells of an event under [`EVENT_COLUMNS`]; what is absent is empty.
#[must_use]
pub fn event_cells(id: i64, event: &Event) -> [String; 14] {
    let json = EventJson::new(id, event);
    let number = |number: Option<Exact>| number.map(|number| number.0.to_string()).unwrap_or_default();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    [
        json.id.to_string(),
        json.timestamp,
        json.kind.to_owned(),
        json.severite.to_owned(),
        json.description.to_owned(),
        number(json.valeur),
        text(json.unite),
        text(json.code_obis),
        number(json.seuil),
        json.fin.unwrap_or_default(),
        number(json.duree_s),
        json.phase.map(|phase| phase.to_string()).unwrap_or_default(),
        json.origine.to_owned(),
        text(json.compteur),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Instant, Origin, Severity};

    #[test]
    fn the_keys_are_those_of_the_contract_in_its_order() {
        let event = Event {
            meter: MeterId::new("E450001234"),
            kind: "surtension".into(),
            severity: Severity::Error,
            start: Instant::from_unix(1_762_525_800),
            end: Some(Instant::from_unix(1_762_527_600)),
            description: "Surtension L2".into(),
            value: Some(Decimal::new(2561, -1)),
            unit: Some("V".into()),
            code: Some("1-0:52.7.0".into()),
            threshold: Some(Decimal::new(253, 0)),
            phase: Some(2),
            origin: Origin::Readings,
        };
        let text = serde_json::to_string(&EventJson::new(7, &event)).unwrap();
        assert_eq!(
            text,
            "{\"id\":7,\"timestamp\":\"2025-11-07T14:30:00Z\",\"type\":\"surtension\",\"severite\":\"error\",\
             \"description\":\"Surtension L2\",\"valeur\":256.1,\"unite\":\"V\",\"code_obis\":\"1-0:52.7.0\",\
             \"seuil\":253,\"fin\":\"2025-11-07T15:00:00Z\",\"duree_s\":1800,\"phase\":2,\"origine\":\"mesures\",\
             \"compteur\":\"E450001234\"}"
        );
        let keys: serde_json::Map<_, _> = serde_json::from_str(&text).unwrap();
        assert!(EVENT_COLUMNS.iter().all(|column| keys.contains_key(*column)) && keys.len() == EVENT_COLUMNS.len());
    }
}
