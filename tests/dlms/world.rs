//! A meter, the ways to it, and the line between.

use releve::dialogue::dlms::{Access, Client, Config, Counter, Gmac, Outcome, Period, Plan, Station};
use releve::dialogue::{Dialogue, Event, Step};
use releve::reading::{Decimal, Instant, MeterTime, Obis, Unit, Zone};
use releve::simulate::dlms::{self as meter, Gauge, LoadProfile, MeterImage, Offer, Row, Security, Server};
use releve::wire::dlms::{Attribute, Authenticator, Password, SystemTitle};
use releve::wire::hdlc::{self, Address, Control};
use std::time::Duration;

pub(crate) const PROFILE: Obis = Obis::new(1, 0, 99, 1, 0, 255);
pub(crate) const STANDARD_LOG: Obis = Obis::new(0, 0, 99, 98, 0, 255);
pub(crate) const IMPORT: Obis = Obis::electricity(1, 8, 0);
pub(crate) const CLOCK: Attribute = Attribute::new(8, Obis::new(0, 0, 1, 0, 0, 255), 2);

pub(crate) fn zurich() -> Zone {
    Zone::parse("Europe/Zurich").unwrap()
}

pub(crate) fn at(text: &str) -> Instant {
    Instant::parse_utc(text).unwrap()
}

pub(crate) fn shown(text: &str) -> MeterTime {
    at(text).meter_time(zurich())
}

/// Three days of quarter hours, a dozen registers, two events.
pub(crate) fn image() -> MeterImage {
    let gauge = |c, d, value: i64, scaler, unit| Gauge {
        obis: Obis::electricity(c, d, 0),
        value: Decimal::new(value, scaler),
        unit,
    };
    let start = at("2025-11-05T00:00:00Z");
    let rows = (0..288).map(|n| Row {
        time: start.plus_seconds(n * 900).meter_time(zurich()),
        status: 0,
        values: vec![Decimal::new(100_000 + n / 2, 0), Decimal::new(7, 0)],
    });
    MeterImage {
        device_name: "LGZ1030653520967".into(),
        serial: "53520967".into(),
        now: shown("2025-11-07T23:58:12Z"),
        registers: vec![
            gauge(1, 8, 154_320, 0, Unit::WH),
            gauge(2, 8, 7, 0, Unit::WH),
            gauge(1, 7, 2345, 0, Unit::W),
            gauge(16, 7, -450, 0, Unit::W),
            gauge(32, 7, 2315, -1, Unit::V),
            gauge(31, 7, 1012, -2, Unit::A),
            gauge(14, 7, 4998, -2, Unit::HZ),
        ],
        profiles: vec![LoadProfile {
            obis: PROFILE,
            period_s: 900,
            columns: vec![IMPORT, Obis::electricity(2, 8, 0)],
            rows: rows.collect(),
            compressed: true,
        }],
        logs: vec![STANDARD_LOG],
        events: vec![
            meter::Event { log: STANDARD_LOG, time: shown("2025-11-01T10:00:00Z"), code: 1 },
            meter::Event { log: STANDARD_LOG, time: shown("2025-11-01T10:05:00Z"), code: 2 },
        ],
        failures: vec![meter::Failure { end: shown("2025-11-01T10:05:00Z"), seconds: 300 }],
        selects: (true, true),
    }
}

pub(crate) fn keys() -> Authenticator {
    Authenticator {
        encryption: "000102030405060708090A0B0C0D0E0F".parse().unwrap(),
        authentication: "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF".parse().unwrap(),
    }
}

pub(crate) fn password(text: &str) -> Password {
    Password::new(text.as_bytes())
}

pub(crate) fn gmac(ciphered: bool, counter: Counter) -> Access {
    let title = SystemTitle(*b"RLV\0\0\0\0\x01");
    Access::Gmac(Box::new(Gmac { keys: keys(), title, challenge: *b"Not random, test", ciphered, counter }))
}

