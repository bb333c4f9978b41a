//! gurux-dlms as server against our client, and as client against our server.

use crate::peer::{Peer, Tcp};
use releve::dialogue::dlms::{Access, Client, Config, Counter, Gmac, Outcome, Period, Plan, Station, Trouble};
use releve::reading::{Decimal, Instant, Obis, Unit, Zone};
use releve::session::{Stop, play};
use releve::simulate::dlms::{self as meter, Gauge, LoadProfile, MeterImage, Offer, Row, Security, Server};
use releve::wire::dlms::{Attribute, Authenticator, Password, Refusal, SystemTitle, Value};
use releve::wire::hdlc::Address;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

const SERIAL: Obis = Obis::new(0, 0, 96, 1, 0, 255);
const PROFILE: Obis = Obis::new(1, 0, 99, 1, 0, 255);

fn gmac(ciphered: bool) -> Access {
    Access::Gmac(Box::new(Gmac {
        keys: Authenticator {
            encryption: "000102030405060708090A0B0C0D0E0F".parse().unwrap(),
            authentication: "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF".parse().unwrap(),
        },
        title: SystemTitle(*b"RLV\0\0\0\0\x01"),
        challenge: *b"Not random, test",
        ciphered,
        counter: Counter::Known(1),
    }))
}

fn public() -> Access {
    Access::Public
}

/// What our client makes of gurux' server, and what that saw of it.
fn ask(arguments: &[&str], access: Access, plan: Plan) -> Option<(Outcome, String)> {
    let mut peer = Peer::start("gurux_server.py", arguments)?;
    let port: u16 = peer.line().parse().unwrap();
    let mut link = Tcp(TcpStream::connect(("127.0.0.1", port)).unwrap());
    let stations = vec![Station { client: 16, server: Address::server(1, None) }];
    let mut client = Client::new(Config::new(stations, access, plan));
    play(&mut client, &mut link, &Stop::default()).unwrap();
    drop(link);
    // gurux prints remarks of its own before.
    let left = peer.rest().lines().last().unwrap_or_default().to_owned();
    Some((client.into_outcome(), left))
}

fn registers() -> Plan {
    Plan::Registers { only: Vec::new() }
}

fn find(values: &[Value], class: u16, obis: Obis, index: i8) -> &Value {
    let wanted = Attribute::new(class, obis, index);
    values.iter().find(|value| value.attribute == wanted).unwrap_or_else(|| panic!("no {wanted}"))
}

fn number(value: &Value) -> i64 {
    value.tree().unwrap().root().integer().unwrap()
}

fn check_registers(outcome: &Outcome, left: &str) {
    assert_eq!(outcome.trouble, None);
    assert_eq!(left, "left: released, disconnected");
    let values = &outcome.values;
    assert_eq!(number(find(values, 3, Obis::electricity(1, 8, 0), 2)), 154_320);
    let scaler = find(values, 3, Obis::electricity(1, 8, 0), 3).tree().unwrap().root().scaler_unit();
    assert_eq!(scaler, Some((1, 30)));
    assert_eq!(number(find(values, 3, Obis::electricity(32, 7, 0), 2)), 2315);
    assert_eq!(number(find(values, 3, Obis::electricity(1, 7, 0), 2)), -450);
    assert_eq!(find(values, 1, SERIAL, 2).tree().unwrap().root().text(), Some("12345678"));
    let clock = find(values, 8, Obis::new(0, 0, 1, 0, 0, 255), 2).tree().unwrap().root().time().unwrap();
    assert_eq!(clock.civil.to_string(), "2025-11-10T12:00:00");
}

#[test]
fn registers_come_without_security() {
    let Some((outcome, left)) = ask(&["none"], public(), registers()) else { return };
    check_registers(&outcome, &left);
    // The object list takes several blocks of 200 octets, each in frames of 128.
    assert_eq!((outcome.limits.transmit, outcome.limits.receive), (128, 128));
    assert_eq!(outcome.agreed.unwrap().max_pdu, 200);
}

