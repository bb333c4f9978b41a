//! Whatever the line does, both sides end, and nothing wrong is read.

use crate::world::*;
use proptest::prelude::*;
use releve::dialogue::dlms::{Access, Client, Config, Counter, Period, Plan, usual_stations};
use releve::dialogue::{Dialogue, Event, Step};
use releve::reading::Zone;
use releve::simulate::dlms::Security;
use releve::wire::hdlc::{self, Address, Control};
use std::time::Duration;

/// What a line may do to one transmission.
#[derive(Debug, Clone)]
enum Fault {
    None,
    Lost,
    Flipped(u16),
    Cut(u8),
    Doubled,
    Before(Vec<u8>),
    Instead(Vec<u8>),
}

struct Faulty<'a>(std::iter::Cycle<std::slice::Iter<'a, Fault>>);

impl Line for Faulty<'_> {
    fn carry(&mut self, bytes: &[u8], _: bool) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        match self.0.next() {
            None | Some(Fault::None) => {}
            Some(Fault::Lost) => bytes.clear(),
            Some(Fault::Flipped(bit)) => {
                let bit = usize::from(*bit) % (bytes.len() * 8).max(1);
                if let Some(byte) = bytes.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Some(Fault::Cut(at)) => bytes.truncate(usize::from(*at)),
            Some(Fault::Doubled) => bytes.extend_from_within(..),
            Some(Fault::Before(noise)) => drop(bytes.splice(0..0, noise.iter().copied())),
            Some(Fault::Instead(noise)) => bytes.clone_from(noise),
        }
        bytes
    }
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let noise = || proptest::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        12 => Just(Fault::None),
        2 => Just(Fault::Lost),
        2 => any::<u16>().prop_map(Fault::Flipped),
        1 => any::<u8>().prop_map(Fault::Cut),
        1 => Just(Fault::Doubled),
        1 => noise().prop_map(Fault::Before),
        1 => noise().prop_map(Fault::Instead),
    ]
}

fn any_plan() -> impl Strategy<Value = Plan> {
    prop_oneof![
        Just(registers()),
        Just(profile(Some("2025-11-06T23:00:00Z"), None)),
        Just(profile(None, None)),
        Just(Plan::Log { only: None, period: Period { since: None, until: None, zone: Zone::UTC } }),
    ]
}

proptest! {
    /// Whatever the line does, the talk ends, in bounded steps and time, and what was read is what the meter holds.
    #[test]
    fn a_bad_line_costs_time_but_never_gives_a_wrong_number(
        faults in proptest::collection::vec(any_fault(), 1..60), plan in any_plan(), ciphered: bool,
        stop in proptest::option::of(1usize..400),
    ) {
        let (security, access) = if ciphered {
            (Security::Gmac { keys: keys(), ciphered: true }, gmac(true, Counter::Known(1)))
        } else {
            (Security::None, Access::Public)
        };
        let config = || Config { budget: Duration::from_secs(120), ..read(READER, access.clone(), plan.clone()) };
        let undisturbed = talk(config(), &mut server(security.clone()), &mut Sound).outcome.values;
        let mut line = Faulty(faults.iter().cycle());
        let talk = talk_until(config(), &mut server(security), &mut line, stop.unwrap_or(usize::MAX));
        prop_assert!(talk.took < Duration::from_secs(160), "{:?}", talk.took);
        for value in talk.outcome.values.iter().filter(|value| value.result.is_ok()) {
            prop_assert!(undisturbed.contains(value), "{}", value.attribute);
        }
    }

    /// A client told anything at all, in any order, ends.
    #[test]
    fn a_client_ends_whatever_it_is_told(
        events in proptest::collection::vec((0u8..8, proptest::collection::vec(any::<u8>(), 0..60), any::<bool>()), 1..40),
        stop in proptest::option::of(0usize..500), standing_still: bool,
    ) {
        let config = Config { budget: Duration::from_secs(60), ..Config::new(usual_stations(2), gmac(true, Counter::Known(1)), registers()) };
        let mut client = Client::new(config);
        let mut now = Duration::ZERO;
        let mut ended = false;
        for (count, (kind, bytes, framed)) in events.iter().cycle().take(100_000).enumerate() {
            if Some(count) == stop {
                client.on(if *framed { Event::Cancelled } else { Event::Lost }, now);
            }
            let frame;
            let bytes = if *framed {
                let (control, _) = Control::parse(*kind << 5 | bytes.first().map_or(0x73, |first| first & 0x1F));
                frame = hdlc::encode(Address::client(2), Address::server(1, None), control, true, kind & 1 == 1, bytes);
                &frame
            } else {
                bytes
            };
            match client.step() {
                Step::Done => { ended = true; break; }
                Step::Send(_) => client.on(Event::Sent, now),
                Step::SetLine(_) => client.on(Event::LineSet(*framed), now),
                Step::Receive(wait) if *kind == 0 => { now += wait; client.on(Event::Silence, now); }
                Step::Receive(_) => client.on(Event::Received(bytes), now),
                Step::Pause(wait) => { now += wait; client.on(Event::Paused, now); }
            }
            if !standing_still {
                now += Duration::from_millis(3);
            }
        }
        prop_assert!(ended, "still going at {:?}", now);
    }

    /// A server told anything at all answers in bounded time and memory, and serves the next client as if nothing had been.
    #[test]
    fn a_server_takes_anything_and_still_serves(
        pieces in proptest::collection::vec((any::<u8>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..80)), 0..60),
    ) {
        let mut server = server(Security::None);
        for (number, (octet, framed, bytes)) in pieces.into_iter().enumerate() {
            let (control, poll) = Control::parse(octet);
            let bytes = if framed {
                let unit = [&[0xE6, 0xE6, 0x00][..], &bytes].concat();
                hdlc::encode(READER.server, Address::client(2), control, poll, octet & 8 == 0, &unit)
            } else {
                bytes
            };
            let reply = server.receive(&bytes, Duration::from_millis(number as u64));
            prop_assert!(reply.len() < 20_000);
        }
        server.receive(&[], Duration::from_secs(1));
        let talk = talk(read(READER, Access::Public, registers()), &mut server, &mut Sound);
        prop_assert_eq!(talk.outcome.trouble, None);
    }
}