/// A meter that lets the public client read its clock only, and the reading client everything.
pub(crate) fn server(security: Security) -> Server<MeterImage> {
    let only = Some(vec![CLOCK.obis, Obis::new(0, 0, 42, 0, 0, 255)]);
    let offers = vec![Offer { client: 16, security: Security::None, only }, Offer { client: 2, security, only: None }];
    Server::new(meter::Config { offers, ..meter::Config::default() }, image())
}

pub(crate) const READER: Station = Station { client: 2, server: Address::server(1, Some(17)) };
pub(crate) const PUBLIC: Station = Station { client: 16, ..READER };

pub(crate) fn registers() -> Plan {
    Plan::Registers { only: Vec::new() }
}

pub(crate) fn profile(since: Option<&str>, until: Option<&str>) -> Plan {
    Plan::Profile { obis: PROFILE, period: Period { since: since.map(at), until: until.map(at), zone: zurich() } }
}

/// The line between both: what it does to the octets of each direction.
pub(crate) trait Line {
    fn carry(&mut self, bytes: &[u8], to_meter: bool) -> Vec<u8>;
}

/// A line that carries what it is given.
pub(crate) struct Sound;

impl Line for Sound {
    fn carry(&mut self, bytes: &[u8], _: bool) -> Vec<u8> {
        bytes.to_vec()
    }
}

/// How a talk went.
pub(crate) struct Talk {
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
    pub(crate) steps: usize,
    /// The frames that reached the meter, by their control field.
    pub(crate) asked: Vec<Control>,
}

/// Plays the client against the server until it is done.
pub(crate) fn talk(config: Config, server: &mut Server<MeterImage>, line: &mut dyn Line) -> Talk {
    talk_until(config, server, line, usize::MAX)
}

/// The same, with a wish to stop after so many steps.
pub(crate) fn talk_until(config: Config, server: &mut Server<MeterImage>, line: &mut dyn Line, stop: usize) -> Talk {
    let mut client = Client::new(config);
    let (mut now, mut steps, mut pending, mut asked) = (Duration::ZERO, 0, Vec::<u8>::new(), Vec::new());
    let mut stopped = None;
    loop {
        steps += 1;
        assert!(steps < 200_000, "it never ends");
        if steps == stop {
            client.on(Event::Cancelled, now);
            stopped = Some(now);
        }
        match client.step() {
            Step::Done => break,
            Step::Send(bytes) => {
                let bytes = line.carry(bytes, true);
                if let hdlc_frame @ Some(_) = control(&bytes) {
                    asked.extend(hdlc_frame);
                }
                let reply = server.receive(&bytes, now);
                pending.extend(line.carry(&reply, false));
                now += Duration::from_millis(20);
                client.on(Event::Sent, now);
            }
            Step::SetLine(_) => client.on(Event::LineSet(true), now),
            Step::Receive(wait) if pending.is_empty() => {
                now += wait;
                client.on(Event::Silence, now);
            }
            Step::Receive(_) => {
                let count = pending.len().min(90);
                let bytes: Vec<u8> = pending.drain(..count).collect();
                now += Duration::from_millis(5);
                client.on(Event::Received(&bytes), now);
            }
            Step::Pause(wait) => {
                now += wait;
                client.on(Event::Paused, now);
            }
        }
    }
    if let Some(since) = stopped {
        assert!(now - since <= Duration::from_millis(500), "leaving took {:?}", now - since);
    }
    Talk { outcome: client.into_outcome(), took: now, steps, asked }
}

pub(crate) fn control(bytes: &[u8]) -> Option<Control> {
    match hdlc::cut(bytes, true) {
        releve::wire::Cut::Whole { value, .. } => Some(Control::parse(value.control).0),
        _ => None,
    }
}

pub(crate) fn read(station: Station, access: Access, plan: Plan) -> Config {
    Config::new(vec![station], access, plan)
}
