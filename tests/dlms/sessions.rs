//! What is read, what is refused, and how long it takes.

use crate::world::*;
use releve::acquire::map;
use releve::acquire::quirks::events::{Family, explain};
use releve::dialogue::dlms::{Access, Config, Counter, Known, Outcome, Period, Plan, Station, Trouble, usual_stations};
use releve::reading::{Decimal, Obis, Quality, Reading, Zone};
use releve::simulate::dlms::{self as meter, Offer, Security, Server};
use releve::wire::dlms::{Attribute, Refusal, Value};
use releve::wire::hdlc::{self, Address, Control, Limits};
use std::time::Duration;

fn number(values: &[Value], attribute: Attribute) -> Option<i64> {
    let value = values.iter().find(|value| value.attribute == attribute)?;
    value.tree()?.root().integer()
}

fn check(talk: &Talk) {
    assert_eq!(talk.outcome.trouble, None);
    assert_eq!(number(&talk.outcome.values, Attribute::new(3, IMPORT, 2)), Some(154_320));
    assert_eq!(number(&talk.outcome.values, Attribute::new(3, Obis::electricity(16, 7, 0), 2)), Some(-450));
    assert_eq!(talk.asked.last(), Some(&Control::Disconnect));
}

#[test]
fn every_kind_of_association_reads_every_register() {
    for (security, access) in [
        (Security::None, Access::Public),
        (Security::Password(password("12345678")), Access::Password(password("12345678"))),
        (Security::Gmac { keys: keys(), ciphered: false }, gmac(false, Counter::Known(1))),
        (Security::Gmac { keys: keys(), ciphered: true }, gmac(true, Counter::Known(1))),
    ] {
        let mut server = server(security);
        let talk = talk(read(READER, access, registers()), &mut server, &mut Sound);
        check(&talk);
        assert!(!server.is_connected());
        assert!(talk.outcome.values.iter().all(|value| value.result.is_ok()));
    }
}

#[test]
fn the_public_client_learns_what_it_may_not_read() {
    let mut server = server(Security::None);
    let talk = talk(read(PUBLIC, Access::Public, registers()), &mut server, &mut Sound);
    assert_eq!(talk.outcome.trouble, None);
    let values = &talk.outcome.values;
    assert!(values.iter().any(|value| value.attribute == CLOCK && value.result.is_ok()));
    // The number of the meter and seven registers: refused by the list, so not asked for.
    let refused: Vec<_> = values.iter().filter_map(|value| value.result.as_ref().err()).collect();
    assert_eq!(refused, [&Refusal::Closed; 8]);
}

#[test]
fn what_is_asked_for_by_name_is_asked_although_the_list_says_no() {
    let mut server = server(Security::None);
    let plan = Plan::Registers { only: vec![IMPORT] };
    let talk = talk(read(PUBLIC, Access::Public, plan), &mut server, &mut Sound);
    let value = talk.outcome.values.iter().find(|v| v.attribute == Attribute::new(3, IMPORT, 2)).unwrap();
    assert_eq!(value.result, Err(Refusal::Access { result: 3 }));
}

#[test]
fn a_refused_association_says_why() {
    let locked = || Security::Password(password("12345678"));
    let secure = || Security::Gmac { keys: keys(), ciphered: true };
    for (security, access, why) in [
        (locked(), Access::Password(password("00000000")), "the association is refused: the authentication failed"),
        (locked(), Access::Public, "the association is refused: authentication is required"),
        (secure(), Access::Public, "the association is refused: the application context is not supported"),
        (
            Security::None,
            Access::Password(password("1")),
            "the association is refused: the authentication mechanism is not recognised",
        ),
    ] {
        let talk = talk(read(READER, access, registers()), &mut server(security), &mut Sound);
        assert_eq!(talk.outcome.trouble.unwrap().to_string(), why);
        assert_eq!(talk.asked.last(), Some(&Control::Disconnect));
    }
}

