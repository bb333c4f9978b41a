//! The message by which Home Assistant sets up a device with its sensors
//! (<https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload>).

use super::Style;
use crate::document::{Extra, column_key};
use crate::reading::{
    Code, Column, Kind, Language, Obis, Quantity, Reading, Unit, describe, describe_register, kind_of,
};
use serde::Serialize;
use serde_json::json;
use smol_str::SmolStr;
use std::collections::BTreeMap;

const MEASUREMENT: &str = "measurement";
const TOTAL_INCREASING: &str = "total_increasing";

/// A value as Home Assistant is to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sensor {
    name: String,
    /// The key of the value in the state.
    key: SmolStr,
    device_class: Option<&'static str>,
    state_class: &'static str,
    unit: Option<SmolStr>,
}

impl Sensor {
    pub(super) fn of_column(column: Column, language: Language) -> Self {
        let (device_class, state_class) = match column {
            Column::EnergyImport | Column::EnergyExport => ("energy", TOTAL_INCREASING),
            Column::PowerTotal => ("power", MEASUREMENT),
            Column::VoltageL1 | Column::VoltageL2 | Column::VoltageL3 => ("voltage", MEASUREMENT),
            Column::CurrentL1 | Column::CurrentL2 | Column::CurrentL3 => ("current", MEASUREMENT),
            Column::Frequency => ("frequency", MEASUREMENT),
            Column::PowerFactor => ("power_factor", MEASUREMENT),
        };
        let key = column_key(column);
        let name = describe(&Code::Obis(column.register()), language);
        Self {
            name: name.map_or_else(|| key.to_owned(), Into::into),
            key: key.into(),
            device_class: Some(device_class),
            state_class,
            unit: column.unit().map(Unit::symbol),
        }
    }

    /// A register that is none of the columns; `None` for those that would be no sensor: maxima, averages, stored values, and what
    /// nobody has a name for.
    pub(super) fn of_extra(extra: &Extra, reading: &Reading, language: Language) -> Option<Self> {
        // Not the second one under the same code: its name would be that of the first.
        let register = reading.registers.iter().find(|register| register.code.key() == extra.key)?;
        let obis = register.code.resolved()?;
        let [medium, channel, .., stored] = obis.octets();
        if stored != 255 {
            return None;
        }
        let (kind, quantity) = (kind_of(&register.code)?, extra.unit?.quantity());
        let (device_class, state_class) = match (quantity, kind) {
            (Quantity::ActiveEnergy, Kind::Counter) => (Some("energy"), TOTAL_INCREASING),
            // There were no classes for those for long, and one that is unknown costs the whole device.
            (Quantity::ReactiveEnergy | Quantity::ApparentEnergy, Kind::Counter) => (None, TOTAL_INCREASING),
            (Quantity::Volume, Kind::Counter) => (fluid(medium, channel, reading), TOTAL_INCREASING),
            (Quantity::ActivePower, Kind::Instant) => (Some("power"), MEASUREMENT),
            (Quantity::ReactivePower, Kind::Instant) => (Some("reactive_power"), MEASUREMENT),
            (Quantity::ApparentPower, Kind::Instant) => (Some("apparent_power"), MEASUREMENT),
            (Quantity::Voltage, Kind::Instant) => (Some("voltage"), MEASUREMENT),
            (Quantity::Current, Kind::Instant) => (Some("current"), MEASUREMENT),
            (Quantity::Frequency, Kind::Instant) => (Some("frequency"), MEASUREMENT),
            _ => return None,
        };
        let name = describe_register(register, language)?.into_owned();
        let unit = extra.unit.map(Unit::symbol);
        Some(Self { name, key: extra.key.clone(), device_class, state_class, unit })
    }

    /// Whether it only ever goes up.
    pub(super) fn counts(&self) -> bool {
        self.state_class == TOTAL_INCREASING
    }
}

/// What a meter of volumes counts: by its medium, or by the type that a P1 port gives for the channel.
fn fluid(medium: u8, channel: u8, reading: &Reading) -> Option<&'static str> {
    const GAS: u8 = 7;
    const COLD_WATER: u8 = 8;
    const HOT_WATER: u8 = 9;
    let device_type = || {
        let register = reading.register(Obis::new(0, channel, 24, 1, 0, 255))?;
        register.as_number().map(|number| number.to_string()).or_else(|| register.as_text().map(str::to_owned))
    };
    match medium {
        GAS => Some("gas"),
        COLD_WATER | HOT_WATER => Some("water"),
        // Device types of EN 13757-3.
        0 => match device_type()?.trim().trim_start_matches('0') {
            "3" => Some("gas"),
            "6" | "7" => Some("water"),
            _ => None,
        },
        _ => None,
    }
}

#[derive(Serialize)]
struct Component<'a> {
    p: &'static str,
    name: &'a str,
    unique_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_class: Option<&'static str>,
    state_class: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_of_measurement: Option<&'a str>,
    value_template: String,
}

/// The whole message.
pub(super) fn config(
    id: &str,
    name: &str,
    model: Option<&str>,
    sensors: &BTreeMap<String, Sensor>,
    style: &Style,
    availability: &[String],
    state: &str,
) -> String {
    let components: BTreeMap<&str, Component<'_>> = sensors
        .iter()
        .map(|(component, sensor)| {
            let shown = Component {
                p: "sensor",
                name: &sensor.name,
                unique_id: format!("{id}_{component}"),
                device_class: sensor.device_class,
                state_class: sensor.state_class,
                unit_of_measurement: sensor.unit.as_deref(),
                // After a start of ours a value may be missing for a while; Home Assistant then keeps the one it has.
                value_template: format!("{{{{ value_json.valeurs['{}'] | default('') }}}}", sensor.key),
            };
            (component.as_str(), shown)
        })
        .collect();
    let meter = match style.language {
        Language::English => "Meter",
        Language::French => "Compteur",
        Language::German => "Zähler",
    };
    let mut device = json!({ "ids": [id], "name": format!("{meter} {name}"), "sn": name });
    if let Some(model) = model {
        device["mdl"] = model.trim_start_matches('/').into();
    }
    let availability: Vec<_> = availability.iter().map(|topic| json!({ "topic": topic })).collect();
    let config = json!({
        "dev": device,
        "o": { "name": "releve", "sw": env!("CARGO_PKG_VERSION") },
        "cmps": components,
        "state_topic": state,
        "availability": availability,
        "availability_mode": "all",
    });
    config.to_string()
}