#[test]
fn registers_come_with_a_password() {
    let access = Access::Password(Password::new(b"12345678"));
    let Some((outcome, left)) = ask(&["low"], access, registers()) else { return };
    check_registers(&outcome, &left);
}

#[test]
fn a_wrong_password_is_told_and_the_meter_left() {
    let access = Access::Password(Password::new(b"00000000"));
    let Some((outcome, left)) = ask(&["low"], access, registers()) else { return };
    assert!(outcome.values.is_empty());
    assert_eq!(outcome.trouble.unwrap().to_string(), "the association is refused: the authentication failed");
    assert_eq!(left, "left: without a word, disconnected");
}

#[test]
fn registers_come_after_both_sides_proved_who_they_are() {
    let Some((outcome, left)) = ask(&["gmac"], gmac(false), registers()) else { return };
    check_registers(&outcome, &left);
    assert_eq!(outcome.title.unwrap().0, *b"GRX\0\0\0\0\x01");
}

#[test]
fn a_meter_with_other_keys_does_not_take_the_proof() {
    let Access::Gmac(mut other) = gmac(false) else { unreachable!() };
    other.keys.authentication = "00000000000000000000000000000000".parse().unwrap();
    let Some((outcome, left)) = ask(&["gmac"], Access::Gmac(other), registers()) else { return };
    assert_eq!(outcome.trouble, Some(Trouble::AuthenticationFailed));
    assert_eq!(left, "left: without a word, disconnected");
}

#[test]
fn registers_come_enciphered() {
    let Some((outcome, left)) = ask(&["ciphered"], gmac(true), registers()) else { return };
    check_registers(&outcome, &left);
}

#[test]
fn what_is_refused_does_not_stop_the_rest() {
    let closed = Attribute::new(1, Obis::new(0, 0, 96, 1, 1, 255), 2);
    let none = Attribute::new(3, Obis::electricity(99, 7, 0), 2);
    let serial = Attribute::new(1, SERIAL, 2);
    let Some((outcome, _)) = ask(&["none"], public(), Plan::Attributes(vec![closed, none, serial])) else { return };
    let results: Vec<_> = outcome.values.iter().map(|value| value.result.as_ref().err().copied()).collect();
    assert_eq!(results, [Some(Refusal::Access { result: 3 }), Some(Refusal::Access { result: 4 }), None]);
}

fn rows(outcome: &Outcome) -> Vec<i64> {
    let buffers = outcome.values.iter().filter(|value| value.attribute == Attribute::new(7, PROFILE, 2));
    let mut rows = Vec::new();
    for buffer in buffers {
        let Some(tree) = buffer.tree() else { continue };
        rows.extend(tree.root().elements().map(|row| row.elements().nth(1).unwrap().integer().unwrap()));
    }
    rows
}

fn profile(since: Option<&str>, until: Option<&str>) -> Plan {
    let at = |text: &str| Instant::parse_utc(text).unwrap();
    Plan::Profile { obis: PROFILE, period: Period { since: since.map(at), until: until.map(at), zone: Zone::UTC } }
}

#[test]
fn a_load_profile_comes_by_range() {
    let plan = profile(Some("2025-11-07T06:00:00Z"), Some("2025-11-10T00:00:00Z"));
    let Some((outcome, _)) = ask(&["none"], public(), plan) else { return };
    assert_eq!(outcome.trouble, None);
    assert_eq!(rows(&outcome), (100_024..100_288).collect::<Vec<_>>());
    let selections = outcome.values.iter().filter(|value| value.selection.is_some()).count();
    assert_eq!(selections, 2, "two slices of at most two days");
}

#[test]
fn a_meter_that_knows_no_ranges_is_asked_by_number() {
    let plan = profile(Some("2025-11-10T00:00:00Z"), None);
    let Some((outcome, _)) = ask(&["none", "--no-range"], public(), plan) else { return };
    assert_eq!(outcome.trouble, None);
    // The newest rows, as many as there can be since then, and two more.
    assert_eq!(rows(&outcome), (100_250..100_300).collect::<Vec<_>>());
}

