//! Events found while readings come in, through ends and beginnings of the log.

use crate::meter::{House, Log, METER, Port};
use crate::testenv::fixture;
use releve::reading::Instant;
use std::time::Duration;

/// A P1 telegram of a second with a power in watts.
fn telegram(at: Instant, watts: i64) -> Vec<u8> {
    // Winter time is an hour ahead of UTC.
    let local = at.plus_seconds(3600).to_string();
    let digits: String = local.chars().take(19).filter(char::is_ascii_digit).skip(2).collect();
    let text = String::from_utf8(std::fs::read(fixture("dsmr/smart5.txt")).unwrap()).unwrap();
    let text = text.replace("251107153002W", &format!("{digits}W"));
    let text = text.replace("02.345*kW", &format!("{:02}.{:03}*kW", watts / 1000, watts % 1000));
    let end = text.rfind('!').unwrap() + 1;
    let crc = crc::Crc::<u16>::new(&crc::CRC_16_ARC).checksum(&text.as_bytes()[..end]);
    format!("{}{crc:04X}\r\n", &text[..end]).into_bytes()
}

fn list(house: &House) -> Vec<serde_json::Value> {
    let run = house.place.run(["events", "--db", "a.db", "-f", "ndjson"]);
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Sends telegrams, a second of the meter's clock each, until the store has them.
fn send(house: &House, log: &Log, port: &Port, from: Instant, watts: &[i64]) {
    for (second, watts) in (0..).zip(watts) {
        let at = from.plus_seconds(second);
        let mut tries = 0;
        while house.stored().last() != Some(&at.unix_seconds()) {
            assert!(tries < 40, "{}", log.said());
            assert!(port.send(&telegram(at, *watts)));
            std::thread::sleep(Duration::from_millis(100));
            tries += 1;
        }
    }
}

#[test]
fn an_episode_across_a_restart_is_one_event_and_the_same_as_found_again() {
    let house = House::new();
    let port = Port::new(house.place.path("meter"));
    // The meter's clock has to be credible, or the times of receipt would count.
    let start = Instant::from_unix(Instant::now().unix_seconds() - 7200);
    house.place.write("c.toml", "[evenements]\nexec = \"cat >> told.ndjson\"\n");
    let log = || {
        let mut command = house.command();
        command.args(["--port", "./meter", "--commit", "50ms", "--config", "c.toml"]);
        Log::start(&mut command)
    };
    let first = log();
    send(&house, &first, &port, start, &[100, 200, 4500, 4700]);
    let said = first.end();
    assert!(said.contains("warning: Pic de puissance : 4500 W (limite 4000 W), en cours  [pic_puissance]"), "{said}");
    let open: Vec<_> = list(&house).into_iter().filter(|event| event["type"] == "pic_puissance").collect();
    assert_eq!(open.len(), 1);
    assert!(open[0]["fin"].is_null());
    let second = log();
    send(&house, &second, &port, start.plus_seconds(4), &[4900, 4100, 300]);
    send(&house, &second, &port, start.plus_seconds(70), &[300, 300]);
    let said = second.end();
    assert!(!said.contains("pic_puissance"), "{said}");
    let live = list(&house);
    let peaks: Vec<_> = live.iter().filter(|event| event["type"] == "pic_puissance").collect();
    assert_eq!(peaks.len(), 1, "{live:#?}");
    assert_eq!((&peaks[0]["id"], &peaks[0]["valeur"], &peaks[0]["duree_s"]), (&open[0]["id"], &4900.into(), &4.into()));
    // The two lines of the meter's own log are there once, however often they were read.
    let logged: Vec<_> = live.iter().filter(|event| event["code_obis"] == "1-0:99.97.0").collect();
    assert_eq!(logged.len(), 2);
    assert_eq!((&logged[1]["timestamp"], &logged[1]["duree_s"]), (&"2010-12-08T14:05:03Z".into(), &301.into()));
    let again = house.place.run(["events", "detect", "--db", "a.db", "-f", "table"]).clean();
    assert!(again.starts_with(METER) && again.ends_with("0 new, 0 changed, 0 removed\n"), "{again}");
    assert_eq!(list(&house), live);
    // The command was told of the peak, not of what the log of the meter held for years.
    let told = std::fs::read_to_string(house.place.path("told.ndjson")).unwrap();
    assert_eq!(told.lines().filter(|line| line.contains("pic_puissance")).count(), 1, "{told}");
    assert!(!told.contains("99.97.0"), "{told}");
}

#[test]
fn a_meter_that_is_unplugged_is_told_as_lost_and_found() {
    let house = House::new();
    let mut port = Port::new(house.place.path("meter"));
    let log = Log::start(house.command().args(["--port", "./meter", "--commit", "50ms"]));
    let start = Instant::from_unix(Instant::now().unix_seconds() - 7200);
    send(&house, &log, &port, start, &[100, 100]);
    port.unplug();
    let of = |kind: &str| list(&house).into_iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    log.until("lost", 20, |_| of("communication_perdue").len() == 1);
    assert!(of("communication_perdue")[0]["fin"].is_null());
    port.plug();
    send(&house, &log, &port, start.plus_seconds(5), &[100]);
    log.until("back", 20, |_| of("communication_retablie").len() == 1);
    let lost = of("communication_perdue");
    assert_eq!((lost.len(), &lost[0]["origine"], &lost[0]["severite"]), (1, &"lecteur".into(), &"error".into()));
    assert!(!lost[0]["fin"].is_null());
    log.end();
    // What the reader noticed is not found again, and not lost either.
    house.place.run(["events", "detect", "--db", "a.db"]).clean();
    assert_eq!(of("communication_perdue").len(), 1);
}