#[test]
fn wrong_keys_are_told_apart_from_a_wrong_meter() {
    let mut other = keys();
    other.authentication = "00000000000000000000000000000000".parse().unwrap();
    let mut server = server(Security::Gmac { keys: other, ciphered: false });
    let talk = talk(read(READER, gmac(false, Counter::Known(1)), registers()), &mut server, &mut Sound);
    assert_eq!(talk.outcome.trouble, Some(Trouble::AuthenticationFailed));
}

#[test]
fn the_counter_is_read_by_the_public_client_and_goes_on_rising() {
    let mut server = server(Security::Gmac { keys: keys(), ciphered: true });
    let first = talk(read(READER, gmac(true, Counter::Known(500)), registers()), &mut server, &mut Sound);
    check(&first);
    // Too low now, and said so.
    let again = talk(read(READER, gmac(true, Counter::Known(500)), registers()), &mut server, &mut Sound);
    assert!(matches!(again.outcome.trouble, Some(Trouble::Rejected { .. })));
    let from_meter = Counter::ReadFrom(Obis::new(0, 0, 43, 1, 0, 255));
    let third = talk(read(READER, gmac(true, from_meter), registers()), &mut server, &mut Sound);
    check(&third);
    assert!(third.outcome.counter > first.outcome.counter);
    // Two visits, each with a goodbye.
    assert_eq!(third.asked.iter().filter(|control| **control == Control::Disconnect).count(), 2);
}

#[test]
fn the_address_is_searched_for() {
    let config = Config::new(usual_stations(2), Access::Public, registers());
    let mut server = server(Security::None);
    let talk = talk(config, &mut server, &mut Sound);
    // Without a lower address every meter is meant, whatever its own.
    check(&talk);
    assert_eq!(talk.outcome.station.unwrap().server, Address::server(1, None));
}

#[test]
fn nobody_there_is_told_within_its_time() {
    struct Dead;
    impl Line for Dead {
        fn carry(&mut self, _: &[u8], _: bool) -> Vec<u8> {
            Vec::new()
        }
    }
    let mut server = server(Security::None);
    let one = talk(read(READER, Access::Public, registers()), &mut server, &mut Dead);
    assert_eq!(one.outcome.trouble, Some(Trouble::NoAnswer { echo: false, octets: 0 }));
    assert!(one.took < Duration::from_secs(8), "{:?}", one.took);
    let five = talk(Config::new(usual_stations(16), Access::Public, registers()), &mut server, &mut Dead);
    assert!(five.took < Duration::from_secs(17), "{:?}", five.took);
}

/// A line that gives back what goes to the meter, too.
struct Echo(Vec<u8>);

impl Line for Echo {
    fn carry(&mut self, bytes: &[u8], to_meter: bool) -> Vec<u8> {
        if to_meter {
            self.0 = bytes.to_vec();
            return bytes.to_vec();
        }
        [&std::mem::take(&mut self.0)[..], bytes].concat()
    }
}

#[test]
fn client_1_hears_server_1_although_its_frames_look_like_the_clients_own() {
    let station = Station { client: 1, server: Address::server(1, None) };
    let offers = vec![Offer { client: 1, security: Security::None, only: None }];
    for (line, echo) in [(&mut Sound as &mut dyn Line, false), (&mut Echo(Vec::new()), true)] {
        let mut server = Server::new(meter::Config { offers: offers.clone(), ..meter::Config::default() }, image());
        let talk = talk(read(station, Access::Public, registers()), &mut server, line);
        check(&talk);
        assert_eq!((talk.outcome.noticed.echo, talk.outcome.noticed.repeats), (echo, 0));
    }
}

#[test]
fn an_echo_is_not_taken_for_a_meter() {
    let mut there = server(Security::None);
    let heard = talk(read(READER, Access::Public, registers()), &mut there, &mut Echo(Vec::new()));
    check(&heard);
    assert!(heard.outcome.noticed.echo);
    // Nobody behind the head: the same address, but no meter of that number.
    let elsewhere = Station { server: Address::server(5, None), ..READER };
    let talk = talk(read(elsewhere, Access::Public, registers()), &mut there, &mut Echo(Vec::new()));
    assert_eq!(talk.outcome.trouble, Some(Trouble::NoAnswer { echo: true, octets: 0 }));
}