#[test]
fn a_whole_profile_comes_by_number() {
    let Some((outcome, _)) = ask(&["none"], public(), profile(None, None)) else { return };
    assert_eq!(rows(&outcome), (100_000..100_300).collect::<Vec<_>>());
}

/// Serves one client of our server, over TCP; gives what gurux printed, and whether it took leave.
fn serve(mode: &str, security: Security) -> Option<(Vec<String>, bool)> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut peer = Peer::start("gurux_client.py", &[&port, mode, "2", "1"])?;
    let offers = vec![Offer { client: 2, security, only: None }];
    let config = meter::Config { offers, lower: None, max_pdu: 300, ..meter::Config::default() };
    let mut server = Server::new(config, image());
    let (mut stream, _) = listener.accept().unwrap();
    let (mut buffer, mut now) = ([0; 1024], Duration::ZERO);
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        now += Duration::from_millis(10);
        let reply = server.receive(&buffer[..count], now);
        stream.write_all(&reply).unwrap();
    }
    Some((peer.rest().lines().map(str::to_owned).collect(), !server.is_connected()))
}

fn image() -> MeterImage {
    let zone = Zone::parse("Europe/Zurich").unwrap();
    let gauge = |c, d, value, unit| Gauge { obis: Obis::electricity(c, d, 0), value, unit };
    let start = Instant::parse_utc("2025-11-05T23:00:00Z").unwrap();
    let rows = (0..96).map(|n| Row {
        time: start.plus_seconds(n * 900).meter_time(zone),
        status: 0,
        values: vec![Decimal::new(100_000 + n, 0)],
    });
    MeterImage {
        device_name: "LGZ1030653520967".into(),
        serial: "53520967".into(),
        now: Instant::parse_utc("2025-11-07T14:30:00Z").unwrap().meter_time(zone),
        registers: vec![gauge(1, 8, Decimal::new(154_320, 0), Unit::WH), gauge(32, 7, Decimal::new(2315, -1), Unit::V)],
        profiles: vec![LoadProfile {
            obis: PROFILE,
            period_s: 900,
            columns: vec![Obis::electricity(1, 8, 0)],
            rows: rows.collect(),
            compressed: false,
        }],
        logs: Vec::new(),
        events: Vec::new(),
        failures: Vec::new(),
        selects: (true, true),
    }
}

#[test]
fn gurux_reads_our_meter() {
    let keys = || Authenticator {
        encryption: "000102030405060708090A0B0C0D0E0F".parse().unwrap(),
        authentication: "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF".parse().unwrap(),
    };
    for (mode, security) in [
        ("none", Security::None),
        ("low", Security::Password(Password::new(b"12345678"))),
        ("gmac", Security::Gmac { keys: keys(), ciphered: false }),
        ("ciphered", Security::Gmac { keys: keys(), ciphered: true }),
    ] {
        let Some((facts, left)) = serve(mode, security) else { return };
        assert_eq!(
            facts,
            [
                "objects 9",
                "clock 2025-11-07T15:30:00+01:00",
                "name LGZ1030653520967",
                "energy 154320 unit 30",
                "voltage 231.5 unit 35",
                "columns ['0.0.1.0.0.255', '0.0.96.10.1.255', '1.0.1.8.0.255']",
                "by range 41: [100040, 100041, 100042]",
                "by entry 4: [100004, 100005, 100006, 100007]",
                "list read",
                "blocks True, segments True",
            ],
            "{mode}"
        );
        assert!(left, "{mode}");
    }
}

#[test]
fn gurux_with_a_wrong_password_is_refused() {
    let security = Security::Password(Password::new(b"another one"));
    let Some((facts, left)) = serve("low", security) else { return };
    assert_eq!(facts, ["GXDLMSException: Connection is permanently rejected", "Authentication failure."]);
    assert!(left);
}
