use super::*;
use crate::reading::{Code, Decimal, Protocol, Register, Unit};
use serde_json::Value as Json;

fn style() -> Style {
    Style {
        prefix: "releve".into(),
        discovery: Some("homeassistant".into()),
        interval: Duration::ZERO,
        language: Language::English,
    }
}

fn reading(registers: &[(&str, &str, &str)]) -> Reading {
    let mut reading = Reading::new(Protocol::Dsmr);
    reading.registers = registers
        .iter()
        .map(|(code, value, unit)| {
            let number = value.parse::<Decimal>().unwrap();
            Register::number(Code::parse(code.as_bytes()), number, Unit::parse(unit))
        })
        .collect();
    reading
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Takes a reading at a second, and gives what is said by topic.
fn take(publisher: &mut Publisher, reading: &Reading, second: u64) -> BTreeMap<String, String> {
    let at = Instant::from_unix(1_762_525_800 + i64::try_from(second).unwrap());
    let messages = publisher.take(&MeterId::new("E450").unwrap(), at, reading, seconds(second));
    let count = messages.len();
    let by_topic: BTreeMap<_, _> = messages.into_iter().map(|message| (message.topic, message.payload)).collect();
    assert_eq!(by_topic.len(), count);
    by_topic
}

const CONFIG: &str = "homeassistant/device/releve_E450/config";
const STATE: &str = "releve/E450/state";
const AVAILABILITY: &str = "releve/E450/availability";

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_first_reading_makes_a_device_and_the_next_only_a_state() {
    let mut publisher = Publisher::new(style());
    let values =
        [("1.8.0", "12345.600", "kWh"), ("2.8.0", "0.100", "kWh"), ("16.7.0", "1.5", "kW"), ("32.7.0", "231", "V")];
    let said = take(&mut publisher, &reading(&values), 0);
    assert_eq!(said.keys().collect::<Vec<_>>(), [CONFIG, AVAILABILITY, STATE]);
    assert_eq!(said[AVAILABILITY], "online");
    // Digit for digit, and in the contract's unit.
    assert_eq!(
        said[STATE],
        r#"{"compteur":"E450","timestamp":"2025-11-07T14:30:00Z","qualite":"good","valeurs":{"energie_active_export":0.100,"energie_active_import":12345.600,"puissance_active_totale":1500,"tension_l1":231}}"#
    );
    let config = json(&said[CONFIG]);
    assert_eq!(config["dev"], serde_json::json!({ "ids": ["releve_E450"], "name": "Meter E450", "sn": "E450" }));
    assert_eq!(config["o"]["name"], "releve");
    assert_eq!(config["state_topic"], STATE);
    assert_eq!(config["availability"], serde_json::json!([{ "topic": "releve/status" }, { "topic": AVAILABILITY }]));
    assert_eq!(config["availability_mode"], "all");
    assert_eq!(
        config["cmps"]["energie_active_import"],
        serde_json::json!({
            "p": "sensor", "name": "Active energy import (+A) total", "unique_id": "releve_E450_energie_active_import",
            "device_class": "energy", "state_class": "total_increasing", "unit_of_measurement": "kWh",
            "value_template": "{{ value_json.valeurs['energie_active_import'] | default('') }}"
        })
    );
    let power = &config["cmps"]["puissance_active_totale"];
    let of = |key: &str| power[key].as_str().unwrap().to_owned();
    assert_eq!(
        (of("device_class"), of("state_class"), of("unit_of_measurement")),
        ("power".into(), "measurement".into(), "W".into())
    );
    assert_eq!(config["cmps"].as_object().unwrap().len(), 4);

    let said = take(&mut publisher, &reading(&values), 1);
    assert_eq!(said.keys().collect::<Vec<_>>(), [STATE]);
}

#[test]
fn a_new_register_makes_the_device_anew_and_what_was_known_stays() {
    let mut publisher = Publisher::new(style());
    take(&mut publisher, &reading(&[("1.8.0", "1", "kWh"), ("16.7.0", "5", "W")]), 0);
    let said =
        take(&mut publisher, &reading(&[("1.8.1", "0.6", "kWh"), ("5.8.0", "7", "kvarh"), ("23.7.0", "3", "var")]), 5);
    let config = json(&said[CONFIG]);
    let components: Vec<_> = config["cmps"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        components,
        ["1-0_1_8_1", "1-0_23_7_0", "1-0_5_8_0", "energie_active_import", "puissance_active_totale"]
    );
    assert_eq!(config["cmps"]["1-0_1_8_1"]["device_class"], "energy");
    assert_eq!(config["cmps"]["1-0_1_8_1"]["value_template"], "{{ value_json.valeurs['1-0:1.8.1'] | default('') }}");
    assert_eq!(config["cmps"]["1-0_23_7_0"]["device_class"], "reactive_power");
    assert_eq!(config["cmps"]["1-0_5_8_0"]["device_class"], Json::Null);
    assert_eq!(config["cmps"]["1-0_5_8_0"]["unit_of_measurement"], "kvarh");
    let state = json(&said[STATE]);
    assert_eq!(
        (state["timestamp"].as_str(), state["valeurs"].as_object().unwrap().len()),
        (Some("2025-11-07T14:30:05Z"), 5)
    );
    assert_eq!(state["valeurs"]["puissance_active_totale"], 5);
}

#[test]
fn what_is_no_sensor_is_in_the_state_only() {
    let mut publisher = Publisher::new(style());
    let mut telegram = reading(&[
        ("1-0:1.8.0", "9", "kWh"),
        ("1-0:1.8.0*01", "8", "kWh"),
        ("1-0:1.6.0", "2.5", "kW"),
        ("0-0:96.7.21", "4", ""),
        ("7-0:3.0.0", "12.5", "m3"),
        ("0-1:24.1.0", "3", ""),
        ("0-1:24.2.1", "304.089", "m3"),
        ("0-2:24.2.1", "5", "m3"),
    ]);
    telegram.registers.push(Register::text(Code::parse(b"0-2:24.1.0"), "007"));
    let said = take(&mut publisher, &telegram, 0);
    let config = json(&said[CONFIG]);
    let components: Vec<_> = config["cmps"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(components, ["0-1_24_2_1", "0-2_24_2_1", "7-0_3_0_0", "energie_active_import"]);
    assert_eq!(config["cmps"]["0-1_24_2_1"]["device_class"], "gas");
    assert_eq!(config["cmps"]["0-2_24_2_1"]["device_class"], "water");
    assert_eq!(config["cmps"]["7-0_3_0_0"]["device_class"], "gas");
    let state = json(&said[STATE]);
    assert_eq!(state["valeurs"]["1-0:1.6.0"].to_string(), "2500");
    assert!(state["valeurs"].get("1-0:1.8.0*1").is_some(), "{state}");
}

#[test]
fn names_are_in_the_language_and_without_discovery_there_is_no_device() {
    for (language, device, sensor) in [
        (Language::French, "Compteur E450", "Énergie active importée (+A), total"),
        (Language::German, "Zähler E450", "Wirkenergie Bezug (+A) gesamt"),
    ] {
        let mut publisher = Publisher::new(Style { language, ..style() });
        let config = json(&take(&mut publisher, &reading(&[("1.8.0", "1", "kWh")]), 0)[CONFIG]);
        assert_eq!(config["dev"]["name"], device);
        assert_eq!(config["cmps"]["energie_active_import"]["name"], sensor);
        // What identifies it is the same in every language.
        assert_eq!(config["cmps"]["energie_active_import"]["unique_id"], "releve_E450_energie_active_import");
    }
    let mut publisher = Publisher::new(Style { discovery: None, ..style() });
    let said = take(&mut publisher, &reading(&[("1.8.0", "1", "kWh")]), 0);
    assert_eq!(said.keys().collect::<Vec<_>>(), [AVAILABILITY, STATE]);
    assert!(publisher.all(seconds(1)).iter().all(|message| message.topic.starts_with("releve/")));
}

#[test]
fn a_reading_known_to_be_wrong_is_not_published_and_a_doubtful_one_says_so() {
    let mut publisher = Publisher::new(style());
    let mut doubtful = reading(&[("1.8.0", "1", "kWh")]);
    doubtful.quality = Quality::Suspect;
    assert_eq!(json(&take(&mut publisher, &doubtful, 0)[STATE])["qualite"], "suspect");
    let mut wrong = reading(&[("1.8.0", "999999", "kWh")]);
    wrong.quality = Quality::Bad;
    assert!(take(&mut publisher, &wrong, 1).is_empty());
    // One that says nothing makes no device.
    let mut publisher = Publisher::new(style());
    let mut empty = reading(&[]);
    empty.identification = Some("/LGZ5".into());
    assert_eq!(take(&mut publisher, &empty, 0).keys().collect::<Vec<_>>(), [AVAILABILITY]);
    assert_eq!(publisher.all(seconds(1)).len(), 2);
}

#[test]
fn a_counter_that_falls_has_to_be_confirmed() {
    let mut publisher = Publisher::new(style());
    let mut import = |value: &str, second| {
        let said = take(&mut publisher, &reading(&[("1.8.0", value, "kWh"), ("16.7.0", value, "W")]), second);
        let state = json(&said[STATE]);
        // What is no counter goes up and down.
        assert_eq!(state["valeurs"]["puissance_active_totale"].to_string(), value);
        state["valeurs"]["energie_active_import"].to_string()
    };
    assert_eq!(import("500.0", 0), "500.0");
    // An error of the line.
    assert_eq!(import("0.1", 1), "500.0");
    assert_eq!(import("500.1", 2), "500.1");
    assert_eq!(import("0.2", 3), "500.1");
    // A new counter.
    assert_eq!(import("0.2", 4), "0.2");
    assert_eq!(import("0.3", 5), "0.3");
}

#[test]
fn between_two_states_is_the_interval_and_the_newest_is_said_when_it_is_over() {
    let mut publisher = Publisher::new(Style { interval: seconds(10), ..style() });
    let power = |watts: &str| reading(&[("16.7.0", watts, "W")]);
    assert!(take(&mut publisher, &power("1"), 0).contains_key(STATE));
    assert!(take(&mut publisher, &power("2"), 3).is_empty());
    assert!(take(&mut publisher, &power("3"), 6).is_empty());
    assert_eq!(publisher.due(seconds(6)), Some(seconds(4)));
    assert!(publisher.pass(seconds(9)).is_empty());
    let said = publisher.pass(seconds(10));
    assert_eq!((said.len(), said[0].topic.as_str()), (1, STATE));
    assert_eq!(json(&said[0].payload)["valeurs"]["puissance_active_totale"], 3);
    assert!(publisher.pass(seconds(11)).is_empty());
    assert!(take(&mut publisher, &power("4"), 20).contains_key(STATE));
}

#[test]
fn a_meter_that_falls_silent_is_said_to_be_offline_once_and_online_when_it_is_back() {
    let mut publisher = Publisher::new(style());
    let power = reading(&[("16.7.0", "1", "W")]);
    // It is asked every ten minutes.
    for second in [0, 600, 1200] {
        take(&mut publisher, &power, second);
    }
    assert_eq!(publisher.due(seconds(1200)), Some(seconds(1800)));
    assert!(publisher.pass(seconds(2999)).is_empty());
    assert_eq!(publisher.pass(seconds(3000)), [Message { topic: AVAILABILITY.into(), payload: "offline".into() }]);
    assert_eq!((publisher.pass(seconds(3001)), publisher.due(seconds(3001))), (Vec::new(), None));
    assert_eq!(take(&mut publisher, &power, 3600)[AVAILABILITY], "online");
}

#[test]
fn lists_that_come_in_a_row_do_not_make_a_meter_impatient() {
    let mut publisher = Publisher::new(style());
    let power = reading(&[("16.7.0", "1", "W")]);
    for second in [0, 1, 900, 901, 1800, 1801, 1802] {
        take(&mut publisher, &power, second);
        assert!(publisher.pass(seconds(second)).is_empty());
    }
    assert!(publisher.due(seconds(1802)).unwrap() > seconds(900));
}

#[test]
fn whoever_knows_nothing_is_told_everything_as_it_is_now() {
    let mut publisher = Publisher::new(style());
    assert_eq!(publisher.all(seconds(0)), [style().status(true)]);
    let power = |watts: &str| reading(&[("16.7.0", watts, "W")]);
    take(&mut publisher, &power("1"), 0);
    take(&mut publisher, &power("2"), 1);
    let all: BTreeMap<_, _> =
        publisher.all(seconds(2)).into_iter().map(|message| (message.topic, message.payload)).collect();
    assert_eq!(all.keys().collect::<Vec<_>>(), [CONFIG, AVAILABILITY, STATE, "releve/status"]);
    assert_eq!(json(&all[STATE])["valeurs"]["puissance_active_totale"], 2);
    let later = publisher.all(seconds(10_000));
    assert!(later.contains(&Message { topic: AVAILABILITY.into(), payload: "offline".into() }), "{later:?}");
}

#[test]
fn nonsense_on_the_line_does_not_fill_the_memory() {
    let mut publisher = Publisher::new(style());
    for number in 0..2 * METERS {
        let meter = MeterId::new(&format!("M{number}")).unwrap();
        publisher.take(&meter, Instant::from_unix(0), &reading(&[("16.7.0", "1", "W")]), seconds(0));
    }
    assert_eq!(publisher.meters.len(), METERS);
    let many: Vec<_> = (0..1000).map(|number| format!("1-{}:{}.8.{}", number % 5, number / 50, number % 50)).collect();
    let many: Vec<_> = many.iter().map(|code| (code.as_str(), "1", "kWh")).collect();
    let meter = MeterId::new("M0").unwrap();
    let said = publisher.take(&meter, Instant::from_unix(1), &reading(&many), seconds(1));
    assert!(said.iter().all(|message| message.payload.len() < 200_000));
}

#[test]
fn a_prefix_is_levels_without_wildcards() {
    for good in ["releve", "home/meters", "häuser/1"] {
        assert!(is_prefix(good), "{good}");
    }
    for bad in ["", "/a", "a/", "a//b", "a/+", "#", "$SYS", "a\0"] {
        assert!(!is_prefix(bad), "{bad}");
    }
}