#[test]
fn a_client_that_knows_the_meter_asks_less() {
    let mut server = server(Security::None);
    let first = talk(read(READER, Access::Public, registers()), &mut server, &mut Sound);
    let known = Known::of(&first.outcome.values);
    let second = talk(Config { known, ..read(READER, Access::Public, registers()) }, &mut server, &mut Sound);
    check(&second);
    assert_eq!(second.outcome.values, first.outcome.values);
    assert!(second.asked.len() * 2 < first.asked.len() + 8, "{} of {}", second.asked.len(), first.asked.len());
    // Another meter in its place: nothing of what is known counts.
    server.objects().device_name = "LGZ9999999999999".into();
    server.objects().registers[0].value = Decimal::new(7, 3);
    let known = Known::of(&first.outcome.values);
    let third = talk(Config { known, ..read(READER, Access::Public, registers()) }, &mut server, &mut Sound);
    assert_eq!(third.asked.len(), first.asked.len());
    let reading = map::dlms::objects(&third.outcome.values);
    assert_eq!(reading.register(IMPORT).unwrap().as_number().unwrap().to_string(), "7000");
}

/// The rows of all answers, as far as they are numbers.
fn rows(outcome: &Outcome) -> usize {
    let buffers = outcome.values.iter().filter(|value| value.attribute == Attribute::new(7, PROFILE, 2));
    buffers.filter_map(Value::tree).map(|tree| tree.root().count()).sum()
}

#[test]
fn a_profile_comes_by_time_by_number_or_whole() {
    for (selects, wanted) in [((true, true), 96), ((false, true), 98), ((false, false), 288)] {
        let mut server = server(Security::None);
        server.objects().selects = selects;
        // The seventh by the clock on the wall; the rows at both its ends are asked for by the first.
        let plan = profile(Some("2025-11-06T23:00:00Z"), Some("2025-11-07T23:00:00Z"));
        let talk = talk(read(READER, Access::Public, plan), &mut server, &mut Sound);
        assert_eq!(talk.outcome.trouble, None);
        let found = rows(&talk.outcome);
        // By number, the rows up to now come, and two more.
        let wanted = if wanted == 98 { 288 - 188 + 1 } else { wanted };
        assert_eq!(found, wanted, "{selects:?}");
    }
}

#[test]
fn what_was_read_is_a_reading_with_units_and_the_meters_own_time() {
    let talk = talk(read(READER, Access::Public, registers()), &mut server(Security::None), &mut Sound);
    let reading = map::dlms::objects(&talk.outcome.values);
    assert_eq!(reading.meter.as_ref().unwrap().as_str(), "LGZ1030653520967");
    assert_eq!(reading.clock.unwrap().rfc3339(Zone::UTC), "2025-11-08T00:58:12+01:00");
    let shown = |c, d| {
        let register = reading.register(Obis::electricity(c, d, 0)).unwrap();
        format!("{} {}", register.as_number().unwrap(), register.unit_text().unwrap())
    };
    assert_eq!([shown(1, 8), shown(16, 7), shown(32, 7)], ["154320 Wh", "-450 W", "231.5 V"]);
    assert_eq!(reading.quality, Quality::Good);
}

#[test]
fn a_compressed_profile_is_a_reading_for_every_quarter_hour() {
    let plan = profile(Some("2025-11-06T23:00:00Z"), Some("2025-11-07T23:00:00Z"));
    let talk = talk(read(READER, Access::Public, plan), &mut server(Security::None), &mut Sound);
    let rows = map::dlms::rows(&talk.outcome.values, PROFILE);
    let times: Vec<_> = rows.iter().map(|row| row.clock.unwrap().resolve(zurich()).earliest()).collect();
    assert_eq!(times, (0..96).map(|n| at("2025-11-06T23:00:00Z").plus_seconds(900 * n)).collect::<Vec<_>>());
    let import = |row: &Reading| row.register(IMPORT).unwrap().as_number().unwrap().to_string();
    assert_eq!((import(&rows[0]), import(&rows[95])), ("100094".to_owned(), "100141".to_owned()));
}

#[test]
fn the_logs_come_one_behind_the_other() {
    let mut server = server(Security::None);
    let plan = Plan::Log { only: None, period: Period { since: None, until: None, zone: zurich() } };
    let talk = talk(read(READER, Access::Public, plan), &mut server, &mut Sound);
    let values = &talk.outcome.values;
    let failures = Obis::new(1, 0, 99, 97, 0, 255);
    assert_eq!(map::dlms::profiles(values), [STANDARD_LOG, failures]);
    assert_eq!(map::dlms::entries(values, failures)[0].values[0].1, "300");
    let entries = map::dlms::entries(values, STANDARD_LOG);
    let kinds: Vec<_> = entries.iter().filter_map(|entry| explain(Family::Idis, entry)).map(|(_, m)| m.text).collect();
    assert_eq!(kinds, ["power down of the whole meter", "power up"]);
}

#[test]
fn sizes_and_windows_are_what_both_sides_take() {
    for (ours, theirs) in [
        (Limits::default(), Limits { transmit: 32, receive: 32, ..Limits::default() }),
        (
            Limits { transmit: 2030, receive: 2030, ..Limits::default() },
            Limits { transmit: 1024, receive: 64, ..Limits::default() },
        ),
        (
            Limits { receive_window: 7, ..Limits::default() },
            Limits { transmit: 40, transmit_window: 4, ..Limits::default() },
        ),
    ] {
        let offers = vec![Offer { client: 2, security: Security::None, only: None }];
        let config = meter::Config { limits: theirs, offers, ..meter::Config::default() };
        let mut server = Server::new(config, image());
        let talk = talk(Config { limits: ours, ..read(READER, Access::Public, registers()) }, &mut server, &mut Sound);
        check(&talk);
    }
}

#[test]
fn a_connection_that_breaks_is_opened_again_and_nothing_is_lost() {
    /// Loses the connection on the meter's side once: by a DISC nobody sent.
    struct Breaks(usize);
    impl Line for Breaks {
        fn carry(&mut self, bytes: &[u8], to_meter: bool) -> Vec<u8> {
            self.0 += usize::from(to_meter);
            if to_meter && self.0 == 12 {
                let disconnect = hdlc::encode(READER.server, Address::client(2), Control::Disconnect, true, false, &[]);
                return [&disconnect[..], bytes].concat();
            }
            bytes.to_vec()
        }
    }
    let mut server = server(Security::None);
    let talk = talk(read(READER, Access::Public, registers()), &mut server, &mut Breaks(0));
    check(&talk);
}

#[test]
fn a_stop_at_any_step_leaves_the_meter_alone_within_half_a_second() {
    let mut server = server(Security::Gmac { keys: keys(), ciphered: true });
    let config = || read(READER, gmac(true, Counter::ReadFrom(Obis::new(0, 0, 43, 1, 0, 255))), registers());
    let whole = talk(config(), &mut server, &mut Sound);
    check(&whole);
    for stop in 1..whole.steps {
        let talk = talk_until(config(), &mut server, &mut Sound, stop);
        assert_eq!(talk.outcome.trouble, Some(Trouble::Cancelled), "at step {stop}");
        assert!(!server.is_connected(), "at step {stop}");
    }
}

#[test]
fn the_time_given_is_kept() {
    let mut server = server(Security::None);
    let config = Config { budget: Duration::from_millis(400), ..read(READER, Access::Public, registers()) };
    let talk = talk(config, &mut server, &mut Sound);
    assert_eq!(talk.outcome.trouble, Some(Trouble::OutOfTime));
    assert!(talk.took < Duration::from_secs(1));
    assert_eq!(talk.asked.last(), Some(&Control::Disconnect));
    assert!(!talk.outcome.values.is_empty());
}
